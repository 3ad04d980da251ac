use super::*;
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

fn row() -> ObjectRow {
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
    ObjectRow {
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
    }
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
        ObjectRow::open(&mac, key(), &row.seal(&mac, key())),
        Ok(row)
    );
    let bucket = BucketRow {
        id: 7,
        created_micros: 9,
        ssec: SsecUse::Blocked,
    };
    assert_eq!(
        BucketRow::open(&mac, "b", &bucket.seal(&mac, "b")),
        Ok(bucket)
    );
    let garbage = GarbageRow::File(WriteId([1; 16]));
    assert_eq!(
        GarbageRow::open(&mac, (5, 6), &garbage.seal(&mac, (5, 6))),
        Ok(garbage)
    );
    let counters = CountersRow {
        last_seq: 1,
        last_bucket: 2,
    };
    assert_eq!(CountersRow::open(&mac, &counters.seal(&mac)), Ok(counters));
}

#[test]
fn each_flipped_byte_of_a_row_is_damage() {
    let mac = mac();
    let mut sealed = row().seal(&mac, key());
    for position in 0..sealed.len() {
        sealed[position] ^= 0x10;
        assert_eq!(
            ObjectRow::open(&mac, key(), &sealed),
            Err(Damaged),
            "byte {position}"
        );
        sealed[position] ^= 0x10;
    }
    for length in 0..sealed.len() {
        assert_eq!(
            ObjectRow::open(&mac, key(), &sealed[..length]),
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
        assert_eq!(ObjectRow::open(&mac, elsewhere, &sealed), Err(Damaged));
    }
    assert_eq!(BucketRow::open(&mac, "dir", &sealed), Err(Damaged));
    let other = RowMac::new(&[8; 32]);
    assert_eq!(ObjectRow::open(&other, key(), &sealed), Err(Damaged));
}

#[test]
fn a_row_that_verifies_but_is_not_of_this_version_is_damage() {
    let mac = mac();
    let sealed = row().seal(&mac, key());
    let fields = &sealed[..sealed.len() - MAC];
    let forge = |fields: Vec<u8>| mac.seal(ObjectRow::TABLE, &key().in_mac(), fields);
    assert!(ObjectRow::open(&mac, key(), &forge(fields.to_vec())).is_ok());
    for length in 0..fields.len() {
        let cut = forge(fields[..length].to_vec());
        assert_eq!(
            ObjectRow::open(&mac, key(), &cut),
            Err(Damaged),
            "length {length}"
        );
    }
    assert_eq!(
        ObjectRow::open(&mac, key(), &forge([fields, &[0]].concat())),
        Err(Damaged)
    );
    // Row version, kind, flags, place.
    for (position, value) in [(0, 2), (1, 2), (2, 2), (95, 2)] {
        let mut other = fields.to_vec();
        other[position] = value;
        assert_eq!(
            ObjectRow::open(&mac, key(), &forge(other)),
            Err(Damaged),
            "byte {position}"
        );
    }
}
