//! What requests came to, folded into histograms at once: one tally a thread, cut by the second.
//!
//! A tally never holds a sample; it holds counts, so that a run of any length needs the same
//! memory. Whole seconds are taken out by the runner and added up over the threads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::HeaderValue;
use reports::bench::record::{Phase, Second};
use reports::histogram::{Histogram, Packed};

use super::schedule::Arrival;

/// Slowest requests that each thread keeps.
pub const MOST_SLOW: usize = 20;
/// Classes of failure that a run tells apart: a target chooses its codes, and may choose a new one
/// each time.
pub const MOST_CLASSES: usize = 64;
/// The class of the failures beyond those.
const OTHERS: &str = "others";
/// Damaged bodies that each thread tells one by one; more are counted only.
pub const MOST_DAMAGE: usize = 100;

/// What one request came to.
pub struct Sample {
    /// Index into the run's series.
    pub series: usize,
    pub warmup: bool,
    pub step: Option<u32>,
    /// When it ended, from the start of the load.
    pub ended: Duration,
    /// Bytes of the object's body, or the class of failure.
    pub outcome: Result<u64, String>,
    pub response: Duration,
    pub service: Duration,
    /// How long each phase took, in the order of [`Phase::ALL`]; `None` where there was none.
    pub phases: [Option<Duration>; 6],
    pub object: u64,
    /// Index into the run's routes.
    pub route: usize,
    /// Whether the connection had carried a request before.
    pub reused: bool,
    pub ids: Ids,
    pub damage: Option<(u64, String)>,
}

/// What the target calls the request; its words, so redacted before they are written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    pub request: Option<HeaderValue>,
    pub extended: Option<HeaderValue>,
}

/// Which line of the record a count belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    pub second: u32,
    pub series: usize,
    pub warmup: bool,
    pub step: Option<u32>,
}

/// Counts of one slot.
#[derive(Default)]
pub struct Counts {
    pub ok: u64,
    pub failed: BTreeMap<String, u64>,
    pub unserved: u64,
    pub bytes: u64,
    pub busy_us: u64,
    pub response: Histogram,
    pub service: Histogram,
    pub failed_response: BTreeMap<String, Histogram>,
    pub unserved_wait: Option<Histogram>,
    pub phases: [Option<Histogram>; 6],
}

impl Counts {
    fn add(&mut self, sample: &Sample) {
        self.busy_us += micros(sample.service);
        match &sample.outcome {
            Ok(bytes) => {
                self.ok += 1;
                self.bytes += bytes;
                self.response.record(micros(sample.response));
                self.service.record(micros(sample.service));
                for (histogram, phase) in self.phases.iter_mut().zip(sample.phases) {
                    if let Some(time) = phase {
                        let histogram = histogram.get_or_insert_with(Histogram::new);
                        histogram.record(micros(time));
                    }
                }
            }
            Err(class) => {
                let fits = self.failed.len() < MOST_CLASSES || self.failed.contains_key(class);
                let class: &str = if fits { class } else { OTHERS };
                let late = micros(sample.response);
                // Failures come thickest when the client must stay cheap: only a new class allocates.
                match self.failed.get_mut(class) {
                    Some(count) => *count += 1,
                    None => drop(self.failed.insert(class.to_owned(), 1)),
                }
                match self.failed_response.get_mut(class) {
                    Some(histogram) => histogram.record(late),
                    None => {
                        let histogram = self.failed_response.entry(class.to_owned());
                        histogram.or_default().record(late);
                    }
                }
            }
        }
    }

    /// Adds what another thread counted.
    pub fn merge(&mut self, other: &Self) {
        self.ok += other.ok;
        self.unserved += other.unserved;
        self.bytes += other.bytes;
        self.busy_us += other.busy_us;
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        for (class, count) in &other.failed {
            *self.failed.entry(class.clone()).or_default() += count;
        }
        for (class, histogram) in &other.failed_response {
            self.failed_response
                .entry(class.clone())
                .or_default()
                .merge(histogram);
        }
        if let Some(wait) = &other.unserved_wait {
            self.unserved_wait
                .get_or_insert_with(Histogram::new)
                .merge(wait);
        }
        for (ours, theirs) in self.phases.iter_mut().zip(&other.phases) {
            if let Some(theirs) = theirs {
                ours.get_or_insert_with(Histogram::new).merge(theirs);
            }
        }
    }

