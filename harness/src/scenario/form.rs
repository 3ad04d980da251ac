//! The form of a `post-form`: which fields it has, what its policy says of them, what is wrong with it.

use super::definition::{Form, FormFault, Operation};
use super::names::Names;
use super::step::only;
use super::triple;
use crate::yaml::{Code, Fields, Node, Reader};

/// Seconds for which a policy holds if the step does not say.
const DEFAULT_EXPIRES: u32 = 300;
/// Fields that a form gets by itself.
const OWN: [&str; 4] = ["key", "policy", "file", "x-amz-signature"];

/// Reads `form`; a `post-form` without it has a plain one.
pub(super) fn form(
    operation: Operation,
    fields: &mut Fields<'_>,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Form> {
    if operation == Operation::PostForm {
        for name in ["presign", "sign"] {
            if let Some(pair) = fields.pair(name) {
                let message = format!("`{name}` has no meaning for a post-form");
                let error = reader.error(Code::BadValue, pair.key_span, message);
                reader
                    .push(error.note("a form carries its signature, over its policy, in a field"));
            }
        }
    }
    let plain = Form {
        expires: DEFAULT_EXPIRES,
        ..Form::default()
    };
    let node = only(
        operation,
        &[Operation::PostForm],
        fields.pair("form"),
        reader,
    );
    match node {
        None if operation == Operation::PostForm => Some(plain),
        None => None,
        Some(node) => described(node, &plain, names, reader),
    }
}

fn described(
    node: &Node,
    plain: &Form,
    names: &mut Names<'_>,
    reader: &mut Reader<'_>,
) -> Option<Form> {
    let mut fields = reader.fields(node, "`form`")?;
    let mut pairs = |name| match fields.optional(name) {
        Some(node) => texts(node, name, reader),
        None => Vec::new(),
    };
    let further = pairs("fields");
    let uncovered = pairs("uncovered");
    let demand = pairs("demand");
    for (name, _) in further.iter().chain(&uncovered) {
        if OWN.contains(&name.to_ascii_lowercase().as_str()) {
            let message = format!("the form has a field `{name}` of its own");
            let error = reader.error_at(Code::BadValue, node, message);
            reader.push(error);
        }
    }
    let cover = fields
        .optional("cover")
        .and_then(|node| triple::header_set(node, "`cover`", reader));
    let signed_as = fields
        .optional("signed-as")
        .and_then(|node| names.key(node, reader));
    let length = fields
        .optional("length")
        .and_then(|node| length(node, reader));
    let seconds = |node: Option<&Node>, what, reader: &mut Reader<'_>| match node {
        Some(node) => reader.seconds(node, what),
        None => None,
    };
    let expires = seconds(fields.optional("expires"), "`expires`", reader);
    let age = seconds(fields.optional("age"), "`age`", reader);
    let faults = [
        ("policy", FormFault::Policy),
        ("signature", FormFault::Signature),
        ("cut", FormFault::Cut),
    ];
    let fault = fields
        .optional("fault")
        .and_then(|node| reader.choice(node, "`fault`", &faults));
    fields.finish(reader);
    Some(Form {
        fields: further,
        uncovered,
        cover,
        signed_as,
        demand,
        length,
        expires: expires.unwrap_or(plain.expires),
        age: age.unwrap_or(plain.age),
        fault,
    })
}

/// Names and values of fields.
fn texts(node: &Node, what: &'static str, reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for pair in reader.named(node, &format!("`{what}`")).unwrap_or_default() {
        let fits = |c: char| c.is_ascii_graphic() && c != '"';
        if !pair.key.text.chars().all(fits) {
            let message = format!("`{}` cannot be the name of a field", pair.key.text);
            let error = reader.error(Code::BadValue, pair.key_span, message);
            reader.push(error);
        }
        if let Some(value) = reader.text(&pair.value, "a field's value") {
            texts.push((pair.key.text.clone(), value.to_owned()));
        }
    }
    texts
}

/// `0-1023`: bytes of the file, both ends included.
fn length(node: &Node, reader: &mut Reader<'_>) -> Option<(u64, u64)> {
    let word = reader.word(node, "`length`")?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let range = word
        .split_once('-')
        .and_then(|(least, most)| Some((number(least)?, number(most)?)));
    let form = || format!("`{word}` is no range of lengths: write it as `0-1023`");
    reader.or_note(range.ok_or_else(form), node)
}
