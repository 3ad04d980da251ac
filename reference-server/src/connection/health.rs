//! The path that tells a container's keeper or a load balancer that the server answers:
//! `GET /-/health`, unsigned, on every listener. No bucket can be called `-`, so it stands in
//! nobody's way; below a virtual-host domain the same path is an object's, as any other.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response};

use crate::request::Resource;
use crate::response::ResponseBody;

const BUCKET: &str = "-";
const NAME: &str = "health";

/// Whether a request asks for nothing else.
pub(super) fn is_asked(method: &Method, resource: &Resource) -> bool {
    let reads = *method == Method::GET || *method == Method::HEAD;
    reads && resource.bucket() == Some(BUCKET) && resource.object() == Some(NAME)
}

/// `200` and the word `ok`.
pub(super) fn answer() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::full("ok\n"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
