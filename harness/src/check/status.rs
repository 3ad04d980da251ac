//! Whether the answer's status and code are what an outcome wants: floor, class, own answer.
//!
//! The floor is what nothing lowers. The class is what the answer must be unless the dialect has
//! evidence for less. The dialect's own answer, if it has one, is compared last; another dialect's
//! is only noted.

use super::{Check, Weight};
use crate::oracle::{Answer, Class, Floor, Reply, Ruling};
use crate::scenario::definition::{OneOff, Operation};

/// What an answer amounts to, whatever its exact status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 2xx, and the root element is no `Error`.
    Served,
    /// 304.
    NotModified,
    /// 4xx or 501, or 2xx with an `Error` for a root element.
    Refused,
    /// Anything else: a redirect, or an error of the target's own. Meets no expectation.
    Neither,
}

/// Sorts a status; `error_root` says whether the body is an `Error` document.
#[must_use]
pub const fn kind(status: u16, error_root: bool) -> Kind {
    match status {
        200..=299 if error_root => Kind::Refused,
        200..=299 => Kind::Served,
        304 => Kind::NotModified,
        400..=499 | 501 => Kind::Refused,
        _ => Kind::Neither,
    }
}

/// What speaks for an answer that was served although its outcome is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backing {
    /// Reads: the right key itself stood in the request, or the object has none. Writes: what was
    /// stored opens with that key and with no other.
    Held,
    /// None of that.
    Missing,
}

/// Status and code of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// The code of the error document, shown safely; `None` where there is none.
    pub code: Option<String>,
    pub kind: Kind,
    /// Whether an answer to this request can have a body (not to `HEAD`).
    pub has_body: bool,
}

impl Answered {
    fn words(&self) -> String {
        reply_words(self.status, self.code.as_deref())
    }
}

/// The checks of one answer's status, and what is only told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusChecks {
    pub checks: Vec<Check>,
    /// Differences that do not judge.
    pub notes: Vec<String>,
    /// Set when evidence excused the answer from its class.
    pub waivers: Vec<String>,
}

/// Compares `answered` with what `ruling` wants of `operation`; `one_off` replaces the dialect's
/// own answer for this step alone.
#[must_use]
pub fn judge(
    ruling: &Ruling<'_>,
    one_off: Option<&OneOff>,
    dialect: &str,
    operation: Operation,
    answered: &Answered,
    backing: Backing,
) -> StatusChecks {
    let special = one_off.map(|one_off| as_answer(one_off, ruling.outcome.class));
    let own = special.as_ref().or(ruling.own);
    let waived = own.is_some_and(|answer| answer.reply == Reply::Accepted);
    let floor = ruling.outcome.floor(operation);
    let class = ruling.outcome.class;

    let floor_kept = keeps_floor(floor, answered.kind, backing);
    let class_kept = keeps_class(class, answered.kind);
    let says = &ruling.outcome.says;
    let mut found = StatusChecks::default();
    found.checks.push(
        Check::new("floor", Weight::Requirement, floor_kept)
            .expected(format!("{}: {says}", floor_words(floor)))
            .observed(answered.words()),
    );
    if class_words(class) != floor_words(floor) {
        let excused = waived && floor_kept;
        found.checks.push(
            Check::new("class", Weight::Requirement, class_kept || excused)
                .expected(format!("{}: {says}", class_words(class)))
                .observed(answered.words())
                .evidence(own.filter(|_| waived).map(evidence)),
        );
        if excused && !class_kept {
            found.waivers.push(format!(
                "{} was accepted where others refuse ({}); {dialect}: {}",
                ruling.outcome.name,
                answered.words(),
                own.map(evidence).unwrap_or_default()
            ));
        }
    }
    if !floor_kept || !(class_kept || waived) {
        return found;
    }
    match own {
        Some(answer) => own_answer(&mut found, answer, dialect, class_kept, answered),
        None => {
            if let Some(reason) = ruling.unrecorded.filter(|_| ruling.compare.is_none()) {
                found
                    .notes
                    .push(format!("{dialect} has no answer recorded: {reason}"));
            }
        }
    }
    if let (None, Some((other, answer))) = (own, ruling.compare) {
        compare(&mut found, other, answer, answered);
    }
    found
}

