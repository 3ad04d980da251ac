//! A server on a small disk of its own, a tmpfs that no other process sees: what answers 507 and from
//! where on, that deletion goes on, that service resumes, and that nothing is corrupt at the end.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use bytes::Bytes;
use harness::s3::error_document::error_document;

use super::client::Client;
use super::patience::{PATIENCE, wait_until};
use super::process::watch;
use super::served::{ACCESS_KEY_ID, SECRET};

/// With fewer free bytes the server refuses to write.
const FLOOR: u64 = 64 << 20;
/// The disk, in bytes.
const DISK: u64 = 104 << 20;
const BODY: usize = 4 << 20;
/// Bytes that a start needs, beside objects, at most; it decides nothing but how many objects fit.
const MOST_OBJECTS: usize = 40;

/// The server, in a namespace of mounts that ends with it; then the scrub of what it leaves.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=$2 tmpfs "$1" &&
"$0" serve --plain-http --bucket full --data-dir "$1/data" --access-key-id "$3" --end-with-stdin &&
exec "$0" serve --scrub --data-dir "$1/data"
"#;

/// How a namespace of mounts is made: for a user where the system allows it, else for root.
fn unshare() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    let mounts = |way: &&[&str]| {
        let tried = Command::new("unshare")
            .args(*way)
            .args(["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"])
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|status| status.success())
    };
    ways.into_iter().find(mounts)
}

struct OnSmallDisk {
    child: Child,
    stdin: Option<ChildStdin>,
    endpoint: String,
    /// The disk, as this process can reach it.
    disk: PathBuf,
}

impl OnSmallDisk {
    fn start(way: &[&str], place: &Path) -> Self {
        let mut child = Command::new("unshare")
            .args(way)
            .args(["sh", "-c", SCRIPT, env!("CARGO_BIN_EXE_ssec")])
            .arg(place)
            .args([&DISK.to_string(), ACCESS_KEY_ID])
            .env("SSEC_SECRET_ACCESS_KEY", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line = first_line(&mut child);
        let endpoint = line
            .split(' ')
            .find_map(|word| word.strip_prefix("S3_ENDPOINT="));
        let disk = format!("/proc/{}/root{}", child.id(), place.display());
        Self {
            stdin: child.stdin.take(),
            endpoint: endpoint.unwrap_or_else(|| panic!("{line}")).to_owned(),
            disk: PathBuf::from(disk),
            child,
        }
    }

    fn free(&self) -> u64 {
        let found = rustix::fs::statvfs(&self.disk).unwrap();
        found.f_bavail * found.f_frsize
    }

    /// Fills the disk with bytes of nobody until so many are free.
    fn leave(&self, free: u64) {
        let path = self.disk.join("ballast");
        let ballast = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        let (mut end, zeros) = (ballast.metadata().unwrap().len(), vec![0; 64 << 10]);
        while self.free() > free {
            let most = usize::try_from(self.free() - free)
                .unwrap()
                .min(zeros.len());
            ballast.write_all_at(&zeros[..most], end).unwrap();
            end += most as u64;
        }
    }

    fn throw_ballast_out(&self) {
        std::fs::remove_file(self.disk.join("ballast")).unwrap();
    }

    /// Ends the server as its user would; what the scrub of its store says.
    fn end(mut self) -> String {
        drop(self.stdin.take());
        let ended = watch(&mut self.child, PATIENCE, || {});
        let mut said = String::new();
        let mut out = self.child.stdout.take().unwrap();
        out.read_to_string(&mut said).unwrap();
        assert_eq!(ended.status.code(), Some(0), "{said}");
        said
    }
}

impl Drop for OnSmallDisk {
    fn drop(&mut self) {
        // The server ends with its standard input, and so does the shell behind it.
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Reads byte by byte, so that what follows stays for whoever reads on.
fn first_line(child: &mut Child) -> String {
    let out = child.stdout.as_mut().unwrap();
    let (mut line, mut byte) = (Vec::new(), [0]);
    while out.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    String::from_utf8(line).unwrap()
}

fn body(number: usize) -> Bytes {
    let pattern = |position: usize| u8::try_from((position * 7 + number) % 251).unwrap();
    (0..BODY).map(pattern).collect()
}

fn name(number: usize) -> String {
    format!("object-{number}")
}

async fn assert_refused(client: &Client) {
    let small = client.put("small", Bytes::from_static(b"x")).await;
    let upload = client.create_upload("upload").await;
    for refused in [small, upload] {
        let document = error_document(&refused.body).unwrap();
        assert_eq!(refused.status, 507, "{document:?}");
        assert_eq!(document.code.as_deref(), Some("InsufficientStorage"));
    }
}

/// Writes until the first refusal; returns how many were taken.
async fn fill(disk: &OnSmallDisk, client: &Client) -> usize {
    for number in 0..MOST_OBJECTS {
        let free = disk.free();
        let put = client.put(&name(number), body(number)).await;
        let expected = if free < FLOOR { 507 } else { 200 };
        assert_eq!(put.status, expected, "with {free} bytes free");
        if put.status == 507 {
            return number;
        }
    }
    panic!("the disk did not fill up");
}

#[tokio::test]
async fn from_64_mib_free_downwards_writes_are_507_and_deletion_goes_on() {
    let Some(way) = unshare() else {
        println!(
            "hardening | resources: a full disk (skipped: no tmpfs may be mounted) | 0 | – | – | – |"
        );
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let disk = OnSmallDisk::start(way, place.path());
    let client = Client::new(&disk.endpoint, "full");
    let mut kept: Vec<usize> = (0..fill(&disk, &client).await).collect();
    assert!(kept.len() > 6, "{} objects", kept.len());
    let mut tried = kept.len();
    // Deletion works, however little is free, and reads do.
    for free in [48 << 20, 8 << 20, 1 << 20] {
        disk.leave(free);
        assert_refused(&client).await;
        for number in &kept {
            let read = client.get(&name(*number)).await;
            assert_eq!(read.status, 200);
            assert!(read.body == body(*number), "object {number}");
        }
        let gone = kept.pop().unwrap();
        assert_eq!(client.delete(&name(gone)).await.status, 204);
        assert_eq!(client.get(&name(gone)).await.status, 404);
        tried += 4 + kept.len();
    }
    // Nothing at all is free: whatever is answered, nothing is lost.
    disk.leave(0);
    let refused = client.put("small", Bytes::from_static(b"x")).await.status;
    assert!(matches!(refused, 503 | 507), "{refused}");
    let last = kept.pop().unwrap();
    let deleted = client.delete(&name(last)).await.status;
    assert!(matches!(deleted, 204 | 503), "{deleted}");
    disk.throw_ballast_out();
    wait_until("room is back", || disk.free() > FLOOR);
    assert_eq!(
        client.delete(&name(last)).await.status,
        204,
        "service resumes"
    );
    let put = client.put("small", Bytes::from_static(b"x")).await;
    assert_eq!(put.status, 200, "service resumes");
    for number in &kept {
        assert!(client.get(&name(*number)).await.body == body(*number));
    }
    assert_eq!(client.get("small").await.body, "x");
    tried += 5 + kept.len();
    let said = disk.end();
    assert!(said.starts_with("0 found; "), "{said}");
    println!(
        "hardening | resources: requests on a disk with 64 MiB free and less | {tried} | 0 | – | 0 |"
    );
}
