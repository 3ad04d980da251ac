//! Bytes that came from a target, made safe to show: what could move a cursor, end a line or
//! break an XML file is written as an escape. Everything a renderer shows passes through here.

/// The text on one line, with every control character, byte-order trick and XML-illegal
/// character escaped as Rust would write it.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`line`], but no longer than `limit` characters; what was cut is marked with `…`.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    let shown = line(text);
    match shown.char_indices().nth(limit) {
        None => shown,
        Some(_) => shown
            .chars()
            .take(limit.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks that turn the direction of text around, and separators that end a line.
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // A byte-order mark, and the two code points that XML 1.0 forbids.
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(line(text), shown);
    }

    #[test]
    fn plain_text_is_kept() {
        check(
            "403 Zugriff verweigert, naïve — 鍵",
            "403 Zugriff verweigert, naïve — 鍵",
        );
    }

    #[test]
    fn what_drives_a_terminal_is_escaped() {
        check("\u{1b}[2Jgone\r\n", "\\u{1b}[2Jgone\\r\\n");
        check("a\u{9b}b", "a\\u{9b}b");
        check("\u{202e}drow", "\\u{202e}drow");
    }

    #[test]
    fn what_xml_forbids_is_escaped() {
        check("\0\u{8}\u{fffe}\u{ffff}", "\\u{0}\\u{8}\\u{fffe}\\u{ffff}");
    }

    #[test]
    fn a_cut_counts_characters_and_shows_itself() {
        assert_eq!(cut("äöüß", 4), "äöüß");
        assert_eq!(cut("äöüße", 4), "äöü…");
    }
}
