//! Decoding a tree by hand: every mistake is kept, no field passes unread.

use std::sync::Arc;

use super::code::Code;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::node::{Kind, Node, Pair, Scalar, Style};
use super::quantity;
use super::source::{SourceFile, Span};
use super::suggest::nearest;

/// Collects the mistakes of one file while its tree is decoded.
///
/// The reading functions return `None` after they have noted a mistake, so that a decoder goes on
/// with the next field.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    /// A reader of one file.
    #[must_use]
    pub fn new(file: &'a Arc<SourceFile>) -> Self {
        Self {
            file,
            diagnostics: Diagnostics::default(),
        }
    }

    /// What was collected.
    #[must_use]
    pub fn finish(self) -> Diagnostics {
        self.diagnostics
    }

    /// The file that is read.
    #[must_use]
    pub const fn file(&self) -> &'a Arc<SourceFile> {
        self.file
    }

    /// How many mistakes there are so far.
    #[must_use]
    pub const fn mistakes(&self) -> usize {
        self.diagnostics.len()
    }

    /// Begins a mistake at a place; [`Reader::push`] keeps it.
    #[must_use]
    pub fn error(&self, code: Code, at: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.file, at, message)
    }

    /// Begins a mistake at a value.
    #[must_use]
    pub fn error_at(&self, code: Code, node: &Node, message: impl Into<String>) -> Diagnostic {
        self.error(code, node.caret(&self.file.text), message)
    }

    /// Keeps a mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes that `word` is none of `candidates`.
    pub fn unknown<'c>(
        &mut self,
        code: Code,
        at: Span,
        message: impl Into<String>,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let error = self.error(code, at, message);
        let error = match nearest(word, candidates.iter().copied()) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None if candidates.is_empty() => error,
            None => error.note(format!("known here: {}", candidates.join(", "))),
        };
        self.push(error);
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} wants {wanted}, not {}", node.describe());
        let error = self.error_at(Code::WrongKind, node, message);
        self.push(error);
    }

    /// A single value as it was written, for fields with a form of their own.
    pub fn word<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(scalar) if !scalar.is_empty() && scalar.style != Style::Capture => {
                Some(&scalar.text)
            }
            Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => {
                self.wrong(node, what, "a single value");
                None
            }
        }
    }

    /// Text: a single value that no YAML reader takes for something else.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let word = self.word(node, what)?;
        let Kind::Scalar(scalar) = &node.kind else {
            return None;
        };
        self.explicit(scalar, node.span, what).then_some(word)
    }

    /// One text, or a list of them.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        let items = Self::one_or_list(node);
        let text = |item: &Node| self.text(item, what).map(str::to_owned);
        items.iter().filter_map(text).collect()
    }

    /// Refuses unquoted text that other YAML readers take for something else.
    pub fn explicit(&mut self, scalar: &Scalar, at: Span, what: &str) -> bool {
        let Some(taken_for) = scalar.implicit() else {
            return true;
        };
        let text = &scalar.text;
        let message = format!("{what} wants text, and `{text}` without quotes is {taken_for}");
        let error = self.error(Code::WrongKind, at, message);
        self.push(error.label(format!("write it as \"{text}\"")));
        false
    }

    /// A whole number, decimal.
    pub fn whole<T: std::str::FromStr>(&mut self, node: &Node, what: &str) -> Option<T> {
        let word = self.word(node, what)?;
        let number = match &node.kind {
            Kind::Scalar(Scalar {
                style: Style::Plain | Style::Bound,
                ..
            }) => quantity::digits(word),
            Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => None,
        };
        if number.is_none() {
            let message = format!("{what} wants a whole number, and `{word}` is none that fits");
            let error = self.error_at(Code::BadValue, node, message);
            self.push(error);
        }
        number
    }

    /// Bytes, written as `64 KiB` or `5 MiB + 1 B`.
    pub fn size(&mut self, node: &Node, what: &str) -> Option<u64> {
        let size = quantity::size(self.word(node, what)?);
        self.or_note(size, node)
    }

    /// Seconds, written as `30 s` or `5 min`.
    pub fn seconds(&mut self, node: &Node, what: &str) -> Option<u32> {
        let seconds = quantity::seconds(self.word(node, what)?);
        self.or_note(seconds, node)
    }

    /// The value, or its mistake noted at `node` as a bad value.
    pub fn or_note<T>(&mut self, value: Result<T, String>, node: &Node) -> Option<T> {
        value
            .map_err(|message| {
                let error = self.error_at(Code::BadValue, node, message);
                self.push(error);
            })
            .ok()
    }

    /// `true` or `false`.
    pub fn truth(&mut self, node: &Node, what: &str) -> Option<bool> {
        self.choice(node, what, &[("true", true), ("false", false)])
    }

    /// One word of a closed list.
    pub fn choice<T: Copy>(&mut self, node: &Node, what: &str, list: &[(&str, T)]) -> Option<T> {
        let word = self.word(node, what)?;
        let found = list.iter().find(|(name, _)| *name == word);
        if found.is_none() {
            let message = format!("{what} cannot be `{word}`");
            let at = node.caret(&self.file.text);
            self.unknown(
                Code::BadValue,
                at,
                message,
                word,
                list.iter().map(|(name, _)| *name),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A list, which may be empty.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        if let Kind::Sequence(items) = &node.kind {
            return Some(items);
        }
        self.wrong(node, what, "a list");
        None
    }

    /// A list, or one item in its place.
    #[must_use]
    pub fn one_or_list(node: &Node) -> &[Node] {
        match &node.kind {
            Kind::Sequence(items) => items,
            Kind::Scalar(_) | Kind::Mapping(_) => std::slice::from_ref(node),
        }
    }

    /// A name that a file gives: letters, digits, `-` and, in `also`, further characters; it
    /// begins with a letter or digit.
    pub fn name<'n>(&mut self, text: &'n str, at: Span, what: &str, also: &str) -> Option<&'n str> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let good = text.starts_with(fits)
            && text
                .chars()
                .all(|c| fits(c) || c == '-' || also.contains(c));
        if good {
            return Some(text);
        }
        let message = format!("{what} cannot be called `{text}`");
        let error = self.error(Code::BadValue, at, message);
        self.push(error.note(format!(
            "lower-case letters, digits and `-{also}`, beginning with a letter or digit"
        )));
        None
    }

    /// The entries of a mapping whose keys are names that the file chooses.
    pub fn named<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Pair]> {
        let Kind::Mapping(pairs) = &node.kind else {
            self.wrong(node, what, "a mapping");
            return None;
        };
        for pair in pairs {
            self.explicit(&pair.key, pair.key_span, &format!("a name in {what}"));
        }
        Some(pairs)
    }

    /// The fields of a mapping; `owner` is what it describes, such as `a step`.
    pub fn fields<'n>(&mut self, node: &'n Node, owner: &'static str) -> Option<Fields<'n>> {
        let Kind::Mapping(pairs) = &node.kind else {
            self.wrong(node, owner, "a mapping");
            return None;
        };
        let caret = node.caret(&self.file.text);
        Some(Fields {
            owner,
            caret,
            pairs,
            asked: Vec::new(),
        })
    }
}

