//! `PutObject`.

use http::StatusCode;
use http::header::ETAG;

use super::{Operations, conditions, empty, known_headers, object_headers, object_of, set};
use crate::body::Verified;
use crate::checksum::ChecksumAlgorithm;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::ssec::customer_key::Holder;
use crate::ssec::dialect::EtagRule;
use crate::ssec::headers::{MANAGED, SsecHeaders};
use crate::ssec::policy::{self, Access, BucketRule, Intent};
use crate::ssec::refusal::Refusal;
use crate::store::{Committed, Finish, NewObject, SsecUse};

pub(super) async fn answer(
    operations: &Operations,
    mut request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let (bucket, object) = object_of(&request)?;
    let (bucket, object) = (bucket.to_owned(), object.to_owned());
    let rule = match operations.store.bucket(&bucket).await?.ssec {
        SsecUse::Allowed => BucketRule::Allows,
        SsecUse::Blocked => BucketRule::Blocks,
    };
    let access = policy::decide(operations.dialect, Intent::Write(rule), shown)
        .map_err(|refusal| complete(refusal, &request))?;
    known_headers::only(&request.headers, known_headers::of_a_write)?;
    if matches!(access, Access::Plain) {
        check_managed(&request)?;
    }
    request.body.expect_length()?;

    let declares_checksum = declares_checksum(&request);
    let facts = operations.dialect.facts();
    if facts.etag == EtagRule::Md5OfPlaintext {
        request.body.also_compute_md5();
    }
    if facts.adds_checksum && !declares_checksum {
        request.body.also_compute(ChecksumAlgorithm::Crc64Nvme);
    }
    let holder = match &access {
        Access::Plain => Holder::Server,
        Access::Customer(key) => Holder::Customer(key),
    };
    let new = NewObject {
        bucket: &bucket,
        object: &object,
        holder,
        headers: object_headers::kept(&request.headers)?,
        tags: Vec::new(),
        conditions: conditions::of_a_write(&request.headers)?,
    };
    let (verified, committed) = store(operations, new, request).await?;

    let mut answer = empty(StatusCode::OK);
    set(&mut answer, ETAG, object_headers::quoted(committed.etag));
    object_headers::name_encryption(&mut answer, operations.dialect, &access);
    object_headers::name_version(&mut answer, operations.dialect, &committed.version_id);
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

/// Adds to BLOCKED what only the request knows.
fn complete(refusal: Refusal, request: &S3Request) -> S3Error {
    if refusal != Refusal::Blocked {
        return refusal.into();
    }
    let resource = request.resource.bucket().zip(request.resource.object());
    let (bucket, object) = resource.unwrap_or_default();
    let message = format!(
        "User: {user} is not authorized to perform: s3:PutObject on resource: \
         \"arn:aws:s3:::{bucket}/{object}\" because this bucket has blocked upload requests that \
         specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a \
         different server-side encryption type",
        user = request.authenticated.identity,
    );
    S3Error::with_message(Code::AccessDenied, message)
}

/// A plain object is under a key of the server: that is `AES256`, and nothing else is there.
fn check_managed(request: &S3Request) -> Result<(), S3Error> {
    for (name, value) in &request.headers {
        match name.as_str() {
            MANAGED if value == "AES256" => {}
            MANAGED if !value.as_bytes().starts_with(b"aws:kms") => {
                let shown = value.to_str().ok().filter(|value| value.len() <= 24);
                return Err(S3Error::with_message(
                    Code::InvalidArgument,
                    "The encryption method specified is not supported",
                )
                .argument(MANAGED, shown));
            }
            other if other.starts_with(MANAGED) => {
                return Err(known_headers::not_implemented(other));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the client sends a checksum, in a header or behind the body.
fn declares_checksum(request: &S3Request) -> bool {
    let names = ChecksumAlgorithm::ALL.map(ChecksumAlgorithm::header);
    let trailer = request.headers.get_all("x-amz-trailer").into_iter();
    let trailed = trailer
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| names.contains(&name.trim().to_ascii_lowercase().as_str()));
    trailed || names.iter().any(|name| request.headers.contains_key(*name))
}
