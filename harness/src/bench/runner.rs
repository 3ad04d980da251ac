//! One run of load: threads, their streams and connections, the clock's start, the seconds.
//!
//! Each thread has a runtime of its own and shares nothing with the others on the way of a request
//! but the schedule. Connections are made before the clock starts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reports::histogram::Histogram;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use super::connection::{Connection, Route};
use super::health::Reading;
use super::request::Requests;
use super::schedule::Schedule;
use super::tally::{ByRoute, Counts, Sample, Slot, Tally, add_routes, micros};
use super::timer::{Deadline, Timer};
use super::worker::{Shared, Stream};
use crate::clock::Stopwatch;

/// How long one connection may take before the clock starts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often one is tried before the clock starts; a full backlog loses some.
const CONNECT_TRIES: u32 = 4;
/// Connections of one thread that are being made at a time.
const CONNECTING: usize = 16;
/// How long after a second's end it is taken from the threads: all of its samples are in by then.
const SETTLE: Duration = Duration::from_millis(150);
/// Seconds in a row with nothing but broken connections, after which the target has died.
const DEAD_SECONDS: u32 = 10;
/// How often a thread without a schedule looks how late its timer is.
const TICK: Duration = Duration::from_millis(20);

/// Everything of a run.
pub struct Load<'a> {
    pub shared: Arc<Shared>,
    pub schedule: Schedule,
    pub concurrency: usize,
    pub threads: usize,
    pub warmup: Duration,
    /// What a thread makes its requests of.
    pub requests: &'a (dyn Fn() -> Requests + Sync),
}

/// Why a run that began ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As its schedule says.
    Whole,
    Interrupted,
    /// The target no longer takes connections.
    Died,
}

/// A run that was.
pub struct Finished {
    pub end: End,
    /// Seconds that were measured.
    pub measured: Duration,
    pub before: Reading,
    pub after: Reading,
    pub lateness: Histogram,
    pub routes: ByRoute,
    /// The slowest first.
    pub slow: Vec<Sample>,
    pub damage: Vec<Sample>,
}

impl Finished {
    /// Adds a run that came after this one, from second `begun` of the whole on. The readings of
    /// the machine stay those of the first.
    pub fn append(&mut self, later: Self, begun: u32) {
        self.end = later.end;
        self.measured += later.measured;
        self.lateness.merge(&later.lateness);
        add_routes(&mut self.routes, &later.routes);
        let moved = |mut sample: Sample| {
            sample.ended += Duration::from_secs(begun.into());
            sample
        };
        self.slow.extend(later.slow.into_iter().map(moved));
        self.slow
            .sort_by_key(|sample| std::cmp::Reverse(sample.response));
        self.slow.truncate(super::tally::MOST_SLOW);
        let room = super::tally::MOST_DAMAGE.saturating_sub(self.damage.len());
        let damage = later.damage.into_iter().take(room);
        self.damage.extend(damage.map(moved));
    }
}

/// Why a run never began.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    #[error("{made} of {wanted} connections could be made: {why}")]
    Connections {
        made: usize,
        wanted: usize,
        why: &'static str,
    },
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
    #[error("interrupted before the load began")]
    Interrupted,
}

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum NotRun<E> {
    #[error(transparent)]
    NotBegun(#[from] NotBegun),
    /// What the taker of seconds said.
    #[error("{0}")]
    Sink(E),
}

/// Whole seconds, added up over the threads.
pub type Seconds = BTreeMap<Slot, Counts>;

enum Word {
    Ready(Result<(), NotBegun>),
    Done,
}

/// Runs the load. `interrupted` resolves when the user asks to end; each second's counts go to
/// `take` once they are whole.
///
/// # Errors
/// When it never began, or `take` fails; the load is then stopped.
pub async fn run<E>(
    load: &Load<'_>,
    mut interrupted: impl Future<Output = ()> + Unpin,
    take: &mut dyn FnMut(&Seconds) -> Result<(), E>,
) -> Result<Finished, NotRun<E>> {
    let tallies: Vec<Arc<Mutex<Tally>>> = (0..load.threads).map(|_| Arc::default()).collect();
    let (started, start) = watch::channel(None);
    let (stopper, stop) = watch::channel(None);
    let (words, mut heard) = mpsc::unbounded_channel();
    std::thread::scope(|scope| {
        let begun = (0..load.threads).try_for_each(|index| {
            let thread = Thread {
                load,
                index,
                tally: Arc::clone(&tallies[index]),
                start: start.clone(),
                stop: stop.clone(),
                words: words.clone(),
            };
            let named = std::thread::Builder::new().name(format!("load-{index}"));
            named.spawn_scoped(scope, move || thread.main()).map(drop)
        });
        // With this the channel ends when the last thread has.
        drop(words);
        let mut conductor = Conductor {
            load,
            tallies: &tallies,
            started,
            stopper,
            lateness: Histogram::new(),
        };
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            runtime.block_on(async {
                begun.map_err(NotBegun::Threads)?;
                conductor.run(&mut heard, &mut interrupted, take).await
            })
        })
    })
}

