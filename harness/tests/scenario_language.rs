//! The language, shown on the worked examples of its description: what they expand to.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::oracle::{Class, EchoFact, EtagFact, Floor, Reply};
use harness::scenario::catalog::Catalog;
use harness::scenario::definition::{
    CaptureFrom, Echo, Level, Operation, Piece, RangeSpec, Ssec, SsecHeader, Text, Trial,
};
use proptest::prelude::*;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples")
}

fn read() -> Catalog {
    Catalog::read(&examples()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn names(catalog: &Catalog, suite: &str) -> Vec<String> {
    let of_suite = catalog.trials().iter().filter(|trial| trial.suite == suite);
    of_suite.map(|trial| trial.name.clone()).collect()
}

fn trial<'a>(catalog: &'a Catalog, name: &str) -> &'a Trial {
    catalog
        .trials()
        .iter()
        .find(|trial| trial.name == name)
        .expect(name)
}

#[test]
fn a_round_trip_is_repeated_for_each_body() {
    let catalog = read();
    assert_eq!(
        names(&catalog, "roundtrip"),
        [
            "roundtrip::put-get-head[body=empty]",
            "roundtrip::put-get-head[body=small]",
            "roundtrip::put-get-head[body=odd]",
        ]
    );
    let odd = trial(&catalog, "roundtrip::put-get-head[body=odd]");
    assert_eq!(odd.bodies["odd"].size, 65_537);
    let operations: Vec<_> = odd.steps.iter().map(|step| step.operation).collect();
    assert_eq!(
        operations,
        [Operation::Put, Operation::Get, Operation::Head]
    );
    assert_eq!(odd.steps[0].body.as_deref(), Some("odd"));
    let whole = Piece {
        body: "odd".to_owned(),
        range: None,
    };
    assert_eq!(odd.steps[1].expect.body, Some(vec![whole]));
    assert_eq!(
        odd.steps[1].expect.echo,
        Some(Echo::Key("alice".to_owned()))
    );
    assert_eq!(odd.steps[2].expect.length_of.as_deref(), Some("odd"));
    assert_eq!(
        (odd.at.file.as_str(), odd.at.line),
        ("suites/roundtrip.yaml", 9)
    );
}

#[test]
fn an_axis_may_be_the_operation() {
    let catalog = read();
    assert_eq!(
        names(&catalog, "get"),
        [
            "get::wrong-key[op=get,body=small]",
            "get::wrong-key[op=get,body=empty]",
            "get::wrong-key[op=head,body=small]",
            "get::wrong-key[op=head,body=empty]",
        ]
    );
    let head = trial(&catalog, "get::wrong-key[op=head,body=empty]");
    assert_eq!(head.given[0].expect.outcome.as_deref(), Some("ok"));
    assert_eq!(head.steps[0].operation, Operation::Head);
    assert_eq!(head.steps[0].object, "doc");
    assert_eq!(head.steps[0].expect.outcome.as_deref(), Some("wrong-key"));
    assert_eq!(
        (head.steps[0].expect.at.line, head.steps[0].expect.at.column),
        (22, 43)
    );
}

#[test]
fn fragments_name_the_request_and_labels_go_into_names() {
    let catalog = read();
    let names = names(&catalog, "headers");
    assert_eq!(names.len(), 18);
    assert_eq!(names[0], "headers::missing-header[op=get,header=algorithm]");
    assert_eq!(
        names[17],
        "headers::missing-header[op=create-upload,header=key-md5]"
    );
    let cell = trial(
        &catalog,
        "headers::missing-header[op=get-range,header=key-md5]",
    );
    let step = &cell.steps[0];
    assert_eq!(step.range, Some(RangeSpec::Bounded { first: 0, last: 99 }));
    assert_eq!(step.expect.outcome.as_deref(), Some("missing-key-md5"));
    let drop = BTreeSet::from([SsecHeader::KeyMd5]);
    let (mutate, raw) = Default::default();
    assert_eq!(
        step.ssec,
        Some(Ssec {
            key: "alice".to_owned(),
            drop,
            mutate,
            raw
        })
    );
}

