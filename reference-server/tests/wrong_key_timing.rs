//! Whether the time of a refusal tells how near a wrong key came: a statistical test, so it is of the
//! long form alone, with a control that it must convict.
//!
//! What is stored is a value derived from the customer key, so the nearest thing to a right key is one
//! whose derived value begins as the right one does. Such keys are searched for, and their refusals timed
//! among those of others: Welch's t over the samples below a percentile, as dudect does it
//! (Reparaz, Balasch, Verbauwhede 2016); beyond 4.5 a difference is taken for real.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

#[expect(dead_code, reason = "an envelope is opened here, and no body")]
mod one_body;

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use one_body::{CUSTOMER_KEY, PLACE, sealed_under_its_key};
use reference_server::sealed::data_key::open_under;
use reference_server::sealed::envelope::Envelope;

/// Keys of each kind.
const KEYS: usize = 32;
/// Bytes of the derived value that a near key has right, and an early end would tell.
const NEAR: usize = 2;
/// Samples of both kinds, and refusals in each of them.
const SAMPLES: usize = 60_000;
const IN_ONE: usize = 16;
/// Share of the samples that counts: the slowest ones tell what else the machine did.
const COUNTS: f64 = 0.8;
const SUSPICIOUS: f64 = 4.5;

/// The value that is stored to tell a wrong key (AT-REST.md, key check).
fn check(envelope: &[u8], key: &[u8; 32]) -> [u8; 32] {
    let prk = sign(&Key::new(HMAC_SHA256, &envelope[20..52]), key);
    let info = [&b"ssec/1 key check"[..], &[1]].concat();
    let check = sign(&Key::new(HMAC_SHA256, prk.as_ref()), &info);
    check.as_ref().try_into().unwrap()
}

/// Numbers that look random (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        for piece in key.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_ne_bytes());
        }
        key
    }
}

/// Wrong keys whose derived value has so many first bytes right, and no more need to be.
fn wrong_keys(envelope: &[u8], right: usize, random: &mut Random) -> Vec<[u8; 32]> {
    let stored = &envelope[52..84];
    let mut found = Vec::new();
    while found.len() < KEYS {
        let key = random.key();
        let derived = check(envelope, &key);
        let same = derived.iter().zip(stored).take_while(|(a, b)| a == b);
        if same.count().min(NEAR) == right {
            found.push(key);
        }
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured here")]
fn nanoseconds(work: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..IN_ONE {
        work();
    }
    start.elapsed().as_nanos() as f64
}

/// Welch's t between the times of refusing near keys and far ones.
fn t(refuses: impl Fn(&[u8; 32]) -> bool, near: &[[u8; 32]], far: &[[u8; 32]]) -> f64 {
    let mut random = Random(0x5eed);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..SAMPLES {
        let draw = random.next();
        let kind = usize::from(draw & 1 == 1);
        let key = &[near, far][kind][(draw >> 8) as usize % KEYS];
        times[kind].push(nanoseconds(|| assert!(refuses(black_box(key)))));
    }
    // One bound for both kinds, so that none is cut more than the other.
    let mut all = times.concat();
    all.sort_by(f64::total_cmp);
    let bound = all[(all.len() as f64 * COUNTS) as usize];
    let [near, far] = times.map(|mut times| {
        times.retain(|time| *time <= bound);
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let squares = times.iter().map(|time| (time - mean).powi(2));
        (mean, squares.sum::<f64>() / (count - 1.0) / count)
    });
    (near.0 - far.0) / (near.1 + far.1).sqrt()
}

#[test]
#[ignore = "long form: statistics of time, a minute"]
fn a_wrong_key_is_refused_in_the_same_time_however_near_it_is() {
    let (envelope, _) = sealed_under_its_key();
    let bytes = envelope.encode();
    assert_eq!(
        check(&bytes, &CUSTOMER_KEY),
        bytes[52..84],
        "as AT-REST.md has it"
    );
    let mut random = Random(1);
    let near = wrong_keys(&bytes, NEAR, &mut random);
    let far = wrong_keys(&bytes, 0, &mut random);

    let stored = Envelope::decode(&bytes).unwrap();
    let refuses = |key: &[u8; 32]| open_under(key, &stored, PLACE).is_err();
    assert!(!refuses(&CUSTOMER_KEY), "the right key opens");
    let honest = t(refuses, &near, &far);
    // The control derives as the server does, and stops at the first byte that differs.
    let stops_early = |key: &[u8; 32]| {
        let derived = check(&bytes, key);
        let differs = |at: &usize| black_box(derived[*at]) != black_box(bytes[52 + at]);
        (0..32).find(differs).is_some()
    };
    let control = t(stops_early, &near, &far);
    println!("t = {honest:.2}, of a comparison that stops early {control:.2}");
    assert!(
        control.abs() > SUSPICIOUS,
        "the control was not convicted: {control}"
    );
    assert!(honest.abs() < SUSPICIOUS, "{honest}");
    println!(
        "hardening | timing: refusals of wrong keys, t = {honest:.1}; control that stops early, t = {control:.1} | {} | – | 0 | – |",
        SAMPLES * IN_ONE
    );
}
