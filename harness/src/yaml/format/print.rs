//! Entries and their remarks as lines.

use super::entry::{Entry, INDENT, Value};
use super::remark::Remark;
use super::scalar::{self, Place};
use super::shape::{Lines, Shape};

/// Blanks between a line and the remark behind it.
const GAP: usize = 4;

/// One line; `remark` stands behind it.
struct Line {
    text: String,
    remark: Option<String>,
}

/// The text of a whole file; `rest` are the remarks below everything.
pub(super) fn print(entries: Vec<Entry<'_>>, shape: &Shape, rest: Vec<Remark>) -> String {
    let mut lines = Vec::new();
    write_entries(entries, shape, 0, &mut lines);
    for remark in rest {
        write_remark(&remark, remark.is_apart, 0, &mut lines);
    }
    joined(&lines)
}

fn write_entries(mut entries: Vec<Entry<'_>>, shape: &Shape, indent: usize, out: &mut Vec<Line>) {
    entries.sort_by_key(|entry| entry.key.and_then(|key| shape.place(&key.text)));
    for (index, mut entry) in entries.into_iter().enumerate() {
        let mut above = std::mem::take(&mut entry.above);
        above.extend(hoisted(&mut entry));
        let first = above
            .first()
            .map_or(entry.is_apart, |remark| remark.is_apart);
        let has_parts_apart =
            matches!(&entry.value, Value::Entries(_, shape) if shape.lines == Lines::Apart);
        let is_forced = shape.lines == Lines::Apart || has_parts_apart;
        let mut is_apart = index > 0 && (first || is_forced);
        for (number, remark) in above.iter().enumerate() {
            let own = if number == 0 {
                is_apart
            } else {
                remark.is_apart
            };
            write_remark(remark, own, indent, out);
        }
        if !above.is_empty() {
            is_apart = entry.is_apart;
        }
        if is_apart {
            out.push(blank());
        }
        write_entry(entry, indent, out);
    }
}

/// An item begins on the line of its dash, so what stands above its first part stands above it.
fn hoisted(entry: &mut Entry<'_>) -> Vec<Remark> {
    let mut found = Vec::new();
    let Value::Entries(parts, shape) = &mut entry.value else {
        return found;
    };
    if entry.key.is_some() {
        return found;
    }
    let place = |part: &Entry<'_>| part.key.and_then(|key| shape.place(&key.text));
    if let Some(first) = parts.iter_mut().min_by_key(|part| place(part)) {
        found.append(&mut first.above);
        found.extend(hoisted(first));
    }
    found
}

fn write_entry(entry: Entry<'_>, indent: usize, out: &mut Vec<Line>) {
    let pad = " ".repeat(indent);
    let name = entry.key.map(|key| scalar::scalar(key, Place::Line));
    let mark = name.map_or_else(|| "-".to_owned(), |name| format!("{name}:"));
    let remark = entry.beside.map(|remark| remark.text);
    match entry.value {
        Value::Line(text) if text.is_empty() => out.push(Line {
            text: format!("{pad}{mark}"),
            remark,
        }),
        Value::Line(text) => out.push(Line {
            text: format!("{pad}{mark} {text}"),
            remark,
        }),
        Value::Block(bar, lines) => {
            out.push(Line {
                text: format!("{pad}{mark} {bar}"),
                remark,
            });
            let inner = " ".repeat(indent + INDENT);
            out.extend(lines.into_iter().map(|line| Line {
                text: if line.is_empty() {
                    String::new()
                } else {
                    format!("{inner}{line}")
                },
                remark: None,
            }));
        }
        Value::Entries(parts, shape) if entry.key.is_some() => {
            out.push(Line {
                text: format!("{pad}{mark}"),
                remark,
            });
            write_entries(parts, shape, indent + INDENT, out);
        }
        Value::Entries(parts, shape) => {
            let dash = out.len();
            write_entries(parts, shape, indent + INDENT, out);
            if let Some(line) = out.get_mut(dash) {
                let own = line.text.get(indent + INDENT..).unwrap_or_default();
                line.text = format!("{pad}- {own}");
            }
        }
    }
    for remark in &entry.below {
        write_remark(remark, remark.is_apart, indent, out);
    }
}

fn write_remark(remark: &Remark, is_apart: bool, indent: usize, out: &mut Vec<Line>) {
    if is_apart {
        out.push(blank());
    }
    out.push(Line {
        text: format!("{}{}", " ".repeat(indent), remark.text),
        remark: None,
    });
}

const fn blank() -> Line {
    Line {
        text: String::new(),
        remark: None,
    }
}

/// The lines as text: remarks behind neighbouring lines of one indent begin in one column.
fn joined(lines: &[Line]) -> String {
    let indent = |line: &Line| line.text.len() - line.text.trim_start().len();
    let together =
        |a: &Line, b: &Line| a.remark.is_some() == b.remark.is_some() && indent(a) == indent(b);
    let mut text = String::new();
    for run in lines.chunk_by(together) {
        let width = run.iter().map(|line| line.text.chars().count()).max();
        let width = width.unwrap_or(0) + GAP;
        for line in run {
            match &line.remark {
                Some(remark) => text.push_str(&format!("{:width$}{remark}\n", line.text)),
                None => text.push_str(&format!("{}\n", line.text)),
            }
        }
    }
    text
}
