//! The curl line that repeats an exchange, where curl would send the same bytes.
//!
//! Keys are `"$KEY_ALICE"`, their MD5s `"$KEY_ALICE_MD5"`: the line shows what was sent without showing
//! it. A request signed in its header is signed anew by curl; a presigned one keeps its URL but for
//! the signature. What curl cannot repeat has no line.

use super::exchange::Exchange;
use crate::ssec::Keyring;
use crate::ssec::forms::Secret;

/// Headers that curl makes itself, or that only concern our connection.
const CURLS_OWN: [&str; 7] = [
    "host",
    "user-agent",
    "accept-encoding",
    "connection",
    "content-length",
    "authorization",
    "x-amz-date",
];
const TRIPLE: &str = "x-amz-server-side-encryption-customer-";

/// The line, or `None` where curl cannot send the same bytes: values with blanks around them or
/// that are not printable ASCII, a spoilt spelling of a key, a key in the query, SSE-C headers
/// that the `Authorization` header leaves unsigned, a body in signed chunks, or a form.
#[must_use]
pub fn curl_command(exchange: &Exchange, keyring: &Keyring) -> Option<String> {
    if !exchange.sent_fields.is_empty() {
        // A form is signed over its policy, which curl does not do.
        return None;
    }
    let head = std::str::from_utf8(&exchange.sent_head).ok()?;
    let mut lines = head.strip_suffix("\r\n\r\n")?.split("\r\n");
    let target = lines.next()?.split(' ').nth(1)?;
    let headers: Vec<(&str, &str)> = lines
        .map(|line| line.split_once(": "))
        .collect::<Option<_>>()?;
    let value_of = |wanted: &str| {
        let found = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| *value)
    };

    let body_in_chunks = |value: &str| value.starts_with("STREAMING-");
    if value_of("x-amz-content-sha256").is_some_and(body_in_chunks) {
        return None;
    }
    let mut words = vec!["curl -i --http1.1 --globoff --path-as-is".to_owned()];
    words.push(match exchange.method {
        "GET" => String::new(),
        "HEAD" => "--head".to_owned(),
        method => format!("-X {method}"),
    });
    if let Some(authorization) = value_of("authorization") {
        words.push(signed_by_curl(authorization, &headers)?);
    }
    for (name, value) in &headers {
        if CURLS_OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            continue;
        }
        words.push(format!("-H {}", header(name, value, keyring)?));
    }
    if exchange.request_body > 0 {
        words.push("-H 'Content-Type:' -H 'Expect:' --data-binary @body.bin".to_owned());
    } else if value_of("content-length").is_some() {
        words.push("-H 'Content-Type:' --data-binary ''".to_owned());
    }
    let host = value_of("host")?;
    let (scheme, authority) = exchange.endpoint.split_once("://")?;
    if host != authority {
        words.push(format!(
            "--connect-to {}",
            quoted(&connect_to(scheme, authority))?
        ));
    }
    words.push(quoted(&format!(
        "{scheme}://{host}{}",
        shown(target, keyring)?
    ))?);
    words.retain(|word| !word.is_empty());
    Some(words.join(" "))
}

/// curl's own signer, which covers every header that it sends.
fn signed_by_curl(authorization: &str, headers: &[(&str, &str)]) -> Option<String> {
    let (_, rest) = authorization.split_once("Credential=")?;
    let region = rest.split('/').nth(2)?;
    let (_, rest) = authorization.split_once("SignedHeaders=")?;
    let covered: Vec<&str> = rest.split(',').next()?.split(';').collect();
    let triple: Vec<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| name.starts_with(TRIPLE))
        .collect();
    let all = triple.iter().all(|name| covered.contains(&name.as_str()));
    let doubled = triple
        .iter()
        .enumerate()
        .any(|(at, name)| triple[..at].contains(name));
    let sign = format!("--aws-sigv4 {}", quoted(&format!("aws:amz:{region}:s3"))?);
    let user = "--user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"";
    (all && !doubled).then(|| format!("{sign} {user}"))
}

fn header(name: &str, value: &str, keyring: &Keyring) -> Option<String> {
    if value.is_empty() {
        // Without a colon: curl takes `Name:` for a header to leave out.
        return quoted(&format!("{name};"));
    }
    if name.eq_ignore_ascii_case("x-amz-security-token") {
        return Some(format!("\"{name}: $AWS_SESSION_TOKEN\""));
    }
    if value.trim() != value {
        return None;
    }
    let hits = keyring.find(value.as_bytes());
    let Some(hit) = hits.first() else {
        return quoted(&format!("{name}: {value}"));
    };
    let (variable, padding) = match &hit.secret {
        Secret::Key { name, .. } => (format!("KEY_{}", shell_name(name)), "="),
        Secret::KeyMd5 { name, .. } => (format!("KEY_{}_MD5", shell_name(name)), "=="),
        Secret::SecretAccessKey
        | Secret::SessionToken
        | Secret::Signature
        | Secret::Digest { .. } => return None,
    };
    let whole = hit.form == "base64" && hit.range.start == 0 && value[hit.range.end..] == *padding;
    whole.then(|| format!("\"{name}: ${variable}\""))
}

/// `alice-other` as `ALICE_OTHER`.
fn shell_name(name: &str) -> String {
    let upper = name.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    upper.collect()
}

