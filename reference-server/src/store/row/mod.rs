//! The rows of the metadata, byte by byte, and the MAC over each.
//!
//! A row is its version, its fields and the first 16 bytes of an HMAC that covers table, row key,
//! version and fields. It is verified before a single field is read. All integers are big endian.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{ETag, SsecUse};
use crate::sealed::Damaged;
use crate::sealed::envelope::{self, Envelope, WriteId};

const MAC: usize = 16;

/// The only version of every row so far.
const VERSION: u8 = 1;

/// Computes and verifies the MACs of rows.
pub(super) struct RowMac(hmac::Key);

impl RowMac {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, key))
    }

    /// The row to store: `version` and fields, then the MAC.
    fn seal(&self, table: &str, row_key: &[u8], mut row: Vec<u8>) -> Vec<u8> {
        let mac = self.mac(table, row_key, &row);
        row.extend_from_slice(&mac);
        row
    }

    /// The fields of a row that verifies and has the version that this code knows.
    fn open<'r>(&self, table: &str, row_key: &[u8], row: &'r [u8]) -> Result<Fields<'r>, Damaged> {
        let border = row.len().checked_sub(MAC).ok_or(Damaged)?;
        let (row, mac) = row.split_at(border);
        verify_slices_are_equal(&self.mac(table, row_key, row), mac).map_err(|_| Damaged)?;
        let mut fields = Fields(row);
        match fields.u8()? {
            VERSION => Ok(fields),
            _ => Err(Damaged),
        }
    }

    fn mac(&self, table: &str, row_key: &[u8], row: &[u8]) -> [u8; MAC] {
        let table_length = u8::try_from(table.len()).expect("table names are short");
        let key_length = u32::try_from(row_key.len()).expect("row keys are short");
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[table_length]);
        context.update(table.as_bytes());
        context.update(&key_length.to_be_bytes());
        context.update(row_key);
        context.update(row);
        let tag = context.sign();
        *tag.as_ref()
            .first_chunk()
            .expect("HMAC-SHA-256 gives 32 bytes")
    }
}

/// The row of a bucket. Encryption block, policy and CORS rules have their place from the start, so
/// that giving them a meaning needs no new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BucketRow {
    pub(super) id: u64,
    pub(super) created_micros: u64,
    pub(super) ssec: SsecUse,
}

impl BucketRow {
    const TABLE: &str = "buckets";

    pub(super) fn seal(&self, mac: &RowMac, name: &str) -> Vec<u8> {
        let mut row = vec![VERSION];
        row.extend(self.id.to_be_bytes());
        row.extend(self.created_micros.to_be_bytes());
        row.push(0); // versioning: never enabled
        row.push(match self.ssec {
            SsecUse::Allowed => 0,
            SsecUse::Blocked => 1,
        });
        row.extend(0_u32.to_be_bytes()); // policy: none
        row.extend(0_u32.to_be_bytes()); // CORS: none
        mac.seal(Self::TABLE, name.as_bytes(), row)
    }

    pub(super) fn open(mac: &RowMac, name: &str, row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, name.as_bytes(), row)?;
        let id = fields.u64()?;
        let created_micros = fields.u64()?;
        let versioning = fields.u8()?;
        let ssec = match fields.u8()? {
            0 => SsecUse::Allowed,
            1 => SsecUse::Blocked,
            _ => return Err(Damaged),
        };
        let (policy, cors) = (fields.u32()?, fields.u32()?);
        fields.end()?;
        // What this version cannot keep, it must not ignore.
        if (versioning, policy, cors) != (0, 0, 0) {
            return Err(Damaged);
        }
        Ok(Self {
            id,
            created_micros,
            ssec,
        })
    }
}

/// Where the sealed body of an object lies. Packs get the next number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file of its own, named by the write id.
    File,
}

/// The key of an object's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ObjectRowKey<'a> {
    pub(super) bucket: u64,
    pub(super) name: &'a [u8],
    /// The commit's number, in microseconds since 1970; kept inverted, so that the newest version
    /// comes first.
    pub(super) seq: u64,
}

impl<'a> ObjectRowKey<'a> {
    /// The key as the table has it.
    pub(super) fn in_table(self) -> (u64, &'a [u8], u64) {
        (self.bucket, self.name, !self.seq)
    }

    /// The key as the MAC has it: integers first.
    fn in_mac(self) -> Vec<u8> {
        let Self { bucket, name, seq } = self;
        [&bucket.to_be_bytes(), &(!seq).to_be_bytes(), name].concat()
    }
}

/// The row of a version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectRow {
    /// Written while the bucket kept no versions.
    pub(super) null_version: bool,
    pub(super) envelope: Envelope,
    /// Plaintext bytes.
    pub(super) size: u64,
    pub(super) place: Place,
    /// CRC64NVME of the stored bytes, so that they can be checked without a key.
    pub(super) stored_crc64: u64,
    pub(super) etag: ETag,
    /// Sealed; empty when there is none.
    pub(super) checksum: Vec<u8>,
    pub(super) headers: HeaderMap,
}

