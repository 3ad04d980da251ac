//! `PutObject`.

use http::header::ETAG;
use http::{Method, StatusCode};

use super::{
    Operations, conditions, empty, known_headers, object_headers, object_of, object_tagging, set,
    writing,
};
use crate::body::Verified;
use crate::checksum::ChecksumAlgorithm;
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::ssec::dialect::EtagRule;
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::Access;
use crate::store::{Committed, Finish, NewObject};

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    write(operations, request, shown, None).await
}

/// Stores the object of a `PUT`, or of a form; `tagging` is the document of its tags.
pub(super) async fn write(
    operations: &Operations,
    mut request: S3Request,
    shown: &SsecHeaders,
    tagging: Option<&str>,
) -> Result<Answer, S3Error> {
    let (bucket, object) = object_of(&request)?;
    let (bucket, object) = (bucket.to_owned(), object.to_owned());
    let access = writing::decide(operations, &request, shown, "s3:PutObject").await?;
    known_headers::only(&request.headers, known_headers::of_a_write)?;
    if matches!(access, Access::Plain) {
        writing::check_managed(&request)?;
    }
    let tags = match tagging {
        Some(document) => object_tagging::read(document.as_bytes())?,
        None => object_tagging::of_a_write(&request.headers)?,
    };
    if request.method == Method::PUT {
        request.body.expect_length()?;
    }

    let declares_checksum = writing::declares_checksum(&request);
    let facts = operations.dialect.facts();
    if facts.etag == EtagRule::Md5OfPlaintext {
        request.body.also_compute_md5();
    }
    if facts.adds_checksum && !declares_checksum {
        request.body.also_compute(ChecksumAlgorithm::Crc64Nvme);
    }
    let new = NewObject {
        bucket: &bucket,
        object: &object,
        holder: writing::holder(&access),
        headers: object_headers::kept(&request.headers)?,
        tags,
        conditions: conditions::of_a_write(&request.headers)?,
    };
    let (verified, committed) = store(operations, new, request).await?;

    let mut answer = empty(StatusCode::OK);
    set(&mut answer, ETAG, object_headers::quoted(committed.etag));
    object_headers::name_encryption(&mut answer, operations.dialect, &access);
    object_headers::name_version(
        &mut answer,
        operations.dialect,
        committed.versioning,
        &committed.version_id,
    );
    if let Some(checksum) = verified.checksum.filter(|_| declares_checksum) {
        object_headers::name_checksum(&mut answer, &checksum);
    }
    Ok(answer)
}

/// Streams the body into the store. Nothing of it is visible before all of it was verified.
async fn store(
    operations: &Operations,
    new: NewObject<'_>,
    mut request: S3Request,
) -> Result<(Verified, Committed), S3Error> {
    let mut writer = operations.seams.objects.begin(new).await?;
    while let Some(bytes) = request.body.next().await? {
        writer.write(bytes).await?;
    }
    let verified = request.body.finish().await?;
    let md5 = match operations.dialect.facts().etag {
        EtagRule::Opaque => None,
        EtagRule::Md5OfPlaintext => verified.md5,
    };
    let checksum = verified.checksum.clone();
    let committed = writer.commit(Finish { md5, checksum }).await?;
    Ok((verified, committed))
}
