//! The sealed reader as a library: each byte, each length, each place of a record.

use reference_server::sealed::data_key::{BodyName, DataKey, Place, open_under};
use reference_server::sealed::envelope::{Envelope, LENGTH, WriteId};
use reference_server::sealed::record::{self, RECORD, STORED_RECORD, TAG};
use reference_server::sealed::seal::Window;
use reference_server::sealed::{Damaged, unseal};

use super::body;
use super::one_body::{CUSTOMER_KEY, NAME, PLACE, sealed_under_its_key, under};

fn key() -> DataKey {
    sealed_under_its_key().1.data_key(NAME)
}

fn sealed(key: &DataKey, plain: &[u8]) -> Vec<u8> {
    let records = record::count(plain.len() as u64);
    let mut window = Window::new(0, records);
    assert_eq!(window.push(plain), plain.len());
    window.seal(key, true).unwrap().bytes
}

fn record_of(stored: &[u8], index: u64) -> &[u8] {
    let start = usize::try_from(index * STORED_RECORD).unwrap();
    let end = (start + usize::try_from(STORED_RECORD).unwrap()).min(stored.len());
    &stored[start..end]
}

/// Opens one record; on an error the reader must have given nothing.
#[track_caller]
fn opened(key: &DataKey, size: u64, index: u64, stored: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut plain = vec![1, 2, 3];
    let opened = unseal::open(key, size, index, stored, &mut plain);
    if opened.is_err() {
        assert!(plain.is_empty(), "bytes were given before their tag");
    }
    opened.map(|()| plain)
}

/// The control of every test here: what nobody touched opens.
#[track_caller]
fn assert_opens(key: &DataKey, plain: &[u8], stored: &[u8]) {
    let size = plain.len() as u64;
    let mut whole = Vec::new();
    for index in 0..record::count(size) {
        whole.extend(opened(key, size, index, record_of(stored, index)).unwrap());
    }
    assert!(whole == plain);
}

fn flip_each(size: usize, step: usize) -> u64 {
    let (key, plain) = (key(), body(size, 1));
    let mut stored = sealed(&key, &plain);
    let mut flips = 0;
    for position in (0..stored.len()).step_by(step) {
        let bit = 1 << (position % 8);
        stored[position] ^= bit;
        let index = position as u64 / STORED_RECORD;
        let read = opened(&key, size as u64, index, record_of(&stored, index));
        assert_eq!(read, Err(Damaged), "byte {position} of {size}");
        stored[position] ^= bit;
        flips += 1;
    }
    assert_opens(&key, &plain, &stored);
    flips
}

#[test]
fn each_flipped_byte_of_a_body_is_found() {
    let record = usize::try_from(RECORD).unwrap();
    let mut flips = flip_each(record, 61) + flip_each(3 * record + 100, 997);
    for size in [0, 1, 15, 4_096, record / 4] {
        let flipped = flip_each(size, 1);
        assert_eq!(flipped, size as u64 + TAG);
        flips += flipped;
    }
    println!("hardening | damage: bytes of sealed bodies flipped | {flips} | – | – | 0 |");
}

#[test]
#[ignore = "long form: about a minute"]
fn each_flipped_byte_of_several_records_is_found() {
    let size = 2 * usize::try_from(RECORD).unwrap() + 100;
    let stored = record::stored_length(size as u64);
    assert_eq!(flip_each(size, 1), stored);
    println!(
        "hardening | damage: bytes of a sealed body of three records flipped, each | {stored} | – | – | 0 |"
    );
}

/// A body that was cut and claims to be that short, as a forged row would have it: the flag of the
/// last record is missing, or its tag is.
#[test]
fn each_truncation_is_found() {
    let key = key();
    let plain = body(usize::try_from(RECORD).unwrap() + 9_000, 2);
    let stored = sealed(&key, &plain);
    let mut cuts = 0;
    let lengths = (TAG..stored.len() as u64).filter(|length| {
        length % 61 == 0 || *length < 2_000 || length.abs_diff(STORED_RECORD) < 200
    });
    for length in lengths {
        // The size whose body would have this length; a lone tag after a full record has none.
        let records = length.div_ceil(STORED_RECORD);
        let size = length - TAG * records;
        if record::stored_length(size) != length {
            continue;
        }
        let last = records - 1;
        let cut = &stored[..usize::try_from(length).unwrap()];
        let read = opened(&key, size, last, record_of(cut, last));
        assert_eq!(read, Err(Damaged), "cut to {length}");
        // With the true size the length alone tells.
        let size = plain.len() as u64;
        let read = opened(&key, size, last, record_of(cut, last));
        assert_eq!(read.is_ok(), length == STORED_RECORD, "cut to {length}");
        cuts += 1;
    }
    assert!(cuts > 2_000, "{cuts} cuts");
    println!("hardening | damage: sealed bodies cut | {cuts} | – | – | 0 |");
    assert_opens(&key, &plain, &stored);
}

