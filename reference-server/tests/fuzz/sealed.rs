//! The sealed reader: changed bytes give an error or what was written, and every range of what was
//! written comes back.

use reference_server::byte_range::{Selection, select};
use reference_server::sealed::data_key::{DataKey, open_under};
use reference_server::sealed::envelope::Envelope;
use reference_server::sealed::record::{self, RECORD, STORED_RECORD, TAG};
use reference_server::sealed::seal::Window;
use reference_server::sealed::unseal;

use super::mutation::{Mutator, Seed};
use super::one_body::{CUSTOMER_KEY, NAME, PLACE, sealed_under_its_key};

super::target!(
    sealed_bytes,
    sealed_bytes_long,
    "sealed bodies",
    1_200,
    bodies
);
super::target!(
    envelope_bytes,
    envelope_bytes_long,
    "envelopes",
    5_000,
    envelopes
);

/// Sizes at each border of the first three records, and one byte or a tag beside it.
fn sizes() -> Vec<u64> {
    let mut sizes: Vec<_> = (0..=3)
        .flat_map(|records| {
            let border = records * RECORD;
            [
                border.checked_sub(TAG),
                border.checked_sub(1),
                Some(border),
                Some(border + 1),
                Some(border + TAG),
            ]
        })
        .flatten()
        .collect();
    sizes.sort_unstable();
    sizes
}

fn plaintext(size: u64) -> Vec<u8> {
    (0..size)
        .map(|position| u8::try_from(position % 251).unwrap())
        .collect()
}

/// Seals through windows of `records` records.
fn sealed(key: &DataKey, plain: &[u8], records: u64) -> Vec<u8> {
    let mut stored = Vec::new();
    let mut window = Window::new(0, records);
    let (mut rest, mut first) = (plain, 0);
    while !rest.is_empty() {
        if window.is_full() {
            first += records;
            let full = std::mem::replace(&mut window, Window::new(first, records));
            stored.extend(full.seal(key, false).unwrap().bytes);
        }
        rest = &rest[window.push(rest)..];
    }
    stored.extend(window.seal(key, true).unwrap().bytes);
    stored
}

#[expect(clippy::unused_async, reason = "targets have one form")]
async fn bodies(seed: u64, rounds: u64) -> (u64, u64) {
    let key = sealed_under_its_key().1.data_key(NAME);
    let bodies: Vec<_> = sizes()
        .into_iter()
        .map(|size| (size, sealed(&key, &plaintext(size), 2)))
        .collect();
    // Pieces of the same body and of the others.
    let donors: Vec<_> = bodies
        .iter()
        .map(|(size, stored)| Seed {
            name: size.to_string(),
            bytes: stored.clone(),
        })
        .collect();
    let mut mutator = Mutator::new(seed);
    let mut refused = 0;
    for round in 0..rounds {
        let (size, stored) = &bodies[mutator.below(bodies.len())];
        let control = round.is_multiple_of(16);
        let changed = if control {
            stored.clone()
        } else {
            mutator.mutated(stored, &donors)
        };
        // Read with the size of the row, then with the size that a forged row would name.
        let records = (changed.len() as u64).div_ceil(STORED_RECORD);
        let forged = (changed.len() as u64).saturating_sub(TAG * records);
        for (row, claimed) in [(true, *size), (false, forged)] {
            let mut plain = vec![1];
            let read = unseal::open(&key, claimed, 0, &changed, &mut plain);
            assert!(!control || read.is_ok());
            if read.is_err() {
                assert!(plain.is_empty(), "bytes were given before their tag");
                refused += u64::from(row);
            } else if changed.is_empty() {
                assert!(plain.is_empty());
            } else {
                // Whole records from the front are what a range reads; the rest is another's.
                assert!(plaintext(*size).starts_with(&plain), "size {size}");
                assert!(stored.starts_with(&changed), "size {size}");
            }
        }
    }
    assert!(refused > rounds / 2 && refused < rounds);
    (rounds, refused)
}

#[expect(clippy::unused_async, reason = "targets have one form")]
async fn envelopes(seed: u64, rounds: u64) -> (u64, u64) {
    let (envelope, object_key) = sealed_under_its_key();
    let plain = plaintext(1_000);
    let stored = sealed(&object_key.data_key(NAME), &plain, 1);
    let mut mutator = Mutator::new(seed);
    let mut refused = 0;
    for round in 0..rounds {
        let control = round.is_multiple_of(16);
        let honest = envelope.encode();
        let changed = if control {
            honest.to_vec()
        } else {
            mutator.mutated(&honest, &[])
        };
        let mut read = Vec::new();
        let opened = Envelope::decode(&changed)
            .ok()
            .and_then(|changed| open_under(&CUSTOMER_KEY, &changed, PLACE).ok())
            .and_then(|key| unseal::open(&key.data_key(NAME), 1_000, 0, &stored, &mut read).ok());
        assert_eq!(opened.is_some(), changed == honest, "{changed:02x?}");
        assert!(!control || read == plain);
        refused += u64::from(opened.is_none());
    }
    (rounds, refused)
}

/// The records of a range, opened as a read does it.
fn range(key: &DataKey, size: u64, stored: &[u8], range: std::ops::Range<u64>) -> Vec<u8> {
    let records = record::holding(&range, size);
    let at = |record: u64| usize::try_from(record * STORED_RECORD).unwrap();
    let piece = &stored[at(records.start)..at(records.end).min(stored.len())];
    let mut plain = Vec::new();
    unseal::open(key, size, records.start, piece, &mut plain).unwrap();
    let skip = usize::try_from(range.start - records.start * RECORD).unwrap();
    let length = usize::try_from(range.end - range.start).unwrap();
    plain[skip..skip + length].to_vec()
}

#[test]
fn every_length_and_every_range_at_a_border_comes_back() {
    let key = sealed_under_its_key().1.data_key(NAME);
    let mut ranges = 0_u64;
    for size in sizes() {
        let plain = plaintext(size);
        let stored = sealed(&key, &plain, 1);
        assert_eq!(stored.len() as u64, record::stored_length(size));
        assert!(stored == sealed(&key, &plain, 3), "windows of another size");
        let mut whole = Vec::new();
        unseal::open(&key, size, 0, &stored, &mut whole).unwrap();
        assert!(whole == plain, "size {size}");
        let mut edges: Vec<_> = sizes().into_iter().filter(|edge| *edge <= size).collect();
        edges.extend([size, size.saturating_sub(1)]);
        for start in edges.iter().copied().filter(|start| *start < size) {
            for end in edges.iter().copied().filter(|end| *end > start) {
                let expected = Selection::Part(start..end);
                let text = format!("bytes={start}-{}", end - 1);
                assert_eq!(select(Some(text.as_bytes()), size), expected);
                if end == size {
                    for text in [
                        format!("bytes={start}-"),
                        format!("bytes=-{}", size - start),
                    ] {
                        assert_eq!(select(Some(text.as_bytes()), size), expected);
                    }
                }
                let (from, to) = (start as usize, end as usize);
                assert!(
                    range(&key, size, &stored, start..end) == plain[from..to],
                    "{start}..{end} of {size}"
                );
                ranges += 1;
            }
        }
    }
    println!(
        "hardening | properties: ranges at record borders, sealed and opened | {ranges} | – | – | 0 |"
    );
}
