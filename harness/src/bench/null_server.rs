//! A server that does next to nothing, and misbehaves when told to: the known answer to measure.
//!
//! It keeps no bodies. A body of the load generator tells by its first block which object it is,
//! so a name and a length are enough to give it back. It checks no signature and knows just what
//! the load generator sends. Its faults come on a schedule, so that what a measurement should say
//! can be worked out beforehand.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::pool::Pool;
use crate::clock::Stopwatch;
use crate::payload::BLOCK;

/// Longest request head that is read.
const MAX_HEAD: usize = 16 << 10;
/// Most objects that are remembered.
const MAX_OBJECTS: usize = 1_000_000;

/// What goes wrong, and when. `every` counts GETs of objects from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Stands still for the last part of each period: period and part.
    pub stall: Option<(Duration, Duration)>,
    /// Waits before each answer.
    pub slow: Option<Duration>,
    /// Each so manieth GET is answered 500.
    pub fail: Option<u64>,
    /// Each so manieth GET is answered 503 `SlowDown`.
    pub throttle: Option<u64>,
    /// Each so manieth GET has one bit flipped in its middle.
    pub corrupt: Option<u64>,
    /// Each so manieth GET ends half way, and the connection with it.
    pub truncate: Option<u64>,
}

/// A running null server; ends when dropped.
pub struct NullServer {
    pub address: SocketAddr,
    state: Arc<State>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct State {
    pool: Pool,
    faults: Faults,
    clock: Stopwatch,
    tls: Option<TlsAcceptor>,
    /// The kernel's number of the thread that serves, where it has one.
    task: AtomicU32,
    /// Path to object and length.
    objects: Mutex<HashMap<String, (u64, u64)>>,
    gets: AtomicU64,
}

impl NullServer {
    /// Starts it on a free port, on a thread of its own. `pool` is that of the load.
    ///
    /// # Errors
    /// When the machine has no port or thread to give.
    pub fn start(pool: Pool, faults: Faults) -> io::Result<Self> {
        Self::listen(pool, faults, None)
    }

    /// The same over TLS and without faults; also gives its certificate for `name`, in PEM.
    ///
    /// # Errors
    /// When the machine has no port or thread to give, or the name is none.
    pub fn start_tls(pool: Pool, name: &str) -> io::Result<(Self, String)> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]);
        let made = made.map_err(io::Error::other)?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let chain = vec![made.cert.der().clone()];
                builder
                    .with_no_client_auth()
                    .with_single_cert(chain, key.into())
            })
            .map_err(io::Error::other)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = Self::listen(pool, Faults::default(), Some(acceptor))?;
        Ok((server, made.cert.pem()))
    }

    fn listen(pool: Pool, faults: Faults, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            pool,
            faults,
            clock: Stopwatch::start(),
            tls,
            task: AtomicU32::new(0),
            objects: Mutex::default(),
            gets: AtomicU64::new(0),
        });
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&state);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new().spawn(move || {
            shared.task.store(this_task(), Ordering::Relaxed);
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, shared) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Makes an object be there, as a PUT would.
    pub fn keep(&self, path: &str, object: u64, length: u64) {
        self.state.keep(path, object, length);
    }

    /// Processor time of the thread that serves, where the kernel tells it (Linux).
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        let task = self.state.task.load(Ordering::Relaxed);
        let text = std::fs::read_to_string(format!("/proc/self/task/{task}/schedstat")).ok()?;
        let nanos = text.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    }

    /// GETs of objects that it answered, however.
    #[must_use]
    pub fn gets(&self) -> u64 {
        self.state.gets.load(Ordering::Relaxed)
    }

    /// Objects that are there now.
    ///
    /// # Panics
    /// When a holder of the objects panicked.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.state.objects().len()
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(target_os = "linux")]
fn this_task() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}

#[cfg(not(target_os = "linux"))]
fn this_task() -> u32 {
    0
}

async fn accept(listener: std::net::TcpListener, state: Arc<State>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    // A client that goes away is no concern of this server.
                    let _ = match &state.tls {
                        None => converse(stream, &state).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => converse(stream, &state).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

/// A request as far as this server cares.
struct Asked {
    method: String,
    path: String,
    length: u64,
    range: Option<(u64, u64)>,
    close: bool,
}

async fn converse(mut stream: impl Duplex, state: &State) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    loop {
        let head = loop {
            if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break buffer.split_to(at + 4);
            }
            if buffer.len() > MAX_HEAD || stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let Some(asked) = read_head(&head) else {
            return Ok(());
        };
        let start = body(&mut stream, &mut buffer, asked.length).await?;
        state.misbehave().await;
        let goes_on = state.answer(&mut stream, &asked, start).await?;
        stream.flush().await?;
        if asked.close || !goes_on {
            return stream.shutdown().await;
        }
    }
}

fn read_head(head: &[u8]) -> Option<Asked> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let mut asked = Asked {
        method,
        path: target.to_owned(),
        length: 0,
        range: None,
        close: false,
    };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => asked.length = value.parse().ok()?,
            "range" => {
                let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
                asked.range = Some((first.parse().ok()?, last.parse().ok()?));
            }
            "connection" => asked.close = value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    Some(asked)
}

