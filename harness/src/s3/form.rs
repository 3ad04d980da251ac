//! POST Object: the fields of a form, the policy that says which it may have, and the body of both.
//!
//! Sources: S3 API reference, "Browser-Based Uploads Using POST" and "POST Policy"; RFC 7578.

use std::fmt;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::{Bytes, BytesMut};

use crate::scenario::definition::FormFault;

/// Stands between the fields. No declared body holds it: their blocks hold no run of letters.
pub const BOUNDARY: &str = "ssec-form-5b1c9e0d7a24f386";

/// One condition of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The field has exactly this value.
    Equals(String, String),
    /// The field is there, and its value begins so.
    StartsWith(String, String),
    /// The file has so many bytes, both ends included.
    Length(u64, u64),
}

/// As it stands in the policy.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(name, value) => write!(f, "{{{}:{}}}", quoted(name), quoted(value)),
            Self::StartsWith(name, value) => {
                let name = quoted(&format!("${name}"));
                write!(f, "[\"starts-with\",{name},{}]", quoted(value))
            }
            Self::Length(least, most) => {
                write!(f, "[\"content-length-range\",{least},{most}]")
            }
        }
    }
}

/// A form before it is signed. No `Debug`: its fields may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsignedForm {
    /// In order; those of the signature follow.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Those about the fields of the signature follow.
    pub conditions: Vec<Condition>,
    /// From the signature to the end of the policy.
    pub expires: Duration,
    /// How long ago it was signed.
    pub age: Duration,
    pub file: Bytes,
    pub fault: Option<FormFault>,
}

/// The policy as JSON; it ends at `expiration`, as RFC 3339 in UTC.
#[must_use]
pub fn policy(expiration: &str, conditions: &[Condition]) -> String {
    let conditions: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    format!(
        "{{\"expiration\":{},\"conditions\":[{}]}}",
        quoted(expiration),
        conditions.join(",")
    )
}

/// A policy as its field holds it.
#[must_use]
pub fn encoded(policy: &str) -> String {
    BASE64_STANDARD.encode(policy)
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The body of a form, and how many of its bytes stand in front of the file.
#[must_use]
pub fn body(fields: &[(String, Vec<u8>)], file: &[u8], fault: Option<FormFault>) -> (Bytes, usize) {
    let mut body = BytesMut::new();
    for (name, value) in fields {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    let in_front = body.len();
    if fault == Some(FormFault::Cut) {
        body.extend_from_slice(&file[..file.len() / 2]);
    } else {
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    }
    (body.freeze(), in_front)
}

/// The fields in front of the file, as they went over the socket: names as sent, and values.
#[must_use]
pub fn fields_sent(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let delimiter = format!("--{BOUNDARY}\r\n").into_bytes();
    let mut fields = Vec::new();
    let mut rest = bytes;
    while let Some(part) = rest.strip_prefix(delimiter.as_slice()) {
        let end = position(part, &delimiter).unwrap_or(part.len());
        rest = &part[end..];
        let Some(head) = position(part, b"\r\n\r\n") else {
            break;
        };
        let text = String::from_utf8_lossy(&part[..head]).into_owned();
        let name = text
            .split_once("name=\"")
            .and_then(|(_, name)| name.split_once('"'));
        if let Some((name, _)) = name.filter(|(name, _)| *name != "file") {
            let value = part.get(head + 4..end).unwrap_or_default();
            let value = value.strip_suffix(b"\r\n").unwrap_or(value);
            fields.push((name.to_owned(), value.to_vec()));
        }
    }
    fields
}

/// Where `wanted` first stands in `bytes`.
fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_json_whatever_stands_in_it() {
        let conditions = [
            Condition::Equals("key".to_owned(), "a\"\\\n".to_owned()),
            Condition::StartsWith("x".to_owned(), String::new()),
            Condition::Length(0, 10),
        ];
        let text = policy("2030-01-01T00:00:00.000Z", &conditions);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let wanted = serde_json::json!({
            "expiration": "2030-01-01T00:00:00.000Z",
            "conditions": [
                {"key": "a\"\\\n"},
                ["starts-with", "$x", ""],
                ["content-length-range", 0, 10],
            ],
        });
        assert_eq!(json, wanted);
    }

    #[test]
    fn fields_are_read_back_as_they_were_written() {
        let fields = [
            ("key".to_owned(), b"a/b".to_vec()),
            ("raw".to_owned(), b"\xff\r\n--\r\n".to_vec()),
            ("key".to_owned(), Vec::new()),
        ];
        let (whole, in_front) = body(&fields, b"0123456789", None);
        assert_eq!(fields_sent(&whole[..in_front]), fields);
        let end = format!("0123456789\r\n--{BOUNDARY}--\r\n");
        assert_eq!(&whole[in_front..], end.as_bytes());
        let (cut, _) = body(&fields, b"0123456789", Some(FormFault::Cut));
        assert_eq!(&cut[in_front..], b"01234");
        assert!(fields_sent(b"no form").is_empty());
    }
}
