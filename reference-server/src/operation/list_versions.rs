//! `ListObjectVersions`. It needs no key, and shows delete markers beside the objects.

use super::list_names::{Encoding, invalid, read_max};
use super::object_headers::iso_time;
use super::{Operations, bucket_of, document, known_headers};
use crate::request::{Query, S3Request};
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::store::{ListedVersion, VersionKind, VersionListing, VersionsAfter, VersionsQuery};
use crate::xml::XmlWriter;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, _| {
        name == "x-amz-optional-object-attributes"
    })?;
    let bucket = bucket_of(&request)?.to_owned();
    let asked = Asked::read(&request.query)?;
    let after = asked.after();
    let query = VersionsQuery {
        bucket: &bucket,
        prefix: &asked.prefix,
        delimiter: asked.delimiter.as_deref(),
        after: after.as_ref(),
        max: asked.max,
    };
    let listing = if asked.max == 0 {
        operations.store.bucket(&bucket).await?;
        VersionListing::default()
    } else {
        operations.seams.objects.list_versions(query).await?
    };
    let identity = &request.authenticated.identity;
    Ok(document(asked.document(&bucket, identity, &listing)))
}

struct Asked {
    prefix: String,
    delimiter: Option<String>,
    name_marker: String,
    version_marker: String,
    max: usize,
    encoding: Encoding,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, S3Error> {
        let text = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let asked = Self {
            prefix: text("prefix"),
            delimiter: Some(text("delimiter")).filter(|delimiter| !delimiter.is_empty()),
            name_marker: text("key-marker"),
            version_marker: text("version-id-marker"),
            max: read_max("max-keys", query.get("max-keys"))?,
            encoding: Encoding::read(query)?,
        };
        if asked.name_marker.is_empty() && !asked.version_marker.is_empty() {
            let message = "A version-id marker cannot be specified without a key marker.";
            return Err(invalid("version-id-marker", message, &asked.version_marker));
        }
        Ok(asked)
    }

    fn after(&self) -> Option<VersionsAfter> {
        let name = self.name_marker.clone();
        if name.is_empty() {
            return None;
        }
        if !self.version_marker.is_empty() {
            let version_id = self.version_marker.clone();
            return Some(VersionsAfter::Version { name, version_id });
        }
        let delimiter = self.delimiter.as_deref();
        Some(if delimiter.is_some_and(|end| name.ends_with(end)) {
            VersionsAfter::CommonPrefix(name)
        } else {
            VersionsAfter::Name(name)
        })
    }

    fn document(&self, bucket: &str, identity: &str, listing: &VersionListing) -> XmlWriter {
        let mut xml = XmlWriter::document();
        xml.open_root("ListVersionsResult");
        xml.text("Name", bucket);
        self.encoding.write(&mut xml, "Prefix", &self.prefix);
        if let Some(delimiter) = &self.delimiter {
            self.encoding.write(&mut xml, "Delimiter", delimiter);
        }
        self.encoding
            .write(&mut xml, "KeyMarker", &self.name_marker);
        xml.text("VersionIdMarker", &self.version_marker);
        match &listing.next {
            None => {}
            Some(VersionsAfter::Version { name, version_id }) => {
                self.encoding.write(&mut xml, "NextKeyMarker", name);
                xml.text("NextVersionIdMarker", version_id);
            }
            Some(VersionsAfter::Name(name) | VersionsAfter::CommonPrefix(name)) => {
                self.encoding.write(&mut xml, "NextKeyMarker", name);
            }
        }
        xml.text("MaxKeys", &self.max.to_string());
        if self.encoding == Encoding::Url {
            xml.text("EncodingType", "url");
        }
        let truncated = if listing.next.is_some() {
            "true"
        } else {
            "false"
        };
        xml.text("IsTruncated", truncated);
        for version in &listing.versions {
            self.version(&mut xml, identity, version);
        }
        for prefix in &listing.common_prefixes {
            xml.open("CommonPrefixes");
            self.encoding.write(&mut xml, "Prefix", prefix);
            xml.close("CommonPrefixes");
        }
        xml.close("ListVersionsResult");
        xml
    }

    fn version(&self, xml: &mut XmlWriter, identity: &str, version: &ListedVersion) {
        let element = match version.kind {
            VersionKind::Object { .. } => "Version",
            VersionKind::Marker => "DeleteMarker",
        };
        xml.open(element);
        self.encoding.write(xml, "Key", &version.name);
        xml.text("VersionId", &version.version_id);
        xml.text("IsLatest", if version.is_latest { "true" } else { "false" });
        xml.text("LastModified", &iso_time(version.last_modified));
        if let VersionKind::Object { size, etag, .. } = version.kind {
            xml.text("ETag", &format!("\"{etag}\""));
            xml.text("Size", &size.to_string());
            xml.text("StorageClass", "STANDARD");
        }
        xml.open("Owner");
        xml.text("ID", identity);
        xml.text("DisplayName", identity);
        xml.close("Owner");
        xml.close(element);
    }
}