/// Reads a body and keeps its first block.
async fn body(
    stream: &mut impl Duplex,
    buffer: &mut BytesMut,
    length: u64,
) -> io::Result<Option<[u8; BLOCK]>> {
    let mut start = [0; BLOCK];
    let (mut filled, mut left) = (0, length);
    while left > 0 {
        if buffer.is_empty() && stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let here = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let wanted = (BLOCK - filled).min(here);
        start[filled..filled + wanted].copy_from_slice(&buffer[..wanted]);
        filled += wanted;
        buffer.advance(here);
        left -= here as u64;
    }
    Ok((filled == BLOCK).then_some(start))
}

impl State {
    fn objects(&self) -> std::sync::MutexGuard<'_, HashMap<String, (u64, u64)>> {
        self.objects
            .lock()
            .expect("no holder of the objects panics")
    }

    fn keep(&self, path: &str, object: u64, length: u64) {
        let mut objects = self.objects();
        if objects.len() < MAX_OBJECTS {
            objects.insert(path.to_owned(), (object, length));
        }
    }

    /// Waits as the schedule of faults says.
    async fn misbehave(&self) {
        if let Some((period, part)) = self.faults.stall {
            let into = self.clock.elapsed().as_nanos() % period.as_nanos().max(1);
            let left = period.as_nanos().saturating_sub(into);
            if left <= part.as_nanos() {
                sleep(Duration::from_nanos(u64::try_from(left).unwrap_or(0))).await;
            }
        }
        if let Some(slow) = self.faults.slow {
            sleep(slow).await;
        }
    }

    /// Answers; says whether the connection goes on.
    async fn answer(
        &self,
        stream: &mut impl Duplex,
        asked: &Asked,
        start: Option<[u8; BLOCK]>,
    ) -> io::Result<bool> {
        let path = asked.path.split('?').next().unwrap_or_default();
        let is_object = path.trim_matches('/').contains('/');
        match (asked.method.as_str(), is_object) {
            ("PUT", true) => {
                let object = start.and_then(|start| self.pool.object_of(&start));
                self.keep(path, object.unwrap_or(0), asked.length);
                short(stream, "200 OK", "").await
            }
            ("PUT", false) => short(stream, "200 OK", "").await,
            ("DELETE", _) => {
                self.objects().remove(path);
                short(stream, "204 No Content", "").await
            }
            ("GET" | "HEAD", true) => self.object(stream, asked, path).await,
            ("GET", false) => short(stream, "404 Not Found", NO_BUCKET).await,
            _ => short(stream, "501 Not Implemented", "").await,
        }
    }

    async fn object(
        &self,
        stream: &mut impl Duplex,
        asked: &Asked,
        path: &str,
    ) -> io::Result<bool> {
        let number = self.gets.fetch_add(1, Ordering::Relaxed) + 1;
        let falls = |every: Option<u64>| every.is_some_and(|every| number.is_multiple_of(every));
        if falls(self.faults.fail) {
            return short(stream, "500 Internal Server Error", INTERNAL).await;
        }
        if falls(self.faults.throttle) {
            return short(stream, "503 Service Unavailable", SLOW_DOWN).await;
        }
        let known = self.objects().get(path).copied();
        let Some((object, size)) = known else {
            return short(stream, "404 Not Found", "").await;
        };
        let (from, to, status) = match asked.range {
            Some((first, last)) if first < size => {
                (first, size.min(last + 1), "206 Partial Content")
            }
            Some(_) | None => (0, size, "200 OK"),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nx-amz-request-id: {number}\r\n\r\n",
            to - from
        );
        stream.write_all(head.as_bytes()).await?;
        if asked.method == "HEAD" {
            return Ok(true);
        }
        let end = if falls(self.faults.truncate) {
            from + (to - from) / 2
        } else {
            to
        };
        let wrong = falls(self.faults.corrupt).then_some(from + (to - from) / 2);
        let mut at = from;
        while at < end {
            let slice = self.pool.slice(object, at, end - at);
            let length = slice.len() as u64;
            match wrong.filter(|wrong| (at..at + length).contains(wrong)) {
                Some(wrong) => {
                    let mut bytes = slice.to_vec();
                    bytes[usize::try_from(wrong - at).unwrap_or(0)] ^= 1;
                    stream.write_all(&bytes).await?;
                }
                None => stream.write_all(&slice).await?,
            }
            at += length;
        }
        Ok(end == to)
    }
}

const NO_BUCKET: &str = "<Error><Code>NoSuchBucket</Code></Error>";
const INTERNAL: &str = "<Error><Code>InternalError</Code></Error>";
const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code></Error>";

async fn short(stream: &mut impl Duplex, status: &str, body: &str) -> io::Result<bool> {
    let length = body.len();
    let framing = if status.starts_with("204") {
        String::new()
    } else {
        format!("Content-Length: {length}\r\n")
    };
    let answer = format!("HTTP/1.1 {status}\r\n{framing}\r\n{body}");
    stream.write_all(answer.as_bytes()).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn it_tells_the_processor_time_of_its_own_thread() {
        let server = NullServer::start(Pool::new(Seed(1)), Faults::default()).unwrap();
        let mut stream = tokio::net::TcpStream::connect(server.address)
            .await
            .unwrap();
        stream
            .write_all(b"HEAD /b/o HTTP/1.1\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 404"));
        let used = server.cpu().unwrap();
        assert!(used > Duration::ZERO);
    }
}
