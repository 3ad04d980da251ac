//! Intervals, objectives and shards, over simulated runs whose truth is known.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use reports::bench::bootstrap::Measure;
use reports::bench::compare::{BenchComparison, Change};
use reports::bench::draws::Draws;
use reports::bench::paired::{overhead, overheads};
use reports::bench::record::{Paired, Second, Shard};
use reports::bench::run::BenchRun;
use reports::bench::shards::{MergeError, add_seconds, merge};
use reports::bench::slo::{Slo, SloError, SloResult};

#[path = "bench/simulated.rs"]
mod simulated;

use simulated::{header, run, second, written};

const ARMS: [&str; 2] = ["plain", "plain-2"];

fn arms() -> Paired {
    Paired {
        base: ARMS[0].to_owned(),
        other: ARMS[1].to_owned(),
    }
}

/// Seconds in which both arms share a load that drifts, and requests that vary by themselves;
/// the second arm takes `cost` times as long.
fn simulated(seconds: u32, requests: usize, cost: f64, draws: &mut Draws) -> Vec<Second> {
    let unit =
        |draws: &mut Draws| f64::from(u32::try_from(draws.bits() >> 40).unwrap()) / 16_777_216.0;
    let mut drift = 1.0;
    let mut all = Vec::new();
    for number in 0..seconds {
        drift = 0.7 * drift + 0.3 * (0.5 + unit(draws));
        for (arm, cost) in ARMS.iter().zip([1.0, cost]) {
            let times: Vec<u64> = (0..requests)
                .map(|_| {
                    let exponential = -(1.0 - unit(draws)).ln();
                    (1000.0 * drift * (1.0 + exponential) * cost) as u64
                })
                .collect();
            all.push(second(number, ("get", arm), &times));
        }
    }
    all
}

/// How many of 200 simulated runs say that their arms differ, by measure.
fn alarms(seed: u64, cost: f64) -> [usize; 2] {
    let mut draws = Draws::new(seed);
    let mut found = [0; 2];
    for number in 0..200 {
        let seconds = simulated(24, 16, cost, &mut draws);
        let overhead = overhead(&seconds, "get", &arms(), (60, number));
        for (at, measure) in [Measure::Throughput, Measure::P50].into_iter().enumerate() {
            found[at] +=
                usize::from(overhead.ratios[&measure].is_some_and(|ratio| ratio.differs()));
        }
    }
    found
}

#[test]
fn arms_that_are_the_same_are_called_different_in_at_most_16_of_200_runs() {
    // 16 is the 97.5 % bound of a true 5 %.
    for seed in [1, 2, 3] {
        let found = alarms(seed, 1.0);
        assert!(
            found.iter().all(|alarms| *alarms <= 16),
            "{seed}: {found:?}"
        );
    }
}

#[test]
fn an_arm_that_costs_more_is_found() {
    let found = alarms(4, 1.3);
    assert!(found.iter().all(|alarms| *alarms >= 190), "{found:?}");
}

fn paired_run(cost: f64) -> BenchRun {
    let mut header = header(&[("get", ARMS[0]), ("get", ARMS[1])]);
    header.paired = Some(arms());
    run(header, simulated(40, 60, cost, &mut Draws::new(9)))
}

#[test]
fn the_interval_holds_the_true_cost_and_repeats() {
    let run = paired_run(1.2);
    let found = overheads(&run.header, &run.seconds);
    assert_eq!(found, overheads(&run.header, &run.seconds));
    assert_eq!((found.len(), found[0].seconds), (1, 40));
    for (measure, truth) in [
        (Measure::P50, 1.2),
        (Measure::P90, 1.2),
        (Measure::Throughput, 1.0 / 1.2),
    ] {
        let ratio = found[0].ratios[&measure].unwrap();
        assert!(
            ratio.low < truth && truth < ratio.high,
            "{measure:?} {ratio:?}"
        );
        assert!(
            ratio.high - ratio.low < 0.2 && ratio.differs(),
            "{measure:?} {ratio:?}"
        );
        assert!(
            ratio.detectable > 0.0 && ratio.detectable < 0.3,
            "{ratio:?}"
        );
    }
    // 2,400 requests have two above their 99.9 %: no ratio is told of that.
    assert_eq!(found[0].ratios[&Measure::P999], None);
}

#[test]
fn a_run_too_short_for_five_blocks_gives_no_interval() {
    let seconds = simulated(4, 60, 2.0, &mut Draws::new(1));
    let found = overhead(&seconds, "get", &arms(), (60, 1));
    assert_eq!(found.ratios[&Measure::P50], None);
}

