//! The format against vectors that another implementation made, and records against each other.

use serde_json::Value;

use super::data_key::{BodyName, DataKey, ObjectKey, Place, open_under, seal_under};
use super::envelope::{self, Envelope, HolderKind, WriteId};
use super::seal::{TooLarge, Window};
use super::{Damaged, WrongKey, checksum, record, unseal};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/at-rest.json")).unwrap()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is not a text"))
}

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(value, field)).unwrap()
}

fn array<const N: usize>(value: &Value, field: &str) -> [u8; N] {
    bytes(value, field).try_into().unwrap()
}

fn plaintext(size: u64) -> Vec<u8> {
    (0..size)
        .map(|position| u8::try_from(position % 251).unwrap())
        .collect()
}

/// Seals a body through windows of `records` records, pushed in pieces of an odd length.
fn sealed(key: &DataKey, plain: &[u8], records: u64) -> Vec<u8> {
    let mut stored = Vec::new();
    let mut window = Window::new(0, records);
    let mut first = 0;
    for mut piece in plain.chunks(40_961) {
        while !piece.is_empty() {
            if window.is_full() {
                first += records;
                let full = std::mem::replace(&mut window, Window::new(first, records));
                let full = full.seal(key, false).unwrap();
                assert_eq!(full.offset, stored.len() as u64);
                stored.extend(full.bytes);
            }
            piece = &piece[window.push(piece)..];
        }
    }
    stored.extend(window.seal(key, true).unwrap().bytes);
    stored
}

fn opened(key: &DataKey, size: u64, stored: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut plain = Vec::new();
    unseal::open(key, size, 0, stored, &mut plain).map(|()| plain)
}

fn case_key(case: &Value) -> (ObjectKey, BodyName) {
    let name = String::from_utf8(bytes(case, "name_hex")).unwrap();
    let place = Place {
        bucket: text(case, "bucket"),
        object: &name,
    };
    let envelope = Envelope::decode(&bytes(case, "envelope")).unwrap();
    let key = open_under(&array(case, "holder_key"), &envelope, place).unwrap();
    let part = u16::try_from(case["part"].as_u64().unwrap()).unwrap();
    (
        key,
        BodyName {
            id: WriteId(array(case, "blob_id")),
            part,
        },
    )
}

#[test]
fn envelopes_and_keys_are_those_of_the_vectors() {
    for case in vectors()["cases"].as_array().unwrap() {
        let label = text(case, "label");
        let name = String::from_utf8(bytes(case, "name_hex")).unwrap();
        let place = Place {
            bucket: text(case, "bucket"),
            object: &name,
        };
        let envelope = Envelope::decode(&bytes(case, "envelope")).unwrap();
        let holder = match case["holder"].as_u64() {
            Some(1) => HolderKind::Customer,
            _ => HolderKind::Server,
        };
        let salt: [u8; 32] = std::array::from_fn(|index| 0x20 + u8::try_from(index).unwrap());
        let key = array(case, "holder_key");
        let (made, made_key) = seal_under(&key, holder, place, envelope.write_id(), salt);
        assert_eq!(
            hex::encode(made.encode()),
            text(case, "envelope"),
            "{label}"
        );
        let (opened_key, body) = case_key(case);
        for key in [made_key, opened_key] {
            let keys = key.vector_bytes(body).map(hex::encode);
            let expected = ["object_key", "data_key", "checksum_key"].map(|key| text(case, key));
            assert_eq!(keys, expected, "{label}");
        }
    }
}

#[test]
fn stored_bodies_are_those_of_the_vectors() {
    for case in vectors()["cases"].as_array().unwrap() {
        let (key, body) = case_key(case);
        let key = key.data_key(body);
        for vector in case["bodies"].as_array().unwrap() {
            let size = vector["size"].as_u64().unwrap();
            let plain = plaintext(size);
            for records in [1, 4] {
                let stored = sealed(&key, &plain, records);
                assert_eq!(Some(stored.len() as u64), vector["stored"].as_u64());
                assert_eq!(hex::encode(&stored[..16]), text(vector, "first16"));
                assert_eq!(
                    hex::encode(&stored[stored.len() - 16..]),
                    text(vector, "last16")
                );
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &stored);
                assert_eq!(hex::encode(digest), text(vector, "sha256"), "size {size}");
                assert_eq!(opened(&key, size, &stored), Ok(plain.clone()));
            }
        }
    }
}

