//! What `bench/speed.sh` compares the load generator with: a bare server, and bare client loops.
//!
//!     bare serve CA.pem
//!     bare get|put URL CA.pem CONNECTIONS REQUESTS [SIZE]
//!
//! The server is hyper and rustls with a table of bodies in memory: it looks at no signature and no
//! customer key. It writes its certificate to CA.pem, prints its URL on a line of standard output
//! and serves until its standard input ends. The loops are hyper's own client on as many threads as
//! there are processors: the same request again and again, nothing signed, nothing drawn, nothing
//! timed, nothing compared. What they spend is the least that a client of these libraries can.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, LocalSet};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Failed = Box<dyn Error + Send + Sync>;

const USAGE: &str =
    "usage: bare serve CA.pem | bare get|put URL CA.pem CONNECTIONS REQUESTS [SIZE]";
/// What the load generator asks of a bucket that is its own to make.
const NO_BUCKET: &str = "<Error><Code>NoSuchBucket</Code></Error>";

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", ca] => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(serve(Path::new(ca)))
        }
        [
            op @ ("get" | "put"),
            url,
            ca,
            connections,
            requests,
            size @ ..,
        ] => {
            let size = size.first().map_or(Ok(0), |size| size.parse::<usize>())?;
            let client = Client {
                method: op.to_uppercase().parse()?,
                uri: url.parse()?,
                tls: connector(Path::new(ca))?,
                body: Bytes::from(vec![0x5a; size]),
            };
            client.run(connections.parse()?, requests.parse()?)
        }
        _ => Err(USAGE.into()),
    }
}

/// Bodies by path.
type Objects = Arc<Mutex<HashMap<String, Bytes>>>;

async fn serve(ca: &Path) -> Result<(), Failed> {
    let acceptor = acceptor(ca)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    writeln!(io::stdout(), "https://localhost:{port}")?;
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let objects = Objects::default();
    let accepting = async {
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(converse(stream, acceptor.clone(), Arc::clone(&objects)));
        }
    };
    tokio::select! {
        broken = accepting => broken,
        _ = end => Ok(()),
    }
}

fn acceptor(ca: &Path) -> Result<TlsAcceptor, Failed> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(ca, made.cert.pem())?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, objects: Objects) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(|request| {
        let objects = Arc::clone(&objects);
        async move { Ok::<_, Infallible>(answer(request, &objects).await) }
    });
    // Whoever measures counts what went wrong.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, objects: &Objects) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let is_object = path.trim_matches('/').contains('/');
    let method = request.method().clone();
    let said = |status: StatusCode, body: Bytes| {
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = status;
        answer
    };
    let Ok(body) = request.into_body().collect().await else {
        return said(StatusCode::BAD_REQUEST, Bytes::new());
    };
    let mut objects = objects.lock().expect("no holder of the bodies panics");
    if method == Method::PUT {
        if is_object {
            objects.insert(path, body.to_bytes());
        }
        return said(StatusCode::OK, Bytes::new());
    }
    if method == Method::DELETE {
        objects.remove(&path);
        return said(StatusCode::NO_CONTENT, Bytes::new());
    }
    match objects.get(&path) {
        Some(body) => said(StatusCode::OK, body.clone()),
        None if is_object => said(StatusCode::NOT_FOUND, Bytes::new()),
        None => said(
            StatusCode::NOT_FOUND,
            Bytes::from_static(NO_BUCKET.as_bytes()),
        ),
    }
}

fn connector(ca: &Path) -> Result<TlsConnector, Failed> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The same request again and again.
struct Client {
    method: Method,
    uri: Uri,
    tls: TlsConnector,
    body: Bytes,
}

impl Client {
    fn run(&self, connections: usize, requests: usize) -> Result<(), Failed> {
        if connections == 0 || !requests.is_multiple_of(connections) {
            return Err("REQUESTS is no multiple of CONNECTIONS".into());
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(connections).max(1);
        let each = requests / connections;
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| {
                    let mine = (thread..connections).step_by(threads).count();
                    scope.spawn(move || self.thread(mine, each))
                })
                .collect();
            running.into_iter().try_for_each(|thread| {
                let ended = thread.join();
                ended.map_err(|_| Failed::from("a thread panicked"))?
            })
        })
    }

    fn thread(&self, connections: usize, requests: usize) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        LocalSet::new().block_on(&runtime, async {
            let authority = self.uri.authority().ok_or(USAGE)?;
            let port = authority.port_u16().ok_or(USAGE)?;
            let mut loops = JoinSet::new();
            for _ in 0..connections {
                let name = ServerName::try_from(authority.host().to_owned())?;
                let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
                tcp.set_nodelay(true)?;
                let tls = self.tls.connect(name, tcp).await?;
                let host = HeaderValue::from_str(authority.as_str())?;
                let (method, uri) = (self.method.clone(), self.uri.path().parse::<Uri>()?);
                loops.spawn_local(repeat(tls, method, uri, host, self.body.clone(), requests));
            }
            while let Some(ended) = loops.join_next().await {
                ended??;
            }
            Ok(())
        })
    }
}

/// One connection's requests, one after the other.
async fn repeat(
    stream: tokio_rustls::client::TlsStream<TcpStream>,
    method: Method,
    uri: Uri,
    host: HeaderValue,
    body: Bytes,
    requests: usize,
) -> Result<(), Failed> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    for _ in 0..requests {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.clone();
        request.headers_mut().insert(HOST, host.clone());
        let mut answer = sender.send_request(request).await?;
        if !answer.status().is_success() {
            return Err(format!("answered {}", answer.status()).into());
        }
        while let Some(frame) = answer.frame().await {
            drop(frame?);
        }
    }
    Ok(())
}
