//! `ssec bench` against a target that means ill: what it says is redacted, what it leaves half done
//! is removed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// What a target saw of the run.
#[derive(Default)]
struct Seen {
    /// Base64 texts of customer keys.
    keys: Vec<String>,
    aborted: usize,
}

/// A target on a free port that answers until the test ends: it names each request after the
/// request's own key, in hex, and hangs up on every part of an upload.
fn target() -> (SocketAddr, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let seen = Arc::clone(&shared);
            // A client that hangs up ends its conversation.
            std::thread::spawn(move || stream.ok().and_then(|stream| converse(stream, &seen)));
        }
    });
    (address, seen)
}

fn converse(mut stream: TcpStream, seen: &Mutex<Seen>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut first, mut length, mut key) = (String::new(), 0, None);
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "x-amz-server-side-encryption-customer-key" => key = Some(value.to_owned()),
                _ => {}
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).ok()?;
        let mut seen = seen.lock().unwrap();
        if first.contains("partNumber=") {
            return None;
        }
        let id = key.as_ref().map_or_else(String::new, |key| {
            let raw = BASE64_STANDARD.decode(key).unwrap();
            format!("x-amz-request-id: {}\r\n", hex::encode(raw))
        });
        seen.keys.extend(key);
        seen.aborted += usize::from(first.starts_with("DELETE") && first.contains("uploadId="));
        let body = answer(&first);
        drop(seen);
        let head = format!(
            "HTTP/1.1 200 OK\r\n{id}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
    }
}

fn answer(first: &str) -> String {
    let target = first.split(' ').nth(1).unwrap();
    let (_, query) = target.split_once('?').unwrap_or_default();
    if first.starts_with("POST") {
        return "<R><UploadId>u</UploadId></R>".to_owned();
    }
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="));
    match prefix {
        Some(prefix) if query.contains("uploads") => {
            let name = prefix.replace("%2F", "/");
            format!(
                "<ListMultipartUploadsResult><Upload><Key>{name}</Key><UploadId>u</UploadId>\
                 </Upload></ListMultipartUploadsResult>"
            )
        }
        _ => "<ListBucketResult></ListBucketResult>".to_owned(),
    }
}

fn bench(directory: &Path, address: SocketAddr, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssec"))
        .current_dir(directory)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "id")
        .env(
            "AWS_SECRET_ACCESS_KEY",
            "a-secret-that-only-this-test-knows",
        )
        .args(["bench", "--sse=c", "--allow-limited", "--concurrency=2"])
        .args([
            "--record=record.jsonl",
            &format!("--endpoint=http://{address}"),
        ])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn a_key_that_comes_back_as_a_request_id_is_not_written_down() {
    for scheme in ["fixed", "per-object", "pool:4"] {
        let directory = tempfile::tempdir().unwrap();
        let (address, seen) = target();
        let keys = format!("--ssec-keys={scheme}");
        let flags = [
            "--op=put",
            "--requests=8",
            "--objects=8",
            "--size=64B",
            &keys,
        ];
        let output = bench(directory.path(), address, &flags);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{told}");
        let written = std::fs::read_to_string(directory.path().join("record.jsonl")).unwrap();
        assert!(written.contains(" as hex>"), "{scheme}: {written}");
        let seen = seen.lock().unwrap();
        assert!(seen.keys.len() >= 8);
        for key in &seen.keys {
            let hex = hex::encode(BASE64_STANDARD.decode(key).unwrap());
            for text in [&written, &told] {
                assert!(!text.contains(&hex) && !text.contains(key), "{scheme}");
            }
        }
    }
}

#[test]
fn an_upload_that_was_cut_off_is_aborted_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (address, seen) = target();
    let flags = [
        "--op=multipart",
        "--requests=2",
        "--objects=1",
        "--size=64B",
    ];
    let output = bench(directory.path(), address, &flags);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "nothing was ok: {told}");
    assert!(seen.lock().unwrap().aborted >= 1, "{told}");
}
