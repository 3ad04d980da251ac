//! The word that was probably meant.

/// Words longer than this are not compared: the cost is the product of both lengths.
const MAX_CHARS: usize = 64;

/// Letters of the shortest word that is looked for inside the candidates.
const MIN_PART: usize = 3;

/// The candidate nearest to `word`, if one is near enough to have been meant.
///
/// Near enough is a part of the candidate (`md5` of `key-md5`), or one slip (a letter added, lost, replaced, or swapped with its neighbour) for
/// each three letters, at least one; the first candidate wins a tie.
#[must_use]
pub fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.clone() {
        let distance = slips(word, candidate);
        // A short word that shares no letter is not what was meant.
        let replaced = candidate.chars().count().max(word.chars().count());
        if distance <= allowed && distance < replaced && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    let part = |candidate: &&str| word.len() >= MIN_PART && candidate.contains(word);
    best.map(|(_, candidate)| candidate)
        .or_else(|| candidates.into_iter().find(part))
}

/// Optimal string alignment distance.
fn slips(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(MAX_CHARS).collect();
    let b: Vec<char> = b.chars().take(MAX_CHARS).collect();
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let fields = ["expect", "ssec", "body", "range"];
        assert_eq!(nearest("expct", fields), Some("expect"));
        assert_eq!(nearest("ssеc", fields), Some("ssec"), "a look-alike letter");
        assert_eq!(nearest("exepct", fields), Some("expect"));
        assert_eq!(
            nearest("md5", ["algorithm", "key", "key-md5"]),
            Some("key-md5")
        );
        assert_eq!(nearest("zzz", fields), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("malory", ["alice", "mallory"]), Some("mallory"));
    }

    #[test]
    fn the_distance_of_known_pairs() {
        assert_eq!(slips("kitten", "sitting"), 3);
        assert_eq!(slips("ab", "ba"), 1);
        assert_eq!(slips("", "abc"), 3);
    }
}
