//! The policy of a form: a signed document that says which fields the form may have.
//!
//! Source: S3 API reference, "Creating a POST policy". Messages are those recorded from Amazon S3 by
//! LocalStack and in issue trackers. Where the answer is not known, the strictest is taken: a
//! condition on a field that is not there fails, an empty `starts-with` too; a member or an operator
//! that is not known is refused.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::json;
use crate::request::form::{Breach, Broken, Fields, IGNORED};
use crate::s3_error::{Code, S3Error};
use crate::ssec::headers::is_ssec_name;

/// What a policy says.
pub(super) struct PostPolicy {
    expiration: SystemTime,
    conditions: Vec<Condition>,
}

/// One condition, with the text that a refusal shows.
struct Condition {
    shown: String,
    rule: Rule,
}

enum Rule {
    /// A field, by its name in lower case, and what it has to be.
    Field(String, Matching),
    /// The length of the file in bytes.
    Length(RangeInclusive<u64>),
    /// Nothing fulfils it.
    Never,
}

enum Matching {
    Exactly(String),
    StartsWith(String),
}

impl PostPolicy {
    /// Reads the base64 text of a policy.
    ///
    /// # Errors
    /// 400 `InvalidPolicyDocument`.
    pub(super) fn read(text: &str) -> Result<Self, S3Error> {
        let text = STANDARD
            .decode(text)
            .map_err(|_| Code::InvalidPolicyDocument)?;
        let document = json::object(&text).ok_or_else(|| invalid("Invalid JSON."))?;
        if let Some(other) = document
            .keys()
            .find(|name| !["expiration", "conditions"].contains(&name.as_str()))
        {
            return Err(invalid(&format!("Unexpected: '{other}'")));
        }
        let expiration = document
            .get("expiration")
            .ok_or_else(|| invalid("Missing expiration."))?;
        let expiration = expiration.as_str().and_then(moment);
        let conditions = document
            .get("conditions")
            .and_then(Value::as_array)
            .ok_or_else(|| invalid("Missing conditions."))?;
        Ok(Self {
            expiration: expiration.ok_or_else(|| invalid("Invalid expiration."))?,
            conditions: conditions.iter().map(condition).collect::<Result<_, _>>()?,
        })
    }

    /// Checks a form against the policy; returns how long the file may be.
    ///
    /// # Errors
    /// 403 `AccessDenied`: the policy has expired, a condition fails, or a field has none.
    pub(super) fn check(
        &self,
        fields: &Fields,
        bucket: &str,
        now: SystemTime,
    ) -> Result<RangeInclusive<u64>, Breach> {
        if now > self.expiration {
            return Err(denied(Broken::Expired, "Policy expired."));
        }
        let mut length = 0..=u64::MAX;
        for condition in &self.conditions {
            if let Rule::Length(range) = &condition.rule {
                length = *range.start().max(length.start())..=*range.end().min(length.end());
            } else if !condition.holds(fields, bucket) {
                let reason = format!("Policy Condition failed: {}", condition.shown);
                return Err(denied(Broken::Condition, &reason));
            }
        }
        let mut extra: Vec<_> = fields.names().filter(|name| !self.covers(name)).collect();
        extra.dedup();
        if !extra.is_empty() {
            let reason = format!("Extra input fields: {}", extra.join(", "));
            return Err(denied(Broken::Uncovered, &reason));
        }
        Ok(length)
    }

    fn covers(&self, name: &str) -> bool {
        name.starts_with(IGNORED)
            || matches!(name, "policy" | "x-amz-signature")
            || self
                .conditions
                .iter()
                .any(|condition| matches!(&condition.rule, Rule::Field(field, _) if field == name))
    }
}