/// One mapping while it is decoded; [`Fields::finish`] refuses what nobody asked for.
#[derive(Debug)]
#[must_use = "unknown fields pass unless `finish` is called"]
pub struct Fields<'n> {
    owner: &'static str,
    caret: Span,
    pairs: &'n [Pair],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Where to draw a mistake of the whole mapping.
    #[must_use]
    pub const fn caret(&self) -> Span {
        self.caret
    }

    /// A field that may be absent.
    pub fn optional(&mut self, name: &'static str) -> Option<&'n Node> {
        self.pair(name).map(|pair| &pair.value)
    }

    /// A field that may be absent, with its key.
    pub fn pair(&mut self, name: &'static str) -> Option<&'n Pair> {
        self.asked.push(name);
        self.pairs.iter().find(|pair| pair.key.text == name)
    }

    /// A field that must be there.
    pub fn required(&mut self, name: &'static str, reader: &mut Reader<'_>) -> Option<&'n Node> {
        let value = self.optional(name);
        if value.is_none() {
            let message = format!("{} needs the field `{name}`", self.owner);
            let error = reader.error(Code::MissingField, self.caret, message);
            reader.push(error);
        }
        value
    }

    /// Refuses a field that the language has and this version does not.
    pub fn later(&mut self, names: &[&'static str], reader: &mut Reader<'_>) {
        for pair in self.pairs {
            if let Some(name) = names.iter().find(|name| **name == pair.key.text) {
                self.asked.push(name);
                let message = format!("field `{name}` is not supported by this version");
                let error = reader.error(Code::UnknownField, pair.key_span, message);
                reader.push(error);
            }
        }
    }

    /// Refuses each field that was never asked for, and suggests the nearest that was.
    pub fn finish(self, reader: &mut Reader<'_>) {
        self.finish_with(reader, None);
    }

    /// As [`Fields::finish`]; a slip of the field `advice.0` gets the advice `advice.1`.
    pub fn finish_with(self, reader: &mut Reader<'_>, advice: Option<(&str, &str)>) {
        for pair in self.pairs {
            let name = pair.key.text.as_str();
            if self.asked.contains(&name) {
                continue;
            }
            let message = format!("unknown field `{name}` in {}", self.owner);
            let error = reader.error(Code::UnknownField, pair.key_span, message);
            let near = nearest(name, self.asked.iter().copied());
            let error = match near {
                Some(near) => error.label(format!("did you mean `{near}`?")),
                None => error.note(format!("known here: {}", self.asked.join(", "))),
            };
            let advice = advice.filter(|(field, _)| near == Some(field));
            reader.push(match advice {
                Some((_, advice)) => error.note(advice),
                None => error,
            });
        }
    }
}
