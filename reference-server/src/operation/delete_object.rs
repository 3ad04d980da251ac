//! `DeleteObject`. It needs no key: whoever may delete an object need not be able to read it.

use http::{HeaderName, StatusCode};

use super::{Operations, empty, known_headers, object_of, set_text};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Intent};

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
    if let Some(id) = deleted.version_id.filter(|_| version.is_some()) {
        set_text(
            &mut answer,
            HeaderName::from_static("x-amz-version-id"),
            &id,
        );
    }
    Ok(answer)
}
