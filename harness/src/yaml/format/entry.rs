//! What has a line of its own: the parts of lists and mappings that are not written on one.

use super::remark::Remark;
use super::scalar::{self, Place};
use super::shape::{Lines, Shape};
use crate::yaml::node::{Kind, Node, Pair, Scalar};

/// Columns by which the parts of a value stand further in than the value.
pub(super) const INDENT: usize = 2;

/// One entry of a mapping or list, in the order of the file.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// `None` for an item of a list.
    pub(super) key: Option<&'a Scalar>,
    pub(super) value: Value<'a>,
    /// Bytes of the file, from the name or the item on.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the name or the dash stood in its line; `None` within brackets and braces.
    pub(super) column: Option<usize>,
    /// Whether an empty line stood before it.
    pub(super) is_apart: bool,
    pub(super) above: Vec<Remark>,
    /// At the end of its first line.
    pub(super) beside: Option<Remark>,
    /// Below all its lines, and further in than what comes next.
    pub(super) below: Vec<Remark>,
}

/// What stands behind the name or the dash.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Line(String),
    /// The mark of a block of text, and its lines.
    Block(&'static str, Vec<&'a str>),
    Entries(Vec<Entry<'a>>, &'a Shape),
}

/// Lays a tree out.
pub(super) struct Layout<'a> {
    pub(super) text: &'a str,
}

impl<'a> Layout<'a> {
    /// The parts of a list or mapping that stand at `indent`.
    pub(super) fn entries(
        &self,
        node: &'a Node,
        shape: &'a Shape,
        indent: usize,
    ) -> Vec<Entry<'a>> {
        let in_brackets = self.is_in_brackets(node);
        match &node.kind {
            Kind::Scalar(_) => Vec::new(),
            Kind::Sequence(items) => {
                let dash = (!in_brackets).then(|| column(self.text, node.span.start));
                let part = shape.part(None);
                let entry = |item: &'a Node| {
                    let value = self.value(item, part, indent, indent + "- ".len());
                    self.entry(None, value, item.span.start, item.span.end, dash)
                };
                items.iter().map(entry).collect()
            }
            Kind::Mapping(pairs) => {
                let entry = |pair: &'a Pair| {
                    let key = scalar::scalar(&pair.key, Place::Line);
                    let before = indent + key.chars().count() + ": ".len();
                    let part = shape.part(Some(&pair.key.text));
                    let value = self.value(&pair.value, part, indent, before);
                    let start = pair.key_span.start;
                    let own = (!in_brackets).then(|| column(self.text, start));
                    let end = pair.value.span.end.max(pair.key_span.end);
                    self.entry(Some(&pair.key), value, start, end, own)
                };
                pairs.iter().map(entry).collect()
            }
        }
    }

    fn entry(
        &self,
        key: Option<&'a Scalar>,
        value: Value<'a>,
        start: usize,
        end: usize,
        column: Option<usize>,
    ) -> Entry<'a> {
        Entry {
            key,
            value,
            start,
            end,
            column,
            is_apart: self.is_first_in_line(start, key.is_none())
                && follows_an_empty_line(self.text, start),
            above: Vec::new(),
            beside: None,
            below: Vec::new(),
        }
    }

    /// Whether nothing stands before it but the dash of an item.
    fn is_first_in_line(&self, start: usize, is_item: bool) -> bool {
        let line = start - column(self.text, start)..start;
        let before = self.text.get(line).unwrap_or_default().trim();
        before.is_empty() || is_item && before == "-"
    }

    /// `before` is how many columns of its line are taken.
    fn value(&self, node: &'a Node, shape: &'a Shape, indent: usize, before: usize) -> Value<'a> {
        if let Kind::Scalar(scalar) = &node.kind {
            let lines = scalar::block(scalar).map(|(mark, lines)| Value::Block(mark, lines));
            return lines.unwrap_or_else(|| Value::Line(line(node, shape, Place::Line)));
        }
        if self.has_lines(node, shape, before) {
            Value::Entries(self.entries(node, shape, indent + INDENT), shape)
        } else {
            Value::Line(line(node, shape, Place::Line))
        }
    }

    /// Whether each part has a line of its own.
    fn has_lines(&self, node: &Node, shape: &Shape, before: usize) -> bool {
        let parts: Vec<&Node> = parts(node);
        if parts.is_empty() {
            return false;
        }
        let is_long =
            |columns: usize| before + line(node, shape, Place::Line).chars().count() > columns;
        match shape.lines {
            Lines::One => false,
            Lines::OneAnItem => matches!(node.kind, Kind::Sequence(_)),
            Lines::Each | Lines::Apart => true,
            Lines::AsWritten => !self.is_in_brackets(node),
            Lines::Within(columns) => is_long(columns),
            Lines::FlatWithin(columns) => {
                parts.iter().any(|part| holds_mapping(part)) || is_long(columns)
            }
        }
    }

    fn is_in_brackets(&self, node: &Node) -> bool {
        let own = self.text.get(node.span.range()).unwrap_or_default();
        own.starts_with(['[', '{'])
    }
}

fn parts(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::Scalar(_) => Vec::new(),
        Kind::Sequence(items) => items.iter().collect(),
        Kind::Mapping(pairs) => pairs.iter().map(|pair| &pair.value).collect(),
    }
}

fn holds_mapping(node: &Node) -> bool {
    matches!(node.kind, Kind::Mapping(_)) || parts(node).into_iter().any(holds_mapping)
}

/// A whole value on one line.
fn line(node: &Node, shape: &Shape, place: Place) -> String {
    match &node.kind {
        // What was not written has a word of the parser's, and needs it within brackets alone.
        Kind::Scalar(_) if place == Place::Line && node.span.range().is_empty() => String::new(),
        Kind::Scalar(scalar) => scalar::scalar(scalar, place),
        Kind::Sequence(items) => {
            let part = shape.part(None);
            let items = items.iter().map(|item| line(item, part, Place::Brackets));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Kind::Mapping(pairs) => {
            let mut pairs: Vec<&Pair> = pairs.iter().collect();
            pairs.sort_by_key(|pair| shape.place(&pair.key.text));
            let pair = |pair: &Pair| {
                let key = scalar::scalar(&pair.key, Place::Brackets);
                let part = shape.part(Some(&pair.key.text));
                format!("{key}: {}", line(&pair.value, part, Place::Brackets))
            };
            let pairs: Vec<String> = pairs.into_iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// Bytes of the line before a place.
pub(super) fn column(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
}

/// Whether the line above the one of this place is empty.
pub(super) fn follows_an_empty_line(text: &str, at: usize) -> bool {
    let start = at - column(text, at);
    let above = text.get(..start).unwrap_or_default().strip_suffix('\n');
    above.is_some_and(|above| {
        above
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .trim()
            .is_empty()
    })
}
