//! Lies told to the client: the honest answer is changed on its way out.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::request::{RequestFacts, S3Request};
use crate::s3_error::{Code, S3Error};
use crate::sealed::record;
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::{ALGORITHM, KEY, KEY_MD5, MANAGED};
use crate::ssec::refusal::Refusal;

/// Changes each answer. It remembers of the request what a lie may need.
pub(super) struct After(fn(&Asked, Answer) -> Answer);

/// What was asked.
pub(super) struct Asked {
    pub(super) facts: RequestFacts,
    pub(super) headers: HeaderMap,
}

impl After {
    pub(super) fn lie(lie: fn(&Asked, Answer) -> Answer) -> Arc<dyn Interposer> {
        Arc::new(Self(lie))
    }
}

impl Interposer for After {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        let asked = Asked {
            facts: request.facts.clone(),
            headers: request.headers.clone(),
        };
        Box::pin(async move { (self.0)(&asked, operation.perform(request).await) })
    }
}

/// Whether this is the success of a request that showed a key.
fn succeeded_with_key(asked: &Asked, answer: &Answer) -> bool {
    answer.status().is_success() && asked.headers.contains_key(KEY)
}

pub(super) fn stored_length(asked: &Asked, mut answer: Answer) -> Answer {
    let length = answer
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if let Some(length) = length.and_then(|text| text.parse().ok())
        && asked.facts.method == Method::HEAD
        && succeeded_with_key(asked, &answer)
    {
        answer.headers_mut().insert(
            CONTENT_LENGTH,
            HeaderValue::from(record::stored_length(length)),
        );
    }
    answer
}

pub(super) fn echo_key(asked: &Asked, mut answer: Answer) -> Answer {
    if succeeded_with_key(asked, &answer)
        && asked.facts.method != Method::PUT
        && let Some(key) = asked.headers.get(KEY)
    {
        answer.headers_mut().insert(KEY, key.clone());
    }
    answer
}

pub(super) fn drop_echo(_asked: &Asked, mut answer: Answer) -> Answer {
    for name in [ALGORITHM, KEY_MD5] {
        answer.headers_mut().remove(name);
    }
    answer
}

pub(super) fn name_managed(asked: &Asked, mut answer: Answer) -> Answer {
    if succeeded_with_key(asked, &answer) {
        let name = HeaderName::from_static(MANAGED);
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static("AES256"));
    }
    answer
}

/// Another value on HEAD than elsewhere, of the same form.
pub(super) fn reverse_on_head(asked: &Asked, mut answer: Answer, name: HeaderName) -> Answer {
    if asked.facts.method == Method::HEAD
        && let Some(value) = answer.headers().get(&name)
    {
        let reversed: Vec<u8> = value.as_bytes().iter().rev().copied().collect();
        let reversed = HeaderValue::from_bytes(&reversed).expect("the bytes were a value before");
        answer.headers_mut().insert(name, reversed);
    }
    answer
}

/// Another checksum of the same form wherever a read shows one.
pub(super) fn other_checksum(asked: &Asked, mut answer: Answer) -> Answer {
    if matches!(asked.facts.method, Method::GET | Method::HEAD) {
        for (name, value) in answer.headers_mut() {
            let is_value = name.as_str().starts_with("x-amz-checksum-") && !value.is_empty();
            if is_value && name != "x-amz-checksum-type" {
                let mut bytes = value.as_bytes().to_vec();
                bytes[0] = if bytes[0] == b'A' { b'B' } else { b'A' };
                *value = HeaderValue::from_bytes(&bytes).expect("letters are a value");
            }
        }
    }
    answer
}

/// Another answer to a wrong key.
pub(super) fn wrong_key_as(asked: &Asked, answer: Answer, code: Code) -> Answer {
    let reads = matches!(asked.facts.method, Method::GET | Method::HEAD);
    if reads && asked.headers.contains_key(KEY) && answer.status() == StatusCode::FORBIDDEN {
        return S3Error::new(code).into_response(&asked.facts);
    }
    answer
}

/// A refusal that shows the key that it refuses: it ends in logs and caches.
pub(super) fn echo_refused_key(asked: &Asked, mut answer: Answer) -> Answer {
    if answer.status().is_client_error()
        && let Some(key) = asked.headers.get(KEY)
    {
        let name = HeaderName::from_static("x-amz-refused-key");
        answer.headers_mut().insert(name, key.clone());
    }
    answer
}

pub(super) fn need_key_for_missing(asked: &Asked, answer: Answer) -> Answer {
    let reads = matches!(asked.facts.method, Method::GET | Method::HEAD);
    // An object's path has a second slash; a bucket that is not there stays not there.
    let object = asked.facts.path.trim_start_matches('/').contains('/');
    if reads && object && answer.status() == StatusCode::NOT_FOUND {
        return S3Error::from(Refusal::NeedKey).into_response(&asked.facts);
    }
    answer
}
