//! Which SSE-C headers a request really carried, by the bytes that were sent.
//!
//! A trial whose request did not carry the fault that it names says nothing about the target, so
//! the runner compares what went over the socket with what the step meant, and judges only then.

use percent_encoding::percent_decode;

use super::headers::{SsecHeaders, SsecValue};
use crate::scenario::definition::SsecHeader;

/// The SSE-C headers of a request head as it was sent, in order. A value is what stands between
/// the one space after the colon and the line's end: further blanks belong to it.
#[must_use]
pub fn headers_sent(head: &[u8]) -> SsecHeaders {
    named_in(head, SsecHeader::of_wire_name)
}

/// The same of the headers that open a copy's source.
#[must_use]
pub fn source_headers_sent(head: &[u8]) -> SsecHeaders {
    named_in(head, SsecHeader::of_source_name)
}

fn named_in(head: &[u8], which: fn(&str) -> Option<SsecHeader>) -> SsecHeaders {
    let mut headers = SsecHeaders::default();
    for line in lines(head).skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = std::str::from_utf8(&line[..colon]).unwrap_or_default();
        if let Some(header) = which(name) {
            let value = &line[colon + 1..];
            let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
            headers.values.push(SsecValue { header, value });
        }
    }
    headers
}

/// The SSE-C parameters in the query of a request head as it was sent, decoded, in order.
#[must_use]
pub fn query_sent(head: &[u8]) -> SsecHeaders {
    let mut parameters = SsecHeaders::default();
    let line = lines(head).next().unwrap_or_default();
    let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let Some(mark) = target.iter().position(|byte| *byte == b'?') else {
        return parameters;
    };
    for pair in target[mark + 1..].split(|byte| *byte == b'&') {
        let equals = pair
            .iter()
            .position(|byte| *byte == b'=')
            .unwrap_or(pair.len());
        let name: Vec<u8> = percent_decode(&pair[..equals]).collect();
        let name = std::str::from_utf8(&name).unwrap_or_default();
        if let Some(header) = SsecHeader::of_wire_name(name) {
            let value = percent_decode(pair.get(equals + 1..).unwrap_or_default()).collect();
            parameters.values.push(SsecValue { header, value });
        }
    }
    parameters
}

/// Whether the request carried exactly the SSE-C headers and query parameters that were meant.
///
/// # Errors
/// What differs, in words that show no value.
pub fn carries(head: &[u8], headers: &SsecHeaders, query: &SsecHeaders) -> Result<(), String> {
    compare("header", &headers_sent(head), headers)?;
    compare("query parameter", &query_sent(head), query)
}

/// Whether the request carried exactly these headers to open a copy's source with.
///
/// # Errors
/// What differs, in words that show no value.
pub fn carries_source(head: &[u8], meant: &SsecHeaders) -> Result<(), String> {
    compare("copy source's header", &source_headers_sent(head), meant)
}

/// Whether the fields of a form were exactly these.
///
/// # Errors
/// What differs, in words that show no value.
pub fn carries_fields(fields: &[(String, Vec<u8>)], meant: &SsecHeaders) -> Result<(), String> {
    let mut sent = SsecHeaders::default();
    for (name, value) in fields {
        let header = SsecHeader::of_wire_name(name);
        sent.values.extend(header.map(|header| SsecValue {
            header,
            value: value.clone(),
        }));
    }
    compare("field", &sent, meant)
}

fn compare(kind: &str, sent: &SsecHeaders, meant: &SsecHeaders) -> Result<(), String> {
    for header in SsecHeader::ALL {
        let name = header.wire_name();
        let (sent, meant): (Vec<_>, Vec<_>) = (
            sent.values_of(header).collect(),
            meant.values_of(header).collect(),
        );
        if sent.len() != meant.len() {
            let (sent, meant) = (sent.len(), meant.len());
            return Err(format!("{kind} {name} was sent {sent} times, not {meant}"));
        }
        if sent != meant {
            return Err(format!(
                "{kind} {name} was sent with another value than meant"
            ));
        }
    }
    Ok(())
}