struct Thread<'a> {
    load: &'a Load<'a>,
    index: usize,
    tally: Arc<Mutex<Tally>>,
    start: watch::Receiver<Option<Stopwatch>>,
    stop: watch::Receiver<Option<Duration>>,
    words: mpsc::UnboundedSender<Word>,
}

impl Thread<'_> {
    fn main(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Err(error) => {
                let _ = self.words.send(Word::Ready(Err(NotBegun::Threads(error))));
            }
            Ok(runtime) => {
                let local = LocalSet::new();
                runtime.block_on(local.run_until(self.streams()));
            }
        }
        let _ = self.words.send(Word::Done);
    }

    async fn streams(&mut self) {
        let shared = &self.load.shared;
        let mine: Vec<usize> = (0..self.load.concurrency)
            .filter(|stream| stream % self.load.threads == self.index)
            .map(|stream| stream % shared.routes.len())
            .collect();
        let connections = match self.connect(&mine).await {
            Ok(connections) => connections,
            Err(reason) => {
                let _ = self.words.send(Word::Ready(Err(reason)));
                return;
            }
        };
        let _ = self.words.send(Word::Ready(Ok(())));
        let Ok(clock) = self
            .start
            .wait_for(Option::is_some)
            .await
            .map(|clock| *clock)
        else {
            return;
        };
        let Some(clock) = clock else { return };
        let requests = Rc::new(RefCell::new((self.load.requests)()));
        let pool = Rc::new(requests.borrow().pool.clone());
        let routes: Rc<[Route]> = shared.routes.iter().map(Route::apart).collect();
        let timer = Rc::new(Timer::new(clock));
        let mut streams = tokio::task::JoinSet::new();
        for (route, connection) in mine.into_iter().zip(connections) {
            let stream = Stream {
                shared: Arc::clone(shared),
                requests: Rc::clone(&requests),
                pool: Rc::clone(&pool),
                routes: Rc::clone(&routes),
                tally: Arc::clone(&self.tally),
                route,
                connection: Some(connection),
                clock,
                timer: Rc::clone(&timer),
                deadline: Rc::new(Deadline::new(Rc::clone(&timer))),
                written: super::exchange::written(),
                stop: self.stop.clone(),
            };
            streams.spawn_local(stream.run());
        }
        // Tasks of their own: a request that comes in wakes its stream and nobody else.
        let mut beside = tokio::task::JoinSet::new();
        let driven = Rc::clone(&timer);
        beside.spawn_local(async move { driven.drive().await });
        if self.load.schedule == Schedule::Closed {
            beside.spawn_local(tick(timer, Arc::clone(&self.tally), clock));
        }
        while streams.join_next().await.is_some() {}
    }

    async fn connect(&self, routes: &[usize]) -> Result<Vec<Connection>, NotBegun> {
        use futures_util::stream::{StreamExt as _, iter};
        let made: Vec<Result<Connection, &'static str>> = iter(routes)
            .map(|route| self.connect_one(*route))
            .buffered(CONNECTING)
            .collect()
            .await;
        let wanted = made.len();
        let why = made.iter().find_map(|made| made.as_ref().err().copied());
        let made: Vec<Connection> = made.into_iter().flatten().collect();
        match why {
            None => Ok(made),
            Some(why) => Err(NotBegun::Connections {
                made: made.len(),
                wanted,
                why,
            }),
        }
    }

    async fn connect_one(&self, route: usize) -> Result<Connection, &'static str> {
        let shared = &self.load.shared;
        let mut why = "timeout";
        for attempt in 0..CONNECT_TRIES {
            let opening = Connection::open(&shared.routes[route], shared.read_buffer);
            match timeout(CONNECT_TIMEOUT, opening).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(class)) => why = class,
                Err(_) => why = "timeout",
            }
            sleep(Duration::from_millis(100 << attempt)).await;
        }
        Err(why)
    }
}

/// How late this thread's timer is, where no schedule tells; never ends.
async fn tick(timer: Rc<Timer>, tally: Arc<Mutex<Tally>>, clock: Stopwatch) {
    loop {
        let point = clock.elapsed() + TICK;
        timer.until(point).await;
        let late = clock.elapsed().saturating_sub(point);
        let mut tally = tally.lock().expect("no holder of a tally panics");
        tally.lateness.record(micros(late));
    }
}

struct Conductor<'a> {
    load: &'a Load<'a>,
    tallies: &'a [Arc<Mutex<Tally>>],
    started: watch::Sender<Option<Stopwatch>>,
    stopper: watch::Sender<Option<Duration>>,
    lateness: Histogram,
}

