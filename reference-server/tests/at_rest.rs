//! What the disk may not hold: plaintext, a form of a customer key, and in dialect `aws` a digest
//! of the plaintext. Every file below the data directory is searched, after failures too.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

mod client;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use client::{ALGORITHM, Ask, K1, K2, KEY, M1, M2, MD5, Served, T1, T2};
use crc_fast::{CrcAlgorithm, checksum};
use md5::{Digest as _, Md5};
use reference_server::ssec::dialect::Dialect;

/// Bytes without a pattern, the same in each run: SHA-256 of a counter.
fn body(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 32);
    let mut counter = 0_u64;
    while bytes.len() < length {
        let block = [counter.to_be_bytes().as_slice(), &[seed]].concat();
        bytes.extend_from_slice(digest(&SHA256, &block).as_ref());
        counter += 1;
    }
    bytes.truncate(length);
    bytes
}

/// Raw, hexadecimal and base64 forms of a secret.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    vec![
        secret.to_vec(),
        hex::encode(secret).into_bytes(),
        hex::encode_upper(secret).into_bytes(),
        STANDARD.encode(secret).into_bytes(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
        URL_SAFE.encode(secret).into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
    ]
}

/// The digests of a body that a server might be tempted to keep. CRC-32 has four bytes, so that its
/// raw form turns up by chance: only its text forms are searched.
fn digests(body: &[u8]) -> Vec<Vec<u8>> {
    let crc64 = checksum(CrcAlgorithm::Crc64Nvme, body).to_be_bytes();
    let crc32 = u32::try_from(checksum(CrcAlgorithm::Crc32IsoHdlc, body))
        .unwrap()
        .to_be_bytes();
    let crc32c = u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, body))
        .unwrap()
        .to_be_bytes();
    let mut found = Vec::new();
    found.extend(forms(&Md5::digest(body)));
    found.extend(forms(digest(&SHA1_FOR_LEGACY_USE_ONLY, body).as_ref()));
    found.extend(forms(digest(&SHA256, body).as_ref()));
    found.extend(forms(&crc64));
    found.extend(forms(&crc32).split_off(1));
    found.extend(forms(&crc32c).split_off(1));
    found
}

/// Fails if any 16 bytes in a row of the body are on the disk.
#[track_caller]
fn assert_no_window(disk: &[Vec<u8>], body: &[u8]) {
    let windows: std::collections::HashSet<&[u8]> = body.windows(16).collect();
    for file in disk {
        let found = file.windows(16).position(|window| windows.contains(window));
        assert_eq!(found, None, "16 bytes of plaintext are on the disk");
    }
}

#[track_caller]
fn assert_absent(disk: &[Vec<u8>], needles: &[Vec<u8>], what: &str) {
    for needle in needles {
        assert!(
            !client::holds(disk, needle),
            "{what}: {}",
            String::from_utf8_lossy(needle)
        );
    }
}

fn key_forms() -> Vec<Vec<u8>> {
    [K1, M1, K2, M2]
        .iter()
        .flat_map(|text| forms(&STANDARD.decode(text).unwrap()))
        .collect()
}

/// Puts of several sizes, and failures of several kinds. Returns the bodies.
async fn fill(served: &Served) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for (seed, length) in [40, 65_536, 65_537, 300_000].into_iter().enumerate() {
        let seed = u8::try_from(seed).unwrap();
        let body = body(length, seed);
        let path = format!("/bucket/object-{length}");
        served
            .send(&Ask::new("PUT", &path).with(&T1).body(&body))
            .await
            .is(200);
        assert_eq!(
            served
                .send(&Ask::new("GET", &path).with(&T1))
                .await
                .is(200)
                .body,
            body
        );
        served.send(&Ask::new("GET", &path).with(&T2)).await.is(403);
        served.send(&Ask::new("GET", &path)).await.is(400);
        bodies.push(body);
    }
    let body = body(200_000, 99);
    let put = Ask::new("PUT", "/bucket/failed").body(&body);
    let digest = put
        .clone()
        .with(&T2)
        .with(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")]);
    served.send(&digest).await.refused(400, "BadDigest");
    let crc = put
        .clone()
        .with(&T2)
        .with(&[("x-amz-checksum-crc32", "AAAAAA==")]);
    served.send(&crc).await.refused(400, "BadDigest");
    served
        .send(&put.clone().with(&[(ALGORITHM, "AES256"), (MD5, M1)]))
        .await
        .is(400);
    served
        .send(&put.clone().with(&T1).with(&[("if-match", "\"x\"")]))
        .await
        .is(404);
    // The body breaks off: half of it, then the connection ends.
    let bytes = served.signed(&put.with(&T1));
    served.cut(&bytes[..bytes.len() - 100_000]).await;
    served
        .send(&Ask::new("GET", "/bucket/failed").with(&T1))
        .await
        .refused(404, "NoSuchKey");
    bodies.push(body);
    bodies
}

#[tokio::test]
async fn an_aws_store_holds_no_plaintext_no_key_and_no_digest() {
    let served = Served::start(Dialect::Aws).await;
    let bodies = fill(&served).await;
    let disk = client::disk(&served.server.data_dir);
    assert!(
        disk.iter().map(Vec::len).sum::<usize>() > 400_000,
        "the disk was searched"
    );
    assert_absent(&disk, &key_forms(), "a form of a customer key");
    for body in &bodies {
        assert_no_window(&disk, body);
        assert_absent(&disk, &digests(body), "a digest of the plaintext");
    }
}

#[tokio::test]
async fn a_plain_object_is_not_in_clear_either() {
    let served = Served::start(Dialect::Aws).await;
    let body = body(100_000, 7);
    served
        .send(&Ask::new("PUT", "/bucket/plain").body(&body))
        .await
        .is(200);
    assert_no_window(&client::disk(&served.server.data_dir), &body);
}

#[tokio::test]
async fn an_ovh_store_holds_no_plaintext_and_no_key() {
    let served = Served::start(Dialect::Ovh).await;
    let body = body(150_000, 3);
    let lone_key = [(KEY, K1)];
    served
        .send(&Ask::new("PUT", "/bucket/one").with(&lone_key).body(&body))
        .await
        .is(200);
    served
        .send(&Ask::new("PUT", "/bucket/two").with(&T2).body(&body))
        .await
        .is(200);
    served
        .send(&Ask::new("PUT", "/bucket/no").with(&[(MD5, M1)]).body(&body))
        .await
        .is(400);
    let disk = client::disk(&served.server.data_dir);
    assert_no_window(&disk, &body);
    assert_absent(&disk, &key_forms(), "a form of a customer key");
    // The control: this dialect keeps the MD5 of the plaintext, as its documentation says.
    assert!(client::holds(&disk, &Md5::digest(&body)));
}
