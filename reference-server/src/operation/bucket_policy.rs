//! `GetBucketPolicy`, `PutBucketPolicy` and `DeleteBucketPolicy`.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::{Operations, bucket_of, empty, known_headers, set};
use crate::bucket_policy::{BucketPolicy, MAX_POLICY_BYTES};
use crate::request::S3Request;
use crate::response::ResponseBody;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::store::BucketSetting;

pub(super) async fn get(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let name = bucket_of(&request)?;
    let Some(policy) = operations.store.bucket(name).await?.policy else {
        return Err(S3Error::new(Code::NoSuchBucketPolicy).detail("BucketName", name));
    };
    let mut answer = empty(StatusCode::OK);
    *answer.body_mut() = ResponseBody::full(policy);
    let kind = HeaderValue::from_static("application/json");
    set(&mut answer, CONTENT_TYPE, kind);
    Ok(answer)
}

pub(super) async fn put(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, value| match name {
        "x-amz-confirm-remove-self-bucket-access" => value == "false" || value == "true",
        _ => name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm",
    })?;
    let name = bucket_of(&request)?.to_owned();
    operations.store.bucket(&name).await?;
    let body = request.body.collect(MAX_POLICY_BYTES).await?;
    BucketPolicy::read(&body, &name)?;
    let text = String::from_utf8(body.into()).map_err(|_| Code::MalformedPolicy)?;
    change(operations, &name, Some(text)).await
}

pub(super) async fn delete(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    change(operations, bucket_of(&request)?, None).await
}

async fn change(
    operations: &Operations,
    bucket: &str,
    policy: Option<String>,
) -> Result<Answer, S3Error> {
    let setting = BucketSetting::Policy(policy);
    operations.store.set_bucket(bucket, setting).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
