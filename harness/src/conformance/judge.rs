//! From checks to a verdict. Pure: what was sent and seen is settled when it comes here.

use reports::verdict::Verdict;

use crate::check::{Check, Weight};
use crate::scenario::definition::Level;

/// The reason of a `fail` where an accepted SSE-C write is readable without its key.
pub use reports::run::SILENT_DOWNGRADE;

/// The reason of a `fail` where the target does not offer what its profile claims.
const BROKEN_CLAIM: &str = "broken-claim";

/// What counts in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The lowest level that counts.
    pub level: Level,
    pub strict: Strictness,
}

/// Whether `deviates` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Another answer than the dialect's own fails the run.
    Strict,
    Lenient,
}

/// Which part of a trial a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Must work before anything can be concluded.
    Given,
    Steps,
    /// The runner's own: a read without a key after an accepted SSE-C write.
    KeylessRead,
    /// The runner's own: a read with the key, where only the key must open what was written.
    KeyRead,
    /// An answer that came before its time was over, and was not yet as expected: judged for leaks
    /// alone.
    Waiting,
    /// After a failure, to see more of it: judged for leaks alone.
    Diagnose,
}

impl Phase {
    /// As records have it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Steps => "steps",
            Self::KeylessRead => "keyless read",
            Self::KeyRead => "key read",
            Self::Waiting => "waiting",
            Self::Diagnose => "diagnose",
        }
    }
}

/// One step that was carried out, with its checks.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    pub phase: Phase,
    /// Whether the step expects nothing (`observe`).
    pub observe: bool,
    /// What was done, such as `HEAD doc with key mallory`.
    pub action: &'a str,
    pub checks: &'a [Check],
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub reason: Option<&'static str>,
    /// What broke, in one sentence.
    pub message: Option<String>,
    /// The level at which the verdict stands: a requirement that comes along counts as should.
    pub level: Level,
    /// The check that it rests on.
    pub decided_by: Option<Decided>,
}

/// A check among those of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// Its step, among all that were carried out.
    pub step: usize,
    /// Its place among the checks of that step.
    pub check: usize,
}

impl Judgement {
    /// A trial that says nothing about the target.
    #[must_use]
    pub const fn error(message: String, level: Level) -> Self {
        Self {
            verdict: Verdict::Error,
            reason: None,
            message: Some(message),
            level,
            decided_by: None,
        }
    }

    /// A trial that could not begin.
    #[must_use]
    pub const fn blocked(message: String, level: Level) -> Self {
        Self {
            verdict: Verdict::Blocked,
            reason: None,
            message: Some(message),
            level,
            decided_by: None,
        }
    }

    /// A trial that was not run, because the target does not offer what it needs.
    #[must_use]
    pub const fn unsupported(message: String, level: Level) -> Self {
        Self {
            verdict: Verdict::Unsupported,
            reason: None,
            message: Some(message),
            level,
            decided_by: None,
        }
    }

    /// A trial that was not run, because the target does not offer what its profile claims. A claim
    /// binds whatever the trial's level.
    #[must_use]
    pub const fn broken_claim(message: String) -> Self {
        Self {
            verdict: Verdict::Fail,
            reason: Some(BROKEN_CLAIM),
            message: Some(message),
            level: Level::Must,
            decided_by: None,
        }
    }

    /// Whether the verdict makes the run fail under `policy`.
    #[must_use]
    pub fn counts(&self, policy: Policy) -> bool {
        let bound = self.level >= policy.level;
        match self.verdict {
            Verdict::Leak => true,
            Verdict::Fail => bound || self.reason == Some(SILENT_DOWNGRADE),
            Verdict::Error | Verdict::Blocked => bound,
            Verdict::Deviates => bound && policy.strict == Strictness::Strict,
            Verdict::Unsupported | Verdict::Observed | Verdict::Pass => false,
        }
    }
}

/// Whether a trial ends with this step: later ones would only repeat or distort what it found.
#[must_use]
pub fn ends_trial(checks: &[Check]) -> bool {
    broken(checks).any(|check| match check.weight {
        Weight::Leak | Weight::Downgrade | Weight::Requirement => true,
        Weight::Should | Weight::Deviation => false,
    })
}

