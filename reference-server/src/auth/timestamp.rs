//! The timestamp of a signature, and its distance from the server's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far a client's clock may be off, either way.
pub(super) const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// A moment in whole seconds, with the text that the signature was made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timestamp {
    /// As `20130524T000000Z`.
    text: String,
    time: SystemTime,
}

impl Timestamp {
    /// Reads the basic ISO 8601 form `YYYYMMDDThhmmssZ`, the only one that AWS accepts in
    /// `X-Amz-Date`.
    pub(super) fn from_iso8601(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<i8> {
            let digits = &bytes[from..to];
            digits.iter().all(u8::is_ascii_digit).then_some(())?;
            std::str::from_utf8(digits).ok()?.parse().ok()
        };
        let year = i16::from(number(0, 2)?) * 100 + i16::from(number(2, 4)?);
        let civil = jiff::civil::DateTime::new(
            year,
            number(4, 6)?,
            number(6, 8)?,
            number(9, 11)?,
            number(11, 13)?,
            number(13, 15)?,
            0,
        )
        .ok()?;
        let moment = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        let seconds = u64::try_from(moment.as_second()).ok()?;
        Some(Self {
            text: text.to_owned(),
            time: UNIX_EPOCH + Duration::from_secs(seconds),
        })
    }

    /// Reads the `Date` header, which a request may carry instead of `X-Amz-Date`.
    pub(super) fn from_http_date(text: &str) -> Option<Self> {
        let time = httpdate::parse_http_date(text).ok()?;
        Some(Self {
            text: iso8601(time, "%Y%m%dT%H%M%SZ")?,
            time,
        })
    }

    /// The text for the string to sign.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The date that the credential scope has to name, as `20130524`.
    pub(super) fn date(&self) -> &str {
        &self.text[..8]
    }

    /// The moment itself.
    pub(super) fn time(&self) -> SystemTime {
        self.time
    }

    /// Whether the moment is within [`MAX_SKEW`] of `now`.
    pub(super) fn is_near(&self, now: SystemTime) -> bool {
        distance(self.time, now) <= MAX_SKEW
    }
}

/// A moment as error documents show it: `2013-05-24T00:00:00Z`.
pub(super) fn for_people(time: SystemTime) -> String {
    iso8601(time, "%Y-%m-%dT%H:%M:%SZ").unwrap_or_default()
}

fn iso8601(time: SystemTime, format: &str) -> Option<String> {
    let moment = jiff::Timestamp::try_from(time).ok()?;
    Some(moment.strftime(format).to_string())
}

fn distance(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other)
        .unwrap_or_else(|earlier| earlier.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_agree() {
        let iso = Timestamp::from_iso8601("20130524T000000Z").unwrap();
        let http = Timestamp::from_http_date("Fri, 24 May 2013 00:00:00 GMT").unwrap();
        assert_eq!(iso, http);
        assert_eq!(iso.date(), "20130524");
        assert_eq!(iso.time(), UNIX_EPOCH + Duration::from_secs(1_369_353_600));
        assert_eq!(for_people(iso.time()), "2013-05-24T00:00:00Z");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "20130524",
            "2013-05-24T00:00:00Z",
            "20130524T000000",
            "20131324T000000Z",
            "20130230T000000Z",
            "20130524T250000Z",
            "+0130524T000000Z",
            "2013052\u{661}T00000Z",
        ] {
            assert_eq!(Timestamp::from_iso8601(text), None, "{text}");
        }
    }

    #[test]
    fn fifteen_minutes_are_near_and_more_is_not() {
        let stamp = Timestamp::from_iso8601("20130524T000000Z").unwrap();
        assert!(stamp.is_near(stamp.time() + MAX_SKEW));
        assert!(stamp.is_near(stamp.time() - MAX_SKEW));
        assert!(!stamp.is_near(stamp.time() + MAX_SKEW + Duration::from_secs(1)));
        assert!(!stamp.is_near(stamp.time() - MAX_SKEW - Duration::from_secs(1)));
    }
}
