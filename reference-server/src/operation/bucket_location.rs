//! `GetBucketLocation`.

use super::{Operations, bucket_of, document, known_headers};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::xml::XmlWriter;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    operations.store.bucket(bucket_of(&request)?).await?;
    let mut xml = XmlWriter::document();
    xml.open_root("LocationConstraint");
    // S3 leaves its oldest region empty.
    if operations.region != "us-east-1" {
        xml.content(&operations.region);
    }
    xml.close("LocationConstraint");
    Ok(document(xml))
}
