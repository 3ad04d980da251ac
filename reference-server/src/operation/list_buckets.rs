//! `ListBuckets`.

use super::{Operations, document, known_headers};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::xml::XmlWriter;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let buckets = operations.store.buckets().await?;
    let mut xml = XmlWriter::document();
    xml.open_root("ListAllMyBucketsResult");
    xml.open("Owner");
    xml.text("ID", &request.authenticated.identity);
    xml.text("DisplayName", &request.authenticated.identity);
    xml.close("Owner");
    xml.open("Buckets");
    for bucket in buckets {
        xml.open("Bucket");
        xml.text("Name", &bucket.name);
        xml.text(
            "CreationDate",
            &super::object_headers::iso_time(bucket.created),
        );
        xml.close("Bucket");
    }
    xml.close("Buckets");
    xml.close("ListAllMyBucketsResult");
    Ok(document(xml))
}
