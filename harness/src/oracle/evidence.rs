//! Sources of a requirement and evidence of an answer: one form for both.

use crate::scenario::definition::Source;
use crate::yaml::{Code, Node, Reader};

/// Reads a list of sources; the caller says what an empty list means.
pub fn sources(node: &Node, what: &str, reader: &mut Reader<'_>) -> Vec<Source> {
    let Some(items) = reader.list(node, what) else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| source(item, reader))
        .collect()
}

fn source(node: &Node, reader: &mut Reader<'_>) -> Option<Source> {
    let mut fields = reader.fields(node, "a source")?;
    let caret = fields.caret();
    let mut found = Vec::new();
    for kind in ["doc", "recorded", "issue", "suite", "contract"] {
        if let Some(value) = fields.optional(kind) {
            found.push((kind, reader.text(value, &format!("`{kind}`"))));
        }
    }
    let says = fields
        .optional("says")
        .map(|value| reader.text(value, "`says`"));
    fields.finish(reader);
    let [(kind, reference)] = found.as_slice() else {
        let message = "a source names exactly one of doc, recorded, issue, suite, contract";
        let error = reader.error(Code::BadValue, caret, message);
        reader.push(error);
        return None;
    };
    if says.is_some() && *kind != "doc" {
        let message = "`says` belongs to `doc` only: it holds the words of the page";
        let error = reader.error(Code::BadValue, caret, message);
        reader.push(error);
    }
    let reference = (*reference)?.to_owned();
    Some(match *kind {
        "doc" => Source::Doc {
            page: reference,
            says: says.flatten().map(str::to_owned),
        },
        "recorded" => Source::Recorded(reference),
        "issue" => Source::Issue(reference),
        "suite" => Source::Suite(reference),
        _ => Source::Contract(reference),
    })
}
