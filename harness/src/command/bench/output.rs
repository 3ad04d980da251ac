//! What a run writes: record, summary, text; each line as soon as it is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use reports::bench::curve::{Curve, Point};
use reports::bench::hdr_log::HdrLog;
use reports::bench::paired::{Overhead, overheads};
use reports::bench::record::{
    Damage, Footer, Header, Health, Knee, Line, Phase, Second, Slow, Step,
};
use reports::bench::stream::Writer;
use reports::bench::summary::Summary;
use reports::bench::totals::Totals;
use reports::record::Cleanup;

use super::description::{PROBE, header};
use super::metrics::Metrics;
use super::opening::Opening;
use super::{Failure, Options, World};
use crate::bench::customer_keys::RUN;
use crate::bench::request::DATA;
use crate::bench::runner::{End, Finished, Seconds};
use crate::bench::schedule::Schedule;
use crate::bench::tally::{Classes, MOST_SLOW, Sample, Slot, micros};
use crate::bench::workload::Op;
use crate::clock::Clock;
use crate::command::run_directory::RunDirectory;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::evidence::Redactor;
use crate::exit_code::ExitCode;
use crate::random::Seed;
use crate::ssec::Keyring;

/// The files of a run, and what it came to so far.
pub(super) struct Output {
    clock: Clock,
    directory: Option<RunDirectory>,
    sinks: Vec<(PathBuf, File)>,
    summary: Option<(PathBuf, File)>,
    /// The log of histograms, begun with the load.
    hdr_file: Option<(PathBuf, File)>,
    hdr_log: Option<(PathBuf, HdrLog<File>)>,
    metrics: Option<Metrics>,
    header: Header,
    ops: Vec<Op>,
    totals: Vec<Totals>,
    curve: Curve,
    classes: Classes,
    /// Steps that have begun.
    steps: u32,
    /// The step that all seconds belong to, and the second in which it began, of a search.
    searching: Option<(u32, u32)>,
    knee: Option<Knee>,
    /// The last second that was written.
    last: Option<u32>,
    /// Of a paired run, for the comparison of its arms: counts and response times only.
    paired: Vec<Second>,
    keyring: Arc<Keyring>,
    /// Known once the target is.
    credentials: Option<Credentials>,
}

impl Output {
    /// Makes the files before anything is sent.
    pub(super) fn create(options: &Options, world: &World, seed: Seed) -> Result<Self, Failure> {
        let create = |path: &Option<PathBuf>| -> Result<Option<(PathBuf, File)>, Failure> {
            let Some(path) = path else { return Ok(None) };
            let file = File::create(world.directory.join(path))
                .map_err(|error| Failure::unwritable(path, &error))?;
            Ok(Some((path.clone(), file)))
        };
        let mut sinks: Vec<(PathBuf, File)> = create(&options.record)?.into_iter().collect();
        let summary = create(&options.summary)?;
        let hdr_file = create(&options.hdr_log)?;
        let directory = if options.save {
            let directory = RunDirectory::create(&world.directory, world.clock, seed)?;
            sinks.push((
                directory.name.join("run.jsonl"),
                directory.file("run.jsonl")?,
            ));
            Some(directory)
        } else {
            None
        };
        let header = header(options, world, seed);
        let steps = options.knee.iter().flat_map(|asked| asked.objectives());
        for slo in options.slo.iter().chain(steps) {
            let about_a_series = slo.check(&header);
            about_a_series.map_err(|error| Failure::bad_input(error.to_string()))?;
        }
        let totals = header.series.iter().cloned().map(Totals::new).collect();
        Ok(Self {
            clock: world.clock,
            directory,
            sinks,
            summary,
            hdr_file,
            hdr_log: None,
            metrics: None,
            ops: options.workload.mix.iter().map(|(op, _)| *op).collect(),
            totals,
            curve: Curve::new(&header),
            classes: Classes::default(),
            steps: 0,
            searching: None,
            knee: None,
            last: None,
            header,
            paired: Vec::new(),
            keyring: Arc::clone(&world.keyring),
            credentials: None,
        })
    }

