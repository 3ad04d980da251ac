//! Conditional requests: RFC 9110 section 13 for reads, S3's subset of it for writes.
//!
//! A condition of a read is looked at only when the key was proved, so that nobody learns an `ETag`
//! or a time by asking. A condition of a write is only parsed here: the store decides it inside its
//! transaction.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::{
    HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE,
};

use super::known_headers::not_implemented;
use crate::s3_error::{Code, S3Error};
use crate::store::{ETag, TagSet, WriteConditions};

/// What the conditions of a read come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They hold, or there are none.
    Goes,
    /// 304.
    NotModified,
    /// 412, with the name of the condition.
    Failed(&'static str),
}

/// Evaluates the conditions of a read, in the order of RFC 9110 section 13.2.2.
pub(super) fn of_a_read(headers: &HeaderMap, etag: ETag, modified: SystemTime) -> Outcome {
    let since = |name: HeaderName| headers.get(name).and_then(date);
    let modified = whole_seconds(modified);
    match tags(headers, &IF_MATCH) {
        Some(wanted) if !wanted.holds(etag) => return Outcome::Failed("If-Match"),
        Some(_) => {}
        None if since(IF_UNMODIFIED_SINCE).is_some_and(|limit| modified > limit) => {
            return Outcome::Failed("If-Unmodified-Since");
        }
        None => {}
    }
    match tags(headers, &IF_NONE_MATCH) {
        Some(known) if known.holds(etag) => Outcome::NotModified,
        Some(_) => Outcome::Goes,
        None if since(IF_MODIFIED_SINCE).is_some_and(|limit| modified <= limit) => {
            Outcome::NotModified
        }
        None => Outcome::Goes,
    }
}

/// Whether a range may be served: `If-Range` is absent, or names just this object.
pub(super) fn range_applies(headers: &HeaderMap, etag: ETag, modified: SystemTime) -> bool {
    match headers.get(IF_RANGE) {
        None => true,
        Some(value) if value.as_bytes().starts_with(b"\"") => {
            value.as_bytes() == format!("\"{etag}\"").as_bytes()
        }
        Some(value) => date(value) == Some(whole_seconds(modified)),
    }
}

/// Reads the conditions of a write: `If-Match` with a tag, `If-None-Match: *`.
pub(super) fn of_a_write(headers: &HeaderMap) -> Result<WriteConditions, S3Error> {
    for name in [IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
        if headers.contains_key(&name) {
            return Err(not_implemented(name.as_str()));
        }
    }
    let conditions = WriteConditions {
        if_match: tags(headers, &IF_MATCH),
        if_none_match: tags(headers, &IF_NONE_MATCH),
    };
    match (&conditions.if_match, &conditions.if_none_match) {
        (_, Some(TagSet::These(_))) => Err(not_implemented("if-none-match")),
        (Some(_), Some(TagSet::Any)) => Err(S3Error::with_message(
            Code::InvalidArgument,
            "If-Match and If-None-Match exclude each other",
        )),
        (_, None) | (None, Some(TagSet::Any)) => Ok(conditions),
    }
}

/// Reads the condition of a deletion: `If-Match`. Any other is refused: one that is not looked at
/// could destroy what its sender wanted to spare.
pub(super) fn of_a_deletion(headers: &HeaderMap) -> Result<Option<TagSet>, S3Error> {
    for name in [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
        if headers.contains_key(&name) {
            return Err(not_implemented(name.as_str()));
        }
    }
    Ok(tags(headers, &IF_MATCH))
}

/// The tags that a text names.
pub(super) fn tags_of(text: &str) -> TagSet {
    let mut tags = Vec::new();
    for tag in text.split(',').map(str::trim) {
        if tag == "*" {
            return TagSet::Any;
        }
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        tags.push(strong.trim_matches('"').to_owned());
    }
    TagSet::These(tags)
}

/// The tags of all values of a header, unquoted. A tag that is not text matches nothing.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<TagSet> {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    if values.is_empty() {
        return None;
    }
    let mut tags = Vec::new();
    for value in values {
        match tags_of(&String::from_utf8_lossy(value.as_bytes())) {
            TagSet::Any => return Some(TagSet::Any),
            TagSet::These(more) => tags.extend(more),
        }
    }
    Some(TagSet::These(tags))
}

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

