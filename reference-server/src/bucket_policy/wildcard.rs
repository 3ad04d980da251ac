//! Patterns of policies: `*` stands for any text, `?` for one character.

/// Whether the pattern matches the whole text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last star stands, and how much of the text it takes in so far.
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[seen] => {
                at += 1;
                seen += 1;
            }
            Some(_) | None => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                seen = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("*", "anything/at/all", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "aäc", true),
            ("a?c", "ac", false),
            ("abc", "abcd", false),
            ("abc*", "abc", true),
            ("*abc", "xabcabc", true),
            ("?*", "", false),
            ("A", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_bad_pattern_takes_no_exponential_time() {
        let (pattern, text) = ("a*".repeat(200) + "b", "a".repeat(2000));
        assert!(!matches(&pattern, &text));
    }
}
