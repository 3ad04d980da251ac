//! `ssec bench --self-test`: the tool measures a server whose faults are known, so that a user can
//! see on his own machine that it tells what happened.

use std::io::Write;
use std::time::Duration;

use clap::Parser;
use reports::bench::summary::SeriesSummary;

use super::{Arguments, Concluded, Failure, World, measure};
use crate::bench::null_server::{Faults, NullServer};
use crate::bench::pool::Pool;
use crate::command::Terminal;
use crate::environment::Environment;
use crate::exit_code::ExitCode;
use crate::random::Seed;

/// The flags of one measurement, read as the command line is.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    arguments: Arguments,
}

/// One thing that a measurement must say.
struct Line {
    what: &'static str,
    expected: String,
    measured: String,
    right: bool,
}

impl Line {
    fn equal(what: &'static str, expected: u64, measured: u64) -> Self {
        Self {
            what,
            expected: expected.to_string(),
            measured: measured.to_string(),
            right: expected == measured,
        }
    }

    /// Within a share of what is expected.
    fn near(what: &'static str, expected_us: u64, measured_us: Option<u64>, share: f64) -> Self {
        let ms = |us: u64| format!("{}.{:03} ms", us / 1000, us % 1000);
        let percent = share * 100.0;
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a short run")]
        let off = measured_us.map(|us| (us as f64 - expected_us as f64).abs() / expected_us as f64);
        Self {
            what,
            expected: format!("{} ± {percent:.0} %", ms(expected_us)),
            measured: measured_us.map_or_else(|| "n/a".to_owned(), ms),
            right: off.is_some_and(|off| off <= share),
        }
    }
}

/// What there was to be seen of one measurement.
struct Seen<'a> {
    concluded: &'a Concluded,
    series: &'a SeriesSummary,
    server: &'a NullServer,
    /// GETs that the server answered for the load alone.
    gets: u64,
}

struct Trial {
    name: &'static str,
    faults: Faults,
    flags: &'static [&'static str],
    lines: fn(&Seen<'_>) -> Vec<Line>,
}

const STALL: &str = "stands still 1 s in 5";

#[expect(clippy::too_many_lines, reason = "a table, one entry a fault")]
fn trials() -> Vec<Trial> {
    let none = Faults::default();
    vec![
        Trial {
            name: STALL,
            faults: Faults {
                stall: Some((Duration::from_secs(5), Duration::from_secs(1))),
                ..none
            },
            flags: &["--rate=400", "--duration=10s", "--concurrency=512"],
            lines: |seen| {
                let p99 = seen.series.response_us.p99;
                let mut lines = vec![Line::near("p99 response", 950_000, p99, 0.02)];
                lines.push(Line::equal("attempted", 4000, seen.series.attempted));
                lines.extend(sums(seen));
                lines
            },
        },
        Trial {
            name: "answers after 50 ms, four streams, 200 requests a second",
            faults: Faults {
                slow: Some(Duration::from_millis(50)),
                ..none
            },
            flags: &["--rate=200", "--duration=3s", "--concurrency=4"],
            lines: |seen| {
                let mut lines = vec![Line::equal("attempted", 600, seen.series.attempted)];
                lines.extend(sums(seen));
                lines.push(Line {
                    what: "unserved",
                    expected: "about 360: 4 streams serve 80 a second".to_owned(),
                    measured: seen.series.unserved.to_string(),
                    right: (340..=420).contains(&seen.series.unserved),
                });
                lines
            },
        },
        Trial {
            name: "fails every tenth read",
            faults: Faults {
                fail: Some(10),
                ..none
            },
            flags: &["--requests=1000", "--concurrency=4"],
            lines: |seen| {
                let mut lines = vec![Line::equal("failed", 100, seen.series.failed)];
                lines.push(Line::equal("bytes", 900 * 4096, seen.series.bytes));
                lines.extend(sums(seen));
                lines
            },
        },
        Trial {
            name: "throttles every fourth read",
            faults: Faults {
                throttle: Some(4),
                ..none
            },
            flags: &["--requests=1000", "--concurrency=4"],
            lines: |seen| {
                let mut lines = vec![Line::equal("failed", 250, seen.series.failed)];
                lines.push(Line::equal("requests on the wire", 1000, seen.gets));
                lines.extend(sums(seen));
                lines
            },
        },
        Trial {
            name: "flips one bit in one of 10,000 reads",
            faults: Faults {
                corrupt: Some(5000),
                ..none
            },
            flags: &["--requests=9999", "--concurrency=4"],
            lines: |seen| {
                let found = &seen.concluded.damage;
                let mut lines = vec![Line::equal("damaged bodies", 1, found.len() as u64)];
                let told = found.first().map_or_else(String::new, |one| {
                    format!("byte {} of {}: {}", one.offset, one.object, one.what)
                });
                lines.push(Line {
                    what: "named",
                    expected: "byte 2048, one bit flipped".to_owned(),
                    right: told.starts_with("byte 2048 of") && told.ends_with("1 bit flipped"),
                    measured: told,
                });
                let exit = seen.concluded.exit.number();
                lines.push(Line::equal("exit code", 1, u64::from(exit)));
                lines
            },
        },
        Trial {
            name: "cuts every fifth read in half",
            faults: Faults {
                truncate: Some(5),
                ..none
            },
            flags: &["--requests=500", "--concurrency=4"],
            lines: |seen| {
                let mut lines = vec![Line::equal("failed", 100, seen.series.failed)];
                lines.push(Line::equal("bytes", 400 * 4096, seen.series.bytes));
                lines.extend(sums(seen));
                lines
            },
        },
    ]
}

