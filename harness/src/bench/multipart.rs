//! One upload in parts as one operation: create, parts one after the other, complete.
//!
//! A stream is one stream: no part is sent beside another.

use bytes::Bytes;
use http::Method;

use super::exchange::{Answer, Reading, exchange, written};
use super::judge::{Judged, says_error};
use super::outgoing::Written;
use super::request::{Content, Outline};
use super::worker::{Done, Stream};
use super::workload::{Draw, Op};
use crate::s3::error_document::value_at;
use crate::s3::operation::parts_document;
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
    if !created.is_short_success() {
        return Ok(done(created, draw, begun));
    }
    let Some(id) = value_at(&created.kept, "UploadId").filter(|id| !id.is_empty()) else {
        return Err("no upload id");
    };
    let id = encode(&id);
    let mut parts = Vec::new();
    let count = draw.size.div_ceil(part_size).max(1);
    let count = u32::try_from(count).map_err(|_| "too many parts")?;
    for number in 1..=count {
        let query = format!("partNumber={number}&uploadId={id}");
        let from = u64::from(number - 1) * part_size;
        let content = Content::Object {
            object: draw.object,
            from,
            to: draw.size.min(from + part_size),
            clock: stream.clock,
            written: &note,
        };
        let answer = match step(stream, draw, &query, Method::PUT, content, &note).await {
            Ok(answer) => answer,
            Err(class) => {
                abort(stream, draw, &id).await;
                return Err(class);
            }
        };
        let etag = answer.etag.as_ref().and_then(|etag| etag.to_str().ok());
        let Some(etag) = etag.filter(|_| answer.is_short_success()) else {
            abort(stream, draw, &id).await;
            return Ok(done(answer, draw, begun));
        };
        parts.push((number, etag.to_owned()));
    }
    let query = format!("uploadId={id}");
    let body = Content::Short(Bytes::from(parts_document(&parts)));
    let answer = step(stream, draw, &query, Method::POST, body, &note).await?;
    Ok(done(answer, draw, begun))
}

/// Best effort: what is left of a failed upload costs money.
async fn abort(stream: &mut Stream, draw: &Draw, id: &str) {
    let query = format!("uploadId={id}");
    let note = written();
    let _ = step(stream, draw, &query, Method::DELETE, Content::None, &note).await;
}

async fn step(
    stream: &mut Stream,
    draw: &Draw,
    query: &str,
    method: Method,
    body: Content<'_>,
    note: &Written,
) -> Result<Answer, &'static str> {
    // A target may close after any answer; an upload goes on where it was.
    if !stream.is_reusable().await {
        stream.open().await?;
    }
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
        let connection = stream.connection.as_mut().ok_or("connection closed")?;
        requests.sign(&stream.routes[stream.route], outline, &mut connection.spare)
    };
    let connection = stream.connection.as_mut().ok_or("connection closed")?;
    let answer = exchange(connection, request, note, stream.clock, Reading::Keep).await;
    if answer
        .as_ref()
        .map_or(true, |answer| answer.cut || answer.left)
    {
        stream.connection = None;
    }
    answer
}

fn done(answer: Answer, draw: &Draw, begun: std::time::Duration) -> Done {
    let judged = if answer.is_short_success() && !says_error(&answer.kept) {
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
