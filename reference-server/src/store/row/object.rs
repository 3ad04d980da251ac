//! The rows of a version of an object: the version itself, and its tags.

use http::HeaderMap;

use super::super::{ETag, ObjectTags};
use super::{PackPlace, RowMac, VERSION, put_headers, put_short, put_tags};
use crate::sealed::Damaged;
use crate::sealed::envelope::{self, Envelope, WriteId};

/// Where the sealed body of an object lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Place {
    /// In the files of its parts, which the manifest under its write id names.
    Parts,
    /// In a file of its own, named by the write id.
    File,
    /// In a file that small bodies share.
    Pack(PackPlace),
}

/// The key of an object's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct ObjectRowKey<'a> {
    pub(in crate::store) bucket: u64,
    pub(in crate::store) name: &'a [u8],
    /// The commit's number, in microseconds since 1970; kept inverted, so that the newest version
    /// comes first.
    pub(in crate::store) seq: u64,
}

impl<'a> ObjectRowKey<'a> {
    /// The key as the table has it.
    pub(in crate::store) fn in_table(self) -> (u64, &'a [u8], u64) {
        (self.bucket, self.name, !self.seq)
    }

    /// The key as the MAC has it: integers first.
    pub(super) fn in_mac(self) -> Vec<u8> {
        let Self { bucket, name, seq } = self;
        [&bucket.to_be_bytes(), &(!seq).to_be_bytes(), name].concat()
    }
}

/// The row of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum VersionRow {
    Object(Box<ObjectRow>),
    Marker(MarkerRow),
}

/// The row of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct ObjectRow {
    /// Written while the bucket kept no versions.
    pub(in crate::store) null_version: bool,
    pub(in crate::store) envelope: Envelope,
    /// Plaintext bytes.
    pub(in crate::store) size: u64,
    pub(in crate::store) place: Place,
    /// CRC64NVME of the stored bytes, so that they can be checked without a key; 0 for parts, which
    /// have their own.
    pub(in crate::store) stored_crc64: u64,
    pub(in crate::store) etag: ETag,
    /// Sealed; empty when there is none.
    pub(in crate::store) checksum: Vec<u8>,
    pub(in crate::store) headers: HeaderMap,
}

/// The row of a delete marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct MarkerRow {
    /// Made while the bucket kept no versions.
    pub(in crate::store) null_version: bool,
    /// The deletion that made it; nothing is sealed under it.
    pub(in crate::store) id: WriteId,
}

const TABLE: &str = "objects";
const SINGLE: u8 = 1;
const MULTIPART: u8 = 2;
const MARKER: u8 = 3;

impl VersionRow {
    /// Whether it is the null version.
    pub(in crate::store) fn is_null_version(&self) -> bool {
        match self {
            Self::Object(row) => row.null_version,
            Self::Marker(row) => row.null_version,
        }
    }

    /// The write that made it.
    pub(in crate::store) fn write_id(&self) -> WriteId {
        match self {
            Self::Object(row) => row.envelope.write_id(),
            Self::Marker(row) => row.id,
        }
    }

    pub(in crate::store) fn seal(&self, mac: &RowMac, key: ObjectRowKey<'_>) -> Vec<u8> {
        let row = match self {
            Self::Object(row) => row.fields(),
            Self::Marker(row) => {
                let mut fields = vec![VERSION, MARKER, u8::from(row.null_version)];
                fields.extend(row.id.0);
                fields
            }
        };
        mac.seal(TABLE, &key.in_mac(), row)
    }

    pub(in crate::store) fn open(
        mac: &RowMac,
        key: ObjectRowKey<'_>,
        row: &[u8],
    ) -> Result<Self, Damaged> {
        let mut fields = mac.open(TABLE, &key.in_mac(), row)?;
        let kind = fields.u8()?;
        let null_version = match fields.u8()? {
            0 => false,
            1 => true,
            _ => return Err(Damaged),
        };
        if kind == MARKER {
            let id = WriteId(fields.array()?);
            fields.end()?;
            return Ok(Self::Marker(MarkerRow { null_version, id }));
        }
        let envelope = Envelope::decode(fields.take(envelope::LENGTH)?)?;
        let size = fields.u64()?;
        let place = match (kind, fields.u8()?) {
            (SINGLE, 1) => Place::File,
            (SINGLE, 2) => Place::Pack(PackPlace::decode(&mut fields)?),
            (MULTIPART, 0) => Place::Parts,
            _ => return Err(Damaged),
        };
        let stored_crc64 = fields.u64()?;
        let etag = fields.etag()?;
        let checksum = fields.short()?.to_vec();
        let headers = fields.headers()?;
        fields.end()?;
        Ok(Self::Object(Box::new(ObjectRow {
            null_version,
            envelope,
            size,
            place,
            stored_crc64,
            etag,
            checksum,
            headers,
        })))
    }
}

impl ObjectRow {
    fn fields(&self) -> Vec<u8> {
        let (kind, place) = match self.place {
            Place::Parts => (MULTIPART, 0),
            Place::File => (SINGLE, 1),
            Place::Pack(_) => (SINGLE, 2),
        };
        let mut row = vec![VERSION, kind, u8::from(self.null_version)];
        row.extend(self.envelope.encode());
        row.extend(self.size.to_be_bytes());
        row.push(place);
        if let Place::Pack(place) = self.place {
            row.extend(place.encode());
        }
        row.extend(self.stored_crc64.to_be_bytes());
        row.extend(self.etag.bytes);
        row.extend(self.etag.parts.to_be_bytes());
        put_short(&mut row, &self.checksum);
        put_headers(&mut row, &self.headers);
        row
    }
}

/// The row of the tags of a version. A version without tags has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct TagsRow(pub(in crate::store) ObjectTags);

impl TagsRow {
    const TABLE: &str = "tags";

    pub(in crate::store) fn seal(&self, mac: &RowMac, key: ObjectRowKey<'_>) -> Vec<u8> {
        let mut row = vec![VERSION];
        put_tags(&mut row, &self.0);
        mac.seal(Self::TABLE, &key.in_mac(), row)
    }

    pub(in crate::store) fn open(
        mac: &RowMac,
        key: ObjectRowKey<'_>,
        row: &[u8],
    ) -> Result<Self, Damaged> {
        let mut fields = mac.open(Self::TABLE, &key.in_mac(), row)?;
        let tags = fields.tags()?;
        fields.end()?;
        Ok(Self(tags))
    }
}