/// Every arrival ends in one bin, and nothing is left on the server.
fn sums(seen: &Seen<'_>) -> Vec<Line> {
    let series = seen.series;
    let sum = series.ok + series.failed + series.unserved;
    vec![
        Line::equal("ok + failed + unserved", series.attempted, sum),
        Line::equal("objects left behind", 0, seen.server.objects() as u64),
    ]
}

/// Measures each fault and writes expected beside measured.
///
/// # Errors
/// When a measurement cannot be made at all.
pub(super) fn self_test(world: &World, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let mut wrong = 0;
    for trial in trials() {
        writeln!(out, "a server that {}", trial.name)?;
        for line in run(&trial, world)? {
            let mark = if line.right { "ok   " } else { "WRONG" };
            writeln!(
                out,
                "  {mark} {:24} expected {:32} measured {}",
                line.what, line.expected, line.measured
            )?;
            wrong += u32::from(!line.right);
        }
        out.flush()?;
    }
    if wrong == 0 {
        writeln!(out, "the tool told what happened")?;
        return Ok(ExitCode::AsExpected);
    }
    writeln!(
        out,
        "{wrong} lines are wrong: do not trust measurements of this machine as it is"
    )?;
    Ok(ExitCode::Broken)
}

fn run(trial: &Trial, world: &World) -> Result<Vec<Line>, Failure> {
    let seed = Seed::fresh();
    let server = NullServer::start(Pool::new(seed), trial.faults)
        .map_err(|error| Failure::bad_input(format!("cannot start the null server: {error}")))?;
    let endpoint = format!("http://{}", server.address);
    let seed = seed.to_string();
    let common = [
        "bench",
        "--op=get",
        "--no-save",
        "--seed",
        &seed,
        "--endpoint",
        &endpoint,
    ];
    let flags = Flags::try_parse_from(common.iter().chain(trial.flags))
        .map_err(|error| Failure::bad_input(error.to_string()))?;
    let inner = World {
        environment: Environment::of([
            ("AWS_ACCESS_KEY_ID", "null"),
            ("AWS_SECRET_ACCESS_KEY", "null"),
        ]),
        clock: world.clock,
        keyring: std::sync::Arc::clone(&world.keyring),
        directory: world.directory.clone(),
        terminal: Terminal::No,
        palette: reports::render::palette::Palette::Plain,
    };
    let (mut text, mut notes) = (Vec::new(), Vec::new());
    let options = flags.arguments.options(&inner.environment)?;
    let concluded = measure(&options, &inner, &mut text, &mut notes)?;
    let series = concluded
        .summary
        .series
        .first()
        .ok_or_else(|| Failure::bad_input("the measurement has no series"))?;
    Ok((trial.lines)(&Seen {
        concluded: &concluded,
        series,
        gets: server.gets(),
        server: &server,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::ssec::Keyring;

    /// All trials but the one that is about time.
    #[test]
    fn every_arrival_is_accounted_for_whatever_the_server_does() {
        let world = World {
            environment: Environment::default(),
            clock: Clock::system(),
            keyring: std::sync::Arc::new(Keyring::new()),
            directory: std::env::temp_dir(),
            terminal: Terminal::No,
            palette: reports::render::palette::Palette::Plain,
        };
        for trial in trials().iter().filter(|trial| trial.name != STALL) {
            for line in run(trial, &world).unwrap() {
                let timed = line.what == "unserved";
                assert!(
                    line.right || timed,
                    "{}: {}: expected {}, measured {}",
                    trial.name,
                    line.what,
                    line.expected,
                    line.measured
                );
            }
        }
    }
}
