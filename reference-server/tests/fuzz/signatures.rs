//! Signed things: bodies in chunks, the `Authorization` header, presigned URLs.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;

use super::client::{Ask, Served};
use super::ground::{Ground, KEPT, between, one_line, wire_lines, with_body};
use super::mutation::{Mutator, corpus};

const PATH: &str = "/bucket/chunked";

super::target!(chunks, chunks_long, "aws-chunked bodies", 240, chunked);
super::target!(
    header,
    header_long,
    "Authorization headers",
    120,
    authorization
);
super::target!(url, url_long, "presigned URLs", 120, presigned);

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// Signed chunks, from the AWS page "Signature calculations for the Authorization header: chunked
/// upload": each signature covers the one before it.
fn signed_chunks(served: &Served, head: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let date = between(head, "x-amz-date: ", "\r\n");
    let (_, scope) = between(head, "Credential=", ",").split_once('/').unwrap();
    let secret = format!("AWS4{}", served.server.secret_access_key);
    let sign = |key: &[u8], text: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let key = scope
        .split('/')
        .fold(secret.into_bytes(), |key, step| sign(&key, step));
    let mut previous = between(head, "Signature=", "\r\n").to_owned();
    let mut body = Vec::new();
    for chunk in chunks.iter().copied().chain([&b""[..]]) {
        let (nothing, data) = (sha256(b""), sha256(chunk));
        let to_sign =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{previous}\n{nothing}\n{data}");
        previous = hex::encode(sign(&key, &to_sign));
        body.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
    }
    body
}

/// What a seed holds: signed ones have a chunk a line and are framed here, unsigned ones a size and a
/// chunk, line by line, before their trailer.
fn plaintext(seed: &str, signed: bool) -> String {
    if signed {
        return seed.replace('\n', "");
    }
    let chunks = seed.lines().skip(1).step_by(2);
    chunks
        .take_while(|line| !line.starts_with("x-amz-"))
        .collect()
}

/// A checksum or signatures cover every byte, so that whatever is taken is what the seed says.
async fn chunked(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let folders = [corpus("chunks_unsigned"), corpus("chunks_signed")];
    for round in 0..rounds {
        let signed = round % 2 == 1;
        let seeds = &folders[usize::from(signed)];
        let seed = &seeds[mutator.below(seeds.len())];
        let plain = plaintext(seed.text(), signed);
        let length = plain.len().to_string();
        let kind = ["UNSIGNED-PAYLOAD-TRAILER", "AWS4-HMAC-SHA256-PAYLOAD"][usize::from(signed)];
        let kind = format!("STREAMING-{kind}");
        let mut ask = Ask::new("PUT", PATH).payload(&kind).with(&[
            ("Content-Encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", &length),
        ]);
        if !signed {
            ask = ask.with(&[("x-amz-trailer", "x-amz-checksum-crc32")]);
        }
        let request = ground.served.signed(&ask);
        let body = if signed {
            let chunks: Vec<_> = seed.text().lines().map(str::as_bytes).collect();
            signed_chunks(&ground.served, &String::from_utf8_lossy(&request), &chunks)
        } else {
            wire_lines(seed.text()).into_bytes()
        };
        let control = round % 16 < 2;
        let sent = if control {
            body
        } else {
            mutator.mutated(&body, &folders[0])
        };
        let reply = ground.fire(&with_body(&request, &sent), false).await;
        if control {
            reply.is(200);
        }
        if reply.status == 200 {
            let read = ground.served.send_plain(&Ask::new("GET", PATH)).await;
            assert_eq!(
                read.is(200).body,
                plain.as_bytes(),
                "{}",
                sent.escape_ascii()
            );
        }
    }
    ground.close().await
}

/// What opens the door holds the whole signature.
async fn authorization(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("authorization");
    for round in 0..rounds {
        let request = ground.served.signed(&Ask::new("GET", "/bucket/kept"));
        let text = String::from_utf8(request).unwrap();
        let value = between(&text, "Authorization: ", "\r\n");
        let signature = between(&text, "Signature=", "\r\n");
        let made = seeds[mutator.below(seeds.len())]
            .text()
            .replace("{credential}", between(value, "Credential=", ","))
            .replace("{names}", between(value, "SignedHeaders=", ","))
            .replace("{signature}", signature);
        let control = round % 8 == 0;
        let sent = if control {
            made.into_bytes()
        } else {
            one_line(mutator.mutated(made.as_bytes(), &seeds))
        };
        let (before, after) = text.split_once(value).unwrap();
        let bytes = [before.as_bytes(), &sent, after.as_bytes()].concat();
        let reply = ground.fire(&bytes, false).await;
        assert!(!control || reply.status == 200, "{}", reply.text());
        if reply.status == 200 {
            assert_eq!(reply.body, KEPT);
            assert_signature(&sent, signature);
        }
    }
    ground.close().await
}

async fn presigned(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let donors = corpus("presigned");
    for round in 0..rounds {
        let ask = Ask::new("GET", "/bucket/kept").presigned();
        let text = String::from_utf8(ground.served.signed(&ask)).unwrap();
        let query = between(&text, "?", " HTTP/1.1");
        let signature = between(&text, "X-Amz-Signature=", " ");
        let control = round % 8 == 0;
        let sent = if control {
            query.as_bytes().to_vec()
        } else {
            one_line(mutator.mutated(query.as_bytes(), &donors))
        };
        let (before, after) = text.split_once(query).unwrap();
        let bytes = [before.as_bytes(), &sent, after.as_bytes()].concat();
        let reply = ground.fire(&bytes, false).await;
        assert!(!control || reply.status == 200, "{}", reply.text());
        if reply.status == 200 {
            assert_signature(&sent, signature);
        }
    }
    ground.close().await
}

#[track_caller]
fn assert_signature(sent: &[u8], signature: &str) {
    let shown = String::from_utf8_lossy(sent).to_ascii_lowercase();
    assert!(shown.contains(signature), "served with {shown}");
}
