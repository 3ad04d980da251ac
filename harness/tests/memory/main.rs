//! What is left of keys in the memory of a server: after its last answer no customer key and no data
//! key, and after its last connection not even the header's text. Each scan has a control that finds
//! what is there while it is in use.
//!
//! Stacks are left out, and named in SECURITY.md; swap, registers and the kernel's buffers cannot be seen
//! from here.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]
#![expect(
    clippy::disallowed_methods,
    reason = "no event tells what another process has freed; each wait is bounded"
)]
#![expect(clippy::print_stderr, reason = "what was not proven is said")]

mod scan;

#[path = "../served/mod.rs"]
#[expect(dead_code, reason = "these tests need its server alone")]
mod served;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use harness::clock::Clock;
use harness::credentials::Credentials;
use harness::s3::{Bucket, Payload, Request, Signer, Style, operation};
use harness::ssec::{CustomerKey, SsecHeaders};
use harness::transport::{self, Endpoint, Limits, SignedRequest, TlsSettings};

use scan::{Found, is_schedule, scan, schedule};
use served::{ACCESS_KEY_ID, SECRET, Served};

/// Never in a body, a name or a digest of these tests.
const KEY: [u8; 32] = *b"\xf1ey-of-this-memory-test-alone-\xe2\x9d";
const BODY: usize = 3 << 20;
/// Uploads that stand still at once.
const STALLED: usize = 60;
/// Each uses at least a dozen data keys.
const ROUNDS: usize = 8;
/// How often a scan is tried again, for a connection's buffers go when its task ends, and a thread
/// that only wrote files some seconds after its last one.
const TRIES: u32 = 300;
/// What Linux says of who may read another process's memory (Yama): from 2 on no ordinary one.
const SCOPE: &str = "/proc/sys/kernel/yama/ptrace_scope";

struct Target {
    served: Served,
    bucket: Bucket,
    credentials: Credentials,
    key: CustomerKey,
    data: tempfile::TempDir,
}

impl Target {
    fn start(transport: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().join("data");
        let mut arguments = vec!["--dumpable", "--bucket", "memory", "--data-dir"];
        arguments.push(directory.to_str().unwrap());
        arguments.extend(transport);
        let mut command = Served::command(&arguments);
        // Each thread has keys of its own that are no data keys: few threads, clear numbers.
        command.env("TOKIO_WORKER_THREADS", "2");
        let served = Served::spawn(command);
        let endpoint = Endpoint::parse(served.endpoint()).unwrap();
        Self {
            served,
            bucket: Bucket {
                endpoint,
                style: Style::Path,
                name: "memory".to_owned(),
                domain: None,
            },
            credentials: Credentials::new(ACCESS_KEY_ID, SECRET, None),
            key: CustomerKey::from_bytes(KEY),
            data,
        }
    }

    fn signed(&self, request: Request, key: Option<&CustomerKey>) -> SignedRequest {
        let signer = Signer {
            credentials: &self.credentials,
            region: "us-east-1",
            now: Clock::system().now(),
        };
        let ssec = key.map_or_else(SsecHeaders::default, SsecHeaders::of_key);
        signer
            .sign_step(request, &ssec, None, Payload::Unsigned)
            .unwrap()
    }

    async fn status(&self, request: Request, key: Option<&CustomerKey>) -> u16 {
        let client = transport::Client::new(self.bucket.endpoint.clone(), TlsSettings::insecure());
        let limits = Limits::within(Duration::from_secs(60)).for_body(16 << 20);
        let signed = self.signed(request, key);
        client.send(&signed, &limits).await.unwrap().status
    }

    fn get(&self, name: &str) -> Request {
        Request::new("GET", &self.bucket, name)
    }

    fn put(&self, name: &str, length: usize) -> Request {
        Request::new("PUT", &self.bucket, name).with_body(Bytes::from(vec![b'p'; length]))
    }

    /// A connection of its own that stays open, with a request's head and a part of its body sent.
    fn opened(&self, signed: &SignedRequest, body: usize) -> TcpStream {
        let address = self.served.endpoint().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(&signed.head()).unwrap();
        stream.write_all(&signed.body[..body]).unwrap();
        stream
    }

