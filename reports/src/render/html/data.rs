//! The trials as JSON inside the page: escaped so that no byte of an answer can end the element
//! that holds it, and no larger than a page may be.

use std::io;

use serde_json::Value;

use crate::printable;
use crate::record::CaseRecord;
use crate::siblings::Siblings;

/// Most bytes of data with full exchanges; what comes after goes without them, so that a page of
/// 1,000 failed trials stays below 5 MB.
const WHOLE: usize = 3 << 20;
/// Most bytes of data with steps; what comes after goes without them.
const STEPS: usize = 7 << 19;

/// The trials as one JSON array, in the order of `cases`. Those that counted and the worst keep
/// their exchanges first; a trial that had to go without says so in `cut`. What the siblings of one
/// that broke tell is its `siblings`.
pub(super) fn json(cases: &[&CaseRecord]) -> io::Result<String> {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|&i| (!cases[i].counts, cases[i].verdict));
    let siblings = Siblings::of(cases.iter().copied());
    let mut texts = vec![String::new(); cases.len()];
    let mut total = 0;
    for i in order {
        let mut value = serde_json::to_value(cases[i]).map_err(io::Error::from)?;
        if let (Some(note), Some(members)) = (siblings.note(cases[i]), value.as_object_mut()) {
            members.insert("siblings".to_owned(), Value::String(note));
        }
        make_printable(&mut value, "");
        let mut text = embeddable(&value);
        if total + text.len() > WHOLE {
            drop_exchanges(&mut value);
            text = embeddable(&value);
        }
        if total + text.len() > STEPS {
            drop_steps(&mut value);
            text = embeddable(&value);
        }
        total += text.len();
        texts[i] = text;
    }
    Ok(format!("[{}]", texts.join(",\n")))
}

/// JSON in which `<`, `>` and `&` stand as escapes: it means the same, and neither ends a script
/// element nor opens a comment in it.
fn embeddable(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// What moves a cursor or turns text around is shown as an escape; a body keeps its lines.
fn make_printable(value: &mut Value, name: &str) {
    match value {
        Value::String(text) if name == "body_text" => {
            let lines: Vec<String> = text.lines().map(printable::line).collect();
            *text = lines.join("\n");
        }
        Value::String(text) => *text = printable::line(text),
        Value::Array(items) => {
            for item in items {
                make_printable(item, name);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                make_printable(member, name);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn drop_steps(case: &mut Value) {
    if let Some(case) = case.as_object_mut()
        && case.remove("steps").is_some()
    {
        case.remove("excerpt");
        case.insert("cut".to_owned(), Value::Bool(true));
    }
}

fn drop_exchanges(case: &mut Value) {
    let Some(steps) = case.get_mut("steps").and_then(Value::as_array_mut) else {
        return;
    };
    let mut dropped = false;
    for step in steps.iter_mut().filter_map(Value::as_object_mut) {
        dropped |= step.remove("exchange").is_some();
    }
    if dropped && let Some(case) = case.as_object_mut() {
        case.insert("cut".to_owned(), Value::Bool(true));
    }
}
