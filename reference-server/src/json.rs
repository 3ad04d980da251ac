//! JSON documents that clients send, read strictly: an object whose member comes twice is refused.
//! `serde_json` alone would keep one of the two and drop the other without a word.
//!
//! It knows no policy. How deep a document may be nested is bounded by `serde_json`, how long it may
//! be by whoever reads it.

use serde_json::{Map, Value};

/// Reads a document that is an object; `None` for anything else, and where an object in it has two
/// members of one name.
pub(crate) fn object(text: &[u8]) -> Option<Map<String, Value>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    match value {
        _ if members_written(text) != members_kept(&value) => None,
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}

/// How many members the objects of a document have as it is written: each has a colon, and outside
/// of strings nothing else has one. The document has been read, so it is well-formed.
fn members_written(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// How many members its objects have as it was read.
fn members_kept(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(members_kept).sum::<usize>(),
        Value::Array(values) => values.iter().map(members_kept).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_whatever_its_strings_hold() {
        for text in [
            "{}",
            r#"{"a":[null,true,-1.5e3,"\u00e4\n"],"b":{"a":{}}}"#,
            r#"{"a:\"":":","\\":[":\\",{"c":"\":"}]}"#,
        ] {
            let plain: Value = serde_json::from_str(text).unwrap();
            assert_eq!(object(text.as_bytes()).map(Value::Object), Some(plain));
        }
    }

    #[test]
    fn a_member_comes_once_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a:":":","a:":"\""}"#,
            r#"{"a":{"b":1,"c":2,"b":3}}"#,
            r#"{"a":[{"b":1},{"b":1,"b":null}]}"#,
            "[]",
            "{} {}",
            "{",
            "",
        ] {
            assert_eq!(object(text.as_bytes()), None, "{text}");
        }
        assert!(object(br#"{"a":{"a":1},"A":[{"a":1},{"a":1}]}"#).is_some());
        let nested = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert_eq!(object(nested.as_bytes()), None);
    }
}
