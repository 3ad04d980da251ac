//! Recorded runs on their way in, and what is rendered from them on its way out.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::path::Path;

use reports::bench::run::BenchRun;
use reports::bench::stream::is_bench;
use reports::run::Run;

use super::{Failure, World, run_directory};
use crate::exit_code::ExitCode;
use crate::problem::Problem;

/// Reads a conformance run that the user names, as [`read_either`] does.
///
/// # Errors
/// When there is no such run, or it is no record of trials.
pub fn read(name: &str, world: &World) -> Result<Run, Failure> {
    match read_either(name, world)? {
        Recorded::Conformance(run) => Ok(*run),
        Recorded::Bench(_) => Err(Failure::new(
            Problem::Record,
            format!("{name} is a bench record: it holds no trials"),
        )),
    }
}

/// A record of either kind.
pub enum Recorded {
    Conformance(Box<Run>),
    Bench(Box<BenchRun>),
}

/// Reads a record of whichever kind its first line says. One that lacks its end is read as far as
/// it goes; each report says so, and [`judged`] keeps it from ending well.
///
/// # Errors
/// When there is no such run, or it is no record.
pub fn read_either(name: &str, world: &World) -> Result<Recorded, Failure> {
    let path = run_directory::find(&world.directory, name, "run.jsonl")?;
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(Problem::Record, format!("{}: {error}", path.display()))
    };
    let file = File::open(&path).map_err(|error| unreadable(&error))?;
    let mut source = BufReader::new(file);
    if is_bench(source.fill_buf().map_err(|error| unreadable(&error))?) {
        let run = BenchRun::salvage(source).map_err(|error| unreadable(&error))?;
        return Ok(Recorded::Bench(Box::new(run)));
    }
    let run = Run::salvage(source).map_err(|error| unreadable(&error))?;
    Ok(Recorded::Conformance(Box::new(run)))
}

/// What the records alone make of an exit code: an incomplete one judges nothing.
#[must_use]
pub fn judged(runs: &[&Run]) -> ExitCode {
    if runs.iter().all(|run| run.is_complete()) {
        ExitCode::AsExpected
    } else {
        ExitCode::CannotJudge
    }
}

