//! Lies that rest on what an earlier request showed or was told: a triple, a checksum, a part.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};

use super::requests::forget_triple;
use crate::request::S3Request;
use crate::request::target::decode;
use crate::response::ResponseBody;
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::{
    ALGORITHM, COPY_SOURCE, KEY, KEY_MD5, SOURCE_ALGORITHM, SOURCE_KEY, SOURCE_KEY_MD5,
};

const TARGET: [&str; 3] = [ALGORITHM, KEY, KEY_MD5];
const SOURCE: [&str; 3] = [SOURCE_ALGORITHM, SOURCE_KEY, SOURCE_KEY_MD5];

/// The values of three headers.
type Triple = [HeaderValue; 3];

/// Changes a request, with what is known of objects by their paths.
type WithKeys = fn(&mut S3Request, &Known<'_>);
/// The triple of the object at a path.
type Known<'a> = dyn Fn(&str) -> Option<Triple> + 'a;

/// What is known by a path, or by a path and a number.
struct Memory<T>(Mutex<HashMap<String, T>>);

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Memory<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &str) -> Option<T> {
        self.lock().get(name).cloned()
    }

    fn set(&self, name: String, what: Option<T>) {
        match what {
            Some(what) => self.lock().insert(name, what),
            None => self.lock().remove(&name),
        };
    }
}

fn triple_of(headers: &HeaderMap) -> Option<Triple> {
    let value = |name| headers.get(name).cloned();
    Some([value(ALGORITHM)?, value(KEY)?, value(KEY_MD5)?])
}

/// Shows a triple in the place of whatever came, as if it had been signed.
fn show(request: &mut S3Request, names: [&'static str; 3], triple: Triple) {
    for (name, value) in names.into_iter().zip(triple) {
        request.headers.insert(name, value);
        request.authenticated.signed.insert(name);
    }
}

/// Knows the triple that each object was last written with.
pub(super) struct KnowsObjects {
    keys: Memory<Triple>,
    lie: WithKeys,
}

impl KnowsObjects {
    /// Copies whatever source key is shown, or none.
    pub(super) fn copies() -> Self {
        Self::lie(|request, known| {
            if !request.query.has("uploadId") {
                open_source(request, known);
            }
        })
    }

    /// The same of parts.
    pub(super) fn copies_parts() -> Self {
        Self::lie(|request, known| {
            if request.query.has("uploadId") {
                open_source(request, known);
            }
        })
    }

    /// Takes a condition on the entity tag for a proof of the key.
    pub(super) fn opens_to_conditions() -> Self {
        Self::lie(|request, known| {
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            let names_tag = [IF_MATCH, IF_NONE_MATCH];
            let asks = names_tag
                .iter()
                .any(|name| request.headers.contains_key(name));
            if let Some(triple) = known(&request.facts.path).filter(|_| reads && asks) {
                show(request, TARGET, triple);
            }
        })
    }

    /// Compares keys by their MD5, and asks for none: one that comes without it is right.
    pub(super) fn opens_without_md5() -> Self {
        Self::lie(|request, known| {
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            let has = |name| {
                request
                    .headers
                    .get(name)
                    .is_some_and(|value| !value.is_empty())
            };
            let asks = reads && has(KEY) && !has(KEY_MD5);
            if let Some(triple) = known(&request.facts.path).filter(|_| asks) {
                show(request, TARGET, triple);
            }
        })
    }

    fn lie(lie: WithKeys) -> Self {
        Self {
            keys: Memory::default(),
            lie,
        }
    }
}

fn open_source(request: &mut S3Request, known: &Known<'_>) {
    let source = request.headers.get(COPY_SOURCE);
    let source = source.and_then(|value| value.to_str().ok()?.split('?').next());
    let source = source.and_then(|source| String::from_utf8(decode(source).ok()?).ok());
    let path = source.map(|source| format!("/{}", source.trim_start_matches('/')));
    if let Some(triple) = path.and_then(|path| known(&path)) {
        show(request, SOURCE, triple);
    }
}

impl Interposer for KnowsObjects {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        (self.lie)(&mut request, &|path| self.keys.get(path));
        let writes = request.method == Method::PUT && !request.query.has("tagging");
        let (path, triple) = (request.facts.path.clone(), triple_of(&request.headers));
        Box::pin(async move {
            let answer = operation.perform(request).await;
            if writes && answer.status().is_success() {
                self.keys.set(path, triple);
            }
            answer
        })
    }
}

