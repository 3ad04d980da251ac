//! The digests of a body, computed as it passes: only those that somebody asked for.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use md5::{Digest as _, Md5};

use crate::checksum::{Checksum, ChecksumAlgorithm, RunningChecksum};
use crate::s3_error::{Code, S3Error};

/// What the body has to agree with, as far as it was declared.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) md5: Option<[u8; 16]>,
    pub(super) checksum: Option<Checksum>,
}

/// Digests in the making.
#[derive(Default)]
pub(super) struct Digests {
    sha256: Option<Context>,
    md5: Option<Md5>,
    checksum: Option<(ChecksumAlgorithm, RunningChecksum)>,
}

/// Digests that agree with what was declared.
pub(super) struct Agreed {
    pub(super) md5: Option<[u8; 16]>,
    pub(super) checksum: Option<Checksum>,
}

impl Digests {
    /// Those that `expected` needs, and the checksum that a trailer will name.
    pub(super) fn for_expected(expected: &Expected, trailer: Option<ChecksumAlgorithm>) -> Self {
        let mut digests = Self::default();
        if expected.sha256.is_some() {
            digests.sha256 = Some(Context::new(&SHA256));
        }
        if expected.md5.is_some() {
            digests.add_md5();
        }
        let declared = expected
            .checksum
            .as_ref()
            .map(|checksum| checksum.algorithm);
        if let Some(algorithm) = declared.or(trailer) {
            digests.add_checksum(algorithm);
        }
        digests
    }

    pub(super) fn add_md5(&mut self) {
        self.md5.get_or_insert_with(Md5::new);
    }

    /// Adds a checksum where there is none yet: a declared one is not replaced.
    pub(super) fn add_checksum(&mut self, algorithm: ChecksumAlgorithm) {
        self.checksum
            .get_or_insert_with(|| (algorithm, RunningChecksum::new(algorithm)));
    }

    pub(super) fn drop_checksum(&mut self) {
        self.checksum = None;
    }

    pub(super) fn checksum_algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.checksum.as_ref().map(|(algorithm, _)| *algorithm)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(context) = &mut self.sha256 {
            context.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some((_, checksum)) = &mut self.checksum {
            checksum.update(bytes);
        }
    }

    /// Ends them and compares.
    pub(super) fn agree(self, expected: &Expected) -> Result<Agreed, S3Error> {
        if let (Some(context), Some(expected)) = (self.sha256, &expected.sha256)
            && verify_slices_are_equal(context.finish().as_ref(), expected).is_err()
        {
            return Err(Code::XAmzContentSHA256Mismatch.into());
        }
        let md5: Option<[u8; 16]> = self.md5.map(|md5| md5.finalize().into());
        if let (Some(computed), Some(expected)) = (&md5, &expected.md5)
            && computed != expected
        {
            return Err(S3Error::with_message(
                Code::BadDigest,
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        let checksum = self.checksum.map(|(_, checksum)| checksum.finish());
        if let (Some(computed), Some(expected)) = (&checksum, &expected.checksum)
            && computed != expected
        {
            return Err(S3Error::with_message(
                Code::BadDigest,
                format!(
                    "The {} you specified did not match the calculated checksum.",
                    expected.algorithm.as_str()
                ),
            ));
        }
        Ok(Agreed { md5, checksum })
    }
}
