//! The redactor: whatever is written or shown passes here first.
//!
//! It replaces keys, key MD5s, signatures and credentials by their names and makes the rest
//! printable. Behind it stands [`Redactor::scan`], over what is about to be written: a hit there is
//! our bug.

mod form;
mod printable;

use std::ops::Range;

use reports::record::{ExchangeRecord, MessageRecord};

use self::printable::{cut, printable};
use crate::credentials::Credentials;
use crate::error::OurError;
use crate::ssec::Keyring;
use crate::ssec::forms::{FormIndex, Hit, Secret};
use crate::transport::Exchange;
use crate::transport::curl_command::curl_command;

/// Bytes of an answer's text that a record holds.
pub const MAX_BODY_TEXT: usize = 2 * 1024;
/// Bytes of one header's value that a record holds.
pub const MAX_VALUE: usize = 2 * 1024;
/// Headers of one message that a record holds.
pub const MAX_HEADERS: usize = 100;
/// Bytes of a body that are redacted before the text is cut: enough that no placeholder is missed.
const REDACTED: usize = 64 * 1024;

/// Knows every secret of the run.
pub struct Redactor<'a> {
    keyring: &'a Keyring,
    credentials: FormIndex,
}

impl<'a> Redactor<'a> {
    /// A secret access key of less than 16 bytes cannot be told from chance and is not looked for.
    #[must_use]
    pub fn new(keyring: &'a Keyring, credentials: &Credentials) -> Self {
        let mut index = FormIndex::default();
        index.add_text(
            Secret::SecretAccessKey,
            credentials.expose_secret().as_bytes(),
        );
        if let Some(token) = credentials.expose_session_token() {
            index.add_text(Secret::SessionToken, token.as_bytes());
        }
        Self {
            keyring,
            credentials: index,
        }
    }

    /// `bytes` as printable text without secrets: `<key:alice as base64>` stands for a key.
    /// Keys of trials other than `trial` are named with theirs.
    #[must_use]
    pub fn text(&self, bytes: &[u8], trial: &str) -> String {
        let mut text = String::new();
        let mut done = 0;
        for hit in self.find(bytes) {
            text.push_str(&printable(&bytes[done..hit.range.start]));
            text.push_str(&placeholder(&hit, trial));
            done = hit.range.end;
        }
        text.push_str(&printable(&bytes[done..]));
        text
    }

    /// The exchange as a record; `body_is` says what the answer's body is.
    #[must_use]
    pub fn exchange(
        &self,
        exchange: &Exchange,
        trial: &str,
        body_is: Option<String>,
    ) -> ExchangeRecord {
        // A target may repeat the request's signature anywhere in its answer.
        for range in signatures(&exchange.sent_head) {
            self.keyring.note_signature(&exchange.sent_head[range]);
        }
        let mut lines = lines(&exchange.sent_head);
        let request = MessageRecord {
            line: cut(
                &self.text(lines.next().unwrap_or_default(), trial),
                MAX_VALUE,
            ),
            headers: self.headers(lines.filter_map(split_header), trial),
            length: exchange.request_body,
            body_is: None,
            body_text: self.form_text(&exchange.sent_fields, trial),
        };
        let status = self::lines(&exchange.received_head)
            .next()
            .unwrap_or_default();
        let headers = exchange
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let response = MessageRecord {
            line: cut(&self.text(status, trial), MAX_VALUE),
            headers: self.headers(headers, trial),
            length: exchange.body.len() as u64,
            body_is,
            body_text: self.body_text(&exchange.body, trial),
        };
        ExchangeRecord {
            request,
            response: Some(response),
            curl: curl_command(exchange, self.keyring),
        }
    }

    /// Looks for secrets in what is about to be written. Key MD5s are none.
    ///
    /// # Errors
    /// When there is one: our bug, exit code 70.
    pub fn scan(&self, about_to_be_written: &[u8]) -> Result<(), OurError> {
        let secret = self
            .find(about_to_be_written)
            .into_iter()
            .find(|hit| match hit.secret {
                Secret::KeyMd5 { .. } | Secret::Digest { .. } => false,
                Secret::Key { .. } => !hit.guessable,
                Secret::SecretAccessKey | Secret::SessionToken | Secret::Signature => true,
            });
        match secret {
            Some(hit) => Err(OurError::SecretInOutput {
                what: placeholder(&hit, ""),
            }),
            None => Ok(()),
        }
    }

