//! Rows read back, damaged, moved and forged, and the published vectors.

use super::super::upload::{ChecksumKind, DeclaredChecksum};
use super::super::{SsecUse, Versioning};
use super::*;
use crate::checksum::ChecksumAlgorithm;
use crate::sealed::data_key::{self, Place as SealedPlace, seal_under};
use crate::sealed::envelope::HolderKind;

fn mac() -> RowMac {
    RowMac::new(&[7; 32])
}

fn key() -> ObjectRowKey<'static> {
    ObjectRowKey {
        bucket: 1,
        name: b"dir/\0\xc3\xa4",
        seq: 1_700_000_000_000_000,
    }
}

fn row() -> VersionRow {
    let place = SealedPlace {
        bucket: "bucket",
        object: "name",
    };
    let id = WriteId([3; 16]);
    let (envelope, _) = seal_under(&[1; 32], HolderKind::Customer, place, id, [2; 32]);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    headers.append("x-amz-meta-a", HeaderValue::from_static(""));
    headers.append("x-amz-meta-a", HeaderValue::from_bytes(b"\xe4").unwrap());
    VersionRow::Object(Box::new(ObjectRow {
        null_version: true,
        envelope,
        size: 5,
        place: Place::File,
        stored_crc64: 0x0102_0304_0506_0708,
        etag: ETag {
            bytes: [0xee; 16],
            parts: 0,
        },
        checksum: vec![9; 38],
        headers,
    }))
}

/// The row of `tests/vectors/at-rest.json`, typed from there.
#[test]
fn the_mac_is_that_of_the_vector() {
    let mac = RowMac::new(&data_key::store_key(&[0x5e; 32], b"row"));
    let key = ObjectRowKey {
        bucket: 1,
        name: b"dir/\xc3\xa4",
        seq: 0,
    };
    assert_eq!(
        hex::encode(key.in_mac()),
        "0000000000000001ffffffffffffffff6469722fc3a4"
    );
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/at-rest.json")).unwrap();
    let vector = &vectors["row"];
    let [row_key, value] =
        ["key", "value"].map(|field| hex::decode(vector[field].as_str().unwrap()).unwrap());
    let table = vector["table"].as_str().unwrap();
    let expected = vector["mac"].as_str().unwrap();
    assert_eq!(hex::encode(mac.mac(table, &row_key, &value)), expected);
}

#[test]
fn the_key_of_plain_objects_is_that_of_the_vector() {
    let key = data_key::store_key(&[0x5e; 32], b"plain objects");
    assert_eq!(
        hex::encode(key.as_slice()),
        "0e5485e36e03d197e3f917e63e244a8960461f8e86c4d84d942782210ae66807"
    );
}

#[test]
fn each_row_is_read_back() {
    let (mac, row) = (mac(), row());
    assert_eq!(
        VersionRow::open(&mac, key(), &row.seal(&mac, key())),
        Ok(row)
    );
    let marker = VersionRow::Marker(MarkerRow {
        null_version: false,
        id: WriteId([4; 16]),
    });
    assert_eq!(
        VersionRow::open(&mac, key(), &marker.seal(&mac, key())),
        Ok(marker)
    );
    let tags = TagsRow(vec![("a".to_owned(), String::new())]);
    assert_eq!(
        TagsRow::open(&mac, key(), &tags.seal(&mac, key())),
        Ok(tags)
    );
    let bucket = BucketRow {
        id: 7,
        created_micros: 9,
        versioning: Versioning::Suspended,
        ssec: SsecUse::Blocked,
        policy: "{\u{e4}}".to_owned(),
        cors: "<a/>".to_owned(),
    };
    assert_eq!(
        BucketRow::open(&mac, "b", &bucket.seal(&mac, "b")),
        Ok(bucket)
    );
    let id = WriteId([1; 16]);
    for garbage in [
        GarbageRow::File(id),
        GarbageRow::Pack(PackId(id)),
        GarbageRow::Upload(id),
    ] {
        let sealed = garbage.seal(&mac, (5, 6));
        assert_eq!(GarbageRow::open(&mac, (5, 6), &sealed), Ok(garbage));
    }
    let counters = CountersRow {
        last_seq: 1,
        last_bucket: 2,
    };
    assert_eq!(CountersRow::open(&mac, &counters.seal(&mac)), Ok(counters));
}

fn upload(checksum: Option<DeclaredChecksum>) -> UploadRow {
    let VersionRow::Object(row) = row() else {
        unreachable!("it is an object")
    };
    UploadRow {
        envelope: row.envelope,
        checksum,
        headers: row.headers,
        tags: vec![("a".to_owned(), "b".to_owned())],
    }
}

