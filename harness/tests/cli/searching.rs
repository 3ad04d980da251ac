//! `ssec bench --find-knee`: the search for the highest load that is borne, from outside.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use harness::bench::null_server::{Faults, NullServer};
use harness::bench::pool::Pool;
use harness::random::Seed;
use reports::bench::record::KneeVerdict;

use crate::bad_load::record;

const SEED: Seed = Seed(21);

fn bench(directory: &Path, server: &NullServer, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .args(["bench", "--op=get", "--objects=4", "--record=record.jsonl"])
        .args(["--allow-limited", "--concurrency=4"])
        .args(["--seed", &SEED.to_string()])
        .arg(format!("--endpoint=http://{}", server.address))
        .args(arguments)
        .output()
        .unwrap()
}

/// Four streams of a target that takes 20 ms serve 200 a second and no more; half of the arrivals
/// wait for longer than is allowed when more come. A slow machine only lowers the knee; one whose
/// pace changes between the steps lets no search find it, so there are three.
#[test]
fn the_knee_of_a_target_that_serves_200_a_second_is_not_above_that() {
    assert!((0..3).any(|_| is_found()), "no search of three found it");
}

/// Searches once, and holds what was found to what must be; whether it was found.
fn is_found() -> bool {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults {
        slow: Some(Duration::from_millis(20)),
        ..Faults::default()
    };
    let server = NullServer::start(Pool::new(SEED), faults).unwrap();
    let arguments = ["--find-knee=p50<90ms,err<90%", "--rate=80", "--duration=2s"];
    let output = bench(directory.path(), &server, &arguments);
    let (told, notes) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let run = record(directory.path());
    let knee = run.knee.clone().unwrap();
    // At 220 a second the median waits for a tenth of 2 s by the end, and at 250 for a fifth.
    assert!(knee.high.is_none_or(|high| high <= 260.0), "{knee:?}");
    let points = run.curve().points();
    assert_eq!(points.len(), run.steps.len());
    assert!(points.iter().all(|point| point.attempted > 0));
    assert!(
        points.iter().all(|point| point.answered <= 210.0),
        "{points:?}"
    );
    assert_eq!(server.objects(), 0);
    if knee.verdict != KneeVerdict::Found {
        assert_eq!(output.status.code(), Some(3), "{told}{notes}");
        assert!(!knee.reasons.is_empty(), "{knee:?}");
        return false;
    }
    assert_eq!(output.status.code(), Some(0), "{told}{notes}");
    let (low, high) = (knee.low.unwrap(), knee.high.unwrap());
    assert!(low < high, "{knee:?}");
    let says = format!("knee: {low} to {high} arrivals a second");
    assert!(told.contains(&says), "{told}");
    assert!(
        notes.contains(&format!("{low} arrivals a second: p50<90ms met")),
        "{notes}"
    );
    true
}

#[test]
fn too_few_samples_end_a_search_with_3() {
    let directory = tempfile::tempdir().unwrap();
    let server = NullServer::start(Pool::new(SEED), Faults::default()).unwrap();
    let arguments = ["--find-knee=p999<1s,err<90%", "--rate=50", "--duration=1s"];
    let output = bench(directory.path(), &server, &arguments);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("knee: inconclusive for p999<1s"), "{told}");
    assert!(told.contains("too few samples"), "{told}");
    assert_eq!(record(directory.path()).steps.len(), 1);
}

/// All answers are 503, and fast.
#[test]
fn fast_refusals_are_no_load_that_is_borne() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults {
        throttle: Some(1),
        ..Faults::default()
    };
    let server = NullServer::start(Pool::new(SEED), faults).unwrap();
    let arguments = ["--find-knee=max<30s", "--rate=4", "--duration=1s"];
    let output = bench(directory.path(), &server, &arguments);
    assert_eq!(output.status.code(), Some(3));
    let knee = record(directory.path()).knee.unwrap();
    assert_eq!(knee.objectives, ["max<30s", "get.plain.error_rate<1%"]);
    assert_eq!(knee.low, None, "{knee:?}");
}