#[test]
fn cells_have_levels_of_their_own() {
    let catalog = read();
    let level = |name: &str| trial(&catalog, &format!("headers::missing-header[{name}]")).level;
    assert_eq!(level("op=get,header=key"), Level::Must);
    assert_eq!(level("op=put,header=algorithm"), Level::Must);
    assert_eq!(level("op=head,header=algorithm"), Level::Should);
    assert_eq!(level("op=put,header=key-md5"), Level::Should);
    assert_eq!(level("op=get-range,header=key-md5"), Level::May);
}

#[test]
fn two_fragments_make_one_step() {
    let catalog = read();
    let names = names(&catalog, "presign");
    assert_eq!(names.len(), 12);
    assert_eq!(
        names[1],
        "presign::signed-headers[op=put,sign=all-but-algorithm]"
    );
    assert_eq!(
        names[11],
        "presign::signed-headers[op=head,sign=algorithm-only]"
    );
    let cell = trial(
        &catalog,
        "presign::signed-headers[op=head,sign=algorithm-only]",
    );
    let step = &cell.steps[0];
    assert_eq!(step.operation, Operation::Head);
    let presign = step.presign.as_ref().unwrap();
    assert_eq!(presign.sign, BTreeSet::from([SsecHeader::Algorithm]));
    assert_eq!((presign.expires, presign.age), (300, 0));
    assert_eq!(cell.level, Level::Should);
}

#[test]
fn digests_tell_trials_apart() {
    let catalog = read();
    let digests: BTreeSet<&str> = catalog.trials().iter().map(|t| t.digest.as_str()).collect();
    assert_eq!(digests.len(), catalog.trials().len());
    assert!(digests.iter().all(|digest| digest.len() == 64));
    assert_eq!(catalog.digest(), read().digest());
}

#[test]
fn a_copy_names_source_and_destination_with_a_key_each() {
    let catalog = read();
    assert_eq!(
        names(&catalog, "copy"),
        [
            "copy::rekey",
            "copy::source-key-refused[source=absent]",
            "copy::source-key-refused[source=wrong]",
            "copy::source-key-refused[source=bad-md5]",
            "copy::source-key-refused[source=unpadded-md5]",
            "copy::source-key-refused[source=high-bytes]",
        ]
    );
    let copy = &trial(&catalog, "copy::rekey").steps[0];
    assert_eq!(copy.operation, Operation::Copy);
    assert_eq!(
        (copy.source.as_deref(), copy.object.as_str()),
        (Some("src"), "dst")
    );
    let key = |ssec: &Option<Ssec>| ssec.as_ref().map(|ssec| ssec.key.clone());
    assert_eq!(key(&copy.source_ssec).as_deref(), Some("old"));
    assert_eq!(key(&copy.ssec).as_deref(), Some("new"));
    let wrong = trial(&catalog, "copy::source-key-refused[source=high-bytes]");
    let raw = &wrong.steps[0].source_ssec.as_ref().unwrap().raw;
    assert_eq!(raw[&SsecHeader::Key], [0xff, 0xfe, 0xfd]);
}

