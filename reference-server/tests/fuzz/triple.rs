//! The three SSE-C headers, read in process and sent over TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use md5::{Digest as _, Md5};
use reference_server::ssec::headers::{self, Field, OfferedKey, OfferedMd5, SsecHeaders};

use super::client::{ALGORITHM, Ask, KEY, MD5};
use super::ground::Ground;
use super::mutation::{Mutator, Seed, corpus};

super::target!(
    served,
    served_long,
    "SSE-C headers, over the wire",
    80,
    wire
);
super::target!(read, read_long, "SSE-C headers, read", 20_000, in_process);

/// A seed's three values, one of them changed; every eighth time as they are.
fn made(mutator: &mut Mutator, round: u64, seeds: &[Seed]) -> ([String; 3], [Vec<u8>; 3]) {
    let text = seeds[mutator.below(seeds.len())].text();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let honest: [String; 3] = lines.try_into().unwrap();
    let mut sent = honest.clone().map(String::into_bytes);
    if !round.is_multiple_of(8) {
        let which = mutator.below(3);
        sent[which] = mutator.mutated(&sent[which], seeds);
        sent[which].retain(|byte| !b"\r\n".contains(byte));
    }
    (honest, sent)
}

/// Only the honest triple stores anything.
async fn wire(seed: u64, rounds: u64) -> (u64, u64) {
    let mut ground = Ground::new().await;
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("triple");
    for round in 0..rounds {
        let (honest, sent) = made(&mut mutator, round, &seeds);
        let sent = sent.map(|value| String::from_utf8_lossy(&value).into_owned());
        let ask = Ask::new("PUT", "/bucket/sealed").body(b"body").with(&[
            (ALGORITHM, &sent[0]),
            (KEY, &sent[1]),
            (MD5, &sent[2]),
        ]);
        let bytes = ground.served.signed(&ask);
        let reply = ground.fire(&bytes, true).await;
        let trimmed = sent.each_ref().map(|value| value.trim_matches([' ', '\t']));
        let expected = trimmed == honest.each_ref().map(String::as_str);
        assert_eq!(reply.status == 200, expected, "{sent:?}: {}", reply.text());
    }
    ground.close().await
}

/// What is read as a key or a digest is exactly what its text says, and has no other text.
fn assert_read(values: &[HeaderValue; 3], read: &SsecHeaders) -> bool {
    let canonical = |value: &HeaderValue, length: usize| {
        let bytes = STANDARD.decode(value).ok()?;
        let same = STANDARD.encode(&bytes).as_bytes() == value.as_bytes();
        (same && bytes.len() == length).then_some(bytes)
    };
    let key = canonical(&values[1], 32);
    let digest = canonical(&values[2], 16);
    let Field::Present(offered) = &read.key else {
        assert!(key.is_none(), "a key was not read");
        return false;
    };
    let whole = matches!(offered, OfferedKey::Whole(_));
    assert_eq!(whole, key.is_some(), "{:?}", values[1]);
    let Field::Present(OfferedMd5::Digest(md5)) = &read.key_md5 else {
        assert!(digest.is_none(), "a digest was not read");
        return false;
    };
    assert_eq!(Some(&md5[..]), digest.as_deref());
    let Some(key) = key else {
        return false;
    };
    let agree = Md5::digest(&key).as_slice() == md5;
    assert_eq!(headers::agrees(offered, md5), agree, "{values:?}");
    agree
}

#[expect(clippy::unused_async, reason = "targets have one form")]
async fn in_process(seed: u64, rounds: u64) -> (u64, u64) {
    let mut mutator = Mutator::new(seed);
    let seeds = corpus("triple");
    let (mut tried, mut agreed) = (0, 0);
    for round in 0..rounds {
        let (_, sent) = made(&mut mutator, round, &seeds);
        let Ok(values) = sent
            .iter()
            .map(|value| HeaderValue::from_bytes(value))
            .collect::<Result<Vec<_>, _>>()
        else {
            continue;
        };
        let values: [HeaderValue; 3] = values.try_into().unwrap();
        let names = [headers::ALGORITHM, headers::KEY, headers::KEY_MD5];
        let map: HeaderMap = names
            .into_iter()
            .map(http::HeaderName::from_static)
            .zip(values.clone())
            .collect();
        let read = SsecHeaders::read(&map, []);
        let agree = assert_read(&values, &read);
        assert!(agree || !round.is_multiple_of(8), "the control");
        tried += 1;
        agreed += u64::from(agree);
    }
    assert!(agreed > 0 && agreed < tried);
    (tried, tried - agreed)
}
