//! `GetObject`.

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
    match reading::open(operations, &request, shown, Purpose::Read).await? {
        Reading::Answered(answer) => Ok(answer),
        Reading::Opened {
            mut answer,
            object,
            range,
        } => {
            // The first window is verified before the status line is sent.
            *answer.body_mut() = object.read(range).await?;
            Ok(answer)
        }
    }
}
