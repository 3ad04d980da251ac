//! The signature of a broken trial: what broke, in words that stay the same from run to run.

use crate::printable;
use crate::record::{CaseRecord, CheckRecord};
use crate::verdict::Verdict;

/// Step, check and answer that decided, and the reason of the verdict where it has one, such as
/// `head wrong-key: class, answered 200` or `put ok: keyless read, answered 200 (silent-downgrade)`;
/// `None` for a trial that is as it should be. Names of objects, lengths and offsets are not in it.
/// It is one line in which the target's own words are escaped, so that a file of known faults can
/// hold it.
#[must_use]
pub fn signature(case: &CaseRecord) -> Option<String> {
    const NOTHING: &str = "no answer that could be judged";
    match case.verdict {
        Verdict::Leak | Verdict::Fail | Verdict::Blocked | Verdict::Deviates => {}
        // Whatever was seen before, it is not what the verdict rests on.
        Verdict::Error => return Some(NOTHING.to_owned()),
        Verdict::Unsupported | Verdict::Observed | Verdict::Pass => return None,
    }
    let find = |which: fn(&CheckRecord) -> bool| {
        case.steps.iter().find_map(|step| {
            let check = step.checks.iter().find(|check| which(check))?;
            Some((step, check))
        })
    };
    let said = |text: &Option<String>, before: &str, after: &str| {
        let text = text.as_deref();
        text.map_or_else(String::new, |text| format!("{before}{text}{after}"))
    };
    let reason = said(&case.reason, " (", ")");
    // Records of earlier versions do not say which one decided.
    let Some((step, check)) = find(|check| check.decides).or_else(|| find(|check| !check.ok))
    else {
        return Some(format!("{NOTHING}{reason}"));
    };
    let asked = said(&step.outcome, " ", "");
    let answer = step.answer.as_deref().unwrap_or("nothing");
    let told = format!(
        "{}{asked}: {}, answered {answer}{reason}",
        step.operation, check.what
    );
    Some(printable::line(&told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Location, StepRecord};

    fn check(what: &str, ok: bool, decides: bool) -> CheckRecord {
        CheckRecord {
            what: what.to_owned(),
            ok,
            expected: String::new(),
            observed: String::new(),
            evidence: None,
            decides,
        }
    }

    fn step(outcome: &str, answer: &str, checks: Vec<CheckRecord>) -> StepRecord {
        StepRecord {
            phase: "steps".to_owned(),
            number: 1,
            operation: "put".to_owned(),
            at: at(),
            outcome: Some(outcome.to_owned()),
            answer: Some(answer.to_owned()),
            checks,
            exchange: None,
        }
    }

    fn at() -> Location {
        Location {
            file: String::new(),
            line: 1,
            column: 1,
        }
    }

    fn case(verdict: Verdict, reason: Option<&str>, steps: Vec<StepRecord>) -> CaseRecord {
        CaseRecord {
            reason: reason.map(str::to_owned),
            steps,
            ..CaseRecord::bare("a", "b", verdict)
        }
    }

    #[track_caller]
    fn check_signature(case: &CaseRecord, expected: &str) {
        assert_eq!(signature(case).as_deref(), Some(expected));
    }

    #[test]
    fn the_check_that_decided_is_told_and_not_the_first_broken_one() {
        let steps = |decides| {
            vec![
                step(
                    "missing-key",
                    "403 AccessDenied",
                    vec![check("answer", false, false)],
                ),
                step(
                    "ok",
                    "200",
                    vec![check("etag", true, false), check("body", false, decides)],
                ),
            ]
        };
        let fail = |decides| case(Verdict::Fail, None, steps(decides));
        check_signature(&fail(true), "put ok: body, answered 200");
        // A record of an earlier version.
        check_signature(
            &fail(false),
            "put missing-key: answer, answered 403 AccessDenied",
        );
        let error = case(Verdict::Error, None, steps(false));
        check_signature(&error, "no answer that could be judged");
        assert_eq!(signature(&case(Verdict::Pass, None, steps(false))), None);
    }

    #[test]
    fn it_is_one_line_whatever_was_answered() {
        let odd = vec![step(
            "ok",
            "418 Odd\n\u{85}",
            vec![check("answer", false, true)],
        )];
        check_signature(
            &case(Verdict::Fail, None, odd),
            "put ok: answer, answered 418 Odd\\n\\u{85}",
        );
    }

    #[test]
    fn a_silent_downgrade_is_another_fault_than_the_same_answer_without_one() {
        let steps = || vec![step("ok", "200", vec![check("keyless read", false, true)])];
        let plain = case(Verdict::Fail, None, steps());
        let downgrade = case(Verdict::Fail, Some("silent-downgrade"), steps());
        check_signature(&plain, "put ok: keyless read, answered 200");
        check_signature(
            &downgrade,
            "put ok: keyless read, answered 200 (silent-downgrade)",
        );
    }
}
