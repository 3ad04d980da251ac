//! From a draw to a signed request: headers in the order in which they are signed, nothing sorted.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use super::connection::Route;
use super::customer_keys::{CustomerKeys, Shown};
use super::outgoing::{Outgoing, Stretch, Written};
use super::pool::Pool;
use super::signer::{Covered, Hex, Signer, UNSIGNED_PAYLOAD};
use super::workload::{Arm, Authentication, Op, PayloadMode, Probe, Sse};
use crate::clock::{Clock, Stopwatch};
use crate::credentials::Credentials;

const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-crc64nvme");
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const COPY_ALGORITHM: HeaderName =
    HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-algorithm");
const COPY_KEY: HeaderName =
    HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key");
const COPY_KEY_MD5: HeaderName =
    HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key-md5");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const ALGORITHM: HeaderName =
    HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm");
const KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-customer-key");
const KEY_MD5: HeaderName =
    HeaderName::from_static("x-amz-server-side-encryption-customer-key-md5");

const UNSIGNED: HeaderValue = HeaderValue::from_static(UNSIGNED_PAYLOAD);

/// The only algorithm of SSE-C.
const AES256: HeaderValue = HeaderValue::from_static("AES256");

/// Where the run's objects are, and how they are spoken of.
#[derive(Clone)]
pub struct Place {
    /// The bucket's path, `/bucket` or nothing.
    pub bucket_path: String,
    pub bucket: String,
    /// What stands before every name of the run, encoded; ends with a slash.
    pub prefix: String,
}

impl Place {
    /// The name of an object as the target stores it.
    #[must_use]
    pub fn name(&self, arm: &str, folder: &str, object: u64) -> String {
        format!("{}{arm}/{folder}/{object:08}", self.prefix)
    }

    /// The path of that object, in one allocation.
    #[must_use]
    pub fn path(&self, arm: &Arm, folder: &str, object: u64) -> String {
        const SLASHES_AND_NUMBER: usize = 24;
        let parts = [
            &self.bucket_path,
            "/",
            &self.prefix,
            &arm.name,
            "/",
            folder,
            "/",
        ];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut path = String::with_capacity(length + SLASHES_AND_NUMBER);
        for part in parts {
            path.push_str(part);
        }
        let _ = write!(path, "{object:08}");
        path
    }
}

/// The folder of the objects that are there before the load begins.
pub const DATA: &str = "data";

/// What signed requests are made of; one a thread.
pub struct Requests {
    pub signer: Signer,
    pub place: Place,
    pub keys: Arc<CustomerKeys>,
    pub pool: Pool,
    pub payload: PayloadMode,
    pub authentication: Authentication,
    pub clock: Clock,
    token: Option<HeaderValue>,
    /// Of the one key of all objects, where there is one.
    alone: Option<Shown>,
    /// Kept for its memory.
    headers: Vec<Covered>,
}

/// A request before its headers are written.
pub struct Outline<'a> {
    pub method: Method,
    pub path: String,
    /// Canonical: encoded, sorted by name.
    pub query: &'a str,
    pub range: Option<(u64, u64)>,
    pub key: Option<Shown>,
    /// Path of the source, and its key.
    pub copy: Option<(String, Option<Shown>)>,
    pub body: Content<'a>,
}

/// The body of a request.
pub enum Content<'a> {
    None,
    Short(Bytes),
    Object {
        object: u64,
        from: u64,
        to: u64,
        clock: Stopwatch,
        written: &'a Written,
    },
}

impl Requests {
    #[must_use]
    pub fn new(
        credentials: Credentials,
        region: String,
        place: Place,
        keys: Arc<CustomerKeys>,
        pool: Pool,
        clock: Clock,
    ) -> Self {
        let token = credentials.expose_session_token().map(|token| {
            let value = HeaderValue::from_str(token);
            value.unwrap_or_else(|_| HeaderValue::from_static(""))
        });
        Self {
            signer: Signer::new(credentials, region),
            place,
            alone: keys.alone(),
            keys,
            pool,
            payload: PayloadMode::Unsigned,
            authentication: Authentication::Header,
            clock,
            token,
            headers: Vec::with_capacity(16),
        }
    }

    /// What shows the key of an object of this arm.
    #[must_use]
    pub fn key(&self, arm: &Arm, object: u64, probe: Option<Probe>) -> Option<Shown> {
        match (arm.sse, probe) {
            (Sse::None, _) | (Sse::Customer, Some(Probe::NoKey)) => None,
            (Sse::Customer, Some(Probe::OtherKey)) => Some(self.keys.stranger()),
            (Sse::Customer, None) => {
                let alone = self.alone.clone();
                Some(alone.unwrap_or_else(|| self.keys.of(object)))
            }
        }
    }