#[test]
fn records_open_in_their_own_place_alone() {
    let key = key();
    let plain = body(4 * usize::try_from(RECORD).unwrap(), 3);
    let (size, stored) = (plain.len() as u64, sealed(&key, &plain));
    for place in 0..4 {
        for other in 0..4 {
            let read = opened(&key, size, place, record_of(&stored, other));
            assert_eq!(read.is_ok(), place == other, "record {other} at {place}");
        }
    }
    // Dropped from the end, or repeated there: the last record says that it is the last.
    for records in [1, 2, 3, 5, 6] {
        let last = records - 1;
        let read = opened(
            &key,
            records * RECORD,
            last,
            record_of(&stored, last.min(3)),
        );
        assert_eq!(read, Err(Damaged), "{records} records");
    }
    assert_eq!(
        opened(&key, size, 4, record_of(&stored, 3)),
        Err(Damaged),
        "beyond the end"
    );
}

/// The same plaintext, the same customer key: but for another object, bucket, version or part.
#[test]
fn records_do_not_move_between_objects_versions_and_parts() {
    let (_, object_key) = sealed_under_its_key();
    let plain = body(usize::try_from(RECORD).unwrap() + 5, 4);
    let size = plain.len() as u64;
    let own = object_key.data_key(NAME);
    let stored = sealed(&own, &plain);
    let place = |bucket, object| Place { bucket, object };
    let part = |id: u8, part| BodyName {
        id: WriteId([id; 16]),
        part,
    };
    let others = [
        ("object", under(place("bucket", "objecu"), 0xa0, 7).1, NAME),
        ("bucket", under(place("buckeu", "object"), 0xa0, 7).1, NAME),
        ("border", under(place("bucketo", "bject"), 0xa0, 7).1, NAME),
        ("version", under(PLACE, 0xa1, 7).1, NAME),
        ("salt", under(PLACE, 0xa0, 8).1, NAME),
        ("part", under(PLACE, 0xa0, 7).1, part(0xa0, 1)),
        ("part sent again", under(PLACE, 0xa0, 7).1, part(0xa1, 0)),
    ];
    for (what, object_key, name) in &others {
        let other = object_key.data_key(*name);
        for index in 0..2 {
            let moved = opened(&other, size, index, record_of(&stored, index));
            assert_eq!(moved, Err(Damaged), "{what}, record {index}");
        }
        let theirs = sealed(&other, &plain);
        assert_opens(&other, &plain, &theirs);
        for index in 0..2 {
            let moved = opened(&own, size, index, record_of(&theirs, index));
            assert_eq!(moved, Err(Damaged), "{what}, record {index}");
        }
    }
    assert_opens(&own, &plain, &stored);
}

/// A changed envelope is no envelope, shows another key, or gives a key that opens nothing.
#[test]
fn each_changed_bit_of_an_envelope_is_found() {
    let (envelope, object_key) = sealed_under_its_key();
    let plain = body(1_000, 5);
    let stored = sealed(&object_key.data_key(NAME), &plain);
    let (mut refused, mut wrong_key, mut opens_nothing) = (0, 0, 0);
    for bit in 0..8 * LENGTH {
        let mut bytes = envelope.encode();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(changed) = Envelope::decode(&bytes) else {
            refused += 1;
            continue;
        };
        let Ok(key) = open_under(&CUSTOMER_KEY, &changed, PLACE) else {
            wrong_key += 1;
            continue;
        };
        let read = opened(&key.data_key(NAME), 1_000, 0, &stored);
        assert_eq!(read, Err(Damaged), "bit {bit}");
        opens_nothing += 1;
    }
    // Four bytes of kinds, but for one other holder; salt and check; the write id.
    assert_eq!(
        (refused, wrong_key, opens_nothing),
        (32, 8 * 64, 8 * 16),
        "refused, wrong key, opens nothing"
    );
    let same = Envelope::decode(&envelope.encode()).unwrap();
    let key = open_under(&CUSTOMER_KEY, &same, PLACE).ok().unwrap();
    assert_opens(&key.data_key(NAME), &plain, &stored);
}
