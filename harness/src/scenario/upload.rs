//! What steps of copies and of uploads in parts have beside those of plain objects.

use super::definition::{Operation, Ssec, Text};
use super::names::Names;
use super::step::{object_name, only, text};
use super::triple;
use crate::yaml::{Code, Fields, Kind, Node, Pair, Reader, Scalar};

/// S3's own limit of part numbers.
const MAX_PART: u32 = 10_000;

/// The step that is short for several: one `upload-part` for each entry of its `parts`.
pub(super) const UPLOAD_PARTS: &str = "upload-parts";

const COPIES: [Operation; 2] = [Operation::Copy, Operation::UploadPartCopy];
const OF_UPLOADS: [Operation; 5] = [
    Operation::UploadPart,
    Operation::UploadPartCopy,
    Operation::CompleteUpload,
    Operation::AbortUpload,
    Operation::ListParts,
];
const SENDS_PART: [Operation; 2] = [Operation::UploadPart, Operation::UploadPartCopy];
const HAS_PART: [Operation; 4] = [
    Operation::UploadPart,
    Operation::UploadPartCopy,
    Operation::Get,
    Operation::Head,
];

/// Where a step acts, and on what.
pub(super) struct Place {
    pub(super) object: Option<String>,
    pub(super) source: Option<String>,
    pub(super) source_ssec: Option<Ssec>,
    pub(super) upload: Option<Text>,
    pub(super) part: Option<u32>,
    pub(super) parts: Option<Vec<u32>>,
}

/// Reads the fields; `first` is the value behind the operation's own word.
pub(super) fn place(
    operation: Operation,
    first: &Node,
    fields: &mut Fields<'_>,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Place {
    let named = object_name(operation, first, reader);
    let to = needed(operation, &COPIES, "to", fields, reader);
    let to = to.and_then(|node| object_name(operation, node, reader));
    let is_copy = COPIES.contains(&operation);
    let (object, source) = if is_copy { (to, named) } else { (named, None) };
    let source_ssec = only(operation, &COPIES, fields.pair("source-ssec"), reader);
    let source_ssec = source_ssec.and_then(|node| triple::ssec(node, names, reader));
    let upload = needed(operation, &OF_UPLOADS, "upload", fields, reader);
    let upload = upload.and_then(|node| text(node, "`upload`", reader));
    let part_pair = fields.pair("part");
    if part_pair.is_none() && SENDS_PART.contains(&operation) {
        missing(operation, "part", fields, reader);
    }
    let part = only(operation, &HAS_PART, part_pair, reader);
    let part = part.and_then(|node| part_number(node, reader));
    let parts_pair = fields.pair("parts");
    let parts = only(operation, &[Operation::CompleteUpload], parts_pair, reader);
    let parts = parts.and_then(|node| reader.list(node, "`parts`"));
    let parts = parts.map(|items| {
        let numbers = items.iter().map(|item| part_number(item, reader));
        numbers.collect::<Vec<_>>().into_iter().flatten().collect()
    });
    Place {
        object,
        source,
        source_ssec,
        upload,
        part,
        parts,
    }
}

/// The field's value: these operations must have it, no other one may.
fn needed<'n>(
    operation: Operation,
    owners: &[Operation],
    name: &'static str,
    fields: &mut Fields<'n>,
    reader: &mut Reader<'_>,
) -> Option<&'n Node> {
    let pair = fields.pair(name);
    if pair.is_none() && owners.contains(&operation) {
        missing(operation, name, fields, reader);
    }
    only(operation, owners, pair, reader)
}

fn missing(operation: Operation, name: &str, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let message = format!("`{}` needs the field `{name}`", operation.word());
    let error = reader.error(Code::MissingField, fields.caret(), message);
    reader.push(error);
}

fn part_number(node: &Node, reader: &mut Reader<'_>) -> Option<u32> {
    let number: u32 = reader.whole(node, "a part's number")?;
    let number = match number {
        1..=MAX_PART => Ok(number),
        _ => Err(format!("a part's number is 1 to {MAX_PART}, not {number}")),
    };
    reader.or_note(number, node)
}

/// The steps that a bound step stands for: itself, or one for each part of `upload-parts`.
pub(super) fn each_part(step: Node, reader: &mut Reader<'_>) -> Vec<Node> {
    let Kind::Mapping(pairs) = &step.kind else {
        return vec![step];
    };
    let field = |name: &str| pairs.iter().find(|pair| pair.key.text == name);
    let Some(word) = field(UPLOAD_PARTS) else {
        return vec![step];
    };
    for name in ["part", "body", "save"] {
        if let Some(pair) = field(name) {
            let message = format!("`{name}` has no meaning for {UPLOAD_PARTS}");
            let error = reader.error(Code::BadValue, pair.key_span, message);
            reader.push(error.note("numbers and bodies stand in `parts: {1: body}`"));
            return Vec::new();
        }
    }
    let Some(parts) = field("parts") else {
        let message = format!("`{UPLOAD_PARTS}` needs the field `parts`");
        let error = reader.error(Code::MissingField, word.key_span, message);
        reader.push(error.note("write `parts: {1: body, 2: other}`"));
        return Vec::new();
    };
    let Kind::Mapping(entries) = &parts.value.kind else {
        let message = format!("`parts` wants a mapping, not {}", parts.value.describe());
        let error = reader.error_at(Code::WrongKind, &parts.value, message);
        reader.push(error.note("write `parts: {1: body, 2: other}`"));
        return Vec::new();
    };
    let renamed = |pair: &Pair, name: &str| Pair {
        key: Scalar {
            text: name.to_owned(),
            ..pair.key.clone()
        },
        key_span: pair.key_span,
        value: pair.value.clone(),
    };
    let one = |entry: &Pair| {
        let mut own: Vec<Pair> = Vec::new();
        for pair in pairs {
            match pair.key.text.as_str() {
                UPLOAD_PARTS => own.push(renamed(pair, Operation::UploadPart.word())),
                "parts" => {
                    let number = Node {
                        span: entry.key_span,
                        kind: Kind::Scalar(entry.key.clone()),
                    };
                    let mut part = renamed(entry, "part");
                    part.value = number;
                    own.push(part);
                    own.push(renamed(entry, "body"));
                }
                _ => own.push(pair.clone()),
            }
        }
        Node {
            span: step.span,
            kind: Kind::Mapping(own),
        }
    };
    entries.iter().map(one).collect()
}