/// The lines of a head, without their ends.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] =
        b"GET /b/o?X-Amz-Expires=60&x-amz-server-side-encryption-customer-algorithm=AES256\
        &x-amz-server-side-encryption-customer-key=%2Ba%3D HTTP/1.1\r\n\
        Host: h\r\nX-AMZ-Server-Side-Encryption-Customer-Key:  spaced\r\n\
        x-amz-server-side-encryption-customer-key: \xff\r\n\
        x-amz-server-side-encryption-customer-key-MD5:\r\n\r\n";

    fn of(values: &[(SsecHeader, &[u8])]) -> SsecHeaders {
        let value = |(header, value): &(SsecHeader, &[u8])| SsecValue {
            header: *header,
            value: value.to_vec(),
        };
        SsecHeaders {
            values: values.iter().map(value).collect(),
        }
    }

    fn meant() -> (SsecHeaders, SsecHeaders) {
        use SsecHeader as H;
        (
            of(&[(H::Key, b" spaced"), (H::Key, b"\xff"), (H::KeyMd5, b"")]),
            of(&[(H::Algorithm, b"AES256"), (H::Key, b"+a=")]),
        )
    }

    #[test]
    fn what_was_sent_is_what_was_meant() {
        let (headers, query) = meant();
        assert!(headers_sent(HEAD) == headers);
        assert!(query_sent(HEAD) == query);
        assert_eq!(carries(HEAD, &headers, &query), Ok(()));
    }

    #[test]
    fn the_headers_of_a_source_are_told_from_those_of_the_target() {
        let head = b"PUT /b/o HTTP/1.1\r\n\
            x-amz-copy-source-server-side-encryption-customer-key: k1\r\n\
            x-amz-server-side-encryption-customer-key: k2\r\n\r\n";
        let key = |value| of(&[(SsecHeader::Key, value)]);
        assert_eq!(carries_source(head, &key(b"k1")), Ok(()));
        assert!(carries_source(head, &key(b"k2")).is_err());
        assert!(carries_source(head, &of(&[])).is_err());
        assert!(headers_sent(head) == key(b"k2"));
    }

    #[test]
    fn fields_of_a_form_are_compared_too() {
        let fields = |value: &[u8]| {
            let key = SsecHeader::Key.wire_name().to_ascii_lowercase();
            vec![("key".to_owned(), b"o".to_vec()), (key, value.to_vec())]
        };
        let meant = of(&[(SsecHeader::Key, b"k1")]);
        assert_eq!(carries_fields(&fields(b"k1"), &meant), Ok(()));
        assert!(carries_fields(&fields(b"k2"), &meant).is_err());
        assert!(carries_fields(&fields(b"k1"), &of(&[])).is_err());
        assert!(carries_fields(&[], &meant).is_err());
    }

    #[test]
    fn every_difference_is_named() {
        let (headers, query) = meant();
        let without = |n: usize| {
            let mut fewer = headers.clone();
            fewer.values.remove(n);
            fewer
        };
        let key = SsecHeader::Key.wire_name();
        assert_eq!(
            carries(HEAD, &without(0), &query),
            Err(format!("header {key} was sent 2 times, not 1"))
        );
        assert!(carries(HEAD, &without(2), &query).is_err());
        let mut other = headers.clone();
        other.values[1].value = b"secret".to_vec();
        let error = carries(HEAD, &other, &query).unwrap_err();
        assert_eq!(
            error,
            format!("header {key} was sent with another value than meant")
        );
        assert!(carries(HEAD, &headers, &SsecHeaders::default()).is_err());
        assert!(carries(b"GET / HTTP/1.1\r\n\r\n", &headers, &query).is_err());
        assert!(carries(b"", &SsecHeaders::default(), &SsecHeaders::default()).is_ok());
    }
}
