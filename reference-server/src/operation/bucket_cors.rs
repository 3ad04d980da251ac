//! `GetBucketCors`, `PutBucketCors` and `DeleteBucketCors`; the preflight that a browser sends
//! before it lets a page of another origin ask, and the headers that let the page see the answer.
//!
//! Where Amazon's answer is not known: a preflight that names no method to a bucket with rules is
//! 400; a rule with `*` beside other origins shows the pattern that matched first.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::bucket_settings::Settings;
use super::cors_rules::Rules;
use super::{Operations, bucket_of, document, empty, known_headers};
use crate::request::S3Request;
use crate::request::cross_origin::CrossOrigin;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::store::{BucketSetting, SETTING_LIMIT, StoreError};

/// The most bytes of a configuration (S3 API reference, `PutBucketCors`).
const LIMIT: usize = SETTING_LIMIT;

pub(super) async fn get(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let name = bucket_of(&request)?;
    match settings(operations, name).await?.cors()? {
        Some(rules) => Ok(document(rules.document())),
        None => Err(S3Error::new(Code::NoSuchCORSConfiguration).detail("BucketName", name)),
    }
}

pub(super) async fn put(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
    })?;
    let name = bucket_of(&request)?.to_owned();
    operations.store.bucket(&name).await?;
    let body = request.body.collect(LIMIT).await?;
    if body.is_empty() {
        return Err(Code::MissingRequestBodyError.into());
    }
    let kept = Rules::read(&body)?.document().finish();
    let kept = String::from_utf8(kept.into()).map_err(|_| Code::MalformedXML)?;
    let setting = BucketSetting::Cors(Some(kept));
    operations.store.set_bucket(&name, setting).await?;
    Ok(empty(StatusCode::OK))
}

pub(super) async fn delete(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = bucket_of(&request)?;
    let setting = BucketSetting::Cors(None);
    operations.store.set_bucket(bucket, setting).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Answers a preflight. It has no signature and asks for nothing but what the rules say.
pub(super) async fn preflight(
    operations: &Operations,
    request: &S3Request,
) -> Result<Answer, S3Error> {
    let asked = CrossOrigin::of(&request.method, &request.headers).ok_or_else(|| {
        let message = "Insufficient information. Origin request header needed.";
        S3Error::with_message(Code::BadRequest, message)
    })?;
    let refused = |message: &'static str, kind: &'static str| {
        S3Error::with_message(Code::AccessForbidden, message)
            .detail("Method", asked.wanted_method())
            .detail("ResourceType", kind)
    };
    let settings = match settings(operations, bucket_of(request)?).await {
        Ok(settings) => settings,
        Err(StoreError::NoSuchBucket) => {
            return Err(refused("CORSResponse: Bucket not found", "BUCKET"));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(rules) = settings.cors()? else {
        let message = "CORSResponse: CORS is not enabled for this bucket.";
        return Err(refused(message, "BUCKET"));
    };
    if asked.asked_method.is_none() {
        let message = "Invalid Access-Control-Request-Method: null";
        return Err(S3Error::with_message(Code::BadRequest, message));
    }
    let allowed = rules.allow(&asked).ok_or_else(|| {
        let kind = match request.resource.object() {
            Some(_) => "OBJECT",
            None => "BUCKET",
        };
        refused(Code::AccessForbidden.default_message(), kind)
    })?;
    let mut answer = empty(StatusCode::OK);
    answer.headers_mut().extend(allowed);
    Ok(answer)
}

/// The headers of an answer about the bucket, so far as its rules let the page see it.
pub(super) async fn of_an_answer(
    operations: &Operations,
    bucket: &str,
    asked: &CrossOrigin,
) -> HeaderMap {
    // Rules that cannot be read allow nothing; the operation itself has met the same trouble.
    let settings = settings(operations, bucket).await.ok();
    let rules = settings.as_ref().and_then(|settings| settings.cors().ok()?);
    rules
        .and_then(|rules| rules.allow(asked))
        .unwrap_or_default()
}

async fn settings(operations: &Operations, bucket: &str) -> Result<Arc<Settings>, StoreError> {
    operations.settings.of(&operations.store, bucket).await
}
