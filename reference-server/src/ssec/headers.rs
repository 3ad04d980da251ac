//! The SSE-C headers of one request, read but not judged.
//!
//! Each header is absent, empty, doubled, malformed or present; which of these is a fault is the
//! policy's business. The text of the customer key is decoded in place and never kept.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::HeaderValue;
use http::header::GetAll;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::customer_key::CustomerKey;

/// Names the encryption algorithm; `AES256` is the only value there is.
pub const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
/// Carries the customer key in base64.
pub const KEY: &str = "x-amz-server-side-encryption-customer-key";
/// Carries the MD5 of the customer key's 32 bytes in base64.
pub const KEY_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
/// What the three names, and only they, begin with.
pub const PREFIX: &str = "x-amz-server-side-encryption-customer-";
/// What the names of the copy source's triple begin with.
pub const COPY_SOURCE_PREFIX: &str = "x-amz-copy-source-server-side-encryption-customer-";
/// Names the object that a copy reads, and makes a write a copy.
pub const COPY_SOURCE: &str = "x-amz-copy-source";
/// Names the algorithm of the key that opens a copy's source.
pub const SOURCE_ALGORITHM: &str = "x-amz-copy-source-server-side-encryption-customer-algorithm";
/// Carries the key that opens a copy's source.
pub const SOURCE_KEY: &str = "x-amz-copy-source-server-side-encryption-customer-key";
/// Carries the MD5 of that key.
pub const SOURCE_KEY_MD5: &str = "x-amz-copy-source-server-side-encryption-customer-key-md5";
/// Asks for encryption under a key that the server holds.
pub const MANAGED: &str = "x-amz-server-side-encryption";
/// What its companions begin with (KMS key id, context, bucket key).
const MANAGED_PREFIX: &str = "x-amz-server-side-encryption-";

/// Longest algorithm value that is kept to be named in a refusal. The shortest text form of a
/// customer key is longer, so a key put into the wrong header is never sent back.
const NAMEABLE: usize = 24;

/// What a request shows in one header.
#[derive(Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// The header is not there.
    Absent,
    /// The header is there and has no value.
    Empty,
    /// The header is there more than once, with whatever values.
    Doubled,
    /// The value cannot be decoded.
    Malformed,
    /// The value, decoded.
    Present(T),
}

/// A key that was decoded: of the right length, or not.
pub enum OfferedKey {
    /// 32 bytes.
    Whole(CustomerKey),
    /// Another length. The bytes are gone; what is left is needed to name the first fault.
    WrongLength {
        /// How many bytes the value decoded to.
        length: usize,
        /// Their MD5, to be compared with the header's.
        md5: [u8; 16],
    },
}

/// A key MD5 that was decoded: of the right length, or not.
#[derive(Debug, PartialEq, Eq)]
pub enum OfferedMd5 {
    /// 16 bytes.
    Digest([u8; 16]),
    /// How many bytes the value decoded to.
    WrongLength(usize),
}

/// The encryption under a key of the server that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Managed {
    /// None of its headers is there.
    Absent,
    /// A header is there; the value of `x-amz-server-side-encryption` if it may be named.
    Asked(Option<String>),
}

/// Everything in a request that speaks about SSE-C.
pub struct SsecHeaders {
    /// The algorithm; `None` if it is too long to be a name of anything.
    pub algorithm: Field<Option<String>>,
    /// The customer key.
    pub key: Field<OfferedKey>,
    /// The MD5 of the customer key.
    pub key_md5: Field<OfferedMd5>,
    /// Whether there is a header with the triple's prefix that is none of the three.
    pub unknown: bool,
    /// Whether any header of a copy source's triple is there.
    pub copy_source: bool,
    /// Whether the request names a copy source.
    pub copies: bool,
    /// Whether a parameter of the query has the name of such a header.
    pub in_query: bool,
    /// Encryption under a key of the server, asked for in the same request.
    pub managed: Managed,
}