/// The target without its signature; `None` when it holds a key.
fn shown(target: &str, keyring: &Keyring) -> Option<String> {
    const NAME: &str = "X-Amz-Signature=";
    if keyring
        .find(target.as_bytes())
        .iter()
        .any(|hit| matches!(hit.secret, Secret::Key { .. }))
    {
        return None;
    }
    let Some((before, after)) = target.split_once(NAME) else {
        return Some(target.to_owned());
    };
    let rest = after.find('&').map_or("", |end| &after[end..]);
    Some(format!("{before}{NAME}<signature>{rest}"))
}

/// Where to connect when the URL's host is not the endpoint's.
fn connect_to(scheme: &str, authority: &str) -> String {
    let has_port = authority
        .rsplit(':')
        .next()
        .is_some_and(|port| port.parse::<u16>().is_ok());
    let port = if scheme == "https" { 443 } else { 80 };
    if has_port {
        format!("::{authority}")
    } else {
        format!("::{authority}:{port}")
    }
}

/// `text` in single quotes; `None` when it is not printable ASCII.
fn quoted(text: &str) -> Option<String> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    printable.then(|| format!("'{}'", text.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::ssec::CustomerKey;

    const TRIPLE_OF_ALICE: [(&str, &str); 3] = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        (
            "x-amz-server-side-encryption-customer-key",
            "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
        ),
        (
            "x-amz-server-side-encryption-customer-key-MD5",
            "DWygnHRtgiJ77HCm+1rvHw==",
        ),
    ];

    fn keyring() -> Keyring {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        let bytes = BASE64_STANDARD
            .decode(TRIPLE_OF_ALICE[1].1)
            .unwrap()
            .try_into()
            .unwrap();
        let keyring = Keyring::new();
        let alice = CustomerKey::from_bytes(bytes);
        keyring.adopt("t", vec![("alice", alice, CustomerKey::fresh())]);
        keyring
    }

    fn command(
        method: &'static str,
        target: &str,
        headers: &[(&str, &str)],
        body: u64,
    ) -> Option<String> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let exchange = Exchange {
            method,
            endpoint: "https://localhost:8443".to_owned(),
            sent_head: head.into_bytes(),
            request_body: body,
            sent_body: body,
            ..Exchange::answered(200, &[], b"")
        };
        curl_command(&exchange, &keyring())
    }

    const HOST: (&str, &str) = ("Host", "localhost:8443");

    #[test]
    fn a_presigned_get_is_repeated() {
        let headers: Vec<_> = [HOST].into_iter().chain(TRIPLE_OF_ALICE).collect();
        let line = command("GET", "/b/it's?a=b&X-Amz-Signature=0123&c", &headers, 0).unwrap();
        assert_eq!(
            line,
            "curl -i --http1.1 --globoff --path-as-is \
             -H 'x-amz-server-side-encryption-customer-algorithm: AES256' \
             -H \"x-amz-server-side-encryption-customer-key: $KEY_ALICE\" \
             -H \"x-amz-server-side-encryption-customer-key-MD5: $KEY_ALICE_MD5\" \
             'https://localhost:8443/b/it'\\''s?a=b&X-Amz-Signature=<signature>&c'"
        );
    }

    const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKID/20130524/gra/s3/aws4_request, \
        SignedHeaders=host;x-amz-date;x-amz-server-side-encryption-customer-algorithm, Signature=ab";

    #[test]
    fn a_signed_put_is_signed_by_curl() {
        let headers = [
            ("Host", "bucket.s3.localhost:8443"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            TRIPLE_OF_ALICE[0],
            ("Authorization", AUTHORIZATION),
            ("Content-Length", "5"),
        ];
        assert_eq!(
            command("PUT", "/o", &headers, 5).unwrap(),
            "curl -i --http1.1 --globoff --path-as-is -X PUT --aws-sigv4 'aws:amz:gra:s3' \
             --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" \
             -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
             -H 'x-amz-server-side-encryption-customer-algorithm: AES256' \
             -H 'Content-Type:' -H 'Expect:' --data-binary @body.bin \
             --connect-to '::localhost:8443' 'https://bucket.s3.localhost:8443/o'"
        );
    }

    #[test]
    fn what_curl_cannot_repeat_has_no_line() {
        let key = TRIPLE_OF_ALICE[1];
        let none = |target: &str, headers: &[(&str, &str)]| {
            let headers = [&[HOST], headers].concat();
            assert_eq!(command("GET", target, &headers, 0), None, "{headers:?}");
        };
        none("/o", &[("x", " spaced")]);
        none("/o", &[("x", "caf\u{e9}")]);
        none(
            "/o",
            &[(key.0, "\"pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=\"")],
        );
        none(
            "/o",
            &[(key.0, "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs")],
        );
        none("/o?k=pO3upElrwuEXSoFwCfnZPdSsmt%2FxWeFa0N9KgDijwVs%3D", &[]);
        none("/o", &[key, ("Authorization", AUTHORIZATION)]);
        let algorithm = TRIPLE_OF_ALICE[0];
        none(
            "/o",
            &[algorithm, algorithm, ("Authorization", AUTHORIZATION)],
        );
    }

    #[test]
    fn an_empty_value_is_sent_as_curl_sends_one() {
        let line = command("HEAD", "/o", &[HOST, ("x-empty", "")], 0).unwrap();
        assert!(line.contains(" --head -H 'x-empty;' "), "{line}");
    }
}
