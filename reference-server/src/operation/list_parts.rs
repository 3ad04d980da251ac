//! `ListParts`. It needs no key; checksums are shown to whoever shows it.

use super::create_upload::type_name;
use super::list_names::{invalid, read_max};
use super::object_headers::{self, iso_time};
use super::upload::{Named, Usable};
use super::{Operations, document, known_headers};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::Sums;
use crate::store::{DeclaredChecksum, PartListing};
use crate::xml::XmlWriter;

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let upload = Named::find(operations, &request).await?;
    let (bucket, object, id) = (
        upload.bucket.clone(),
        upload.object.clone(),
        upload.id.clone(),
    );
    let declared = upload.facts.checksum;
    let usable = upload.open_for_list(operations, shown, Sums::Optional)?;
    known_headers::none(&request.headers)?;
    let query = &request.query;
    let max = read_max("max-parts", query.get("max-parts"))?;
    let marker = query
        .get("part-number-marker")
        .filter(|marker| !marker.is_empty());
    let after = match marker {
        None => 0,
        Some(text) => {
            let message = "Argument part-number-marker must be an integer between 0 and 2147483647";
            let number: i32 = text
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or_else(|| invalid("part-number-marker", message, text))?;
            u16::try_from(number).unwrap_or(u16::MAX)
        }
    };
    let listing = match (&usable, max) {
        (_, 0) => PartListing::default(),
        (Usable::Found(upload), _) => upload.parts(after, max).await?,
        (Usable::Opened(upload), _) => upload.parts(after, max).await?,
    };

    let mut xml = XmlWriter::document();
    xml.open_root("ListPartsResult");
    xml.text("Bucket", &bucket);
    xml.text("Key", &object);
    xml.text("UploadId", &id);
    for role in ["Initiator", "Owner"] {
        xml.open(role);
        xml.text("ID", &request.authenticated.identity);
        xml.text("DisplayName", &request.authenticated.identity);
        xml.close(role);
    }
    xml.text("StorageClass", "STANDARD");
    xml.text("PartNumberMarker", &after.to_string());
    if let Some(next) = listing.next {
        xml.text("NextPartNumberMarker", &next.get().to_string());
    }
    xml.text("MaxParts", &max.to_string());
    let truncated = if listing.next.is_some() {
        "true"
    } else {
        "false"
    };
    xml.text("IsTruncated", truncated);
    parts(&mut xml, &listing, declared);
    xml.close("ListPartsResult");
    Ok(document(xml))
}

fn parts(xml: &mut XmlWriter, listing: &PartListing, declared: Option<DeclaredChecksum>) {
    if let Some(declared) = declared {
        xml.text("ChecksumAlgorithm", declared.algorithm.as_str());
        xml.text("ChecksumType", type_name(declared.kind));
    }
    for part in &listing.parts {
        xml.open("Part");
        xml.text("PartNumber", &part.number.get().to_string());
        xml.text("LastModified", &iso_time(part.last_modified));
        xml.text("ETag", &format!("\"{}\"", part.etag));
        xml.text("Size", &part.size.to_string());
        if let Some(checksum) = part.checksum.as_ref().filter(|_| declared.is_some()) {
            object_headers::write_checksum(xml, checksum);
        }
        xml.close("Part");
    }
}
