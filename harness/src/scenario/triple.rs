//! The customer-key headers of a step: the named key, what is done to them, what is signed.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{ALIASES, Mutation, Presign, Ssec, SsecHeader};
use super::names::Names;
use crate::yaml::{Code, Kind, Node, Reader, Span};

/// Each mutation without a number by its word.
pub(super) const MUTATIONS: [(&str, Mutation); 16] = [
    ("of-other-key", Mutation::OfOtherKey),
    ("unpadded", Mutation::Unpadded),
    ("url-safe", Mutation::UrlSafe),
    ("lower-case", Mutation::LowerCase),
    ("leading-space", Mutation::LeadingSpace),
    ("trailing-space", Mutation::TrailingSpace),
    ("quoted", Mutation::Quoted),
    ("empty", Mutation::Empty),
    ("double-base64", Mutation::DoubleBase64),
    ("not-base64", Mutation::NotBase64),
    ("twice", Mutation::Twice),
    ("twice-other", Mutation::TwiceOther),
    ("guide-recipe", Mutation::GuideRecipe),
    ("hex", Mutation::Hex),
    ("base64-of-hex", Mutation::Base64OfHex),
    ("of-text", Mutation::OfText),
];

/// Bytes of the longest key or digest that `len-N` makes: a header must still fit a request.
const MAX_LENGTH: u16 = 1024;

/// Seconds for which a URL holds if the step does not say.
const DEFAULT_EXPIRES: u32 = 300;

/// `ssec: alice` or `ssec: {key, drop, mutate, raw}`.
pub(super) fn ssec(node: &Node, names: &mut Names<'_>, reader: &mut Reader<'_>) -> Option<Ssec> {
    if matches!(node.kind, Kind::Scalar(_)) {
        let key = names.key(node, reader)?;
        let (drop, mutate, raw) = Default::default();
        return Some(Ssec {
            key,
            drop,
            mutate,
            raw,
        });
    }
    let mut fields = reader.fields(node, "`ssec`")?;
    let key = fields
        .required("key", reader)
        .and_then(|node| names.key(node, reader));
    let drop = fields
        .optional("drop")
        .and_then(|node| header_set(node, "`drop`", reader));
    let mutate = fields
        .optional("mutate")
        .map(|node| by_header(node, "`mutate`", reader, mutation));
    let raw = fields
        .optional("raw")
        .map(|node| by_header(node, "`raw`", reader, raw));
    let caret = fields.caret();
    fields.finish(reader);
    let (drop, mutate, raw) = (
        drop.unwrap_or_default(),
        mutate.unwrap_or_default(),
        raw.unwrap_or_default(),
    );
    for (alias, header) in ALIASES {
        let times = usize::from(drop.contains(&header))
            + usize::from(mutate.contains_key(&header))
            + usize::from(raw.contains_key(&header));
        if times > 1 {
            let message = format!("`{alias}` is spoilt in two ways at once");
            let error = reader.error(Code::Contradiction, caret, message);
            reader.push(error.note("one of drop, mutate and raw for each header"));
        }
    }
    if drop.len() == ALIASES.len() {
        let message = "nothing is left of the three headers";
        let error = reader.error(Code::BadValue, caret, message);
        reader.push(error.note("leave `ssec` out for a request without a key"));
    }
    Some(Ssec {
        key: key?,
        drop,
        mutate,
        raw,
    })
}

