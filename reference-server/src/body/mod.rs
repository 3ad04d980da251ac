//! The body of a request: limits, framing and every digest that the request declares.
//!
//! It yields decoded bytes as they come and vouches for them only at the end: what was read must
//! not become visible before [`IncomingBody::finish`] has returned.
//!
//! A checksum in the *query* of a presigned URL is ignored on purpose: the JavaScript SDK writes
//! the checksum of an empty body there, whatever will be uploaded.

mod aws_chunked;
mod declared;
mod digests;
pub(crate) mod form;
pub(crate) mod multipart;
mod patience;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use crate::auth::payload::Payload;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::s3_error::{Code, S3Error};
use aws_chunked::Decoder;
use declared::{Declared, too_large};
use digests::{Digests, Expected};
use multipart::FileDecoder;
pub use patience::Patience;
pub(crate) use patience::{TooSlow, Waits};

/// The largest body that one request may store: 5 GiB, S3's own limit.
pub const MAX_BODY_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// A body that has not been read yet, or in part.
pub struct IncomingBody {
    source: Source,
    /// Bytes that have arrived and are not decoded yet.
    pending: Bytes,
    framing: Framing,
    declared_length: Option<u64>,
    /// The length of the HTTP message, framing included.
    http_length: Option<u64>,
    received: u64,
    expected: Expected,
    digests: Digests,
    outcome: Option<Result<Verified, S3Error>>,
}

/// Where the bytes come from.
enum Source {
    Connection {
        incoming: Incoming,
        patience: Patience,
        waits: Waits,
        end: BodyEnd,
    },
    Memory(Bytes),
}

