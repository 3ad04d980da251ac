//! One upload in parts as one operation: create, parts one after the other, complete.
//!
//! A stream is one stream: no part is sent beside another.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;

use super::exchange::{Answer, Reading, exchange, written};
use super::judge::Judged;
use super::outgoing::Written;
use super::request::{Content, Outline};
use super::worker::{Done, Stream};
use super::workload::{Draw, Op};
use crate::s3::request::encode;

/// Most parts of one upload (AWS).
pub const MAX_PARTS: u64 = 10_000;

/// Uploads the object of a draw.
///
/// # Errors
/// The class of failure, where an answer did not come.
pub(super) async fn upload(stream: &mut Stream, draw: &Draw) -> Result<Done, &'static str> {
    let part_size = stream.shared.drawing.workload().part_size.max(1);
    let note = written();
    let created = step(stream, draw, "uploads=", Method::POST, Content::None, &note).await?;
    let begun = created.timing.begun;
    if !created.is_success() {
        return Ok(done(created, draw, begun));
    }
    let Some(id) = text_of(&created.kept, "UploadId") else {
        return Err("no upload id");
    };
    let id = encode(&id);
    let mut parts = String::from("<CompleteMultipartUpload>");
    let count = draw.size.div_ceil(part_size).max(1);
    for number in 1..=count {
        let query = format!("partNumber={number}&uploadId={id}");
        let from = (number - 1) * part_size;
        let content = Content::Object {
            object: draw.object,
            from,
            to: draw.size.min(from + part_size),
            clock: stream.clock,
            written: &note,
        };
        let answer = step(stream, draw, &query, Method::PUT, content, &note).await?;
        let etag = answer.etag.as_ref().and_then(|etag| etag.to_str().ok());
        let Some(etag) = etag.filter(|_| answer.is_success()) else {
            abort(stream, draw, &id).await;
            return Ok(done(answer, draw, begun));
        };
        let _ = write!(
            parts,
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>",
            etag.replace('&', "&amp;").replace('<', "&lt;")
        );
    }
    parts.push_str("</CompleteMultipartUpload>");
    let query = format!("uploadId={id}");
    let body = Content::Short(Bytes::from(parts));
    let answer = step(stream, draw, &query, Method::POST, body, &note).await?;
    Ok(done(answer, draw, begun))
}

/// Best effort: what is left of a failed upload costs money.
async fn abort(stream: &mut Stream, draw: &Draw, id: &str) {
    let query = format!("uploadId={id}");
    let note = written();
    let aborted = step(stream, draw, &query, Method::DELETE, Content::None, &note).await;
    if aborted.is_err() {
        stream.connection = None;
    }
}

async fn step(
    stream: &mut Stream,
    draw: &Draw,
    query: &str,
    method: Method,
    body: Content<'_>,
    note: &Written,
) -> Result<Answer, &'static str> {
    let request = {
        let mut requests = stream.requests.borrow_mut();
        let arm = &stream.shared.drawing.workload().arms[draw.arm];
        let outline = requests.outline(Op::Multipart, arm, draw.object, None);
        let keyed = method == Method::PUT || query == "uploads=";
        let outline = Outline {
            method,
            query,
            body,
            key: outline.key.filter(|_| keyed),
            path: outline.path,
            range: None,
            copy: None,
        };
        requests.sign(&stream.shared.routes[stream.route], outline)
    };
    let connection = stream.connection.as_mut().ok_or("connection closed")?;
    exchange(connection, request, note, stream.clock, Reading::Keep).await
}

fn done(answer: Answer, draw: &Draw, begun: std::time::Duration) -> Done {
    let says_error = text_of(&answer.kept, "Code").is_some();
    let judged = if answer.is_success() && !says_error {
        Judged {
            outcome: Ok(draw.size),
            damage: None,
        }
    } else {
        Judged::failed(answer.class())
    };
    let mut timing = answer.timing;
    timing.begun = begun;
    Done {
        judged,
        timing,
        ids: answer.ids,
    }
}

/// The text of the first element of that name.
fn text_of(xml: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(xml).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (found, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = found.replace("&quot;", "\"").replace("&amp;", "&");
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_by_its_name() {
        let xml = b"<R><Bucket>b</Bucket><UploadId>a&amp;b</UploadId></R>";
        assert_eq!(text_of(xml, "UploadId").as_deref(), Some("a&b"));
        assert_eq!(text_of(xml, "Code"), None);
        assert_eq!(text_of(b"<UploadId></UploadId>", "UploadId"), None);
        assert_eq!(text_of(&[0xff], "UploadId"), None);
    }
}
