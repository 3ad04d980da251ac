//! Checksums of bodies as S3 shows them: base64, over the plaintext.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use crc_fast::CrcAlgorithm;

use crate::scenario::definition::Checksum;

/// The header that carries a checksum of this kind.
#[must_use]
pub fn header(kind: Checksum) -> String {
    format!("x-amz-checksum-{}", kind.word())
}

/// Its element in a document, such as `ChecksumCRC32`.
#[must_use]
pub fn element(kind: Checksum) -> String {
    format!("Checksum{}", kind.word().to_ascii_uppercase())
}

/// The checksum of `body`, base64.
#[must_use]
pub fn of(kind: Checksum, body: &[u8]) -> String {
    let crc = |algorithm| crc_fast::checksum(algorithm, body).to_be_bytes();
    let bytes = match kind {
        // Of the 64 bits the last 32.
        Checksum::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc)[4..].to_vec(),
        Checksum::Crc32c => crc(CrcAlgorithm::Crc32Iscsi)[4..].to_vec(),
        Checksum::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme).to_vec(),
        Checksum::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY, body).as_ref().to_vec(),
        Checksum::Sha256 => digest(&SHA256, body).as_ref().to_vec(),
    };
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue and of FIPS 180, over `123456789` and `abc`; the
    /// CRC64NVME of `secret` is one that S3 showed.
    #[test]
    fn each_kind_has_its_published_value() {
        let hex_of = |kind, body: &[u8]| {
            let bytes = BASE64_STANDARD.decode(of(kind, body)).unwrap();
            hex::encode(bytes)
        };
        let digits = b"123456789";
        assert_eq!(hex_of(Checksum::Crc32, digits), "cbf43926");
        assert_eq!(hex_of(Checksum::Crc32c, digits), "e3069283");
        assert_eq!(hex_of(Checksum::Crc64Nvme, digits), "ae8b14860a799888");
        assert_eq!(of(Checksum::Crc64Nvme, b"secret"), "57Cg+N2YpVM=");
        assert_eq!(
            hex_of(Checksum::Sha1, b"abc"),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert!(hex_of(Checksum::Sha256, b"abc").starts_with("ba7816bf8f01cfea414140de5dae2223"));
    }

    #[test]
    fn each_kind_has_its_names() {
        assert_eq!(header(Checksum::Crc64Nvme), "x-amz-checksum-crc64nvme");
        assert_eq!(element(Checksum::Crc32c), "ChecksumCRC32C");
    }
}
