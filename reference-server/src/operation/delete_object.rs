//! `DeleteObject`. It needs no key: whoever may delete an object need not be able to read it.

use http::{HeaderValue, StatusCode};

use super::object_headers::{DELETE_MARKER, VERSION_ID};
use super::{Operations, conditions, empty, known_headers, object_of, set, set_text};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Intent};
use crate::store::{Deletion, Versioning};

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    policy::decide(operations.dialect, Intent::Keyless, shown)?;
    known_headers::none(&request.headers)?;
    let (bucket, object) = object_of(&request)?;
    let version = request.query.get("versionId");
    let deletion = match (version, conditions::of_a_deletion(&request.headers)?) {
        (None, if_match) => Deletion::Newest { if_match },
        (Some(id), None) => Deletion::Version(id),
        // S3 evaluates conditions for the newest version alone (user guide, conditional deletes).
        (Some(_), Some(_)) => return Err(known_headers::not_implemented("if-match")),
    };
    let objects = &operations.seams.objects;
    let deleted = objects.delete(bucket, object, deletion).await?;
    let mut answer = empty(StatusCode::NO_CONTENT);
    let keeps_versions = deleted.versioning != Versioning::Unversioned;
    if let Some(id) = deleted
        .version_id
        .filter(|_| version.is_some() || keeps_versions)
    {
        set_text(&mut answer, VERSION_ID, &id);
    }
    if deleted.marker {
        set(&mut answer, DELETE_MARKER, HeaderValue::from_static("true"));
    }
    Ok(answer)
}
