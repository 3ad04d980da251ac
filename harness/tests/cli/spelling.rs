//! A server that knows a header by one spelling alone. No impostor can tell this lie: names come to
//! both seams in lower case. So it is told before the server, by what passes the bytes on.

use reports::verdict::Verdict;

use crate::front::{Fate, Front, Head};
use crate::judging::judged;
use crate::served::Served;

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";

/// What passes of the algorithm's header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    AnySpelling,
    /// Names in lower case.
    LowerCase,
}

/// What comes of a request before a server that knows so much.
fn fate(head: &Head, known: Known) -> Fate {
    let is_known = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        let is_other = name.eq_ignore_ascii_case(ALGORITHM) && name != ALGORITHM;
        known == Known::AnySpelling || !is_other
    };
    Fate::PassedOn(head.lines().filter(is_known).collect())
}

#[test]
fn a_server_that_knows_one_spelling_is_convicted_by_the_trials_of_the_other_ones() {
    let served = Served::start(&["--plain-http"]);
    let directory = tempfile::tempdir().unwrap();
    let verdicts = |known, trial: &str| {
        let front = Front::with(&served, move |head| fate(head, known));
        let target = ["--endpoint", &front.url, "--region", "us-east-1"];
        let (told, run) = judged(directory.path(), &[&target, &[trial][..]].concat());
        assert!(run.cases.len() > 1, "{}{}", told.out, told.notes);
        let verdicts = run.cases.iter().map(|case| case.verdict);
        verdicts.collect::<Vec<_>>()
    };
    let all = |verdicts: &[Verdict], verdict| verdicts.iter().all(|one| *one == verdict);
    let convicted = verdicts(Known::LowerCase, "case::");
    assert!(all(&convicted, Verdict::Fail), "{convicted:?}");
    // The controls: the usual spelling passes it, and whoever knows all spellings is not convicted.
    let usual = verdicts(Known::LowerCase, "overwrite::");
    assert!(all(&usual, Verdict::Pass), "{usual:?}");
    let fair = verdicts(Known::AnySpelling, "case::");
    assert!(all(&fair, Verdict::Pass), "{fair:?}");
}
