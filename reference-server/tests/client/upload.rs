//! The requests of a multipart upload.

use super::{Ask, Pair, Reply, Served};

/// Creates an upload and returns its id.
pub async fn create(served: &Served, path: &str, headers: &[Pair<'_>]) -> String {
    let ask = Ask::new("POST", path)
        .query(&[("uploads", "")])
        .with(headers);
    let reply = served.send(&ask).await;
    reply.is(200).element("UploadId").expect("an upload id")
}

pub fn part<'a>(
    path: &'a str,
    (id, number): (&'a str, &'a str),
    headers: &[Pair<'a>],
    body: &'a [u8],
) -> Ask<'a> {
    Ask::new("PUT", path)
        .query(&[("partNumber", number), ("uploadId", id)])
        .with(headers)
        .body(body)
}

pub fn complete<'a>(path: &'a str, id: &'a str, list: &'a str, headers: &[Pair<'a>]) -> Ask<'a> {
    Ask::new("POST", path)
        .query(&[("uploadId", id)])
        .with(headers)
        .body(list.as_bytes())
}

/// The `ETag` of an answer, without its quotes.
pub fn etag(reply: &Reply) -> String {
    let etag = reply.is(200).header("etag").expect("an ETag");
    etag.trim_matches('"').to_owned()
}

/// The document that completes an upload of these parts.
pub fn list(parts: &[(u16, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>")
        })
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}