/// Dates in headers have no fractions.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since_epoch = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(since_epoch.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TAG: &str = "\"00000000000000000000000000000000\"";
    const OTHER: &str = "\"11111111111111111111111111111111\"";
    /// The object is of 22:04:49.5, RFC 9110's second example is one second earlier.
    const BEFORE: &str = "Fri, 01 Jan 1999 22:04:48 GMT";
    const AT: &str = "Fri, 01 Jan 1999 22:04:49 GMT";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    fn modified() -> SystemTime {
        httpdate::parse_http_date(AT).unwrap() + Duration::from_millis(500)
    }

    fn etag() -> ETag {
        ETag {
            bytes: [0; 16],
            parts: 0,
        }
    }

    #[track_caller]
    fn check_read(pairs: &[(&'static str, &'static str)], expected: Outcome) {
        assert_eq!(of_a_read(&headers(pairs), etag(), modified()), expected);
    }

    #[test]
    fn tags_of_a_read() {
        check_read(&[], Outcome::Goes);
        check_read(&[("if-match", TAG)], Outcome::Goes);
        check_read(&[("if-match", "*")], Outcome::Goes);
        check_read(
            &[("if-match", "00000000000000000000000000000000")],
            Outcome::Goes,
        );
        check_read(&[("if-match", OTHER)], Outcome::Failed("If-Match"));
        check_read(&[("if-none-match", TAG)], Outcome::NotModified);
        check_read(&[("if-none-match", OTHER)], Outcome::Goes);
        check_read(
            &[(
                "if-none-match",
                "\"x\", W/\"00000000000000000000000000000000\"",
            )],
            Outcome::NotModified,
        );
    }

    #[test]
    fn dates_of_a_read() {
        check_read(&[("if-modified-since", BEFORE)], Outcome::Goes);
        check_read(&[("if-modified-since", AT)], Outcome::NotModified);
        check_read(&[("if-modified-since", "yesterday")], Outcome::Goes);
        check_read(&[("if-unmodified-since", AT)], Outcome::Goes);
        check_read(
            &[("if-unmodified-since", BEFORE)],
            Outcome::Failed("If-Unmodified-Since"),
        );
    }

    #[test]
    fn tags_win_over_dates() {
        check_read(
            &[("if-match", TAG), ("if-unmodified-since", BEFORE)],
            Outcome::Goes,
        );
        check_read(
            &[("if-none-match", OTHER), ("if-modified-since", AT)],
            Outcome::Goes,
        );
    }

    #[test]
    fn a_range_of_another_object_is_not_served() {
        let applies = |value| range_applies(&headers(&[("if-range", value)]), etag(), modified());
        assert!(applies(TAG));
        assert!(!applies(OTHER));
        assert!(applies(AT));
        assert!(!applies(BEFORE));
        assert!(range_applies(&headers(&[]), etag(), modified()));
    }

    #[test]
    fn conditions_of_a_write() {
        let parsed = of_a_write(&headers(&[("if-none-match", "*")])).unwrap();
        assert_eq!(parsed.if_none_match, Some(TagSet::Any));
        let parsed = of_a_write(&headers(&[("if-match", "\"abc\"")])).unwrap();
        assert_eq!(parsed.if_match, Some(TagSet::These(vec!["abc".to_owned()])));
        let refused = of_a_write(&headers(&[("if-none-match", "\"abc\"")])).unwrap_err();
        assert_eq!(refused.code(), Code::NotImplemented);
    }

    #[test]
    fn the_condition_of_a_deletion() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            of_a_deletion(&headers(pairs)).map_err(|error| error.code())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("if-match", "*")]), Ok(Some(TagSet::Any)));
        let one = TagSet::These(vec!["abc".to_owned()]);
        assert_eq!(read(&[("if-match", "\"abc\"")]), Ok(Some(one)));
        for name in ["if-none-match", "if-modified-since", "if-unmodified-since"] {
            assert_eq!(read(&[(name, AT)]), Err(Code::NotImplemented), "{name}");
        }
    }
}
