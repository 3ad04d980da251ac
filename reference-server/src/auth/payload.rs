//! What a request says about its payload in `x-amz-content-sha256`.

use super::chunk_signature::ChunkSigner;
use crate::s3_error::{Code, S3Error};

/// How the body is tied to the signature, and how it is framed.
#[derive(Debug)]
pub enum Payload {
    /// Not at all; framed by HTTP alone.
    Unsigned,
    /// By its SHA-256; framed by HTTP alone.
    Sha256([u8; 32]),
    /// aws-chunked without signatures, a trailer behind the last chunk.
    ChunkedUnsigned,
    /// aws-chunked, every chunk signed, and the trailer too if there is one.
    ChunkedSigned {
        /// Verifies the chain of signatures.
        signer: ChunkSigner,
        /// Whether a trailer stands behind the last chunk.
        trailer: bool,
    },
}

/// The forms of the header's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PayloadHash {
    Unsigned,
    Sha256([u8; 32]),
    ChunkedUnsigned,
    ChunkedSigned { trailer: bool },
}

/// The literal for a payload that the signature does not cover.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

impl PayloadHash {
    pub(super) fn parse(text: &str) -> Result<Self, S3Error> {
        match text {
            UNSIGNED_PAYLOAD => Ok(Self::Unsigned),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::ChunkedUnsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::ChunkedSigned { trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
                Ok(Self::ChunkedSigned { trailer: true })
            }
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
            | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => Err(S3Error::with_message(
                Code::NotImplemented,
                "Chunks signed with Signature Version 4A are not supported.",
            )),
            digits => {
                let mut hash = [0; 32];
                if hex::decode_to_slice(digits, &mut hash).is_err() {
                    return Err(S3Error::with_message(
                        Code::InvalidArgument,
                        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
                         STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                         STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                    )
                    .argument("x-amz-content-sha256", None));
                }
                Ok(Self::Sha256(hash))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(matches!(
            PayloadHash::parse(empty),
            Ok(PayloadHash::Sha256(_))
        ));
        for bad in [
            "",
            "e3b0",
            &empty[1..],
            "unsigned-payload",
            "STREAMING-OTHER",
        ] {
            assert_eq!(
                PayloadHash::parse(bad).unwrap_err().code(),
                Code::InvalidArgument,
                "{bad}"
            );
        }
    }

    #[test]
    fn signature_version_4a_is_named() {
        let error = PayloadHash::parse("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").unwrap_err();
        assert_eq!(error.code(), Code::NotImplemented);
    }
}
