//! The keys of stored bodies, derived as `reference-server/AT-REST.md` says by code of this test alone,
//! and proved by what they open.

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

/// Bytes of a record as it is stored.
const STORED_RECORD: usize = 65_536 + 16;
/// Bytes of an envelope, where its salt and its key check are.
const ENVELOPE: usize = 84;
const SALT: std::ops::Range<usize> = 20..52;
const CHECK: std::ops::Range<usize> = 52..84;
const WRITE_ID: std::ops::Range<usize> = 4..20;

type Secret = [u8; 32];

fn hmac(key: &[u8], parts: &[&[u8]]) -> Secret {
    let tag = sign(&Key::new(HMAC_SHA256, key), &parts.concat());
    tag.as_ref().try_into().unwrap()
}

/// HKDF-Expand (RFC 5869) to one block.
fn expand(prk: &[u8], info: &[&[u8]]) -> Secret {
    hmac(prk, &[&info.concat(), &[1]])
}

fn sized(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&length, text.as_bytes()].concat()
}

fn opens(data_key: &Secret, record: &[u8], last: bool) -> bool {
    let mut nonce = [0; 12];
    nonce[11] = u8::from(last);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, data_key).unwrap());
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.open_in_place(nonce, Aad::empty(), &mut record.to_vec())
        .is_ok()
}

/// Every file below a directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// What a closed store holds under one customer key: derived keys of every kind.
#[derive(Default)]
pub(crate) struct Derived {
    /// Keys that open the first record of a body.
    pub(crate) data_keys: Vec<Secret>,
    /// What they were derived through.
    pub(crate) others: Vec<Secret>,
}

/// Finds the envelopes under `customer` in the metadata of a closed store by their key checks, and the
/// bodies that they open. `sizes` are those of bodies in packs.
pub(crate) fn derive(
    data_dir: &Path,
    customer: &Secret,
    bucket: &str,
    names: &[&str],
    sizes: &[usize],
) -> Derived {
    let metadata = std::fs::read(data_dir.join("meta.redb")).unwrap();
    let mut seen = Vec::new();
    let mut derived = Derived::default();
    for envelope in metadata.windows(ENVELOPE) {
        // Version, suite, customer's, zero.
        if envelope[..4] != [1, 1, 1, 0] || seen.contains(&envelope) {
            continue;
        }
        let prk = hmac(&envelope[SALT], &[customer]);
        if expand(&prk, &[b"ssec/1 key check"]) != envelope[CHECK] {
            continue;
        }
        seen.push(envelope);
        derived.others.push(prk);
        for name in names {
            let named = [&sized(bucket)[..], &sized(name)].concat();
            let context = [b"ssec/1 context", &envelope[..CHECK.start], &named].concat();
            let context = digest(&SHA256, &context);
            let object_key = expand(&prk, &[b"ssec/1 object", context.as_ref()]);
            let opened = open_bodies(data_dir, &object_key, &envelope[WRITE_ID], sizes);
            if !opened.is_empty() {
                derived.others.push(object_key);
                derived.data_keys.extend(opened);
            }
        }
    }
    derived
}

fn data_key(object_key: &Secret, id: &[u8], part: u16) -> Secret {
    expand(object_key, &[b"ssec/1 data", id, &part.to_be_bytes()])
}

/// The data keys below an object key that open something.
fn open_bodies(data_dir: &Path, object_key: &Secret, write: &[u8], sizes: &[usize]) -> Vec<Secret> {
    let mut found = Vec::new();
    for file in files(&data_dir.join("data")) {
        let id = hex::decode(file.file_name().unwrap().to_str().unwrap()).unwrap();
        let stored = std::fs::read(&file).unwrap();
        let first = &stored[..stored.len().min(STORED_RECORD)];
        for part in 0..=2 {
            let key = data_key(object_key, &id, part);
            if opens(&key, first, first.len() == stored.len()) {
                found.push(key);
            }
        }
    }
    // A body in a pack has its write's id.
    let key = data_key(object_key, write, 0);
    for file in files(&data_dir.join("packs")) {
        let pack = std::fs::read(&file).unwrap();
        let mut records = sizes.iter().flat_map(|size| pack.windows(size + 16));
        if records.any(|record| opens(&key, record, true)) {
            found.push(key);
        }
    }
    found
}
