//! Lies to pages of another origin: in the answer to a preflight, or in what a page may read.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::answers::Asked;
use crate::request::S3Request;
use crate::response::ResponseBody;
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::is_ssec_name;

/// Allows all that was asked for but the SSE-C headers.
pub(super) fn forget_ssec_headers(_asked: &Asked, mut answer: Answer) -> Answer {
    let allowed = answer.headers().get(ACCESS_CONTROL_ALLOW_HEADERS);
    if let Some(names) = allowed.and_then(|value| value.to_str().ok()) {
        let kept: Vec<&str> = names
            .split(", ")
            .filter(|name| !is_ssec_name(name))
            .collect();
        let kept = HeaderValue::try_from(kept.join(", ")).expect("it was a value before");
        answer
            .headers_mut()
            .insert(ACCESS_CONTROL_ALLOW_HEADERS, kept);
    }
    answer
}

/// Answers each preflight as if a rule allowed what it asks for.
pub(super) fn allow_everybody(asked: &Asked, answer: Answer) -> Answer {
    let is_preflight = asked.facts.method == Method::OPTIONS;
    if !is_preflight || answer.status().is_success() {
        return answer;
    }
    let mut allowed = Response::new(ResponseBody::empty());
    *allowed.status_mut() = StatusCode::OK;
    for (question, reply) in [
        (ORIGIN, ACCESS_CONTROL_ALLOW_ORIGIN),
        (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
        (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(value) = asked.headers.get(question) {
            allowed.headers_mut().insert(reply, value.clone());
        }
    }
    allowed
}

/// A preflight has no signature: whoever wants one keeps every page out.
pub(super) fn without_signature(request: &S3Request) -> bool {
    request.method == Method::OPTIONS
}

/// Lets a page read answers, and none of the headers that its bucket exposes.
pub(super) struct ExposesNothing;

impl Interposer for ExposesNothing {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        operation.perform(request)
    }

    fn told_to_page(&self, mut allowed: HeaderMap) -> HeaderMap {
        allowed.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        allowed
    }
}

/// Lets every page read every answer, whatever the rules of the bucket say.
pub(super) struct ReadByAll;

impl Interposer for ReadByAll {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        operation.perform(request)
    }

    fn told_to_page(&self, mut allowed: HeaderMap) -> HeaderMap {
        let everybody = HeaderValue::from_static("*");
        allowed.insert(ACCESS_CONTROL_ALLOW_ORIGIN, everybody);
        allowed
    }
}
