//! Comments: where they stand, and what they stand at.

use granit_parser::{Event, Parser};

use super::entry::{Entry, Value, column, follows_an_empty_line};
use crate::yaml::source::SourceFile;

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// With its `#`, without blanks at its end.
    pub(super) text: String,
    /// Byte of the file.
    pub(super) at: usize,
    /// Blanks before it, if nothing else is; `None` behind something.
    pub(super) column: Option<usize>,
    /// Whether an empty line stands before it.
    pub(super) is_apart: bool,
}

/// All comments of a file that has been parsed, in their order.
pub(super) fn remarks(file: &SourceFile) -> Vec<Remark> {
    let text = file.text.as_str();
    let options = granit_parser::options! {
        strict_indentation: true,
        emit_comments: true,
        max_buffered_comment_events: text.len(),
    };
    let comment = |event: Result<(Event<'_>, granit_parser::Span), _>| {
        let Ok((Event::Comment(..), span)) = event else {
            return None;
        };
        let (start, end) = (span.start.byte_offset()?, span.end.byte_offset()?);
        let before = column(text, start);
        let line = text.get(start - before..start)?;
        let is_alone = line.chars().all(|c| c == ' ' || c == '\u{feff}');
        Some(Remark {
            text: text.get(start..end)?.trim_end().to_owned(),
            at: start,
            column: is_alone.then_some(before),
            is_apart: is_alone && follows_an_empty_line(text, start),
        })
    };
    let mut remarks: Vec<Remark> = Parser::new_from_str_with_options(text, options)
        .filter_map(comment)
        .collect();
    remarks.sort_by_key(|remark| remark.at);
    remarks
}

/// What all of them say, in an order that does not depend on their places.
pub(super) fn texts(remarks: &[Remark]) -> Vec<&str> {
    let mut texts: Vec<&str> = remarks.iter().map(|remark| remark.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

/// Gives each remark to the entry that it stands at; returns those below everything.
pub(super) fn attach(entries: &mut [Entry<'_>], remarks: &[Remark], text: &str) -> Vec<Remark> {
    let mut rest = Vec::new();
    for remark in remarks {
        let left = match remark.column {
            None => beside(entries, remark.clone(), text),
            Some(_) => Some(remark.clone()),
        };
        rest.extend(left.and_then(|remark| above(entries, remark, 0)));
    }
    rest
}

/// The last entry that begins before a place.
fn before(entries: &[Entry<'_>], at: usize) -> Option<usize> {
    entries
        .partition_point(|entry| entry.start < at)
        .checked_sub(1)
}

/// Puts a remark at the end of a line; gives it back if it stands at none.
fn beside(entries: &mut [Entry<'_>], remark: Remark, text: &str) -> Option<Remark> {
    let Some(index) = before(entries, remark.at) else {
        return Some(remark);
    };
    let entry = &mut entries[index];
    let is_inside = remark.at < entry.end;
    if !is_inside && text.get(entry.end..remark.at)?.contains('\n') {
        return Some(remark);
    }
    if let Value::Entries(inner, _) = &mut entry.value {
        let is_in_head = inner.first().is_none_or(|first| remark.at < first.start);
        if !is_in_head {
            return beside(inner, remark, text);
        }
        // Behind a dash, or on a line between the name and what it names, it is no end of a line.
        let head = text.get(entry.start..remark.at)?;
        if entry.key.is_none() || head.contains('\n') {
            return Some(remark);
        }
    } else if is_inside {
        entry.above.push(remark);
        return None;
    }
    match entry.beside {
        None => entry.beside = Some(remark),
        Some(_) => entry.above.push(remark),
    }
    None
}

/// Puts a remark above the entry that follows it, or below an earlier one that it is indented like;
/// gives it back if nothing follows. `next` is the column of what follows all `entries`.
fn above(entries: &mut [Entry<'_>], mut remark: Remark, next: usize) -> Option<Remark> {
    let following = entries.partition_point(|entry| entry.start < remark.at);
    let next = entries
        .get(following)
        .and_then(|entry| entry.column)
        .unwrap_or(next);
    if let Some(index) = following.checked_sub(1) {
        let entry = &mut entries[index];
        if remark.at < entry.end {
            let left = match &mut entry.value {
                Value::Entries(inner, _) => above(inner, remark, next)?,
                Value::Line(_) | Value::Block(..) => {
                    entry.above.push(remark);
                    return None;
                }
            };
            entry.below.push(left);
            return None;
        }
        let column = remark.column.unwrap_or(0);
        remark = below(entry, remark, next, column)?;
    }
    match entries.get_mut(following) {
        Some(entry) => {
            entry.above.push(remark);
            None
        }
        None => Some(remark),
    }
}

/// Puts a remark below the last and innermost part of an ended entry that stands further in than
/// `next` and not further than `column`; gives it back if there is none.
fn below(entry: &mut Entry<'_>, remark: Remark, next: usize, column: usize) -> Option<Remark> {
    let remark = match &mut entry.value {
        Value::Entries(inner, _) => match inner.last_mut() {
            Some(last) => below(last, remark, next, column)?,
            None => remark,
        },
        Value::Line(_) | Value::Block(..) => remark,
    };
    let is_owner = entry.column.is_some_and(|own| next < own && own <= column);
    if !is_owner {
        return Some(remark);
    }
    entry.below.push(remark);
    None
}
