//! `UploadPartCopy`: a part whose bytes are those of an object, or of a range of one.

use std::ops::Range;

use http::HeaderValue;
use md5::{Digest as _, Md5};

use super::copy_source::{Pieces, Source, is_about_source};
use super::object_headers::{self, iso_time};
use super::reading::part_number;
use super::upload::Named;
use super::{Operations, document, known_headers, set_text};
use crate::body::MAX_BODY_BYTES;
use crate::byte_range::{Selection, select};
use crate::checksum::RunningChecksum;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::ssec::dialect::EtagRule;
use crate::ssec::headers::{MANAGED, SsecHeaders};
use crate::store::{Finish, Versioning};
use crate::xml::XmlWriter;

/// Which bytes of the source become the part.
const RANGE: &str = "x-amz-copy-source-range";

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let number = part_number(request.query.get("partNumber").unwrap_or_default())?;
    let upload = Named::find(operations, &request).await?;
    let (access, opened) = upload.open_for_part(operations, &request, shown).await?;
    let source = Source::read(operations, &request.headers)?;
    let from = source.open(operations, &request, &access).await?;
    known_headers::only(&request.headers, |name, _| {
        is_about_source(name) || name == RANGE || name.starts_with(MANAGED)
    })?;
    let range = range(request.headers.get(RANGE), from.facts.size)?;
    if range.end - range.start > MAX_BODY_BYTES {
        return Err(Code::EntityTooLarge.into());
    }
    request.body.collect(0).await?;

    let mut md5 = match operations.dialect.facts().etag {
        EtagRule::Opaque => None,
        EtagRule::Md5OfPlaintext => Some(Md5::new()),
    };
    let kept = upload.kept_checksum(operations.dialect);
    let mut checksum = kept.map(|kept| RunningChecksum::new(kept.algorithm));
    let mut pieces = Pieces::open(&*from.object, range).await?;
    let mut writer = opened.begin_part(number).await?;
    while let Some(bytes) = pieces.next().await? {
        if let Some(checksum) = &mut checksum {
            checksum.update(&bytes);
        }
        if let Some(md5) = &mut md5 {
            md5.update(&bytes);
        }
        writer.write(bytes).await?;
    }
    let checksum = checksum.map(RunningChecksum::finish);
    let finish = Finish {
        md5: md5.map(|md5| md5.finalize().into()),
        checksum: checksum.clone(),
    };
    let committed = writer.commit(finish).await?;

    let mut xml = XmlWriter::document();
    xml.open_root("CopyPartResult");
    xml.text("LastModified", &iso_time(committed.last_modified));
    xml.text("ETag", &format!("\"{}\"", committed.etag));
    if let Some(checksum) = checksum.filter(|_| upload.facts.checksum.is_some()) {
        object_headers::write_checksum(&mut xml, &checksum);
    }
    xml.close("CopyPartResult");
    let mut answer = document(xml);
    object_headers::name_encryption(&mut answer, operations.dialect, &access);
    if source.name.version.is_some() || from.facts.versioning != Versioning::Unversioned {
        set_text(
            &mut answer,
            object_headers::COPY_SOURCE_VERSION_ID,
            &from.facts.version_id,
        );
    }
    Ok(answer)
}

/// The bytes to copy. Unlike the range of a read, one that is not understood, or does not lie
/// wholly inside, is refused.
fn range(asked: Option<&HeaderValue>, size: u64) -> Result<Range<u64>, S3Error> {
    let Some(asked) = asked else {
        return Ok(0..size);
    };
    let text = asked.to_str().unwrap_or_default();
    let bounds = text.strip_prefix("bytes=").and_then(|bounds| {
        let (first, last) = bounds.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    });
    let Some((_, last)) = bounds.filter(|(first, last)| first <= last) else {
        return Err(S3Error::with_message(
            Code::InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first \
             and last are the zero-based offsets of the first and last bytes to copy",
        )
        .argument(RANGE, Some(text)));
    };
    match select(Some(asked.as_bytes()), size) {
        Selection::Part(range) if last < size => Ok(range),
        Selection::Part(_) | Selection::Whole | Selection::Unsatisfiable => {
            Err(S3Error::with_message(
                Code::InvalidArgument,
                format!("Range specified is not valid for source object of size: {size}"),
            )
            .argument(RANGE, Some(text)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &'static str, expected: Option<&Range<u64>>) {
        let asked = HeaderValue::from_static(asked);
        let bytes = range(Some(&asked), 10).ok();
        assert_eq!(bytes.as_ref(), expected, "{asked:?}");
    }

    #[test]
    fn ranges_lie_inside() {
        assert_eq!(range(None, 10).ok(), Some(0..10));
        check("bytes=0-9", Some(&(0..10)));
        check("bytes=3-3", Some(&(3..4)));
        for refused in [
            "bytes=0-10",
            "bytes=10-10",
            "bytes=3-2",
            "bytes=-3",
            "bytes=3-",
            "3-4",
            "",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=+1-2",
        ] {
            check(refused, None);
        }
    }
}