    /// Requests that were sent and found their end, well or not.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.ok + self.failed.values().sum::<u64>()
    }

    /// Notes an arrival that nobody served, and how long it had waited.
    pub fn unserved(&mut self, waited: Duration) {
        self.unserved += 1;
        let histogram = self.unserved_wait.get_or_insert_with(Histogram::new);
        histogram.record(micros(waited));
    }

    /// The line of the record.
    #[must_use]
    pub fn line(&self, slot: Slot, op: &str, arm: &str) -> Second {
        let failures: u64 = self.failed.values().sum();
        let phases = Phase::ALL.into_iter().zip(&self.phases);
        Second {
            second: slot.second,
            op: op.to_owned(),
            arm: arm.to_owned(),
            step: slot.step,
            warmup: slot.warmup,
            attempted: self.ok + failures + self.unserved,
            ok: self.ok,
            failed: self.failed.clone(),
            unserved: self.unserved,
            bytes: self.bytes,
            busy_us: self.busy_us,
            response: Packed::of(&self.response),
            service: Packed::of(&self.service),
            failed_response: self
                .failed_response
                .iter()
                .map(|(class, histogram)| (class.clone(), Packed::of(histogram)))
                .collect(),
            unserved_wait: self.unserved_wait.as_ref().map(Packed::of),
            phases: phases
                .filter_map(|(phase, histogram)| Some((phase, Packed::of(histogram.as_ref()?))))
                .collect(),
        }
    }
}

/// The classes of failure that a run has seen.
#[derive(Default)]
pub struct Classes(BTreeSet<String>);

impl Classes {
    /// Counts what is of none of the first [`MOST_CLASSES`] classes of the run as "others".
    pub fn bound(&mut self, second: &mut Second) {
        let known = &mut self.0;
        for class in second.failed.keys().filter(|class| *class != OTHERS) {
            if known.len() < MOST_CLASSES {
                known.insert(class.clone());
            }
        }
        let beyond = |class: &String| class != OTHERS && !known.contains(class);
        let beyond: Vec<String> = second
            .failed
            .keys()
            .filter(|c| beyond(c))
            .cloned()
            .collect();
        for class in beyond {
            let number = second.failed.remove(&class).unwrap_or(0);
            *second.failed.entry(OTHERS.to_owned()).or_default() += number;
            let others = second.failed_response.remove(OTHERS).unwrap_or_default();
            let mut merged = others.unpack();
            if let Some(response) = second.failed_response.remove(&class) {
                merged.merge(&response.unpack());
            }
            let merged = Packed::of(&merged);
            second.failed_response.insert(OTHERS.to_owned(), merged);
        }
    }
}

/// What one endpoint answered, warm-up left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered {
    pub ok: u64,
    pub failed: u64,
}

/// The same of each endpoint, by its index in the run's routes.
pub type ByRoute = BTreeMap<usize, Answered>;

/// Adds what was counted elsewhere.
pub fn add_routes(ours: &mut ByRoute, theirs: &ByRoute) {
    for (route, answered) in theirs {
        let sum = ours.entry(*route).or_default();
        sum.ok += answered.ok;
        sum.failed += answered.failed;
    }
}

/// The tally of one thread.
#[derive(Default)]
pub struct Tally {
    pub routes: ByRoute,
    cuts: Vec<(Slot, Counts)>,
    /// The slowest first.
    slow: Vec<Sample>,
    damage: Vec<Sample>,
    /// How late the schedule's timer woke this thread's streams.
    pub lateness: Histogram,
}

impl Tally {
    /// Takes a sample in.
    pub fn add(&mut self, sample: Sample) {
        let slot = Slot {
            second: u32::try_from(sample.ended.as_secs()).unwrap_or(u32::MAX),
            series: sample.series,
            warmup: sample.warmup,
            step: sample.step,
        };
        self.counts(slot).add(&sample);
        if sample.warmup {
            return;
        }
        let route = self.routes.entry(sample.route).or_default();
        match sample.outcome {
            Ok(_) => route.ok += 1,
            Err(_) => route.failed += 1,
        }
        if sample.damage.is_some() {
            if self.damage.len() < MOST_DAMAGE {
                self.damage.push(sample);
            }
            return;
        }
        self.keep_if_slow(sample);
    }

    /// Notes an arrival that nobody served and that had waited so long when the run ended.
    pub fn unserved(&mut self, arrival: &Arrival, series: usize, now: Duration, waited: Duration) {
        let slot = Slot {
            second: u32::try_from(now.as_secs()).unwrap_or(u32::MAX),
            series,
            warmup: arrival.warmup,
            step: arrival.step,
        };
        self.counts(slot).unserved(waited);
    }

    fn counts(&mut self, slot: Slot) -> &mut Counts {
        let known = self.cuts.iter().rposition(|(known, _)| *known == slot);
        let index = known.unwrap_or_else(|| {
            self.cuts.push((slot, Counts::default()));
            self.cuts.len() - 1
        });
        &mut self.cuts[index].1
    }