impl SsecHeaders {
    /// Reads the headers and the names of the query's parameters, in any case.
    pub fn read<'q>(headers: &HeaderMap, query_names: impl IntoIterator<Item = &'q str>) -> Self {
        let has = |wanted: fn(&str) -> bool| headers.keys().any(|name| wanted(name.as_str()));
        Self {
            algorithm: field(headers.get_all(ALGORITHM), read_algorithm),
            key: field(headers.get_all(KEY), read_key),
            key_md5: field(headers.get_all(KEY_MD5), read_md5),
            unknown: has(|name| {
                name.starts_with(PREFIX) && !matches!(name, ALGORITHM | KEY | KEY_MD5)
            }),
            copy_source: has(|name| name.starts_with(COPY_SOURCE_PREFIX)),
            copies: headers.contains_key(COPY_SOURCE),
            in_query: query_names.into_iter().any(is_ssec_name),
            managed: read_managed(headers),
        }
    }

    /// Reads the triple of a copy's source, to be judged like that of a read of the source.
    #[must_use]
    pub fn of_copy_source(headers: &HeaderMap) -> Self {
        let known = [SOURCE_ALGORITHM, SOURCE_KEY, SOURCE_KEY_MD5];
        Self {
            algorithm: field(headers.get_all(SOURCE_ALGORITHM), read_algorithm),
            key: field(headers.get_all(SOURCE_KEY), read_key),
            key_md5: field(headers.get_all(SOURCE_KEY_MD5), read_md5),
            unknown: headers
                .keys()
                .map(http::HeaderName::as_str)
                .any(|name| name.starts_with(COPY_SOURCE_PREFIX) && !known.contains(&name)),
            copy_source: false,
            copies: false,
            in_query: false,
            managed: Managed::Absent,
        }
    }

    /// Whether the request says nothing about SSE-C in its target headers.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(
            (&self.algorithm, &self.key, &self.key_md5, self.unknown),
            (Field::Absent, Field::Absent, Field::Absent, false)
        )
    }

    /// Whether the request says anything about SSE-C anywhere.
    #[must_use]
    pub fn speaks(&self) -> bool {
        !self.is_silent() || self.copy_source || self.in_query
    }

    /// Whether one of the three headers came more than once.
    #[must_use]
    pub fn has_doubled(&self) -> bool {
        matches!(self.algorithm, Field::Doubled)
            || matches!(self.key, Field::Doubled)
            || matches!(self.key_md5, Field::Doubled)
    }
}

/// Whether a name, in any case, belongs to one of the two triples.
#[must_use]
pub fn is_ssec_name(name: &str) -> bool {
    [PREFIX, COPY_SOURCE_PREFIX].iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// Whether an offered key is what the offered MD5 was made of.
#[must_use]
pub fn agrees(key: &OfferedKey, offered: &[u8; 16]) -> bool {
    match key {
        OfferedKey::Whole(key) => key.md5_is(offered),
        OfferedKey::WrongLength { md5, .. } => verify_slices_are_equal(md5, offered).is_ok(),
    }
}

fn field<T>(values: GetAll<'_, HeaderValue>, read: impl FnOnce(&[u8]) -> Option<T>) -> Field<T> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (None, _) => Field::Absent,
        (Some(_), Some(_)) => Field::Doubled,
        (Some(value), None) if value.is_empty() => Field::Empty,
        (Some(value), None) => read(value.as_bytes()).map_or(Field::Malformed, Field::Present),
    }
}

fn read_algorithm(value: &[u8]) -> Option<Option<String>> {
    let visible = value.iter().all(|byte| (0x20..0x7f).contains(byte));
    let text = std::str::from_utf8(value).ok().filter(|_| visible)?;
    Some((text.len() <= NAMEABLE).then(|| text.to_owned()))
}

fn read_key(value: &[u8]) -> Option<OfferedKey> {
    let bytes = decode(value)?;
    if let Ok(whole) = <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new) {
        return Some(OfferedKey::Whole(CustomerKey::new(whole)));
    }
    Some(OfferedKey::WrongLength {
        length: bytes.len(),
        md5: Md5::digest(bytes.as_slice()).into(),
    })
}

fn read_md5(value: &[u8]) -> Option<OfferedMd5> {
    let bytes = decode(value)?;
    Some(match <[u8; 16]>::try_from(bytes.as_slice()) {
        Ok(digest) => OfferedMd5::Digest(digest),
        Err(_) => OfferedMd5::WrongLength(bytes.len()),
    })
}

/// Decodes base64 of the standard alphabet, padded, without unused bits set.
fn decode(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(value.len())]);
    let length = STANDARD.decode_slice(value, bytes.as_mut_slice()).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

