//! Lies of the over-strict kind: what must be served is refused, without asking the operation.

use std::sync::Arc;

use http::Method;

use crate::auth::SignatureKind;
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::KEY;

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
