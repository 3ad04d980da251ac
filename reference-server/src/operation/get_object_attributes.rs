//! `GetObjectAttributes`: what is known of an object, for whoever has shown its key.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::LAST_MODIFIED;

use super::list_names::read_max;
use super::reading::{self, Name, Proved};
use super::{Operations, document, header_value, known_headers, object_headers, set};
use crate::checksum::Checksum;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, Purpose};
use crate::ssec::headers::SsecHeaders;
use crate::store::PartListing;
use crate::xml::XmlWriter;

/// Lists the attributes that are asked for.
const ATTRIBUTES: &str = "x-amz-object-attributes";
/// How many parts of the object are listed at most.
const MAX_PARTS: &str = "x-amz-max-parts";
const PART_NUMBER_MARKER: &str = "x-amz-part-number-marker";

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let name = Name::of(&request)?;
    let proved = reading::prove(operations, &name, shown, Purpose::Describe).await?;
    known_headers::only(&request.headers, |name, _| {
        matches!(name, ATTRIBUTES | MAX_PARTS | PART_NUMBER_MARKER)
    })?;
    let asked = Asked::read(&request.headers)?;
    let mut parts = PartListing::default();
    if asked.wants("ObjectParts") && proved.facts.etag.parts > 0 {
        parts = proved.object.parts(asked.after, asked.max).await?;
    }
    let xml = asked.document(&proved, &parts)?;

    let facts = &proved.facts;
    let mut answer = document(xml);
    let modified = httpdate::fmt_http_date(SystemTime::from(facts.last_modified));
    set(&mut answer, LAST_MODIFIED, header_value(&modified));
    object_headers::name_version(
        &mut answer,
        operations.dialect,
        facts.versioning,
        &facts.version_id,
    );
    Ok(answer)
}

struct Asked {
    attributes: Vec<String>,
    after: u16,
    max: usize,
}

impl Asked {
    fn read(headers: &HeaderMap) -> Result<Self, S3Error> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut attributes = Vec::new();
        for value in headers.get_all(ATTRIBUTES) {
            let value = value.to_str().map_err(|_| invalid(ATTRIBUTES))?;
            attributes.extend(value.split(',').map(|name| name.trim().to_owned()));
        }
        let known = [
            "ETag",
            "Checksum",
            "ObjectParts",
            "StorageClass",
            "ObjectSize",
        ];
        if attributes.is_empty()
            || attributes
                .iter()
                .any(|name| !known.contains(&name.as_str()))
        {
            return Err(invalid(ATTRIBUTES));
        }
        Ok(Self {
            attributes,
            after: match text(PART_NUMBER_MARKER) {
                None => 0,
                Some(number) => number.parse().map_err(|_| invalid(PART_NUMBER_MARKER))?,
            },
            max: read_max(MAX_PARTS, text(MAX_PARTS))?,
        })
    }

    fn wants(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|asked| asked == attribute)
    }

    fn document(&self, proved: &Proved<'_>, parts: &PartListing) -> Result<XmlWriter, S3Error> {
        let facts = &proved.facts;
        let mut xml = XmlWriter::document();
        xml.open_root("GetObjectAttributesResponse");
        if self.wants("ETag") {
            xml.text("ETag", &facts.etag.to_string());
        }
        if self.wants("Checksum")
            && let Some(checksum) = proved.object.checksum()?
        {
            xml.open("Checksum");
            write_checksum(&mut xml, &checksum);
            xml.text("ChecksumType", object_headers::checksum_type(&checksum));
            xml.close("Checksum");
        }
        if self.wants("ObjectParts") && facts.etag.parts > 0 {
            self.parts(&mut xml, facts.etag.parts, parts);
        }
        if self.wants("StorageClass") {
            xml.text("StorageClass", "STANDARD");
        }
        if self.wants("ObjectSize") {
            xml.text("ObjectSize", &facts.size.to_string());
        }
        xml.close("GetObjectAttributesResponse");
        Ok(xml)
    }

    /// The number of parts; one by one only those that have checksums, as S3 has it.
    fn parts(&self, xml: &mut XmlWriter, count: u16, parts: &PartListing) {
        xml.open("ObjectParts");
        xml.text("PartsCount", &count.to_string());
        let checked = parts.parts.iter().filter_map(|part| {
            let checksum = part.checksum.as_ref()?;
            Some((part, checksum))
        });
        let checked: Vec<_> = checked.collect();
        if !checked.is_empty() {
            xml.text("PartNumberMarker", &self.after.to_string());
            if let Some(next) = parts.next {
                xml.text("NextPartNumberMarker", &next.get().to_string());
            }
            xml.text("MaxParts", &self.max.to_string());
            let truncated = if parts.next.is_some() {
                "true"
            } else {
                "false"
            };
            xml.text("IsTruncated", truncated);
        }
        for (part, checksum) in checked {
            xml.open("Part");
            xml.text("PartNumber", &part.number.get().to_string());
            xml.text("Size", &part.size.to_string());
            write_checksum(xml, checksum);
            xml.close("Part");
        }
        xml.close("ObjectParts");
    }
}

/// A composite checksum is shown here without the number of parts.
fn write_checksum(xml: &mut XmlWriter, checksum: &Checksum) {
    let value = checksum.value.split('-').next().unwrap_or_default();
    xml.text(&format!("Checksum{}", checksum.algorithm.as_str()), value);
}

fn invalid(header: &str) -> S3Error {
    S3Error::with_message(Code::InvalidArgument, "Invalid attribute name specified.")
        .argument(header, None)
}