    fn keep_if_slow(&mut self, sample: Sample) {
        let full = self.slow.len() >= MOST_SLOW;
        if full
            && self
                .slow
                .last()
                .is_some_and(|least| least.response >= sample.response)
        {
            return;
        }
        let at = self
            .slow
            .partition_point(|kept| kept.response >= sample.response);
        self.slow.insert(at, sample);
        self.slow.truncate(MOST_SLOW);
    }

    /// Takes out what belongs to seconds before `second`.
    pub fn take_before(&mut self, second: u32) -> Vec<(Slot, Counts)> {
        let (taken, kept) = std::mem::take(&mut self.cuts)
            .into_iter()
            .partition(|(slot, _)| slot.second < second);
        self.cuts = kept;
        taken
    }

    /// Takes out the slowest requests and the damaged ones.
    pub fn take_kept(&mut self) -> (Vec<Sample>, Vec<Sample>) {
        (
            std::mem::take(&mut self.slow),
            std::mem::take(&mut self.damage),
        )
    }
}

/// Whole microseconds, at least one: a histogram has no place for nothing.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ended_ms: u64, response_us: u64, outcome: Result<u64, String>) -> Sample {
        Sample {
            series: 0,
            warmup: false,
            step: None,
            ended: Duration::from_millis(ended_ms),
            outcome,
            response: Duration::from_micros(response_us),
            service: Duration::from_micros(response_us / 2),
            phases: [None; 6],
            object: 0,
            route: 0,
            reused: true,
            ids: Ids::default(),
            damage: None,
        }
    }

    #[test]
    fn failed_requests_move_no_bytes_and_have_latencies_of_their_own() {
        let mut tally = Tally::default();
        tally.add(sample(100, 500, Ok(1024)));
        tally.add(sample(200, 9, Err("503 SlowDown".to_owned())));
        let cuts = tally.take_before(1);
        let line = cuts[0].1.line(cuts[0].0, "get", "plain");
        assert_eq!((line.attempted, line.ok, line.bytes), (2, 1, 1024));
        assert_eq!(line.failed["503 SlowDown"], 1);
        assert_eq!(line.response.unpack().count(), 1);
        assert_eq!(line.failed_response["503 SlowDown"].unpack().max(), 9);
        assert!(tally.take_before(1).is_empty());
    }

    #[test]
    fn samples_belong_to_the_second_in_which_they_ended() {
        let mut tally = Tally::default();
        for ms in [999, 1000, 1001] {
            tally.add(sample(ms, 10, Ok(1)));
        }
        let first = tally.take_before(1);
        assert_eq!((first.len(), first[0].1.ok), (1, 1));
        let second = tally.take_before(2);
        assert_eq!((second.len(), second[0].1.ok), (1, 2));
    }

    #[test]
    fn the_slowest_are_kept_and_no_more() {
        let mut tally = Tally::default();
        for number in 0..10_000u64 {
            tally.add(sample(10, number * 7919 % 10_000, Ok(1)));
        }
        let (slow, _) = tally.take_kept();
        assert_eq!(slow.len(), MOST_SLOW);
        assert_eq!(slow[0].response, Duration::from_micros(9999));
        assert_eq!(slow[19].response, Duration::from_micros(9980));
    }

    /// A target whose every answer has a code of its own.
    #[test]
    fn classes_of_failure_are_bounded_and_every_failure_is_counted() {
        let mut tally = Tally::default();
        let mut classes = Classes::default();
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        let mut timed = 0;
        for second in 0..5u64 {
            for number in 0..300 {
                let class = format!("500 Code{}", second * 300 + number);
                tally.add(sample(second * 1000 + number, number + 1, Err(class)));
            }
            let (slot, counts) = tally.take_before(u32::MAX).remove(0);
            assert!(counts.failed.len() <= MOST_CLASSES + 1);
            let mut line = counts.line(slot, "get", "plain");
            classes.bound(&mut line);
            for (class, number) in line.failed {
                *told.entry(class).or_default() += number;
            }
            let histograms = line.failed_response.values();
            timed += histograms.map(|one| one.unpack().count()).sum::<u64>();
        }
        assert_eq!(told.len(), MOST_CLASSES + 1);
        assert_eq!(told[OTHERS], 1500 - MOST_CLASSES as u64);
        assert_eq!((told.values().sum::<u64>(), timed), (1500, 1500));
    }

    /// Taken out each second, as the runner does.
    #[test]
    fn a_tally_does_not_grow_with_the_run() {
        let mut tally = Tally::default();
        for second in 0..200u64 {
            for number in 0..100 {
                tally.add(sample(second * 1000 + number, number + 1, Ok(1)));
            }
            let seconds = u32::try_from(second).unwrap();
            assert!(tally.take_before(seconds).len() <= 1);
            assert!(tally.cuts.len() <= 1);
        }
        assert_eq!(tally.slow.len(), MOST_SLOW);
    }
}