    /// The outline of a request of one exchange; [`Op::Multipart`] has several and is not made
    /// here.
    #[must_use]
    pub fn outline(
        &self,
        op: Op,
        arm: &Arm,
        object: u64,
        probe: Option<Probe>,
    ) -> Outline<'static> {
        let key = self.key(arm, object, probe);
        let data = || self.place.path(arm, DATA, object);
        let (method, path) = match op {
            Op::Get | Op::Range => (Method::GET, data()),
            Op::Head => (Method::HEAD, data()),
            Op::Delete => (Method::DELETE, data()),
            Op::List => (Method::GET, self.bucket_path()),
            Op::Put | Op::Multipart | Op::Copy => {
                let folder = op.writes().unwrap_or(DATA);
                (Method::PUT, self.place.path(arm, folder, object))
            }
        };
        let copy = (op == Op::Copy).then(|| {
            let source = self.place.name(&arm.name, DATA, object);
            (format!("/{}/{source}", self.place.bucket), key.clone())
        });
        Outline {
            method,
            path,
            query: "",
            range: None,
            key: match op {
                Op::Delete | Op::List => None,
                Op::Get | Op::Put | Op::Head | Op::Range | Op::Multipart | Op::Copy => key,
            },
            copy,
            body: Content::None,
        }
    }

    /// The canonical query of a list of an arm's objects.
    #[must_use]
    pub fn list_query(&self, arm: &Arm) -> String {
        let prefix = format!("{}{}/{DATA}/", self.place.prefix, arm.name);
        format!("list-type=2&prefix={}", prefix.replace('/', "%2F"))
    }

    fn bucket_path(&self) -> String {
        if self.place.bucket_path.is_empty() {
            "/".to_owned()
        } else {
            self.place.bucket_path.clone()
        }
    }

    /// The signed request; its headers are in the memory of `spare`, an empty map, which is taken.
    pub fn sign(
        &mut self,
        route: &Route,
        outline: Outline<'_>,
        spare: &mut HeaderMap,
    ) -> http::Request<Outgoing> {
        let date = self.signer.at(self.clock.now());
        let presigned = self.authentication == Authentication::Presigned
            && outline.query.is_empty()
            && outline.copy.is_none();
        let sends_body = matches!(outline.method, Method::PUT | Method::POST);
        let hash = self.hash(&outline.body);
        let payload = hash.as_ref().map_or(UNSIGNED_PAYLOAD, Hex::as_str);
        let mut headers = std::mem::take(&mut self.headers);
        headers.push((header::HOST, route.authority.clone()));
        if let Some((first, length)) = outline.range {
            let last = first + length.max(1) - 1;
            headers.push((header::RANGE, value(&format!("bytes={first}-{last}"))));
        }
        if self.payload == PayloadMode::Crc64Nvme && sends_body && outline.copy.is_none() {
            headers.extend(self.checksum(&outline.body));
        }
        if !presigned {
            headers.push((
                CONTENT_SHA256,
                hash.as_ref().map_or(UNSIGNED, |h| value(h.as_str())),
            ));
        }
        if let Some((source, key)) = outline.copy {
            headers.push((COPY_SOURCE, value(&source)));
            headers.extend(shown(key, [COPY_ALGORITHM, COPY_KEY, COPY_KEY_MD5]));
        }
        if !presigned {
            headers.push((DATE, date));
            headers.extend(self.token.clone().map(|token| (TOKEN, token)));
        }
        headers.extend(shown(outline.key, [ALGORITHM, KEY, KEY_MD5]));

        let method = outline.method.as_str();
        let mut target = outline.path;
        if presigned {
            let query = self.signer.presigned_query(method, &target, &headers);
            target.push('?');
            target.push_str(&query);
        } else {
            let authorization =
                self.signer
                    .authorization(method, &target, outline.query, &headers, payload);
            headers.push((header::AUTHORIZATION, authorization));
            if !outline.query.is_empty() {
                target.push('?');
                target.push_str(outline.query);
            }
        }
        let body = self.body(outline.body);
        if sends_body {
            let length = http_body::Body::size_hint(&body).lower();
            headers.push((header::CONTENT_LENGTH, HeaderValue::from(length)));
        }
        let mut request = http::Request::new(body);
        *request.method_mut() = outline.method;
        *request.uri_mut() = Uri::from_maybe_shared(Bytes::from(target))
            .expect("names are encoded, and so are queries");
        let mut map = std::mem::take(spare);
        map.reserve(headers.len());
        for (name, value) in headers.drain(..) {
            map.append(name, value);
        }
        self.headers = headers;
        *request.headers_mut() = map;
        request
    }

    fn hash(&self, body: &Content<'_>) -> Option<Hex> {
        if self.payload != PayloadMode::Signed {
            return None;
        }
        let mut context = digest::Context::new(&digest::SHA256);
        self.each_slice(body, |bytes| context.update(bytes));
        Some(Hex::of(context.finish().as_ref()))
    }

    fn checksum(&self, body: &Content<'_>) -> Option<Covered> {
        if !matches!(body, Content::Object { .. }) {
            return None;
        }
        let mut crc = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
        self.each_slice(body, |bytes| crc.update(bytes));
        let text = BASE64_STANDARD.encode(crc.finalize().to_be_bytes());
        Some((CHECKSUM, value(&text)))
    }

    fn each_slice(&self, body: &Content<'_>, mut take: impl FnMut(&[u8])) {
        match body {
            Content::None => {}
            Content::Short(bytes) => take(bytes),
            Content::Object {
                object, from, to, ..
            } => {
                let mut at = *from;
                while at < *to {
                    let slice = self.pool.slice(*object, at, to - at);
                    take(&slice);
                    at += slice.len() as u64;
                }
            }
        }
    }

    fn body(&self, content: Content<'_>) -> Outgoing {
        match content {
            Content::None => Outgoing::Empty,
            Content::Short(bytes) => Outgoing::Short(Some(bytes)),
            Content::Object {
                object,
                from,
                to,
                clock,
                written,
            } => Outgoing::Object(Stretch {
                pool: self.pool.clone(),
                object,
                at: from,
                end: to,
                clock,
                written: Written::clone(written),
            }),
        }
    }
}

fn shown(key: Option<Shown>, names: [HeaderName; 3]) -> impl Iterator<Item = Covered> {
    let [algorithm, key_name, md5_name] = names;
    key.into_iter().flat_map(move |shown| {
        [
            (algorithm.clone(), AES256),
            (key_name.clone(), shown.key),
            (md5_name.clone(), shown.md5),
        ]
    })
}

/// A header's value that we made ourselves of printable characters.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("our own values are printable")
}