impl Condition {
    fn holds(&self, fields: &Fields, bucket: &str) -> bool {
        let Rule::Field(name, matching) = &self.rule else {
            return false;
        };
        let value = match name.as_str() {
            // What counts is where the form was sent to.
            "bucket" => Some(bucket.into()),
            name => fields.joined(name),
        };
        match (value, matching) {
            (None, _) => false,
            (Some(value), Matching::Exactly(wanted)) => value == wanted.as_str(),
            (Some(value), Matching::StartsWith(start)) if name == "content-type" => value
                .split(',')
                .all(|kind| kind.trim_start().starts_with(start.as_str())),
            (Some(value), Matching::StartsWith(start)) => value.starts_with(start.as_str()),
        }
    }
}

fn condition(value: &Value) -> Result<Condition, S3Error> {
    match value {
        Value::Object(properties) => {
            let mut properties = properties.iter();
            let (Some((name, value)), None) = (properties.next(), properties.next()) else {
                return Err(invalid(
                    "Invalid Simple-Condition: Simple-Conditions must have exactly one property \
                     specified.",
                ));
            };
            let wanted = value
                .as_str()
                .ok_or_else(|| invalid("Invalid Simple-Condition: value must be a string."))?;
            let terms = ["eq".into(), format!("${name}").into(), wanted.into()];
            Ok(told(&terms, rule(&terms)?))
        }
        Value::Array(terms) => Ok(told(terms, rule(terms)?)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(invalid(
            "Invalid Condition: a condition is an object or an array.",
        )),
    }
}

/// With the words by which a refusal shows it. What is said of a field of SSE-C may be a customer key,
/// however the field is written and wherever it stands, so that it stays out of them.
fn told(terms: &[Value], rule: Rule) -> Condition {
    let names_ssec = |term: &Value| {
        let text = term.as_str().unwrap_or_default().trim_start_matches('$');
        is_ssec_name(text)
    };
    let mut terms = terms.to_vec();
    if terms.iter().any(names_ssec) {
        for term in terms.iter_mut().skip(1).filter(|term| !names_ssec(term)) {
            *term = "-".into();
        }
    }
    Condition {
        shown: shown(&terms),
        rule,
    }
}

fn rule(terms: &[Value]) -> Result<Rule, S3Error> {
    let [operator, first, second] = terms else {
        return Err(invalid("Invalid Condition: wrong number of arguments."));
    };
    let operator = operator.as_str().map(str::to_ascii_lowercase);
    let matching = match operator.as_deref() {
        Some("content-length-range") => return length(first, second),
        Some("eq") => Matching::Exactly,
        Some("starts-with") => Matching::StartsWith,
        _ => return Err(invalid("Invalid Condition: unknown operation.")),
    };
    let (Some(field), Some(value)) = (first.as_str(), second.as_str()) else {
        return Err(invalid("Invalid Condition: arguments must be strings."));
    };
    Ok(match field.strip_prefix('$') {
        Some(name) => Rule::Field(name.to_ascii_lowercase(), matching(value.to_owned())),
        None => Rule::Never,
    })
}

/// The bounds of a length: numbers, or texts that are.
fn length(from: &Value, to: &Value) -> Result<Rule, S3Error> {
    let bound = |value: &Value| match value {
        Value::String(text) => Ok(text.parse().ok()),
        Value::Number(number) => number.as_u64().map(Some).ok_or_else(|| {
            invalid("Invalid Content-Length-Range: a bound is a whole number of bytes.")
        }),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Ok(None),
    };
    Ok(match (bound(from)?, bound(to)?) {
        (Some(from), Some(to)) => Rule::Length(from..=to),
        (_, _) => Rule::Never,
    })
}

/// A condition as a refusal shows it: simple ones too as an array.
fn shown(terms: &[Value]) -> String {
    let terms: Vec<_> = terms.iter().map(Value::to_string).collect();
    format!("[{}]", terms.join(", "))
}

/// Reads `2015-12-30T12:00:00Z`, with a fraction or without; no other zone, no blank.
fn moment(text: &str) -> Option<SystemTime> {
    let proper = text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    let parsed: jiff::Timestamp = text.parse().ok().filter(|_| proper)?;
    Some(parsed.into())
}

/// 400 `InvalidPolicyDocument`.
fn invalid(reason: &str) -> S3Error {
    S3Error::with_message(
        Code::InvalidPolicyDocument,
        format!("Invalid Policy: {reason}"),
    )
}

/// 403 `AccessDenied`.
fn denied(broken: Broken, reason: &str) -> Breach {
    let message = format!("Invalid according to Policy: {reason}");
    Breach {
        broken,
        error: S3Error::with_message(Code::AccessDenied, message),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const EXPIRES: &str = "2030-01-01T00:00:00Z";

    fn policy(document: &str) -> Result<PostPolicy, S3Error> {
        PostPolicy::read(&STANDARD.encode(document))
    }

    /// Checks a form against a policy of these conditions.
    fn check(conditions: &str, pairs: &[(&str, &str)]) -> Result<RangeInclusive<u64>, String> {
        let document = format!("{{\"expiration\":\"{EXPIRES}\",\"conditions\":[{conditions}]}}");
        let policy = policy(&document).map_err(|error| error.to_string())?;
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.push(name, (*value).to_owned());
        }
        let checked = policy.check(&fields, "b", SystemTime::UNIX_EPOCH);
        checked.map_err(|breach| breach.error.to_string())
    }

    #[track_caller]
    fn denied_with(conditions: &str, pairs: &[(&str, &str)], reason: &str) {
        let expected = format!("AccessDenied: Invalid according to Policy: {reason}");
        assert_eq!(check(conditions, pairs), Err(expected));
    }

    #[track_caller]
    fn invalid_with(conditions: &str, reason: &str) {
        let expected = format!("InvalidPolicyDocument: Invalid Policy: {reason}");
        assert_eq!(check(conditions, &[]), Err(expected));
    }

    #[test]
    fn fields_are_compared_whatever_the_case_of_their_names() {
        for conditions in [
            "{\"KeY\":\"a/b\"}",
            "[\"eq\",\"$key\",\"a/b\"]",
            "[\"StArTs-WiTh\",\"$KEY\",\"a/\"]",
            "[\"starts-with\",\"$key\",\"\"],{\"bucket\":\"b\"}",
        ] {
            assert_eq!(check(conditions, &[("Key", "a/b")]), Ok(0..=u64::MAX));
        }
        let failed = "Policy Condition failed: ";
        for (conditions, shown) in [
            ("{\"key\":\"a/B\"}", "[\"eq\", \"$key\", \"a/B\"]"),
            (
                "[\"starts-with\",\"$key\",\"A\"]",
                "[\"starts-with\", \"$key\", \"A\"]",
            ),
            ("[\"eq\",\"key\",\"a/b\"]", "[\"eq\", \"key\", \"a/b\"]"),
            ("{\"bucket\":\"c\"}", "[\"eq\", \"$bucket\", \"c\"]"),
            (
                "[\"starts-with\",\"$acl\",\"\"]",
                "[\"starts-with\", \"$acl\", \"\"]",
            ),
        ] {
            denied_with(conditions, &[("key", "a/b")], &format!("{failed}{shown}"));
        }
    }

    /// A customer key is in no answer, however a policy spells it.
    #[test]
    fn what_is_said_of_a_field_of_ssec_is_not_shown() {
        let name = "x-amz-server-side-encryption-customer-key";
        for condition in [
            format!("{{\"{name}\":\"K1\"}}"),
            format!("{{\"${name}\":\"K1\"}}"),
            format!("[\"eq\",\"${name}\",\"K1\"]"),
            format!("[\"eq\",\"{name}\",\"K1\"]"),
            format!("[\"eq\",\"$${}\",\"K1\"]", name.to_uppercase()),
            format!("[\"eq\",\"K1\",\"${name}\"]"),
            format!("[\"content-length-range\",\"{name}\",\"K1\"]"),
        ] {
            let refusal = check(&condition, &[("key", "a")]).unwrap_err();
            assert!(refusal.contains("Policy Condition failed"), "{refusal}");
            assert!(!refusal.contains("K1"), "{refusal}");
        }
    }

    #[test]
    fn each_field_needs_a_condition() {
        let conditions = "{\"key\":\"k\"}";
        let exempt = [
            ("key", "k"),
            ("policy", "p"),
            ("x-amz-signature", "s"),
            ("x-ignore-x", "1"),
        ];
        assert!(check(conditions, &exempt).is_ok());
        for name in [
            "x-amz-server-side-encryption-customer-key",
            "acl",
            "file2",
            "x-amz-date",
        ] {
            let reason = format!("Extra input fields: {name}");
            denied_with(conditions, &[("key", "k"), (name, "v")], &reason);
        }
    }

    #[test]
    fn types_of_content_may_be_a_list() {
        let conditions = "[\"starts-with\",\"$Content-Type\",\"image/\"]";
        assert!(check(conditions, &[("content-type", "image/jpg,image/png")]).is_ok());
        assert!(check(conditions, &[("content-type", "image/jpg,text/plain")]).is_err());
    }

    #[test]
    fn lengths_are_a_range() {
        let range = |bounds: &str| check(&format!("[\"content-length-range\",{bounds}]"), &[]);
        assert_eq!(range("5,10"), Ok(5..=10));
        assert_eq!(range("\"5\",\"10\""), Ok(5..=10));
        let both = "[\"content-length-range\",1,10],[\"content-length-range\",5,20]";
        assert_eq!(check(both, &[]), Ok(5..=10));
        denied_with(
            "[\"content-length-range\",\"test\",\"10\"]",
            &[],
            "Policy Condition failed: [\"content-length-range\", \"test\", \"10\"]",
        );
        assert!(
            range("-1,0")
                .unwrap_err()
                .starts_with("InvalidPolicyDocument")
        );
        assert!(
            range("0.5,2")
                .unwrap_err()
                .starts_with("InvalidPolicyDocument")
        );
        assert!(range("0").unwrap_err().starts_with("InvalidPolicyDocument"));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let one = "Invalid Simple-Condition: Simple-Conditions must have exactly one property \
             specified.";
        invalid_with("{}", one);
        invalid_with("{\"a\":\"1\",\"b\":\"2\"}", one);
        let text = "Invalid Simple-Condition: value must be a string.";
        invalid_with("{\"content-length\":5}", text);
        invalid_with(
            "[\"matches\",\"$key\",\"k\"]",
            "Invalid Condition: unknown operation.",
        );
        let code = |document: &str| policy(document).map(|_| ()).map_err(|error| error.code());
        let good = format!("{{\"expiration\":\"{EXPIRES}\",\"conditions\":[]}}");
        assert_eq!(code(&good), Ok(()));
        for bad in [
            "",
            "[]",
            "{",
            &good.replace("conditions", "CONDITIONS"),
            &good.replace("expiration", "EXPIRATION"),
            &good.replace("T00:00:00Z", " 00:00:00+00:00"),
            &good.replace("T00:00:00Z", "T00:00:00+02:00"),
            &good.replace("[]", "{}"),
            "{\"conditions\":[]}",
            // Each member comes once: who reads the other one reads another policy.
            &good.replace("[]}", "[],\"conditions\":[{\"key\":\"k\"}]}"),
            &good.replace("[]", "[{\"key\":\"a\",\"key\":\"b\"}]"),
            &format!("{{\"expiration\":\"{EXPIRES}\"}}"),
        ] {
            assert_eq!(code(bad), Err(Code::InvalidPolicyDocument), "{bad}");
        }
        let not_base64 = PostPolicy::read("e30").map(|_| ()).unwrap_err();
        assert_eq!(not_base64.code(), Code::InvalidPolicyDocument);
    }

    #[test]
    fn a_policy_ends() {
        let document = "{\"expiration\":\"1970-01-02T00:00:00.500Z\",\"conditions\":[]}";
        let policy = policy(document).unwrap();
        let at = |millis| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            policy.check(&Fields::default(), "b", now)
        };
        assert!(at(86_400_500).is_ok());
        let breach = at(86_400_501).unwrap_err();
        assert_eq!(
            breach.error.message(),
            "Invalid according to Policy: Policy expired."
        );
    }
}