    fn headers<'h>(
        &self,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
        trial: &str,
    ) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| cut(&self.text(bytes, trial), MAX_VALUE);
        headers
            .take(MAX_HEADERS)
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    /// The start of a body that is text.
    fn body_text(&self, body: &[u8], trial: &str) -> Option<String> {
        let start = &body[..body.len().min(REDACTED)];
        let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t');
        let is_text = match std::str::from_utf8(start) {
            Ok(_) => true,
            // A character cut in two at the end is no reason to call it binary.
            Err(error) => error.error_len().is_none(),
        };
        let is_text = is_text && !start.is_empty() && !start.iter().any(control);
        is_text.then(|| cut(&self.text(start, trial), MAX_BODY_TEXT))
    }

    fn find(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = self.keyring.find(bytes);
        hits.extend(self.credentials.find(bytes));
        let signature = |range| Hit {
            range,
            secret: Secret::Signature,
            form: "text",
            guessable: false,
        };
        hits.extend(signatures(bytes).into_iter().map(signature));
        Hit::disjoint(hits)
    }
}

/// Where values of `X-Amz-Signature=` and `Signature=` stand, in any case, also as XML or JSON
/// name them.
fn signatures(bytes: &[u8]) -> Vec<Range<usize>> {
    const NAMES: [&[u8]; 3] = [b"signature=", b"signature%3d", b"<signatureprovided>"];
    const LEAST: usize = 16;
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let starts = |name: &&&[u8]| {
            rest.len() >= name.len() && rest[..name.len()].eq_ignore_ascii_case(name)
        };
        // Most bytes are neither `s` nor `<`; looking at one spares comparing the names.
        let may = matches!(bytes[at], b's' | b'S' | b'<');
        let Some(name) = may.then(|| NAMES.iter().find(starts)).flatten() else {
            at += 1;
            continue;
        };
        let start = at + name.len();
        let in_value =
            |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'+' | b'/' | b'=');
        let length = bytes[start..].iter().take_while(in_value).count();
        if length >= LEAST {
            found.push(start..start + length);
        }
        at = start + length;
    }
    found
}

