//! The bytes of a checksum of the plaintext, before they are sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crc_fast::CrcAlgorithm;

use super::StoreError;
use super::upload::ChecksumKind;
use crate::checksum::{Checksum, ChecksumAlgorithm, RunningChecksum};
use crate::random;
use crate::sealed::data_key::{BodyName, ObjectKey};
use crate::sealed::{Damaged, checksum};

/// The checksum covers the bytes.
pub(super) const FULL_OBJECT: u8 = 1;

/// The checksum covers the checksums of the parts.
pub(super) const COMPOSITE: u8 = 2;

/// The number of a kind at rest.
pub(super) fn kind_number(kind: ChecksumKind) -> u8 {
    match kind {
        ChecksumKind::FullObject => FULL_OBJECT,
        ChecksumKind::Composite => COMPOSITE,
    }
}

/// The number of an algorithm at rest.
pub(super) fn algorithm_number(algorithm: ChecksumAlgorithm) -> u8 {
    match algorithm {
        ChecksumAlgorithm::Crc32 => 1,
        ChecksumAlgorithm::Crc32c => 2,
        ChecksumAlgorithm::Crc64Nvme => 3,
        ChecksumAlgorithm::Sha1 => 4,
        ChecksumAlgorithm::Sha256 => 5,
    }
}

/// The algorithm with a number.
pub(super) fn algorithm(number: u8) -> Result<ChecksumAlgorithm, Damaged> {
    match number {
        1 => Ok(ChecksumAlgorithm::Crc32),
        2 => Ok(ChecksumAlgorithm::Crc32c),
        3 => Ok(ChecksumAlgorithm::Crc64Nvme),
        4 => Ok(ChecksumAlgorithm::Sha1),
        5 => Ok(ChecksumAlgorithm::Sha256),
        _ => Err(Damaged),
    }
}

/// Algorithm, kind, digest; a composite one's number of parts is that of the object.
///
/// # Panics
/// When the value is not base64: the body was verified against it before.
pub(super) fn encode(checksum: &Checksum) -> Vec<u8> {
    let (digest, kind) = match checksum.value.split_once('-') {
        None => (checksum.value.as_str(), FULL_OBJECT),
        Some((digest, _)) => (digest, COMPOSITE),
    };
    let mut plain = vec![algorithm_number(checksum.algorithm), kind];
    let digest = STANDARD
        .decode(digest)
        .expect("a verified checksum is base64");
    plain.extend(digest);
    plain
}

/// Reads [`encode`]'s bytes back; `parts` is how many parts the object has, 0 for one without.
pub(super) fn decode(plain: &[u8], parts: u16) -> Result<Checksum, Damaged> {
    let [number, kind, digest @ ..] = plain else {
        return Err(Damaged);
    };
    let algorithm = algorithm(*number)?;
    let value = STANDARD.encode(digest);
    let value = match (*kind, parts) {
        (FULL_OBJECT, _) => value,
        (COMPOSITE, 1..) => format!("{value}-{parts}"),
        _ => return Err(Damaged),
    };
    Ok(Checksum { algorithm, value })
}

/// The sealed form of a checksum; empty when there is none.
pub(super) fn seal(key: &ObjectKey, name: BodyName, plain: Option<&Checksum>) -> Vec<u8> {
    plain.map_or_else(Vec::new, |plain| {
        checksum::seal(key, name, random::bytes(), &encode(plain))
    })
}

/// Opens what [`seal`] made of the checksum of an object of `parts` parts.
pub(super) fn open(
    key: &ObjectKey,
    name: BodyName,
    sealed: &[u8],
    parts: u16,
) -> Result<Option<Checksum>, StoreError> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let plain = checksum::open(key, name, sealed)?;
    Ok(Some(decode(&plain, parts)?))
}

/// The checksum of the checksums of parts, in wire form.
pub(super) fn composite(
    algorithm: ChecksumAlgorithm,
    parts: &[(&Checksum, u64)],
) -> Result<Checksum, StoreError> {
    let mut running = RunningChecksum::new(algorithm);
    for (checksum, _) in parts {
        running.update(&digest(checksum)?);
    }
    let mut whole = running.finish();
    whole.value = format!("{}-{}", whole.value, parts.len());
    Ok(whole)
}

/// The checksum of the bytes of all parts, made of theirs; `None` for SHA-1 and SHA-256, which
/// cannot be combined.
pub(super) fn full_object(
    algorithm: ChecksumAlgorithm,
    parts: &[(&Checksum, u64)],
) -> Result<Option<Checksum>, StoreError> {
    let crc = match algorithm {
        ChecksumAlgorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
        ChecksumAlgorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
        ChecksumAlgorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => return Ok(None),
    };
    let mut whole: Option<(u64, usize)> = None;
    for (checksum, size) in parts {
        let digest = digest(checksum)?;
        let mut word = [0; 8];
        let room = word.len().checked_sub(digest.len());
        word[room.ok_or(StoreError::Damaged)?..].copy_from_slice(&digest);
        let next = u64::from_be_bytes(word);
        let combined = match whole {
            None => next,
            Some((before, _)) if *size == 0 => before,
            Some((before, _)) => crc_fast::checksum_combine(crc, before, next, *size),
        };
        whole = Some((combined, digest.len()));
    }
    Ok(whole.map(|(value, length)| Checksum {
        algorithm,
        value: STANDARD.encode(&value.to_be_bytes()[8 - length..]),
    }))
}

fn digest(checksum: &Checksum) -> Result<Vec<u8>, StoreError> {
    STANDARD
        .decode(&checksum.value)
        .map_err(|_| StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_is_read_back() {
        for algorithm in ChecksumAlgorithm::ALL {
            for (value, parts) in [("AAECAw==", 0), ("AAECAw==", 3), ("AAECAw==-3", 3)] {
                let value = value.to_owned();
                let checksum = Checksum { algorithm, value };
                assert_eq!(decode(&encode(&checksum), parts), Ok(checksum));
            }
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
    fn other_algorithms_and_kinds_are_damage() {
        for plain in [[0, 1, 9], [6, 1, 9], [1, 0, 9], [1, 3, 9]] {
            assert_eq!(decode(&plain, 1), Err(Damaged), "{plain:?}");
        }
        assert_eq!(decode(&[1, COMPOSITE, 9], 0), Err(Damaged));
        assert_eq!(decode(&[1], 0), Err(Damaged));
    }
}