impl ObjectRow {
    const TABLE: &str = "objects";
    /// An object of one body. Multipart objects are 2, delete markers 3.
    const SINGLE: u8 = 1;
    const NULL_VERSION: u8 = 1;

    pub(super) fn seal(&self, mac: &RowMac, key: ObjectRowKey<'_>) -> Vec<u8> {
        let mut row = vec![VERSION, Self::SINGLE];
        row.push(if self.null_version {
            Self::NULL_VERSION
        } else {
            0
        });
        row.extend(self.envelope.encode());
        row.extend(self.size.to_be_bytes());
        row.push(match self.place {
            Place::File => 1,
        });
        row.extend(self.stored_crc64.to_be_bytes());
        row.extend(self.etag.bytes);
        row.extend(self.etag.parts.to_be_bytes());
        put_short(&mut row, &self.checksum);
        let count = u16::try_from(self.headers.len()).expect("requests are limited to fewer");
        row.extend(count.to_be_bytes());
        for (name, value) in &self.headers {
            put_short(&mut row, name.as_str().as_bytes());
            put_short(&mut row, value.as_bytes());
        }
        mac.seal(Self::TABLE, &key.in_mac(), row)
    }

    pub(super) fn open(mac: &RowMac, key: ObjectRowKey<'_>, row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &key.in_mac(), row)?;
        if fields.u8()? != Self::SINGLE {
            return Err(Damaged);
        }
        let null_version = match fields.u8()? {
            0 => false,
            Self::NULL_VERSION => true,
            _ => return Err(Damaged),
        };
        let envelope = Envelope::decode(fields.take(envelope::LENGTH)?)?;
        let size = fields.u64()?;
        let place = match fields.u8()? {
            1 => Place::File,
            _ => return Err(Damaged),
        };
        let stored_crc64 = fields.u64()?;
        let etag = ETag {
            bytes: fields.array()?,
            parts: fields.u16()?,
        };
        let checksum = fields.short()?.to_vec();
        let mut headers = HeaderMap::new();
        for _ in 0..fields.u16()? {
            let name = HeaderName::from_bytes(fields.short()?).map_err(|_| Damaged)?;
            let value = HeaderValue::from_bytes(fields.short()?).map_err(|_| Damaged)?;
            headers.append(name, value);
        }
        fields.end()?;
        Ok(Self {
            null_version,
            envelope,
            size,
            place,
            stored_crc64,
            etag,
            checksum,
            headers,
        })
    }
}

/// The row of something to remove from the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GarbageRow {
    /// The file of a body. Ranges of packs get the next number, uploads the one after.
    File(WriteId),
}

impl GarbageRow {
    const TABLE: &str = "garbage";

    pub(super) fn seal(self, mac: &RowMac, key: (u64, u32)) -> Vec<u8> {
        let Self::File(body) = self;
        let mut row = vec![VERSION, 1];
        row.extend(body.0);
        mac.seal(Self::TABLE, &Self::in_mac(key), row)
    }

    pub(super) fn open(mac: &RowMac, key: (u64, u32), row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &Self::in_mac(key), row)?;
        if fields.u8()? != 1 {
            return Err(Damaged);
        }
        let body = WriteId(fields.array()?);
        fields.end()?;
        Ok(Self::File(body))
    }

    fn in_mac((seq, number): (u64, u32)) -> Vec<u8> {
        [seq.to_be_bytes().as_slice(), &number.to_be_bytes()].concat()
    }
}

/// The one row of `meta`: where the counters stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CountersRow {
    /// The number of the last commit that made a version.
    pub(super) last_seq: u64,
    /// The id of the last bucket made. Ids are never used again.
    pub(super) last_bucket: u64,
}

impl CountersRow {
    const TABLE: &str = "meta";
    /// Its row key.
    pub(super) const NAME: &str = "counters";

    pub(super) fn seal(self, mac: &RowMac) -> Vec<u8> {
        let mut row = vec![VERSION];
        row.extend(self.last_seq.to_be_bytes());
        row.extend(self.last_bucket.to_be_bytes());
        mac.seal(Self::TABLE, Self::NAME.as_bytes(), row)
    }

    pub(super) fn open(mac: &RowMac, row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, Self::NAME.as_bytes(), row)?;
        let counters = Self {
            last_seq: fields.u64()?,
            last_bucket: fields.u64()?,
        };
        fields.end()?;
        Ok(counters)
    }
}

/// Appends a length of two bytes and `bytes`.
fn put_short(row: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("requests are limited to shorter headers");
    row.extend(length.to_be_bytes());
    row.extend_from_slice(bytes);
}

/// The fields not read yet.
struct Fields<'r>(&'r [u8]);

impl<'r> Fields<'r> {
    fn take(&mut self, length: usize) -> Result<&'r [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        self.take(N)?.try_into().map_err(|_| Damaged)
    }

    fn u8(&mut self) -> Result<u8, Damaged> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, Damaged> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Damaged> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Damaged> {
        self.array().map(u64::from_be_bytes)
    }

    fn short(&mut self) -> Result<&'r [u8], Damaged> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    fn end(self) -> Result<(), Damaged> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Damaged)
        }
    }
}

#[cfg(test)]
mod tests;
