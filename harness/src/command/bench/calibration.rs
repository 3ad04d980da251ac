//! How much this client can offer: the same workload against the null server, for a moment, before the
//! load.
//!
//! The null server runs in this process, on a thread whose processor time is left out. The ceiling is
//! what the client would reach with its threads busy all the time, or what it did reach, if that
//! is more: a load near it measures the client.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use rustls::pki_types::ServerName;

use super::{Benching, Failure};
use crate::bench::connection::{Route, read_buffer};
use crate::bench::null_server::{Faults, NullServer};
use crate::bench::request::DATA;
use crate::bench::runner::{self, Load, NotRun, Seconds};
use crate::bench::schedule::{Arrivals, Extent, Schedule, Shard};
use crate::bench::tally::Counts;
use crate::bench::tls::Configuration;
use crate::bench::worker::Shared;
use crate::bench::workload::{Drawing, Op};
use crate::command::signals::AskedToEnd;
use crate::problem::Problem;
use crate::transport::TlsSettings;

/// How long it takes.
const MOMENT: Duration = Duration::from_secs(1);
/// The rate from which on an open loop is calibrated unasked, arrivals a second.
const HIGH_RATE: f64 = 1000.0;
/// The null server's name.
const NAME: &str = "localhost";

impl Benching<'_> {
    /// Whether the client's ceiling matters to what was asked for.
    pub(super) fn wants_ceiling(&self) -> bool {
        let options = self.options;
        let fast = options
            .schedule
            .highest_rate()
            .is_some_and(|rate| rate >= HIGH_RATE);
        options.calibrate || options.knee.is_some() || fast
    }

    /// Requests a second that this client can offer at most; `None` where the workload has
    /// operations that the null server does not know, or nothing was answered.
    ///
    /// # Errors
    /// When the null server does not start, or the user asked to end.
    pub(super) async fn calibrate(&self, stop: &mut AskedToEnd) -> Result<Option<f64>, Failure> {
        let mut workload = self.options.workload.clone();
        let unknown = |(op, _): &(Op, u32)| matches!(op, Op::List | Op::Multipart);
        if workload.mix.iter().any(unknown) {
            return Ok(None);
        }
        // It keeps no keys, and would be convicted.
        workload.probe_negative = 0.0;
        let over_tls = self.opening.routes.iter().any(|route| route.tls.is_some());
        let pool = self.opening.pool.clone();
        let failed = |error: std::io::Error| {
            Failure::new(
                Problem::Machine,
                format!("cannot start the null server: {error}"),
            )
        };
        let (server, tls) = if over_tls {
            let (server, certificate) = NullServer::start_tls(pool, NAME).map_err(failed)?;
            let trusted = TlsSettings::pem(certificate.as_bytes(), "the null server")?;
            let name = ServerName::try_from(NAME).expect("it is a name");
            (server, Some((Configuration::of(&trusted.config), name)))
        } else {
            let server = NullServer::start(pool, Faults::default()).map_err(failed)?;
            (server, None)
        };
        let drawing = Drawing::new(workload, self.seed);
        for arm in &drawing.workload().arms {
            for object in 0..drawing.workload().objects {
                let path = self.opening.place.path(arm, DATA, object);
                server.keep(&path, object, drawing.size(object));
            }
        }
        let route = Route {
            label: "the null server".to_owned(),
            address: server.address,
            authority: HeaderValue::from_static(NAME),
            tls,
        };
        self.measure_ceiling(drawing, route, &server, stop).await
    }

    async fn measure_ceiling(
        &self,
        drawing: Drawing,
        route: Route,
        server: &NullServer,
        stop: &mut AskedToEnd,
    ) -> Result<Option<f64>, Failure> {
        let options = self.options;
        let extent = Extent {
            warmup: Duration::ZERO,
            duration: Some(MOMENT),
            requests: None,
        };
        let shared = Shared {
            arrivals: Arrivals::new(Schedule::Closed, extent, Shard::WHOLE, self.seed),
            drawing,
            routes: vec![route],
            timeout: options.timeout,
            keepalive: options.keepalive,
            read_buffer: read_buffer(options.concurrency),
            end: None,
        };
        let load = Load {
            shared: Arc::new(shared),
            schedule: Schedule::Closed,
            concurrency: options.concurrency,
            threads: self.threads(),
            warmup: Duration::ZERO,
            requests: &|| self.requests(),
        };
        let mut answered = 0;
        let mut take = |seconds: &Seconds| {
            answered += seconds.values().map(Counts::answered).sum::<u64>();
            Ok::<(), Failure>(())
        };
        let before = server.cpu();
        let finished = runner::run(&load, stop, &mut take).await;
        let of_server = server.cpu().zip(before);
        let finished = finished.map_err(|reason| match reason {
            NotRun::Sink(failure) => failure,
            NotRun::NotBegun(reason) => super::load::not_begun(&reason),
        })?;
        if finished.end == runner::End::Interrupted {
            return Err(super::interrupted());
        }
        let used = finished.after.cpu_since(&finished.before);
        let of_server = of_server.map(|(after, before)| after.saturating_sub(before));
        Ok(ceiling(
            answered,
            finished.measured,
            used,
            of_server,
            self.threads(),
        ))
    }
}

/// The ceiling from what was answered in a time, the processor time that this process used, and
/// that of the server in it.
#[expect(clippy::cast_precision_loss, reason = "requests of a second")]
fn ceiling(
    answered: u64,
    time: Duration,
    used: Duration,
    of_server: Option<Duration>,
    threads: usize,
) -> Option<f64> {
    let answered = answered as f64;
    let reached = answered / time.as_secs_f64().max(1e-9);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let ours = of_server.map(|server| used.saturating_sub(server).as_secs_f64());
    let busy = ours.filter(|ours| *ours > 0.0);
    let busy = busy.map_or(0.0, |ours| threads.min(processors) as f64 * answered / ours);
    Some(busy.max(reached)).filter(|ceiling| *ceiling > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_what_busy_threads_would_reach() {
        let second = Duration::from_secs(1);
        let half = Duration::from_millis(500);
        let one = |answered, used, server| ceiling(answered, second, used, server, 1);
        // Half a second of our own for 10,000 requests.
        assert_eq!(one(10_000, second, Some(half)), Some(20_000.0));
        // Without the server's time, what was reached has to do.
        assert_eq!(one(10_000, second, None), Some(10_000.0));
        assert_eq!(
            one(10_000, Duration::from_secs(9), Some(half)),
            Some(10_000.0)
        );
        assert_eq!(one(0, second, Some(half)), None);
    }
}
