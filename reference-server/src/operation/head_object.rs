//! `HeadObject`: a GET whose bytes stay where they are.

use super::Operations;
use super::reading::{self, ReadRequest, Reading};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::{Answer, Purpose};
use crate::ssec::headers::SsecHeaders;

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let request = ReadRequest::of(request)?;
    match reading::open(operations, &request, shown, Purpose::Describe).await? {
        Reading::Answered(answer) | Reading::Opened { answer, .. } => Ok(answer),
    }
}
