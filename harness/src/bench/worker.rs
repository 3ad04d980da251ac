//! The one worker loop: take an arrival, wait for its time, do it, tell what it came to.
//!
//! Modes are schedules and workloads, not loops of their own. A stream has one connection and one
//! request at a time. Nothing is sent again.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::connection::{Connection, Route};
use super::exchange::{Answer, MAX_LIST, Reading, Timing, exchange};
use super::judge::{Judged, judge};
use super::multipart;
use super::outgoing::Written;
use super::pool::Pool;
use super::request::{Content, Requests};
use super::schedule::{Arrival, Arrivals};
use super::tally::{Ids, Sample, Tally, micros};
use super::timer::{Deadline, Timer};
use super::workload::{Draw, Drawing, Op, Verify};
use crate::clock::Stopwatch;

/// How long a stream of a closed loop waits when there was no connection: else it would only count
/// refusals. An open loop's arrivals come when they come.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// What all streams of a run share.
pub struct Shared {
    pub arrivals: Arrivals,
    pub drawing: Drawing,
    pub routes: Vec<Route>,
    /// The longest that one request and its answer may take, a connection made for it included.
    pub timeout: Duration,
    /// Requests that a connection carries before it is closed; `None` for no end.
    pub keepalive: Option<u64>,
    /// Bytes of each connection's read buffer.
    pub read_buffer: usize,
    /// When the schedule ends, in an open loop: what has not begun then is unserved.
    pub end: Option<Duration>,
}

impl Shared {
    /// The series of a draw: operations in the order of the mix, each arm of it, then probes.
    #[must_use]
    pub fn series(&self, draw: &Draw) -> usize {
        let workload = self.drawing.workload();
        let arms = workload.arms.len();
        if draw.probe.is_some() {
            return workload.mix.len() * arms + draw.arm;
        }
        let op = workload.mix.iter().position(|(op, _)| *op == draw.op);
        op.unwrap_or(0) * arms + draw.arm
    }
}

/// One stream.
pub struct Stream {
    pub shared: Arc<Shared>,
    pub requests: Rc<RefCell<Requests>>,
    pub pool: Rc<Pool>,
    pub routes: Rc<[Route]>,
    pub tally: Arc<Mutex<Tally>>,
    /// Index into the routes.
    pub route: usize,
    pub connection: Option<Connection>,
    /// Runs from the start of the load.
    pub clock: Stopwatch,
    pub(super) timer: Rc<Timer>,
    /// Of the request that is on its way.
    pub(super) deadline: Rc<Deadline>,
    /// When the body of the request on its way was handed over.
    pub written: Written,
    /// When the run was asked to end, from the start of the load.
    pub stop: watch::Receiver<Option<Duration>>,
}

/// What an operation came to, before it is put into its place.
pub(super) struct Done {
    pub(super) judged: Judged,
    pub(super) timing: Timing,
    pub(super) ids: Ids,
}

