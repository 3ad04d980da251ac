//! Lies told to the operation: the request is changed before it gets there.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, Method};
use md5::{Digest as _, Md5};

use crate::request::{Query, S3Request, Transport};
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::{
    ALGORITHM, COPY_SOURCE, KEY, KEY_MD5, MANAGED, PREFIX, SOURCE_ALGORITHM, SOURCE_KEY,
    SOURCE_KEY_MD5,
};

/// Changes each request before the operation sees it.
pub(super) struct Before(fn(&mut S3Request));

impl Before {
    pub(super) fn lie(lie: fn(&mut S3Request)) -> Arc<dyn Interposer> {
        Arc::new(Self(lie))
    }
}

impl Interposer for Before {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        (self.0)(&mut request);
        operation.perform(request)
    }
}

pub(super) fn forget_triple(request: &mut S3Request) {
    for name in [ALGORITHM, KEY, KEY_MD5] {
        request.headers.remove(name);
    }
}

pub(super) fn forget_triple_without_algorithm(request: &mut S3Request) {
    if !request.headers.contains_key(ALGORITHM) {
        forget_triple(request);
    }
}

pub(super) fn correct_md5(request: &mut S3Request) {
    if let Some(key) = key_of(request).filter(|key| key.len() == 32)
        && request.headers.contains_key(KEY_MD5)
    {
        set(request, KEY_MD5, &Md5::digest(&key));
    }
}

pub(super) fn stretch_key(request: &mut S3Request) {
    if let Some(mut key) = key_of(request).filter(|key| !key.is_empty() && key.len() != 32) {
        key.resize(32, 0);
        set(request, KEY, &key);
        set(request, KEY_MD5, &Md5::digest(&key));
    }
}

pub(super) fn forget_managed_on_write(request: &mut S3Request) {
    if request.method == Method::PUT && request.headers.contains_key(KEY) {
        forget_managed(request);
    }
}

pub(super) fn forget_managed_on_read(request: &mut S3Request) {
    if matches!(request.method, Method::GET | Method::HEAD) {
        forget_managed(request);
    }
}

fn forget_managed(request: &mut S3Request) {
    forget(request, |name| {
        name.starts_with(MANAGED) && !name.starts_with(PREFIX)
    });
}

/// Takes away the headers of these names.
fn forget(request: &mut S3Request, which: fn(&str) -> bool) {
    let names = request.headers.keys().filter(|name| which(name.as_str()));
    let names: Vec<HeaderName> = names.cloned().collect();
    for name in names {
        request.headers.remove(name);
    }
}

pub(super) fn sign_everything(request: &mut S3Request) {
    for name in request.headers.keys() {
        request.authenticated.signed.insert(name.as_str());
    }
}

pub(super) fn call_it_tls(request: &mut S3Request) {
    request.transport = Transport::Tls;
}

/// Keeps the first of two values, as a map that holds one does.
pub(super) fn keep_first_value(request: &mut S3Request) {
    for name in [ALGORITHM, KEY, KEY_MD5] {
        if let Some(first) = request.headers.get(name).cloned() {
            request.headers.insert(name, first);
        }
    }
}

/// Takes an empty header for none, as a language without an absent string does.
pub(super) fn forget_empty(request: &mut S3Request) {
    for name in [ALGORITHM, KEY, KEY_MD5] {
        if request.headers.get(name).is_some_and(HeaderValue::is_empty) {
            request.headers.remove(name);
        }
    }
}

pub(super) fn say_aes256(request: &mut S3Request) {
    if request.headers.contains_key(ALGORITHM) {
        let right = HeaderValue::from_static("AES256");
        request.headers.insert(ALGORITHM, right);
    }
}

pub(super) fn add_missing_md5(request: &mut S3Request) {
    if let Some(key) = key_of(request).filter(|key| key.len() == 32)
        && !request.headers.contains_key(KEY_MD5)
    {
        set(request, KEY_MD5, &Md5::digest(&key));
        request.authenticated.signed.insert(KEY_MD5);
    }
}

pub(super) fn forget_range(request: &mut S3Request) {
    if request.headers.contains_key(KEY) {
        request.headers.remove(http::header::RANGE);
    }
}

pub(super) fn forget_conditions(request: &mut S3Request) {
    if request.headers.contains_key(KEY) {
        forget(request, |name| name.starts_with("if-"));
    }
}

/// Compares with another tag than the one that is shown, as where the stored bytes have one too.
pub(super) fn condition_on_another_tag(request: &mut S3Request) {
    const ANOTHER: HeaderValue = HeaderValue::from_static("\"0123456789abcdef0123456789abcdef\"");
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    if reads && request.headers.contains_key(KEY) {
        for name in [IF_MATCH, IF_NONE_MATCH] {
            if request.headers.contains_key(&name) {
                request.headers.insert(name, ANOTHER);
            }
        }
    }
}

