//! Bucket policies that deny: read strictly, kept as they came, and asked before each operation.
//!
//! There is one account, and it owns every bucket, so nothing has to be allowed: what a policy can
//! do here is to deny. What would have to be looked at and is not known (an `Allow`, a principal,
//! an operator, a condition key) is refused when the policy is put, never kept and passed over.
//!
//! Source: S3 user guide, "Policies and permissions in Amazon S3"; IAM user guide, "IAM JSON policy
//! elements". It knows no store and no request, only what is asked of it.

mod condition;
mod wildcard;

pub use condition::{CUSTOMER_ALGORITHM, MANAGED, SECURE_TRANSPORT};
use serde_json::{Map, Value};

use self::condition::Conditions;
use crate::json;
use crate::s3_error::{Code, S3Error};

/// The most bytes of a policy (S3 user guide).
pub const MAX_POLICY_BYTES: usize = 20 * 1024;
/// What the name of each resource begins with.
const ARN: &str = "arn:aws:s3:::";

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Bucket,
    Object,
}

/// The actions that are asked about, as operations name them. The three about the policy itself are
/// known and never denied: the owner's root user may always mend a policy.
const ACTIONS: [(&str, Target); 31] = [
    ("s3:AbortMultipartUpload", Target::Object),
    ("s3:DeleteBucket", Target::Bucket),
    ("s3:DeleteBucketPolicy", Target::Bucket),
    ("s3:DeleteObject", Target::Object),
    ("s3:DeleteObjectTagging", Target::Object),
    ("s3:DeleteObjectVersion", Target::Object),
    ("s3:DeleteObjectVersionTagging", Target::Object),
    ("s3:GetBucketCORS", Target::Bucket),
    ("s3:GetBucketLocation", Target::Bucket),
    ("s3:GetBucketPolicy", Target::Bucket),
    ("s3:GetBucketVersioning", Target::Bucket),
    ("s3:GetEncryptionConfiguration", Target::Bucket),
    ("s3:GetObject", Target::Object),
    ("s3:GetObjectAttributes", Target::Object),
    ("s3:GetObjectTagging", Target::Object),
    ("s3:GetObjectVersion", Target::Object),
    ("s3:GetObjectVersionAttributes", Target::Object),
    ("s3:GetObjectVersionTagging", Target::Object),
    ("s3:ListBucket", Target::Bucket),
    ("s3:ListBucketMultipartUploads", Target::Bucket),
    ("s3:ListBucketVersions", Target::Bucket),
    ("s3:ListMultipartUploadParts", Target::Object),
    ("s3:PutBucketCORS", Target::Bucket),
    ("s3:PutBucketPolicy", Target::Bucket),
    ("s3:PutBucketVersioning", Target::Bucket),
    ("s3:PutEncryptionConfiguration", Target::Bucket),
    ("s3:PutObject", Target::Object),
    ("s3:PutObjectTagging", Target::Object),
    ("s3:PutObjectVersionTagging", Target::Object),
    ("s3:CreateBucket", Target::Bucket),
    ("s3:ListAllMyBuckets", Target::Bucket),
];

/// A policy.
#[derive(Debug, PartialEq, Eq)]
pub struct BucketPolicy(Vec<Denial>);

/// One statement. All of its parts must match.
#[derive(Debug, PartialEq, Eq)]
struct Denial {
    /// Patterns of actions, in lower case.
    actions: Vec<String>,
    /// Patterns of resources.
    resources: Vec<String>,
    conditions: Conditions,
}

/// What is asked of a policy.
pub struct Asked<'a> {
    /// The action, as `s3:PutObject`.
    pub action: &'a str,
    /// The bucket.
    pub bucket: &'a str,
    /// The object, for actions on one.
    pub object: Option<&'a str>,
    /// The value of a condition key, which is given in lower case; `None` if the request has none.
    pub value: &'a dyn Fn(&str) -> Option<String>,
}