/// What stands in a text in place of a secret.
fn placeholder(hit: &Hit, here: &str) -> String {
    let of = |trial: &str| {
        if trial == here || here.is_empty() {
            String::new()
        } else {
            format!(" of {trial}")
        }
    };
    match &hit.secret {
        Secret::Key { trial, name } => format!("<key:{name}{} as {}>", of(trial), hit.form),
        Secret::KeyMd5 { trial, name } => {
            format!("<md5 of key:{name}{} as {}>", of(trial), hit.form)
        }
        Secret::SecretAccessKey => "<secret access key>".to_owned(),
        Secret::SessionToken => "<session token>".to_owned(),
        Secret::Signature => "<signature>".to_owned(),
        Secret::Digest { name } => format!("<{name} of a body>"),
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = &line[colon + 1..];
    Some((&line[..colon], value.strip_prefix(b" ").unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use proptest::prelude::*;

    use super::*;
    use crate::ssec::CustomerKey;

    const KEY: [u8; 32] = *b"\xfb\xff\x00\x01 a customer key, not random?";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const SIGNATURE: &str = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn keyring() -> Keyring {
        let keyring = Keyring::new();
        let alice = CustomerKey::from_bytes(KEY);
        keyring.adopt("get::case", vec![("alice", alice, CustomerKey::fresh())]);
        keyring
    }

    fn credentials() -> Credentials {
        Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            SECRET,
            Some("a-session-token-of-some-length"),
        )
    }

    #[track_caller]
    fn check(bytes: impl AsRef<[u8]>, expected: &str) {
        let keyring = keyring();
        let redactor = Redactor::new(&keyring, &credentials());
        assert_eq!(redactor.text(bytes.as_ref(), "get::case"), expected);
        assert_eq!(redactor.scan(expected.as_bytes()), Ok(()));
    }

    #[test]
    fn every_secret_has_a_name() {
        let text = BASE64_STANDARD.encode(KEY);
        let unpadded = text.trim_end_matches('=');
        check(format!("<A>{unpadded}</A>"), "<A><key:alice as base64></A>");
        check(KEY, "<key:alice as raw bytes>");
        check(hex::encode(KEY), "<key:alice as hex>");
        check(
            text.replace('+', "%2B").replace('/', "%2F"),
            "<key:alice as base64>=",
        );
        let digest = CustomerKey::from_bytes(KEY).md5_base64();
        check(digest.trim_end_matches('='), "<md5 of key:alice as base64>");
        check(format!("secret {SECRET}!"), "secret <secret access key>!");
        check("t=a-session-token-of-some-length", "t=<session token>");
        check(
            format!("/o?X-Amz-Signature={SIGNATURE}&a=b"),
            "/o?X-Amz-Signature=<signature>&a=b",
        );
        check(
            format!("a, Signature={SIGNATURE}"),
            "a, Signature=<signature>",
        );
        check(
            format!("<SignatureProvided>{SIGNATURE}</"),
            "<SignatureProvided><signature></",
        );
    }

    #[test]
    fn keys_of_other_trials_are_named_with_them() {
        let keyring = keyring();
        let redactor = Redactor::new(&keyring, &credentials());
        assert_eq!(
            redactor.text(&KEY, "put::x"),
            "<key:alice of get::case as raw bytes>"
        );
    }

    /// The suite makes up an entity tag of zeros; a secret padded with zeros is not in it.
    #[test]
    fn a_row_of_one_character_is_no_secret() {
        let keyring = keyring();
        let secret = format!("mainsecret{}", "0".repeat(31));
        let credentials = Credentials::new("MAINKEY000000000000A", &secret, None);
        let redactor = Redactor::new(&keyring, &credentials);
        let tag = format!("If-None-Match: \"{}\"", "0".repeat(32));
        assert_eq!(redactor.scan(tag.as_bytes()), Ok(()));
        assert_eq!(redactor.text(tag.as_bytes(), "put::x"), tag);
        assert!(redactor.scan(secret.as_bytes()).is_err());
        let shown = redactor.text(format!("<{secret}>").as_bytes(), "put::x");
        assert_eq!(shown, "<<secret access key>>");
    }

    #[test]
    fn a_scan_finds_what_was_not_redacted() {
        let keyring = keyring();
        let redactor = Redactor::new(&keyring, &credentials());
        let found = |text: &str| redactor.scan(text.as_bytes()).is_err();
        assert!(found(&format!(
            "{{\"a\":\"{}\"}}",
            BASE64_STANDARD.encode(KEY)
        )));
        assert!(found(&hex::encode(KEY)));
        assert!(found(SECRET));
        assert!(found(&format!("https://h/?X-Amz-Signature={SIGNATURE}")));
        assert!(!found("nothing to see, X-Amz-Signature=<signature>"));
        // A key MD5 is no secret.
        assert!(!found(&CustomerKey::from_bytes(KEY).md5_base64()));
        keyring.note_signature(SIGNATURE.as_bytes());
        assert!(found(&format!("sig {SIGNATURE}")));
        let error = redactor
            .scan(BASE64_STANDARD.encode(KEY).as_bytes())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "about to write a secret: <key:alice as base64>"
        );
    }

    fn exchange(target: &str, body: &[u8]) -> Exchange {
        let key = BASE64_STANDARD.encode(KEY);
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\n\
             x-amz-server-side-encryption-customer-key: {key}\r\n\r\n"
        );
        Exchange {
            sent_head: head.into_bytes(),
            received_head: b"HTTP/1.1 403 Forbidden\r\nX-Id: \x1b\r\n\r\n".to_vec(),
            headers: vec![("X-Id".to_owned(), vec![0x1b])],
            ..Exchange::answered(403, &[], body)
        }
    }

    fn record(target: &str, body: &[u8]) -> ExchangeRecord {
        let keyring = keyring();
        let redactor = Redactor::new(&keyring, &credentials());
        let record = redactor.exchange(
            &exchange(target, body),
            "get::case",
            Some("text".to_owned()),
        );
        let written = serde_json::to_vec(&record).unwrap();
        assert_eq!(redactor.scan(&written), Ok(()));
        record
    }

    #[test]
    fn an_exchange_becomes_a_record_without_secrets() {
        let target = format!("/b/o?X-Amz-Date=20130524T000000Z&X-Amz-Signature={SIGNATURE}");
        let body = format!("<Error><Code>AccessDenied</Code><Sig>{SIGNATURE}</Sig></Error>");
        let record = record(&target, body.as_bytes());
        let line = "GET /b/o?X-Amz-Date=20130524T000000Z&X-Amz-Signature=<signature> HTTP/1.1";
        assert_eq!(record.request.line, line);
        let key = "x-amz-server-side-encryption-customer-key".to_owned();
        let headers = [
            ("Host".to_owned(), "localhost".to_owned()),
            (key, "<key:alice as base64>=".to_owned()),
        ];
        assert_eq!(record.request.headers, headers);
        let response = record.response.unwrap();
        assert_eq!(response.line, "HTTP/1.1 403 Forbidden");
        assert_eq!(response.headers, [("X-Id".to_owned(), "\\x1b".to_owned())]);
        let text = "<Error><Code>AccessDenied</Code><Sig><signature></Sig></Error>";
        assert_eq!(response.body_text.as_deref(), Some(text));
        assert_eq!(response.body_is.as_deref(), Some("text"));
    }

    #[test]
    fn texts_are_bounded_and_binary_is_no_text() {
        let response = record("/", &b"x".repeat(100_000)).response.unwrap();
        let text = response.body_text.unwrap();
        assert!(text.starts_with("xxx") && text.ends_with("… (65536 bytes)"));
        assert!(text.len() < MAX_BODY_TEXT + 30);
        assert_eq!(response.length, 100_000);
        assert_eq!(
            record("/", b"\x00\x01\x02").response.unwrap().body_text,
            None
        );
        assert_eq!(record("/", b"\xff\xfe").response.unwrap().body_text, None);
        assert_eq!(record("/", b"").response.unwrap().body_text, None);
        let long = "x".repeat(10_000);
        assert!(record(&format!("/{long}"), b"").request.line.len() < MAX_VALUE + 30);
    }

    fn forms() -> Vec<Vec<u8>> {
        let text = BASE64_STANDARD.encode(KEY);
        let percent = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>()
        };
        vec![
            KEY.to_vec(),
            text.clone().into_bytes(),
            text.replace('+', "-").replace('/', "_").into_bytes(),
            text.trim_end_matches('=').as_bytes().to_vec(),
            hex::encode(KEY).into_bytes(),
            hex::encode_upper(KEY).into_bytes(),
            percent(&KEY).into_bytes(),
            percent(text.as_bytes()).into_bytes(),
            BASE64_STANDARD.encode(&text).into_bytes(),
            SECRET.as_bytes().to_vec(),
            percent(SECRET.as_bytes()).into_bytes(),
            format!("X-Amz-Signature={SIGNATURE}").into_bytes(),
        ]
    }

    proptest! {
        #[test]
        fn no_form_of_a_secret_survives(
            noise in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            chosen in proptest::collection::vec(0_usize..12, 5),
        ) {
            let forms = forms();
            let mut bytes = Vec::new();
            for (noise, form) in noise.iter().zip(&chosen) {
                bytes.extend_from_slice(noise);
                bytes.extend_from_slice(&forms[*form]);
            }
            let keyring = keyring();
            let redactor = Redactor::new(&keyring, &credentials());
            let text = redactor.text(&bytes, "get::case");
            prop_assert_eq!(redactor.scan(text.as_bytes()), Ok(()));
            let written = serde_json::to_vec(&text).unwrap();
            prop_assert_eq!(redactor.scan(&written), Ok(()));
            for form in &forms[..11] {
                prop_assert!(!text.as_bytes().windows(form.len()).any(|window| window == form));
            }
            prop_assert!(!text.contains(SIGNATURE));
        }
    }
}
