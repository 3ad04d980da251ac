//! The text of a bench record: what it tells, what it warns of, and that a target's words stay on
//! their line.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use reports::bench::record::{Damage, HealthVerdict, Knee, KneeVerdict, Step};
use reports::bench::run::BenchRun;
use reports::render::bench::render;

#[path = "bench/simulated.rs"]
mod simulated;

use simulated::{header, run, second, written};

const GET: (&str, &str) = ("get", "ssec");

fn sample() -> BenchRun {
    let mut header = header(&[GET]);
    header.slo = vec![
        "get.p50<1ms".to_owned(),
        "get.p50<2ms".to_owned(),
        "get.p999<1s".to_owned(),
    ];
    let mut one = second(0, GET, &[1500; 100]);
    one.failed.insert("503 SlowDown".to_owned(), 2);
    one.attempted += 2;
    run(header, vec![one])
}

fn text(run: &BenchRun) -> String {
    let mut out = Vec::new();
    render(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn says(run: &BenchRun, parts: &[&str]) {
    let text = text(run);
    for part in parts {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn it_tells_what_was_measured() {
    let read = BenchRun::read(written(&sample()).as_slice()).unwrap();
    says(
        &read,
        &[
            "https://s3.example: open loop, 400 arrivals a second, 64 streams",
            "get/ssec: 102 attempted = 100 ok + 2 failed + 0 unserved; 409600 bytes",
            "10.0 ok a second",
            "failed: 2 × 503 SlowDown",
            "response   p50 1.50 ms, p90 1.50 ms, p99 n/a, p99.9 n/a, max 1.50 ms",
            "slo missed: get.p50<1ms; measured get/ssec: 1.50 ms",
            "slo met: get.p50<2ms",
            "slo undecided: get.p999<1s",
            "client: ok; 1.25 s of CPU",
            "it can offer 50000 requests a second",
        ],
    );
}

#[test]
fn it_warns_of_what_is_not_the_whole_truth() {
    let mut run = sample();
    run.footer = None;
    run.health.as_mut().unwrap().verdict = HealthVerdict::Limited;
    says(
        &run,
        &[
            "incomplete: the record has no `end` line",
            "the client was the bottleneck",
        ],
    );
    run.health = None;
    says(&run, &["nothing is known of its health"]);
    let whole = text(&sample());
    assert!(
        !whole.contains("incomplete") && !whole.contains("bottleneck"),
        "{whole}"
    );
}

#[test]
fn what_a_target_says_stays_on_its_line() {
    let mut run = sample();
    run.damage.push(Damage {
        second: 0,
        op: "get".to_owned(),
        arm: "ssec".to_owned(),
        endpoint: "https://s3.example".to_owned(),
        object: "a\nslo met: all\u{1b}[2J".to_owned(),
        offset: 7,
        what: "flipped bits".to_owned(),
        request_id: None,
    });
    run.seconds[0].failed.insert("x\r\ny".to_owned(), 1);
    let text = text(&run);
    assert!(
        text.contains("damaged: a\\nslo met: all\\u{1b}[2J at byte 7: flipped bits"),
        "{text}"
    );
    assert!(text.contains("x\\r\\ny"), "{text}");
}

fn staircase() -> BenchRun {
    let mut run = sample();
    run.header.slo.clear();
    run.header.schedule.rate = None;
    run.seconds.clear();
    for (number, rate, us, unserved) in [(0, 100.0, 1000, 0), (1, 200.0, 40_000, 50)] {
        run.steps.push(Step {
            number,
            rate,
            from: number * 2,
            seconds: 2.0,
        });
        for at in 0..2 {
            let mut one = second(number * 2 + at, GET, &[us; 100]);
            one.step = Some(number);
            if at == 1 {
                one.unserved = unserved;
                one.attempted += unserved;
                one.unserved_wait = (unserved > 0)
                    .then(|| reports::histogram::Packed::of(&simulated::histogram(&[900_000; 50])));
            }
            run.seconds.push(one);
        }
    }
    let (ok, unserved) = (400, 50);
    let footer = run.footer.as_mut().unwrap();
    (footer.ok, footer.failed, footer.unserved) = (ok, 0, unserved);
    footer.attempted = ok + unserved;
    run
}

#[test]
fn a_staircase_is_a_table_and_the_knee_its_end() {
    let mut run = staircase();
    run.knee = Some(Knee {
        objectives: vec!["p50<20ms".to_owned()],
        verdict: KneeVerdict::Found,
        low: Some(100.0),
        high: Some(200.0),
        reasons: Vec::new(),
    });
    let read = BenchRun::read(written(&run).as_slice()).unwrap();
    assert_eq!(read, run);
    says(
        &read,
        &[
            "     100.0       100.0   1.00 ms       n/a   1.00 ms    0.00 %  get/ssec\n",
            // The unserved fifth had waited for 0.9 s.
            "     200.0       100.0   40.0 ms       n/a    900 ms   20.00 %  get/ssec\n",
            "knee: 100 to 200 arrivals a second: the lower met p50<20ms, the higher did not",
        ],
    );
    let knee = run.knee.as_mut().unwrap();
    knee.verdict = KneeVerdict::Inconclusive;
    knee.high = None;
    knee.reasons.push("the client was the limit".to_owned());
    says(
        &run,
        &[
            "knee: inconclusive for p50<20ms; 100 arrivals a second met it\n  the client was the limit",
        ],
    );
    assert!(!text(&sample()).contains("offered/s"));
}