/// The dialect's own answer: another one deviates.
fn own_answer(
    found: &mut StatusChecks,
    answer: &Answer,
    dialect: &str,
    class_kept: bool,
    answered: &Answered,
) {
    match &answer.reply {
        Reply::Exactly { status, code } => found.checks.push(
            Check::new(
                "answer",
                Weight::Deviation,
                is_same(*status, code.as_deref(), answered),
            )
            .expected(format!(
                "{dialect}: {}",
                reply_words(*status, code.as_deref().filter(|_| answered.has_body))
            ))
            .observed(answered.words())
            .evidence(Some(evidence(answer))),
        ),
        Reply::Accepted if class_kept && answered.kind != Kind::Served => {
            found.notes.push(format!(
                "{dialect} is known to accept this ({}); it was refused: {}",
                evidence(answer),
                answered.words()
            ));
        }
        Reply::Accepted => {}
    }
}

/// Another dialect's answer: a difference is told and judges nothing.
fn compare(found: &mut StatusChecks, other: &str, answer: &Answer, answered: &Answered) {
    let difference = match &answer.reply {
        Reply::Exactly { status, code } if !is_same(*status, code.as_deref(), answered) => {
            let code = code.as_deref().filter(|_| answered.has_body);
            reply_words(*status, code)
        }
        Reply::Accepted if answered.kind != Kind::Served => "by accepting it".to_owned(),
        Reply::Exactly { .. } | Reply::Accepted => return,
    };
    found.notes.push(format!(
        "answered {}; {other} answers {difference} ({})",
        answered.words(),
        evidence(answer)
    ));
}

fn is_same(status: u16, code: Option<&str>, answered: &Answered) -> bool {
    let same_code = match code {
        Some(code) if answered.has_body => answered.code.as_deref() == Some(code),
        Some(_) | None => true,
    };
    status == answered.status && same_code
}

/// A one-off as an answer: served where a refusal is wanted means accepted.
fn as_answer(one_off: &OneOff, class: Class) -> Answer {
    let served = kind(one_off.status, false) == Kind::Served;
    let reply = match (class, served) {
        (Class::Refused | Class::Withheld, true) => Reply::Accepted,
        (Class::Refused | Class::Withheld, false) | (Class::Served, _) => Reply::Exactly {
            status: one_off.status,
            code: one_off.code.clone(),
        },
    };
    Answer {
        reply,
        ops: None,
        evidence: one_off.evidence.clone(),
    }
}

const fn keeps_floor(floor: Floor, kind: Kind, backing: Backing) -> bool {
    match (floor, kind, backing) {
        (Floor::Served, Kind::Served, _)
        | (Floor::Refused | Floor::Withheld | Floor::Sealed | Floor::Proved, Kind::Refused, _)
        | (Floor::Withheld, Kind::NotModified, _)
        | (Floor::Sealed | Floor::Proved, Kind::Served, Backing::Held) => true,
        (Floor::Served, Kind::NotModified | Kind::Refused | Kind::Neither, _)
        | (Floor::Refused, Kind::Served | Kind::NotModified | Kind::Neither, _)
        | (Floor::Withheld, Kind::Served | Kind::Neither, _)
        | (Floor::Sealed | Floor::Proved, Kind::NotModified | Kind::Neither, _)
        | (Floor::Sealed | Floor::Proved, Kind::Served, Backing::Missing) => false,
    }
}

const fn keeps_class(class: Class, kind: Kind) -> bool {
    match (class, kind) {
        (Class::Served, Kind::Served)
        | (Class::Refused | Class::Withheld, Kind::Refused)
        | (Class::Withheld, Kind::NotModified) => true,
        (Class::Served, Kind::NotModified | Kind::Refused | Kind::Neither)
        | (Class::Refused, Kind::Served | Kind::NotModified | Kind::Neither)
        | (Class::Withheld, Kind::Served | Kind::Neither) => false,
    }
}

const fn floor_words(floor: Floor) -> &'static str {
    match floor {
        Floor::Served => "served",
        Floor::Refused => "refused",
        Floor::Withheld => "refused or 304",
        Floor::Sealed => "refused, or stored so that only that key opens it",
        Floor::Proved => "refused, or served because the right key was shown",
    }
}

const fn class_words(class: Class) -> &'static str {
    match class {
        Class::Served => "served",
        Class::Refused => "refused",
        Class::Withheld => "refused or 304",
    }
}