    pub(super) fn journal_file(&self) -> Result<Option<File>, Failure> {
        let directory = self.directory.as_ref();
        Ok(directory
            .map(|directory| directory.file("journal.jsonl"))
            .transpose()?)
    }

    /// Removes the folder of a run that never began.
    pub(super) fn discard(&self) {
        if let Some(directory) = &self.directory {
            directory.discard();
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let mut writer = Writer::new(Vec::new());
        writer.append(line)?;
        let bytes = writer.into_inner();
        if let Some(credentials) = &self.credentials {
            let redactor = Redactor::new(&self.keyring, credentials);
            redactor.scan(&bytes).map_err(Error::from)?;
        }
        for (path, sink) in &mut self.sinks {
            let written = sink.write_all(&bytes).and_then(|()| sink.flush());
            written.map_err(|error| unwritten(path, &error))?;
        }
        Ok(())
    }

    /// Writes the first lines: what is measured, and its steps.
    pub(super) fn header(&mut self, opening: &Opening) -> Result<(), Failure> {
        let routes = opening.routes.iter();
        self.credentials = Some(opening.target().credentials.clone());
        self.header.target.endpoints = if opening.is_bundled() {
            vec!["bundled".to_owned()]
        } else {
            routes.map(|route| route.label.clone()).collect()
        };
        opening
            .target()
            .region
            .clone_into(&mut self.header.target.region);
        self.header.target.server.clone_from(&opening.server);
        self.header.started = self.clock.rfc3339();
        if let Some((path, file)) = self.hdr_file.take() {
            let log = HdrLog::begin(file, self.clock.now());
            let log = log.map_err(|error| unwritten(&path, &error))?;
            self.hdr_log = Some((path, log));
        }
        let line = Line::Header(Box::new(self.header.clone()));
        self.append(&line)
    }

    /// Writes the steps of a staircase.
    pub(super) fn steps(&mut self, schedule: &Schedule) -> Result<(), Failure> {
        let Schedule::Steps { rates, each } = schedule else {
            return Ok(());
        };
        for (number, rate) in (0u32..).zip(rates) {
            let from = u32::try_from((*each * number).as_secs()).unwrap_or(u32::MAX);
            self.step(*rate, from, each.as_secs_f64())?;
        }
        Ok(())
    }

    fn step(&mut self, rate: f64, from: u32, seconds: f64) -> Result<(), Failure> {
        let step = Step {
            number: self.steps,
            rate,
            from,
            seconds,
        };
        self.steps += 1;
        self.curve.step(&step);
        self.append(&Line::Step(step))
    }

    /// The first second that is free for a step which begins that long after the first.
    pub(super) fn next_second(&self, elapsed: Duration) -> u32 {
        let now = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX);
        self.last
            .map_or(now, |last| now.max(last.saturating_add(1)))
    }

    /// Begins a step of a search at that second: all seconds from now on are its own and count from
    /// there.
    pub(super) fn begin_step(&mut self, rate: f64, from: u32, seconds: f64) -> Result<(), Failure> {
        self.searching = Some((self.steps, from));
        self.step(rate, from, seconds)
    }

    /// Writes where a search ended.
    pub(super) fn knee(&mut self, knee: Knee) -> Result<(), Failure> {
        self.append(&Line::Knee(Box::new(knee.clone())))?;
        self.knee = Some(knee);
        Ok(())
    }

    /// Shows the totals of each second there.
    pub(super) fn show(&mut self, metrics: Metrics) {
        metrics.show(&self.totals);
        self.metrics = Some(metrics);
    }

    /// Where a search ended.
    pub(super) const fn found(&self) -> Option<&Knee> {
        self.knee.as_ref()
    }

    /// What was answered at each step.
    pub(super) fn curve(&self) -> Vec<Point> {
        self.curve.points()
    }

