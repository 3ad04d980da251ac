//! The body of a request: limits, framing and every digest that the request declares.
//!
//! It yields decoded bytes as they come and vouches for them only at the end: what was read must
//! not become visible before [`IncomingBody::finish`] has returned.

use bytes::Bytes;

use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::s3_error::{Code, S3Error};

/// The largest body that one request may store: 5 GiB, S3's own limit.
pub const MAX_BODY_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// A body that has not been read yet, or in part.
pub struct IncomingBody {
    declared: Option<u64>,
}

/// What is known of a body that was read to its end and agrees with all that the request declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Decoded length in bytes.
    pub length: u64,
    /// The checksum that the request declared, or that [`IncomingBody::also_compute`] asked for.
    pub checksum: Option<Checksum>,
    /// The MD5, if the request declared one or [`IncomingBody::also_compute_md5`] asked for it.
    pub md5: Option<[u8; 16]>,
}

impl IncomingBody {
    /// The decoded length that the request declared: `x-amz-decoded-content-length` for
    /// aws-chunked, else `Content-Length`; 0 for a request without a body; none for HTTP chunks of
    /// unknown length.
    pub fn declared_length(&self) -> Option<u64> {
        self.declared
    }

    /// The declared length of a body that is to be stored.
    ///
    /// # Errors
    /// 411 MissingContentLength without one, 400 EntityTooLarge above [`MAX_BODY_BYTES`].
    pub fn expect_length(&self) -> Result<u64, S3Error> {
        match self.declared {
            None => Err(Code::MissingContentLength.into()),
            Some(length) if length > MAX_BODY_BYTES => Err(Code::EntityTooLarge.into()),
            Some(length) => Ok(length),
        }
    }

    /// Asks for the MD5 of the decoded bytes. To be called before the first read.
    pub fn also_compute_md5(&mut self) {}

    /// Asks for a checksum where the request declares none. To be called before the first read.
    pub fn also_compute(&mut self, _algorithm: ChecksumAlgorithm) {}

    /// The next decoded bytes, or `None` at the end, when everything declared has been verified.
    ///
    /// # Errors
    /// The body is short, stalls, is framed wrongly or differs from a declared digest.
    pub async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        Err(Code::NotImplemented.into())
    }

    /// What was verified. To be called after [`IncomingBody::next`] gave `None`.
    ///
    /// # Errors
    /// Reads, and drops, what is left, with the errors of [`IncomingBody::next`].
    pub async fn finish(self) -> Result<Verified, S3Error> {
        Err(Code::NotImplemented.into())
    }

    /// The whole of a small body, as an XML document.
    ///
    /// # Errors
    /// 400 MaxMessageLengthExceeded above `limit` bytes, and the errors of [`IncomingBody::next`].
    pub async fn collect(self, _limit: usize) -> Result<Bytes, S3Error> {
        Err(Code::NotImplemented.into())
    }
}