/// Status and code as they are shown.
#[must_use]
pub fn reply_words(status: u16, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    }
}

fn evidence(answer: &Answer) -> String {
    let sources: Vec<String> = answer.evidence.iter().map(ToString::to_string).collect();
    sources.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Outcome;
    use crate::scenario::definition::Source;

    fn outcome(class: Class, floor: Floor) -> Outcome {
        Outcome {
            name: "some-outcome".to_owned(),
            class,
            floor_write: floor,
            floor_read: floor,
            says: "says so".to_owned(),
        }
    }

    fn answer(reply: Reply) -> Answer {
        Answer {
            reply,
            ops: None,
            evidence: vec![Source::Recorded("somewhere".to_owned())],
        }
    }

    fn exactly(status: u16, code: Option<&str>) -> Reply {
        Reply::Exactly {
            status,
            code: code.map(str::to_owned),
        }
    }

    fn answered(status: u16, code: Option<&str>) -> Answered {
        Answered {
            status,
            code: code.map(str::to_owned),
            kind: kind(status, false),
            has_body: true,
        }
    }

    /// The worst broken weight as a word, then numbers of notes and waivers.
    fn sum_up(found: &StatusChecks) -> (&'static str, usize, usize) {
        let worst = found
            .checks
            .iter()
            .filter(|c| !c.ok)
            .map(|c| c.weight)
            .min();
        let word = match worst {
            None => "pass",
            Some(Weight::Deviation) => "deviates",
            Some(Weight::Requirement) => "fail",
            Some(Weight::Leak | Weight::Downgrade | Weight::Should) => "other",
        };
        (word, found.notes.len(), found.waivers.len())
    }

    #[track_caller]
    fn check(
        levels: (Class, Floor),
        own: Option<Reply>,
        seen: (u16, Option<&str>),
        backing: Backing,
        want: (&str, usize, usize),
    ) {
        let outcome = outcome(levels.0, levels.1);
        let own = own.map(answer);
        let ruling = Ruling {
            outcome: &outcome,
            own: own.as_ref(),
            unrecorded: None,
            compare: None,
        };
        let seen = answered(seen.0, seen.1);
        let found = judge(&ruling, None, "aws", Operation::Get, &seen, backing);
        assert_eq!(sum_up(&found), want);
    }

    const SERVED: (Class, Floor) = (Class::Served, Floor::Served);
    const REFUSED: (Class, Floor) = (Class::Refused, Floor::Refused);
    const WITHHELD: (Class, Floor) = (Class::Withheld, Floor::Withheld);
    const SEALED: (Class, Floor) = (Class::Refused, Floor::Sealed);
    const PROVED: (Class, Floor) = (Class::Refused, Floor::Proved);

    #[test]
    fn without_an_own_answer_the_class_judges() {
        use Backing::{Held, Missing};
        check(SERVED, None, (200, None), Missing, ("pass", 0, 0));
        check(SERVED, None, (206, None), Missing, ("pass", 0, 0));
        check(
            SERVED,
            None,
            (403, Some("AccessDenied")),
            Missing,
            ("fail", 0, 0),
        );
        check(SERVED, None, (500, None), Missing, ("fail", 0, 0));
        check(REFUSED, None, (403, None), Missing, ("pass", 0, 0));
        check(REFUSED, None, (501, None), Missing, ("pass", 0, 0));
        check(REFUSED, None, (200, None), Held, ("fail", 0, 0));
        check(REFUSED, None, (304, None), Missing, ("fail", 0, 0));
        check(REFUSED, None, (307, None), Missing, ("fail", 0, 0));
        check(REFUSED, None, (500, None), Missing, ("fail", 0, 0));
        check(REFUSED, None, (503, None), Missing, ("fail", 0, 0));
        check(WITHHELD, None, (304, None), Missing, ("pass", 0, 0));
        check(WITHHELD, None, (412, None), Missing, ("pass", 0, 0));
        check(WITHHELD, None, (200, None), Held, ("fail", 0, 0));
        check(SEALED, None, (200, None), Held, ("fail", 0, 0));
        check(SEALED, None, (400, None), Missing, ("pass", 0, 0));
        check(PROVED, None, (200, None), Held, ("fail", 0, 0));
        check(PROVED, None, (400, None), Missing, ("pass", 0, 0));
    }

    #[test]
    fn evidence_lowers_the_class_to_the_floor_and_never_below() {
        use Backing::{Held, Missing};
        let accepted = || Some(Reply::Accepted);
        check(SEALED, accepted(), (200, None), Held, ("pass", 0, 1));
        check(SEALED, accepted(), (200, None), Missing, ("fail", 0, 0));
        check(SEALED, accepted(), (400, None), Missing, ("pass", 1, 0));
        check(SEALED, accepted(), (500, None), Held, ("fail", 0, 0));
        check(PROVED, accepted(), (206, None), Held, ("pass", 0, 1));
        check(PROVED, accepted(), (206, None), Missing, ("fail", 0, 0));
        check(REFUSED, accepted(), (200, None), Held, ("fail", 0, 0));
    }

    #[test]
    fn another_answer_than_the_own_one_deviates() {
        #[track_caller]
        fn against_403(seen: (u16, Option<&str>), expected: &str) {
            let own = Some(exactly(403, Some("AccessDenied")));
            check(REFUSED, own, seen, Backing::Missing, (expected, 0, 0));
        }
        against_403((403, Some("AccessDenied")), "pass");
        against_403((403, Some("Forbidden")), "deviates");
        against_403((403, None), "deviates");
        against_403((400, Some("AccessDenied")), "deviates");
        against_403((200, None), "fail");
        let (own, missing) = (Some(exactly(204, None)), Backing::Missing);
        check(SERVED, own, (200, None), missing, ("deviates", 0, 0));
    }

    #[test]
    fn head_has_no_code_to_compare() {
        let outcome = outcome(Class::Refused, Floor::Refused);
        let own = answer(exactly(403, Some("AccessDenied")));
        let ruling = Ruling {
            outcome: &outcome,
            own: Some(&own),
            unrecorded: None,
            compare: None,
        };
        let seen = Answered {
            has_body: false,
            ..answered(403, None)
        };
        let found = judge(
            &ruling,
            None,
            "aws",
            Operation::Head,
            &seen,
            Backing::Missing,
        );
        assert_eq!(sum_up(&found), ("pass", 0, 0));
    }

    #[test]
    fn another_dialect_only_notes() {
        let outcome = outcome(Class::Refused, Floor::Refused);
        let theirs = answer(exactly(403, Some("AccessDenied")));
        let ruling = Ruling {
            outcome: &outcome,
            own: None,
            unrecorded: Some("never seen"),
            compare: Some(("aws", &theirs)),
        };
        let note = |seen: &Answered| {
            let found = judge(&ruling, None, "x", Operation::Get, seen, Backing::Missing);
            sum_up(&found)
        };
        assert_eq!(note(&answered(403, Some("AccessDenied"))), ("pass", 0, 0));
        assert_eq!(
            note(&answered(400, Some("InvalidArgument"))),
            ("pass", 1, 0)
        );
        assert_eq!(note(&answered(200, None)), ("fail", 0, 0));
    }

    #[test]
    fn a_one_off_replaces_the_own_answer() {
        let outcome = outcome(Class::Refused, Floor::Proved);
        let own = answer(exactly(403, None));
        let ruling = Ruling {
            outcome: &outcome,
            own: Some(&own),
            unrecorded: None,
            compare: None,
        };
        let one_off = |status| OneOff {
            status,
            code: None,
            evidence: vec![Source::Contract("G1".to_owned())],
        };
        let run = |status, seen: u16, backing| {
            let one_off = one_off(status);
            let seen = answered(seen, None);
            let get = Operation::Get;
            sum_up(&judge(&ruling, Some(&one_off), "aws", get, &seen, backing))
        };
        assert_eq!(run(400, 400, Backing::Missing), ("pass", 0, 0));
        assert_eq!(run(400, 403, Backing::Missing), ("deviates", 0, 0));
        assert_eq!(run(200, 200, Backing::Held), ("pass", 0, 1));
        assert_eq!(run(200, 200, Backing::Missing), ("fail", 0, 0));
    }

    #[test]
    fn an_error_root_makes_a_success_a_refusal() {
        assert_eq!(kind(200, true), Kind::Refused);
        assert_eq!(kind(200, false), Kind::Served);
        assert_eq!(kind(100, false), Kind::Neither);
    }
}