#[track_caller]
fn judged(text: &str, run: &BenchRun) -> SloResult {
    let slo = Slo::parse(text).unwrap();
    slo.check(&run.header).unwrap();
    slo.judge(&run.totals(), &overheads(&run.header, &run.seconds))
        .result
}

#[test]
fn objectives_are_judged_against_what_was_measured() {
    let get = ("get", "ssec");
    let times: Vec<u64> = (1..=2000).collect();
    let mut one = second(0, get, &times);
    one.failed.insert("timeout".to_owned(), 2);
    one.attempted += 2;
    let run = run(header(&[get]), vec![one]);
    for met in [
        "get.p99<2ms",
        "p50<1.1ms",
        "get.ssec.p50<0.002s",
        "max<2002us",
        "error_rate<0.1%",
    ] {
        assert_eq!(judged(met, &run), SloResult::Met, "{met}");
    }
    for missed in [
        "get.p99<1.9ms",
        "ssec.p50<1ms",
        "max<2000us",
        "get.error_rate<0.09%",
    ] {
        assert_eq!(judged(missed, &run), SloResult::Missed, "{missed}");
    }
    // Two samples above: neither met nor missed.
    assert_eq!(judged("get.p999<1s", &run), SloResult::Undecided);
}

/// The failures of one operation do not hide behind the successes of another.
#[test]
fn an_objective_without_an_operation_holds_for_each_series() {
    let (get, put, head) = (("get", "ssec"), ("put", "ssec"), ("head", "ssec"));
    let mut puts = second(0, put, &[1; 90]);
    puts.failed.insert("timeout".to_owned(), 10);
    puts.attempted += 10;
    let gets = second(0, get, &[1; 9_900]);
    let run = run(header(&[get, put, head]), vec![gets, puts]);
    assert_eq!(judged("error_rate<1%", &run), SloResult::Missed);
    assert_eq!(judged("ssec.error_rate<1%", &run), SloResult::Missed);
    assert_eq!(judged("error_rate<11%", &run), SloResult::Met);
    assert_eq!(judged("get.error_rate<1%", &run), SloResult::Met);
    let slo = Slo::parse("error_rate<1%").unwrap();
    let told = slo.judge(&run.totals(), &[]).observed;
    assert_eq!(told, "put/ssec: 10 of 100 (10.000 %)");
    // Of what was never tried there is no share.
    assert_eq!(judged("head.error_rate<1%", &run), SloResult::Undecided);
}

#[test]
fn an_overhead_is_met_only_by_its_whole_interval() {
    let run = paired_run(1.2);
    let overhead = |limit: &str| judged(&format!("plain-2.overhead.get{limit}"), &run);
    assert_eq!(overhead("<40%"), SloResult::Met);
    assert_eq!(overhead("<5%"), SloResult::Missed);
    assert_eq!(overhead("<20.0%"), SloResult::Undecided);
    assert_eq!(overhead(".p50<40%"), SloResult::Met);
}

#[test]
fn what_is_no_objective_is_refused() {
    for text in [
        "",
        "<",
        "get.p99",
        "get.p99<",
        "get.p99<50",
        "get.p99<5%",
        "error_rate<5ms",
        "get.p9x<1ms",
        "p99<-1ms",
        "p99<infms",
        "a.b.c.p99<1ms",
        "x.overhead.get.max<1%",
        "get..p99<1ms",
        "p99>1ms",
    ] {
        assert!(Slo::parse(text).is_err(), "{text}");
    }
    let run = paired_run(1.0);
    let check = |text: &str| Slo::parse(text).unwrap().check(&run.header);
    assert!(check("get.p99<1ms").is_ok());
    assert!(matches!(
        check("put.p99<1ms"),
        Err(SloError::UnknownSeries { .. })
    ));
    assert!(matches!(
        check("ssec.overhead.get<1%"),
        Err(SloError::NotPaired { .. })
    ));
    assert!(matches!(
        check("plain-2.overhead.put<1%"),
        Err(SloError::UnknownSeries { .. })
    ));
}

