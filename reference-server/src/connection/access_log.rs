//! The access log: one line a request that was answered, but none for those for health, which come
//! every few seconds. It holds no header, and of the query only what cannot be a secret.
//!
//! A line is the time of the answer, the client's address, method, path, query, status, the
//! milliseconds until the answer began, and the request id, with one blank between:
//! `2026-11-28T17:20:00.123Z 127.0.0.1:40112 GET /demo/a?versionId=1&X-Amz-Signature=- 200 3ms 4F…`.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::{Method, Uri};

use crate::server::StartError;

/// Parameters whose values are shown. Everything else may be a signature, a token, a customer key
/// or metadata.
const SHOWN: [&str; 23] = [
    "X-Amz-Algorithm",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "attributes",
    "cors",
    "delete",
    "delimiter",
    "encoding-type",
    "encryption",
    "list-type",
    "location",
    "max-keys",
    "partNumber",
    "policy",
    "prefix",
    "start-after",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
];
/// Parameters that are named without their values; of all others not even the name is shown.
const NAMED: [&str; 8] = [
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "continuation-token",
    "marker",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-MD5",
];

/// An open log. Lines are appended whole, so that it can be rotated by copying and truncating.
pub(crate) struct AccessLog {
    file: File,
    is_broken: AtomicBool,
}

/// What a line tells.
pub(super) struct Entry<'a> {
    pub(super) time: SystemTime,
    pub(super) peer: Option<SocketAddr>,
    pub(super) method: &'a Method,
    /// From [`shown`].
    pub(super) target: &'a str,
    pub(super) status: u16,
    pub(super) elapsed: Duration,
    pub(super) request_id: &'a str,
}

impl AccessLog {
    /// Opens the log to append to it; a new one is its owner's alone.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let opened = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path);
        match opened {
            Ok(file) => Ok(Self {
                file,
                is_broken: AtomicBool::new(false),
            }),
            Err(error) => Err(StartError::DataDir {
                path: path.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Appends a line. A disk that is full loses lines and keeps the server.
    pub(super) fn write(&self, entry: &Entry<'_>) {
        let written = (&self.file).write_all(line(entry).as_bytes());
        let was_broken = self.is_broken.swap(written.is_err(), Ordering::Relaxed);
        if let Err(error) = written
            && !was_broken
        {
            tracing::warn!(%error, "the access log cannot be written; lines are lost");
        }
    }
}

fn line(entry: &Entry<'_>) -> String {
    let time = jiff::Timestamp::try_from(entry.time).unwrap_or_default();
    let time = time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
    let peer = entry
        .peer
        .map_or_else(|| "-".to_owned(), |peer| peer.to_string());
    format!(
        "{time} {peer} {} {} {} {}ms {}\n",
        entry.method,
        entry.target,
        entry.status,
        entry.elapsed.as_millis(),
        entry.request_id
    )
}

/// Path and query of a request as a line shows them, on one line whatever was sent.
pub(super) fn shown(uri: &Uri) -> String {
    let mut text = String::new();
    push(&mut text, uri.path());
    let mut mark = '?';
    for parameter in uri.query().unwrap_or_default().split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if SHOWN.contains(&name) {
            text.push(mark);
            push(&mut text, parameter);
        } else if NAMED.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let _ = write!(text, "{mark}{name}=-");
        } else if !name.is_empty() || !value.is_empty() {
            let _ = write!(text, "{mark}-");
        } else {
            continue;
        }
        mark = '&';
    }
    text
}

/// Appends what a request line holds, with anything but visible ASCII percent-encoded.
fn push(text: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(target: &str, expected: &str) {
        assert_eq!(shown(&target.parse().unwrap()), expected);
    }

    #[test]
    fn values_that_may_be_secret_are_not_shown() {
        check("/demo/a", "/demo/a");
        check(
            "/demo?list-type=2&prefix=a%2F",
            "/demo?list-type=2&prefix=a%2F",
        );
        for name in ["uploads", "policy", "versioning", "cors"] {
            check(&format!("/demo?{name}"), &format!("/demo?{name}"));
        }
        check(
            "/demo/a?X-Amz-Signature=ab12&X-Amz-Expires=60",
            "/demo/a?X-Amz-Signature=-&X-Amz-Expires=60",
        );
        let key = "x-amz-server-side-encryption-customer-key";
        check(&format!("/a?{key}=c2VjcmV0"), &format!("/a?{key}=-"));
        check("/a?x-amz-signature=ab12", "/a?x-amz-signature=-");
        check("/a?c2VjcmV0", "/a?-");
        check("/a?X-Amz%2DSignature=ab12&x=y", "/a?-&-");
        check("/a?&&", "/a");
    }

    #[test]
    fn a_line_stays_one_line() {
        check("/demo/\u{e4}%0Ab", "/demo/%C3%A4%0Ab");
        let entry = Entry {
            time: SystemTime::UNIX_EPOCH,
            peer: None,
            method: &Method::GET,
            target: "/demo/a",
            status: 200,
            elapsed: Duration::from_millis(3),
            request_id: "4F",
        };
        let expected = "1970-01-01T00:00:00.000Z - GET /demo/a 200 3ms 4F\n";
        assert_eq!(line(&entry), expected);
    }
}
