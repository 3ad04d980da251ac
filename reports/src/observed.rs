//! What a target answered in a run, by outcome and operation: the evidence for a dialect.
//!
//! Judges nothing: whether an answer kept its class and its floor stands in the record's checks.
//! Only what can be shown counts, so an answer whose exchange the run did not keep is left out.

use std::collections::{BTreeMap, BTreeSet};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::record::{CaseRecord, CheckRecord, ExchangeRecord, StepRecord};
use crate::run::Run;

/// Longest name of an outcome or operation that is taken over, in characters.
const MAX_WORD: usize = 64;
/// Longest error code that is taken over, in characters.
const MAX_CODE: usize = 64;
/// What everybody answers to a request that is carried out.
const OK: u16 = 200;

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const VERSION_ID: &str = "x-amz-version-id";
/// Digits of microseconds since 1970, from 2001 to 2286.
const MICROSECONDS: usize = 16;

/// What is done with requests that were carried out although their outcome is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Told, and left to whoever reads: a waiver excuses every later run.
    Told,
    /// Written as waivers, where the floor was kept.
    Written,
}

/// What a target replies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    Exactly { status: u16, code: Option<String> },
    Accepted,
}

/// One answer of an outcome to one operation, with the step that shows it.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    pub outcome: &'a str,
    pub operation: &'a str,
    pub reply: Reply,
    /// How often it was seen.
    pub times: usize,
    pub case: &'a CaseRecord,
    pub step: &'a StepRecord,
    pub exchange: &'a ExchangeRecord,
    /// What the run's dialect expects instead; `None` where it says the same, or nothing.
    pub instead_of: Option<&'a str>,
}

/// One thing about answers that are not refusals, and the step that shows it.
#[derive(Debug, Clone)]
pub struct Fact<'a> {
    pub name: &'static str,
    pub value: &'static str,
    pub case: &'a CaseRecord,
    pub step: &'a StepRecord,
    pub exchange: &'a ExchangeRecord,
}

/// What a run shows of its target.
#[derive(Debug, Clone, Default)]
pub struct Observed<'a> {
    /// By outcome, then operation.
    pub answers: Vec<Shown<'a>>,
    pub facts: Vec<Fact<'a>>,
    /// What is not written, a sentence each.
    pub left_out: Vec<String>,
}

/// One answer as often as it came.
struct Seen<'a> {
    answer: &'a str,
    kind: Kind,
    times: usize,
    case: &'a CaseRecord,
    step: &'a StepRecord,
    exchange: Option<&'a ExchangeRecord>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The class was kept.
    Kept,
    /// The class was not kept, and the floor was.
    Accepted,
    /// Neither.
    Broken,
}

impl<'a> Observed<'a> {
    #[must_use]
    pub fn of(run: &'a Run, accepted: Accepted) -> Self {
        let mut seen: BTreeMap<(&str, &str), Vec<Seen<'_>>> = BTreeMap::new();
        for case in &run.cases {
            for step in case.steps.iter().filter(|step| is_asked(step)) {
                note(&mut seen, case, step);
            }
        }
        let (facts, differing) = facts(run);
        let differs = |name: &&str| format!("{name}: differs from answer to answer");
        let mut observed = Self {
            facts,
            left_out: differing.iter().map(differs).collect(),
            ..Self::default()
        };
        for ((outcome, operation), answers) in seen {
            observed.add(outcome, operation, &answers, accepted);
        }
        observed
    }

    fn add(&mut self, outcome: &'a str, operation: &'a str, seen: &[Seen<'a>], accepted: Accepted) {
        let mut leave = |why: String| {
            self.left_out
                .push(format!("{outcome} on {operation}: {why}"));
        };
        for broken in seen.iter().filter(|seen| seen.kind == Kind::Broken) {
            leave(format!("{} breaks the promise itself", words(broken)));
        }
        let kept: Vec<&Seen<'_>> = seen.iter().filter(|s| s.kind != Kind::Broken).collect();
        let [one] = kept.as_slice() else {
            if !kept.is_empty() {
                let all: Vec<String> = kept.iter().map(|seen| words(seen)).collect();
                leave(format!("several answers, {}", all.join(" and ")));
            }
            return;
        };
        let Some(exchange) = one.exchange else {
            leave(format!("{}, of which the run kept no exchange", words(one)));
            return;
        };
        let reply = match (one.kind, reply(one.answer)) {
            (Kind::Accepted, _) if accepted == Accepted::Told => {
                leave(format!("{}, accepted where others refuse", words(one)));
                return;
            }
            (Kind::Accepted, _) => Reply::Accepted,
            // What everybody does is no peculiarity.
            (_, Some((OK, None))) => return,
            (_, Some((status, code))) => Reply::Exactly { status, code },
            (_, None) => return,
        };
        let dialect = one.step.checks.iter().find(|check| check.what == "answer");
        let other = dialect.filter(|check| !check.ok);
        self.answers.push(Shown {
            outcome,
            operation,
            reply,
            times: one.times,
            case: one.case,
            step: one.step,
            exchange,
            instead_of: other.map(|check| check.expected.as_str()),
        });
    }
}

fn words(seen: &Seen<'_>) -> String {
    let times = if seen.times == 1 { "time" } else { "times" };
    format!("{} ({} {times})", seen.answer, seen.times)
}

/// Whether a step of the scenario wants an outcome, and nothing but its answer is wrong.
fn is_asked(step: &StepRecord) -> bool {
    let is_own = matches!(step.phase.as_str(), "given" | "steps");
    let only_answer = |check: &CheckRecord| {
        check.ok || matches!(check.what.as_str(), "floor" | "class" | "answer")
    };
    is_own && step.checks.iter().all(only_answer) && is_word(&step.operation)
}

/// A name that can stand in a file and be one.
#[must_use]
pub fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    begins && text.len() <= MAX_WORD && text.chars().all(fits)
}