/// Writes a file whole.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    path: &Path,
    world: &World,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let written = File::create(world.directory.join(path)).and_then(|file| {
        let mut file = BufWriter::new(file);
        render(&mut file)?;
        file.flush()
    });
    written.map_err(|error| Failure::unwritable(path, &error))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::sync::Arc;

    use reports::histogram::{Histogram, Packed};
    use tempfile::TempDir;

    use super::super::{Terminal, World};
    use crate::clock::Clock;
    use crate::environment::Environment;
    use crate::ssec::Keyring;

    const GOOD: &str = include_str!("../../../reports/tests/golden/all-pass.jsonl");
    const BAD: &str = include_str!("../../../reports/tests/golden/one-failure.jsonl");

    /// A directory with two runs, and a third one that was killed.
    fn runs() -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let killed: Vec<&str> = GOOD.lines().take(3).collect();
        for (name, text) in [("good", GOOD), ("bad", BAD), ("killed", &killed.join("\n"))] {
            let run = directory.path().join(name);
            fs::create_dir(&run).unwrap();
            fs::write(run.join("run.jsonl"), text).unwrap();
        }
        directory
    }

    fn world(directory: &TempDir) -> World {
        World {
            environment: Environment::default(),
            clock: Clock::system(),
            keyring: Arc::new(Keyring::new()),
            directory: directory.path().to_owned(),
            terminal: Terminal::No,
            palette: reports::render::palette::Palette::Plain,
        }
    }

    /// The exit code, standard output and standard error of `ssec ARGUMENTS`.
    fn ssec(directory: &TempDir, arguments: &str) -> (u8, String, String) {
        let world = world(directory);
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let words = format!("ssec {arguments}");
        let words = words.split(' ').map(OsString::from);
        let code = crate::cli::run(words, &world, &mut out, &mut notes);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code.number(), text(out), text(notes))
    }

    #[track_caller]
    fn check(arguments: &str, code: u8, says: &str) {
        let (found, out, notes) = ssec(&runs(), arguments);
        assert_eq!(found, code, "{arguments}\n{out}{notes}");
        assert!(
            format!("{out}{notes}").contains(says),
            "{arguments}\n{out}{notes}"
        );
    }

    #[test]
    fn a_comparison_fails_only_for_the_worse() {
        check("compare good good", 0, "5 the same");
        check("compare good bad", 0, "new (1)");
        check("compare bad good", 1, "vanished (1)");
        check("compare good killed", 1, "the run after is incomplete");
        check("compare killed killed", 3, "the run before is incomplete");
        check("compare good nowhere", 2, "there is no run nowhere");
    }

    #[test]
    fn a_matrix_names_its_columns() {
        check("matrix good/run.jsonl Mine=bad", 0, "| **Mine** |");
        check("matrix good killed", 3, "is incomplete");
        check("matrix", 2, "required");
        check("matrix =good", 2, "NAME=RUN");
    }

    #[test]
    fn a_matrix_goes_to_files() {
        let directory = runs();
        let (code, out, _) = ssec(&directory, "matrix good bad --markdown m.md --html m.html");
        assert_eq!((code, out.as_str()), (0, ""));
        for (file, start) in [
            ("m.md", "# SSE-C, target by target"),
            ("m.html", "<!DOCTYPE html>"),
        ] {
            let text = fs::read_to_string(directory.path().join(file)).unwrap();
            assert!(text.starts_with(start), "{file}");
        }
    }

    #[test]
    fn a_report_takes_every_form_from_the_record_alone() {
        let directory = runs();
        let forms = "--html r.html --junit r.xml --markdown r.md --badge r.json --tap r.tap";
        let (code, out, _) = ssec(&directory, &format!("report bad {forms}"));
        assert_eq!((code, out.as_str()), (0, ""));
        for (file, start) in [
            ("r.html", "<!DOCTYPE html>"),
            ("r.xml", "<?xml"),
            ("r.md", "## SSE-C: not conformant"),
            ("r.json", "{\"schemaVersion\":1"),
            ("r.tap", "TAP version 14"),
        ] {
            let text = fs::read_to_string(directory.path().join(file)).unwrap();
            assert!(text.starts_with(start), "{file}");
        }
        check("report good", 0, "conformant");
        check("report good bad --html x.html", 2, "ssec matrix");
        check("report nowhere", 2, "there is no run nowhere");
    }

    #[test]
    fn a_bench_record_is_told_by_its_first_line() {
        let directory = runs();
        for (name, index, seconds) in [("b0", 0, 2), ("b1", 1, 3)] {
            let record = bench(index, seconds);
            fs::write(directory.path().join(name), record).unwrap();
        }
        let (code, out, _) = ssec(&directory, "report b0");
        assert_eq!(code, 0, "{out}");
        assert!(out.contains("shard 0 of 2"), "{out}");
        let (code, out, _) = ssec(&directory, "report b1 b0 --summary s.json");
        assert_eq!(code, 0, "{out}");
        let summary = fs::read_to_string(directory.path().join("s.json")).unwrap();
        assert!(summary.contains("\"attempted\": 5"), "{summary}");
        let (code, out, notes) = ssec(&directory, "report b0 b0");
        assert_eq!(code, 2, "{out}{notes}");
        assert!(notes.contains("shard 0 of 2 is there twice"), "{notes}");
        let (code, _, notes) = ssec(&directory, "report b0 good");
        assert_eq!(code, 2, "{notes}");
        let (code, _, notes) = ssec(&directory, "report b0 --junit x.xml");
        assert_eq!((code, notes.contains("--junit")), (2, true), "{notes}");
        let (code, out, notes) = ssec(&directory, "report b0 --html b.html --markdown b.md");
        assert_eq!((code, out.as_str()), (0, ""), "{notes}");
        for (file, holds) in [("b.html", "What was measured"), ("b.md", "| get/ssec |")] {
            let text = fs::read_to_string(directory.path().join(file)).unwrap();
            assert!(text.contains(holds), "{text}");
        }
        check("report good --summary s.json", 2, "bench");
        for (slo, expected) in [
            ("get.max<2ms", 0),
            ("get.max<1ms", 1),
            ("get.p50<2ms", 3),
            ("put.max<2ms", 2),
            ("nonsense", 2),
        ] {
            let (code, out, notes) = ssec(&directory, &format!("report b0 --slo {slo}"));
            assert_eq!(code, expected, "{slo}: {out}{notes}");
        }
        let (code, out, _) = ssec(&directory, "compare b0 b1");
        assert_eq!(code, 3, "{out}");
        assert!(out.contains("inconclusive get/ssec p50"), "{out}");
        assert_eq!(ssec(&directory, "compare b0 good").0, 2);
        let (code, _, notes) = ssec(&directory, "matrix good b0");
        assert_eq!(code, 2, "{notes}");
        assert!(notes.contains("b0 is a bench record"), "{notes}");
    }

    /// The record of one shard of two that did `number` requests of one second.
    fn bench(index: u32, number: u64) -> String {
        let mut times = Histogram::new();
        times.record_many(1000, number);
        let times = serde_json::to_string(&Packed::of(&times)).unwrap();
        let bins = format!(r#""attempted":{number},"ok":{number},"unserved":0"#);
        let header = r#"{"kind":"bench","format":1,"tool":{"name":"ssec","version":"0"},"target":{"endpoints":["bundled"],"region":"r","style":"path"},"seed":"07","schedule":{"model":"open","concurrency":1,"warmup":0.0},"series":[{"op":"get","arm":"ssec"}],"settings":{},"started":"t""#;
        format!(
            "{header},\"shard\":{{\"index\":{index},\"count\":2}}}}\n\
             {{\"kind\":\"series\",\"second\":0,\"op\":\"get\",\"arm\":\"ssec\",{bins},\"bytes\":0,\"busy_us\":1,\"response\":{times},\"service\":{times}}}\n\
             {{\"kind\":\"end\",\"finished\":\"t\",\"measured\":1.0,{bins},\"failed\":0,\"exit\":0,\"interrupted\":false,\"cleanup\":{{\"created\":0,\"removed\":0,\"left\":[]}}}}\n"
        )
    }

    #[test]
    fn half_a_run_is_reported_as_half_a_run() {
        check("report killed", 3, "incomplete");
        check("report killed --github", 3, "::error");
    }

    #[test]
    fn a_github_job_gets_annotations_and_a_summary() {
        let directory = runs();
        let world = |directory: &TempDir| World {
            environment: Environment::of([("GITHUB_STEP_SUMMARY", "summary.md")]),
            ..world(directory)
        };
        let mut out = Vec::new();
        for _ in 0..2 {
            let words = ["ssec", "report", "bad", "--github"].map(OsString::from);
            let mut notes = Vec::new();
            crate::cli::run(words, &world(&directory), &mut out, &mut notes);
        }
        assert!(out.starts_with(b"::error file=scenarios/suites/"));
        let summary = fs::read_to_string(directory.path().join("summary.md")).unwrap();
        // A job's steps share the file, so each adds to it.
        assert_eq!(summary.matches("## SSE-C: not conformant").count(), 2);
    }
}