pub(super) fn forget_source_conditions(request: &mut S3Request) {
    forget(request, |name| name.starts_with("x-amz-copy-source-if-"));
}

pub(super) fn forget_source_range(request: &mut S3Request) {
    request.headers.remove("x-amz-copy-source-range");
}

/// Copies as if no key had been named for the copy.
pub(super) fn forget_triple_of_copy(request: &mut S3Request) {
    if request.headers.contains_key(COPY_SOURCE) && !request.query.has("uploadId") {
        forget_triple(request);
    }
}

/// Seals a copy that names no key under the key of its source.
pub(super) fn keep_source_key(request: &mut S3Request) {
    if !request.query.has("uploadId") && !request.headers.contains_key(KEY) {
        for (from, to) in [
            (SOURCE_ALGORITHM, ALGORITHM),
            (SOURCE_KEY, KEY),
            (SOURCE_KEY_MD5, KEY_MD5),
        ] {
            if let Some(value) = request.headers.get(from).cloned() {
                request.headers.insert(to, value);
                request.authenticated.signed.insert(to);
            }
        }
    }
}

/// Takes the query's triple for parameters that nobody knows.
pub(super) fn forget_query_triple(request: &mut S3Request) {
    for name in [ALGORITHM, KEY, KEY_MD5] {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let found = request.query.iter().map(|(name, _)| name);
        let found: Vec<String> = found.filter(|name| same(name)).map(str::to_owned).collect();
        for name in found {
            forget_parameter(request, &name);
        }
    }
}

pub(super) fn believe_content_md5(request: &mut S3Request) {
    request.body.believe_md5();
}

pub(super) fn believe_checksum(request: &mut S3Request) {
    if request.method == Method::PUT {
        request.body.believe_checksum();
    }
}

/// Keeps the framing of signed chunks, which no SDK sends over TLS, where they come with a key.
pub(super) fn keep_framing(request: &mut S3Request) {
    const SIGNED_CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let payload = request.headers.get("x-amz-content-sha256");
    if payload.is_some_and(|kind| kind == SIGNED_CHUNKS) && request.headers.contains_key(KEY) {
        request.body.keep_framing();
    }
}

pub(super) fn ask_for_checksum(request: &mut S3Request) {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let is_object = !["attributes", "tagging", "uploadId"]
        .iter()
        .any(|name| request.query.has(name));
    if reads && is_object && request.headers.contains_key(KEY) {
        const MODE: &str = "x-amz-checksum-mode";
        request
            .headers
            .insert(MODE, HeaderValue::from_static("ENABLED"));
        request.authenticated.signed.insert(MODE);
    }
}

pub(super) fn forget_metadata(request: &mut S3Request) {
    if request.headers.contains_key(KEY) {
        forget(request, |name| name.starts_with("x-amz-meta-"));
    }
}

pub(super) fn forget_version(request: &mut S3Request) {
    if matches!(request.method, Method::GET | Method::HEAD) {
        forget_parameter(request, "versionId");
    }
}

pub(super) fn forget_part(request: &mut S3Request) {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    if reads && request.headers.contains_key(KEY) {
        forget_parameter(request, "partNumber");
    }
}

/// Reads a bucket's encryption instead of writing it: that is answered 200 as well.
pub(super) fn block_nothing(request: &mut S3Request) {
    if request.query.has("encryption") {
        request.method = Method::GET;
    }
}

fn forget_parameter(request: &mut S3Request, parameter: &str) {
    let pairs = request.query.iter();
    let kept = pairs.filter(|(name, _)| *name != parameter);
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    request.query = Query::from_pairs(kept.collect());
}

pub(super) fn forget_source_version(request: &mut S3Request) {
    let source = request.headers.get(COPY_SOURCE);
    let source = source.and_then(|value| value.to_str().ok()?.split('?').next());
    if let Some(source) = source.and_then(|text| HeaderValue::from_str(text).ok()) {
        request.headers.insert(COPY_SOURCE, source);
    }
}

fn key_of(request: &S3Request) -> Option<Vec<u8>> {
    STANDARD.decode(request.headers.get(KEY)?.as_bytes()).ok()
}

fn set(request: &mut S3Request, name: &'static str, bytes: &[u8]) {
    let value = HeaderValue::try_from(STANDARD.encode(bytes)).expect("base64 is a header value");
    request.headers.insert(name, value);
}
