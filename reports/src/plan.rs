//! What a run would take of its target, before anything is sent, as one line of JSON.

use std::io::{self, Write};

use serde::Serialize;

/// The format that this version writes.
pub const FORMAT: u32 = 1;
/// The version of the policy language (IAM User Guide, "Version").
const LANGUAGE: &str = "2012-10-17";

/// Requests, bytes and permissions of a selection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub format: u32,
    /// How many trials are run.
    pub trials: usize,
    /// How many of the selection are not: what they need is withheld, or cannot be seen.
    pub not_run: usize,
    /// About how many requests, if nothing fails; what the run does around its trials included.
    pub requests: u64,
    /// Bytes of bodies to the target.
    pub sent: u64,
    /// Bytes of bodies back.
    pub received: u64,
    /// Buckets that the run makes and removes.
    pub buckets: u64,
    /// What the credentials must be allowed to do.
    pub policy: Policy,
}

/// A policy document of IAM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// Actions that are allowed on one kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<String>,
    resource: String,
}

impl Policy {
    /// Allows `on_buckets` on the buckets whose names are `bucket`, which may end in `*`, and
    /// `on_objects` on the objects in them.
    #[must_use]
    pub fn allowing(bucket: &str, on_buckets: Vec<String>, on_objects: Vec<String>) -> Self {
        let buckets = format!("arn:aws:s3:::{bucket}");
        let objects = format!("{buckets}/*");
        let statement = |sid, action: Vec<String>, resource| Statement {
            sid,
            effect: "Allow",
            action,
            resource,
        };
        let all = [
            statement("Buckets", on_buckets, buckets),
            statement("Objects", on_objects, objects),
        ];
        let some = all.into_iter().filter(|one| !one.action.is_empty());
        Self {
            version: LANGUAGE,
            statement: some.collect(),
        }
    }
}

impl Plan {
    /// Writes the plan and ends its line.
    ///
    /// # Errors
    /// What the writer answers.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *to, self).map_err(io::Error::from)?;
        writeln!(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_one_line_with_a_policy_as_iam_reads_it() {
        let plan = Plan {
            format: FORMAT,
            trials: 1,
            not_run: 0,
            requests: 2,
            sent: 3,
            received: 4,
            buckets: 1,
            policy: Policy::allowing(
                "ssec-*",
                vec!["s3:ListBucket".to_owned()],
                vec!["s3:GetObject".to_owned(), "s3:PutObject".to_owned()],
            ),
        };
        let mut line = Vec::new();
        plan.write(&mut line).unwrap();
        let told = concat!(
            r#"{"format":1,"trials":1,"not_run":0,"requests":2,"sent":3,"received":4,"buckets":1,"#,
            r#""policy":{"Version":"2012-10-17","Statement":["#,
            r#"{"Sid":"Buckets","Effect":"Allow","Action":["s3:ListBucket"],"#,
            r#""Resource":"arn:aws:s3:::ssec-*"},"#,
            r#"{"Sid":"Objects","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"#,
            r#""Resource":"arn:aws:s3:::ssec-*/*"}]}}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(line).unwrap(), told);
        // IAM refuses a statement without an action.
        let none = Policy::allowing("b", Vec::new(), vec!["s3:GetObject".to_owned()]);
        assert_eq!(none.statement.len(), 1);
    }
}
