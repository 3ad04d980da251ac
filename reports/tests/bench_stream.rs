//! Reading a bench record: what is whole is read, and each way of not being whole is refused.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use reports::bench::run::BenchRun;
use reports::bench::stream::{MAX_LINE_BYTES, ReadError, Reader, is_bench};
use reports::histogram::Packed;
use serde_json::{Value, json};

#[path = "bench/simulated.rs"]
mod simulated;

use simulated::{header, run, second, written};

fn sample() -> BenchRun {
    let get = ("get", "ssec");
    let mut warm = second(0, get, &[900; 5]);
    warm.warmup = true;
    let mut busy = second(2, get, &[1000; 30]);
    busy.failed.insert("timeout".to_owned(), 2);
    busy.unserved = 3;
    busy.attempted += 5;
    busy.unserved_wait = Some(Packed::of(&simulated::histogram(&[70_000; 3])));
    run(header(&[get]), vec![warm, second(1, get, &[500; 40]), busy])
}

/// The record with one of its lines changed.
fn changed(line: usize, change: impl Fn(&mut Value)) -> Vec<u8> {
    let bytes = written(&sample());
    let mut lines: Vec<Value> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    change(&mut lines[line]);
    lines
        .iter()
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect()
}

#[track_caller]
fn refused(bytes: &[u8], part: &str) {
    let error = BenchRun::read(bytes).unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}

#[test]
fn what_was_written_is_read() {
    let run = sample();
    assert_eq!(BenchRun::read(written(&run).as_slice()).unwrap(), run);
    let unchanged = changed(0, |_| {});
    assert_eq!(BenchRun::read(unchanged.as_slice()).unwrap(), run);
    let more = changed(1, |line| line["new"] = json!([1]));
    assert_eq!(BenchRun::read(more.as_slice()).unwrap(), run);
}

#[test]
fn the_summary_counts_what_was_measured_and_waited() {
    let summary = sample().summary();
    let series = &summary.series[0];
    let bins = (series.attempted, series.ok, series.failed, series.unserved);
    assert_eq!(bins, (75, 70, 2, 3));
    assert_eq!(series.bytes, 70 * 4096);
    assert_eq!(series.response_us.p50, Some(500));
    // Unserved arrivals had waited for 70 ms, and that is the greatest response time known.
    let max = series.response_us.max.unwrap();
    assert!((70_000..70_070).contains(&max), "{max}");
    assert_eq!(series.service_us.max, Some(1000));
    assert_eq!(series.response_us.p99, None);
}

#[test]
fn a_record_without_its_end_is_told() {
    let bytes = written(&sample());
    let last = bytes[..bytes.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    for cut in [last + 1, last + 20] {
        refused(&bytes[..cut], "no `end` line");
        let salvaged = BenchRun::salvage(&bytes[..cut]).unwrap();
        assert!(!salvaged.is_complete());
        assert_eq!(salvaged.seconds, sample().seconds);
    }
    let twice = [bytes.as_slice(), &bytes[last + 1..]].concat();
    refused(&twice, "after the `end` line");
}

#[test]
fn bins_that_do_not_add_up_are_refused() {
    refused(
        &changed(3, |line| line["attempted"] = json!(36)),
        "36 attempted",
    );
    refused(
        &changed(3, |line| line["ok"] = json!(29)),
        "does not add up",
    );
    let fewer = changed(2, |line| {
        line["ok"] = json!(39);
        line["attempted"] = json!(39);
    });
    refused(&fewer, "response holds 40 samples for 39");
    refused(
        &changed(3, |line| line["unserved"] = json!(u64::MAX)),
        "does not add up",
    );
    refused(
        &changed(5, |line| line["attempted"] = json!(80)),
        "`end` line says",
    );
}

#[test]
fn lines_out_of_place_are_refused() {
    refused(&changed(2, |line| line["op"] = json!("put")), "put/ssec");
    refused(
        &changed(3, |line| line["second"] = json!(1)),
        "repeats second 1",
    );
    refused(
        &changed(0, |line| line["kind"] = json!("step")),
        "no line of a bench record",
    );
    refused(&changed(0, |line| line["format"] = json!(2)), "format 2");
    refused(&changed(0, |line| line["series"] = json!([])), "0 series");
    let one = json!({"op": "get", "arm": "ssec"});
    refused(
        &changed(0, |line| line["series"] = json!([one, one])),
        "named twice",
    );
    let shard = json!({"index": 2, "count": 2});
    refused(
        &changed(0, |line| line["shard"] = shard.clone()),
        "shard 2 of 2",
    );
    let paired = json!({"base": "ssec", "other": "ssec"});
    refused(
        &changed(0, |line| line["paired"] = paired.clone()),
        "paired arms",
    );
    let bytes = written(&sample());
    refused(
        &bytes[bytes.iter().position(|b| *b == b'\n').unwrap() + 1..],
        "`bench` line",
    );
    refused(b"", "`bench` line");
    refused(b"nothing\n", "not JSON");
    let header_again = [&bytes[..], &bytes[..]].concat();
    refused(&header_again, "after the `end` line");
}

#[test]
fn a_line_without_end_is_bounded() {
    let mut bytes = written(&sample());
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes.truncate(end + 1);
    bytes.extend(std::iter::repeat_n(b' ', MAX_LINE_BYTES + 1));
    let (_, mut reader) = Reader::new(bytes.as_slice()).unwrap();
    let error = reader.next_line_of_record().unwrap_err();
    assert!(matches!(error, ReadError::LineTooLong { line: 2 }));
}

#[test]
fn a_bench_record_is_known_however_its_first_line_is_spaced() {
    assert!(is_bench(br#"{"kind":"bench","format":1}"#));
    assert!(is_bench(
        b"{ \"format\": 1, \"kind\": \"bench\" }\n{\"kind\":\"end\"}\n"
    ));
    // Cut off by the reader's buffer.
    assert!(is_bench(br#"{"kind":"bench","format":1,"tool":{"#));
    assert!(!is_bench(br#"{"kind":"run","seed":"bench"}"#));
    assert!(!is_bench(b""));
}

#[test]
fn a_record_of_too_many_steps_is_refused() {
    use reports::bench::record::Step;
    use reports::bench::stream::MAX_STEPS;
    let mut run = sample();
    let step = |number: usize| Step {
        number: u32::try_from(number).unwrap(),
        rate: 1.0,
        from: 0,
        seconds: 1.0,
    };
    run.steps = (0..MAX_STEPS).map(step).collect();
    assert!(BenchRun::read(written(&run).as_slice()).is_ok());
    run.steps.push(step(MAX_STEPS));
    refused(&written(&run), "more than 1000 steps");
}
