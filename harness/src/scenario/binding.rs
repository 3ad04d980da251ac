//! One cell's labels and fragments, filled into a step's tree.
//!
//! `$name` is an axis of the matrix, whose label takes its place, or a value that an earlier step
//! captures, which must then be the whole text. `$$` is a dollar.

use std::collections::BTreeSet;

use super::document::Axis;
use crate::yaml::{Code, Kind, Node, Pair, Reader, Scalar, Span, Style};

/// What `$name` means at one point of a trial.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    axes: &'a [Axis],
    /// Index of the bound label, one for each axis.
    cell: &'a [usize],
    captures: BTreeSet<String>,
    used: BTreeSet<&'a str>,
}

/// A piece of a text with `$names`.
enum Piece {
    Text(String),
    Capture(String),
}

impl<'a> Scope<'a> {
    pub(super) const fn new(axes: &'a [Axis], cell: &'a [usize]) -> Self {
        Self {
            axes,
            cell,
            captures: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// Makes a captured value known to the steps that follow.
    pub(super) fn capture(&mut self, name: &str) {
        self.captures.insert(name.to_owned());
    }

    /// The axes that something referred to.
    pub(super) const fn used(&self) -> &BTreeSet<&'a str> {
        &self.used
    }

    /// The step with its fragments merged in and each `$name` replaced; `None` after a mistake.
    pub(super) fn step(&mut self, node: &Node, reader: &mut Reader<'_>) -> Option<Node> {
        let before = reader.mistakes();
        let Kind::Mapping(own) = &node.kind else {
            let message = format!("a step is a mapping, not {}", node.describe());
            let error = reader.error_at(Code::WrongKind, node, message);
            reader.push(error);
            return None;
        };
        let mut pairs = Vec::new();
        for pair in own.iter().filter(|pair| pair.key.text != "do") {
            self.merge(&mut pairs, pair, None, reader);
        }
        if let Some(fragments) = own.iter().find(|pair| pair.key.text == "do") {
            for wanted in Reader::one_or_list(&fragments.value) {
                let Some((axis, point)) = self.fragment(wanted, reader) else {
                    continue;
                };
                let Some(Node {
                    kind: Kind::Mapping(fragment),
                    ..
                }) = &axis.points[point].fragment
                else {
                    let message = format!("axis `{}` has labels only, no fragments", axis.name);
                    let error = reader.error_at(Code::BadValue, wanted, message);
                    reader.push(
                        error.note("`do` merges what stands behind a label: `get: {get: doc}`"),
                    );
                    continue;
                };
                let origin = format!("matrix.{}.{}", axis.name, axis.points[point].label);
                for pair in fragment {
                    self.merge(&mut pairs, pair, Some(&origin), reader);
                }
            }
        }
        (reader.mistakes() == before).then_some(Node {
            span: node.span,
            kind: Kind::Mapping(pairs),
        })
    }

    /// The axis that an entry of `do` names.
    fn fragment(&mut self, wanted: &Node, reader: &mut Reader<'_>) -> Option<(&'a Axis, usize)> {
        let word = reader.word(wanted, "`do`")?;
        let axes = self.axes;
        let name = word.strip_prefix('$');
        let found = axes
            .iter()
            .zip(self.cell)
            .find(|(axis, _)| Some(axis.name.as_str()) == name);
        let Some((axis, point)) = found else {
            let message = format!("`do` wants an axis of the matrix, and `{word}` is none");
            let names: Vec<String> = axes.iter().map(|axis| format!("${}", axis.name)).collect();
            let names = names.iter().map(String::as_str);
            reader.unknown(Code::UnknownName, wanted.span, message, word, names);
            return None;
        };
        self.used.insert(&axis.name);
        Some((axis, *point))
    }

    fn merge(
        &mut self,
        pairs: &mut Vec<Pair>,
        pair: &Pair,
        origin: Option<&str>,
        reader: &mut Reader<'_>,
    ) {
        let Some(bound) = self.pair(pair, reader) else {
            return;
        };
        let name = bound.key.text.as_str();
        if let Some(origin) = origin
            && name == "do"
        {
            let message = format!("{origin} is a fragment and cannot merge another one");
            let error = reader.error(Code::BadValue, bound.key_span, message);
            reader.push(error);
            return;
        }
        if let Some(earlier) = pairs.iter().find(|earlier| earlier.key.text == name) {
            let origin = origin.unwrap_or("this step");
            let message = format!("fragment sets `{name}` twice: here and in {origin}");
            let error = reader
                .error(Code::SetTwice, earlier.key_span, message)
                .label("here");
            let error = error.related(reader.file(), bound.key_span, format!("and in {origin}"));
            reader
                .push(error.note("a field has one author: keep it in the step or in the fragment"));
            return;
        }
        pairs.push(bound);
    }

    fn pair(&mut self, pair: &Pair, reader: &mut Reader<'_>) -> Option<Pair> {
        let key = self.scalar(&pair.key, pair.key_span, reader);
        let value = self.bind(&pair.value, reader);
        let key = key?;
        if key.style == Style::Capture {
            let message = format!(
                "`${}` is captured while a trial runs and names no field",
                key.text
            );
            let error = reader.error(Code::Unbound, pair.key_span, message);
            reader.push(error);
            return None;
        }
        Some(Pair {
            key,
            key_span: pair.key_span,
            value: value?,
        })
    }

    /// A tree with each `$name` replaced; `None` after a mistake.
    pub(super) fn bind(&mut self, node: &Node, reader: &mut Reader<'_>) -> Option<Node> {
        let kind = match &node.kind {
            Kind::Scalar(scalar) => Kind::Scalar(self.scalar(scalar, node.span, reader)?),
            Kind::Sequence(items) => {
                let bound: Vec<_> = items.iter().map(|item| self.bind(item, reader)).collect();
                Kind::Sequence(bound.into_iter().collect::<Option<_>>()?)
            }
            Kind::Mapping(pairs) => {
                let bound: Vec<_> = pairs.iter().map(|pair| self.pair(pair, reader)).collect();
                let bound: Vec<Pair> = bound.into_iter().collect::<Option<_>>()?;
                for (index, pair) in bound.iter().enumerate() {
                    if bound[..index]
                        .iter()
                        .any(|earlier| earlier.key.text == pair.key.text)
                    {
                        let message = format!("`{}` stands here twice in this cell", pair.key.text);
                        let error = reader.error(Code::DuplicateKey, pair.key_span, message);
                        reader.push(error);
                    }
                }
                Kind::Mapping(bound)
            }
        };
        Some(Node {
            span: node.span,
            kind,
        })
    }

    fn scalar(&mut self, scalar: &Scalar, at: Span, reader: &mut Reader<'_>) -> Option<Scalar> {
        if !scalar.text.contains('$') {
            return Some(scalar.clone());
        }
        let pieces = self.pieces(&scalar.text, at, reader)?;
        if let [Piece::Capture(name)] = pieces.as_slice() {
            return Some(Scalar {
                text: name.clone(),
                style: Style::Capture,
            });
        }
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(&piece),
                Piece::Capture(name) => {
                    let message = format!(
                        "`${name}` is captured while a trial runs, so it cannot be a part of a text"
                    );
                    let error = reader.error(Code::Unbound, at, message);
                    reader.push(error.note("let it be the whole value"));
                    return None;
                }
            }
        }
        Some(Scalar {
            text,
            style: Style::Bound,
        })
    }

    fn pieces(&mut self, text: &str, at: Span, reader: &mut Reader<'_>) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            if dollar > 0 {
                pieces.push(Piece::Text(rest[..dollar].to_owned()));
            }
            let after = &rest[dollar + 1..];
            if let Some(tail) = after.strip_prefix('$') {
                pieces.push(Piece::Text("$".to_owned()));
                rest = tail;
                continue;
            }
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let run = &after[..after.find(|c| !is_name(c)).unwrap_or(after.len())];
            let (piece, length) = self.resolve(run).or_else(|| {
                self.unbound(run, at, reader);
                None
            })?;
            pieces.push(piece);
            rest = &after[length..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Some(pieces)
    }

    /// The longest name at the beginning of `run`, which may end before a `-`.
    fn resolve(&mut self, run: &str) -> Option<(Piece, usize)> {
        let mut name = run;
        loop {
            let axes = self.axes;
            if let Some((axis, point)) = axes.iter().zip(self.cell).find(|(a, _)| a.name == name) {
                self.used.insert(&axis.name);
                let label = axis.points[*point].label.clone();
                return Some((Piece::Text(label), name.len()));
            }
            if self.captures.contains(name) {
                return Some((Piece::Capture(name.to_owned()), name.len()));
            }
            name = &name[..name.rfind('-')?];
        }
    }

    fn unbound(&self, run: &str, at: Span, reader: &mut Reader<'_>) {
        if run.is_empty() {
            let error = reader.error(Code::Unbound, at, "a `$` without a name");
            reader.push(error.note("write `$$` for a dollar"));
            return;
        }
        let axes = self.axes.iter().map(|axis| axis.name.as_str());
        let known: Vec<&str> = axes
            .chain(self.captures.iter().map(String::as_str))
            .collect();
        let message = format!("nothing sets `${run}`: no axis, and no `save` of an earlier step");
        if known.is_empty() {
            let error = reader.error(Code::Unbound, at, message);
            reader.push(
                error.note("declare an axis in `matrix`, or `save` a value in an earlier step"),
            );
            return;
        }
        reader.unknown(Code::Unbound, at, message, run, known);
    }
}
