//! The chain of signatures over the chunks of an aws-chunked body.
//!
//! Sources: Amazon S3 API reference, "Transferring Payload in Multiple Chunks (Chunked Upload)" and
//! "Signature calculations for trailing headers (chunked uploads)".

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{Key, verify};

use super::claim::Signature;
use crate::s3_error::{Code, S3Error};

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Verifies one signature after the other; each covers the one before it.
pub struct ChunkSigner {
    key: Arc<Key>,
    timestamp: String,
    scope: String,
    previous: Signature,
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").finish_non_exhaustive()
    }
}

impl ChunkSigner {
    /// Starts with the signature of the request itself.
    pub(super) fn new(key: Arc<Key>, timestamp: &str, scope: String, seed: Signature) -> Self {
        Self {
            key,
            timestamp: timestamp.to_owned(),
            scope,
            previous: seed,
        }
    }

    /// Verifies the signature, 64 hexadecimal digits, of a chunk whose data has this SHA-256.
    ///
    /// # Errors
    /// 403 SignatureDoesNotMatch.
    pub fn verify_chunk(&mut self, signature: &[u8], data_sha256: &[u8]) -> Result<(), S3Error> {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{EMPTY_SHA256}\n{}",
            self.timestamp,
            self.scope,
            hex::encode(self.previous.0),
            hex::encode(data_sha256),
        );
        self.verify(signature, &text)
    }

    /// Verifies the signature of the trailer: its lines as `name:value` with a newline behind each.
    ///
    /// # Errors
    /// 403 SignatureDoesNotMatch.
    pub fn verify_trailer(&mut self, signature: &[u8], lines: &[u8]) -> Result<(), S3Error> {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}",
            self.timestamp,
            self.scope,
            hex::encode(self.previous.0),
            hex::encode(digest(&SHA256, lines)),
        );
        self.verify(signature, &text)
    }

    fn verify(&mut self, signature: &[u8], text: &str) -> Result<(), S3Error> {
        let signature = Signature::parse(signature).ok_or(Code::SignatureDoesNotMatch)?;
        // aws-lc compares in constant time.
        verify(&self.key, text.as_bytes(), &signature.0)
            .map_err(|_| Code::SignatureDoesNotMatch)?;
        self.previous = signature;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::signing_key::SigningKeys;
    use super::*;

    fn signer(seed: &str) -> ChunkSigner {
        let keys = SigningKeys::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
        ChunkSigner::new(
            keys.for_date("20130524"),
            "20130524T000000Z",
            "20130524/us-east-1/s3/aws4_request".to_owned(),
            Signature::parse(seed.as_bytes()).unwrap(),
        )
    }

    fn hash(data: &[u8]) -> Vec<u8> {
        digest(&SHA256, data).as_ref().to_vec()
    }

    // The page on chunked uploads: 65536 bytes of `a`, 1024 bytes of `a`, the end.
    #[test]
    fn the_published_chain() {
        let mut signer = signer("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
        let chain = [
            (
                65536,
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            ),
            (
                1024,
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            ),
            (
                0,
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ),
        ];
        for (length, signature) in chain {
            signer
                .verify_chunk(signature.as_bytes(), &hash(&vec![b'a'; length]))
                .unwrap();
        }
    }

    // The page on trailing headers: the same chunks, then the CRC-32C of the object.
    #[test]
    fn the_published_chain_with_a_trailer() {
        let mut signer = signer("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
        let chain = [
            (
                65536,
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            ),
            (
                1024,
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            ),
            (
                0,
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
            ),
        ];
        for (length, signature) in chain {
            signer
                .verify_chunk(signature.as_bytes(), &hash(&vec![b'a'; length]))
                .unwrap();
        }
        signer
            .verify_trailer(
                b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
                b"x-amz-checksum-crc32c:sOO8/Q==\n",
            )
            .unwrap();
    }

    #[test]
    fn a_chunk_that_was_changed_or_moved_is_refused() {
        let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
        let first = b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
        let data = hash(&[b'a'; 65536]);
        assert!(signer(seed).verify_chunk(first, &data).is_ok());
        assert!(
            signer(seed)
                .verify_chunk(first, &hash(&[b'b'; 65536]))
                .is_err()
        );
        let mut twice = signer(seed);
        twice.verify_chunk(first, &data).unwrap();
        assert!(twice.verify_chunk(first, &data).is_err());
        assert!(signer(seed).verify_chunk(b"", &data).is_err());
    }
}
