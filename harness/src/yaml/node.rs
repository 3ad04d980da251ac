//! The tree.

use super::source::Span;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// From the first character to the last, quotes and brackets included.
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order of the file; no key stands twice.
    Mapping(Vec<Pair>),
}

/// A piece of text; it becomes a number or a name only where a decoder wants one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    pub text: String,
    pub style: Style,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes: other YAML readers may take `no` or `0123` for something else.
    Plain,
    Quoted,
    /// After `|` or `>`.
    Block,
    /// The text holds a substituted `$name`. Never made by the parser.
    Bound,
    /// The text is the name of a value that a trial captures while it runs. Never made by the parser.
    Capture,
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// A scalar.
    pub key: Scalar,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// A part of this value that stands on one line, to draw carets under.
    #[must_use]
    pub fn caret(&self, text: &str) -> Span {
        if text
            .get(self.span.range())
            .is_some_and(|own| !own.contains('\n'))
        {
            return self.span;
        }
        let first = match &self.kind {
            Kind::Scalar(_) => None,
            Kind::Sequence(items) => items.first().map(|item| item.caret(text)),
            Kind::Mapping(pairs) => pairs.first().map(|pair| pair.key_span),
        };
        first.unwrap_or_else(|| self.first_line(text))
    }

    fn first_line(&self, text: &str) -> Span {
        let own = text.get(self.span.range()).unwrap_or_default();
        let length = own.find('\n').unwrap_or(own.len());
        Span {
            start: self.span.start,
            end: self.span.start + length,
        }
    }

    /// What this is, for messages.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(Scalar {
                style: Style::Capture,
                ..
            }) => "a captured value",
            Kind::Scalar(scalar) if scalar.is_empty() => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }
}

impl Scalar {
    /// Whether nothing was written where a value could stand.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self.style, Style::Plain) && self.text.is_empty()
    }

    /// What another YAML reader (1.1 or 1.2) could take this unquoted text for, if not text.
    #[must_use]
    pub fn implicit(&self) -> Option<&'static str> {
        if self.style != Style::Plain {
            return None;
        }
        let lower = self.text.to_ascii_lowercase();
        match lower.as_str() {
            "" | "~" | "null" => return Some("nothing"),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" => {
                return Some("a truth value");
            }
            "<<" => return Some("a merge key"),
            _ => {}
        }
        let number = lower.trim_start_matches(['+', '-']);
        if matches!(number, ".inf" | ".nan") {
            return Some("a number");
        }
        let digit_first = number
            .trim_start_matches('.')
            .starts_with(|c: char| c.is_ascii_digit());
        if !digit_first {
            return None;
        }
        if is_date(&lower) {
            return Some("a date");
        }
        if number.contains(':')
            && number
                .chars()
                .all(|c| c.is_ascii_digit() || ":._".contains(c))
        {
            return Some("a number in base 60");
        }
        is_number(number).then_some("a number")
    }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, count: usize| {
        part.is_some_and(|p| p.len() >= count && p.bytes().take(count).all(|b| b.is_ascii_digit()))
    };
    digits(parts.next().filter(|year| year.len() == 4), 4)
        && digits(parts.next().filter(|month| month.len() <= 2), 1)
        && digits(parts.next(), 1)
}

/// `text` is lower case and has no sign.
fn is_number(text: &str) -> bool {
    let text = text.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        }
    }
    // Rust's own reader takes what YAML takes, and `inf` and `nan`, which begin with no digit.
    text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let scalar = Scalar {
            text: text.to_owned(),
            style: Style::Plain,
        };
        assert_eq!(scalar.implicit(), expected, "{text}");
    }

    #[test]
    fn what_other_readers_take_for_something_else_is_named() {
        for text in ["no", "Yes", "on", "OFF", "true", "n"] {
            check(text, Some("a truth value"));
        }
        for text in ["", "~", "null", "Null"] {
            check(text, Some("nothing"));
        }
        for text in [
            "12", "0123", "1e3", "-5", "+1.5", "0x1F", "0o17", "1_000", ".5", ".inf",
        ] {
            check(text, Some("a number"));
        }
        check("12:30", Some("a number in base 60"));
        check("2026-02-21", Some("a date"));
    }

    #[test]
    fn text_is_text() {
        for text in [
            "nobody", "0-99", "100-", "1 KiB", "12a", "aws", "p1", "5 min", "--", "e3",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn quotes_make_text() {
        let scalar = Scalar {
            text: "no".to_owned(),
            style: Style::Quoted,
        };
        assert_eq!(scalar.implicit(), None);
    }
}
