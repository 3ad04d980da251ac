//! The conditions of a statement.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators". Every operator must
//! hold, and every key in it; of the values of a key one is enough, of a negated operator none may
//! match. A negated operator holds where the request has no such value.

use serde_json::Value;

use super::{malformed, not_evaluated, wildcard};
use crate::s3_error::S3Error;

/// The algorithm of SSE-C that a request names.
pub const CUSTOMER_ALGORITHM: &str = "s3:x-amz-server-side-encryption-customer-algorithm";
/// The encryption under a key of the server that a request asks for.
pub const MANAGED: &str = "s3:x-amz-server-side-encryption";
/// Whether a request came over TLS: `true` or `false`.
pub const SECURE_TRANSPORT: &str = "aws:securetransport";

/// Conditions that all have to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions(Vec<Condition>);

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    /// Whether it holds where the request has no such value.
    if_exists: bool,
    /// In lower case.
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Null,
    Bool,
    Equals(Outcome),
    EqualsIgnoreCase(Outcome),
    Like(Outcome),
}

/// Whether an operator holds when a value matches, or when none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Match,
    NoMatch,
}

impl Conditions {
    /// Reads the element `Condition`, which may not be there.
    ///
    /// # Errors
    /// 400 `MalformedPolicy`; 501 for an operator or a key that is not evaluated.
    pub(super) fn read(element: Option<&Value>) -> Result<Self, S3Error> {
        let Some(element) = element else {
            return Ok(Self::default());
        };
        let mut conditions = Vec::new();
        for (operator, keys) in entries(element)? {
            for (key, values) in entries(keys)? {
                conditions.push(Condition::read(operator, key, values)?);
            }
        }
        Ok(Self(conditions))
    }

    pub(super) fn hold(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        self.0
            .iter()
            .all(|condition| condition.holds(value(&condition.key).as_deref()))
    }
}

fn entries(value: &Value) -> Result<impl Iterator<Item = (&String, &Value)>, S3Error> {
    let object = value.as_object().filter(|object| !object.is_empty());
    let object = object.ok_or_else(|| malformed("Invalid value of field Condition"))?;
    Ok(object.iter())
}

impl Condition {
    fn read(operator: &str, key: &str, values: &Value) -> Result<Self, S3Error> {
        let (name, if_exists) = match operator.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (operator, false),
        };
        let kind = match name {
            "Null" if !if_exists => Operator::Null,
            "Bool" => Operator::Bool,
            "StringEquals" => Operator::Equals(Outcome::Match),
            "StringNotEquals" => Operator::Equals(Outcome::NoMatch),
            "StringEqualsIgnoreCase" => Operator::EqualsIgnoreCase(Outcome::Match),
            "StringNotEqualsIgnoreCase" => Operator::EqualsIgnoreCase(Outcome::NoMatch),
            "StringLike" => Operator::Like(Outcome::Match),
            "StringNotLike" => Operator::Like(Outcome::NoMatch),
            _ => return Err(not_evaluated(&format!("Condition operator {operator}"))),
        };
        let lower = key.to_ascii_lowercase();
        if ![CUSTOMER_ALGORITHM, MANAGED, SECURE_TRANSPORT].contains(&lower.as_str()) {
            return Err(not_evaluated(&format!("Condition key {key}")));
        }
        let values = texts(values)?;
        let logical = matches!(kind, Operator::Null | Operator::Bool);
        if logical
            && values
                .iter()
                .any(|value| value != "true" && value != "false")
        {
            return Err(malformed("Invalid Bool value in condition"));
        }
        Ok(Self {
            operator: kind,
            if_exists,
            key: lower,
            values,
        })
    }

    fn holds(&self, value: Option<&str>) -> bool {
        let any = |test: &dyn Fn(&str) -> bool| self.values.iter().any(|wanted| test(wanted));
        let matched =
            |outcome: Outcome, matches: &dyn Fn(&str, &str) -> bool| match (value, outcome) {
                (None, Outcome::Match) => self.if_exists,
                (None, Outcome::NoMatch) => true,
                (Some(value), Outcome::Match) => any(&|wanted| matches(wanted, value)),
                (Some(value), Outcome::NoMatch) => !any(&|wanted| matches(wanted, value)),
            };
        match self.operator {
            Operator::Null => any(&|wanted| (wanted == "true") == value.is_none()),
            Operator::Bool => matched(Outcome::Match, &|wanted, value| {
                wanted.eq_ignore_ascii_case(value)
            }),
            Operator::Equals(outcome) => matched(outcome, &|wanted, value| wanted == value),
            Operator::EqualsIgnoreCase(outcome) => matched(outcome, &|wanted, value| {
                wanted.to_lowercase() == value.to_lowercase()
            }),
            Operator::Like(outcome) => matched(outcome, &wildcard::matches),
        }
    }
}

/// Values of a condition: texts or truth values, one or an array.
fn texts(values: &Value) -> Result<Vec<String>, S3Error> {
    let one = std::slice::from_ref(values);
    let values = values.as_array().map_or(one, Vec::as_slice);
    let texts: Option<Vec<_>> = values
        .iter()
        .map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        })
        .collect();
    let texts = texts.filter(|texts| !texts.is_empty());
    let texts = texts.ok_or_else(|| malformed("Invalid value of field Condition"))?;
    if texts.iter().any(|text| text.contains("${")) {
        return Err(not_evaluated("a policy variable"));
    }
    Ok(texts)
}
