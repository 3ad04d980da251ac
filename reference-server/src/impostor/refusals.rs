//! Lies of the over-strict kind: what must be served is refused, without asking the operation.

use std::sync::Arc;

use http::Method;

use crate::auth::SignatureKind;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::KEY;
use crate::ssec::refusal::Refusal;
use crate::store::{HolderKind, Store};

/// Refuses each request that the lie concerns.
pub(super) struct Refuse(fn(&S3Request) -> bool);

impl Refuse {
    pub(super) fn lie(concerned: fn(&S3Request) -> bool) -> Arc<dyn Interposer> {
        Arc::new(Self(concerned))
    }
}

impl Interposer for Refuse {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        if (self.0)(&request) {
            let answer = S3Error::new(Code::AccessDenied).into_response(&request.facts);
            return Box::pin(std::future::ready(answer));
        }
        operation.perform(request)
    }
}

/// Refuses the keyless stages of SSE-C uploads that the lie concerns.
pub(super) struct RefuseStage {
    store: Store,
    concerned: fn(&S3Request) -> bool,
}

impl RefuseStage {
    pub(super) fn lie(store: &Store, concerned: fn(&S3Request) -> bool) -> Arc<dyn Interposer> {
        let store = store.clone();
        Arc::new(Self { store, concerned })
    }

    /// Whether the request names an upload that was created with a key.
    async fn is_sealed(&self, request: &S3Request) -> bool {
        let names = request.resource.bucket().zip(request.resource.object());
        let Some(((bucket, object), upload)) = names.zip(request.query.get("uploadId")) else {
            return false;
        };
        let upload = self.store.look_up_upload(bucket, object, upload).await;
        upload.is_ok_and(|upload| upload.holder() == HolderKind::Customer)
    }
}

impl Interposer for RefuseStage {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        if request.headers.contains_key(KEY) || !(self.concerned)(&request) {
            return operation.perform(request);
        }
        Box::pin(async move {
            if self.is_sealed(&request).await {
                return S3Error::from(Refusal::NeedKey).into_response(&request.facts);
            }
            operation.perform(request).await
        })
    }
}

pub(super) fn completes(request: &S3Request) -> bool {
    request.method == Method::POST && request.query.has("uploadId")
}

pub(super) fn lists_parts(request: &S3Request) -> bool {
    request.method == Method::GET && request.query.has("uploadId")
}

pub(super) fn aborts(request: &S3Request) -> bool {
    request.method == Method::DELETE && request.query.has("uploadId")
}

pub(super) fn version_deleted_without_key(request: &S3Request) -> bool {
    request.method == Method::DELETE
        && request.query.has("versionId")
        && !request.headers.contains_key(KEY)
}

pub(super) fn tags_without_key(request: &S3Request) -> bool {
    request.query.has("tagging") && !request.headers.contains_key(KEY)
}

pub(super) fn batch_without_key(request: &S3Request) -> bool {
    request.method == Method::POST
        && request.query.has("delete")
        && !request.headers.contains_key(KEY)
}

pub(super) fn presigned_without_key(request: &S3Request) -> bool {
    request.authenticated.kind == SignatureKind::Presigned && !request.headers.contains_key(KEY)
}
