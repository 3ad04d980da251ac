//! Damaged records: each is read or refused, and what is read every renderer shows. Nothing panics,
//! and no page has an image. The same mutants in every run; the long form is `--ignored`.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use reports::bench::compare::BenchComparison;
use reports::bench::record::Step;
use reports::bench::run::BenchRun;
use reports::compare::Comparison;
use reports::histogram::Histogram;
use reports::matrix::{Column, Matrix};
use reports::render::exchanges::{self, Depth};
use reports::render::palette::Palette;
use reports::render::{
    badge, bench, comparison, exposition, github, html, json, junit, markdown, tap, text,
};
use reports::run::Run;

#[path = "bench/simulated.rs"]
mod simulated;

mod mutation;

use mutation::Mutator;
use simulated::{header, histogram, run, second, written};

/// Mutants of each target: in every run, and in the long form.
const SHORT: usize = 1500;
const LONG: usize = 200_000;

fn shown(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn no_image(page: &str) {
    assert!(!page.contains("<img"), "the page has an image");
}

fn golden() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn show_run(run: &Run, before: &Run) {
    for render in [
        badge::render,
        github::render,
        json::render,
        junit::render,
        markdown::render,
        tap::render,
        text::render,
    ] {
        shown(|to| render(run, to));
    }
    no_image(&shown(|to| html::render(run, to)));
    for case in &run.cases {
        shown(|to| exchanges::render(case, Depth::Messages, Palette::Plain, to));
    }
    let columns = [("before", before), ("after", run)].map(|(name, run)| Column { name, run });
    let matrix = Matrix::of(&columns);
    no_image(&shown(|to| html::matrix::render(&matrix, to)));
    shown(|to| markdown::matrix::render(&matrix, to));
    shown(|to| comparison::render(&Comparison::of(before, run), to));
}

fn damaged_runs(rounds: usize) -> String {
    let seeds = golden();
    let before = Run::salvage(seeds[0].as_slice()).unwrap();
    let mut mutator = Mutator::new(1);
    let mut read = 0;
    for _ in 0..rounds {
        let mutant = mutator.mutant(&seeds);
        if let Ok(run) = Run::salvage(mutant.as_slice()) {
            read += 1;
            show_run(&run, &before);
        }
    }
    // Else the renderers saw next to nothing.
    assert!(read > rounds / 20, "{read} of {rounds} were read");
    format!("records of runs, {read} shown | {rounds} | – | – | 0 |")
}

fn bench_seeds() -> Vec<Vec<u8>> {
    let get = ("get", "ssec");
    let plain = ("get", "none");
    let seconds = |number| {
        [
            second(number, get, &[1500; 40]),
            second(number, plain, &[900; 40]),
        ]
    };
    let mut described = header(&[get, plain]);
    described.slo = vec!["get.p50<1ms".to_owned(), "get.p999<1s".to_owned()];
    let mut all: Vec<_> = (0..4).flat_map(seconds).collect();
    all[0].failed.insert("503 SlowDown".to_owned(), 2);
    all[0].attempted += 2;
    let mut whole = run(described, all);
    let step = |number| Step {
        number,
        rate: 100.0,
        from: 2 * number,
        seconds: 2.0,
    };
    whole.steps = vec![step(0), step(1)];
    let short = run(header(&[get]), vec![second(0, get, &[3; 9])]);
    // Without its last line nothing says what the numbers add up to, and others come through.
    let mut killed = whole.clone();
    killed.footer = None;
    vec![written(&whole), written(&killed), written(&short)]
}

fn show_bench(run: &BenchRun, before: &BenchRun) {
    shown(|to| bench::render(run, to));
    shown(|to| markdown::bench::render(run, to));
    no_image(&shown(|to| html::bench::render(run, to)));
    shown(|to| exposition::render(&run.totals(), to));
    shown(|to| run.summary().write(to));
    drop(run.curve().points());
    let compared = BenchComparison::of(before, run, 0.05);
    shown(|to| bench::comparison(&compared, to));
}

fn damaged_bench_runs(rounds: usize) -> String {
    let seeds = bench_seeds();
    let before = BenchRun::read(seeds[0].as_slice()).unwrap();
    let mut mutator = Mutator::new(2);
    let mut read = 0;
    for _ in 0..rounds {
        let mutant = mutator.mutant(&seeds);
        if let Ok(run) = BenchRun::salvage(mutant.as_slice()) {
            read += 1;
            show_bench(&run, &before);
        }
    }
    assert!(read > rounds / 20, "{read} of {rounds} were read");
    format!("records of bench runs, {read} shown | {rounds} | – | – | 0 |")
}

fn damaged_histograms(rounds: usize) -> String {
    let seeds: Vec<Vec<u8>> = [
        histogram(&[]),
        histogram(&[1, 2, 3, 1000, 1_000_000]),
        histogram(&[3_600_000_000; 300]),
    ]
    .iter()
    .map(Histogram::to_v2)
    .collect();
    let mut mutator = Mutator::new(3);
    let mut read = 0;
    for _ in 0..rounds {
        if let Ok(histogram) = Histogram::from_v2(&mutator.mutant(&seeds)) {
            read += 1;
            let again = Histogram::from_v2(&histogram.to_v2()).unwrap();
            assert_eq!(again.count(), histogram.count());
            let counted: u64 = histogram.recorded().map(|(_, times)| times).sum();
            assert_eq!(counted, histogram.count());
            let last = histogram.quantile_unguarded(1.0);
            assert!(last <= histogram.max(), "{last} of {}", histogram.max());
        }
    }
    assert!(read > 0, "none of {rounds} was read");
    format!("histograms, {read} read | {rounds} | – | – | 0 |")
}

#[test]
fn a_damaged_run_is_refused_or_shown() {
    println!("hardening | fuzz: {}", damaged_runs(SHORT));
}

#[test]
fn a_damaged_bench_run_is_refused_or_shown() {
    println!("hardening | fuzz: {}", damaged_bench_runs(SHORT / 5));
}

#[test]
fn a_damaged_histogram_is_refused_or_whole() {
    println!("hardening | fuzz: {}", damaged_histograms(SHORT));
}

#[test]
#[ignore = "the long form: minutes"]
fn many_damaged_records_are_refused_or_shown() {
    println!("hardening | fuzz: {}", damaged_runs(LONG));
    println!("hardening | fuzz: {}", damaged_bench_runs(LONG / 100));
    println!("hardening | fuzz: {}", damaged_histograms(LONG));
}
