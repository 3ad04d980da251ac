//! A body in signed chunks (aws-chunked), from the page "Signature Calculations for the Authorization
//! Header: Transferring Payload in Multiple Chunks" of the S3 API reference.

use bytes::Bytes;

use super::Signer;
use super::bytewise::{hmac, scope, sha256, signing_key};

/// What stands for the hash of a body whose chunks are signed one by one.
pub(super) const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/// Bytes of each chunk but the last; S3 wants 8 KiB at least.
const CHUNK: usize = 64 << 10;

/// Between a chunk's length and its signature.
const SIGNATURE: &str = ";chunk-signature=";
/// Hex digits of a signature.
const DIGITS: usize = 64;

/// Length of the chunks of a body of that length, the empty last one included.
pub(super) fn length(decoded: usize) -> usize {
    let framed = |chunk: usize| format!("{chunk:x}").len() + SIGNATURE.len() + DIGITS + 4 + chunk;
    let rest = decoded % CHUNK;
    let last = if rest == 0 { 0 } else { framed(rest) };
    (decoded / CHUNK) * framed(CHUNK) + last + framed(0)
}

/// The body in chunks. `seed` is the signature of the head, of which `date` is the `x-amz-date`.
pub(super) fn encode(signer: &Signer<'_>, date: &str, seed: &str, body: &[u8]) -> Bytes {
    let key = signing_key(signer, date);
    let scope = scope(signer, date);
    let nothing = hex::encode(sha256(b""));
    let mut before = seed.to_owned();
    let mut encoded = Vec::with_capacity(length(body.len()));
    for chunk in body.chunks(CHUNK).chain([&[][..]]) {
        let hash = hex::encode(sha256(chunk));
        let to_sign =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{before}\n{nothing}\n{hash}");
        before = hex::encode(hmac(&key, to_sign.as_bytes()));
        encoded.extend_from_slice(format!("{:x}{SIGNATURE}{before}\r\n", chunk.len()).as_bytes());
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.into()
}