impl Stream {
    /// Serves arrivals until there are no more.
    pub async fn run(mut self) {
        loop {
            let mut now = self.clock.elapsed();
            let Some(arrival) = self.shared.arrivals.take(now) else {
                return;
            };
            let Some(intended) = self.wait(&arrival, now).await else {
                return;
            };
            if arrival.intended.is_some() {
                now = self.clock.elapsed();
            }
            let draw = self.shared.drawing.draw(arrival.number);
            if self.is_over(&arrival, now) {
                self.unserved(&arrival, &draw, now, now.saturating_sub(intended));
                continue;
            }
            let sample = self.serve(&arrival, &draw, intended, now).await;
            let refused = matches!(&sample.outcome, Err(class) if class == "cannot connect");
            self.tally().add(sample);
            if refused && arrival.intended.is_none() {
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().expect("no holder of a tally panics")
    }

    /// Waits until the arrival's time has come and gives that time; `None` when the run was asked
    /// to end before.
    async fn wait(&mut self, arrival: &Arrival, now: Duration) -> Option<Duration> {
        let Some(intended) = arrival.intended else {
            return self.stopped().is_none().then_some(now);
        };
        let left = intended.saturating_sub(now);
        if !left.is_zero() {
            let stop = &mut self.stop;
            tokio::select! {
                biased;
                stopped = stop.wait_for(Option::is_some) => {
                    drop(stopped);
                    return None;
                }
                () = self.timer.until(intended) => {}
            }
            let late = self.clock.elapsed().saturating_sub(intended);
            self.tally().lateness.record(micros(late));
        }
        self.stopped()
            .is_none_or(|stopped| intended <= stopped)
            .then_some(intended)
    }

    fn is_over(&self, arrival: &Arrival, now: Duration) -> bool {
        let ended = self.shared.end.is_some_and(|end| now > end);
        arrival.intended.is_some() && (ended || self.stopped().is_some())
    }

    /// When the run was asked to end. Every request asks, so the lock is taken only once there is something to see.
    fn stopped(&self) -> Option<Duration> {
        let unseen = self.stop.has_changed();
        if unseen.unwrap_or(true) {
            *self.stop.borrow()
        } else {
            None
        }
    }

    fn unserved(&self, arrival: &Arrival, draw: &Draw, now: Duration, waited: Duration) {
        let series = self.shared.series(draw);
        self.tally().unserved(arrival, series, now, waited);
    }

    async fn serve(
        &mut self,
        arrival: &Arrival,
        draw: &Draw,
        intended: Duration,
        taken: Duration,
    ) -> Sample {
        let reused = self.is_reusable().await;
        let point = taken + self.shared.timeout;
        let deadline = Rc::clone(&self.deadline);
        let opened = if reused {
            Ok(None)
        } else {
            let opened = deadline.within(point, self.open()).await;
            opened.unwrap_or(Err("timeout")).map(Some)
        };
        let (done, opened) = match opened {
            // What opening the connection took is not given twice.
            Ok(opened) => {
                // Where nothing had to be opened no time has passed.
                let begun = opened.map_or(taken, |_| self.clock.elapsed());
                (self.perform(draw, &deadline, point, begun).await, opened)
            }
            Err(class) => (self.none(class), None),
        };
        let timing = done.timing;
        let phase = |from: Duration, to: Duration| Some(to.saturating_sub(from));
        let sends = matches!(draw.op, Op::Put | Op::Multipart);
        Sample {
            series: self.shared.series(draw),
            warmup: arrival.warmup,
            step: arrival.step,
            ended: timing.ended,
            response: timing.ended.saturating_sub(intended),
            service: timing.ended.saturating_sub(timing.begun),
            phases: [
                phase(intended, taken).filter(|_| arrival.intended.is_some()),
                opened.map(|(connect, _)| connect),
                opened.and_then(|(_, tls)| tls),
                phase(timing.begun, timing.written).filter(|_| sends),
                phase(timing.written, timing.first_byte),
                phase(timing.first_byte, timing.ended),
            ],
            outcome: done.judged.outcome,
            damage: done.judged.damage,
            object: draw.object,
            route: self.route,
            reused,
            ids: done.ids,
        }
    }

    /// Whether there is a connection that can carry another request.
    pub(super) async fn is_reusable(&mut self) -> bool {
        let keepalive = self.shared.keepalive;
        let usable = match &mut self.connection {
            Some(connection) if keepalive.is_none_or(|most| connection.carried < most) => {
                connection.is_usable().await
            }
            Some(_) | None => false,
        };
        if !usable {
            self.connection = None;
        }
        usable
    }

    pub(super) async fn open(&mut self) -> Result<(Duration, Option<Duration>), &'static str> {
        let route = &self.routes[self.route];
        let connection = Connection::open(route, self.shared.read_buffer).await?;
        let opened = connection.opened;
        self.connection = Some(connection);
        Ok((opened.connect, opened.tls))
    }

    /// Does what was drawn, until `point` at the latest.
    async fn perform(
        &mut self,
        draw: &Draw,
        deadline: &Deadline,
        point: Duration,
        begun: Duration,
    ) -> Done {
        // Handed over by its place: it is too large to be moved for each request.
        let done = {
            let work = std::pin::pin!(self.operation(draw));
            deadline.within(point, work).await
        };
        let done = done.unwrap_or(Err("timeout"));
        match done {
            Ok(done) => done,
            Err(class) => {
                // Whatever is on its way on this connection is nobody's answer any more.
                self.connection = None;
                let mut none = self.none(class);
                none.timing.begun = begun;
                none
            }
        }
    }

    fn none(&self, class: &'static str) -> Done {
        let now = self.clock.elapsed();
        Done {
            judged: Judged::failed(class),
            timing: Timing {
                begun: now,
                written: now,
                first_byte: now,
                ended: now,
            },
            ids: Ids::default(),
        }
    }

    async fn operation(&mut self, draw: &Draw) -> Result<Done, &'static str> {
        if draw.op == Op::Multipart {
            return multipart::upload(self, draw).await;
        }
        let pool = Rc::clone(&self.pool);
        let reading = match draw.op {
            Op::Get if draw.compare => Reading::Compare {
                pool: &pool,
                object: draw.object,
                offset: 0,
                length: draw.size,
            },
            Op::Range if draw.compare => Reading::Compare {
                pool: &pool,
                object: draw.object,
                offset: draw.range.0,
                length: draw.range.1,
            },
            Op::Get => Reading::Count { most: draw.size },
            Op::Range => Reading::Count { most: draw.range.1 },
            Op::List => Reading::Count { most: MAX_LIST },
            Op::Put | Op::Head | Op::Delete | Op::Copy | Op::Multipart => Reading::Keep,
        };
        let answer = self.single(draw, reading).await?;
        let workload = self.shared.drawing.workload();
        let verify = if draw.compare {
            Verify::Full
        } else {
            workload.verify
        };
        let judged = judge(draw, verify, workload.objects, &pool, &answer);
        if answer.cut || answer.left {
            self.connection = None;
        }
        Ok(Done {
            judged,
            timing: answer.timing,
            ids: answer.ids,
        })
    }

    /// Sends the one request of an operation.
    async fn single(&mut self, draw: &Draw, reading: Reading<'_>) -> Result<Answer, &'static str> {
        let written = Written::clone(&self.written);
        written.set(None);
        let query;
        let request = {
            let mut requests = self.requests.borrow_mut();
            let arm = &self.shared.drawing.workload().arms[draw.arm];
            let mut outline = requests.outline(draw.op, arm, draw.object, draw.probe);
            match draw.op {
                Op::Range => outline.range = Some(draw.range),
                Op::Put => {
                    outline.body = Content::Object {
                        object: draw.object,
                        from: 0,
                        to: draw.size,
                        clock: self.clock,
                        written: &written,
                    };
                }
                Op::List => {
                    query = requests.list_query(arm);
                    outline.query = &query;
                }
                Op::Get | Op::Head | Op::Delete | Op::Multipart | Op::Copy => {}
            }
            let connection = self.connection.as_mut().ok_or("connection closed")?;
            requests.sign(&self.routes[self.route], outline, &mut connection.spare)
        };
        let connection = self.connection.as_mut().ok_or("connection closed")?;
        exchange(connection, request, &written, self.clock, reading).await
    }
}