    /// Where a slot stands in the record.
    fn placed(&self, slot: Slot) -> Slot {
        match self.searching {
            None => slot,
            Some((step, from)) => Slot {
                second: slot.second.saturating_add(from),
                step: Some(step),
                ..slot
            },
        }
    }

    /// Writes whole seconds; returns their lines.
    pub(super) fn seconds(&mut self, seconds: &Seconds) -> Result<Vec<Second>, Failure> {
        let mut lines = Vec::new();
        for (slot, counts) in seconds {
            let name = self.header.series[slot.series].clone();
            let mut second = counts.line(self.placed(*slot), &name.op, &name.arm);
            self.classes.bound(&mut second);
            self.last = self.last.max(Some(second.second));
            self.curve.fold(&second);
            if let Some((path, log)) = &mut self.hdr_log {
                let written = log.append(&second);
                written.map_err(|error| unwritten(path, &error))?;
            }
            if !second.warmup {
                self.totals[slot.series].fold(&second);
            }
            if self.header.paired.is_some() && !second.warmup {
                self.paired.push(Second {
                    phases: BTreeMap::new(),
                    failed_response: BTreeMap::new(),
                    ..second.clone()
                });
            }
            lines.push(second.clone());
            self.append(&Line::Series(Box::new(second)))?;
        }
        if let Some(metrics) = &self.metrics {
            metrics.show(&self.totals);
        }
        Ok(lines)
    }

    /// Writes the slowest requests and the damaged ones, and returns them.
    pub(super) fn kept(
        &mut self,
        opening: &Opening,
        finished: &Finished,
    ) -> Result<(Vec<Slow>, Vec<Damage>), Failure> {
        let slowest = &finished.slow[..finished.slow.len().min(MOST_SLOW)];
        // The target chose some of the words that are written down now.
        let objects = slowest.iter().chain(&finished.damage);
        for object in objects.map(|one| one.object).collect::<BTreeSet<u64>>() {
            opening.keys.make_known(object, &self.keyring);
        }
        let mut slow = Vec::new();
        for sample in slowest {
            let one = self.slow(opening, sample);
            self.append(&Line::Slow(Box::new(one.clone())))?;
            slow.push(one);
        }
        let mut damage = Vec::new();
        for sample in &finished.damage {
            if let Some(one) = self.damage(opening, sample) {
                self.append(&Line::Damage(Box::new(one.clone())))?;
                damage.push(one);
            }
        }
        Ok((slow, damage))
    }

    fn object(&self, opening: &Opening, sample: &Sample) -> String {
        let arms = self.header.series.len() / (self.ops.len() + usize::from(self.probes()));
        let arm = &self.header.series[sample.series % arms.max(1)].arm;
        let op = self.ops.get(sample.series / arms.max(1));
        let folder = op.and_then(|op| op.writes()).unwrap_or(DATA);
        opening.place.name(arm, folder, sample.object)
    }

    /// What the target called a request, without what it repeats of a secret.
    fn ids(&self, opening: &Opening, sample: &Sample) -> (Option<String>, Option<String>) {
        let redactor = Redactor::new(&self.keyring, &opening.target().credentials);
        let shown = |id: &Option<HeaderValue>| {
            let id = id.as_ref()?;
            Some(redactor.text(id.as_bytes(), RUN))
        };
        (shown(&sample.ids.request), shown(&sample.ids.extended))
    }

    fn probes(&self) -> bool {
        self.header.series.iter().any(|name| name.op == PROBE)
    }

    fn slow(&self, opening: &Opening, sample: &Sample) -> Slow {
        let name = &self.header.series[sample.series];
        let (request_id, extended_id) = self.ids(opening, sample);
        let phases = Phase::ALL.into_iter().zip(sample.phases);
        Slow {
            second: second_of(sample),
            op: name.op.clone(),
            arm: name.arm.clone(),
            endpoint: opening.routes[sample.route].label.clone(),
            object: self.object(opening, sample),
            request_id,
            extended_id,
            failure: sample.outcome.as_ref().err().cloned(),
            bytes: *sample.outcome.as_ref().unwrap_or(&0),
            response_us: micros(sample.response),
            service_us: micros(sample.service),
            reused: sample.reused,
            phases_us: phases
                .filter_map(|(phase, time)| Some((phase, micros(time?))))
                .collect(),
        }
    }

