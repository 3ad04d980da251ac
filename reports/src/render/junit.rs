//! JUnit XML, one suite element a suite, for CI systems.
//!
//! A `failure` is a leak, a fail, or a deviation that counts (`--strict`), so that a file without
//! failures and errors never stands beside a failed run; `error` is an error or a blocked trial,
//! `skipped` what the target does not offer, and what a baseline knows. What a baseline lists and is
//! as it should be is a `failure` of type `fixed`: the baseline is out of date. Everything else passes, and its verdict, level and
//! waivers are properties. Where another try came to another verdict each one that was not met is a
//! `flakyFailure` or `flakyError`, beside the `failure` or `error` of the worst unless that was
//! excused (`--allow-flaky`).

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{
    FlakyOrRerun, NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use super::screen;
use crate::printable;
use crate::record::{CaseRecord, RunHeader, Try};
use crate::run::Run;
use crate::siblings::Siblings;
use crate::verdict::Verdict;

/// Longest `message` attribute, in characters; the text of the element has the rest.
const MESSAGE: usize = 300;

/// Writes the file.
///
/// # Errors
///
/// What the writer answers.
pub fn render(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    let siblings = Siblings::of(&run.cases);
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for case in &run.cases {
        let suite = suites
            .entry(&case.suite)
            .or_insert_with(|| suite(&case.suite, &run.header));
        suite.add_test_case(test_case(case, &siblings)?);
    }
    let mut report = Report::new("ssec");
    for (_, mut suite) in suites {
        suite.set_time(suite.test_cases.iter().filter_map(|case| case.time).sum());
        report.add_test_suite(suite);
    }
    if !run.is_complete() {
        report.add_test_suite(incomplete(run));
    }
    report.set_time(
        report
            .test_suites
            .iter()
            .filter_map(|suite| suite.time)
            .sum(),
    );
    report.serialize(to).map_err(io::Error::other)
}

/// A suite whose only case is an error, so that half a run never looks like a good one.
fn incomplete(run: &Run) -> TestSuite {
    let mut suite = suite("record", &run.header);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("incomplete");
    status.set_message("the record has no end line: the run was killed or is still going");
    suite.add_test_case(TestCase::new("is complete", status));
    suite
}

fn suite(name: &str, header: &RunHeader) -> TestSuite {
    let mut suite = TestSuite::new(printable::line(name));
    let target = &header.target;
    let mut add = |name: &str, value: &str| {
        suite.add_property(property(name, value));
    };
    add("target", &target.endpoint);
    add("region", &target.region);
    add("dialect", &target.dialect);
    add("style", &target.style);
    add("impostor", target.impostor.as_deref().unwrap_or("none"));
    add(
        "tool",
        &format!("{} {}", header.tool.name, header.tool.version),
    );
    add("catalogue", &header.tool.catalogue);
    add("seed", &header.seed);
    add("level", &header.level);
    add("strict", if header.strict { "true" } else { "false" });
    add("started", &header.started);
    suite
}

fn test_case<'a>(case: &'a CaseRecord, siblings: &Siblings<'a>) -> io::Result<TestCase> {
    let own_name = case
        .name
        .strip_prefix(&format!("{}::", case.suite))
        .unwrap_or(&case.name);
    let mut test = TestCase::new(printable::line(own_name), status(case, siblings)?);
    test.set_classname(printable::line(&case.suite));
    test.set_time(Duration::from_millis(case.ms));
    test.extra
        .insert("file".into(), printable::line(&case.at.file).into());
    test.extra
        .insert("line".into(), case.at.line.to_string().into());
    test.add_property(property("verdict", case.verdict.word()));
    test.add_property(property("level", &case.level));
    test.add_property(property(
        "counts",
        if case.counts { "true" } else { "false" },
    ));
    test.add_property(property("digest", &case.digest));
    if let Some(reason) = &case.reason {
        test.add_property(property("reason", reason));
    }
    for waiver in &case.waivers {
        test.add_property(property("waiver", waiver));
    }
    if !case.notes.is_empty() {
        let notes: Vec<String> = case
            .notes
            .iter()
            .map(|note| printable::line(note))
            .collect();
        test.set_system_out(notes.join("\n"));
    }
    Ok(test)
}

fn status<'a>(case: &'a CaseRecord, siblings: &Siblings<'a>) -> io::Result<TestCaseStatus> {
    let is_excused = case.is_flaky() && !case.counts && case.known.is_none();
    let mut status = if is_excused {
        TestCaseStatus::success()
    } else {
        status_of_verdict(case, siblings)?
    };
    let kind = if case.is_flaky() {
        FlakyOrRerun::Flaky
    } else {
        FlakyOrRerun::Rerun
    };
    status.set_rerun_kind(kind);
    status.add_reruns(case.tries.iter().filter_map(rerun));
    Ok(status)
}

/// A try that was not met.
fn rerun(one: &Try) -> Option<TestRerun> {
    let kind = match one.verdict {
        Verdict::Leak | Verdict::Fail | Verdict::Deviates => NonSuccessKind::Failure,
        Verdict::Error | Verdict::Blocked => NonSuccessKind::Error,
        Verdict::Unsupported | Verdict::Observed | Verdict::Pass => return None,
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_type(one.verdict.word());
    rerun.set_time(Duration::from_millis(one.ms));
    rerun.set_message(printable::cut(
        one.message.as_deref().unwrap_or_default(),
        MESSAGE,
    ));
    Some(rerun)
}

fn status_of_verdict<'a>(
    case: &'a CaseRecord,
    siblings: &Siblings<'a>,
) -> io::Result<TestCaseStatus> {
    if let Some(known) = &case.known {
        let issue = printable::line(&known.issue);
        if case.stands("known") {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(format!(
                "known until {}: {issue}",
                printable::line(&known.until)
            ));
            return Ok(skipped);
        }
        if case.stands("fixed") {
            let mut fixed = TestCaseStatus::non_success(NonSuccessKind::Failure);
            fixed.set_type("fixed");
            fixed.set_message(format!(
                "the baseline lists it as broken, and it is not: {issue}"
            ));
            return Ok(fixed);
        }
    }
    let mut status = match case.verdict {
        Verdict::Leak | Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Deviates if case.counts => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Error | Verdict::Blocked => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Unsupported => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(message(case));
            return Ok(skipped);
        }
        Verdict::Deviates | Verdict::Observed | Verdict::Pass => {
            return Ok(TestCaseStatus::success());
        }
    };
    let mut text = Vec::new();
    screen::body(case, siblings, &mut text)?;
    status.set_type(printable::line(
        case.reason.as_deref().unwrap_or(case.verdict.word()),
    ));
    status.set_message(message(case));
    status.set_description(String::from_utf8_lossy(&text));
    Ok(status)
}

fn message(case: &CaseRecord) -> String {
    printable::cut(case.message.as_deref().unwrap_or(&case.title), MESSAGE)
}

fn property(name: &str, value: &str) -> Property {
    Property::new(printable::line(name), printable::line(value))
}
