//! What a text says once its escapes are undone, and where each byte of that came from.
//!
//! Percent-encoding, XML character references and backslash escapes at once: it is for finding
//! secrets, where one reading too many does no harm.

use std::borrow::Cow;
use std::ops::Range;

/// Bytes around an escape that are looked at with it: the longest form of a key is shorter.
const SURROUNDINGS: usize = 256;

/// A piece of a text without its escapes.
pub(super) struct Unescaped {
    pub(super) bytes: Vec<u8>,
    /// Where each byte begins in the source; one more for the end.
    starts: Vec<u32>,
}

impl Unescaped {
    /// The part of the source that `range` was made from.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.starts[range.start] as usize..self.starts[range.end] as usize
    }

    /// This text, made from `outer`, as if made from `outer`'s source.
    pub(super) fn within(mut self, outer: &Self) -> Self {
        for start in &mut self.starts {
            *start = outer.starts[*start as usize];
        }
        self
    }
}

/// The surroundings of every escape in `source`, without escapes. The rest of a long text reads the
/// same and is not looked at twice. Empty when there is no escape.
pub(super) fn unescaped(source: &[u8]) -> Vec<Unescaped> {
    if u32::try_from(source.len()).is_err() {
        return Vec::new();
    }
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let Some((_, taken)) = escape(&source[at..]) else {
            at += 1;
            continue;
        };
        let end = (at + taken + SURROUNDINGS).min(source.len());
        match spans.last_mut() {
            Some(last) if at.saturating_sub(SURROUNDINGS) <= last.end => last.end = end,
            _ => spans.push(at.saturating_sub(SURROUNDINGS)..end),
        }
        at += taken;
    }
    spans
        .into_iter()
        .map(|span| unescape(source, span))
        .collect()
}

fn unescape(source: &[u8], span: Range<usize>) -> Unescaped {
    let mut view = Unescaped {
        bytes: Vec::with_capacity(span.len()),
        starts: Vec::with_capacity(span.len() + 1),
    };
    let mut at = span.start;
    while at < span.end {
        let (byte, taken) = escape(&source[at..]).unwrap_or((source[at], 1));
        view.bytes.push(byte);
        view.starts.push(position(at));
        at += taken;
    }
    view.starts.push(position(at));
    view
}

fn position(at: usize) -> u32 {
    u32::try_from(at).expect("the source's length fits, and so does what lies within")
}

/// The byte that the escape at the start of `text` stands for, and the escape's length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    match text[0] {
        b'%' => percent(text),
        b'&' => reference(text),
        b'\\' => backslash(text),
        _ => None,
    }
}

fn percent(text: &[u8]) -> Option<(u8, usize)> {
    Some((hex_byte(text.get(1..3)?)?, 3))
}

/// `&#43;`, `&#x2B;`, `&amp;` and its four siblings.
fn reference(text: &[u8]) -> Option<(u8, usize)> {
    const LONGEST: usize = 12;
    let end = text.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let byte = match name {
        "amp" => b'&',
        "lt" => b'<',
        "gt" => b'>',
        "quot" => b'"',
        "apos" => b'\'',
        _ => {
            let digits: Cow<'_, str> = name.strip_prefix('#')?.to_ascii_lowercase().into();
            match digits.strip_prefix('x') {
                Some(hex) => u8::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            }
        }
    };
    Some((byte, end + 1))
}

/// `\x2b`, `\u002b`, `\/`, `\\`, and the letters that C and JSON share.
fn backslash(text: &[u8]) -> Option<(u8, usize)> {
    match text.get(1)? {
        b'x' => Some((hex_byte(text.get(2..4)?)?, 4)),
        b'u' if text.get(2..4)? == b"00" => Some((hex_byte(text.get(4..6)?)?, 6)),
        b'n' => Some((b'\n', 2)),
        b'r' => Some((b'\r', 2)),
        b't' => Some((b'\t', 2)),
        b'b' => Some((8, 2)),
        b'f' => Some((12, 2)),
        byte @ (b'/' | b'\\' | b'"' | b'\'') => Some((*byte, 2)),
        _ => None,
    }
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    Some(digit(digits[0])? * 16 + digit(digits[1])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn only(source: &[u8]) -> Unescaped {
        let mut views = unescaped(source);
        assert_eq!(views.len(), 1);
        views.remove(0)
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let view = only(source.as_bytes());
        assert_eq!(String::from_utf8_lossy(&view.bytes), expected);
        assert_eq!(view.origin(&(0..view.bytes.len())), 0..source.len());
    }

    #[test]
    fn escapes_are_undone() {
        check("a%2Bb%2fc", "a+b/c");
        check("a&#43;b&#x2F;c&amp;&quot;", "a+b/c&\"");
        check(r"a\u002bb\/c\x2B\\", "a+b/c+\\");
    }

    #[test]
    fn a_text_without_escapes_has_no_view() {
        for source in [
            "",
            "plain",
            "50% & more \\",
            "%2",
            "%zz",
            "&#;",
            "&#300;",
            r"\u0100",
        ] {
            assert!(unescaped(source.as_bytes()).is_empty(), "{source}");
        }
    }

    #[test]
    fn origins_reach_through_two_layers() {
        let outer = only(b"x%252By");
        assert_eq!(outer.bytes, b"x%2By");
        let inner = only(&outer.bytes).within(&outer);
        assert_eq!(inner.bytes, b"x+y");
        assert_eq!(inner.origin(&(1..2)), 1..6);
    }

    #[test]
    fn only_the_surroundings_of_escapes_are_seen() {
        let gap = "x".repeat(10 * SURROUNDINGS);
        let source = format!("{gap}%2B{gap}%2F{gap}");
        let views = unescaped(source.as_bytes());
        assert_eq!(views.len(), 2);
        for (view, at) in views.iter().zip([gap.len(), 2 * gap.len() + 3]) {
            assert_eq!(view.bytes.len(), 2 * SURROUNDINGS + 1);
            assert_eq!(view.origin(&(SURROUNDINGS..SURROUNDINGS + 1)), at..at + 3);
        }
    }
}
