//! Profile files: what they say holds, a flag wins over it, and a claim is tried and not believed.

use std::fs;

use reports::verdict::Verdict;

use crate::front::{Front, refusal};
use crate::judging::judged;
use crate::served::{Served, ssec, world};

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../scenarios/profiles/example.yaml"
);

#[test]
fn the_example_is_a_profile_and_a_flag_wins_over_it() {
    let directory = tempfile::tempdir().unwrap();
    let checked = ssec(&["check", EXAMPLE], &world(directory.path()));
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert!(
        checked.out.contains("the profile of example"),
        "{}",
        checked.out
    );

    let server = Served::start(&[]);
    let address = ["--endpoint", server.endpoint(), "--ca", server.ca()];
    let arguments = [
        &["--profile", EXAMPLE],
        &address[..],
        &["wrong-key::read", "versions"],
    ];
    let (told, run) = judged(directory.path(), &arguments.concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    let target = &run.header.target;
    assert_eq!(target.profile.as_deref(), Some("example"));
    assert_eq!(target.endpoint, server.endpoint());
    assert_eq!(
        (target.dialect.as_str(), target.region.as_str()),
        ("aws", "us-east-1")
    );
    // What is withheld is not asked for, and is no pass.
    assert_eq!(target.support["versioning"], "withheld");
    assert_eq!(target.support["own-bucket"], "works");
    let versions: Vec<_> = run.cases.iter().filter(|c| c.suite == "versions").collect();
    assert!(versions.len() > 20, "{}", versions.len());
    for case in versions {
        let says = case.message.as_deref().unwrap_or_default();
        assert_eq!(case.verdict, Verdict::Unsupported, "{}: {says}", case.name);
        assert!(says.contains("not in the tariff that we use"), "{says}");
        assert!(case.steps.is_empty(), "{}", case.name);
    }
    assert!(run.cases.iter().any(|case| case.verdict == Verdict::Pass));
    let again = run.cases[0].repeat.as_ref().unwrap().rerun.clone();
    assert!(
        again.starts_with(&format!("ssec test --profile {EXAMPLE} ")),
        "{again}"
    );
}

#[test]
fn a_profile_alone_says_all_that_a_run_needs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let server = Served::start(&["--dialect", "ovh"]);
    fs::create_dir_all(path.join("mine/trust")).unwrap();
    fs::copy(server.ca(), path.join("mine/trust/ca.pem")).unwrap();
    let text = format!(
        "profile: mine\nendpoint: {}\nregion: us-east-1\nca: trust/ca.pem\ndialect: ovh\n\
         limits: {{parallel: 1, timeout: 50 s}}\n",
        server.endpoint()
    );
    fs::write(path.join("mine/p.yaml"), &text).unwrap();
    let run = [
        "--profile",
        "mine/p.yaml",
        "--strict",
        "wrong-key::read[op=head",
    ];
    let (told, record) = judged(path, &run);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert_eq!(record.header.target.dialect, "ovh");
    // The same server in another dialect than its own deviates: the flag is heard.
    let (told, record) = judged(
        path,
        &[&run[..], &["--dialect", "aws", "--level", "may"]].concat(),
    );
    assert_eq!(record.header.target.dialect, "aws");
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    // A region that is not the server's is heard too.
    fs::write(path.join("mine/p.yaml"), text.replace("us-east-1", "gra")).unwrap();
    let wrong = ssec(&[&["test", "--no-save"], &run[..]].concat(), &world(path));
    assert_eq!(wrong.code, 3, "{}{}", wrong.out, wrong.notes);
    let (told, _) = judged(path, &[&run[..], &["--region", "us-east-1"]].concat());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
}

#[test]
fn what_a_profile_cannot_say_is_told_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let check = |arguments: &[&str], says: &str| {
        let told = ssec(&[&["test", "--no-save"], arguments].concat(), &world(path));
        assert_eq!(told.code, 2, "{arguments:?}: {}{}", told.out, told.notes);
        assert!(told.notes.contains(says), "{says}: {}", told.notes);
    };
    let with = |text: &str, says: &str| {
        fs::write(path.join("p.yaml"), text).unwrap();
        check(&["--profile", "p.yaml"], says);
    };
    with("profile: p\nendpiont: https://localhost\n", "p.yaml:2:1");
    with("profile: p\n", "names no endpoint");
    with("profile: p\nendpoint: https://localhost\n", "--region");
    with(
        "profile: p\nendpoint: https://localhost\nregion: r\ndialect: nobody\n",
        "nobody",
    );
    check(&["--profile", "missing.yaml"], "missing.yaml");
    check(
        &["--profile", "p.yaml", "--impostor", "key-echo"],
        "cannot be used with",
    );
}

/// Passes everything on to `server`, but for a request of tags: that is answered 501.
fn without_tags(server: &Served) -> Front {
    Front::before(server, |head| {
        let is_of_tags = head.line().contains("tagging");
        is_of_tags.then(|| refusal("501 Not Implemented", "NotImplemented"))
    })
}

#[test]
fn a_claim_that_does_not_hold_fails_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let server = Served::start(&["--plain-http"]);
    let endpoint = without_tags(&server).url;
    let run = |claims: &str, endpoint: &str| {
        let text =
            format!("profile: p\nendpoint: {endpoint}\nregion: us-east-1\nclaims: [{claims}]\n");
        fs::write(path.join("p.yaml"), text).unwrap();
        let (told, run) = judged(path, &["--profile", "p.yaml", "tags::", "roundtrip"]);
        let tags: Vec<_> = run
            .cases
            .into_iter()
            .filter(|c| c.suite == "tags")
            .collect();
        assert!(!tags.is_empty());
        (told, tags)
    };
    let (told, tags) = run("sse-c, tagging", &endpoint);
    assert_eq!(told.code, 1, "{}{}", told.out, told.notes);
    for case in tags {
        assert_eq!(case.verdict, Verdict::Fail, "{}", case.name);
        assert_eq!(case.reason.as_deref(), Some("broken-claim"));
        assert_eq!((case.level.as_str(), case.counts), ("must", true));
        let says = case.message.unwrap();
        assert!(
            says.contains("claims it, but tagging is not offered: 501"),
            "{says}"
        );
    }
    // Not claimed, it is not offered and nothing else; where it holds, all is judged.
    let (told, tags) = run("sse-c", &endpoint);
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert!(tags.iter().all(|case| case.verdict == Verdict::Unsupported));
    let (told, tags) = run("sse-c, tagging", server.endpoint());
    assert_eq!(told.code, 0, "{}{}", told.out, told.notes);
    assert!(tags.iter().all(|case| case.verdict == Verdict::Pass));
}
