//! What the operations that write objects have in common: the policy's word on the key of what is
//! written, and the limits of what the server's own key stands for.

use http::HeaderMap;

use super::{Operations, known_headers, object_of};
use crate::checksum::ChecksumAlgorithm;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::ssec::customer_key::Holder;
use crate::ssec::headers::{MANAGED, SsecHeaders};
use crate::ssec::policy::{self, Access, BucketRule, Intent};
use crate::ssec::refusal::Refusal;
use crate::store::SsecUse;

/// Under which key the request may write its object. `action` is what S3 calls the permission.
///
/// # Errors
/// There is no such bucket; the policy refuses; a header asks for what is not done here.
pub(super) async fn decide<'k>(
    operations: &Operations,
    request: &S3Request,
    shown: &'k SsecHeaders,
    action: &str,
) -> Result<Access<'k>, S3Error> {
    let (bucket, _) = object_of(request)?;
    let rule = rule(operations, bucket).await?;
    policy::decide(operations.dialect, Intent::Write(rule), shown)
        .map_err(|refusal| complete(refusal, request, action))
}

/// What the bucket says of SSE-C.
pub(super) async fn rule(operations: &Operations, bucket: &str) -> Result<BucketRule, S3Error> {
    Ok(
        match operations
            .settings
            .of(&operations.store, bucket)
            .await?
            .ssec
        {
            SsecUse::Allowed => BucketRule::Allows,
            SsecUse::Blocked => BucketRule::Blocks,
        },
    )
}

/// Who holds the key that a write goes on under.
pub(super) fn holder<'a>(access: &'a Access<'_>) -> Holder<'a> {
    match access {
        Access::Plain => Holder::Server,
        Access::Customer(key) => Holder::Customer(key),
    }
}

/// Adds to BLOCKED what only the request knows.
pub(super) fn complete(refusal: Refusal, request: &S3Request, action: &str) -> S3Error {
    if refusal != Refusal::Blocked {
        return refusal.into();
    }
    let resource = request.resource.bucket().zip(request.resource.object());
    let (bucket, object) = resource.unwrap_or_default();
    let message = format!(
        "User: {user} is not authorized to perform: {action} on resource: \
         \"arn:aws:s3:::{bucket}/{object}\" because this bucket has blocked upload requests that \
         specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a \
         different server-side encryption type",
        user = request.authenticated.identity,
    );
    S3Error::with_message(Code::AccessDenied, message)
}

/// A plain object is under a key of the server: that is `AES256`, and nothing else is there.
pub(super) fn check_managed(request: &S3Request) -> Result<(), S3Error> {
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
pub(super) fn declares_checksum(request: &S3Request) -> bool {
    let names = ChecksumAlgorithm::ALL.map(ChecksumAlgorithm::header);
    let trailer = request.headers.get_all("x-amz-trailer").into_iter();
    let trailed = trailer
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| names.contains(&name.trim().to_ascii_lowercase().as_str()));
    trailed || names.iter().any(|name| request.headers.contains_key(*name))
}

/// The checksum algorithm that `x-amz-checksum-algorithm` asks for.
pub(super) fn wanted_checksum(headers: &HeaderMap) -> Result<Option<ChecksumAlgorithm>, S3Error> {
    let Some(value) = headers.get("x-amz-checksum-algorithm") else {
        return Ok(None);
    };
    let named = ChecksumAlgorithm::ALL
        .into_iter()
        .find(|algorithm| value == algorithm.as_str());
    named.map(Some).ok_or_else(|| {
        S3Error::with_message(
            Code::InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid \
             types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}