/// Knows the triple that the last upload of each object was created with, if with any.
pub(super) struct KnowsUploads {
    keys: Memory<Option<Triple>>,
    lie: fn(&mut S3Request, Option<Triple>),
}

impl KnowsUploads {
    /// Takes a part under the upload's key, whichever came with it.
    pub(super) fn any_part_key() -> Self {
        Self::lie(|request, of_upload| {
            if let Some(triple) = of_upload {
                show(request, TARGET, triple);
            }
        })
    }

    /// Drops the key of a part whose upload has none.
    pub(super) fn part_key_dropped() -> Self {
        Self::lie(|request, of_upload| {
            if of_upload.is_none() {
                forget_triple(request);
            }
        })
    }

    fn lie(lie: fn(&mut S3Request, Option<Triple>)) -> Self {
        Self {
            keys: Memory::default(),
            lie,
        }
    }
}

impl Interposer for KnowsUploads {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        let path = request.facts.path.clone();
        let is_part = request.method == Method::PUT && request.query.has("uploadId");
        if let Some(of_upload) = self.keys.get(&path).filter(|_| is_part) {
            (self.lie)(&mut request, of_upload);
        }
        let creates = request.method == Method::POST && request.query.has("uploads");
        let triple = triple_of(&request.headers);
        Box::pin(async move {
            let answer = operation.perform(request).await;
            if creates && answer.status().is_success() {
                self.keys.set(path, Some(triple));
            }
            answer
        })
    }
}

/// Answers a part that is sent again as it answered the first one, and keeps the first one.
#[derive(Default)]
pub(super) struct FirstPartKept(Memory<HeaderMap>);

impl Interposer for FirstPartKept {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        let query = |name| request.query.get(name);
        let part = query("uploadId").zip(query("partNumber"));
        let part = part.filter(|_| request.method == Method::PUT);
        let Some(part) = part.map(|(upload, number)| format!("{upload} {number}")) else {
            return operation.perform(request);
        };
        Box::pin(async move {
            if let Some(headers) = self.0.get(&part) {
                // What cannot be read is answered all the same: it is a lie.
                let _ = request.body.finish().await;
                let mut answer = Response::new(ResponseBody::empty());
                *answer.headers_mut() = headers;
                return answer;
            }
            let answer = operation.perform(request).await;
            if answer.status().is_success() {
                self.0.set(part, Some(answer.headers().clone()));
            }
            answer
        })
    }
}

/// Tells the checksum of an object in the refusal of whoever asks for it without the key.
#[derive(Default)]
pub(super) struct ChecksumUnproved(Memory<(HeaderName, HeaderValue)>);

impl Interposer for ChecksumUnproved {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        let path = request.facts.path.clone();
        let writes = request.method == Method::PUT;
        let asks = request.headers.contains_key("x-amz-checksum-mode");
        Box::pin(async move {
            let mut answer = operation.perform(request).await;
            let shown = answer.headers().iter().find(|(name, _)| {
                name.as_str().starts_with("x-amz-checksum-") && *name != "x-amz-checksum-type"
            });
            if writes && let Some((name, value)) = shown {
                self.0.set(path, Some((name.clone(), value.clone())));
            } else if asks
                && answer.status().is_client_error()
                && let Some((name, value)) = self.0.get(&path)
            {
                answer.headers_mut().insert(name, value);
            }
            answer
        })
    }
}