#[test]
fn an_upload_is_told_part_by_part() {
    let catalog = read();
    assert_eq!(
        names(&catalog, "multipart"),
        [
            "multipart::part-wrong-key[part=1]",
            "multipart::part-wrong-key[part=2]",
            "multipart::part-wrong-key[part=3]",
        ]
    );
    let second = trial(&catalog, "multipart::part-wrong-key[part=2]");
    let upload = Some(Text::Capture("upload".to_owned()));
    let sent: Vec<(Operation, Option<u32>, Option<&str>)> = second
        .steps
        .iter()
        .map(|step| (step.operation, step.part, step.body.as_deref()))
        .collect();
    assert_eq!(
        sent,
        [
            (Operation::UploadPart, Some(2), Some("p2")),
            (Operation::UploadPart, Some(1), Some("p1")),
            (Operation::UploadPart, Some(2), Some("p2")),
            (Operation::UploadPart, Some(3), Some("p3")),
            (Operation::CompleteUpload, None, None),
            (Operation::Get, None, None),
            (Operation::Get, None, None),
        ]
    );
    assert!(second.steps[..5].iter().all(|step| step.upload == upload));
    assert_eq!(second.steps[4].parts, None, "all that were accepted");
    let body = second.steps[5].expect.body.as_ref().unwrap();
    let names: Vec<&str> = body.iter().map(|piece| piece.body.as_str()).collect();
    assert_eq!(names, ["p1", "p2", "p3"]);
    let after: Vec<_> = second.diagnose.iter().map(|step| step.operation).collect();
    assert_eq!(after, [Operation::ListParts, Operation::Get]);
    assert!(second.diagnose.iter().all(|s| s.expect.outcome.is_none()));
}

#[test]
fn a_dialect_rules_by_evidence_and_compares_without_judging() {
    let catalog = read();
    let aws = catalog.oracle("aws").unwrap();
    let ruling = aws.ruling("wrong-key", Operation::Get).unwrap();
    assert_eq!(ruling.outcome.class, Class::Refused);
    let code = Some("AccessDenied".to_owned());
    assert_eq!(
        ruling.own.unwrap().reply,
        Reply::Exactly { status: 403, code }
    );
    assert!(
        aws.ruling("wrong-key", Operation::Put)
            .unwrap()
            .own
            .is_none()
    );
    assert!(aws.ruling("no-such-outcome", Operation::Get).is_none());
    let unrecorded = aws
        .ruling("missing-key-md5", Operation::Get)
        .unwrap()
        .unrecorded
        .unwrap();
    assert!(unrecorded.starts_with("the one recording"));

    let ovh = catalog.oracle("ovh").unwrap();
    let ruling = ovh.ruling("wrong-key", Operation::Get).unwrap();
    assert!(
        ruling.own.is_none(),
        "an answer of aws is no evidence about ovh"
    );
    assert_eq!(ruling.compare.unwrap().0, "aws");
    let waived = ovh.ruling("missing-algorithm", Operation::Put).unwrap();
    assert!(waived.is_waived());
    assert_eq!(waived.outcome.floor(Operation::Put), Floor::Sealed);
    assert_eq!(waived.outcome.floor(Operation::Get), Floor::Proved);
    assert!(
        !ovh.ruling("missing-algorithm", Operation::Get)
            .unwrap()
            .is_waived()
    );
    assert_eq!(ovh.facts().echo, Some(EchoFact::None));
    assert_eq!(ovh.facts().etag, Some(EtagFact::Md5));
}

#[test]
fn an_unknown_dialect_is_told_with_the_known_ones() {
    let error = read().oracle("ovg").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown dialect `ovg`; this catalogue has aws, ovh"
    );
}

