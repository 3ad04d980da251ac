//! The bytes of a checksum of the plaintext, before they are sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::sealed::Damaged;

/// The checksum covers the whole object. Checksums of checksums are another type.
const FULL_OBJECT: u8 = 1;

/// Algorithm, type, digest.
///
/// # Panics
/// When the value is not base64: the body was verified against it before.
pub(super) fn encode(checksum: &Checksum) -> Vec<u8> {
    let algorithm = match checksum.algorithm {
        ChecksumAlgorithm::Crc32 => 1,
        ChecksumAlgorithm::Crc32c => 2,
        ChecksumAlgorithm::Crc64Nvme => 3,
        ChecksumAlgorithm::Sha1 => 4,
        ChecksumAlgorithm::Sha256 => 5,
    };
    let mut plain = vec![algorithm, FULL_OBJECT];
    let digest = STANDARD
        .decode(&checksum.value)
        .expect("a verified checksum is base64");
    plain.extend(digest);
    plain
}

/// Reads [`encode`]'s bytes back.
pub(super) fn decode(plain: &[u8]) -> Result<Checksum, Damaged> {
    let [algorithm, FULL_OBJECT, digest @ ..] = plain else {
        return Err(Damaged);
    };
    let algorithm = match algorithm {
        1 => ChecksumAlgorithm::Crc32,
        2 => ChecksumAlgorithm::Crc32c,
        3 => ChecksumAlgorithm::Crc64Nvme,
        4 => ChecksumAlgorithm::Sha1,
        5 => ChecksumAlgorithm::Sha256,
        _ => return Err(Damaged),
    };
    Ok(Checksum {
        algorithm,
        value: STANDARD.encode(digest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_is_read_back() {
        for algorithm in ChecksumAlgorithm::ALL {
            let checksum = Checksum {
                algorithm,
                value: "AAECAw==".to_owned(),
            };
            assert_eq!(decode(&encode(&checksum)), Ok(checksum));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::Crc64Nvme,
            value: "qUVrWYOrIAM=".to_owned(),
        };
        assert_eq!(hex::encode(encode(&checksum)), "0301a9456b5983ab2003");
    }

    #[test]
    fn other_algorithms_and_types_are_damage() {
        for plain in [[0, 1, 9], [6, 1, 9], [1, 0, 9], [1, 2, 9]] {
            assert_eq!(decode(&plain), Err(Damaged), "{plain:?}");
        }
        assert_eq!(decode(&[1]), Err(Damaged));
    }
}
