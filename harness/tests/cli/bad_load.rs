//! `ssec bench` when things go wrong: the target throttles, dies, or damages one byte; the disk is full;
//! a budget is spent. The samples so far are kept, and the exit code says what happened.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::bench::null_server::{Faults, NullServer};
use harness::bench::pool::Pool;
use harness::random::Seed;
use reports::bench::run::BenchRun;

const SEED: Seed = Seed(31);

fn null_server(faults: Faults) -> NullServer {
    NullServer::start(Pool::new(SEED), faults).unwrap()
}

fn ssec(directory: &Path, server: &NullServer, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssec"));
    command
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .args(["bench", "--op=get", "--allow-limited"])
        .args(["--record=record.jsonl", "--summary=summary.json"])
        .args(["--seed", &SEED.to_string()])
        .arg(format!("--endpoint=http://{}", server.address))
        .args(arguments);
    command
}

#[track_caller]
fn check_code(output: &Output, code: i32) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
}

/// The record that a load left in `directory`.
pub(crate) fn record(directory: &Path) -> BenchRun {
    let file = std::fs::File::open(directory.join("record.jsonl")).unwrap();
    BenchRun::read(BufReader::new(file)).unwrap()
}

#[test]
fn a_storm_of_503_is_counted_and_never_sent_again() {
    for (throttle, ok, code) in [(1, 0, 3), (2, 50, 5)] {
        let directory = tempfile::tempdir().unwrap();
        let server = null_server(Faults {
            throttle: Some(throttle),
            ..Faults::default()
        });
        let output = ssec(directory.path(), &server, &["--requests=100"])
            .output()
            .unwrap();
        check_code(&output, code);
        let totals = &record(directory.path()).totals()[0];
        assert_eq!((totals.attempted, totals.ok), (100, ok));
        assert_eq!(totals.failed["503 SlowDown"], 100 - ok);
        assert_eq!(totals.bytes, ok * 4096);
        assert_eq!(server.gets(), 100);
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("503 SlowDown"), "{told}");
    }
}

#[test]
fn an_objective_for_failures_decides_a_storm() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults {
        throttle: Some(2),
        ..Faults::default()
    });
    for (slo, code) in [("--slo=error_rate<60%", 0), ("--slo=error_rate<40%", 1)] {
        let output = ssec(directory.path(), &server, &["--requests=100", slo])
            .output()
            .unwrap();
        check_code(&output, code);
    }
}

#[test]
fn a_target_that_dies_midway_ends_the_run_with_3_and_the_samples_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults::default());
    let mut bench = ssec(
        directory.path(),
        &server,
        &["--duration=600s", "--concurrency=2", "--objects=1"],
    )
    .stdout(Stdio::null())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    while server.gets() < 50 {
        std::thread::yield_now();
        assert!(bench.try_wait().unwrap().is_none(), "it ended too soon");
    }
    drop(server);
    let mut told = String::new();
    let notes = bench.stderr.take().unwrap();
    BufReader::new(notes).read_to_string(&mut told).unwrap();
    assert_eq!(bench.wait().unwrap().code(), Some(3), "{told}");
    assert!(told.contains("takes no connection any more"), "{told}");
    let run = record(directory.path());
    let footer = run.footer.as_ref().unwrap();
    assert!(footer.ok >= 49 && footer.failed > 0, "{footer:?}");
    assert!(!footer.left_out.is_empty());
    assert!(!footer.cleanup.left.is_empty(), "the object is still named");
}

#[test]
fn one_flipped_byte_in_ten_thousand_reads_is_found_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults {
        corrupt: Some(7777),
        ..Faults::default()
    });
    let arguments = ["--requests=10000", "--size=4KiB", "--concurrency=4"];
    let output = ssec(directory.path(), &server, &arguments)
        .output()
        .unwrap();
    check_code(&output, 1);
    let run = record(directory.path());
    assert_eq!(run.damage.len(), 1);
    let damage = &run.damage[0];
    assert_eq!(damage.offset, 2048);
    assert_eq!(damage.what, "one byte differs, 1 bit flipped");
    assert!(damage.object.contains("/data/00000"), "{}", damage.object);
    assert_eq!(damage.request_id.as_deref(), Some("7777"));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&damage.object), "{told}");
    // The same load against a target that is right.
    let server = null_server(Faults::default());
    let output = ssec(directory.path(), &server, &arguments)
        .output()
        .unwrap();
    check_code(&output, 0);
    assert!(record(directory.path()).damage.is_empty());
}

#[test]
fn a_rate_that_the_client_cannot_offer_ends_with_3_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults::default());
    let run = |rate: &str, also: &[&str]| {
        let arguments = [rate, "--duration=1s", "--concurrency=4", "--calibrate"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssec"));
        command
            .current_dir(directory.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .args(["bench", "--op=get", "--objects=4", "--record=record.jsonl"])
            .arg(format!("--endpoint=http://{}", server.address))
            .args(["--seed", &SEED.to_string()])
            .args(arguments)
            .args(also);
        command.output().unwrap()
    };
    let output = run("--rate=400000", &[]);
    check_code(&output, 3);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("client: limited"), "{told}");
    assert!(told.contains("400000 requests a second, of "), "{told}");
    // Every arrival is there, though most were never served.
    assert_eq!(record(directory.path()).totals()[0].attempted, 400_000);
    let slow = run("--rate=5", &["--allow-limited"]);
    check_code(&slow, 0);
    let told = String::from_utf8_lossy(&slow.stdout);
    assert!(told.contains("it can offer "), "{told}");
    assert!(!told.contains("that it manages"), "{told}");
}

