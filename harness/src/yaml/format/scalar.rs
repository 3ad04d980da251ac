//! One value, written.

use std::fmt::Write as _;

use crate::yaml::node::{Scalar, Style};

/// Where a value stands: within brackets and braces, unquoted text has no comma and no bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Line,
    Brackets,
}

/// The value on one line. What has quotes keeps them, since they make text of what looks like
/// something else.
pub(super) fn scalar(scalar: &Scalar, place: Place) -> String {
    let plain = scalar.style == Style::Plain
        && !scalar.text.contains('\n')
        && (place == Place::Line || !scalar.text.contains([',', '[', ']', '{', '}']));
    if plain {
        return scalar.text.clone();
    }
    quoted(&scalar.text)
}

/// In double quotes; in single ones where that saves every escape.
fn quoted(text: &str) -> String {
    let needs_escape = text.contains(['"', '\\']);
    if needs_escape && !text.contains('\'') && !text.contains(is_hidden) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                write!(out, "\\U{:08X}", u32::from(c)).expect("writing to a String cannot fail")
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What would end the line, or could not be seen.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The lines after `|` and the mark itself, of a text that can be written so.
pub(super) fn block(scalar: &Scalar) -> Option<(&'static str, Vec<&str>)> {
    let text = scalar.text.as_str();
    let (mark, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let fits = scalar.style == Style::Block
        && !body.is_empty()
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && !body.contains(|c| c != '\n' && is_hidden(c));
    fits.then(|| (mark, body.split('\n').collect()))
}
