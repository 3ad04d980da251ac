//! One bound step.

use std::collections::BTreeSet;

use super::bucket;
use super::cors;
use super::definition::{
    ActsOn, CHECKSUMS, Capture, CaptureFrom, Checksum, ContentMd5, Expect, LATER_OPERATIONS,
    OPERATIONS, Operation, PAYLOADS, Payload, Presign, RangeSpec, STYLES, Scheme, SsecHeader, Step,
    Style as Addressing, Text,
};
use super::eventually;
use super::expectation;
use super::form;
use super::names::{Names, location};
use super::triple;
use super::upload;
use crate::yaml::{Code, Fields, Kind, Node, Pair, Reader, Scalar, Span, Style};

/// Which list of its case a step stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Expects `ok` if it says nothing.
    Given,
    /// Must say what it expects.
    Steps,
    /// Expects nothing.
    Diagnose,
}

/// Operations whose request is a declared body.
const SENDS_BODY: [Operation; 2] = [Operation::Put, Operation::UploadPart];
/// Operations whose request has a declared body, in a form too.
const HAS_BODY: [Operation; 3] = [Operation::Put, Operation::UploadPart, Operation::PostForm];

/// Bytes of the longest object name (S3's own limit, less room for the trial's prefix).
const MAX_OBJECT: usize = 512;