impl BucketPolicy {
    /// Reads the policy of a bucket.
    ///
    /// # Errors
    /// 400 `MalformedPolicy`, also where a member comes twice; 501 `NotImplemented` for what is not
    /// evaluated here.
    pub fn read(text: &[u8], bucket: &str) -> Result<Self, S3Error> {
        let wrong = "Policies must be valid JSON and the first byte must be '{'";
        if text.first() != Some(&b'{') || text.len() > MAX_POLICY_BYTES {
            return Err(malformed(wrong));
        }
        let document = json::object(text).ok_or_else(|| malformed(wrong))?;
        only(&document, &["Version", "Id", "Statement"])?;
        match document.get("Version").map(Value::as_str) {
            None | Some(Some("2012-10-17" | "2008-10-17")) => {}
            Some(_) => return Err(malformed("The policy must contain a valid version string")),
        }
        let statements = match document.get("Statement") {
            None => return Err(malformed("Missing required field Statement")),
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(other) => std::slice::from_ref(other),
        };
        if statements.is_empty() {
            return Err(malformed("Missing required field Statement"));
        }
        let read = |statement| Denial::read(statement, bucket);
        statements
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a statement denies it.
    pub fn denies(&self, asked: &Asked<'_>) -> bool {
        self.0.iter().any(|denial| denial.matches(asked))
    }
}

impl Denial {
    fn read(statement: &Value, bucket: &str) -> Result<Self, S3Error> {
        let statement = statement
            .as_object()
            .ok_or_else(|| malformed("A statement must be an object"))?;
        for inverted in ["NotPrincipal", "NotAction", "NotResource"] {
            if statement.contains_key(inverted) {
                return Err(not_evaluated(inverted));
            }
        }
        let known = [
            "Sid",
            "Effect",
            "Principal",
            "Action",
            "Resource",
            "Condition",
        ];
        only(statement, &known)?;
        match statement.get("Effect").map(Value::as_str) {
            None => return Err(malformed("Missing required field Effect")),
            Some(Some("Deny")) => {}
            Some(Some("Allow")) => return Err(not_evaluated("Effect Allow")),
            Some(_) => return Err(malformed("Invalid effect")),
        }
        check_principal(statement)?;
        let denial = Self {
            actions: texts(statement, "Action")?,
            resources: texts(statement, "Resource")?,
            conditions: Conditions::read(statement.get("Condition"))?,
        };
        denial.check(bucket)
    }

    /// Refuses patterns that match nothing that there is.
    fn check(mut self, bucket: &str) -> Result<Self, S3Error> {
        let mut targets = Vec::new();
        for action in &mut self.actions {
            action.make_ascii_lowercase();
            let matched = ACTIONS
                .iter()
                .filter(|(name, _)| wildcard::matches(action, &name.to_ascii_lowercase()));
            let before = targets.len();
            targets.extend(matched.map(|(_, target)| *target));
            if targets.len() == before {
                return Err(if action.starts_with("s3:") {
                    not_evaluated(&format!("Action {action}"))
                } else {
                    malformed("Policy has invalid action")
                });
            }
        }
        let own = format!("{ARN}{bucket}");
        for resource in &self.resources {
            let rest = resource.strip_prefix(&own);
            if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*'])) {
                return Err(malformed("Policy has invalid resource"));
            }
        }
        let reaches = |target: Target| {
            self.resources.iter().any(|resource| {
                let of_objects = resource.contains('/');
                let of_both = resource.len() > own.len() && !of_objects;
                of_both || of_objects == (target == Target::Object)
            })
        };
        if !targets.into_iter().any(reaches) {
            let message = "Action does not apply to any resource(s) in statement";
            return Err(malformed(message));
        }
        Ok(self)
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        let action = asked.action.to_ascii_lowercase();
        let resource = match asked.object {
            Some(object) => format!("{ARN}{}/{object}", asked.bucket),
            None => format!("{ARN}{}", asked.bucket),
        };
        let among = |patterns: &[String], text: &str| {
            patterns
                .iter()
                .any(|pattern| wildcard::matches(pattern, text))
        };
        among(&self.actions, &action)
            && among(&self.resources, &resource)
            && self.conditions.hold(asked.value)
    }
}

/// Everybody is the only principal that is known: whom else a policy names cannot ask.
fn check_principal(statement: &Map<String, Value>) -> Result<(), S3Error> {
    let everybody = |value: &Value| value.as_str() == Some("*");
    let named = match statement.get("Principal") {
        None => return Err(malformed("Missing required field Principal")),
        Some(Value::Object(kinds)) if kinds.len() == 1 => kinds.get("AWS"),
        other => other,
    };
    let all = match named {
        Some(Value::Array(names)) => !names.is_empty() && names.iter().all(everybody),
        Some(name) => everybody(name),
        None => false,
    };
    if all {
        Ok(())
    } else {
        Err(not_evaluated("Principal other than *"))
    }
}

/// The texts of an element: one, or an array of them.
fn texts(object: &Map<String, Value>, element: &str) -> Result<Vec<String>, S3Error> {
    let values = match object.get(element) {
        None => return Err(malformed(&format!("Missing required field {element}"))),
        Some(Value::Array(values)) => values.as_slice(),
        Some(other) => std::slice::from_ref(other),
    };
    let texts: Option<Vec<_>> = values
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect();
    let texts = texts.filter(|texts| !texts.is_empty());
    let texts = texts.ok_or_else(|| malformed(&format!("Invalid value of field {element}")))?;
    if texts.iter().any(|text| text.contains("${")) {
        return Err(not_evaluated("a policy variable"));
    }
    Ok(texts)
}

fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), S3Error> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(malformed(&format!("Unknown field {name}"))),
    }
}

/// 400 `MalformedPolicy`.
fn malformed(message: &str) -> S3Error {
    S3Error::with_message(Code::MalformedPolicy, message.to_owned())
}

/// 501 `NotImplemented`: the policy may be a good one, but nothing here would heed it.
fn not_evaluated(what: &str) -> S3Error {
    let message = format!(
        "not supported in a bucket policy: {what}; the policy was not stored, for it would not be \
         heeded"
    );
    S3Error::with_message(Code::NotImplemented, message)
}

#[cfg(test)]
mod tests;
