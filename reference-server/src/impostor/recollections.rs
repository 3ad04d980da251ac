//! Lies that need to know more than one request tells: what was put before, or what is stored.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderName, HeaderValue, Method, Response};

use super::requests::forget_triple;
use crate::operation::document;
use crate::request::S3Request;
use crate::response::ResponseBody;
use crate::s3_error::{Code, S3Error};
use crate::sealed::record;
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::{ALGORITHM, KEY, KEY_MD5};
use crate::ssec::refusal::Refusal;
use crate::store::{HolderKind, SsecUse, Store, StoredObject};
use crate::xml::XmlWriter;

const AES256: HeaderValue = HeaderValue::from_static("AES256");

/// Keeps each key that a write shows, and shows it again for whoever knows its MD5.
#[derive(Default)]
pub(super) struct Md5IsPassword(Mutex<HashMap<HeaderValue, HeaderValue>>);

impl Interposer for Md5IsPassword {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = (request.headers.get(KEY_MD5), request.headers.get(KEY));
        if request.method == Method::PUT {
            if let (Some(md5), Some(key)) = shown {
                keys.insert(md5.clone(), key.clone());
            }
        } else if let Some(key) = shown.0.and_then(|md5| keys.get(md5)).cloned() {
            request.headers.insert(KEY, key);
            request.headers.insert(ALGORITHM, AES256);
            request.authenticated.signed.insert(KEY);
            request.authenticated.signed.insert(ALGORITHM);
        }
        drop(keys);
        operation.perform(request)
    }
}

/// The object that a request is about, if it is there.
async fn stored(store: &Store, request: &Names) -> Option<StoredObject> {
    let (bucket, object) = request.0.as_ref()?;
    store.look_up(bucket, object, None).await.ok()?.object()
}

/// Bucket and object of a request.
struct Names(Option<(String, String)>);

impl Names {
    fn of(request: &S3Request) -> Self {
        let names = request.resource.bucket().zip(request.resource.object());
        Self(names.map(|(bucket, object)| (bucket.to_owned(), object.to_owned())))
    }
}

fn reads(request: &S3Request) -> bool {
    matches!(request.method, Method::GET | Method::HEAD)
}

/// Answers HEAD from the row when no key is shown.
pub(super) struct HeadNeedsNoKey(pub(super) Store);

impl Interposer for HeadNeedsNoKey {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            let concerned = request.method == Method::HEAD && !request.headers.contains_key(KEY);
            if concerned
                && let Some(object) = stored(&self.0, &names).await
                && object.holder() == HolderKind::Customer
            {
                let mut answer = Response::new(ResponseBody::empty());
                let etag = format!("\"{}\"", object.etag());
                let etag = HeaderValue::try_from(etag).expect("hexadecimal digits are a value");
                answer.headers_mut().insert(ETAG, etag);
                answer
                    .headers_mut()
                    .insert(CONTENT_LENGTH, HeaderValue::from(object.size()));
                return answer;
            }
            operation.perform(request).await
        })
    }
}

/// Answers GetObjectAttributes from the row, whatever key is shown.
pub(super) struct AttributesUnproved(pub(super) Store);

impl Interposer for AttributesUnproved {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            let concerned = request.method == Method::GET && request.query.has("attributes");
            if concerned
                && let Some(object) = stored(&self.0, &names).await
                && object.holder() == HolderKind::Customer
            {
                return attributes(&object, object.size());
            }
            operation.perform(request).await
        })
    }
}

/// Tells the stored length among the attributes of an SSE-C object, to whoever has its key.
pub(super) struct StoredLengthInAttributes(pub(super) Store);

impl Interposer for StoredLengthInAttributes {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            let concerned = request.method == Method::GET && request.query.has("attributes");
            let answer = operation.perform(request).await;
            if concerned
                && answer.status().is_success()
                && let Some(object) = stored(&self.0, &names).await
                && object.holder() == HolderKind::Customer
            {
                return attributes(&object, record::stored_length(object.size()));
            }
            answer
        })
    }
}

fn attributes(object: &StoredObject, size: u64) -> Answer {
    let mut xml = XmlWriter::document();
    xml.open_root("GetObjectAttributesResponse");
    xml.text("ETag", &object.etag().to_string());
    xml.text("StorageClass", "STANDARD");
    xml.text("ObjectSize", &size.to_string());
    xml.close("GetObjectAttributesResponse");
    document(xml)
}

/// Refuses reads that show a key where the bucket blocks SSE-C: that is about writes.
pub(super) struct BlockStopsReads(pub(super) Store);

impl Interposer for BlockStopsReads {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            if reads(&request)
                && request.headers.contains_key(KEY)
                && let Some(bucket) = request.resource.bucket()
                && let Ok(bucket) = self.0.bucket(bucket).await
                && bucket.ssec == SsecUse::Blocked
            {
                return S3Error::new(Code::AccessDenied).into_response(&request.facts);
            }
            operation.perform(request).await
        })
    }
}

/// Forgets the triple when the object is plain.
pub(super) struct KeyIgnoredOnPlain(pub(super) Store);

impl Interposer for KeyIgnoredOnPlain {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            if reads(&request) && is_plain(&self.0, &names).await {
                forget_triple(&mut request);
            }
            operation.perform(request).await
        })
    }
}

/// As [`KeyIgnoredOnPlain`], and echoes the triple as if it had been used.
pub(super) struct FalseEcho(pub(super) Store);

impl Interposer for FalseEcho {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            let md5 = request.headers.get(KEY_MD5).cloned();
            let Some(md5) = md5.filter(|_| reads(&request)) else {
                return operation.perform(request).await;
            };
            if !is_plain(&self.0, &names).await {
                return operation.perform(request).await;
            }
            forget_triple(&mut request);
            let mut answer = operation.perform(request).await;
            if answer.status().is_success() {
                answer
                    .headers_mut()
                    .insert(HeaderName::from_static(ALGORITHM), AES256);
                answer
                    .headers_mut()
                    .insert(HeaderName::from_static(KEY_MD5), md5);
            }
            answer
        })
    }
}

async fn is_plain(store: &Store, names: &Names) -> bool {
    stored(store, names)
        .await
        .is_some_and(|object| object.holder() == HolderKind::Server)
}

/// Refuses to delete an SSE-C object for a request that shows no key.
pub(super) struct KeyDemandedOnDelete(pub(super) Store);

impl Interposer for KeyDemandedOnDelete {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            let concerned = request.method == Method::DELETE && !request.headers.contains_key(KEY);
            if concerned
                && let Some(object) = stored(&self.0, &names).await
                && object.holder() == HolderKind::Customer
            {
                return S3Error::from(Refusal::NeedKey).into_response(&request.facts);
            }
            operation.perform(request).await
        })
    }
}

/// Finds nothing to delete where nothing is.
pub(super) struct NothingToDelete(pub(super) Store);

impl Interposer for NothingToDelete {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            let names = Names::of(&request);
            let concerned = request.method == Method::DELETE && !request.query.has("versionId");
            if concerned && names.0.is_some() && stored(&self.0, &names).await.is_none() {
                return S3Error::new(Code::NoSuchKey).into_response(&request.facts);
            }
            operation.perform(request).await
        })
    }
}
