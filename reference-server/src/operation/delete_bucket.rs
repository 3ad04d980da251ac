//! `DeleteBucket`.

use http::StatusCode;

use super::{Operations, bucket_of, empty, known_headers};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = bucket_of(&request)?;
    let deleted = operations.store.delete_bucket(bucket).await;
    // Another bucket of that name may come, with another policy.
    operations.policies.changed(bucket);
    deleted?;
    Ok(empty(StatusCode::NO_CONTENT))
}
