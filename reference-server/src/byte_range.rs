//! The `Range` header of RFC 9110, section 14.2, as S3 reads it: one range of bytes.

use std::ops::Range;

/// What a `Range` header asks of a body of known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everything, with status 200: there is no `Range`, it is malformed, or asks for several ranges.
    Whole,
    /// These bytes, with status 206. Never empty.
    Part(Range<u64>),
    /// Nothing of it exists: 416 InvalidRange.
    Unsatisfiable,
}

/// Reads the value of a `Range` header against a body of `length` bytes.
///
/// S3 ignores what it does not understand, and several ranges, and serves the whole.
pub fn select(header: Option<&[u8]>, length: u64) -> Selection {
    let Some(header) = header else {
        return Selection::Whole;
    };
    let Some(spec) = strip_unit(header) else {
        return Selection::Whole;
    };
    let Some(dash) = spec.iter().position(|byte| *byte == b'-') else {
        return Selection::Whole;
    };
    let (first, last) = (&spec[..dash], &spec[dash + 1..]);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => Selection::Whole,
        (true, false) => number(last).map_or(Selection::Whole, |count| suffix(count, length)),
        (false, true) => {
            number(first).map_or(Selection::Whole, |first| bounded(first, length, length))
        }
        (false, false) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => {
                bounded(first, last.saturating_add(1), length)
            }
            (Some(_), Some(_)) | (None, _) | (_, None) => Selection::Whole,
        },
    }
}

/// The value of `Content-Range` for a part of a body.
pub fn content_range(part: &Range<u64>, length: u64) -> String {
    format!(
        "bytes {}-{}/{length}",
        part.start,
        part.end.saturating_sub(1)
    )
}

fn strip_unit(header: &[u8]) -> Option<&[u8]> {
    let (unit, spec) = header.trim_ascii().split_at_checked(6)?;
    unit.eq_ignore_ascii_case(b"bytes=")
        .then(|| spec.trim_ascii())
}

/// Decimal digits only. Numbers beyond `u64` are as good as its largest one.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0_u64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

fn suffix(count: u64, length: u64) -> Selection {
    if count == 0 || length == 0 {
        return Selection::Unsatisfiable;
    }
    Selection::Part(length.saturating_sub(count)..length)
}

fn bounded(first: u64, end: u64, length: u64) -> Selection {
    if first >= length {
        return Selection::Unsatisfiable;
    }
    Selection::Part(first..end.min(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, length: u64, expected: &Selection) {
        assert_eq!(&select(Some(header.as_bytes()), length), expected);
    }

    // RFC 9110, section 14.1.2, examples for a representation of 10000 bytes.
    #[test]
    fn the_examples_of_the_rfc() {
        check("bytes=0-499", 10000, &Selection::Part(0..500));
        check("bytes=500-999", 10000, &Selection::Part(500..1000));
        check("bytes=-500", 10000, &Selection::Part(9500..10000));
        check("bytes=9500-", 10000, &Selection::Part(9500..10000));
    }

    #[test]
    fn several_ranges_give_the_whole() {
        check("bytes=0-0,-1", 10000, &Selection::Whole);
    }

    #[test]
    fn ends_are_clipped() {
        check("bytes=9990-99999", 10000, &Selection::Part(9990..10000));
        check("bytes=-99999", 10000, &Selection::Part(0..10000));
        check(
            "bytes=0-99999999999999999999999",
            10000,
            &Selection::Part(0..10000),
        );
    }

    #[test]
    fn what_does_not_exist_is_unsatisfiable() {
        check("bytes=10000-", 10000, &Selection::Unsatisfiable);
        check("bytes=-0", 10000, &Selection::Unsatisfiable);
        check("bytes=0-", 0, &Selection::Unsatisfiable);
        check("bytes=-5", 0, &Selection::Unsatisfiable);
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for header in [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=+1-2",
            "items=0-1",
        ] {
            check(header, 10000, &Selection::Whole);
        }
        assert_eq!(select(None, 10000), Selection::Whole);
    }

    #[test]
    fn content_range_names_the_last_byte() {
        assert_eq!(content_range(&(0..500), 1234), "bytes 0-499/1234");
    }
}