#[test]
fn the_rows_of_an_upload_are_read_back_under_their_own_keys_alone() {
    let mac = mac();
    let key = UploadRowKey {
        bucket: 1,
        name: b"n",
        upload: WriteId([3; 16]),
    };
    let declared = DeclaredChecksum {
        algorithm: ChecksumAlgorithm::Sha256,
        kind: ChecksumKind::Composite,
    };
    for checksum in [None, Some(declared)] {
        let row = upload(checksum);
        let sealed = row.seal(&mac, key);
        assert_eq!(UploadRow::open(&mac, key, &sealed), Ok(row));
        for elsewhere in [
            UploadRowKey { bucket: 2, ..key },
            UploadRowKey { name: b"o", ..key },
            UploadRowKey {
                upload: WriteId([4; 16]),
                ..key
            },
        ] {
            assert_eq!(UploadRow::open(&mac, elsewhere, &sealed), Err(Damaged));
        }
    }
    let part = PartRow {
        body: WriteId([5; 16]),
        size: 6,
        stored_crc64: 7,
        etag: [8; 16],
        micros: 9,
        checksum: vec![1],
    };
    let sealed = part.seal(&mac, (3, 4));
    assert_eq!(PartRow::open(&mac, (3, 4), &sealed), Ok(part));
    assert_eq!(PartRow::open(&mac, (3, 5), &sealed), Err(Damaged));
    assert_eq!(PartRow::open(&mac, (4, 4), &sealed), Err(Damaged));
}

#[test]
fn a_place_in_a_pack_is_read_back() {
    let (mac, VersionRow::Object(mut row)) = (mac(), row()) else {
        unreachable!("it is an object")
    };
    row.place = Place::Pack(PackPlace {
        pack: PackId(WriteId([6; 16])),
        offset: 0x0102_0304,
    });
    let row = VersionRow::Object(row);
    let mut sealed = row.seal(&mac, key());
    assert_eq!(
        hex::encode(&sealed[95..116]),
        "020606060606060606060606060606060601020304"
    );
    assert_eq!(VersionRow::open(&mac, key(), &sealed), Ok(row));
    for position in 95..116 {
        sealed[position] ^= 1;
        assert_eq!(VersionRow::open(&mac, key(), &sealed), Err(Damaged));
        sealed[position] ^= 1;
    }
}

#[test]
fn the_row_of_a_pack_is_read_back_under_its_own_key_alone() {
    let mac = mac();
    let pack = PackRow { bytes: 1, count: 2 };
    let mut sealed = pack.seal(&mac, 3);
    assert_eq!(PackRow::open(&mac, 3, &sealed), Ok(pack));
    assert_eq!(PackRow::open(&mac, 4, &sealed), Err(Damaged));
    for position in 0..sealed.len() {
        sealed[position] ^= 1;
        assert_eq!(PackRow::open(&mac, 3, &sealed), Err(Damaged));
        sealed[position] ^= 1;
    }
}

#[test]
fn tags_and_versions_are_not_taken_for_each_other() {
    let mac = mac();
    let tags = TagsRow(Vec::new()).seal(&mac, key());
    assert_eq!(VersionRow::open(&mac, key(), &tags), Err(Damaged));
    assert_eq!(
        TagsRow::open(&mac, key(), &row().seal(&mac, key())),
        Err(Damaged)
    );
}

#[test]
fn each_flipped_byte_of_a_row_is_damage() {
    let mac = mac();
    let mut sealed = row().seal(&mac, key());
    for position in 0..sealed.len() {
        sealed[position] ^= 0x10;
        assert_eq!(
            VersionRow::open(&mac, key(), &sealed),
            Err(Damaged),
            "byte {position}"
        );
        sealed[position] ^= 0x10;
    }
    for length in 0..sealed.len() {
        assert_eq!(
            VersionRow::open(&mac, key(), &sealed[..length]),
            Err(Damaged)
        );
    }
}

#[test]
fn a_row_elsewhere_is_damage() {
    let mac = mac();
    let sealed = row().seal(&mac, key());
    for elsewhere in [
        ObjectRowKey { bucket: 2, ..key() },
        ObjectRowKey { seq: 1, ..key() },
        ObjectRowKey {
            name: b"other",
            ..key()
        },
    ] {
        assert_eq!(VersionRow::open(&mac, elsewhere, &sealed), Err(Damaged));
    }
    assert_eq!(BucketRow::open(&mac, "dir", &sealed), Err(Damaged));
    let other = RowMac::new(&[8; 32]);
    assert_eq!(VersionRow::open(&other, key(), &sealed), Err(Damaged));
}

#[test]
fn a_row_that_verifies_but_is_not_of_this_version_is_damage() {
    let mac = mac();
    let sealed = row().seal(&mac, key());
    let fields = &sealed[..sealed.len() - MAC];
    let forge = |fields: Vec<u8>| mac.seal("objects", &key().in_mac(), fields);
    assert!(VersionRow::open(&mac, key(), &forge(fields.to_vec())).is_ok());
    for length in 0..fields.len() {
        let cut = forge(fields[..length].to_vec());
        assert_eq!(
            VersionRow::open(&mac, key(), &cut),
            Err(Damaged),
            "length {length}"
        );
    }
    assert_eq!(
        VersionRow::open(&mac, key(), &forge([fields, &[0]].concat())),
        Err(Damaged)
    );
    // Row version, kind, flags, place.
    for (position, value) in [(0, 2), (1, 2), (2, 2), (95, 0), (95, 3)] {
        let mut other = fields.to_vec();
        other[position] = value;
        assert_eq!(
            VersionRow::open(&mac, key(), &forge(other)),
            Err(Damaged),
            "byte {position}"
        );
    }
}
