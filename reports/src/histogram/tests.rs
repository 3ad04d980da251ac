//! Histograms against the library's own reader, against bytes typed in, and against bytes that
//! nobody should send.

use hdrhistogram::serialization::Deserializer;

use super::*;

fn samples(seed: u64, number: usize) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        // Numerical Recipes' linear congruential generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..number)
        .map(|_| {
            let shift = next() % 32;
            next() >> shift
        })
        .collect()
}

fn of(values: &[u64]) -> Histogram {
    let mut histogram = Histogram::new();
    for value in values {
        histogram.record(*value);
    }
    histogram
}

#[test]
fn its_own_reader_and_the_librarys_agree_on_every_slot() {
    let mut histogram = of(&samples(1, 5_000));
    for slot in 0..histogram.0.distinct_values() {
        let value = lowest_of(slot).min(HIGHEST_US);
        histogram.record_many(value, slot as u64 % 3);
    }
    let bytes = histogram.to_v2();
    let theirs: hdrhistogram::Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .unwrap();
    let ours = Histogram::from_v2(&bytes).unwrap();
    assert_eq!(ours.0, theirs);
    assert_eq!(ours.to_v2(), bytes);
}

#[test]
fn three_samples_are_these_bytes() {
    // 1, 3 and 3 µs: slots 0, 1 (once), 2 (empty), 3 (twice); zigzag doubles counts, and one
    // empty slot is a zero. Layout from the HdrHistogram V2 encoding.
    let expected = "1c849313 00000004 00000000 00000003 0000000000000001 00000000d693a400 \
                    3ff0000000000000 00020004";
    let hex: String = of(&[1, 3, 3])
        .to_v2()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, expected.replace(' ', ""));
}

#[test]
fn any_split_merges_to_the_same_bytes() {
    let values = samples(7, 3_000);
    let whole = of(&values);
    for parts in [1, 2, 3, 7, 64] {
        let mut pieces = vec![Histogram::new(); parts];
        for (at, value) in values.iter().enumerate() {
            pieces[(at * 31 + at / 5) % parts].record(*value);
        }
        let mut left = Histogram::new();
        for piece in &pieces {
            left.merge(piece);
        }
        let mut right = Histogram::new();
        for piece in pieces.iter().rev() {
            let mut sum = piece.clone();
            sum.merge(&right);
            right = sum;
        }
        assert_eq!(left.to_v2(), whole.to_v2(), "{parts} parts");
        assert_eq!(
            right.to_v2(),
            whole.to_v2(),
            "{parts} parts, from the right"
        );
    }
}

#[test]
fn a_percentile_needs_ten_samples_above_it() {
    let ramp = |number: u64| of(&(1..=number).collect::<Vec<_>>());
    assert_eq!(ramp(999).quantile(0.99), None);
    assert_eq!(ramp(1000).quantile(0.99), Some(990));
    assert_eq!(ramp(19).quantile(0.5), None);
    assert_eq!(ramp(20).quantile(0.5), Some(10));
    assert_eq!(Histogram::new().quantile(0.5), None);
}

#[test]
fn three_digits_hold_over_the_whole_range() {
    for value in samples(3, 500) {
        let told = of(&[value]).max();
        assert!(
            told >= value && told - value <= value / 1000,
            "{value} {told}"
        );
    }
    assert_eq!(of(&[u64::MAX]).count(), 1);
    assert_eq!(of(&[u64::MAX]), of(&[HIGHEST_US]));
}

#[test]
fn hostile_bytes_are_refused() {
    let good = of(&[5]).to_v2();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let counted = |counts: &[u8]| {
        let mut bytes = good[..V2_HEADER_BYTES].to_vec();
        bytes[4..8].copy_from_slice(&u32::try_from(counts.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(counts);
        bytes
    };
    let check = |bytes: Vec<u8>, expected| {
        assert_eq!(Histogram::from_v2(&bytes).map(|_| ()), Err(expected));
    };
    assert!(Histogram::from_v2(&good).is_ok());
    assert!(Histogram::from_v2(&counted(&[2])).is_ok());
    check(Vec::new(), Malformed::NotV2);
    check(good[..39].to_vec(), Malformed::NotV2);
    check(with(0, &[0]), Malformed::NotV2);
    // A payload of 4 GiB that is not there.
    check(with(4, &[0xff; 4]), Malformed::WrongLength);
    // Five digits up to 2^63 would need gigabytes.
    check(with(12, &[0, 0, 0, 5]), Malformed::OtherBounds);
    check(with(24, &[0x7f; 8]), Malformed::OtherBounds);
    check(with(32, &[0x7f; 8]), Malformed::OtherBounds);
    // A word that never ends, a count of 2^62, the most negative number, a run past the end.
    check(counted(&[0xff; 3]), Malformed::WrongLength);
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    check(counted(&huge), Malformed::TooManySamples);
    let past = [[0xff; 9].as_slice(), &[2]].concat();
    check(counted(&past), Malformed::TooManySlots);
}

#[test]
fn the_text_form_is_base64_and_checked() {
    let packed = Packed::of(&of(&samples(9, 100)));
    let text = serde_json::to_string(&packed).unwrap();
    assert!(text.starts_with("\"HISTEw"), "{text}");
    assert_eq!(serde_json::from_str::<Packed>(&text).unwrap(), packed);
    for wrong in ["\"!\"", "\"SElTVA==\"", "7"] {
        assert!(serde_json::from_str::<Packed>(wrong).is_err(), "{wrong}");
    }
}
