//! Lies of doing nothing: the answer says that it was done.

use http::header::ETAG;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::operation::document;
use crate::request::S3Request;
use crate::response::ResponseBody;
use crate::seam::{Answer, Interposer, Pending, Perform};
use crate::ssec::headers::{ALGORITHM, COPY_SOURCE, KEY, KEY_MD5, SOURCE_KEY};
use crate::store::{HolderKind, Store};
use crate::xml::XmlWriter;

/// Removes no tags.
pub(super) struct TagsKept;

impl Interposer for TagsKept {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        if request.method == Method::DELETE && request.query.has("tagging") {
            let mut answer = Response::new(ResponseBody::empty());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            return Box::pin(std::future::ready(answer));
        }
        operation.perform(request)
    }
}

/// Deletes nothing of a batch.
pub(super) struct BatchKept;

impl Interposer for BatchKept {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        /// Longest document of a batch that is read, in bytes: 1,000 names and their markup.
        const LIMIT: usize = 2 << 20;
        if request.method != Method::POST || !request.query.has("delete") {
            return operation.perform(request);
        }
        Box::pin(async move {
            let list = match request.body.collect(LIMIT).await {
                Ok(list) => list,
                Err(error) => return error.into_response(&request.facts),
            };
            let list = String::from_utf8_lossy(&list);
            let mut xml = XmlWriter::document();
            xml.open_root("DeleteResult");
            for name in list
                .split("<Key>")
                .skip(1)
                .filter_map(|rest| rest.split('<').next())
            {
                xml.open("Deleted");
                xml.text("Key", name);
                xml.close("Deleted");
            }
            xml.close("DeleteResult");
            document(xml)
        })
    }
}

/// Leaves an object as it is that is copied onto itself, and says that it was done.
pub(super) struct SelfCopyPretended {
    store: Store,
    /// Whether it is about these two keys: the copy's and the source's.
    concerned: fn(&HeaderValue, &HeaderValue) -> bool,
}

impl SelfCopyPretended {
    /// Of a copy that changes the key.
    pub(super) fn of_rotation(store: &Store) -> Self {
        let store = store.clone();
        let concerned = |new: &HeaderValue, old: &HeaderValue| new != old;
        Self { store, concerned }
    }

    /// Of a copy with one key twice, whichever that is.
    pub(super) fn of_one_key(store: &Store) -> Self {
        let store = store.clone();
        let concerned = |new: &HeaderValue, old: &HeaderValue| new == old;
        Self { store, concerned }
    }
}

impl Interposer for SelfCopyPretended {
    fn around<'a>(&'a self, request: S3Request, operation: &'a dyn Perform) -> Pending<'a, Answer> {
        Box::pin(async move {
            let value = |name| request.headers.get(name);
            let names = request.resource.bucket().zip(request.resource.object());
            let keys = value(KEY).zip(value(SOURCE_KEY));
            let source = value(COPY_SOURCE).and_then(|source| source.to_str().ok());
            if let (Some((bucket, object)), Some((new, old)), Some(source)) = (names, keys, source)
                && source.trim_start_matches('/') == format!("{bucket}/{object}")
                && (self.concerned)(new, old)
                && let Ok(found) = self.store.look_up(bucket, object, None).await
                && let Some(stored) = found.object()
                && stored.holder() == HolderKind::Customer
            {
                return copied(&request, &stored.etag().to_string());
            }
            operation.perform(request).await
        })
    }
}

/// What the copy would be answered.
fn copied(request: &S3Request, etag: &str) -> Answer {
    let mut xml = XmlWriter::document();
    xml.open_root("CopyObjectResult");
    xml.text("ETag", &format!("\"{etag}\""));
    xml.close("CopyObjectResult");
    let mut answer = document(xml);
    for name in [ALGORITHM, KEY_MD5] {
        if let Some(value) = request.headers.get(name) {
            let name = HeaderName::from_static(name);
            answer.headers_mut().insert(name, value.clone());
        }
    }
    if let Ok(etag) = HeaderValue::try_from(format!("\"{etag}\"")) {
        answer.headers_mut().insert(ETAG, etag);
    }
    answer
}
