//! What an answer's headers must be: the SSE-C pair, the entity tag, single values.

use super::{Check, Show, Weight};
use crate::oracle::{EchoFact, EtagFact};
use crate::ssec::headers::ALGORITHM;
use crate::transport::Exchange;

/// Name of the algorithm in an answer.
pub const ECHO_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
/// Name of the key MD5 in an answer.
pub const ECHO_KEY_MD5: &str = "x-amz-server-side-encryption-customer-key-MD5";

/// The SSE-C pair must come back and be the key's own, whose MD5 in base64 is `md5`.
///
/// Missing, or half of it, breaks a should (and nothing where the dialect's fact is that none
/// comes back); another key's MD5, another algorithm or a doubled header break the requirement.
#[must_use]
pub fn echo_of(
    exchange: &Exchange,
    name: &str,
    md5: &str,
    fact: Option<EchoFact>,
    show: Show<'_>,
) -> Check {
    let algorithm: Vec<&[u8]> = exchange.headers_named(ECHO_ALGORITHM).collect();
    let key_md5: Vec<&[u8]> = exchange.headers_named(ECHO_KEY_MD5).collect();
    let algorithm_is = part(&algorithm, ALGORITHM.as_bytes());
    let md5_is = part(&key_md5, md5.as_bytes());
    let none_is_right = matches!(fact, Some(EchoFact::None));
    let (ok, weight) = match (algorithm_is, md5_is) {
        (Part::Right, Part::Right) => (true, Weight::Requirement),
        (Part::Wrong, _) | (_, Part::Wrong) => (false, Weight::Requirement),
        (Part::Absent, Part::Absent) => (none_is_right, Weight::Should),
        (Part::Absent, Part::Right) | (Part::Right, Part::Absent) => (false, Weight::Should),
    };
    let or_none = if none_is_right { ", or nothing" } else { "" };
    Check::new("echo", weight, ok)
        .expected(format!("{ALGORITHM} and the MD5 of key {name}{or_none}"))
        .observed(format!(
            "algorithm {}, key MD5 {}",
            show.values(&algorithm),
            show.values(&key_md5)
        ))
}

/// Neither header of the pair may come back; `what` is `echo` or `false echo`.
#[must_use]
pub fn no_echo(exchange: &Exchange, what: &'static str, show: Show<'_>) -> Check {
    let algorithm: Vec<&[u8]> = exchange.headers_named(ECHO_ALGORITHM).collect();
    let key_md5: Vec<&[u8]> = exchange.headers_named(ECHO_KEY_MD5).collect();
    let ok = algorithm.is_empty() && key_md5.is_empty();
    Check::new(what, Weight::Requirement, ok)
        .expected("no SSE-C header in the answer")
        .observed(format!(
            "algorithm {}, key MD5 {}",
            show.values(&algorithm),
            show.values(&key_md5)
        ))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Right,
    Absent,
    Wrong,
}

fn part(values: &[&[u8]], right: &[u8]) -> Part {
    match values {
        [] => Part::Absent,
        [value] if *value == right => Part::Right,
        _ => Part::Wrong,
    }
}

/// The entity tag must be `wanted`, quotes aside.
#[must_use]
pub fn etag_is(exchange: &Exchange, wanted: &[u8], show: Show<'_>) -> Check {
    let values: Vec<&[u8]> = exchange.headers_named("ETag").collect();
    let ok = matches!(values[..], [value] if unquoted(value) == unquoted(wanted));
    Check::new("etag", Weight::Requirement, ok)
        .expected(show.text(wanted))
        .observed(show.values(&values))
}

/// The entity tag must be what the dialect's fact says; `None` where nothing is recorded.
#[must_use]
pub fn etag_fact(
    exchange: &Exchange,
    plaintext_md5: &str,
    fact: Option<EtagFact>,
    evidence: Option<String>,
    show: Show<'_>,
) -> Option<Check> {
    let values: Vec<&[u8]> = exchange.headers_named("ETag").collect();
    let is_md5 = values
        .iter()
        .any(|value| unquoted(value).eq_ignore_ascii_case(plaintext_md5.as_bytes()));
    let (ok, expected) = match fact? {
        EtagFact::Opaque => (
            values.len() == 1 && !is_md5,
            "a tag that is not the MD5 of the plaintext".to_owned(),
        ),
        EtagFact::Md5 => (
            values.len() == 1 && is_md5,
            format!("the MD5 of the plaintext, {plaintext_md5}"),
        ),
    };
    Some(
        Check::new("etag", Weight::Deviation, ok)
            .expected(expected)
            .observed(show.values(&values))
            .evidence(evidence),
    )
}

