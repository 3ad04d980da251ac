//! All scenario files, outcomes and dialects together: embedded in the binary, or from a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::definition::Trial;
use crate::oracle::{Dialect, Oracle, Outcomes};
use crate::yaml::{Code, Diagnostic, Diagnostics, SourceFile};

/// A catalogue without a mistake.
#[derive(Debug)]
pub struct Catalog {
    trials: Vec<Arc<Trial>>,
    digest: String,
    /// By path below the catalogue's folder, such as `suites/get.yaml`.
    files: BTreeMap<String, Arc<SourceFile>>,
    outcomes: Arc<Outcomes>,
    dialects: BTreeMap<String, Arc<Dialect>>,
}

/// A dialect was asked for that the catalogue does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{name}`; this catalogue has {}", known.join(", "))]
pub struct UnknownDialect {
    pub name: String,
    pub known: Vec<String>,
}

impl Catalog {
    /// The catalogue that the binary carries.
    ///
    /// # Errors
    /// Every mistake of every file; for a released binary there is none, because a test reads it.
    pub fn embedded() -> Result<Self, Diagnostics> {
        Diagnostics::default().into_result(Self {
            trials: Vec::new(),
            digest: String::new(),
            files: BTreeMap::new(),
            outcomes: Arc::default(),
            dialects: BTreeMap::new(),
        })
    }

    /// The catalogue in a folder with `outcomes.yaml`, `suites/*.yaml` and `dialects/*.yaml`.
    ///
    /// # Errors
    /// Every mistake of every file, and files that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic::outside(
            Code::Unreadable,
            format!(
                "scenarios of {} cannot be read by this version yet",
                folder.display()
            ),
        ));
        Err(diagnostics)
    }

    /// All trials, ordered as their files and cases are.
    #[must_use]
    pub fn trials(&self) -> &[Arc<Trial>] {
        &self.trials
    }

    /// SHA-256 (hex) over all files: tells one catalogue from another.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The text of a file that a `Location` names, for snippets.
    #[must_use]
    pub fn source_of(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(|file| file.text.as_str())
    }

    /// The outcomes as one dialect answers them.
    ///
    /// # Errors
    /// If the catalogue has no such dialect; the error names those that it has.
    pub fn oracle(&self, dialect: &str) -> Result<Oracle, UnknownDialect> {
        let known = || UnknownDialect {
            name: dialect.to_owned(),
            known: self.dialects().map(str::to_owned).collect(),
        };
        let own = self.dialects.get(dialect).ok_or_else(known)?;
        let other = own.compare_to().and_then(|name| self.dialects.get(name));
        Ok(Oracle::new(
            Arc::clone(&self.outcomes),
            Arc::clone(own),
            other.cloned(),
        ))
    }

    /// The names of all dialects, in order.
    pub fn dialects(&self) -> impl Iterator<Item = &str> {
        self.dialects.keys().map(String::as_str)
    }
}
