//! Bytes of a peer as text that a terminal, a page or a log can show without acting upon it.

/// `bytes` with everything that a terminal or a page might act upon written as `\x1b` or
/// `\u{202e}`.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => text.push(character),
                _ if character.is_ascii_control() => {
                    text.push_str(&format!("\\x{:02x}", u32::from(character)));
                }
                _ if is_unsafe(character) => text.extend(character.escape_unicode()),
                _ => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Characters that are not seen, or that change the direction of what is.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// At most `limit` bytes of `text`, and how many there were.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!(
        "{}… ({} bytes)",
        &text[..text.floor_char_boundary(limit)],
        text.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bytes_are_made_printable() {
        let shown = printable(b"a\x1b[31m\xff\xfe\r\n\tb");
        assert_eq!(shown, "a\\x1b[31m\\xff\\xfe\\x0d\n\tb");
        let shown = printable("right\u{202e}left \u{e9}".as_bytes());
        assert_eq!(shown, "right\\u{202e}left \u{e9}");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 4), "long… (6 bytes)");
        assert_eq!(cut("l\u{e9}\u{e9}", 2), "l… (5 bytes)");
    }
}
