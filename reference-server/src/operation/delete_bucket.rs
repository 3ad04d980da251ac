//! `DeleteBucket`.

use http::StatusCode;

use super::{Operations, bucket_of, empty, known_headers};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = bucket_of(&request)?;
    operations.store.delete_bucket(bucket).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
