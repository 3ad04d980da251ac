//! Text inside Markdown: what came from a record neither ends a table's cell nor becomes a link, a
//! tag or a heading.

use crate::printable;

/// Text as prose: every character that Markdown or HTML could take for markup is escaped.
pub(super) fn prose(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for c in printable::cut(text, limit).chars() {
        match c {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            // Escaped by a backslash this would still name a person.
            '@' => shown.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                shown.push('\\');
                shown.push(c);
            }
            _ => shown.push(c),
        }
    }
    // GitHub makes links of bare addresses, and those of an answer are not ours to offer.
    shown
        .replace("://", ":&#8203;//")
        .replace("www.", "www&#8203;.")
}

/// Text as code, in a fence of backticks longer than any in it; fit for a table's cell.
pub(super) fn code(text: &str, limit: usize) -> String {
    let text = printable::cut(text, limit).replace('|', "\\|");
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space keeps a backtick at either end apart from the fence, and is not shown.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The fence for a block that holds `text`.
pub(super) fn fence(text: &str) -> String {
    "`".repeat((longest_run(text) + 1).max(3))
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_sentences_stay_plain() {
        assert_eq!(
            prose("refused, with 403 (the dialect says 400)", 99),
            "refused, with 403 (the dialect says 400)"
        );
        assert_eq!(code("get::x[op=head]", 99), "`get::x[op=head]`");
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(prose("<b> a|b", 99), "&lt;b&gt; a\\|b");
        assert_eq!(prose("[x](y) *z* @me", 99), "\\[x\\](y) \\*z\\* &#64;me");
        assert_eq!(prose("https://evil", 99), "https:&#8203;//evil");
        assert_eq!(prose("a\nb", 99), "a\\\\nb");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a`b``c", 99), "```a`b``c```");
        assert_eq!(code("`", 99), "`` ` ``");
        assert_eq!(code("a|b", 99), "`a\\|b`");
        assert_eq!(fence("x"), "```");
        assert_eq!(fence("````"), "`````");
    }
}
