//! What GET and HEAD have in common: everything up to the bytes.
//!
//! The order is the security of it: does the object exist, may this request speak of it at all, is
//! the key the right one. Only then conditions and ranges, which would tell about the object.

use std::ops::Range;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE};

use super::conditions::{self, Outcome};
use super::route::OVERRIDES;
use super::{Operations, empty, header_value, known_headers, object_headers, object_of, set};
use crate::byte_range::{Selection, content_range, select};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, ObjectFacts, OpenedObject, Purpose};
use crate::ssec::customer_key::Holder;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Access, Intent, Stored};
use crate::store::HolderKind;

/// How a read goes on.
pub(super) enum Reading {
    /// The answer is complete.
    Answered(Answer),
    /// The headers are complete, these bytes are to follow (on GET).
    Opened {
        answer: Answer,
        object: Box<dyn OpenedObject>,
        range: Range<u64>,
    },
}

/// Finds, judges and describes the object of a read.
pub(super) async fn open(
    operations: &Operations,
    request: &ReadRequest,
    shown: &SsecHeaders,
    purpose: Purpose,
) -> Result<Reading, S3Error> {
    let found = operations
        .seams
        .objects
        .look_up(&request.bucket, &request.object, request.version.as_deref())
        .await?;
    let missing = match request.version {
        None => S3Error::new(Code::NoSuchKey).detail("Key", request.object.clone()),
        Some(_) => Code::NoSuchVersion.into(),
    };
    let found = found.object().ok_or(missing)?;
    let facts = found.facts();
    let stored = match facts.holder {
        HolderKind::Customer => Stored::Ssec,
        HolderKind::Server => Stored::Plain,
    };
    let access = policy::decide(operations.dialect, Intent::Read(stored), shown)?;
    let proof = match &access {
        // The server's own key does not fit: that is damage, not a mistake of the client.
        Access::Plain => found
            .prove(Holder::Server, purpose)
            .map_err(|_| S3Error::new(Code::InternalError)),
        Access::Customer(key) => found
            .prove(Holder::Customer(key), purpose)
            .map_err(|_| policy::wrong_key(operations.dialect).into()),
    };
    let object = proof?;
    known_headers::only(&request.headers, known_headers::of_a_read)?;
    describe(operations, request, &facts, &access, object)
}

/// The part of a request that a read looks at, without its body.
pub(super) struct ReadRequest {
    bucket: String,
    object: String,
    version: Option<String>,
    overrides: Vec<(HeaderName, String)>,
    headers: http::HeaderMap,
}

impl ReadRequest {
    pub(super) fn of(request: S3Request) -> Result<Self, S3Error> {
        let (bucket, object) = object_of(&request)?;
        let overrides = OVERRIDES
            .iter()
            .filter_map(|(parameter, header)| {
                let value = request.query.get(parameter)?;
                Some((header.clone(), value.to_owned()))
            })
            .collect();
        Ok(Self {
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            version: request.query.get("versionId").map(str::to_owned),
            overrides,
            headers: request.headers,
        })
    }
}

fn describe(
    operations: &Operations,
    request: &ReadRequest,
    facts: &ObjectFacts,
    access: &Access<'_>,
    object: Box<dyn OpenedObject>,
) -> Result<Reading, S3Error> {
    let modified = SystemTime::from(facts.last_modified);
    match conditions::of_a_read(&request.headers, facts.etag, modified) {
        Outcome::Goes => {}
        Outcome::NotModified => {
            let mut answer = empty(StatusCode::NOT_MODIFIED);
            object_headers::tag(&mut answer, facts.etag, facts.last_modified);
            return Ok(Reading::Answered(answer));
        }
        Outcome::Failed(condition) => {
            return Err(S3Error::new(Code::PreconditionFailed).detail("Condition", condition));
        }
    }
    let asked = request.headers.get(RANGE).map(http::HeaderValue::as_bytes);
    let asked = asked.filter(|_| conditions::range_applies(&request.headers, facts.etag, modified));
    let (status, range) = match select(asked, facts.size) {
        Selection::Whole => (StatusCode::OK, 0..facts.size),
        Selection::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Selection::Unsatisfiable => return Err(unsatisfiable(asked, facts.size)),
    };
    let mut answer = empty(status);
    object_headers::describe(&mut answer, facts);
    object_headers::name_encryption(&mut answer, operations.dialect, access);
    object_headers::name_version(&mut answer, operations.dialect, &facts.version_id);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = content_range(&range, facts.size);
        set(&mut answer, CONTENT_RANGE, header_value(&range));
    } else if wants_checksum(&request.headers)
        && let Some(checksum) = object.checksum()?
    {
        object_headers::name_checksum(&mut answer, &checksum);
    }
    for (name, value) in &request.overrides {
        let value = http::HeaderValue::from_str(value).map_err(|_| Code::InvalidArgument)?;
        set(&mut answer, name.clone(), value);
    }
    let length = (range.end - range.start).to_string();
    set(&mut answer, CONTENT_LENGTH, header_value(&length));
    Ok(Reading::Opened {
        answer,
        object,
        range,
    })
}

fn wants_checksum(headers: &http::HeaderMap) -> bool {
    headers
        .get("x-amz-checksum-mode")
        .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"ENABLED"))
}

fn unsatisfiable(asked: Option<&[u8]>, size: u64) -> S3Error {
    let asked = String::from_utf8_lossy(asked.unwrap_or_default()).into_owned();
    S3Error::new(Code::InvalidRange)
        .detail("RangeRequested", asked)
        .detail("ActualObjectSize", size.to_string())
        .header(CONTENT_RANGE, header_value(&format!("bytes */{size}")))
}
