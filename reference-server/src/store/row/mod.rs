//! The rows of the metadata, byte by byte, and the MAC over each.
//!
//! A row is its version, its fields and the first 16 bytes of an HMAC that covers table, row key,
//! version and fields. It is verified before a single field is read. All integers are big endian.

mod bucket;
mod object;
mod pack;
mod upload;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) use self::bucket::BucketRow;
pub(super) use self::object::{MarkerRow, ObjectRow, ObjectRowKey, Place, TagsRow, VersionRow};
pub(super) use self::pack::{PackId, PackPlace, PackRow};
pub(super) use self::upload::{PartRow, UploadRow, UploadRowKey};
use super::{ETag, ObjectTags};
use crate::sealed::Damaged;
use crate::sealed::envelope::WriteId;

const MAC: usize = 16;

/// The only version of every row so far.
pub(super) const VERSION: u8 = 1;

/// Computes and verifies the MACs of rows.
pub(super) struct RowMac(hmac::Key);

impl RowMac {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, key))
    }

    /// The row to store: `version` and fields, then the MAC.
    pub(super) fn seal(&self, table: &str, row_key: &[u8], mut row: Vec<u8>) -> Vec<u8> {
        let mac = self.mac(table, row_key, &row);
        row.extend_from_slice(&mac);
        row
    }

    /// The fields of a row that verifies and has the version that this code knows.
    pub(super) fn open<'r>(
        &self,
        table: &str,
        row_key: &[u8],
        row: &'r [u8],
    ) -> Result<Fields<'r>, Damaged> {
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

/// The row of something to remove from the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum GarbageRow {
    /// The file of a body.
    File(WriteId),
    /// A pack in which nothing lives any more.
    Pack(PackId),
    /// All parts of an upload, and its manifest.
    Upload(WriteId),
}

impl GarbageRow {
    const TABLE: &str = "garbage";

    /// The write or the sending of a part whose bodies go, or the pack.
    pub(super) fn id(self) -> WriteId {
        match self {
            Self::File(id) | Self::Pack(PackId(id)) | Self::Upload(id) => id,
        }
    }

    pub(super) fn seal(self, mac: &RowMac, key: (u64, u32)) -> Vec<u8> {
        let kind = match self {
            Self::File(_) => 1,
            Self::Pack(_) => 2,
            Self::Upload(_) => 3,
        };
        let mut row = vec![VERSION, kind];
        row.extend(self.id().0);
        mac.seal(Self::TABLE, &Self::in_mac(key), row)
    }

    pub(super) fn open(mac: &RowMac, key: (u64, u32), row: &[u8]) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &Self::in_mac(key), row)?;
        let kind = fields.u8()?;
        let id = WriteId(fields.array()?);
        fields.end()?;
        match kind {
            1 => Ok(Self::File(id)),
            2 => Ok(Self::Pack(PackId(id))),
            3 => Ok(Self::Upload(id)),
            _ => Err(Damaged),
        }
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
    let length = u16::try_from(bytes.len()).expect("checked by `fits` before");
    row.extend(length.to_be_bytes());
    row.extend_from_slice(bytes);
}

/// Whether headers and tags can be kept in a row.
pub(super) fn fits(headers: &HeaderMap, tags: &ObjectTags) -> bool {
    let short = |length: usize| u16::try_from(length).is_ok();
    short(headers.len())
        && short(tags.len())
        && headers.values().all(|value| short(value.len()))
        && tags
            .iter()
            .all(|(name, value)| short(name.len()) && short(value.len()))
}

fn put_headers(row: &mut Vec<u8>, headers: &HeaderMap) {
    let count = u16::try_from(headers.len()).expect("checked by `fits` before");
    row.extend(count.to_be_bytes());
    for (name, value) in headers {
        put_short(row, name.as_str().as_bytes());
        put_short(row, value.as_bytes());
    }
}

fn put_tags(row: &mut Vec<u8>, tags: &ObjectTags) {
    let count = u16::try_from(tags.len()).expect("checked by `fits` before");
    row.extend(count.to_be_bytes());
    for (name, value) in tags {
        put_short(row, name.as_bytes());
        put_short(row, value.as_bytes());
    }
}

/// The fields not read yet.
pub(super) struct Fields<'r>(&'r [u8]);

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

    pub(super) fn u16(&mut self) -> Result<u16, Damaged> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Damaged> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Damaged> {
        self.array().map(u64::from_be_bytes)
    }

    fn short(&mut self) -> Result<&'r [u8], Damaged> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    fn short_text(&mut self) -> Result<String, Damaged> {
        text(self.short()?)
    }

    fn long_text(&mut self) -> Result<String, Damaged> {
        let length = usize::try_from(self.u32()?).map_err(|_| Damaged)?;
        text(self.take(length)?)
    }

    fn etag(&mut self) -> Result<ETag, Damaged> {
        Ok(ETag {
            bytes: self.array()?,
            parts: self.u16()?,
        })
    }

    fn headers(&mut self) -> Result<HeaderMap, Damaged> {
        let mut headers = HeaderMap::new();
        for _ in 0..self.u16()? {
            let name = HeaderName::from_bytes(self.short()?).map_err(|_| Damaged)?;
            let value = HeaderValue::from_bytes(self.short()?).map_err(|_| Damaged)?;
            headers.append(name, value);
        }
        Ok(headers)
    }

    fn tags(&mut self) -> Result<ObjectTags, Damaged> {
        let count = self.u16()?;
        (0..count)
            .map(|_| Ok((self.short_text()?, self.short_text()?)))
            .collect()
    }

    /// Whether everything was read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn end(self) -> Result<(), Damaged> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Damaged)
        }
    }
}

fn text(bytes: &[u8]) -> Result<String, Damaged> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Damaged)
}

#[cfg(test)]
mod tests;