    fn damage(&self, opening: &Opening, sample: &Sample) -> Option<Damage> {
        let (offset, what) = sample.damage.clone()?;
        let name = &self.header.series[sample.series];
        Some(Damage {
            second: second_of(sample),
            op: name.op.clone(),
            arm: name.arm.clone(),
            endpoint: opening.routes[sample.route].label.clone(),
            object: self.object(opening, sample),
            offset,
            what,
            request_id: self.ids(opening, sample).0,
        })
    }

    /// Writes the last lines.
    pub(super) fn end(
        &mut self,
        finished: &Finished,
        health: &Health,
        cleanup: Cleanup,
        exit: ExitCode,
    ) -> Result<Footer, Failure> {
        self.append(&Line::Health(Box::new(health.clone())))?;
        let (attempted, ok) = self.attempted_and_ok();
        let footer = Footer {
            finished: self.clock.rfc3339(),
            measured: finished.measured.as_secs_f64(),
            attempted,
            ok,
            failed: self.failed(),
            unserved: self.totals.iter().map(|totals| totals.unserved).sum(),
            left_out: left_out(&self.header, finished),
            exit: exit.number(),
            interrupted: finished.end == End::Interrupted,
            cleanup,
        };
        self.append(&Line::End(Box::new(footer.clone())))?;
        Ok(footer)
    }

    pub(super) fn attempted_and_ok(&self) -> (u64, u64) {
        let sum = |of: fn(&Totals) -> u64| self.totals.iter().map(of).sum();
        (sum(|totals| totals.attempted), sum(|totals| totals.ok))
    }

    pub(super) fn failed(&self) -> u64 {
        self.totals.iter().map(Totals::failures).sum()
    }

    pub(super) fn totals(&self) -> &[Totals] {
        &self.totals
    }

    /// What the second arm costs, where there are two.
    pub(super) fn overheads(&self) -> Vec<Overhead> {
        overheads(&self.header, &self.paired)
    }

    pub(super) const fn header_line(&self) -> &Header {
        &self.header
    }

    pub(super) fn totals_so_far(&self, health: Option<&Health>) -> Summary {
        Summary::of(&self.totals, health)
    }

    pub(super) fn summary(&mut self, summary: &Summary) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.summary else {
            return Ok(());
        };
        summary
            .write(file)
            .map_err(|error| Failure::unwritable(path, &error))
    }

    /// Points `latest` to the run and tells where it is.
    pub(super) fn close(self, out: &mut dyn Write, notes: &mut dyn Write) -> Result<(), Failure> {
        if let Some(directory) = &self.directory {
            if let Err(error) = directory.make_latest() {
                writeln!(notes, "note: .ssec/latest could not be moved: {error}")?;
            }
            writeln!(out, "{}", directory.name.display())?;
        }
        Ok(())
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unwritable(path, error).hint("is the disk full? the samples so far are in the summary")
}

fn second_of(sample: &Sample) -> u32 {
    u32::try_from(sample.ended.as_secs()).unwrap_or(u32::MAX)
}

/// What was not measured.
fn left_out(header: &Header, finished: &Finished) -> Vec<String> {
    let mut left_out = Vec::new();
    if header.schedule.warmup > 0.0 {
        left_out.push(format!("the first {} s, warm-up", header.schedule.warmup));
    }
    let endpoints = header.target.endpoints.iter().enumerate();
    for (route, endpoint) in endpoints {
        let answered = finished.routes.get(&route);
        if let Some(answered) = answered.filter(|one| one.ok == 0 && one.failed > 0) {
            let failed = answered.failed;
            left_out.push(format!("{endpoint}: all of its {failed} requests failed"));
        }
    }
    if finished.end != End::Whole {
        left_out.push("what was still to come when the run ended early".to_owned());
    }
    left_out
}
