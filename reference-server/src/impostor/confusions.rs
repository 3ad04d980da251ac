//! Lies about keys of requests: one is taken for another's, or told to whoever reads logs.

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderValue, Method, StatusCode};

use crate::request::S3Request;
use crate::response::{Guarded, ResponseBody};
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::{KEY, KEY_MD5};

/// Logs the key of a request that is refused, as a dump of what went wrong would.
pub(super) struct KeyLogged;

impl Interposer for KeyLogged {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        let key = request.headers.get(KEY).cloned();
        Box::pin(async move {
            let answer = operation.perform(request).await;
            if let Some(key) = key.as_ref().and_then(|key| key.to_str().ok())
                && answer.status().is_client_error()
            {
                tracing::debug!(key, "a request was refused");
            }
            answer
        })
    }
}

/// Panics over a wrong key as an assertion would that shows what it compared.
pub(super) struct Panics;

impl Interposer for Panics {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        let key = request.headers.get(KEY).cloned();
        let facts = request.facts.clone();
        Box::pin(async move {
            let answer = operation.perform(request).await;
            let reads = matches!(facts.method, Method::GET | Method::HEAD);
            let Some(key) = key.filter(|_| reads && answer.status() == StatusCode::FORBIDDEN)
            else {
                return answer;
            };
            let shown = String::from_utf8_lossy(key.as_bytes());
            // Whoever wrote this server would not catch it here; a suite wants an answer to judge.
            let _ = catch_unwind(|| panic!("the object is not under {shown}"));
            S3Error::new(Code::InternalError).into_response(&facts)
        })
    }
}

/// Key and key MD5 as a request showed them.
type Shown = (HeaderValue, Option<HeaderValue>);

/// The requests that are being answered, by path, with an id each; the first one came first.
type Running = Arc<Mutex<HashMap<String, Vec<(u64, Shown)>>>>;

/// Reads with the key of whoever reads the same object already.
#[derive(Default)]
pub(super) struct KeysMixed {
    running: Running,
    next: AtomicU64,
}

impl Interposer for KeysMixed {
    fn around<'a>(
        &'a self,
        mut request: S3Request,
        operation: &'a dyn Perform,
    ) -> Pending<'a, Answer> {
        let key = request.headers.get(KEY).cloned();
        let Some(key) = key.filter(|_| request.method == Method::GET) else {
            return operation.perform(request);
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let path = request.facts.path.clone();
        let md5 = request.headers.get(KEY_MD5).cloned();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let others = running.entry(path.clone()).or_default();
            if let Some((_, (key, Some(md5)))) = others.first() {
                request.headers.insert(KEY, key.clone());
                request.headers.insert(KEY_MD5, md5.clone());
            }
            others.push((id, (key, md5)));
        }
        let guard = Guard {
            running: Arc::clone(&self.running),
            path,
            id,
        };
        Box::pin(async move {
            let answer = operation.perform(request).await;
            answer.map(|body| ResponseBody::from_body(Guarded::new(body, guard)))
        })
    }
}

/// While it lives, its request is running.
struct Guard {
    running: Running,
    path: String,
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(others) = running.get_mut(&self.path) {
            others.retain(|(id, _)| *id != self.id);
            if others.is_empty() {
                running.remove(&self.path);
            }
        }
    }
}