/// Decodes a step whose `$names` are filled in; `None` after a mistake.
pub(super) fn step(
    node: &Node,
    phase: Phase,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Step> {
    let before = reader.mistakes();
    let mut fields = reader.fields(node, "a step")?;
    let (operation, object_node) = operation(&mut fields, node, reader)?;
    let place = upload::place(operation, object_node, &mut fields, names, reader);
    let versions = bucket::versions(operation, &mut fields, reader);
    let setting = bucket::setting(operation, object_node, reader);
    let document = bucket::document(operation, object_node, reader);
    let form = form::form(operation, &mut fields, names, reader);
    let preflight = cors::preflight(operation, &mut fields, reader);
    let body = body(operation, &mut fields, names, reader);
    let ssec = fields
        .optional("ssec")
        .and_then(|node| triple::ssec(node, names, reader));
    let headers = fields
        .optional("headers")
        .map(|node| headers(node, reader))
        .unwrap_or_default();
    let (content_md5, checksum) = digests(operation, &mut fields, reader);
    let objects = bucket::objects(operation, object_node, reader);
    let tags = bucket::tags(operation, &mut fields, reader);
    let range = range(operation, &mut fields, reader);
    let (presign, sign) = authentication(&mut fields, names, reader);
    let travel = travel(&mut fields, reader);
    let save = fields
        .optional("save")
        .map(|node| captures(node, reader))
        .unwrap_or_default();
    let expect = expect(&mut fields, node, operation, phase, names, reader);
    let waits = eventually::seconds(operation, &mut fields, expect.as_ref(), names, reader);
    let caret = fields.caret();
    let advice = "without an expectation this step would have been judged `ok`";
    let advice = (phase == Phase::Given).then_some(("expect", advice));
    fields.finish_with(reader, advice);
    let step = Step {
        operation,
        object: place.object?,
        version: versions.of_object,
        source: place.source,
        source_version: versions.of_source,
        objects,
        tags,
        setting,
        document,
        form,
        preflight,
        body,
        ssec,
        source_ssec: place.source_ssec,
        upload: place.upload,
        part: place.part,
        parts: place.parts,
        headers,
        content_md5,
        checksum,
        range,
        presign,
        sign,
        scheme: travel.scheme,
        style: travel.style,
        payload: travel.payload,
        eventually: waits,
        save,
        expect: expect?,
        at: location(node.caret(&reader.file().text), reader),
    };
    has_such_a_body(&step, caret, reader);
    (reader.mistakes() == before).then_some(step)
}

/// The range of the plaintext that a step asks for.
fn range(
    operation: Operation,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
) -> Option<RangeSpec> {
    let owners = [Operation::Get, Operation::Head, Operation::UploadPartCopy];
    let node = only(operation, &owners, fields.pair("range"), reader)?;
    range_spec(node, reader)
}

/// What a step says of its way to the target.
struct Travel {
    scheme: Scheme,
    style: Option<Addressing>,
    payload: Option<Payload>,
}

fn travel(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Travel {
    let scheme = fields.optional("scheme");
    let scheme = scheme.and_then(|n| reader.choice(n, "`scheme`", &[("http", Scheme::Http)]));
    let style = fields.optional("style");
    let payload = fields.optional("payload");
    Travel {
        scheme: scheme.unwrap_or_default(),
        style: style.and_then(|node| reader.choice(node, "`style`", &STYLES)),
        payload: payload.and_then(|node| reader.choice(node, "`payload`", &PAYLOADS)),
    }
}

/// Whether what the step says of its body's signature can be sent.
fn has_such_a_body(step: &Step, at: Span, reader: &mut Reader<'_>) {
    let Some(payload) = step.payload.filter(|payload| !step.may_be(*payload)) else {
        return;
    };
    let why = match payload {
        Payload::Signed | Payload::Unsigned => "a presigned URL never covers the body",
        Payload::Chunked => {
            "chunks are for a declared body, signed in the header, without Content-MD5"
        }
    };
    let message = format!("`payload: {}` has no meaning here", payload.word());
    let error = reader.error(Code::Contradiction, at, message);
    reader.push(error.note(why));
}

/// The digests that a step sends of its body.
fn digests(
    operation: Operation,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
) -> (Option<ContentMd5>, Option<Checksum>) {
    let content_md5 = only(operation, &SENDS_BODY, fields.pair("content-md5"), reader);
    let words = [("right", ContentMd5::Right), ("wrong", ContentMd5::Wrong)];
    let content_md5 = content_md5.and_then(|n| reader.choice(n, "`content-md5`", &words));
    let checksum = only(
        operation,
        &[Operation::Put],
        fields.pair("checksum"),
        reader,
    );
    let checksum = checksum.and_then(|n| reader.choice(n, "`checksum`", &CHECKSUMS));
    (content_md5, checksum)
}

/// The body that a step sends.
fn body(
    operation: Operation,
    fields: &mut Fields<'_>,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let pair = fields.pair("body");
    if pair.is_none() && HAS_BODY.contains(&operation) {
        let article = if operation == Operation::UploadPart {
            "an"
        } else {
            "a"
        };
        let message = format!("{article} {} needs the field `body`", operation.word());
        let error = reader.error(Code::MissingField, fields.caret(), message);
        reader.push(error);
    }
    let node = only(operation, &HAS_BODY, pair, reader)?;
    names.body(node, reader)
}

/// Which headers the signature covers, in the query string or in the header.
fn authentication(
    fields: &mut Fields<'_>,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> (Option<Presign>, Option<BTreeSet<SsecHeader>>) {
    let presign = fields.pair("presign");
    let sign = fields.pair("sign");
    if let (Some(presign), Some(sign)) = (presign, sign) {
        let message = "`presign` and `sign` exclude each other";
        let error = reader.error(Code::Contradiction, sign.key_span, message);
        let error = error.related(reader.file(), presign.key_span, "signed in the query");
        reader.push(error.note("`presign: {sign: [...]}` names the headers that the URL covers"));
    }
    let presign = presign.and_then(|pair| triple::presign(&pair.value, names, reader));
    let sign = sign.and_then(|pair| triple::header_set(&pair.value, "`sign`", reader));
    (presign, sign)
}

/// The one operation of a step, and the value that names its object.
fn operation<'n>(
    fields: &mut Fields<'n>,
    node: &'n Node,
    reader: &mut Reader<'_>,
) -> Option<(Operation, &'n Node)> {
    let mut found: Vec<(Result<Operation, &str>, &'n Pair)> = Vec::new();
    for verb in &OPERATIONS {
        let pair = fields.pair(verb.word);
        found.extend(pair.map(|pair| (Ok(verb.operation), pair)));
    }
    let Kind::Mapping(pairs) = &node.kind else {
        return None;
    };
    for word in LATER_OPERATIONS {
        let pair = pairs.iter().find(|pair| pair.key.text == word);
        found.extend(pair.map(|pair| (Err(word), pair)));
    }
    found.sort_by_key(|(_, pair)| pair.key_span.start);
    match found.as_slice() {
        [(Ok(operation), pair)] => Some((*operation, &pair.value)),
        [(Err(word), pair)] => {
            let message = format!("operation `{word}` is not supported by this version");
            let error = reader.error(Code::Operation, pair.key_span, message);
            let words = OPERATIONS.map(|verb| verb.word).join(", ");
            reader.push(error.note(format!("this version knows {words}")));
            None
        }
        [] => {
            let words = OPERATIONS.map(|verb| verb.word);
            let message = format!("a step needs an operation: {}", words.join(", "));
            let near = pairs.iter().find_map(|pair| {
                Some((pair.key_span, crate::yaml::nearest(&pair.key.text, words)?))
            });
            let error = match near {
                Some((at, near)) => reader
                    .error(Code::Operation, at, message)
                    .label(format!("did you mean `{near}`?")),
                None => reader.error(Code::Operation, fields.caret(), message),
            };
            reader.push(error);
            None
        }
        [(_, first), (_, second), ..] => {
            let message = "two operations in one step";
            let error = reader.error(Code::Operation, second.key_span, message);
            let error = error.label("a step of its own").related(
                reader.file(),
                first.key_span,
                "the first one",
            );
            reader.push(error);
            None
        }
    }
}

pub(super) fn object_name(
    operation: Operation,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<String> {
    let acts_on = operation.verb().acts_on;
    if matches!(acts_on, ActsOn::Bucket | ActsOn::Objects) {
        // The value is a setting or a list, which `bucket` reads.
        return Some(String::new());
    }
    one_name(node, acts_on == ActsOn::Prefix, reader)
}

/// The name of an object; of a prefix it may be empty.
pub(super) fn one_name(node: &Node, is_prefix: bool, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(node, "an object's name")?;
    let empty = text.is_empty() && !is_prefix;
    if empty || text.len() > MAX_OBJECT || text.chars().any(char::is_control) {
        let message =
            format!("an object's name has 1 to {MAX_OBJECT} bytes and no control characters");
        let error = reader.error_at(Code::BadValue, node, message);
        reader.push(error);
        return None;
    }
    Some(text.to_owned())
}

/// The field's value, or a mistake if the operation has no use for it.
pub(super) fn only<'n>(
    operation: Operation,
    allowed: &[Operation],
    pair: Option<&'n Pair>,
    reader: &mut Reader<'_>,
) -> Option<&'n Node> {
    let pair = pair?;
    if !allowed.contains(&operation) {
        let message = format!(
            "`{}` has no meaning for a {}",
            pair.key.text,
            operation.word()
        );
        let words: Vec<&str> = allowed.iter().map(|operation| operation.word()).collect();
        let error = reader.error(Code::BadValue, pair.key_span, message);
        reader.push(error.note(format!("it belongs to {}", words.join(", "))));
        return None;
    }
    Some(&pair.value)
}

fn expect(
    fields: &mut Fields<'_>,
    node: &Node,
    operation: Operation,
    phase: Phase,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Expect> {
    let caret = node.caret(&reader.file().text);
    match (fields.optional("expect"), phase) {
        (Some(node), Phase::Diagnose) => {
            let message = "a step in `diagnose` expects nothing: it is only recorded";
            let error = reader.error_at(Code::BadValue, node, message);
            reader.push(error);
            None
        }
        (None, Phase::Diagnose) => {
            expectation::expect(&word("observe", caret), operation, names, reader)
        }
        (Some(node), Phase::Given | Phase::Steps) => {
            expectation::expect(node, operation, names, reader)
        }
        (None, Phase::Given) => expectation::expect(&word("ok", caret), operation, names, reader),
        (None, Phase::Steps) => {
            // What looks like a slip of `expect` is named once, with the unknown field.
            let Kind::Mapping(pairs) = &node.kind else {
                return None;
            };
            if !pairs
                .iter()
                .any(|p| crate::yaml::nearest(&p.key.text, ["expect"]).is_some())
            {
                let message = "a step in `steps` needs the field `expect`";
                let error = reader.error(Code::MissingField, caret, message);
                reader.push(error.note("`expect: observe` records the answer and judges nothing"));
            }
            None
        }
    }
}

/// A word that a file leaves out.
fn word(text: &str, span: Span) -> Node {
    Node {
        span,
        kind: Kind::Scalar(Scalar {
            text: text.to_owned(),
            style: Style::Quoted,
        }),
    }
}

/// Names and values of headers: a mapping, or a list of one-pair mappings when a name is doubled.
pub(super) fn headers(node: &Node, reader: &mut Reader<'_>) -> Vec<(String, Text)> {
    let mut headers = Vec::new();
    for item in Reader::one_or_list(node) {
        for pair in reader.named(item, "`headers`").unwrap_or_default() {
            let name = header_name(&pair.key.text, pair.key_span, reader);
            if let Some((name, value)) = name.zip(text(&pair.value, "a header's value", reader)) {
                headers.push((name, value));
            }
        }
    }
    headers
}

/// A header's name as it goes on the wire.
pub(super) fn header_name(name: &str, at: Span, reader: &mut Reader<'_>) -> Option<String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        let message = format!("`{name}` cannot be a header's name");
        let error = reader.error(Code::BadValue, at, message);
        reader.push(error);
        return None;
    }
    Some(name.to_owned())
}

/// A literal text that can travel in a header, or a captured value.
pub(super) fn text(node: &Node, what: &str, reader: &mut Reader<'_>) -> Option<Text> {
    if let Kind::Scalar(Scalar {
        text,
        style: Style::Capture,
    }) = &node.kind
    {
        return Some(Text::Capture(text.clone()));
    }
    let text = reader.text(node, what)?;
    if text.contains(['\r', '\n', '\0']) {
        let message = format!("{what} cannot hold NUL, CR or LF");
        let error = reader.error_at(Code::BadValue, node, message);
        reader.push(error);
        return None;
    }
    Some(Text::Literal(text.to_owned()))
}

pub(super) fn range_spec(node: &Node, reader: &mut Reader<'_>) -> Option<RangeSpec> {
    let word = reader.word(node, "`range`")?;
    let spec = word.split_once('-').and_then(|(first, last)| {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u64>().ok()).flatten()
        };
        match (first, last) {
            ("", length) => Some(RangeSpec::Suffix {
                length: number(length)?,
            }),
            (first, "") => Some(RangeSpec::From {
                first: number(first)?,
            }),
            (first, last) => Some(RangeSpec::Bounded {
                first: number(first)?,
                last: number(last)?,
            }),
        }
    });
    let form = || format!("`{word}` is no range: write it as `0-99`, `100-` or `-5`");
    reader.or_note(spec.ok_or_else(form), node)
}

fn captures(node: &Node, reader: &mut Reader<'_>) -> Vec<Capture> {
    let mut captures = Vec::new();
    for pair in reader.named(node, "`save`").unwrap_or_default() {
        let name = reader.name(&pair.key.text, pair.key_span, "a captured value", "");
        let Some(word) = reader.text(&pair.value, "`save`") else {
            continue;
        };
        let from = match word.split_once('.') {
            None if word == "status" => Some(CaptureFrom::Status),
            Some(("body", "sha256")) => Some(CaptureFrom::BodySha256),
            Some(("header", name)) if !name.is_empty() => {
                Some(CaptureFrom::Header(name.to_owned()))
            }
            Some(("xml", path)) if !path.is_empty() => Some(CaptureFrom::Xml(path.to_owned())),
            Some(_) | None => None,
        };
        let form = || {
            format!(
                "`{word}` cannot be saved: `header.Name`, `xml.Path`, `status` or `body.sha256`"
            )
        };
        let from = reader.or_note(from.ok_or_else(form), &pair.value);
        captures.extend(name.zip(from).map(|(name, from)| Capture {
            name: name.to_owned(),
            from,
        }));
    }
    captures
}
