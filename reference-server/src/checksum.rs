//! The five checksum algorithms of S3, their values in wire form, and how they are computed.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;

/// A checksum algorithm that S3 clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC), 4 bytes.
    Crc32,
    /// CRC-32C (Castagnoli), 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl ChecksumAlgorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The name in `x-amz-checksum-algorithm` and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries a value, in lower case.
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm whose header has this name, in any case.
    pub fn from_header(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.header().eq_ignore_ascii_case(name))
    }

    /// The length of a value in bytes.
    fn value_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// A checksum of a body: the algorithm, and the value as base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: ChecksumAlgorithm,
    /// The value in base64, as headers carry it.
    pub value: String,
}

impl Checksum {
    /// A value as a client sent it, if it is base64 of the right length.
    pub fn parse(algorithm: ChecksumAlgorithm, value: &str) -> Option<Self> {
        let bytes = STANDARD.decode(value).ok()?;
        (bytes.len() == algorithm.value_bytes()).then(|| Self {
            algorithm,
            value: value.to_owned(),
        })
    }
}

/// A checksum in the making.
pub(crate) struct RunningChecksum {
    algorithm: ChecksumAlgorithm,
    state: State,
}

enum State {
    Crc(Box<crc_fast::Digest>),
    Sha(Context),
}

impl RunningChecksum {
    pub(crate) fn new(algorithm: ChecksumAlgorithm) -> Self {
        let crc = |kind| State::Crc(Box::new(crc_fast::Digest::new(kind)));
        let state = match algorithm {
            ChecksumAlgorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            ChecksumAlgorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            ChecksumAlgorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            ChecksumAlgorithm::Sha1 => State::Sha(Context::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            ChecksumAlgorithm::Sha256 => State::Sha(Context::new(&SHA256)),
        };
        Self { algorithm, state }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(digest) => digest.update(bytes),
            State::Sha(context) => context.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Checksum {
        let value = match self.state {
            // Eight bytes hold every CRC; the shorter ones stand in the last four.
            State::Crc(digest) => {
                let bytes = digest.finalize().to_be_bytes();
                STANDARD.encode(&bytes[bytes.len() - self.algorithm.value_bytes()..])
            }
            State::Sha(context) => STANDARD.encode(context.finish()),
        };
        Checksum {
            algorithm: self.algorithm,
            value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(algorithm: ChecksumAlgorithm, input: &[u8], expected_hex: &str) {
        let mut running = RunningChecksum::new(algorithm);
        let (start, end) = input.split_at(input.len() / 2);
        running.update(start);
        running.update(end);
        let expected = STANDARD.encode(hex::decode(expected_hex).unwrap());
        assert_eq!(running.finish().value, expected);
    }

    // Check values of the catalogue of parametrised CRC algorithms (input `123456789`), and of
    // FIPS 180-2, appendices A.1 and B.1 (input `abc`).
    #[test]
    fn the_published_check_values() {
        check(ChecksumAlgorithm::Crc32, b"123456789", "cbf43926");
        check(ChecksumAlgorithm::Crc32c, b"123456789", "e3069283");
        check(
            ChecksumAlgorithm::Crc64Nvme,
            b"123456789",
            "ae8b14860a799888",
        );
        check(
            ChecksumAlgorithm::Sha1,
            b"abc",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
        );
        check(
            ChecksumAlgorithm::Sha256,
            b"abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
    }

    // The trailer of the S3 API reference, "Signature calculations for trailing headers".
    #[test]
    fn the_published_trailer() {
        let mut running = RunningChecksum::new(ChecksumAlgorithm::Crc32c);
        running.update(&[b'a'; 66560]);
        assert_eq!(running.finish().value, "sOO8/Q==");
    }

    #[test]
    fn a_value_has_a_length() {
        assert!(Checksum::parse(ChecksumAlgorithm::Crc32, "AAAAAA==").is_some());
        for bad in ["", "AAAA", "AAAAAAAAAAA=", "not base64", "AAAAAA==-2"] {
            assert!(
                Checksum::parse(ChecksumAlgorithm::Crc32, bad).is_none(),
                "{bad}"
            );
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let found = ChecksumAlgorithm::from_header("X-Amz-Checksum-CRC64NVME");
        assert_eq!(found, Some(ChecksumAlgorithm::Crc64Nvme));
        assert_eq!(ChecksumAlgorithm::from_header("x-amz-checksum-md5"), None);
    }
}