enum Framing {
    /// The bytes are the body.
    Plain,
    /// The bytes are framed once more. Taken when the body ends.
    AwsChunked(Box<Option<Decoder>>),
    /// The bytes are the file of a form, which may be so long.
    Form(FileDecoder, RangeInclusive<u64>),
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

/// Tells the connection whether a body was read to its end.
#[derive(Debug, Clone)]
pub(crate) struct BodyEnd(Arc<AtomicBool>);

impl BodyEnd {
    pub(crate) fn of(incoming: &Incoming) -> Self {
        Self(Arc::new(AtomicBool::new(incoming.is_end_stream())))
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn reached(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl IncomingBody {
    /// A body that arrives over a connection.
    ///
    /// # Errors
    /// The headers declare something impossible, unsupported or too large.
    pub(crate) fn new(
        incoming: Incoming,
        headers: &HeaderMap,
        payload: Payload,
        patience: Patience,
        end: BodyEnd,
    ) -> Result<Self, S3Error> {
        let http_length = incoming.size_hint().exact();
        Self::build(
            Source::Connection {
                incoming,
                patience,
                waits: Waits::default(),
                end,
            },
            http_length,
            headers,
            payload,
        )
    }

    /// A body in memory, for tests of what stands behind the front.
    ///
    /// # Errors
    /// As for a body that arrives.
    pub fn from_memory(
        bytes: impl Into<Bytes>,
        headers: &HeaderMap,
        payload: Payload,
    ) -> Result<Self, S3Error> {
        let bytes = bytes.into();
        let length = Some(bytes.len() as u64);
        Self::build(Source::Memory(bytes), length, headers, payload)
    }

    fn build(
        source: Source,
        http_length: Option<u64>,
        headers: &HeaderMap,
        payload: Payload,
    ) -> Result<Self, S3Error> {
        let aws_chunked = match payload {
            Payload::Unsigned | Payload::Sha256(_) => false,
            Payload::ChunkedUnsigned | Payload::ChunkedSigned { .. } => true,
        };
        let declared = Declared::read(headers, http_length, aws_chunked)?;
        let decoded = declared.length.unwrap_or(0);
        let mut expected = Expected {
            sha256: None,
            md5: declared.content_md5,
            checksum: declared.checksum,
        };
        if let Payload::Sha256(hash) = &payload
            && http_length == Some(0)
            && *hash != sha256_of_nothing()
        {
            // Nobody may ever read a body that is not there, so it is compared here.
            return Err(Code::XAmzContentSHA256Mismatch.into());
        }
        let framing = match payload {
            Payload::Unsigned => Framing::Plain,
            Payload::Sha256(hash) => {
                expected.sha256 = Some(hash);
                Framing::Plain
            }
            Payload::ChunkedUnsigned => {
                let decoder = Decoder::unsigned(decoded, declared.trailer);
                Framing::AwsChunked(Box::new(Some(decoder)))
            }
            Payload::ChunkedSigned { signer, trailer } => {
                let decoder = Decoder::signed(decoded, signer, trailer, declared.trailer);
                Framing::AwsChunked(Box::new(Some(decoder)))
            }
        };
        let digests = Digests::for_expected(&expected, declared.trailer);
        Ok(Self {
            source,
            pending: Bytes::new(),
            framing,
            declared_length: declared.length,
            http_length,
            received: 0,
            expected,
            digests,
            outcome: None,
        })
    }

    /// The decoded length that the request declared: `x-amz-decoded-content-length` for
    /// aws-chunked, else `Content-Length`; 0 for a request without a body; none for HTTP chunks of
    /// unknown length. It is at most [`MAX_BODY_BYTES`].
    pub fn declared_length(&self) -> Option<u64> {
        self.declared_length
    }

    /// The declared length of a body that is to be stored.
    ///
    /// # Errors
    /// 411 MissingContentLength without one.
    pub fn expect_length(&self) -> Result<u64, S3Error> {
        self.declared_length
            .ok_or(Code::MissingContentLength.into())
    }

    /// The checksum algorithm that the request declares, in a header or for the trailer.
    pub fn declared_checksum(&self) -> Option<ChecksumAlgorithm> {
        self.digests.checksum_algorithm()
    }

    /// Takes the checksum of a header out of what the body has to agree with: on a completion it is
    /// that of the object. To be called before the first read.
    pub fn take_checksum(&mut self) -> Option<Checksum> {
        let declared = self.expected.checksum.take()?;
        self.digests.drop_checksum();
        Some(declared)
    }

    /// Computes the MD5 that `Content-MD5` declares and does not compare it, as an impostor does. To be
    /// called before the first read.
    pub fn believe_md5(&mut self) {
        self.expected.md5 = None;
    }

    /// Computes the checksum that a header declares and does not compare it, as an impostor does. To be
    /// called before the first read.
    pub fn believe_checksum(&mut self) {
        self.expected.checksum = None;
    }

    /// Takes the framing of an aws-chunked body for part of it, and compares nothing of it, as an
    /// impostor does. To be called before the first read.
    pub fn keep_framing(&mut self) {
        if matches!(self.framing, Framing::AwsChunked(_)) {
            self.framing = Framing::Plain;
            self.declared_length = self.http_length;
            self.expected = Expected::default();
        }
    }

    /// Asks for the MD5 of the decoded bytes. To be called before the first read.
    pub fn also_compute_md5(&mut self) {
        self.digests.add_md5();
    }

    /// Asks for a checksum where the request declares none. To be called before the first read.
    pub fn also_compute(&mut self, algorithm: ChecksumAlgorithm) {
        self.digests.add_checksum(algorithm);
    }

    /// The next decoded bytes, or `None` at the end, when everything declared has been verified.
    /// A client that asked to be told to continue is told so by the first call.
    ///
    /// # Errors
    /// The body is short, stalls, is framed wrongly or differs from a declared digest. The same
    /// error comes again from every later call.
    pub async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        match &self.outcome {
            Some(Ok(_)) => return Ok(None),
            Some(Err(error)) => return Err(error.clone()),
            None => {}
        }
        let outcome = self.next_or_end().await;
        match outcome {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => {
                let verified = self.verify();
                let outcome = verified.as_ref().map(|_| None).map_err(Clone::clone);
                self.outcome = Some(verified);
                outcome
            }
            Err(error) => {
                self.outcome = Some(Err(error.clone()));
                Err(error)
            }
        }
    }

    /// What was verified. Reads, and drops, what is left.
    ///
    /// # Errors
    /// Those of [`IncomingBody::next`].
    pub async fn finish(mut self) -> Result<Verified, S3Error> {
        while self.next().await?.is_some() {}
        self.outcome
            .unwrap_or_else(|| Err(Code::IncompleteBody.into()))
    }

    /// The whole of a small body, as an XML document.
    ///
    /// # Errors
    /// 400 MaxMessageLengthExceeded above `limit` bytes, and those of [`IncomingBody::next`].
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, S3Error> {
        let mut whole = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            if whole.len() + bytes.len() > limit {
                return Err(S3Error::new(Code::MaxMessageLengthExceeded)
                    .detail("MaxMessageLengthBytes", limit.to_string()));
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.freeze())
    }

    async fn next_or_end(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            let decoded = match &mut self.framing {
                Framing::Plain => Some(std::mem::take(&mut self.pending)),
                Framing::AwsChunked(decoder) => match decoder.as_mut() {
                    Some(decoder) => decoder.decode(&mut self.pending)?,
                    None => return Ok(None),
                },
                Framing::Form(file, _) => file.decode(&mut self.pending)?,
            };
            if let Some(bytes) = decoded.filter(|bytes| !bytes.is_empty()) {
                self.received += bytes.len() as u64;
                if self.received > MAX_BODY_BYTES {
                    return Err(too_large(self.received));
                }
                if let Framing::Form(_, length) = &self.framing {
                    form::check_most(length, self.received)?;
                }
                self.digests.update(&bytes);
                return Ok(Some(bytes));
            }
            match self.source.next().await? {
                Some(bytes) => self.pending = bytes,
                None => return Ok(None),
            }
        }
    }

    /// At the end of the input: compares what came with what was declared.
    fn verify(&mut self) -> Result<Verified, S3Error> {
        if let Framing::AwsChunked(decoder) = &mut self.framing
            && let Some(decoder) = decoder.take()
            && let Some(in_trailer) = decoder.end()?
        {
            self.expected.checksum = Some(in_trailer);
        }
        if let Framing::Form(file, length) = &self.framing {
            file.end()?;
            form::check_least(length, self.received)?;
        }
        if self
            .declared_length
            .is_some_and(|declared| declared != self.received)
        {
            return Err(Code::IncompleteBody.into());
        }
        let agreed = std::mem::take(&mut self.digests).agree(&self.expected)?;
        Ok(Verified {
            length: self.received,
            checksum: agreed.checksum,
            md5: agreed.md5,
        })
    }
}

fn sha256_of_nothing() -> [u8; 32] {
    digest(&SHA256, b"")
        .as_ref()
        .try_into()
        .expect("SHA-256 gives 32 bytes")
}

impl Source {
    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        let (incoming, patience, waits, end) = match self {
            Self::Memory(bytes) => {
                let bytes = std::mem::take(bytes);
                return Ok((!bytes.is_empty()).then_some(bytes));
            }
            Self::Connection {
                incoming,
                patience,
                waits,
                end,
            } => (incoming, *patience, waits, end),
        };
        loop {
            let begun = Instant::now();
            match timeout(patience.stall, incoming.frame()).await {
                Err(_) => return Err(Code::RequestTimeout.into()),
                // hyper says so when the connection ends before the message does.
                Ok(Some(Err(_))) => return Err(Code::IncompleteBody.into()),
                // What is not data are HTTP's own trailers, which S3 does not use.
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        let waited = waits.add(begun.elapsed(), bytes.len(), &patience);
                        waited.map_err(|TooSlow| Code::RequestTimeout)?;
                        return Ok(Some(bytes));
                    }
                }
                Ok(None) => {
                    end.reached();
                    return Ok(None);
                }
            }
        }
    }
}
