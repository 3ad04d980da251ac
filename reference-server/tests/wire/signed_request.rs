//! Requests in the making, signed by code that shares nothing with the server's but hash functions.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

pub(crate) const ID: &str = "AKIDTEST";
pub(crate) const SECRET: &str = "secret-for-tests";
pub(crate) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[expect(
    clippy::disallowed_methods,
    reason = "signatures are made at the time of the test"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// The SHA-256 of these bytes in hexadecimal digits.
pub(crate) fn sha256(data: &[u8]) -> String {
    hex::encode(digest(&SHA256, data))
}

/// A request in the making. Nothing is added to it but what its methods say.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// Path and query as they go over the wire; the query sorted and encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &'static str, target: &str) -> Self {
        let headers = vec![("Host".to_owned(), "localhost".to_owned())];
        Self {
            method,
            target: target.to_owned(),
            headers,
            body: Vec::new(),
        }
    }

    /// A PUT of these bytes, with their length.
    pub(crate) fn put(target: &str, body: &[u8]) -> Self {
        let mut request =
            Self::new("PUT", target).header("Content-Length", &body.len().to_string());
        request.body = body.to_vec();
        request
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Signs all headers that are there, now, over this payload hash.
    pub(crate) fn signed(self, payload_hash: &str) -> Self {
        self.signed_at(payload_hash, now())
    }

    pub(crate) fn signed_at(self, payload_hash: &str, time: SystemTime) -> Self {
        let scope = Scope::at(time);
        self.signed_in(payload_hash, &scope)
    }

    pub(crate) fn signed_in(mut self, payload_hash: &str, scope: &Scope) -> Self {
        self = self
            .header("x-amz-content-sha256", payload_hash)
            .header("x-amz-date", &scope.date);
        let mut names: Vec<String> = self
            .headers
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect();
        names.sort();
        names.dedup();
        let signature = self.signature(&names, payload_hash, scope);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={signature}",
            scope.id,
            scope.text(),
            names.join(";"),
        );
        self.header("Authorization", &value)
    }

    /// Puts the signature into the query, over the host and these headers.
    pub(crate) fn presigned(self, expires: &str, names: &[&str]) -> Self {
        self.presigned_at(expires, names, now())
    }

    pub(crate) fn presigned_at(mut self, expires: &str, names: &[&str], time: SystemTime) -> Self {
        let scope = Scope::at(time);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let separator = if self.target.contains('?') { '&' } else { '?' };
        self.target.push_str(&format!(
            "{separator}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}&X-Amz-Date={}\
             &X-Amz-Expires={expires}&X-Amz-SignedHeaders={}",
            scope.id,
            scope.text().replace('/', "%2F"),
            scope.date,
            names.join("%3B"),
        ));
        let signature = self.signature(&names, "UNSIGNED-PAYLOAD", &scope);
        self.target
            .push_str(&format!("&X-Amz-Signature={signature}"));
        self
    }

    /// The signature over the headers named, in the order named.
    pub(crate) fn signature(&self, names: &[String], payload_hash: &str, scope: &Scope) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut query: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                if pair.contains('=') {
                    pair.to_owned()
                } else {
                    format!("{pair}=")
                }
            })
            .collect();
        query.sort();
        let mut lines = String::new();
        for name in names {
            let values: Vec<&str> = self
                .headers
                .iter()
                .filter(|(header, _)| header.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
                .collect();
            lines.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        let canonical = format!(
            "{}\n{path}\n{}\n{lines}\n{}\n{payload_hash}",
            self.method,
            query.join("&"),
            names.join(";"),
        );
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            scope.date,
            scope.text(),
            hex::encode(digest(&SHA256, canonical.as_bytes())),
        );
        scope.sign(&to_sign)
    }

    /// What goes over the wire before the body.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// When, where and by whom a signature is made.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) date: String,
    pub(crate) region: String,
}

impl Scope {
    pub(crate) fn at(time: SystemTime) -> Self {
        let moment = jiff::Timestamp::try_from(time).unwrap();
        Self {
            id: ID.to_owned(),
            secret: SECRET.to_owned(),
            date: moment.strftime("%Y%m%dT%H%M%SZ").to_string(),
            region: "us-east-1".to_owned(),
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{}/{}/s3/aws4_request", &self.date[..8], self.region)
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for step in [&self.date[..8], &self.region, "s3", "aws4_request", text] {
            key = sign(&Key::new(HMAC_SHA256, &key), step.as_bytes())
                .as_ref()
                .to_vec();
        }
        hex::encode(key)
    }
}
