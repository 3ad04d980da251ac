//! The form of a step, made of its triple, its fields and what its policy is to say.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use crate::error::GivenError;
use crate::s3::Bucket;
use crate::s3::form::{Condition, UnsignedForm};
use crate::scenario::definition::{Form, SsecHeader};
use crate::ssec::{SsecHeaders, TrialKeys};

/// What the fields of a form are made of.
pub(super) struct Parts<'a> {
    pub bucket: &'a Bucket,
    /// As the target calls it.
    pub object: &'a str,
    /// The SSE-C fields.
    pub sent: &'a SsecHeaders,
    pub file: Bytes,
}

/// Makes the form that `form` describes.
///
/// # Errors
/// When the key whose values the policy demands is not declared.
pub(super) fn unsigned(
    form: &Form,
    parts: Parts<'_>,
    keys: &TrialKeys,
) -> Result<UnsignedForm, GivenError> {
    let mut fields = vec![("key".to_owned(), parts.object.as_bytes().to_vec())];
    fields.extend(
        parts
            .sent
            .values
            .iter()
            .map(|value| (field_name(value.header), value.value.clone())),
    );
    let further = form.fields.iter().chain(&form.uncovered);
    fields.extend(further.map(|(name, value)| (name.clone(), value.clone().into_bytes())));

    let demanded = |name: &str| {
        let mut pairs = form.demand.iter();
        pairs.any(|(demanded, _)| demanded.eq_ignore_ascii_case(name))
    };
    let own = [
        ("bucket", parts.bucket.name.as_str()),
        ("key", parts.object),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut conditions: Vec<Condition> = own
        .iter()
        .chain(&form.fields)
        .filter(|(name, _)| !demanded(name))
        .chain(&form.demand)
        .map(|(name, value)| Condition::Equals(name.clone(), value.clone()))
        .collect();
    let sent: BTreeSet<SsecHeader> = parts.sent.values.iter().map(|value| value.header).collect();
    let pinned = match &form.signed_as {
        Some(name) => Some(SsecHeaders::right(name, keys)?),
        None => None,
    };
    for header in form.cover.as_ref().unwrap_or(&sent) {
        let name = field_name(*header);
        let value = pinned.as_ref().filter(|_| *header != SsecHeader::Key);
        let value = value.and_then(|pinned| pinned.values_of(*header).next());
        conditions.push(match value {
            Some(value) => Condition::Equals(name, String::from_utf8_lossy(value).into_owned()),
            None => Condition::StartsWith(name, String::new()),
        });
    }
    if let Some((least, most)) = form.length {
        conditions.push(Condition::Length(least, most));
    }
    Ok(UnsignedForm {
        fields,
        conditions,
        expires: Duration::from_secs(form.expires.into()),
        age: Duration::from_secs(form.age.into()),
        file: parts.file,
        fault: form.fault,
    })
}

/// Fields are called as headers are, in lower case.
fn field_name(header: SsecHeader) -> String {
    header.wire_name().to_ascii_lowercase()
}
