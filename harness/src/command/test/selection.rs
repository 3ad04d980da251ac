//! Which trials of a catalogue are run, by libtest's rules where it has one.

use std::sync::Arc;

use crate::scenario::definition::Trial;

/// What the command line says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// A trial is selected if its name contains any of these; none select all.
    pub filters: Vec<String>,
    /// Filters and skips are whole names.
    pub exact: bool,
    /// A trial is left out if its name contains any of these.
    pub skip: Vec<String>,
    /// A trial is selected only if it has any of these; none ask for nothing.
    pub tags: Vec<String>,
}

impl Selection {
    /// The selected trials, in the catalogue's order.
    #[must_use]
    pub fn of(&self, trials: &[Arc<Trial>]) -> Vec<Arc<Trial>> {
        let wanted = |trial: &&Arc<Trial>| {
            let matches = |pattern: &String| {
                if self.exact {
                    trial.name == *pattern
                } else {
                    trial.name.contains(pattern.as_str())
                }
            };
            (self.filters.is_empty() || self.filters.iter().any(matches))
                && !self.skip.iter().any(matches)
                && (self.tags.is_empty() || self.tags.iter().any(|t| trial.tags.contains(t)))
        };
        trials.iter().filter(wanted).cloned().collect()
    }

    /// As it is recorded and told.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let exact = self.exact.then(|| "--exact".to_owned());
        let skip = self.skip.iter().map(|skip| format!("--skip {skip}"));
        let tags = self.tags.iter().map(|tag| format!("--tag {tag}"));
        exact
            .into_iter()
            .chain(self.filters.iter().cloned())
            .chain(skip)
            .chain(tags)
            .collect()
    }
}
