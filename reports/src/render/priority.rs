//! What to look at first: trials that say the same about the same case, as one group, worst first.

use crate::record::CaseRecord;
use crate::run::{Run, SILENT_DOWNGRADE};
use crate::verdict::Verdict;

/// Trials of one case with the same verdict, or all silent downgrades of a run.
pub(super) struct Group<'a> {
    pub(super) verdict: Verdict,
    /// `suite::case`, or what the trials have in common.
    pub(super) name: String,
    /// One sentence.
    pub(super) says: &'a str,
    /// Whether any of them makes the run fail.
    pub(super) counts: bool,
    /// In the order of the record; never empty.
    pub(super) cases: Vec<&'a CaseRecord>,
    /// Trials of the case, whatever their verdict.
    pub(super) of: usize,
}

/// Groups of what broke and of what could not be judged: what counts first, then the worst, then
/// the largest.
pub(super) fn groups(run: &Run) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for case in run.cases.iter().filter(|case| needs_a_look(case)) {
        let name = if is_downgrade(case) {
            "silent downgrade".to_owned()
        } else {
            id(case)
        };
        let known = groups
            .iter_mut()
            .find(|group| group.verdict == case.verdict && group.name == name);
        if let Some(group) = known {
            group.counts |= case.counts;
            group.cases.push(case);
            continue;
        }
        let says = if is_downgrade(case) {
            "SSE-C writes were accepted, and what they stored was served without the key"
        } else {
            case.message.as_deref().unwrap_or(&case.title)
        };
        groups.push(Group {
            verdict: case.verdict,
            of: run.cases.iter().filter(|other| id(other) == name).count(),
            name,
            says,
            counts: case.counts,
            cases: vec![case],
        });
    }
    for group in &mut groups {
        group.of = group.of.max(group.cases.len());
    }
    groups.sort_by_key(|group| {
        let many = std::cmp::Reverse(group.cases.len());
        (!group.counts, group.verdict, many)
    });
    groups
}

/// `suite::case`, which names all trials of a case.
pub(super) fn id(case: &CaseRecord) -> String {
    format!("{}::{}", case.suite, case.id)
}

pub(super) fn is_downgrade(case: &CaseRecord) -> bool {
    case.verdict == Verdict::Fail && case.reason.as_deref() == Some(SILENT_DOWNGRADE)
}

fn needs_a_look(case: &CaseRecord) -> bool {
    match case.verdict {
        Verdict::Leak | Verdict::Fail | Verdict::Error | Verdict::Blocked => true,
        Verdict::Deviates => case.counts,
        Verdict::Unsupported | Verdict::Observed | Verdict::Pass => false,
    }
}