/// One run whose requests are dealt out to `count` shards.
fn shards(count: usize) -> Vec<BenchRun> {
    let get = ("get", "ssec");
    (0..count)
        .map(|index| {
            let mut header = header(&[get]);
            let (index32, count32) = (u32::try_from(index).unwrap(), u32::try_from(count).unwrap());
            header.shard = Some(Shard {
                index: index32,
                count: count32,
            });
            let deal = |number: u32| -> Vec<u64> {
                let all = (0..200u64).map(|n| 100 + n * n + u64::from(number));
                all.enumerate()
                    .filter(|(n, _)| (n * 7 + n / 3) % count == index)
                    .map(|(_, t)| t)
                    .collect()
            };
            run(
                header,
                (0..5)
                    .map(|number| second(number, get, &deal(number)))
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn a_run_divided_in_any_way_merges_to_the_same_bits() {
    let bits = |count: usize, backwards: bool| {
        let mut parts = shards(count);
        if backwards {
            parts.reverse();
        }
        let merged = merge(&parts).unwrap();
        let lines: Vec<u8> = merged
            .seconds
            .iter()
            .flat_map(|s| serde_json::to_vec(s).unwrap())
            .collect();
        let summary = serde_json::to_string(&merged.summary().series).unwrap();
        // It is a record of its own, whose footer adds up.
        assert_eq!(BenchRun::read(written(&merged).as_slice()).unwrap(), merged);
        (lines, summary)
    };
    let whole = bits(1, false);
    for count in [2, 3, 5, 16] {
        assert_eq!(bits(count, false), whole, "{count}");
        assert_eq!(bits(count, true), whole, "{count} from behind");
    }
}

#[test]
fn adding_is_associative() {
    let parts = shards(3);
    let add = |a: &[Second], b: &[Second]| add_seconds(a.iter().chain(b));
    let [a, b, c] = [0, 1, 2].map(|at: usize| parts[at].seconds.clone());
    assert_eq!(add(&add(&a, &b), &c), add(&a, &add(&b, &c)));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let parts = shards(3);
    assert!(merge(&parts).is_ok());
    assert_eq!(merge(&[]), Err(MergeError::Nothing));
    let missing = merge(&parts[..2]).unwrap_err();
    assert_eq!(missing.to_string(), "shards [2] of 3 are missing");
    let doubled = [parts.as_slice(), &parts[1..2]].concat();
    assert_eq!(
        merge(&doubled),
        Err(MergeError::Doubled { index: 1, count: 3 })
    );
    let with = |change: fn(&mut BenchRun)| {
        let mut changed = parts.clone();
        change(&mut changed[1]);
        merge(&changed).unwrap_err().to_string()
    };
    assert!(with(|part| part.header.seed = "08".to_owned()).contains("the seed"));
    assert!(with(|part| part.header.settings.clear()).contains("a setting"));
    assert!(with(|part| part.header.shard = None).contains("whole run"));
    assert!(with(|part| part.footer = None).contains("no `end` line"));
    let other_count = |part: &mut BenchRun| part.header.shard = Some(Shard { index: 1, count: 4 });
    assert!(with(other_count).contains("number of shards"));
}

/// A run of 60 seconds whose requests take `cost` times as long.
fn single(seed: u64, cost: f64) -> BenchRun {
    let seconds = simulated(60, 60, cost, &mut Draws::new(seed));
    let other = |second: &Second| second.arm == ARMS[1];
    let seconds = seconds.into_iter().filter(other).collect();
    run(header(&[("get", ARMS[1])]), seconds)
}

#[test]
fn runs_are_better_worse_equivalent_or_not_told_apart() {
    let change = |before: &BenchRun, after: &BenchRun, margin: f64| {
        let found = BenchComparison::of(before, after, margin);
        assert_eq!(found.obstacles, [""; 0]);
        let p50 = found
            .rows
            .iter()
            .find(|row| row.measure == Measure::P50)
            .unwrap();
        p50.change
    };
    let (one, same, slow) = (single(1, 1.0), single(2, 1.0), single(3, 1.5));
    assert_eq!(change(&one, &slow, 0.03), Change::Worse);
    assert_eq!(change(&slow, &one, 0.03), Change::Better);
    assert_eq!(change(&one, &same, 0.3), Change::Equivalent);
    // Drift is too strong for a margin this small, and that is no pass.
    assert_eq!(change(&one, &same, 0.0001), Change::Inconclusive);
}

#[test]
fn runs_of_different_questions_are_not_conclusive() {
    let one = single(1, 1.0);
    let wide = BenchComparison::of(&one, &one, 0.9);
    assert!(wide.is_conclusive(), "{wide:?}");
    let mut other = one.clone();
    other
        .header
        .settings
        .insert("size".to_owned(), "1MiB".to_owned());
    let found = BenchComparison::of(&one, &other, 0.9);
    assert_eq!(found.obstacles, ["size was 4KiB and is 1MiB"]);
    assert!(!found.is_conclusive());
    let mut killed = one.clone();
    killed.footer = None;
    assert!(!BenchComparison::of(&killed, &one, 0.9).is_conclusive());
}