#[test]
fn the_ceiling_of_a_load_over_tls_is_measured_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory.path())
        .env_clear()
        .args(["bench", "--mix=get=2,put=1,head=1", "--sse=c", "--rate=20"])
        .args([
            "--duration=1s",
            "--objects=4",
            "--calibrate",
            "--allow-limited",
        ])
        .args(["--record=record.jsonl"])
        .output()
        .unwrap();
    check_code(&output, 0);
    let health = record(directory.path()).health.unwrap();
    assert!(health.ceiling.unwrap() > 20.0, "{:?}", health.ceiling);
}

#[test]
fn a_budget_of_requests_ends_the_run_and_one_of_bytes_refuses_it() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults::default());
    let arguments = ["--max-requests=7", "--duration=600s"];
    let output = ssec(directory.path(), &server, &arguments)
        .output()
        .unwrap();
    check_code(&output, 0);
    assert_eq!(record(directory.path()).totals()[0].attempted, 7);
    // Four uploads and ten reads of 4 KiB are 57344 bytes.
    for (budget, code) in [("--max-bytes=57344", 0), ("--max-bytes=57343", 2)] {
        let arguments = ["--requests=10", "--objects=4", budget];
        let output = ssec(directory.path(), &server, &arguments)
            .output()
            .unwrap();
        check_code(&output, code);
    }
    let unknown = ["--duration=1s", "--max-bytes=1GiB"];
    check_code(
        &ssec(directory.path(), &server, &unknown).output().unwrap(),
        2,
    );
}

#[test]
fn a_log_of_histograms_is_written_and_a_full_disk_for_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults::default());
    let arguments = ["--requests=50", "--hdr-log=log.hlog"];
    let output = ssec(directory.path(), &server, &arguments)
        .output()
        .unwrap();
    check_code(&output, 0);
    let log = std::fs::read_to_string(directory.path().join("log.hlog")).unwrap();
    assert!(log.contains("Tag=get/plain/response,"), "{log}");
    assert!(log.contains("#[BaseTime: "), "{log}");
    let arguments = ["--requests=50", "--hdr-log=/dev/full"];
    let output = ssec(directory.path(), &server, &arguments)
        .output()
        .unwrap();
    check_code(&output, 2);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("cannot write /dev/full"), "{told}");
}

#[test]
fn a_run_can_be_scraped_while_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults::default());
    let arguments = ["--rate=50", "--duration=600s", "--metrics=127.0.0.1:0"];
    let mut bench = ssec(directory.path(), &server, &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let notes = BufReader::new(bench.stderr.take().unwrap());
    let says = "metrics: http://";
    let address = notes
        .lines()
        .map(Result::unwrap)
        .find_map(|line| {
            Some(
                line.strip_prefix(says)?
                    .strip_suffix("/metrics")?
                    .to_owned(),
            )
        })
        .unwrap();
    let scraped = || {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let ok = "ssec_bench_requests_total{op=\"get\",arm=\"plain\",outcome=\"ok\"} ";
        let line = page.lines().find_map(|line| line.strip_prefix(ok));
        line.map_or(0, |number| number.parse::<u64>().unwrap())
    };
    let first = loop {
        let number = scraped();
        if number > 0 {
            break number;
        }
        assert!(bench.try_wait().unwrap().is_none(), "it ended too soon");
    };
    while scraped() <= first {
        assert!(bench.try_wait().unwrap().is_none(), "it ended too soon");
    }
    bench.kill().unwrap();
    bench.wait().unwrap();
}

#[test]
fn a_plan_tells_requests_bytes_and_cost_from_a_table() {
    let directory = tempfile::tempdir().unwrap();
    let server = null_server(Faults::default());
    let plan = |arguments: &[&str]| {
        let given = ["--plan", "--objects=1000", "--size=1MiB", "--rate=100"];
        ssec(directory.path(), &server, &given)
            .args(arguments)
            .output()
            .unwrap()
    };
    let output = plan(&["--duration=100s"]);
    check_code(&output, 0);
    let told = String::from_utf8_lossy(&output.stdout);
    // 1000 PUT are $0.005, 10,000 GET $0.004, 9.765625 GiB out $0.8789; removing is free.
    assert!(told.contains("10000 get"), "{told}");
    assert!(told.contains("about 0.89 USD"), "{told}");
    assert!(told.contains("Amazon S3 Standard, us-east-1"), "{told}");
    assert!(told.contains("AWS price list, 2026-07-28"), "{told}");
    let own = "prices: mine\nsource: my contract\ncurrency: EUR\nper-gib-in: 0\nper-gib-out: 1\n\
               per-1000-requests: {put: 0, copy: 0, list: 0, get: 0, head: 0, delete: 0}\n";
    std::fs::write(directory.path().join("mine.yaml"), own).unwrap();
    let output = plan(&["--duration=100s", "--prices=mine.yaml"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("about 9.77 EUR"), "{told}");
    let output = plan(&["--duration=100s", "--prices=none.yaml"]);
    check_code(&output, 2);
    assert_eq!(server.objects(), 0, "a plan sends nothing");
}

/// The objects are written to the first of two endpoints that are not the same store: the second has none.
#[test]
fn an_endpoint_that_serves_nothing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (server, other) = (
        null_server(Faults::default()),
        null_server(Faults::default()),
    );
    let second = format!("http://{}", other.address);
    let arguments = ["--requests=100", "--endpoint", &second];
    let output = ssec(directory.path(), &server, &arguments)
        .output()
        .unwrap();
    check_code(&output, 5);
    let run = record(directory.path());
    let failed = run.totals()[0].failures();
    assert!(failed > 0);
    let left_out = run.footer.unwrap().left_out;
    assert_eq!(
        left_out,
        [format!("{second}: all of its {failed} requests failed")]
    );
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&left_out[0]), "{told}");
}