/// Reads one suite beside the examples' outcomes.
fn read_suite(text: &str) -> Result<Catalog, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("suites")).unwrap();
    fs::create_dir(folder.path().join("dialects")).unwrap();
    fs::copy(
        examples().join("outcomes.yaml"),
        folder.path().join("outcomes.yaml"),
    )
    .unwrap();
    fs::write(folder.path().join("suites/one.yaml"), text).unwrap();
    Catalog::read(folder.path()).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn captures_dollars_and_names_inside_texts() {
    let text = r#"
suite: one
keys: [alice]
bodies: {p1: {size: 1 B, seed: 1}, p2: {size: 2 B, seed: 2}}
cases:
  - id: all
    title: Part $part of a text
    level: must
    source: [{contract: P1}]
    needs: [sse-c]
    matrix: {part: [1, 2], high-bytes: [a, b]}
    cells:
      - {if: {part: [2], high-bytes: b}, skip: true, why: "as good as the others"}
    steps:
      - put: doc-$part-$high-bytes
        body: p$part
        ssec: {key: alice, raw: {algorithm: {text: "$$5"}}}
        headers: [{x-amz-meta-a: "1"}, {x-amz-meta-a: $high-bytes}]
        content-md5: right
        save: {etag: header.ETag, state: status}
        expect: observe
      - {get: doc-$part-$high-bytes, range: -5, headers: {if-match: $etag}, expect: {outcome: ok, etag: $etag}}
"#;
    let catalog = read_suite(text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(
        names(&catalog, "one"),
        [
            "one::all[part=1,high-bytes=a]",
            "one::all[part=1,high-bytes=b]",
            "one::all[part=2,high-bytes=a]",
        ]
    );
    let last = trial(&catalog, "one::all[part=2,high-bytes=a]");
    assert_eq!(last.title, "Part 2 of a text");
    let put = &last.steps[0];
    assert_eq!(
        (put.object.as_str(), put.body.as_deref()),
        ("doc-2-a", Some("p2"))
    );
    assert_eq!(put.expect.outcome, None);
    assert_eq!(
        put.ssec.as_ref().unwrap().raw[&SsecHeader::Algorithm],
        b"$5"
    );
    assert_eq!(put.headers.len(), 2, "a doubled name is sent twice");
    assert_eq!(put.save[0].from, CaptureFrom::Header("ETag".to_owned()));
    let get = &last.steps[1];
    assert_eq!(get.range, Some(RangeSpec::Suffix { length: 5 }));
    assert_eq!(get.headers[0].1, Text::Capture("etag".to_owned()));
    assert_eq!(get.expect.etag, Some(Text::Capture("etag".to_owned())));
}

#[test]
fn rewording_keeps_the_digest_and_another_request_changes_it() {
    let suite = |title: &str, range: &str, outcome: &str| {
        let text = format!(
            "suite: one\nkeys: [alice]\nbodies: {{b: {{size: 9 B}}}}\ncases:\n  - id: a\n    title: \
             {title}\n    level: may\n    source: [{{contract: P1}}]\n    needs: [sse-c]\n    steps:\n      \
             - {{put: doc, body: b, ssec: alice, expect: ok}}\n      - {{get: doc, range: {range}, ssec: \
             alice, expect: {outcome}}}\n"
        );
        let catalog = read_suite(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        catalog.trials()[0].digest.clone()
    };
    let first = suite("One", "0-1", "ok");
    assert_eq!(first, suite("Two", "0-1", "ok"));
    assert_ne!(first, suite("One", "0-2", "ok"));
    assert_ne!(first, suite("One", "0-1", "observe"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_matrix_has_a_trial_for_each_cell_with_a_name_of_its_own(
        sizes in prop::collection::vec(1_usize..5, 1..4),
    ) {
        let mut matrix = String::new();
        let mut object = String::new();
        for (axis, size) in sizes.iter().enumerate() {
            let labels: Vec<String> = (0..*size).map(|label| format!("l{label}")).collect();
            matrix.push_str(&format!("      a{axis}: [{}]\n", labels.join(", ")));
            object.push_str(&format!("/$a{axis}"));
        }
        let text = format!(
            "suite: one\nbodies: {{b: {{size: 9 B}}}}\ncases:\n  - id: a\n    title: A\n    level: may\n    \
             source: [{{contract: P1}}]\n    matrix:\n{matrix}    steps:\n      - {{put: doc{object}, body: \
             b, expect: ok}}\n"
        );
        let catalog = read_suite(&text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(catalog.trials().len(), sizes.iter().product::<usize>());
        let distinct: BTreeSet<&str> = catalog.trials().iter().map(|t| t.name.as_str()).collect();
        prop_assert_eq!(distinct.len(), catalog.trials().len());
    }
}
