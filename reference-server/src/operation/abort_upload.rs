//! `AbortMultipartUpload`. It needs no key.

use http::StatusCode;

use super::{Operations, empty, known_headers, object_of};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let (bucket, object) = object_of(&request)?;
    let id = request.query.get("uploadId").unwrap_or_default();
    operations.store.abort_upload(bucket, object, id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
