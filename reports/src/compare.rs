//! Two runs, before and after: what became better or worse, what answers differently, what came
//! and what is gone, and whether the server, the case or the dialect changed in between.
//!
//! Pure. A trial that is gone counts like one that regressed: a gate that lost a trial has not
//! shown that it holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::answers;
use crate::record::CaseRecord;
use crate::run::{Run, SILENT_DOWNGRADE};
use crate::verdict::Verdict;

/// What became of a trial. The order is the order of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    Regressed,
    /// In the run before, not in the run after.
    Vanished,
    /// Neither better nor worse, but another verdict, reason or answer, or another question.
    Changed,
    Improved,
    /// Not in the run before.
    New,
}

impl Change {
    /// All changes, in the order of a report.
    pub const ALL: [Self; 5] = [
        Self::Regressed,
        Self::Vanished,
        Self::Changed,
        Self::Improved,
        Self::New,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Vanished => "vanished",
            Self::Changed => "changed",
            Self::Improved => "improved",
            Self::New => "new",
        }
    }
}

/// One trial of which something changed.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    pub change: Change,
    pub before: Option<&'a CaseRecord>,
    pub after: Option<&'a CaseRecord>,
}

impl<'a> Difference<'a> {
    /// The trial as it is now, or as it was.
    #[must_use]
    pub const fn case(&self) -> Option<&'a CaseRecord> {
        match self.after {
            Some(case) => Some(case),
            None => self.before,
        }
    }

    /// Whether the trial asks something else than before, so that the target need not have changed.
    #[must_use]
    pub fn case_changed(&self) -> bool {
        match (self.before, self.after) {
            (Some(before), Some(after)) => before.digest != after.digest,
            (None, _) | (_, None) => false,
        }
    }
}

/// A fact of the runs' headers that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstance {
    /// Such as `server` or `dialect`.
    pub what: &'static str,
    pub before: String,
    pub after: String,
}

/// What lies between two runs.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    pub before: &'a Run,
    pub after: &'a Run,
    pub circumstances: Vec<Circumstance>,
    /// Ordered by change, then by name.
    pub differences: Vec<Difference<'a>>,
    /// Trials of which nothing changed.
    pub same: usize,
}

impl<'a> Comparison<'a> {
    #[must_use]
    pub fn of(before: &'a Run, after: &'a Run) -> Self {
        let index = |run: &'a Run| -> BTreeMap<&'a str, &'a CaseRecord> {
            let cases = run.cases.iter();
            cases.map(|case| (case.name.as_str(), case)).collect()
        };
        let (old, new) = (index(before), index(after));
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        let mut differences = Vec::new();
        for name in &names {
            let (before, after) = (old.get(name).copied(), new.get(name).copied());
            if let Some(change) = change(before, after) {
                differences.push(Difference {
                    change,
                    before,
                    after,
                });
            }
        }
        // Stable, and the names came in order.
        differences.sort_by_key(|difference| difference.change);
        Self {
            before,
            after,
            circumstances: circumstances(before, after),
            same: names.len() - differences.len(),
            differences,
        }
    }

    #[must_use]
    pub fn count(&self, change: Change) -> usize {
        let of = self.differences.iter();
        of.filter(|difference| difference.change == change).count()
    }

    /// Whether something regressed or vanished.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.count(Change::Regressed) + self.count(Change::Vanished) > 0
    }
}

fn change(before: Option<&CaseRecord>, after: Option<&CaseRecord>) -> Option<Change> {
    let (before, after) = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => return Some(Change::New),
        (Some(_), None) => return Some(Change::Vanished),
        (Some(before), Some(after)) => (before, after),
    };
    if let Some(change) = moved(Standing::of(before), Standing::of(after)) {
        return Some(change);
    }
    let same = before.verdict == after.verdict
        && before.reason == after.reason
        && before.digest == after.digest
        && answers::of(before) == answers::of(after);
    (!same).then_some(Change::Changed)
}

/// A verdict as a comparison sees it, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Leak,
    Downgrade,
    Fail,
    /// Nothing was found out.
    Unknown,
    Deviates,
    Unsupported,
    /// Passed, or only observed.
    Good,
}

impl Standing {
    fn of(case: &CaseRecord) -> Self {
        match case.verdict {
            Verdict::Leak => Self::Leak,
            Verdict::Fail if case.reason.as_deref() == Some(SILENT_DOWNGRADE) => Self::Downgrade,
            Verdict::Fail => Self::Fail,
            Verdict::Error | Verdict::Blocked => Self::Unknown,
            Verdict::Deviates => Self::Deviates,
            Verdict::Unsupported => Self::Unsupported,
            Verdict::Observed | Verdict::Pass => Self::Good,
        }
    }
}

/// Better, worse, or, between what the target does not offer and what it answers in its own words,
/// neither.
fn moved(before: Standing, after: Standing) -> Option<Change> {
    match (before, after) {
        (Standing::Unsupported, Standing::Deviates) => Some(Change::Changed),
        (before, after) if after < before => Some(Change::Regressed),
        (before, after) if after > before => match after {
            // A capability was lost.
            Standing::Unsupported if before == Standing::Deviates => Some(Change::Regressed),
            // That we can no longer find out is no progress of the target.
            Standing::Unknown => Some(Change::Changed),
            Standing::Leak
            | Standing::Downgrade
            | Standing::Fail
            | Standing::Deviates
            | Standing::Unsupported
            | Standing::Good => Some(Change::Improved),
        },
        (_, _) => None,
    }
}

fn circumstances(before: &Run, after: &Run) -> Vec<Circumstance> {
    let none = || "none".to_owned();
    let facts = |run: &Run| {
        let (header, target) = (&run.header, &run.header.target);
        let selection = &header.selection;
        [
            ("target", target.endpoint.clone()),
            ("server", target.server.clone().unwrap_or_else(none)),
            ("impostor", target.impostor.clone().unwrap_or_else(none)),
            ("region", target.region.clone()),
            ("style", target.style.clone()),
            ("dialect", target.dialect.clone()),
            (
                "tool",
                format!("{} {}", header.tool.name, header.tool.version),
            ),
            ("catalogue", header.tool.catalogue.clone()),
            ("level", header.level.clone()),
            ("strict", header.strict.to_string()),
            (
                "trials selected",
                format!("{} of {}", selection.selected, selection.total),
            ),
        ]
    };
    facts(before)
        .into_iter()
        .zip(facts(after))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((what, before), (_, after))| Circumstance {
            what,
            before,
            after,
        })
        .collect()
}
