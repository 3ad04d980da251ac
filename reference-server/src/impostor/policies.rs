//! Lies about bucket policies: another one is kept than the one that was put.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HeaderName};
use http::{HeaderMap, Method};

use crate::auth::payload::Payload;
use crate::body::IncomingBody;
use crate::bucket_policy::{CUSTOMER_ALGORITHM, MANAGED, MAX_POLICY_BYTES};
use crate::request::S3Request;
use crate::s3_error::S3Error;
use crate::seam::{Answer, Interposer, Pending, Perform};

/// Changes the text of each policy that is put.
pub(super) struct Reworded(fn(&str) -> String);

impl Reworded {
    pub(super) fn lie(lie: fn(&str) -> String) -> Arc<dyn Interposer> {
        Arc::new(Self(lie))
    }
}

impl Interposer for Reworded {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        if request.method != Method::PUT || !request.query.has("policy") {
            return operation.perform(request);
        }
        Box::pin(async move {
            let facts = request.facts.clone();
            match reworded(&mut request, self.0).await {
                Ok(()) => operation.perform(request).await,
                Err(error) => error.into_response(&facts),
            }
        })
    }
}

async fn reworded(request: &mut S3Request, lie: fn(&str) -> String) -> Result<(), S3Error> {
    let none = HeaderMap::new();
    let empty = IncomingBody::from_memory("", &none, Payload::Unsigned)?;
    let body = std::mem::replace(&mut request.body, empty);
    let text = body.collect(MAX_POLICY_BYTES).await?;
    let text = lie(&String::from_utf8_lossy(&text));
    let digest = HeaderName::from_static("content-md5");
    request.headers.remove(digest);
    request.headers.remove(CONTENT_LENGTH);
    request.body = IncomingBody::from_memory(text, &request.headers, Payload::Unsigned)?;
    Ok(())
}

/// Denies what nobody does instead of what the policy denies.
pub(super) fn deny_nothing(policy: &str) -> String {
    policy.replace("s3:PutObject", "s3:AbortMultipartUpload")
}

/// Takes the condition on the SSE-C algorithm for one on the encryption of the server.
pub(super) fn forget_ssec(policy: &str) -> String {
    policy.replace(CUSTOMER_ALGORITHM, MANAGED)
}
