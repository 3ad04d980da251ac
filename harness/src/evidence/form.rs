//! A form that was sent, as a record tells it.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::printable::cut;
use super::{MAX_BODY_TEXT, Redactor};
use crate::s3::form::fields_sent;

impl Redactor<'_> {
    /// The fields of a form, one a line; of the policy what it says, for its text may hide what the
    /// redactor looks for.
    pub(super) fn form_text(&self, sent: &[u8], trial: &str) -> Option<String> {
        if sent.is_empty() {
            return None;
        }
        let mut lines = String::new();
        for (name, value) in fields_sent(sent) {
            let policy = BASE64_STANDARD.decode(&value).ok();
            let value = policy.filter(|_| name == "policy").unwrap_or(value);
            let line = format!("{name}: {}\n", self.text(&value, trial));
            lines.push_str(&line);
        }
        Some(cut(&lines, MAX_BODY_TEXT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::s3::form::body;
    use crate::ssec::{CustomerKey, Keyring};

    const KEY: [u8; 32] = *b"\xfb\xff\x00\x01 a customer key, not random?";
    const SIGNATURE: &str = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    #[test]
    fn a_form_is_told_by_its_fields_without_key_and_signature() {
        let keyring = Keyring::new();
        let alice = CustomerKey::from_bytes(KEY);
        keyring.adopt("get::case", vec![("alice", alice, CustomerKey::fresh())]);
        keyring.note_signature(SIGNATURE.as_bytes());
        let redactor = Redactor::new(&keyring, &Credentials::new("", "", None));
        let key = BASE64_STANDARD.encode(KEY).into_bytes();
        let policy = BASE64_STANDARD.encode(r#"{"expiration":"2030"}"#);
        let fields = [
            ("key", b"o".to_vec()),
            ("x-amz-server-side-encryption-customer-key", key),
            ("policy", policy.into_bytes()),
            ("x-amz-signature", SIGNATURE.as_bytes().to_vec()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let (sent, in_front) = body(&fields, b"file", None);
        let told = redactor.form_text(&sent[..in_front], "get::case").unwrap();
        assert_eq!(
            told,
            "key: o\nx-amz-server-side-encryption-customer-key: <key:alice as base64>=\n\
             policy: {\"expiration\":\"2030\"}\nx-amz-signature: <signature>\n"
        );
        assert_eq!(redactor.scan(told.as_bytes()), Ok(()));
        assert_eq!(redactor.form_text(&[], "get::case"), None);
    }
}
