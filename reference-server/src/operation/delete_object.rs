//! `DeleteObject`. It needs no key: whoever may delete an object need not be able to read it.

use http::{HeaderValue, StatusCode};

use super::object_headers::{DELETE_MARKER, VERSION_ID};
use super::{Operations, empty, known_headers, object_of, set, set_text};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Intent};
use crate::store::Versioning;

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    policy::decide(operations.dialect, Intent::Keyless, shown)?;
    known_headers::none(&request.headers)?;
    // A condition that is not looked at could destroy what its sender wanted to spare.
    for name in ["if-match", "if-none-match", "if-unmodified-since"] {
        if request.headers.contains_key(name) {
            return Err(known_headers::not_implemented(name));
        }
    }
    let (bucket, object) = object_of(&request)?;
    let version = request.query.get("versionId");
    let deleted = operations
        .seams
        .objects
        .delete(bucket, object, version)
        .await?;
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
