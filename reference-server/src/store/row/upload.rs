//! The rows of an upload and of its parts.

use http::HeaderMap;

use super::super::upload::{ChecksumKind, DeclaredChecksum};
use super::super::{ETag, ObjectTags, stored_checksum};
use super::{RowMac, VERSION, put_headers, put_short, put_tags};
use crate::sealed::Damaged;
use crate::sealed::envelope::{self, Envelope, WriteId};

/// The key of an upload's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct UploadRowKey<'a> {
    pub(in crate::store) bucket: u64,
    pub(in crate::store) name: &'a [u8],
    pub(in crate::store) upload: WriteId,
}

impl<'a> UploadRowKey<'a> {
    /// The key as the table has it.
    pub(in crate::store) fn in_table(self) -> (u64, &'a [u8], u128) {
        (self.bucket, self.name, self.upload.number())
    }

    /// The key as the MAC has it: integers first.
    fn in_mac(self) -> Vec<u8> {
        let Self {
            bucket,
            name,
            upload,
        } = self;
        [bucket.to_be_bytes().as_slice(), &upload.0, name].concat()
    }
}

/// The row of an upload that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct UploadRow {
    /// Its write id is the upload's. Completing copies it into the object's row.
    pub(in crate::store) envelope: Envelope,
    pub(in crate::store) checksum: Option<DeclaredChecksum>,
    pub(in crate::store) headers: HeaderMap,
    pub(in crate::store) tags: ObjectTags,
}

impl UploadRow {
    const TABLE: &str = "uploads";

    pub(in crate::store) fn seal(&self, mac: &RowMac, key: UploadRowKey<'_>) -> Vec<u8> {
        let mut row = vec![VERSION];
        row.extend(self.envelope.encode());
        row.extend(match self.checksum {
            None => [0, 0],
            Some(DeclaredChecksum { algorithm, kind }) => [
                stored_checksum::algorithm_number(algorithm),
                stored_checksum::kind_number(kind),
            ],
        });
        put_headers(&mut row, &self.headers);
        put_tags(&mut row, &self.tags);
        mac.seal(Self::TABLE, &key.in_mac(), row)
    }

    pub(in crate::store) fn open(
        mac: &RowMac,
        key: UploadRowKey<'_>,
        row: &[u8],
    ) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &key.in_mac(), row)?;
        let envelope = Envelope::decode(fields.take(envelope::LENGTH)?)?;
        let checksum = match (fields.u8()?, fields.u8()?) {
            (0, 0) => None,
            (algorithm, kind) => Some(DeclaredChecksum {
                algorithm: stored_checksum::algorithm(algorithm)?,
                kind: match kind {
                    stored_checksum::FULL_OBJECT => ChecksumKind::FullObject,
                    stored_checksum::COMPOSITE => ChecksumKind::Composite,
                    _ => return Err(Damaged),
                },
            }),
        };
        let (headers, tags) = (fields.headers()?, fields.tags()?);
        fields.end()?;
        Ok(Self {
            envelope,
            checksum,
            headers,
            tags,
        })
    }
}

/// The row of a part. It stays when the upload becomes an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct PartRow {
    /// The id of its body, which names its file.
    pub(in crate::store) body: WriteId,
    /// Plaintext bytes.
    pub(in crate::store) size: u64,
    /// CRC64NVME of the stored bytes.
    pub(in crate::store) stored_crc64: u64,
    pub(in crate::store) etag: [u8; 16],
    /// When it was committed, in microseconds since 1970.
    pub(in crate::store) micros: u64,
    /// Sealed; empty when there is none.
    pub(in crate::store) checksum: Vec<u8>,
}

impl PartRow {
    const TABLE: &str = "parts";

    pub(in crate::store) fn etag(&self) -> ETag {
        ETag {
            bytes: self.etag,
            parts: 0,
        }
    }

    pub(in crate::store) fn seal(&self, mac: &RowMac, key: (u128, u16)) -> Vec<u8> {
        let mut row = vec![VERSION];
        row.extend(self.body.0);
        row.extend(self.size.to_be_bytes());
        row.extend(self.stored_crc64.to_be_bytes());
        row.extend(self.etag);
        row.extend(self.micros.to_be_bytes());
        put_short(&mut row, &self.checksum);
        mac.seal(Self::TABLE, &Self::in_mac(key), row)
    }

    pub(in crate::store) fn open(
        mac: &RowMac,
        key: (u128, u16),
        row: &[u8],
    ) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &Self::in_mac(key), row)?;
        let part = Self {
            body: WriteId(fields.array()?),
            size: fields.u64()?,
            stored_crc64: fields.u64()?,
            etag: fields.array()?,
            micros: fields.u64()?,
            checksum: fields.short()?.to_vec(),
        };
        fields.end()?;
        Ok(part)
    }

    fn in_mac((upload, number): (u128, u16)) -> Vec<u8> {
        [upload.to_be_bytes().as_slice(), &number.to_be_bytes()].concat()
    }
}