fn read_managed(headers: &HeaderMap) -> Managed {
    let asks = |name: &str| {
        name == MANAGED || (name.starts_with(MANAGED_PREFIX) && !name.starts_with(PREFIX))
    };
    if !headers.keys().any(|name| asks(name.as_str())) {
        return Managed::Absent;
    }
    let value = headers.get(MANAGED).and_then(|value| value.to_str().ok());
    Managed::Asked(
        value
            .filter(|value| value.len() <= NAMEABLE)
            .map(str::to_owned),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 bytes 00..1f and their MD5, from the worked example of the contract's appendix B.
    const KEY_B64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const KEY_MD5_B64: &str = "tP/LI3N87DFaSk0aoqYgzg==";

    fn read(pairs: &[(&'static str, &str)]) -> SsecHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        SsecHeaders::read(&headers, [])
    }

    #[track_caller]
    fn check_key(value: &str, expected: Result<usize, ()>) {
        let length = match read(&[(KEY, value)]).key {
            Field::Present(OfferedKey::Whole(_)) => Ok(32),
            Field::Present(OfferedKey::WrongLength { length, .. }) => Ok(length),
            Field::Malformed => Err(()),
            Field::Absent | Field::Empty | Field::Doubled => {
                panic!("neither decoded nor malformed")
            }
        };
        assert_eq!(length, expected);
    }

    #[test]
    fn a_canonical_key_is_whole_and_agrees_with_its_md5() {
        let headers = read(&[
            (ALGORITHM, "AES256"),
            (KEY, KEY_B64),
            (KEY_MD5, KEY_MD5_B64),
        ]);
        assert_eq!(headers.algorithm, Field::Present(Some("AES256".to_owned())));
        let (Field::Present(key), Field::Present(OfferedMd5::Digest(md5))) =
            (headers.key, headers.key_md5)
        else {
            panic!("the triple was not read");
        };
        assert!(agrees(&key, &md5));
        assert!(!agrees(&key, &[0; 16]));
    }

    #[test]
    fn a_key_of_another_length_keeps_its_length_and_md5_only() {
        // Appendix C: the first vector, encoded twice as botocore does, with the MD5 botocore sends.
        let twice = "TVRJek5EVTJOemc1TUdGaVkyUmxaakV5TXpRMU5qYzRPVEJoWW1Oa1pXWT0=";
        let headers = read(&[(KEY, twice), (KEY_MD5, "vSxFCLoaKaicDC136YAwYQ==")]);
        let (Field::Present(key), Field::Present(OfferedMd5::Digest(md5))) =
            (headers.key, headers.key_md5)
        else {
            panic!("the pair was not read");
        };
        assert!(matches!(key, OfferedKey::WrongLength { length: 44, .. }));
        assert!(agrees(&key, &md5));
    }

    #[test]
    fn forms_that_are_not_canonical_base64_are_malformed() {
        check_key(KEY_B64, Ok(32));
        check_key(&KEY_B64[..43], Err(())); // no padding
        check_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", Err(())); // unused bits set
        check_key("u8zCfnEyt5Imo_krN-sxA1DQXxLWtPJavU6T6gOVj1Y=", Err(())); // URL alphabet
        check_key("u8zCfnEyt5Imo/krN+sxA1DQXxLWtPJavU6T6gOVj1Y=", Ok(32));
        check_key("AAEC AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", Err(())); // white space
        check_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh*=", Err(()));
        check_key("AAECAwQFBgcICQ==", Ok(10));
    }

    #[test]
    fn the_guides_md5_decodes_to_33_bytes() {
        let guide = "MDk3MjE1YWIyODYyYTFiYWUwNmEwOTU5OWE3YjM5ZDQK";
        assert_eq!(
            read(&[(KEY_MD5, guide)]).key_md5,
            Field::Present(OfferedMd5::WrongLength(33))
        );
        assert_eq!(read(&[(KEY_MD5, "%%%")]).key_md5, Field::Malformed);
    }

    #[test]
    fn empty_doubled_and_unknown_headers_are_seen() {
        assert_eq!(read(&[(ALGORITHM, "")]).algorithm, Field::Empty);
        assert!(read(&[(KEY, KEY_B64), (KEY, KEY_B64)]).has_doubled());
        assert!(!read(&[(KEY, KEY_B64)]).has_doubled());
        assert!(read(&[("x-amz-server-side-encryption-customer-keymd5", "x")]).unknown);
        assert!(read(&[]).is_silent());
        assert!(!read(&[(KEY, "")]).is_silent());
    }

    #[test]
    fn a_name_in_the_query_counts_in_any_case() {
        let none = HeaderMap::new();
        assert!(SsecHeaders::read(&none, ["X-Amz-Server-Side-Encryption-Customer-Key"]).in_query);
        assert!(
            SsecHeaders::read(
                &none,
                ["x-amz-copy-source-server-side-encryption-customer-key"]
            )
            .in_query
        );
        assert!(!SsecHeaders::read(&none, ["X-Amz-Signature", "x-id", "é"]).in_query);
    }

    #[test]
    fn the_triple_of_a_copy_source_is_another_one() {
        let of_source = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            SsecHeaders::of_copy_source(&headers)
        };
        let source = of_source(&[(SOURCE_ALGORITHM, "AES256"), (SOURCE_KEY, KEY_B64)]);
        assert_eq!(source.algorithm, Field::Present(Some("AES256".to_owned())));
        assert!(matches!(source.key, Field::Present(OfferedKey::Whole(_))));
        assert_eq!(source.key_md5, Field::Absent);
        assert!(of_source(&[(ALGORITHM, "AES256"), (MANAGED, "AES256")]).is_silent());
        let misspelt = "x-amz-copy-source-server-side-encryption-customer-keymd5";
        assert!(of_source(&[(misspelt, "x")]).unknown);
        assert!(read(&[(COPY_SOURCE, "/b/o")]).copies);
        assert!(!read(&[(SOURCE_KEY, KEY_B64)]).copies);
    }

    #[test]
    fn a_key_in_the_algorithm_header_is_not_kept() {
        assert_eq!(
            read(&[(ALGORITHM, KEY_B64)]).algorithm,
            Field::Present(None)
        );
    }

    #[test]
    fn encryption_under_a_key_of_the_server_is_seen() {
        assert_eq!(read(&[]).managed, Managed::Absent);
        assert_eq!(
            read(&[(MANAGED, "AES256")]).managed,
            Managed::Asked(Some("AES256".to_owned()))
        );
        let key_id = "x-amz-server-side-encryption-aws-kms-key-id";
        assert_eq!(read(&[(key_id, "k")]).managed, Managed::Asked(None));
        assert_eq!(read(&[(ALGORITHM, "AES256")]).managed, Managed::Absent);
    }
}