    /// How often the raw key, its base64 text and key schedules lie in the server's memory. `None`
    /// where the system says that it lets nobody look; where it says nothing of it, a refusal fails.
    fn found(&mut self) -> Option<Found> {
        let pid = self.served.child().id();
        let text = self.key.base64();
        match scan(pid, &[&KEY, text.as_bytes()]) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && is_shut() => {
                eprintln!("not proven here: {SCOPE} lets no process read another's memory");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Scans until it is as it should be; the last scan if it never is.
    fn found_at_last(&mut self, right: impl Fn(&Found) -> bool) -> Option<Found> {
        for _ in 1..TRIES {
            let found = self.found()?;
            if right(&found) {
                return Some(found);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.found()
    }

    /// Everything that takes a key, some of it refused, until far more data keys were used than
    /// there are schedules of something else.
    async fn exercise(&self) {
        for _ in 0..ROUNDS {
            self.round().await;
        }
    }

    async fn round(&self) {
        let (right, wrong) = (&self.key, &CustomerKey::from_bytes([0x5a; 32]));
        for (name, length) in [("empty", 0), ("small", 1000), ("large", BODY)] {
            assert_eq!(self.status(self.put(name, length), Some(right)).await, 200);
            assert_eq!(self.status(self.get(name), Some(right)).await, 200);
            assert_eq!(self.status(self.get(name), Some(wrong)).await, 403);
            assert_eq!(self.status(self.get(name), None).await, 400);
            let head = Request::new("HEAD", &self.bucket, name);
            assert_eq!(self.status(head, Some(right)).await, 200);
        }
        // Refused for what the body is, after the key was taken.
        let spoiled = self
            .put("spoiled", 70_000)
            .with_header("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(self.status(spoiled, Some(right)).await, 400);
        // Refused for a digest of another key.
        let source = |rest| format!("x-amz-copy-source-server-side-encryption-customer-{rest}");
        let copy = Request::new("PUT", &self.bucket, "copied")
            .with_header("x-amz-copy-source", "/memory/large")
            .with_header(&source("algorithm"), "AES256")
            .with_header(&source("key"), right.base64().as_str())
            .with_header(&source("key-MD5"), right.md5_base64());
        assert_eq!(self.status(copy, Some(wrong)).await, 200);
        let create = operation::create_upload(&self.bucket, "parts");
        assert_eq!(self.status(create, Some(right)).await, 200);
    }
}

/// Whether the system says that no ordinary process reads another's memory.
fn is_shut() -> bool {
    let scope = std::fs::read_to_string(SCOPE).unwrap_or_default();
    scope.trim().parse().is_ok_and(|scope: u32| scope >= 2)
}

/// aws-lc's random generators have an AES-256 key of their own: two a thread at most, and one more.
/// The rounds used many more data keys than that.
fn no_data_key(found: &Found) -> bool {
    let generators = 2 * found.threads + 1;
    // With more threads than this nothing could be told.
    generators < 12 * ROUNDS && found.schedules <= generators
}

#[test]
fn the_scan_knows_a_key_schedule() {
    // FIPS 197 appendix A.3.
    let key =
        hex::decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").unwrap();
    let mut bytes = schedule(key.try_into().unwrap());
    assert_eq!(bytes[32..36], [0x9b, 0xa3, 0x54, 0x11]);
    assert_eq!(bytes[236..], [0x70, 0x6c, 0x63, 0x1e]);
    assert!(is_schedule(&bytes));
    bytes[239] ^= 1;
    assert!(!is_schedule(&bytes));
}

#[tokio::test]
async fn nothing_of_a_key_is_left_when_the_last_tls_connection_is_closed() {
    let mut target = Target::start(&[]);
    target.exercise().await;
    let clean = |found: &Found| found.needles == [0, 0] && no_data_key(found);
    let Some(found) = target.found_at_last(clean) else {
        return;
    };
    assert!(clean(&found), "{found:?}");
    assert!(found.bytes > 100_000, "nothing was looked at: {found:?}");
    println!(
        "hardening | memory scan: MiB of heap after the last TLS connection was closed | {} | – | 0 | – |",
        found.bytes >> 20
    );
}

#[tokio::test]
async fn after_an_answer_its_keys_are_gone_though_the_connection_stays() {
    let mut target = Target::start(&["--plain-http"]);
    target.exercise().await;
    let Some(rested) = target.found_at_last(no_data_key) else {
        return;
    };
    assert!(no_data_key(&rested), "{rested:?}");

    // Control: bodies on their way in have a data key each, and the header's text.
    let stalled: Vec<(SignedRequest, TcpStream)> = (0..STALLED)
        .map(|n| {
            let signed =
                target.signed(target.put(&format!("stalled-{n}"), BODY), Some(&target.key));
            let stream = target.opened(&signed, BODY / 8);
            (signed, stream)
        })
        .collect();
    let keys = rested.schedules + STALLED;
    let used = |found: &Found| found.needles[1] > 0 && found.schedules >= keys;
    let busy = target.found_at_last(used).unwrap();
    assert!(used(&busy), "the scan finds what is in use: {busy:?}");

    let mut idle = Vec::new();
    for (signed, mut stream) in stalled {
        stream.write_all(&signed.body[BODY / 8..]).unwrap();
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
        idle.push(stream);
    }
    let answered = |found: &Found| found.needles[0] == 0 && no_data_key(found);
    let found = target.found_at_last(answered).unwrap();
    assert!(
        answered(&found),
        "an idle connection keeps no key: {found:?}"
    );

    drop(idle);
    let closed = |found: &Found| answered(found) && found.needles[1] == 0;
    let found = target.found_at_last(closed).unwrap();
    assert!(closed(&found), "{found:?}");
    println!(
        "hardening | memory scan: connections that idle after their answer | {STALLED} | – | 0 | – |"
    );
    drop(target.data);
}

#[test]
fn a_server_writes_no_core_and_says_so_to_the_system() {
    let cores = |arguments: &[&str]| {
        let mut served = Served::start(arguments);
        let pid = served.child().id();
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        line.unwrap()
            .split_whitespace()
            .skip(4)
            .take(2)
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(cores(&[]), ["0", "0"]);
    // Control: the hard limit of whoever started it, where that is any.
    let own = std::fs::read_to_string("/proc/self/limits").unwrap();
    let own = own
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let hard = own.split_whitespace().nth(5).unwrap().to_owned();
    assert_eq!(cores(&["--dumpable"])[1], hard);
}