/// Adds up the steps of a trial of that level.
#[must_use]
pub fn judge(level: Level, taken: &[Taken<'_>]) -> Judgement {
    let found = taken
        .iter()
        .enumerate()
        .flat_map(|(at, step)| {
            let checks = step.checks.iter().enumerate();
            checks
                .filter(|(_, check)| !check.ok)
                .map(move |(place, check)| {
                    let decided_by = Some(Decided {
                        step: at,
                        check: place,
                    });
                    let found = finding(level, *step, check)?;
                    Some(Judgement {
                        decided_by,
                        ..found
                    })
                })
        })
        .flatten()
        // Among equals the one with a reason tells more.
        .min_by_key(|found| {
            let level = std::cmp::Reverse(found.level);
            (found.verdict, level, found.reason.is_none())
        });
    found.unwrap_or_else(|| Judgement {
        verdict: if taken.iter().any(|step| step.observe) {
            Verdict::Observed
        } else {
            Verdict::Pass
        },
        reason: None,
        message: None,
        level,
        decided_by: None,
    })
}

fn broken(checks: &[Check]) -> impl Iterator<Item = &Check> {
    checks.iter().filter(|check| !check.ok)
}

/// What one broken check amounts to; `None` where it amounts to nothing in its phase.
fn finding(level: Level, step: Taken<'_>, check: &Check) -> Option<Judgement> {
    let Taken { phase, action, .. } = step;
    let plain = match check.what {
        "floor" | "class" | "answer" => format!(
            "{action} was answered {}, expected {}",
            check.observed, check.expected
        ),
        what => format!(
            "{action}: {what} is {}, expected {}",
            check.observed, check.expected
        ),
    };
    let (verdict, reason, level, message) = match (check.weight, phase) {
        (Weight::Leak, _) => (
            Verdict::Leak,
            None,
            level,
            format!("{action} gave away {}", check.observed),
        ),
        (Weight::Downgrade, _) => (
            Verdict::Fail,
            Some(SILENT_DOWNGRADE),
            level,
            format!(
                "silent downgrade: {action} was accepted, and a read without the key was answered {}",
                check.observed
            ),
        ),
        (Weight::Requirement, Phase::Given) => (
            Verdict::Blocked,
            None,
            level,
            format!("a given step did not work: {plain}"),
        ),
        (Weight::Should | Weight::Deviation, Phase::Given)
        | (
            Weight::Requirement | Weight::Should | Weight::Deviation,
            Phase::Waiting | Phase::Diagnose,
        ) => {
            return None;
        }
        (Weight::Requirement, Phase::Steps | Phase::KeylessRead | Phase::KeyRead) => {
            (Verdict::Fail, None, level, plain)
        }
        (Weight::Should, Phase::Steps | Phase::KeylessRead | Phase::KeyRead) => {
            (Verdict::Fail, None, level.min(Level::Should), plain)
        }
        (Weight::Deviation, Phase::Steps | Phase::KeylessRead | Phase::KeyRead) => {
            (Verdict::Deviates, None, level, plain)
        }
    };
    Some(Judgement {
        verdict,
        reason,
        message: Some(message),
        level,
        decided_by: None,
    })
}

/// The check that judges the read without a key after an accepted SSE-C write: any 2xx convicts,
/// also one without a body.
#[must_use]
pub fn keyless_read(status: u16, answer: &str) -> Check {
    let served = (200..300).contains(&status);
    Check::new("keyless read", Weight::Downgrade, !served)
        .expected("refused: what was written with a key is not served without it")
        .observed(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUST: Policy = Policy {
        level: Level::Must,
        strict: Strictness::Lenient,
    };
    const ALL: Policy = Policy {
        level: Level::Should,
        strict: Strictness::Strict,
    };

    /// Judges one step with one broken check: verdict, level, and whether it counts under
    /// `--level must` and under `--level should --strict`.
    #[track_caller]
    fn check(level: Level, phase: Phase, weight: Weight, want: (Verdict, Level, bool, bool)) {
        let checks = [Check::new("floor", weight, false)];
        let step = Taken {
            phase,
            observe: false,
            action: "GET doc",
            checks: &checks,
        };
        let seen = judge(level, &[step]);
        let counts = (seen.counts(MUST), seen.counts(ALL));
        assert_eq!((seen.verdict, seen.level, counts.0, counts.1), want);
    }

    #[test]
    fn a_broken_check_weighs_by_level_and_phase() {
        use Level::{May, Must, Should};
        use Phase::{Diagnose, Given, KeyRead, KeylessRead, Steps};
        use Verdict::{Blocked, Deviates, Fail, Leak, Pass};
        check(Must, Steps, Weight::Requirement, (Fail, Must, true, true));
        check(
            Should,
            Steps,
            Weight::Requirement,
            (Fail, Should, false, true),
        );
        check(May, Steps, Weight::Requirement, (Fail, May, false, false));
        check(Must, Steps, Weight::Should, (Fail, Should, false, true));
        check(May, Steps, Weight::Should, (Fail, May, false, false));
        check(
            Must,
            Steps,
            Weight::Deviation,
            (Deviates, Must, false, true),
        );
        check(May, Steps, Weight::Deviation, (Deviates, May, false, false));
        check(May, Steps, Weight::Leak, (Leak, May, true, true));
        check(May, KeylessRead, Weight::Downgrade, (Fail, May, true, true));
        check(Must, KeyRead, Weight::Requirement, (Fail, Must, true, true));
        check(
            Must,
            Given,
            Weight::Requirement,
            (Blocked, Must, true, true),
        );
        check(
            May,
            Given,
            Weight::Requirement,
            (Blocked, May, false, false),
        );
        check(Must, Given, Weight::Should, (Pass, Must, false, false));
        check(Must, Given, Weight::Deviation, (Pass, Must, false, false));
        check(Must, Given, Weight::Leak, (Leak, Must, true, true));
        check(
            Must,
            Diagnose,
            Weight::Requirement,
            (Pass, Must, false, false),
        );
        check(Must, Diagnose, Weight::Leak, (Leak, Must, true, true));
    }

    #[test]
    fn the_worst_finding_is_the_verdict() {
        let checks = |weights: &[Weight]| -> Vec<Check> {
            weights
                .iter()
                .map(|weight| Check::new("x", *weight, false))
                .collect()
        };
        let run = |first: &[Weight], second: &[Weight]| {
            let (first, second) = (checks(first), checks(second));
            let step = |checks| Taken {
                phase: Phase::Steps,
                observe: false,
                action: "GET doc",
                checks,
            };
            let seen = judge(Level::Must, &[step(&first), step(&second)]);
            (seen.verdict, seen.level)
        };
        let (must, should) = (Weight::Requirement, Weight::Should);
        assert_eq!(run(&[should], &[must]), (Verdict::Fail, Level::Must));
        assert_eq!(
            run(&[Weight::Deviation], &[should]),
            (Verdict::Fail, Level::Should)
        );
        assert_eq!(
            run(&[must, Weight::Leak], &[]),
            (Verdict::Leak, Level::Must)
        );
        assert_eq!(run(&[], &[]), (Verdict::Pass, Level::Must));
    }

    #[test]
    fn the_check_that_decided_is_named() {
        let (first, second) = (
            [Check::new("answer", Weight::Deviation, false)],
            [
                Check::new("class", Weight::Requirement, true),
                Check::new("body", Weight::Requirement, false),
            ],
        );
        let step = |checks| Taken {
            phase: Phase::Steps,
            observe: false,
            action: "GET doc",
            checks,
        };
        let decided = |taken: &[Taken<'_>]| judge(Level::Must, taken).decided_by;
        let body = Decided { step: 1, check: 1 };
        assert_eq!(decided(&[step(&first), step(&second)]), Some(body));
        assert_eq!(decided(&[step(&second[..1])]), None);
    }

    #[test]
    fn a_downgrade_says_so() {
        let step_checks = [keyless_read(200, "200")];
        let step = Taken {
            phase: Phase::KeylessRead,
            observe: false,
            action: "PUT doc with key alice",
            checks: &step_checks,
        };
        let seen = judge(Level::Must, &[step]);
        assert_eq!(seen.reason, Some("silent-downgrade"));
        assert!(seen.message.unwrap().starts_with("silent downgrade: PUT"));
    }

    #[test]
    fn any_success_without_a_key_convicts_and_a_refusal_does_not() {
        for (status, ok) in [(200, false), (204, false), (206, false), (299, false)] {
            assert_eq!(keyless_read(status, "").ok, ok, "{status}");
        }
        for status in [304, 400, 403, 404, 500, 501] {
            assert!(keyless_read(status, "").ok, "{status}");
        }
    }

    #[test]
    fn a_step_that_expects_nothing_is_observed() {
        let step = |observe| Taken {
            phase: Phase::Steps,
            observe,
            action: "GET doc",
            checks: &[],
        };
        let verdict = |taken: &[Taken<'_>]| judge(Level::Must, taken).verdict;
        assert_eq!(verdict(&[step(false), step(true)]), Verdict::Observed);
        assert_eq!(verdict(&[step(false)]), Verdict::Pass);
    }
}
