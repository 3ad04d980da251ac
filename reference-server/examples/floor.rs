//! The floor of the benchmark: the least that any server over TLS and HTTP/1.1 spends on these
//! requests. It is hyper and rustls as the server uses them, and nothing behind them.
//!
//!     floor SIZE [DIRECTORY]
//!
//! GET of an object sends SIZE bytes, PUT discards what arrives; no signature is looked at, nothing
//! is sealed. With a directory it does one more thing: GET reads its bytes from a file there, one
//! pread a window, and PUT writes them to a file there, one pwrite a window. That is the floor for
//! what lies on a disk. It prints its URL on a line of standard output and serves until its
//! standard input ends. Anybody may connect: it listens on the loopback address alone.

use std::convert::Infallible;
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Bytes of a window, as the server reads and writes large bodies.
const WINDOW: usize = 1 << 20;

/// What the client of the benchmark wants to see in the list of a bucket, and after a deletion.
const NOTHING_LISTED: &str = "<ListBucketResult></ListBucketResult>";
const NOTHING_DELETED: &str = "<DeleteResult></DeleteResult>";

struct Floor {
    size: u64,
    directory: Option<PathBuf>,
    window: Bytes,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let size = arguments.next().ok_or("usage: floor SIZE [DIRECTORY]")?;
    let floor = Arc::new(Floor {
        size: size.parse()?,
        directory: arguments.next().map(PathBuf::from),
        window: Bytes::from(vec![0x5a; WINDOW]),
    });
    if let Some(directory) = &floor.directory {
        let mut file = File::create(directory.join("get"))?;
        for _ in 0..floor.size.div_ceil(WINDOW as u64) {
            file.write_all(&floor.window)?;
        }
    }
    let acceptor = acceptor()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    writeln!(io::stdout(), "https://localhost:{port}")?;
    std::thread::spawn(|| {
        let ended = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(i32::from(ended.is_err()));
    });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&floor)));
    }
}

fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let pair = rcgen::KeyPair::generate()?;
    let names = vec!["localhost".to_owned()];
    let certificate = rcgen::CertificateParams::new(names)?.self_signed(&pair)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, floor: Arc<Floor>) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(|request| {
        let floor = Arc::clone(&floor);
        async move { Ok::<_, Infallible>(floor.answer(request).await) }
    });
    // The client of the benchmark counts what went wrong.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Floor {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Sent> {
        let is_object = request.uri().path().trim_matches('/').contains('/');
        let method = request.method().clone();
        let taken = self.take(request.into_body(), is_object).await;
        let (status, body) = match method {
            _ if taken.is_err() => (StatusCode::INTERNAL_SERVER_ERROR, Sent::text("")),
            Method::GET if is_object => match Sent::open(&self) {
                Ok(body) => (StatusCode::OK, body),
                Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Sent::text("")),
            },
            Method::GET => (StatusCode::OK, Sent::text(NOTHING_LISTED)),
            Method::POST => (StatusCode::OK, Sent::text(NOTHING_DELETED)),
            Method::DELETE => (StatusCode::NO_CONTENT, Sent::text("")),
            _ => (StatusCode::OK, Sent::text("")),
        };
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        answer
    }

    /// Takes a body to its end. With a directory, an object's is written, a window at a time.
    async fn take(&self, mut body: Incoming, is_object: bool) -> Result<(), Box<dyn Error>> {
        let path = self.directory.as_ref().filter(|_| is_object);
        let Some(directory) = path else {
            while let Some(frame) = body.frame().await {
                drop(frame?);
            }
            return Ok(());
        };
        let mut file = Some(create(directory)?);
        let (mut window, mut written) = (BytesMut::with_capacity(WINDOW), 0);
        loop {
            let frame = body.frame().await.transpose()?;
            let ended = frame.is_none();
            if let Some(Ok(bytes)) = frame.map(Frame::into_data) {
                window.extend_from_slice(&bytes);
            }
            if window.len() >= WINDOW || (ended && !window.is_empty()) {
                let (full, at) = (window.split().freeze(), written);
                written += full.len() as u64;
                let open = file.take().ok_or("the file is there between windows")?;
                let write = move || open.write_all_at(&full, at).map(|()| open);
                file = Some(tokio::task::spawn_blocking(write).await??);
            }
            if ended {
                return Ok(());
            }
        }
    }
}

/// A file that nobody sees: its space is free again when it is closed.
fn create(directory: &Path) -> io::Result<File> {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = directory.join(format!("put-{number}"));
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// A body on its way out: from memory, or from a file, one window ahead.
enum Sent {
    Memory {
        window: Bytes,
        remaining: u64,
    },
    File {
        reading: Option<tokio::task::JoinHandle<io::Result<(Bytes, File)>>>,
        read: u64,
        size: u64,
    },
}

impl Sent {
    fn text(text: &'static str) -> Self {
        Self::Memory {
            window: Bytes::from_static(text.as_bytes()),
            remaining: text.len() as u64,
        }
    }

    fn open(floor: &Floor) -> io::Result<Self> {
        let size = floor.size;
        let Some(directory) = &floor.directory else {
            return Ok(Self::Memory {
                window: floor.window.clone(),
                remaining: size,
            });
        };
        let file = File::open(directory.join("get"))?;
        let reading = Some(read_window(file, 0, size));
        Ok(Self::File {
            reading,
            read: 0,
            size,
        })
    }

    fn remaining(&self) -> u64 {
        match self {
            Self::Memory { remaining, .. } => *remaining,
            Self::File { read, size, .. } => size - read,
        }
    }
}

fn read_window(
    file: File,
    at: u64,
    size: u64,
) -> tokio::task::JoinHandle<io::Result<(Bytes, File)>> {
    tokio::task::spawn_blocking(move || {
        let length = usize::try_from(size - at).unwrap_or(WINDOW).min(WINDOW);
        let mut window = vec![0; length];
        file.read_exact_at(&mut window, at)?;
        Ok((Bytes::from(window), file))
    })
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let sent = self.get_mut();
        if sent.remaining() == 0 {
            return Poll::Ready(None);
        }
        match sent {
            Self::Memory { window, remaining } => {
                let length = usize::try_from(*remaining).unwrap_or(usize::MAX);
                let piece = window.slice(..length.min(window.len()));
                *remaining -= piece.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Self::File {
                reading,
                read,
                size,
            } => {
                let Some(handle) = reading else {
                    return Poll::Ready(None);
                };
                let window = std::task::ready!(Pin::new(handle).poll(context));
                let (window, file) = window.map_err(io::Error::other)??;
                *read += window.len() as u64;
                *reading = (*read < *size).then(|| read_window(file, *read, *size));
                Poll::Ready(Some(Ok(Frame::data(window))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining())
    }
}
