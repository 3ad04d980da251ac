//! How `ssec bench` ends: killed, interrupted under load, and with a target that keeps it waiting.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use harness::bench::null_server::{Faults, NullServer};
use harness::bench::pool::Pool;
use harness::random::Seed;
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::bad_load::record;
use crate::patience::wait_until;

fn ssec(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssec"));
    command
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_server_that_is_told_to_ends_with_its_standard_input() {
    let mut child = ssec(&std::env::temp_dir(), &["serve", "--end-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    assert!(line.starts_with("export "), "{line}");
    assert!(child.try_wait().unwrap().is_none(), "it serves");
    drop(child.stdin.take());
    wait_until("the server ends", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_bench_that_is_killed_leaves_no_server_behind() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        "--op=put",
        "--rate=20",
        "--duration=120s",
        "--record=record.jsonl",
    ];
    let mut bench = ssec(directory.path(), &arguments).spawn().unwrap();
    let written = directory.path().join("record.jsonl");
    wait_until("the load begins", || {
        std::fs::metadata(&written).is_ok_and(|file| file.len() > 0)
    });
    let children = format!("/proc/{0}/task/{0}/children", bench.id());
    let children = std::fs::read_to_string(children).unwrap();
    let server: u32 = children.trim().parse().unwrap();
    // Gone, or dead and not yet waited for by whoever inherited it.
    let is_over = || {
        std::fs::read_to_string(format!("/proc/{server}/stat"))
            .map_or(true, |stat| stat.contains(") Z "))
    };
    assert!(!is_over());
    bench.kill().unwrap();
    bench.wait().unwrap();
    wait_until("the server ends", is_over);
}

#[test]
fn a_run_that_is_interrupted_under_load_removes_what_it_put_there() {
    let directory = tempfile::tempdir().unwrap();
    let seed = Seed(11);
    let server = NullServer::start(Pool::new(seed), Faults::default()).unwrap();
    let endpoint = format!("--endpoint=http://{}", server.address);
    let arguments = [
        "bench",
        "--mix=get=1,put=1",
        "--objects=40",
        "--size=1KiB",
        "--duration=300s",
        "--seed",
        &seed.to_string(),
        "--record=record.jsonl",
        "--summary=summary.json",
        &endpoint,
    ];
    let mut bench = ssec(directory.path(), &arguments).spawn().unwrap();
    wait_until("the load is on", || server.gets() > 200);
    // Forty to read, and those that the load wrote.
    assert!(server.objects() > 40, "{}", server.objects());
    send(&bench, Signal::INT);
    wait_until("the run ends", || bench.try_wait().unwrap().is_some());
    assert_eq!(bench.wait().unwrap().code(), Some(130));
    assert_eq!(server.objects(), 0);
    let run = record(directory.path());
    let footer = run.footer.unwrap();
    assert!(footer.interrupted && footer.attempted > 0);
    assert!(footer.cleanup.left.is_empty());
    let summary = std::fs::read_to_string(directory.path().join("summary.json")).unwrap();
    assert!(summary.contains("\"attempted\""), "{summary}");
}

#[test]
fn a_directory_with_a_blank_in_its_name_is_no_hindrance() {
    let directory = tempfile::tempdir().unwrap();
    let blank = directory.path().join("it's a name");
    std::fs::create_dir(&blank).unwrap();
    let arguments = ["bench", "--op=get", "--requests=5", "--allow-limited"];
    let status = ssec(directory.path(), &arguments)
        .env("TMPDIR", &blank)
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
}

/// How long the target below lets a connection wait for TLS.
const SLOW_TLS: Duration = Duration::from_secs(3);

/// A target over TLS that never answers a PUT, and lets the first connection after one wait.
async fn slow_target(listener: TcpListener, waits: Arc<AtomicBool>) {
    let named = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(named.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![named.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let (puts, mut waited) = (Arc::new(AtomicU32::new(0)), false);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let slow = !waited && puts.load(Ordering::SeqCst) > 0;
        waited |= slow;
        let (acceptor, puts) = (acceptor.clone(), Arc::clone(&puts));
        let waits = Arc::clone(&waits);
        tokio::spawn(async move {
            if slow {
                waits.store(true, Ordering::SeqCst);
                tokio::time::sleep(SLOW_TLS).await;
            }
            // Whoever gave up waiting is gone.
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, &puts).await;
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, puts: &AtomicU32) {
    let mut stream = tokio::io::BufReader::new(stream);
    let mut first = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        if first.is_empty() {
            first.clone_from(&line);
        }
        if line != "\r\n" {
            continue;
        }
        // The bucket's own path has no second slash.
        if first.starts_with("PUT") && first.matches('/').count() > 2 {
            puts.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        let body = "<ListBucketResult></ListBucketResult>";
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        first.clear();
    }
}

#[test]
fn a_connection_that_is_slow_to_open_takes_from_the_time_of_its_request() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("--endpoint=https://{}", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let waits = Arc::new(AtomicBool::new(false));
    runtime.spawn(slow_target(listener, Arc::clone(&waits)));
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        "--op=put",
        "--requests=2",
        "--objects=1",
        "--concurrency=1",
        "--timeout=4s",
        "--insecure",
        "--record=record.jsonl",
        &endpoint,
    ];
    let status = ssec(directory.path(), &arguments).status().unwrap();
    assert_eq!(status.code(), Some(3), "nothing was ok");
    let totals = record(directory.path()).totals();
    let timeouts = &totals[0].failed_response["timeout"];
    assert_eq!(timeouts.count(), 2);
    assert!(
        waits.load(Ordering::SeqCst),
        "no connection was slow to open"
    );
    // Counted twice it were 7 s.
    let longest = Duration::from_micros(timeouts.max());
    assert!(longest < Duration::from_millis(6500), "{longest:?}");
}
