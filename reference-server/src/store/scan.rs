//! What all lists have in common: a prefix, a delimiter, a limit, and where to go on.

use super::LIST_LIMIT;

/// Which names a list is about, in a form that outlives the request.
pub(super) struct Names {
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    /// The most entries.
    pub(super) max: usize,
}

impl Names {
    pub(super) fn new(prefix: &str, delimiter: Option<&str>, max: usize) -> Self {
        Self {
            prefix: prefix.to_owned(),
            delimiter: delimiter.map(str::to_owned),
            max: max.min(LIST_LIMIT),
        }
    }

    pub(super) fn contain(&self, name: &[u8]) -> bool {
        name.starts_with(self.prefix.as_bytes())
    }

    /// The name up to the first delimiter after the prefix, delimiter included. The name starts
    /// with the prefix.
    pub(super) fn common_prefix<'n>(&self, name: &'n str) -> Option<&'n str> {
        let delimiter = self
            .delimiter
            .as_deref()
            .filter(|delimiter| !delimiter.is_empty())?;
        let rest = &name[self.prefix.len()..];
        let end = rest.find(delimiter)? + delimiter.len();
        Some(&name[..self.prefix.len() + end])
    }

    /// Where to start: at the prefix, or at `after` when that comes later. `None` for `after` says
    /// that nothing is left.
    pub(super) fn start<K: Ord + Default>(
        &self,
        after: Option<(Vec<u8>, K)>,
    ) -> Option<(Vec<u8>, K)> {
        Some(after?.max((self.prefix.clone().into_bytes(), K::default())))
    }
}

/// The least row key after all rows of a name.
pub(super) fn after_name<K: Default>(name: &str) -> (Vec<u8>, K) {
    ([name.as_bytes(), &[0]].concat(), K::default())
}

/// The least row key after all names that start with `prefix`; `None` when there is none.
pub(super) fn after_prefix<K: Default>(prefix: &str) -> Option<(Vec<u8>, K)> {
    Some((successor(prefix.as_bytes())?, K::default()))
}

/// The least name after all names that start with `prefix`; `None` when there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = prefix[..=kept].to_vec();
    next[kept] += 1;
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(prefix: &[u8], expected: Option<&[u8]>) {
        assert_eq!(successor(prefix).as_deref(), expected);
    }

    #[test]
    fn a_successor_adds_one_and_carries() {
        check(b"a/", Some(b"a0"));
        check(b"a\xff", Some(b"b"));
        check(b"a\xff\xff", Some(b"b"));
        check(b"\xff", None);
        check(b"", None);
    }
}
