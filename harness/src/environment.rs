//! The one place where the process environment enters, as a snapshot that tests can make up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Environment variables and the home directory, taken once at start.
///
/// No `Debug`: it may hold a secret access key.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
}

impl Environment {
    /// The process's own environment. Variables that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let variables: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = variables
            .get("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from);
        Self { variables, home }
    }

    /// A made-up environment; `HOME` among the pairs sets the home directory.
    #[must_use]
    pub fn of<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables: BTreeMap<String, String> = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let home = variables.get("HOME").map(PathBuf::from);
        Self { variables, home }
    }

    /// The variable's value; an empty one counts as not set, as the AWS tools have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether the variable is there at all, also when empty (`NO_COLOR` asks for more than that).
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = Environment::of([("A", ""), ("B", "b"), ("HOME", "/home/x")]);
        assert_eq!(environment.get("A"), None);
        assert!(environment.is_set("A"));
        assert_eq!(environment.get("B"), Some("b"));
        assert_eq!(environment.get("C"), None);
        assert_eq!(environment.home(), Some(Path::new("/home/x")));
    }
}
