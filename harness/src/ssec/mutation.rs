//! Every way to spoil one header of the triple, to the byte.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::Zeroizing;

use super::customer_key::{CustomerKey, md5};
use super::headers::right;
use crate::error::GivenError;
use crate::random;
use crate::scenario::definition::{Mutation, SsecHeader};

/// What a doubled algorithm says the second time when it is to differ: a value that no server
/// takes.
const OTHER_ALGORITHM: &str = "AES128";

/// Longest key or digest that a mutation makes, bytes.
const MAX_LENGTH: u16 = 4096;

/// The bytes that the key header decodes to, for mutations that give it a right MD5 of its own.
pub(super) fn decoded_key(key: &CustomerKey, mutation: Option<Mutation>) -> Vec<u8> {
    match mutation {
        Some(Mutation::DoubleBase64) => key.base64().as_bytes().to_vec(),
        Some(Mutation::Length(length)) => resized(key.expose(), length),
        _ => key.expose().to_vec(),
    }
}

/// `bytes` cut, or grown by random ones.
fn resized(bytes: &[u8], length: u16) -> Vec<u8> {
    let length = usize::from(length.min(MAX_LENGTH));
    let mut resized = bytes[..bytes.len().min(length)].to_vec();
    let kept = resized.len();
    resized.resize(length, 0);
    random::fill_secret(&mut resized[kept..]);
    resized
}

/// Whether `mutation` can spoil `header` at all.
#[must_use]
pub const fn suits(mutation: Mutation, header: SsecHeader) -> bool {
    use Mutation as M;
    use SsecHeader as H;
    match (header, mutation) {
        (
            _,
            M::LowerCase
            | M::LeadingSpace
            | M::TrailingSpace
            | M::Quoted
            | M::Empty
            | M::Twice
            | M::TwiceOther,
        )
        | (
            H::Key | H::KeyMd5,
            M::OfOtherKey
            | M::Unpadded
            | M::UrlSafe
            | M::DoubleBase64
            | M::Length(_)
            | M::NotBase64,
        )
        | (H::KeyMd5, M::GuideRecipe | M::Hex | M::Base64OfHex | M::OfText) => true,
        (
            H::Algorithm,
            M::OfOtherKey
            | M::Unpadded
            | M::UrlSafe
            | M::DoubleBase64
            | M::Length(_)
            | M::NotBase64,
        )
        | (H::Algorithm | H::Key, M::GuideRecipe | M::Hex | M::Base64OfHex | M::OfText) => false,
    }
}

/// The header's values under `mutation`: one, or two where it is doubled.
pub(super) fn mutated(
    header: SsecHeader,
    mutation: Mutation,
    key: &CustomerKey,
    other: &CustomerKey,
    decoded: &[u8],
) -> Result<Vec<Vec<u8>>, GivenError> {
    if !suits(mutation, header) {
        let why = format!("{mutation:?} cannot spoil {}", header.wire_name());
        return Err(GivenError::Step { why });
    }
    let value = right(header, key, decoded);
    let around = |before: &str, after: &str| {
        vec![[before.as_bytes(), value.as_slice(), after.as_bytes()].concat()]
    };
    let values = match mutation {
        Mutation::OfOtherKey => vec![right(header, other, other.expose())],
        Mutation::Unpadded => vec![value.into_iter().filter(|byte| *byte != b'=').collect()],
        Mutation::UrlSafe => vec![url_safe(header, &value)?],
        Mutation::LowerCase => vec![value.to_ascii_lowercase()],
        Mutation::LeadingSpace => around(" ", ""),
        Mutation::TrailingSpace => around("", " "),
        Mutation::Quoted => around("\"", "\""),
        Mutation::Empty => vec![Vec::new()],
        Mutation::DoubleBase64 => vec![BASE64_STANDARD.encode(&value).into_bytes()],
        Mutation::Length(length) => vec![of_length(header, length, decoded)],
        // Made of nothing of the key, so that no part of it goes about in a broken header.
        Mutation::NotBase64 => vec![b"*not*base64".repeat(4)[..value.len()].to_vec()],
        Mutation::Twice => vec![value.clone(), value],
        Mutation::TwiceOther => {
            let second = match header {
                SsecHeader::Algorithm => OTHER_ALGORITHM.into(),
                SsecHeader::Key | SsecHeader::KeyMd5 => right(header, other, other.expose()),
            };
            vec![value, second]
        }
        Mutation::GuideRecipe => vec![guide_recipe(key).into_bytes()],
        Mutation::Hex => vec![hex::encode(md5(decoded)).into_bytes()],
        Mutation::Base64OfHex => {
            vec![
                BASE64_STANDARD
                    .encode(hex::encode(md5(decoded)))
                    .into_bytes(),
            ]
        }
        Mutation::OfText => vec![
            BASE64_STANDARD
                .encode(md5(key.base64().as_bytes()))
                .into_bytes(),
        ],
    };
    Ok(values)
}

