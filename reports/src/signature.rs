//! The signature of a broken trial: what broke, in words that stay the same from run to run.

use crate::record::CaseRecord;
use crate::verdict::Verdict;

/// Step, check and answer that decided, such as `head wrong-key: class, answered 200`; `None` for a
/// trial that is as it should be. Names of objects, lengths and offsets are not in it.
#[must_use]
pub fn signature(case: &CaseRecord) -> Option<String> {
    match case.verdict {
        Verdict::Leak | Verdict::Fail | Verdict::Error | Verdict::Blocked | Verdict::Deviates => {}
        Verdict::Unsupported | Verdict::Observed | Verdict::Pass => return None,
    }
    let broken = case.steps.iter().find_map(|step| {
        let check = step.checks.iter().find(|check| !check.ok)?;
        Some((step, check))
    });
    let Some((step, check)) = broken else {
        return Some("no answer that could be judged".to_owned());
    };
    let outcome = step.outcome.as_deref();
    let asked = outcome.map_or_else(String::new, |outcome| format!(" {outcome}"));
    let answer = step.answer.as_deref().unwrap_or("nothing");
    Some(format!(
        "{}{asked}: {}, answered {answer}",
        step.operation, check.what
    ))
}
