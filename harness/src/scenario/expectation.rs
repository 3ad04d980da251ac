//! What a step expects of its answer.

use std::collections::BTreeMap;

use super::cors;
use super::definition::{CHECKSUMS, Checksum, Echo, Entry, Expect, OneOff, Operation, Piece};
use super::names::{Names, location};
use super::step::{header_name, headers, only, range_spec, text};
use crate::oracle::{Class, sources};
use crate::yaml::{Code, Fields, Kind, Node, Reader, Scalar, Style};

/// `expect: outcome`, `expect: observe` or `expect: {outcome, …}`.
pub(super) fn expect(
    node: &Node,
    operation: Operation,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Expect> {
    let mut expect = Expect {
        outcome: None,
        echo: None,
        body: None,
        length_of: None,
        etag: None,
        etag_fact: false,
        checksum: None,
        xml: Vec::new(),
        headers: Vec::new(),
        absent: Vec::new(),
        exposes: None,
        entries: Vec::new(),
        missing: Vec::new(),
        dialect: BTreeMap::new(),
        at: location(node.caret(&reader.file().text), reader),
    };
    if let Kind::Scalar(Scalar { text, style }) = &node.kind {
        if text != "observe" || *style == Style::Capture {
            expect.outcome = Some(names.outcome(node, reader)?);
        }
        return Some(expect);
    }
    let mut fields = reader.fields(node, "an expectation")?;
    let outcome = fields.required("outcome", reader);
    expect.outcome = outcome.and_then(|node| names.outcome(node, reader));
    checks(&mut expect, &mut fields, operation, names, reader);
    if let Some(node) = fields.optional("never") {
        never(node, names, reader);
    }
    let one_offs = fields.optional("dialect");
    expect.dialect = one_offs
        .map(|node| dialects(node, names, reader))
        .unwrap_or_default();
    fields.finish(reader);
    expect.outcome.is_some().then_some(expect)
}

// Operations whose answers can be asked for what their name says.
const TELL_LENGTH: [Operation; 3] = [Operation::Get, Operation::Head, Operation::GetAttributes];
const TELL_TAG: [Operation; 4] = [
    Operation::Put,
    Operation::Get,
    Operation::Head,
    Operation::GetAttributes,
];
const OBJECTS: [Operation; 3] = [Operation::Put, Operation::Get, Operation::Head];
const ECHOES: [Operation; 7] = [
    Operation::Put,
    Operation::Get,
    Operation::Head,
    Operation::Copy,
    Operation::CreateUpload,
    Operation::UploadPart,
    Operation::UploadPartCopy,
];
const LISTS: [Operation; 4] = [
    Operation::List,
    Operation::ListParts,
    Operation::ListUploads,
    Operation::ListVersions,
];

/// The checks beside the outcome.
fn checks(
    expect: &mut Expect,
    fields: &mut Fields<'_>,
    operation: Operation,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) {
    let echo = only(operation, &ECHOES, fields.pair("echo"), reader);
    expect.echo = echo.and_then(|node| {
        let none = matches!(&node.kind, Kind::Scalar(scalar) if scalar.text == "none");
        if none {
            Some(Echo::None)
        } else {
            names.key(node, reader).map(Echo::Key)
        }
    });
    let body_pair = fields.pair("body");
    let body = only(operation, &[Operation::Get], body_pair, reader);
    expect.body = body.and_then(|node| {
        let items = Reader::one_or_list(node);
        if items.is_empty() {
            let message = "`body` names no body";
            let error = reader.error_at(Code::BadValue, node, message);
            reader.push(error.note("declare an empty one: `empty: {size: 0 B}`"));
        }
        let bodies: Vec<_> = items
            .iter()
            .map(|item| piece(item, names, reader))
            .collect();
        bodies.into_iter().collect()
    });
    let length_pair = fields.pair("length-of");
    let length = only(operation, &TELL_LENGTH, length_pair, reader);
    expect.length_of = length.and_then(|node| names.body(node, reader));
    let etag = only(operation, &TELL_TAG, fields.pair("etag"), reader);
    expect.etag = etag.and_then(|node| text(node, "`etag`", reader));
    let fact = only(operation, &OBJECTS, fields.pair("etag-fact"), reader);
    let fact = fact.and_then(|node| reader.choice(node, "`etag-fact`", &[("true", true)]));
    expect.etag_fact = fact.unwrap_or_default();
    header_checks(expect, fields, reader);
    document(expect, fields, operation, names, reader);
    let entries_pair = fields.pair("entries");
    let entries_node = only(operation, &LISTS, entries_pair, reader);
    expect.entries = entries_node
        .map(|node| entries(operation, node, names, reader))
        .unwrap_or_default();
    let missing_pair = fields.pair("missing");
    let missing = only(operation, &LISTS, missing_pair, reader);
    for item in missing.map(Reader::one_or_list).unwrap_or_default() {
        let name = reader.word(item, "the name of an entry");
        expect.missing.extend(name.map(str::to_owned));
    }
    let class = expect
        .outcome
        .as_deref()
        .and_then(|name| names.world.outcomes?.get(name));
    if class.is_some_and(|outcome| outcome.class != Class::Served) {
        let wanted = [body_pair, length_pair, entries_pair, missing_pair];
        for pair in wanted.into_iter().flatten() {
            let outcome = expect.outcome.as_deref().unwrap_or_default();
            let message = format!("`{}` wants to be served, `{outcome}` is not", pair.key.text);
            let error = reader.error(Code::Contradiction, pair.key_span, message);
            reader.push(error);
        }
    }
}

/// The headers that the answer must have or not have, and those that a page may read.
fn header_checks(expect: &mut Expect, fields: &mut Fields<'_>, reader: &mut Reader<'_>) {
    expect.headers = fields
        .optional("headers")
        .map(|n| headers(n, reader))
        .unwrap_or_default();
    for item in fields
        .optional("absent")
        .map(Reader::one_or_list)
        .unwrap_or_default()
    {
        if let Some(name) = reader.text(item, "a header's name") {
            expect.absent.extend(header_name(name, item.span, reader));
        }
    }
    expect.exposes = cors::exposes(fields, reader);
}

/// What the answer's document must hold, and the checksum that it shows.
fn document(
    expect: &mut Expect,
    fields: &mut Fields<'_>,
    operation: Operation,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) {
    let checksum = only(operation, &TELL_TAG, fields.pair("checksum"), reader);
    expect.checksum = checksum.and_then(|node| checksum_of(node, names, reader));
    for pair in fields
        .optional("xml")
        .and_then(|node| reader.named(node, "`xml`"))
        .unwrap_or_default()
    {
        let value = text(&pair.value, "a text of the document", reader);
        expect
            .xml
            .extend(value.map(|value| (pair.key.text.clone(), value)));
    }
}

/// `{crc32: small}`: the checksum of that kind is the one of that body.
fn checksum_of(
    node: &Node,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<(Checksum, String)> {
    let [pair] = reader.named(node, "`checksum`")? else {
        let error = reader.error_at(
            Code::BadValue,
            node,
            "`checksum` wants one kind and its body",
        );
        reader.push(error.note("write `checksum: {crc32: small}`"));
        return None;
    };
    let kind = Node {
        span: pair.key_span,
        kind: Kind::Scalar(pair.key.clone()),
    };
    let kind = reader.choice(&kind, "a checksum", &CHECKSUMS);
    let body = names.body(&pair.value, reader);
    Some((kind?, body?))
}

/// `small`, or `{of: small, range: 0-99}`.
fn piece(node: &Node, names: &mut Names<'_>, reader: &mut Reader<'_>) -> Option<Piece> {
    if matches!(node.kind, Kind::Scalar(_)) {
        let body = names.body(node, reader)?;
        return Some(Piece { body, range: None });
    }
    let mut fields = reader.fields(node, "a piece of a body")?;
    let body = fields.required("of", reader);
    let body = body.and_then(|node| names.body(node, reader));
    let range = fields.required("range", reader);
    let range = range.and_then(|node| range_spec(node, reader));
    fields.finish(reader);
    Some(Piece {
        body: body?,
        range: Some(range?),
    })
}

/// `never` repeats what is always checked, so only its names are looked at.
fn never(node: &Node, names: &mut Names<'_>, reader: &mut Reader<'_>) {
    let Some(mut fields) = reader.fields(node, "`never`") else {
        return;
    };
    for item in fields
        .optional("plaintext")
        .map(Reader::one_or_list)
        .unwrap_or_default()
    {
        names.body(item, reader);
    }
    for item in fields
        .optional("key")
        .map(Reader::one_or_list)
        .unwrap_or_default()
    {
        names.key(item, reader);
    }
    fields.finish(reader);
}

/// `{doc: {…}}`, or a list of `{name: doc, …}` where several entries have one name.
fn entries(
    operation: Operation,
    node: &Node,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Kind::Sequence(items) = &node.kind {
        for item in items {
            let Some(mut fields) = reader.fields(item, "an entry") else {
                continue;
            };
            let name = fields.required("name", reader);
            let name = name.and_then(|node| reader.word(node, "the name of an entry"));
            let found = entry(operation, name.unwrap_or_default(), fields, names, reader);
            entries.push(found);
        }
        return entries;
    }
    // Numbers are names too: of parts.
    let Kind::Mapping(pairs) = &node.kind else {
        reader.named(node, "`entries`");
        return entries;
    };
    for pair in pairs {
        if let Some(fields) = reader.fields(&pair.value, "an entry") {
            entries.push(entry(operation, &pair.key.text, fields, names, reader));
        }
    }
    entries
}

fn entry(
    operation: Operation,
    name: &str,
    mut fields: Fields<'_>,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Entry {
    let size_of = fields.optional("size-of");
    let size_of = size_of.and_then(|node| names.body(node, reader));
    let etag = fields.optional("etag");
    let etag = etag.and_then(|node| text(node, "`etag`", reader));
    let versions = &[Operation::ListVersions];
    let version = only(operation, versions, fields.pair("version"), reader);
    let version = version.and_then(|node| text(node, "`version`", reader));
    let mut truth = |name| {
        let node = only(operation, versions, fields.pair(name), reader)?;
        reader.truth(node, name)
    };
    let (marker, latest) = (truth("marker"), truth("latest"));
    fields.finish(reader);
    Entry {
        object: name.to_owned(),
        size_of,
        etag,
        version,
        marker,
        latest,
    }
}

fn dialects(node: &Node, names: &Names<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, OneOff> {
    let mut one_offs = BTreeMap::new();
    for pair in reader.named(node, "`dialect`").unwrap_or_default() {
        let name = pair.key.text.as_str();
        let known = names.world.dialects;
        if !known.contains(name) {
            let message = format!("dialect `{name}` does not exist");
            let known = known.iter().map(String::as_str);
            reader.unknown(Code::UnknownName, pair.key_span, message, name, known);
        }
        if let Some(one_off) = one_off(&pair.value, name, reader) {
            one_offs.insert(name.to_owned(), one_off);
        }
    }
    one_offs
}

fn one_off(node: &Node, dialect: &str, reader: &mut Reader<'_>) -> Option<OneOff> {
    let mut fields = reader.fields(node, "a dialect's answer")?;
    let caret = fields.caret();
    let status = fields.required("status", reader);
    let status = status.and_then(|node| reader.whole::<u16>(node, "`status`"));
    let code = fields
        .optional("code")
        .and_then(|node| reader.text(node, "`code`"));
    let evidence = fields.optional("evidence");
    let evidence = evidence
        .map(|node| sources(node, "`evidence`", reader))
        .unwrap_or_default();
    fields.finish(reader);
    if evidence.is_empty() {
        let message = format!("the answer of dialect `{dialect}` has no evidence");
        let error = reader.error(Code::NoEvidence, caret, message);
        reader.push(error.note("without evidence a dialect says nothing and the class judges"));
    }
    Some(OneOff {
        status: status?,
        code: code.map(str::to_owned),
        evidence,
    })
}