fn url_safe(header: SsecHeader, value: &[u8]) -> Result<Vec<u8>, GivenError> {
    let spoilt: Vec<u8> = value
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    if spoilt == value {
        let why = format!(
            "{} reads the same in the URL-safe alphabet",
            header.wire_name()
        );
        return Err(GivenError::Step { why });
    }
    Ok(spoilt)
}

fn of_length(header: SsecHeader, length: u16, decoded: &[u8]) -> Vec<u8> {
    match header {
        SsecHeader::KeyMd5 => BASE64_STANDARD
            .encode(resized(&md5(decoded), length))
            .into_bytes(),
        SsecHeader::Key | SsecHeader::Algorithm => BASE64_STANDARD.encode(decoded).into_bytes(),
    }
}

/// What `echo $encKey | md5sum | awk '{print $1}' | base64 -w0` prints: base64 of 33 bytes.
#[must_use]
pub fn guide_recipe(key: &CustomerKey) -> String {
    let line = Zeroizing::new(format!("{}\n", *key.base64()));
    BASE64_STANDARD.encode(format!("{}\n", hex::encode(md5(line.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::scenario::definition::Ssec;
    use crate::ssec::{Keyring, SsecHeaders, TrialKeys};

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const MD5: &str = "tP/LI3N87DFaSk0aoqYgzg==";
    const OTHER: &str = "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=";
    const OTHER_MD5: &str = "DWygnHRtgiJ77HCm+1rvHw==";

    /// Alice has the bytes 00 to 1f; her stranger is the first key of ceph/s3-tests.
    fn keys() -> TrialKeys {
        let alice = CustomerKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let other = BASE64_STANDARD.decode(OTHER).unwrap().try_into().unwrap();
        Keyring::new().adopt("t", vec![("alice", alice, CustomerKey::from_bytes(other))])
    }

    fn plain() -> Ssec {
        Ssec {
            key: "alice".to_owned(),
            drop: BTreeSet::new(),
            mutate: BTreeMap::new(),
            raw: BTreeMap::new(),
        }
    }

    fn built(ssec: &Ssec) -> Vec<(&'static str, String)> {
        let headers = SsecHeaders::build(ssec, &keys()).unwrap();
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        headers
            .values
            .iter()
            .map(|v| (v.header.wire_name(), text(&v.value)))
            .collect()
    }

    /// The values of `header` under `mutation`; nothing else may have changed but what is listed.
    #[track_caller]
    fn check(header: SsecHeader, mutation: Mutation, expected: &[&str]) {
        let mut ssec = plain();
        ssec.mutate.insert(header, mutation);
        let headers = built(&ssec);
        let name = header.wire_name();
        let values: Vec<&str> = headers
            .iter()
            .filter(|(n, _)| *n == name)
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(values, expected, "{mutation:?}");
        assert!(suits(mutation, header));
    }

    #[test]
    fn the_right_triple_is_as_aws_spells_it() {
        let expected = [
            (
                "x-amz-server-side-encryption-customer-algorithm",
                "AES256".to_owned(),
            ),
            ("x-amz-server-side-encryption-customer-key", KEY.to_owned()),
            (
                "x-amz-server-side-encryption-customer-key-MD5",
                MD5.to_owned(),
            ),
        ];
        assert_eq!(built(&plain()), expected);
    }

    #[test]
    fn a_spoilt_key_is_spoilt_so() {
        use Mutation as M;
        let check = |mutation, expected: &[&str]| check(SsecHeader::Key, mutation, expected);
        check(M::OfOtherKey, &[OTHER]);
        check(
            M::Unpadded,
            &["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"],
        );
        check(
            M::LowerCase,
            &["aaecawqfbgcicqolda0odxarehmufryxgbkagxwdhh8="],
        );
        check(
            M::LeadingSpace,
            &[" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
        );
        check(
            M::TrailingSpace,
            &["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= "],
        );
        check(
            M::Quoted,
            &["\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""],
        );
        check(M::Empty, &[""]);
        check(
            M::NotBase64,
            &["*not*base64*not*base64*not*base64*not*base64"],
        );
        check(M::Twice, &[KEY, KEY]);
        check(M::TwiceOther, &[KEY, OTHER]);
        check(
            M::DoubleBase64,
            &["QUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOD0="],
        );
        check(M::Length(0), &[""]);
        check(M::Length(16), &["AAECAwQFBgcICQoLDA0ODw=="]);
        check(
            M::Length(31),
            &["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="],
        );
    }

    #[test]
    fn a_spoilt_md5_is_spoilt_so() {
        use Mutation as M;
        let check = |mutation, expected: &[&str]| check(SsecHeader::KeyMd5, mutation, expected);
        check(M::OfOtherKey, &[OTHER_MD5]);
        check(M::Unpadded, &["tP/LI3N87DFaSk0aoqYgzg"]);
        check(M::UrlSafe, &["tP_LI3N87DFaSk0aoqYgzg=="]);
        check(M::LowerCase, &["tp/li3n87dfask0aoqygzg=="]);
        check(M::Quoted, &["\"tP/LI3N87DFaSk0aoqYgzg==\""]);
        check(M::Empty, &[""]);
        check(M::NotBase64, &["*not*base64*not*base64*n"]);
        check(M::Twice, &[MD5, MD5]);
        check(M::TwiceOther, &[MD5, OTHER_MD5]);
        check(M::DoubleBase64, &["dFAvTEkzTjg3REZhU2swYW9xWWd6Zz09"]);
        check(M::Length(15), &["tP/LI3N87DFaSk0aoqYg"]);
        check(
            M::GuideRecipe,
            &["MDk3MjE1YWIyODYyYTFiYWUwNmEwOTU5OWE3YjM5ZDQK"],
        );
        check(M::Hex, &["b4ffcb23737cec315a4a4d1aa2a620ce"]);
        check(
            M::Base64OfHex,
            &["YjRmZmNiMjM3MzdjZWMzMTVhNGE0ZDFhYTJhNjIwY2U="],
        );
        check(M::OfText, &["4H2UToTlOYIx0tQD9PWAIQ=="]);
    }

    #[test]
    fn a_spoilt_algorithm_is_spoilt_so() {
        use Mutation as M;
        let check = |mutation, expected: &[&str]| check(SsecHeader::Algorithm, mutation, expected);
        check(M::LowerCase, &["aes256"]);
        check(M::Quoted, &["\"AES256\""]);
        check(M::LeadingSpace, &[" AES256"]);
        check(M::Empty, &[""]);
        check(M::Twice, &["AES256", "AES256"]);
        check(M::TwiceOther, &["AES256", "AES128"]);
    }

    #[test]
    fn an_md5_follows_a_key_of_another_length_but_not_another_key() {
        use Mutation as M;
        let md5_beside = |mutation| {
            let mut ssec = plain();
            ssec.mutate.insert(SsecHeader::Key, mutation);
            built(&ssec).pop().unwrap().1
        };
        assert_eq!(md5_beside(M::Length(0)), "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(md5_beside(M::Length(16)), "GsHvAelsrxvg0ykzGk/CqA==");
        assert_eq!(md5_beside(M::Length(31)), "6ed4k7qSbnMvSDKC9Bb/rA==");
        assert_eq!(md5_beside(M::DoubleBase64), "4H2UToTlOYIx0tQD9PWAIQ==");
        assert_eq!(md5_beside(M::OfOtherKey), MD5);
    }

    /// The first vector of the LocalStack recordings, as botocore sends it without an MD5.
    #[test]
    fn double_encoding_is_botocores() {
        let key = CustomerKey::from_bytes(*b"1234567890abcdef1234567890abcdef");
        let keys = Keyring::new().adopt("t", vec![("alice", key, CustomerKey::fresh())]);
        let mut ssec = plain();
        ssec.mutate.insert(SsecHeader::Key, Mutation::DoubleBase64);
        let headers = SsecHeaders::build(&ssec, &keys).unwrap();
        let expected = b"TVRJek5EVTJOemc1TUdGaVkyUmxaakV5TXpRMU5qYzRPVEJoWW1Oa1pXWT0=";
        assert_eq!(headers.values[1].value, expected);
        assert_eq!(headers.values[2].value, b"vSxFCLoaKaicDC136YAwYQ==");
    }

    #[test]
    fn a_longer_key_begins_with_the_key() {
        let mut ssec = plain();
        ssec.mutate.insert(SsecHeader::Key, Mutation::Length(44));
        let headers = built(&ssec);
        let decoded = BASE64_STANDARD.decode(&headers[1].1).unwrap();
        assert_eq!(decoded.len(), 44);
        assert_eq!(decoded[..32], *keys().get("alice").unwrap().expose());
        assert_eq!(headers[2].1, BASE64_STANDARD.encode(md5(&decoded)));
    }

    #[test]
    fn headers_are_dropped_and_replaced_by_raw_bytes() {
        let mut ssec = plain();
        ssec.drop.insert(SsecHeader::Algorithm);
        ssec.raw.insert(SsecHeader::Key, vec![0xff, 0xfe]);
        let headers = SsecHeaders::build(&ssec, &keys()).unwrap();
        let values = |header| headers.values_of(header).collect::<Vec<_>>();
        assert!(values(SsecHeader::Algorithm).is_empty());
        assert_eq!(values(SsecHeader::Key), [[0xff, 0xfe]]);
        assert_eq!(values(SsecHeader::KeyMd5), [MD5.as_bytes()]);
    }

    #[test]
    fn what_cannot_be_spoilt_so_is_an_error() {
        let build = |header, mutation| {
            let mut ssec = plain();
            ssec.mutate.insert(header, mutation);
            SsecHeaders::build(&ssec, &keys())
        };
        assert!(build(SsecHeader::Algorithm, Mutation::GuideRecipe).is_err());
        assert!(build(SsecHeader::Key, Mutation::Hex).is_err());
        // No + or / in this key: in the URL-safe alphabet it would be right.
        assert!(build(SsecHeader::Key, Mutation::UrlSafe).is_err());
        let mut ssec = plain();
        ssec.key = "bob".to_owned();
        assert!(SsecHeaders::build(&ssec, &keys()).is_err());
    }
}