/// `presign: {sign, query, signed-as, expires, age}`.
pub(super) fn presign(
    node: &Node,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Presign> {
    let mut fields = reader.fields(node, "`presign`")?;
    let sign = fields.required("sign", reader);
    let sign = sign.and_then(|node| header_set(node, "`sign`", reader));
    let query = fields
        .optional("query")
        .and_then(|node| header_set(node, "`query`", reader));
    let signed_as = fields
        .optional("signed-as")
        .and_then(|node| names.key(node, reader));
    let expires = match fields.optional("expires") {
        Some(node) => reader.seconds(node, "`expires`"),
        None => Some(DEFAULT_EXPIRES),
    };
    let age = match fields.optional("age") {
        Some(node) => reader.seconds(node, "`age`"),
        None => Some(0),
    };
    fields.finish(reader);
    Some(Presign {
        sign: sign?,
        query: query.unwrap_or_default(),
        signed_as,
        expires: expires?,
        age: age?,
    })
}

/// A list of header aliases, each once.
pub(super) fn header_set(
    node: &Node,
    what: &str,
    reader: &mut Reader<'_>,
) -> Option<BTreeSet<SsecHeader>> {
    let mut set = BTreeSet::new();
    for item in reader.list(node, what)? {
        let header = reader.choice(item, "a header", &ALIASES);
        if header.is_some_and(|header| !set.insert(header)) {
            let error = reader.error_at(Code::SetTwice, item, format!("a header twice in {what}"));
            reader.push(error);
        }
    }
    Some(set)
}

/// What is decoded of one header's value.
type Decode<T> = fn(SsecHeader, &Node, &mut Reader<'_>) -> Option<T>;

fn by_header<T>(
    node: &Node,
    what: &str,
    reader: &mut Reader<'_>,
    decode: Decode<T>,
) -> BTreeMap<SsecHeader, T> {
    let mut map = BTreeMap::new();
    for pair in reader.named(node, what).unwrap_or_default() {
        let name = pair.key.text.as_str();
        let Some((_, header)) = ALIASES.iter().find(|(alias, _)| *alias == name) else {
            let message = format!("`{name}` is no header of the triple");
            let known = ALIASES.map(|(alias, _)| alias);
            reader.unknown(Code::UnknownName, pair.key_span, message, name, known);
            continue;
        };
        map.extend(decode(*header, &pair.value, reader).map(|value| (*header, value)));
    }
    map
}

fn mutation(header: SsecHeader, node: &Node, reader: &mut Reader<'_>) -> Option<Mutation> {
    let word = reader.text(node, "a mutation")?;
    let number = word
        .strip_prefix("len-")
        .and_then(|number| number.parse::<u16>().ok());
    let mutation = match number {
        Some(length) if length <= MAX_LENGTH => Mutation::Length(length),
        Some(_) => {
            let message = format!("`{word}`: at most {MAX_LENGTH} bytes fit a header");
            let error = reader.error_at(Code::BadValue, node, message);
            reader.push(error);
            return None;
        }
        None => match MUTATIONS.iter().find(|(name, _)| *name == word) {
            Some((_, mutation)) => *mutation,
            None => {
                let message = format!("mutation `{word}` is not on the list");
                let known = MUTATIONS.iter().map(|(name, _)| *name).chain(["len-31"]);
                reader.unknown(Code::UnknownName, node.span, message, word, known);
                return None;
            }
        },
    };
    if let Err(why) = applies(header, mutation) {
        let message = format!("mutation `{word}` cannot be done to this header");
        let error = reader.error_at(Code::BadValue, node, message);
        reader.push(error.note(why));
        return None;
    }
    Some(mutation)
}

const fn applies(header: SsecHeader, mutation: Mutation) -> Result<(), &'static str> {
    match (mutation, header) {
        (
            Mutation::LowerCase
            | Mutation::LeadingSpace
            | Mutation::TrailingSpace
            | Mutation::Quoted
            | Mutation::Empty
            | Mutation::Twice,
            _,
        )
        | (
            Mutation::OfOtherKey
            | Mutation::Unpadded
            | Mutation::UrlSafe
            | Mutation::DoubleBase64
            | Mutation::Length(_)
            | Mutation::NotBase64
            | Mutation::TwiceOther,
            SsecHeader::Key | SsecHeader::KeyMd5,
        )
        | (
            Mutation::GuideRecipe | Mutation::Hex | Mutation::Base64OfHex | Mutation::OfText,
            SsecHeader::KeyMd5,
        ) => Ok(()),
        (
            Mutation::OfOtherKey
            | Mutation::Unpadded
            | Mutation::UrlSafe
            | Mutation::DoubleBase64
            | Mutation::Length(_)
            | Mutation::NotBase64
            | Mutation::TwiceOther,
            SsecHeader::Algorithm,
        ) => Err("the algorithm is a word, not base64 of a key: use `raw: {algorithm: {text: …}}`"),
        (
            Mutation::GuideRecipe | Mutation::Hex | Mutation::Base64OfHex | Mutation::OfText,
            SsecHeader::Algorithm | SsecHeader::Key,
        ) => Err("it is a way to make a wrong `key-md5`"),
    }
}

fn raw(_: SsecHeader, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let mut fields = reader.fields(node, "raw bytes")?;
    let text = fields
        .optional("text")
        .map(|node| reader.text(node, "`text`").map(str::as_bytes));
    let hex = fields.optional("hex").map(|node| hex_bytes(node, reader));
    let caret = fields.caret();
    fields.finish(reader);
    let bytes = match (text, hex) {
        (Some(text), None) => text?.to_vec(),
        (None, Some(hex)) => hex?,
        (Some(_), Some(_)) | (None, None) => {
            let error = reader.error(
                Code::BadValue,
                caret,
                "raw bytes are either `text` or `hex`",
            );
            reader.push(error);
            return None;
        }
    };
    travels(&bytes, caret, reader).then_some(bytes)
}

fn hex_bytes(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let word = reader.word(node, "`hex`")?;
    let digits: String = word.split_whitespace().collect();
    let bytes = hex::decode(&digits).map_err(|_| format!("`{word}` is no hex: write `ff fe fd`"));
    reader.or_note(bytes, node)
}

fn travels(bytes: &[u8], at: Span, reader: &mut Reader<'_>) -> bool {
    let cut = bytes
        .iter()
        .any(|byte| matches!(byte, b'\0' | b'\r' | b'\n'));
    if cut {
        let message = "NUL, CR and LF cannot travel in a header";
        let error = reader.error(Code::BadValue, at, message);
        reader.push(error);
    }
    !cut
}
