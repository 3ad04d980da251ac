//! One sign a verdict, so that no report tells it by colour alone.

use crate::verdict::Verdict;

/// What the signs mean, in one line.
pub(super) const LEGEND: &str = "‼ leak · ✗ fail · ! error · ⊘ blocked · ≠ deviates · \
                                 – unsupported · · observed · ✓ pass";

pub(super) const fn of(verdict: Verdict) -> char {
    match verdict {
        Verdict::Leak => '‼',
        Verdict::Fail => '✗',
        Verdict::Error => '!',
        Verdict::Blocked => '⊘',
        Verdict::Deviates => '≠',
        Verdict::Unsupported => '–',
        Verdict::Observed => '·',
        Verdict::Pass => '✓',
    }
}
