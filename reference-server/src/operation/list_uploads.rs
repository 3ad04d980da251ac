//! `ListMultipartUploads`. It needs no key.

use super::list_names::{Encoding, read_max};
use super::object_headers::iso_time;
use super::{Operations, bucket_of, document, known_headers};
use crate::request::{Query, S3Request};
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::store::{ListedUpload, UploadListing, UploadsAfter, UploadsQuery};
use crate::xml::XmlWriter;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = bucket_of(&request)?.to_owned();
    let asked = Asked::read(&request.query)?;
    let after = asked.after();
    let query = UploadsQuery {
        bucket: &bucket,
        prefix: &asked.prefix,
        delimiter: asked.delimiter.as_deref(),
        after: after.as_ref(),
        max: asked.max,
    };
    let listing = if asked.max == 0 {
        operations.store.bucket(&bucket).await?;
        UploadListing::default()
    } else {
        operations.store.list_uploads(query).await?
    };
    let identity = &request.authenticated.identity;
    Ok(document(asked.document(&bucket, identity, &listing)))
}

struct Asked {
    prefix: String,
    delimiter: Option<String>,
    name_marker: String,
    upload_marker: String,
    max: usize,
    encoding: Encoding,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, S3Error> {
        let text = |name: &str| query.get(name).unwrap_or_default().to_owned();
        Ok(Self {
            prefix: text("prefix"),
            delimiter: Some(text("delimiter")).filter(|delimiter| !delimiter.is_empty()),
            name_marker: text("key-marker"),
            upload_marker: text("upload-id-marker"),
            max: read_max("max-uploads", query.get("max-uploads"))?,
            encoding: Encoding::read(query)?,
        })
    }

    /// Where the list goes on. An upload's id alone says nothing.
    fn after(&self) -> Option<UploadsAfter> {
        let name = self.name_marker.clone();
        if name.is_empty() {
            return None;
        }
        if !self.upload_marker.is_empty() {
            let upload_id = self.upload_marker.clone();
            return Some(UploadsAfter::Upload { name, upload_id });
        }
        let delimiter = self.delimiter.as_deref();
        Some(if delimiter.is_some_and(|end| name.ends_with(end)) {
            UploadsAfter::CommonPrefix(name)
        } else {
            UploadsAfter::Name(name)
        })
    }

    fn document(&self, bucket: &str, identity: &str, listing: &UploadListing) -> XmlWriter {
        let mut xml = XmlWriter::document();
        xml.open_root("ListMultipartUploadsResult");
        xml.text("Bucket", bucket);
        self.encoding
            .write(&mut xml, "KeyMarker", &self.name_marker);
        xml.text("UploadIdMarker", &self.upload_marker);
        match &listing.next {
            None => {}
            Some(UploadsAfter::Upload { name, upload_id }) => {
                self.encoding.write(&mut xml, "NextKeyMarker", name);
                xml.text("NextUploadIdMarker", upload_id);
            }
            Some(UploadsAfter::Name(name) | UploadsAfter::CommonPrefix(name)) => {
                self.encoding.write(&mut xml, "NextKeyMarker", name);
            }
        }
        self.encoding.write(&mut xml, "Prefix", &self.prefix);
        if let Some(delimiter) = &self.delimiter {
            self.encoding.write(&mut xml, "Delimiter", delimiter);
        }
        xml.text("MaxUploads", &self.max.to_string());
        if self.encoding == Encoding::Url {
            xml.text("EncodingType", "url");
        }
        let truncated = if listing.next.is_some() {
            "true"
        } else {
            "false"
        };
        xml.text("IsTruncated", truncated);
        for upload in &listing.uploads {
            self.upload(&mut xml, identity, upload);
        }
        for prefix in &listing.common_prefixes {
            xml.open("CommonPrefixes");
            self.encoding.write(&mut xml, "Prefix", prefix);
            xml.close("CommonPrefixes");
        }
        xml.close("ListMultipartUploadsResult");
        xml
    }

    fn upload(&self, xml: &mut XmlWriter, identity: &str, upload: &ListedUpload) {
        xml.open("Upload");
        self.encoding.write(xml, "Key", &upload.name);
        xml.text("UploadId", &upload.upload_id);
        for role in ["Initiator", "Owner"] {
            xml.open(role);
            xml.text("ID", identity);
            xml.text("DisplayName", identity);
            xml.close(role);
        }
        xml.text("StorageClass", "STANDARD");
        xml.text("Initiated", &iso_time(upload.created));
        xml.close("Upload");
    }
}
