//! `UploadPart`.

use http::StatusCode;
use http::header::{ETAG, HeaderName};

use super::reading::part_number;
use super::upload::{Named, checksum_differs};
use super::{Operations, empty, header_value, known_headers, object_headers, set, writing};
use crate::checksum::{ChecksumAlgorithm, RunningChecksum};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::{Answer, UploadFacts};
use crate::ssec::dialect::EtagRule;
use crate::ssec::headers::{MANAGED, SsecHeaders};
use crate::store::Finish;

pub(super) async fn answer(
    operations: &Operations,
    mut request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let number = part_number(request.query.get("partNumber").unwrap_or_default())?;
    let upload = Named::find(operations, &request).await?;
    let (access, opened) = upload.open_for_part(operations, &request, shown).await?;
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-")
            || name == "x-amz-sdk-checksum-algorithm"
            || name.starts_with(MANAGED)
    })?;
    request.body.expect_length()?;
    let shows_checksum = writing::declares_checksum(&request);
    agree(&upload.facts, &request, shows_checksum)?;
    if operations.dialect.facts().etag == EtagRule::Md5OfPlaintext {
        request.body.also_compute_md5();
    }
    if let Some(declared) = upload.facts.checksum.filter(|_| !shows_checksum) {
        request.body.also_compute(declared.algorithm);
    }

    // Where none was declared, the kept one is of one algorithm, whatever the client shows.
    let kept = upload.kept_checksum(operations.dialect);
    let kept = kept.map(|kept| kept.algorithm);
    let mut added = beside(kept, request.body.declared_checksum()).map(RunningChecksum::new);

    let mut writer = opened.begin_part(number).await?;
    while let Some(bytes) = request.body.next().await? {
        if let Some(added) = &mut added {
            added.update(&bytes);
        }
        writer.write(bytes).await?;
    }
    let verified = request.body.finish().await?;
    let finish = Finish {
        md5: verified
            .md5
            .filter(|_| operations.dialect.facts().etag == EtagRule::Md5OfPlaintext),
        // A checksum that the upload did not declare is verified, answered and forgotten.
        checksum: match added {
            Some(added) => Some(added.finish()),
            None => verified.checksum.clone().filter(|_| kept.is_some()),
        },
    };
    let committed = writer.commit(finish).await?;

    let mut answer = empty(StatusCode::OK);
    set(&mut answer, ETAG, object_headers::quoted(committed.etag));
    object_headers::name_encryption(&mut answer, operations.dialect, &access);
    if let Some(checksum) = verified.checksum {
        let name = HeaderName::from_static(checksum.algorithm.header());
        set(&mut answer, name, header_value(&checksum.value));
    }
    Ok(answer)
}

/// The checksum that is computed here, beside what the body computes as it is read.
fn beside(
    kept: Option<ChecksumAlgorithm>,
    of_the_body: Option<ChecksumAlgorithm>,
) -> Option<ChecksumAlgorithm> {
    kept.filter(|_| kept != of_the_body)
}

/// A part's checksum is of the algorithm that the upload declared.
fn agree(upload: &UploadFacts, request: &S3Request, shows: bool) -> Result<(), S3Error> {
    let Some(declared) = upload.checksum.filter(|_| shows) else {
        return Ok(());
    };
    let shown = request.body.declared_checksum();
    if shown == Some(declared.algorithm) {
        return Ok(());
    }
    Err(checksum_differs(Some(declared.algorithm), shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_checksum_is_computed_twice() {
        use ChecksumAlgorithm::{Crc32, Crc64Nvme};
        for (kept, of_the_body, expected) in [
            (None, None, None),
            (None, Some(Crc32), None),
            (Some(Crc64Nvme), None, Some(Crc64Nvme)),
            (Some(Crc64Nvme), Some(Crc32), Some(Crc64Nvme)),
            (Some(Crc64Nvme), Some(Crc64Nvme), None),
        ] {
            assert_eq!(beside(kept, of_the_body), expected);
        }
    }
}