impl Conductor<'_> {
    async fn run<E>(
        &mut self,
        heard: &mut mpsc::UnboundedReceiver<Word>,
        interrupted: &mut (impl Future<Output = ()> + Unpin),
        take: &mut dyn FnMut(&Seconds) -> Result<(), E>,
    ) -> Result<Finished, NotRun<E>> {
        for _ in 0..self.load.threads {
            let word = tokio::select! {
                word = heard.recv() => word,
                () = &mut *interrupted => return Err(NotBegun::Interrupted.into()),
            };
            if let Some(Word::Ready(Err(reason))) = word {
                return Err(reason.into());
            }
        }
        let clock = Stopwatch::start();
        self.started.send_replace(Some(clock));
        let mut end = End::Whole;
        let mut before = Reading::now();
        let (mut warm, mut asked) = (false, false);
        let mut after = before;
        let (mut second, mut dead) = (0u32, 0u32);
        let mut running = self.load.threads;
        while running > 0 {
            let next = Duration::from_secs(u64::from(second) + 1) + SETTLE;
            let until = if warm {
                next
            } else {
                next.min(self.load.warmup)
            };
            tokio::select! {
                word = heard.recv() => {
                    running -= usize::from(!matches!(word, Some(Word::Ready(_))));
                    continue;
                }
                () = &mut *interrupted, if !asked => {
                    asked = true;
                    end = End::Interrupted;
                    self.stopper.send_replace(Some(clock.elapsed()));
                    continue;
                }
                () = sleep(until.saturating_sub(clock.elapsed())) => {}
            }
            if !warm && clock.elapsed() >= self.load.warmup {
                warm = true;
                before = Reading::now();
                continue;
            }
            after = Reading::now();
            second += 1;
            let seconds = self.seconds(second);
            dead = if is_dead(&seconds) { dead + 1 } else { 0 };
            if dead >= DEAD_SECONDS && !asked {
                asked = true;
                end = End::Died;
                self.stopper.send_replace(Some(clock.elapsed()));
            }
            self.hand_on(&seconds, take, clock)?;
        }
        let over = clock.elapsed();
        if over >= Duration::from_secs(u64::from(second)) + SETTLE || second == 0 {
            // Threads that have ended tell nothing of their waiting any more.
            after = Reading::now().with_run_queue_of(&after);
        }
        let rest = self.seconds(u32::MAX);
        self.hand_on(&rest, take, clock)?;
        Ok(self.finish(end, over, before, after))
    }

    fn hand_on<E>(
        &self,
        seconds: &Seconds,
        take: &mut dyn FnMut(&Seconds) -> Result<(), E>,
        clock: Stopwatch,
    ) -> Result<(), NotRun<E>> {
        take(seconds).map_err(|error| {
            self.stopper.send_replace(Some(clock.elapsed()));
            NotRun::Sink(error)
        })
    }

    /// What all threads counted in the seconds before `second`.
    fn seconds(&mut self, second: u32) -> Seconds {
        let mut seconds = Seconds::new();
        for tally in self.tallies {
            let mut tally = tally.lock().expect("no holder of a tally panics");
            let taken = tally.take_before(second);
            self.lateness.merge(&tally.lateness);
            tally.lateness.clear();
            drop(tally);
            for (slot, counts) in taken {
                seconds.entry(slot).or_default().merge(&counts);
            }
        }
        seconds
    }

    fn finish(&mut self, end: End, over: Duration, before: Reading, after: Reading) -> Finished {
        let (mut slow, mut damage) = (Vec::new(), Vec::new());
        let mut routes = ByRoute::new();
        for tally in self.tallies {
            let mut tally = tally.lock().expect("no holder of a tally panics");
            let (slowest, damaged) = tally.take_kept();
            slow.extend(slowest);
            damage.extend(damaged);
            add_routes(&mut routes, &tally.routes);
        }
        slow.sort_by_key(|sample: &Sample| std::cmp::Reverse(sample.response));
        damage.sort_by_key(|sample: &Sample| sample.ended);
        Finished {
            end,
            measured: over.saturating_sub(self.load.warmup),
            before,
            after,
            lateness: std::mem::take(&mut self.lateness),
            routes,
            slow,
            damage,
        }
    }
}

/// Whether nothing happened in these seconds but that connections broke or were refused.
fn is_dead(seconds: &Seconds) -> bool {
    let connection = |class: &str| class.contains("connect") || class == "TLS handshake";
    let ok: u64 = seconds.values().map(|counts| counts.ok).sum();
    let mut failed = seconds.values().flat_map(|counts| counts.failed.keys());
    ok == 0 && failed.next().is_some_and(|class| connection(class)) && failed.all(|c| connection(c))
}
