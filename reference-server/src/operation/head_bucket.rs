//! `HeadBucket`.

use http::{HeaderName, StatusCode};

use super::{Operations, bucket_of, empty, known_headers, set_text};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    operations.store.bucket(bucket_of(&request)?).await?;
    let mut answer = empty(StatusCode::OK);
    let region = HeaderName::from_static("x-amz-bucket-region");
    set_text(&mut answer, region, &operations.region);
    Ok(answer)
}
