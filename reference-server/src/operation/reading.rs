//! What GET and HEAD have in common: everything up to the bytes.
//!
//! The order is the security of it: does the object exist, may this request speak of it at all, is
//! the key the right one. Only then conditions and ranges, which would tell about the object.

use std::ops::Range;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_RANGE, HeaderName, HeaderValue, LAST_MODIFIED, RANGE,
};

use super::conditions::{self, Outcome};
use super::object_headers::{DELETE_MARKER, VERSION_ID};
use super::route::OVERRIDES;
use super::{Operations, empty, header_value, known_headers, object_headers, object_of, set};
use crate::byte_range::{Selection, content_range, select};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, FoundObject, ObjectFacts, OpenedObject, Purpose};
use crate::ssec::customer_key::Holder;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Access, Intent, Stored};
use crate::store::{Found, HolderKind, PartNumber};

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
    let proved = prove(operations, &request.name, shown, purpose).await?;
    known_headers::only(&request.headers, known_headers::of_a_read)?;
    describe(operations, request, proved)
}

/// The object that a request names, and its version if it names one.
pub(super) struct Name {
    pub(super) bucket: String,
    pub(super) object: String,
    pub(super) version: Option<String>,
}

impl Name {
    pub(super) fn of(request: &S3Request) -> Result<Self, S3Error> {
        let (bucket, object) = object_of(request)?;
        Ok(Self {
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            version: request.query.get("versionId").map(str::to_owned),
        })
    }

    /// What the look-up found, or the answer that there is nothing to read.
    pub(super) fn found<T>(&self, found: Found<T>) -> Result<T, S3Error> {
        let marker = match found {
            Found::Object(object) => return Ok(object),
            Found::Marker(marker) => Some(marker),
            Found::Nothing => None,
        };
        let error = match (&self.version, &marker) {
            (None, _) => S3Error::new(Code::NoSuchKey).detail("Key", self.object.clone()),
            (Some(version), None) => S3Error::new(Code::NoSuchVersion)
                .detail("Key", self.object.clone())
                .detail("VersionId", version.clone()),
            (Some(_), Some(marker)) => {
                let modified = SystemTime::from(marker.last_modified);
                S3Error::new(Code::MethodNotAllowed)
                    .detail("Method", "GET")
                    .detail("ResourceType", "DeleteMarker")
                    .header(ALLOW, HeaderValue::from_static("DELETE"))
                    .header(
                        LAST_MODIFIED,
                        header_value(&httpdate::fmt_http_date(modified)),
                    )
            }
        };
        Err(match marker {
            None => error,
            Some(marker) => error
                .header(DELETE_MARKER, HeaderValue::from_static("true"))
                .header(VERSION_ID, header_value(&marker.version_id)),
        })
    }
}

/// An object of which the request has shown the key.
pub(super) struct Proved<'k> {
    pub(super) facts: ObjectFacts,
    pub(super) access: Access<'k>,
    pub(super) object: Box<dyn OpenedObject>,
    found: Box<dyn FoundObject>,
}

/// Finds an object, asks the policy, and proves the key.
pub(super) async fn prove<'k>(
    operations: &Operations,
    name: &Name,
    shown: &'k SsecHeaders,
    purpose: Purpose,
) -> Result<Proved<'k>, S3Error> {
    let objects = &operations.seams.objects;
    let found = objects.look_up(&name.bucket, &name.object, name.version.as_deref());
    let found = name.found(found.await?)?;
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
    Ok(Proved {
        facts,
        access,
        object,
        found,
    })
}

/// The part of a request that a read looks at, without its body.
pub(super) struct ReadRequest {
    name: Name,
    part: Option<PartNumber>,
    overrides: Vec<(HeaderName, String)>,
    headers: http::HeaderMap,
}

impl ReadRequest {
    pub(super) fn of(request: S3Request) -> Result<Self, S3Error> {
        let name = Name::of(&request)?;
        let part = request
            .query
            .get("partNumber")
            .map(part_number)
            .transpose()?;
        let overrides = OVERRIDES
            .iter()
            .filter_map(|(parameter, header)| {
                let value = request.query.get(parameter)?;
                Some((header.clone(), value.to_owned()))
            })
            .collect();
        Ok(Self {
            name,
            part,
            overrides,
            headers: request.headers,
        })
    }
}

/// The number of a part as a query names it.
pub(super) fn part_number(text: &str) -> Result<PartNumber, S3Error> {
    let number = text.parse().ok().and_then(PartNumber::new);
    number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        S3Error::with_message(Code::InvalidArgument, message).argument("partNumber", Some(text))
    })
}

fn describe(
    operations: &Operations,
    request: &ReadRequest,
    proved: Proved<'_>,
) -> Result<Reading, S3Error> {
    let (facts, dialect) = (&proved.facts, operations.dialect);
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
    let (status, range) = selected(request, &proved)?;
    let mut answer = empty(status);
    object_headers::describe(&mut answer, facts);
    object_headers::name_encryption(&mut answer, dialect, &proved.access);
    object_headers::name_version(&mut answer, dialect, facts.versioning, &facts.version_id);
    if !facts.tags.is_empty() {
        let count = HeaderName::from_static("x-amz-tagging-count");
        set(
            &mut answer,
            count,
            header_value(&facts.tags.len().to_string()),
        );
    }
    if request.part.is_some() && facts.etag.parts > 0 {
        let count = HeaderName::from_static("x-amz-mp-parts-count");
        set(
            &mut answer,
            count,
            header_value(&facts.etag.parts.to_string()),
        );
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let range = content_range(&range, facts.size);
        set(&mut answer, CONTENT_RANGE, header_value(&range));
    } else if wants_checksum(&request.headers)
        && let Some(checksum) = proved.object.checksum()?
    {
        object_headers::name_checksum(&mut answer, &checksum);
    }
    for (name, value) in &request.overrides {
        let value = HeaderValue::from_str(value).map_err(|_| Code::InvalidArgument)?;
        set(&mut answer, name.clone(), value);
    }
    let length = (range.end - range.start).to_string();
    set(&mut answer, CONTENT_LENGTH, header_value(&length));
    Ok(Reading::Opened {
        answer,
        object: proved.object,
        range,
    })
}

/// The bytes that are asked for: all, a range of them, or those of a part.
fn selected(
    request: &ReadRequest,
    proved: &Proved<'_>,
) -> Result<(StatusCode, Range<u64>), S3Error> {
    let facts = &proved.facts;
    let asked = request.headers.get(RANGE).map(HeaderValue::as_bytes);
    if let Some(number) = request.part {
        if asked.is_some() {
            return Err(S3Error::with_message(
                Code::InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        let range = proved.found.part(number).ok_or_else(|| {
            S3Error::new(Code::InvalidPartNumber)
                .detail("PartNumberRequested", number.get().to_string())
                .detail("ActualPartCount", facts.etag.parts.max(1).to_string())
        })?;
        // Of no bytes there is no range that could be named.
        let whole = range.is_empty() && facts.size == 0;
        let status = if whole {
            StatusCode::OK
        } else {
            StatusCode::PARTIAL_CONTENT
        };
        return Ok((status, range));
    }
    let modified = SystemTime::from(facts.last_modified);
    let asked = asked.filter(|_| conditions::range_applies(&request.headers, facts.etag, modified));
    match select(asked, facts.size) {
        Selection::Whole => Ok((StatusCode::OK, 0..facts.size)),
        Selection::Part(range) => Ok((StatusCode::PARTIAL_CONTENT, range)),
        Selection::Unsatisfiable => Err(unsatisfiable(asked, facts.size)),
    }
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