/// The header must stand once, with this value.
#[must_use]
pub fn value_is(exchange: &Exchange, name: &str, wanted: &[u8], show: Show<'_>) -> Check {
    let values: Vec<&[u8]> = exchange.headers_named(name).collect();
    let ok = matches!(values[..], [value] if value == wanted);
    Check::new("header", Weight::Requirement, ok)
        .expected(format!("{name}: {}", show.text(wanted)))
        .observed(format!("{name}: {}", show.values(&values)))
}

/// The header must not be there.
#[must_use]
pub fn is_absent(exchange: &Exchange, name: &str, show: Show<'_>) -> Check {
    let values: Vec<&[u8]> = exchange.headers_named(name).collect();
    Check::new("header", Weight::Requirement, values.is_empty())
        .expected(format!("{name}: absent"))
        .observed(format!("{name}: {}", show.values(&values)))
}

pub(super) fn unquoted(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"\"")
        .and_then(|tag| tag.strip_suffix(b"\""))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::evaluate::tests::plain_show;

    const MD5: &str = "tP/LI3N87DFaSk0aoqYgzg==";
    const OTHER: &str = "JMwgiexXqwuPqIPjYFmIZQ==";

    #[track_caller]
    fn check_echo(headers: &[(&str, &str)], fact: Option<EchoFact>, want: (bool, Weight)) {
        let answer = Exchange::answered(200, headers, b"");
        let check = echo_of(&answer, "alice", MD5, fact, Show(&plain_show));
        assert_eq!((check.ok, check.weight), want);
    }

    #[test]
    fn the_pair_is_the_keys_own_or_breaks_something() {
        let (algorithm, md5) = (ECHO_ALGORITHM, ECHO_KEY_MD5);
        let (none, pair) = (Some(EchoFact::None), Some(EchoFact::Pair));
        let must = Weight::Requirement;
        let should = Weight::Should;
        check_echo(&[(algorithm, "AES256"), (md5, MD5)], pair, (true, must));
        check_echo(&[(algorithm, "AES256"), (md5, MD5)], none, (true, must));
        check_echo(&[(algorithm, "AES256"), (md5, OTHER)], pair, (false, must));
        check_echo(&[(algorithm, "AES256"), (md5, OTHER)], none, (false, must));
        check_echo(&[(algorithm, "aes256"), (md5, MD5)], pair, (false, must));
        check_echo(&[(md5, MD5), (md5, MD5)], pair, (false, must));
        check_echo(&[(md5, MD5)], pair, (false, should));
        check_echo(&[(algorithm, "AES256")], pair, (false, should));
        check_echo(&[], pair, (false, should));
        check_echo(&[], None, (false, should));
        check_echo(&[], none, (true, should));
    }

    #[test]
    fn an_echo_where_none_belongs_is_seen_by_either_header() {
        let run = |headers: &[(&str, &str)]| {
            no_echo(
                &Exchange::answered(200, headers, b""),
                "echo",
                Show(&plain_show),
            )
            .ok
        };
        assert!(run(&[("ETag", "x")]));
        assert!(!run(&[(ECHO_ALGORITHM, "AES256")]));
        assert!(!run(&[(
            "X-AMZ-server-side-encryption-customer-key-md5",
            MD5
        )]));
    }

    #[track_caller]
    fn check_etag(tag: &str, fact: EtagFact, ok: bool) {
        let answer = Exchange::answered(200, &[("ETag", tag)], b"");
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        let check = etag_fact(&answer, md5, Some(fact), None, Show(&plain_show));
        assert_eq!(check.map(|check| check.ok), Some(ok));
    }

    #[test]
    fn entity_tags_are_what_the_dialect_says() {
        check_etag("\"900150983cd24fb0d6963f7d28e17f72\"", EtagFact::Md5, true);
        check_etag(
            "\"900150983cd24fb0d6963f7d28e17f72\"",
            EtagFact::Opaque,
            false,
        );
        check_etag(
            "\"0123456789abcdef0123456789abcdef\"",
            EtagFact::Opaque,
            true,
        );
        check_etag("\"0123456789abcdef0123456789abcdef\"", EtagFact::Md5, false);
    }

    #[test]
    fn a_header_has_one_value_and_the_right_one() {
        let answer = Exchange::answered(200, &[("A", "1"), ("B", "1"), ("B", "1")], b"");
        let show = Show(&plain_show);
        assert!(value_is(&answer, "a", b"1", show).ok);
        assert!(!value_is(&answer, "a", b"2", show).ok);
        assert!(!value_is(&answer, "b", b"1", show).ok);
        assert!(!value_is(&answer, "c", b"1", show).ok);
        assert!(is_absent(&answer, "c", show).ok);
        assert!(!is_absent(&answer, "A", show).ok);
    }
}