fn note<'a>(
    seen: &mut BTreeMap<(&'a str, &'a str), Vec<Seen<'a>>>,
    case: &'a CaseRecord,
    step: &'a StepRecord,
) {
    let outcome = step.outcome.as_deref().filter(|outcome| is_word(outcome));
    let floor = step.checks.iter().find(|check| check.what == "floor");
    let (Some(outcome), Some(answer), Some(floor)) = (outcome, step.answer.as_deref(), floor)
    else {
        return;
    };
    let answers = seen.entry((outcome, step.operation.as_str())).or_default();
    let exchange = step.exchange.as_ref();
    // One answer may keep the promise here and break it there, by what was stored.
    let kind = kind(floor, step, answer);
    let breaks = kind == Kind::Broken;
    let alike =
        |seen: &&mut Seen<'_>| seen.answer == answer && (seen.kind == Kind::Broken) == breaks;
    match answers.iter_mut().find(alike) {
        Some(again) => {
            again.times += 1;
            if again.exchange.is_none() && exchange.is_some() {
                (again.case, again.step, again.exchange) = (case, step, exchange);
            }
        }
        None => answers.push(Seen {
            answer,
            kind,
            times: 1,
            case,
            step,
            exchange,
        }),
    }
}

fn kind(floor: &CheckRecord, step: &StepRecord, answer: &str) -> Kind {
    let class = step.checks.iter().find(|check| check.what == "class");
    let is_served = floor.expected.starts_with("served");
    let is_success = answer.starts_with('2') && !answer.contains(' ');
    match (floor.ok, class.is_none_or(|class| class.ok)) {
        (false, _) => Kind::Broken,
        (true, _) if is_success && !is_served => Kind::Accepted,
        (true, true) => Kind::Kept,
        (true, false) => Kind::Broken,
    }
}

/// Status and code of an answer; a success with an error inside has none that can be written.
fn reply(answer: &str) -> Option<(u16, Option<String>)> {
    let (status, code) = match answer.split_once(' ') {
        Some((status, code)) => (status, Some(code)),
        None => (answer, None),
    };
    let status: u16 = status.parse().ok()?;
    let is_name = |code: &&str| {
        code.len() <= MAX_CODE && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    let code = code.filter(is_name);
    let success = (200..300).contains(&status);
    (!(success && code.is_some())).then(|| (status, code.map(str::to_owned)))
}

/// A header's value, whatever the case of its name.
fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// What every write shows alike that was carried out, and what differs from one to another.
fn facts(run: &Run) -> (Vec<Fact<'_>>, BTreeSet<&'static str>) {
    let mut found: Vec<Fact<'_>> = Vec::new();
    let mut differing = BTreeSet::new();
    for case in &run.cases {
        for step in &case.steps {
            let all_met = step.checks.iter().all(|check| check.ok) && is_asked(step);
            let is_write = matches!(step.operation.as_str(), "put" | "copy");
            let (true, true, Some(exchange)) = (all_met, is_write, &step.exchange) else {
                continue;
            };
            for (name, value) in facts_of(exchange) {
                match found.iter().find(|fact| fact.name == name) {
                    Some(fact) if fact.value != value => {
                        differing.insert(name);
                    }
                    Some(_) => {}
                    None => found.push(Fact {
                        name,
                        value,
                        case,
                        step,
                        exchange,
                    }),
                }
            }
        }
    }
    found.retain(|fact| !differing.contains(&fact.name));
    (found, differing)
}

fn facts_of(exchange: &ExchangeRecord) -> Vec<(&'static str, &'static str)> {
    let request = &exchange.request.headers;
    let Some(response) = exchange.response.as_ref() else {
        return Vec::new();
    };
    if response.line.split(' ').nth(1) != Some("200") {
        return Vec::new();
    }
    let mut facts = Vec::new();
    if header(request, ALGORITHM).is_some() {
        let echo = header(&response.headers, ALGORITHM);
        facts.push(("echo", if echo.is_some() { "pair" } else { "none" }));
        // What the body's MD5 is, the request says where it says so.
        let md5 = header(request, "Content-MD5").and_then(|md5| BASE64_STANDARD.decode(md5).ok());
        let tag = header(&response.headers, "ETag");
        if let (Some(md5), Some(tag)) = (md5, tag) {
            let digits: String = md5.iter().map(|byte| format!("{byte:02x}")).collect();
            let is_md5 = tag.trim_matches('"') == digits;
            facts.push(("etag", if is_md5 { "md5" } else { "opaque" }));
        }
    }
    if let Some(id) = header(&response.headers, VERSION_ID).filter(|id| *id != "null") {
        let is_time = id.len() == MICROSECONDS && id.bytes().all(|b| b.is_ascii_digit());
        facts.push((
            "version-id",
            if is_time { "microseconds" } else { "opaque" },
        ));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_a_status_and_a_code_that_is_a_name() {
        let code = |code: &str| Some(code.to_owned());
        assert_eq!(reply("403 AccessDenied"), Some((403, code("AccessDenied"))));
        assert_eq!(reply("403"), Some((403, None)));
        assert_eq!(reply("400 a: {b}"), Some((400, None)));
        assert_eq!(reply("200 InternalError"), None);
        assert_eq!(reply("nothing"), None);
    }

    #[test]
    fn what_names_a_file_is_a_word() {
        for good in ["wrong-key", "get", "1a"] {
            assert!(is_word(good), "{good}");
        }
        for bad in ["", "../x", "-x", "A", "a/b", "a\nb", &"a".repeat(65)] {
            assert!(!is_word(bad), "{bad}");
        }
    }
}
