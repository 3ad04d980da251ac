//! What steps say of pages of another origin: rules of a bucket, preflights, what an answer exposes.

use super::definition::{ALIASES, CorsRule, Exposed, Operation, Preflight};
use super::step::{header_name, only};
use crate::yaml::{Code, Fields, Kind, Node, Reader};

/// The methods that a rule can name and a page ask for, by the words of steps.
const METHODS: [(&str, &str); 5] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("head", "HEAD"),
    ("post", "POST"),
    ("delete", "DELETE"),
];

/// Reads `preflight`, which an `options` must have.
pub(super) fn preflight(
    operation: Operation,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
) -> Option<Preflight> {
    let pair = fields.pair("preflight");
    if pair.is_none() && operation == Operation::Options {
        let message = "`options` needs the field `preflight`";
        let error = reader.error(Code::MissingField, fields.caret(), message);
        reader
            .push(error.note("write `preflight: {origin: \"https://page.example\", method: put}`"));
    }
    let node = only(operation, &[Operation::Options], pair, reader)?;
    let mut fields = reader.fields(node, "`preflight`")?;
    let origin = fields.required("origin", reader);
    let origin = origin.and_then(|node| origin_text(node, reader));
    let method = fields.required("method", reader);
    let method = method.and_then(|node| reader.choice(node, "`method`", &METHODS));
    let headers = fields.optional("headers");
    let headers = headers.map(|node| names(node, reader)).unwrap_or_default();
    fields.finish(reader);
    Some(Preflight {
        origin: origin?,
        method: method?,
        headers,
    })
}

fn origin_text(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(node, "an origin")?;
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    let error = reader.error_at(Code::BadValue, node, "an origin has no blanks");
    reader.push(error);
    None
}

/// The rules of `put-cors`: one or a list.
pub(super) fn rules(node: &Node, reader: &mut Reader<'_>) -> Vec<CorsRule> {
    let items = Reader::one_or_list(node);
    items.iter().filter_map(|item| rule(item, reader)).collect()
}

fn rule(node: &Node, reader: &mut Reader<'_>) -> Option<CorsRule> {
    let mut fields = reader.fields(node, "a rule of `put-cors`")?;
    let origins = fields.required("origins", reader);
    let origins = origins.map(|node| reader.texts(node, "an origin"));
    let methods = fields.required("methods", reader);
    let methods = methods.map(|node| {
        let items = Reader::one_or_list(node);
        let methods = items
            .iter()
            .map(|item| reader.choice(item, "a method", &METHODS));
        methods.flatten().collect()
    });
    let headers = fields.optional("headers");
    let headers = headers.map(|node| names(node, reader));
    let expose = fields.optional("expose");
    let expose = expose.map(|node| names(node, reader));
    let max_age = fields.optional("max-age");
    let max_age = max_age.and_then(|node| reader.seconds(node, "`max-age`"));
    fields.finish(reader);
    Some(CorsRule {
        origins: origins?,
        methods: methods?,
        headers: headers.unwrap_or_default(),
        expose: expose.unwrap_or_default(),
        max_age,
    })
}

/// Names of headers, or patterns of them; an alias stands for its header, in lower case, as browsers
/// ask for it.
fn names(node: &Node, reader: &mut Reader<'_>) -> Vec<String> {
    let items = Reader::one_or_list(node);
    let name = |item: &Node| {
        let word = reader.text(item, "a header's name")?;
        match ALIASES.iter().find(|(alias, _)| *alias == word) {
            Some((_, header)) => Some(header.wire_name().to_ascii_lowercase()),
            None => header_name(word, item.span, reader),
        }
    };
    items.iter().filter_map(name).collect()
}

/// `exposes: none`, or the names of headers that a page may read.
pub(super) fn exposes(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<Exposed> {
    let node = fields.optional("exposes")?;
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text == "none" => Some(Exposed::Nothing),
        Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => {
            Some(Exposed::Headers(names(node, reader)))
        }
    }
}