#[test]
fn another_key_is_told_by_the_check_whatever_the_place() {
    let vectors = vectors();
    let case = &vectors["cases"][0];
    let other: [u8; 32] = std::array::from_fn(|index| 1 + u8::try_from(index).unwrap());
    let envelope = Envelope::decode(&bytes(case, "envelope")).unwrap();
    let place = Place {
        bucket: "bucket",
        object: "dir/ä",
    };
    assert_eq!(open_under(&other, &envelope, place).err(), Some(WrongKey));
    let (made, _) = seal_under(
        &other,
        HolderKind::Customer,
        place,
        envelope.write_id(),
        envelope.salt,
    );
    assert_eq!(
        hex::encode(made.key_check),
        text(&vectors, "wrong_key_check")
    );
}

#[test]
fn a_checksum_is_sealed_as_in_the_vectors() {
    let vectors = vectors();
    let (key, body) = case_key(&vectors["cases"][0]);
    let vector = &vectors["checksum"];
    let (plain, mut stored) = (bytes(vector, "plain"), bytes(vector, "sealed"));
    assert_eq!(
        checksum::seal(&key, body, array(vector, "nonce"), &plain),
        stored
    );
    assert_eq!(checksum::open(&key, body, &stored), Ok(plain));
    for position in 0..stored.len() {
        stored[position] ^= 1;
        assert_eq!(
            checksum::open(&key, body, &stored),
            Err(Damaged),
            "byte {position}"
        );
        stored[position] ^= 1;
    }
    assert_eq!(checksum::open(&key, body, &stored[..11]), Err(Damaged));
}

fn some_key() -> DataKey {
    let (key, body) = case_key(&vectors()["cases"][0]);
    key.data_key(body)
}

#[test]
fn records_that_were_changed_do_not_open() {
    let key = some_key();
    let size = 2 * record::RECORD + 5;
    let stored = sealed(&key, &plaintext(size), 4);
    let whole = usize::try_from(record::STORED_RECORD).unwrap();
    let (first, second, last) = (
        &stored[..whole],
        &stored[whole..2 * whole],
        &stored[2 * whole..],
    );
    #[track_caller]
    fn refuse(key: &DataKey, size: u64, pieces: &[&[u8]]) {
        assert_eq!(opened(key, size, &pieces.concat()), Err(Damaged));
    }
    assert!(opened(&key, size, &[first, second, last].concat()).is_ok());
    // Exchanged, doubled, dropped.
    refuse(&key, size, &[second, first, last]);
    refuse(&key, size, &[first, first, last]);
    refuse(&key, size - record::RECORD, &[first, last]);
    // Cut at a record border, also when the size says so: the last flag is missing.
    refuse(&key, 2 * record::RECORD, &[first, second]);
    refuse(&key, size, &[first, second, &last[..last.len() - 1]]);
    // Extended at a record border, also when the size says so: the old last record has the flag.
    refuse(&key, size, &[first, second, last, last]);
    refuse(&key, 3 * record::RECORD + 5, &[first, second, last, last]);
    // Another size.
    refuse(&key, size - 1, &[first, second, last]);
    refuse(&key, size + 1, &[first, second, last]);
}

#[test]
fn another_data_key_opens_nothing() {
    let (object_key, body) = case_key(&vectors()["cases"][0]);
    let stored = sealed(&object_key.data_key(body), b"secret", 4);
    assert!(opened(&object_key.data_key(body), 6, &stored).is_ok());
    let part = BodyName { part: 1, ..body };
    assert_eq!(opened(&object_key.data_key(part), 6, &stored), Err(Damaged));
    let other = BodyName {
        id: WriteId([9; 16]),
        ..body
    };
    assert_eq!(
        opened(&object_key.data_key(other), 6, &stored),
        Err(Damaged)
    );
}

#[test]
fn a_record_beyond_the_limit_is_not_sealed() {
    let key = some_key();
    let mut window = Window::new(record::RECORD_LIMIT - 1, 1);
    window.push(&[0]);
    assert!(window.seal(&key, true).is_ok());
    let mut window = Window::new(record::RECORD_LIMIT, 1);
    window.push(&[0]);
    assert_eq!(window.seal(&key, true).err(), Some(TooLarge));
}

/// The envelope as AT-REST.md draws it is the one that is written.
#[test]
fn the_document_draws_the_envelope_that_is_written() {
    let page = include_str!("../../AT-REST.md");
    let (_, section) = page.split_once("## The envelope").unwrap();
    let (section, _) = section.split_once("## A body").unwrap();
    let cells = |line: &str| -> Option<(usize, usize)> {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
    };
    let rows: Vec<(usize, usize)> = section.lines().filter_map(cells).collect();
    assert_eq!(rows.len(), 7);
    let mut end = 0;
    for (offset, length) in rows {
        assert_eq!(offset, end);
        end = offset + length;
    }
    assert_eq!(end, envelope::LENGTH);
    for label in [
        "key check",
        "context",
        "object",
        "data",
        "checksum",
        "store",
    ] {
        assert!(page.contains(&format!("`\"ssec/1 {label}\"`")), "{label}");
    }
}
