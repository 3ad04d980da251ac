//! What a target offers, settled before the first trial: an older server lacks some of it and is not
//! blamed, and what a run made there is removed again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use reports::run::Run;
use reports::verdict::Verdict;

use crate::served::{Served, ssec, world};

/// A server as they were before part numbers, checksums and copies of SSE-C objects: it takes the
/// headers and queries that it does not know for none. Its buckets keep versions and do not say so.
#[derive(Default)]
struct Older {
    buckets: Vec<String>,
    /// Path to bytes and the MD5 of their key.
    objects: BTreeMap<String, (Vec<u8>, Option<String>)>,
    /// Paths of which a version is left after a deletion.
    left: Vec<String>,
    parts: Vec<u8>,
}

/// A request, as far as this server looks at it.
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Asked {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut first = lines.first()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |line: &String| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: BTreeMap<_, _> = lines[1..].iter().filter_map(pair).collect();
        let length = headers
            .get("content-length")
            .map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = (path.to_owned(), query.to_owned());
        Some(Self {
            method,
            path,
            query,
            headers,
            body,
        })
    }

    fn key_md5(&self) -> Option<String> {
        let name = "x-amz-server-side-encryption-customer-key-md5";
        self.headers.get(name).cloned()
    }
}

type Answer = (u16, Vec<u8>);

fn refused(status: u16, code: &str) -> Answer {
    let document = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    (status, document.into_bytes())
}

impl Older {
    fn answer(&mut self, asked: Asked) -> Answer {
        let is_bucket = asked.path.matches('/').count() == 1;
        let about = asked.query.split(['=', '&']).next().unwrap_or_default();
        match (asked.method.as_str(), is_bucket, about) {
            ("PUT", true, "") => {
                self.buckets.push(asked.path);
                (200, Vec::new())
            }
            ("DELETE", true, "") if self.left.iter().any(|path| path.starts_with(&asked.path)) => {
                refused(409, "BucketNotEmpty")
            }
            ("DELETE", true, "") => (204, Vec::new()),
            ("GET", true, "prefix") if asked.query.contains("versions") => self.versions(&asked),
            ("GET", true, "list-type") if self.buckets.contains(&asked.path) => {
                (200, b"<ListBucketResult/>".to_vec())
            }
            ("GET", true, "list-type") => refused(404, "NoSuchBucket"),
            ("POST", false, "uploads") => (
                200,
                b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>".to_vec(),
            ),
            ("PUT", false, "partNumber") => {
                self.parts = asked.body;
                (200, Vec::new())
            }
            ("POST", false, "uploadId") => {
                self.objects.insert(asked.path, (self.parts.clone(), None));
                (200, b"<CompleteMultipartUploadResult/>".to_vec())
            }
            ("DELETE", false, "uploadId") => refused(404, "NoSuchUpload"),
            ("DELETE", false, "versionId") => {
                self.left.retain(|path| *path != asked.path);
                (204, Vec::new())
            }
            ("DELETE", false, _) => {
                if self.objects.remove(&asked.path).is_some() {
                    self.left.push(asked.path);
                }
                (204, Vec::new())
            }
            ("PUT", false, "") => self.put(asked),
            ("GET" | "HEAD", false, "" | "partNumber" | "X-Amz-Algorithm") => self.read(&asked),
            _ => refused(501, "NotImplemented"),
        }
    }

    fn put(&mut self, asked: Asked) -> Answer {
        let of_source = "x-amz-copy-source-server-side-encryption-customer-key";
        if asked.headers.contains_key(of_source) {
            return refused(501, "NotImplemented");
        }
        let key = asked.key_md5();
        let source = asked.headers.get("x-amz-copy-source");
        let body = match source.map(|source| self.objects.get(source)) {
            Some(None) => return refused(404, "NoSuchKey"),
            Some(Some((body, _))) => body.clone(),
            None => asked.body,
        };
        self.objects.insert(asked.path, (body, key));
        (200, b"<CopyObjectResult/>".to_vec())
    }

    fn read(&self, asked: &Asked) -> Answer {
        match self.objects.get(&asked.path) {
            None => refused(404, "NoSuchKey"),
            Some((_, key)) if *key != asked.key_md5() => refused(400, "InvalidRequest"),
            Some((body, _)) => (200, body.clone()),
        }
    }

    fn versions(&self, asked: &Asked) -> Answer {
        let mut list = String::from("<ListVersionsResult>");
        for path in self
            .left
            .iter()
            .filter(|path| path.starts_with(&asked.path))
        {
            let name = &path[asked.path.len() + 1..];
            let version = format!("<Key>{name}</Key><VersionId>v</VersionId>");
            list.push_str(&format!("<DeleteMarker>{version}</DeleteMarker>"));
        }
        (200, (list + "</ListVersionsResult>").into_bytes())
    }

    fn serve(self, listener: &TcpListener) {
        let shared = Arc::new(Mutex::new(self));
        for stream in listener.incoming() {
            let (mut stream, older) = (stream.unwrap(), Arc::clone(&shared));
            std::thread::spawn(move || {
                let Some(asked) = Asked::read(&stream) else {
                    return;
                };
                let is_head = asked.method == "HEAD";
                let (status, body) = older.lock().unwrap().answer(asked);
                let length = body.len();
                let body = if is_head { Vec::new() } else { body };
                let head = format!(
                    "HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nETag: \"t\"\r\n\
                     Connection: close\r\n\r\n"
                );
                // A client that went away is its own business.
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            });
        }
    }
}

fn run_of(endpoint: &[&str], names: &[&str]) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let record = directory.path().join("record.jsonl").display().to_string();
    let fixed = [
        "test",
        "--no-save",
        "--region",
        "us-east-1",
        "--record",
        &record,
    ];
    let told = ssec(
        &[&fixed, endpoint, names].concat(),
        &world(directory.path()),
    );
    let bytes = fs::read(&record).unwrap_or_else(|_| panic!("{}{}", told.out, told.notes));
    Run::read(bytes.as_slice()).unwrap()
}

#[test]
fn what_an_older_target_lacks_is_unsupported_and_what_it_kept_is_removed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || Older::default().serve(&listener));
    let names = [
        "copy::rekey",
        "copy::seal",
        "multipart::uploads-listed",
        "multipart::read-part",
        "checksums::shown",
        "integrity::checksum",
    ];
    let run = run_of(&["--endpoint", &endpoint], &names);
    let lacks = [
        (
            "copy::rekey",
            "copy-ssec is not offered: 501 NotImplemented",
        ),
        (
            "multipart::uploads",
            "list-uploads is not offered: 501 NotImplemented",
        ),
        (
            "multipart::read",
            "part-number is not offered: a read of part 1",
        ),
        (
            "checksums::",
            "checksums is not offered: x-amz-checksum-crc32",
        ),
        (
            "integrity::",
            "checksums is not offered: x-amz-checksum-crc32",
        ),
    ];
    for (name, why) in lacks {
        let mut cases = run.cases.iter().filter(|case| case.name.starts_with(name));
        let case = cases.next().unwrap();
        assert_eq!(case.verdict, Verdict::Unsupported, "{}", case.name);
        let message = case.message.as_deref().unwrap();
        assert!(message.starts_with(why), "{message}");
    }
    // The control: what it does offer is judged.
    let seal = run.cases.iter().find(|case| case.name == "copy::seal");
    assert_ne!(seal.unwrap().verdict, Verdict::Unsupported);
    assert_eq!(run.footer.cleanup.left, [""; 0]);
    assert_eq!(run.footer.cleanup.created, run.footer.cleanup.removed);
}

/// What was written to try the target is still there when the next thing is tried.
#[test]
fn all_that_a_target_offers_is_found() {
    let served = Served::start(&[]);
    let endpoint = ["--endpoint", served.endpoint(), "--ca", served.ca()];
    let names = [
        "tags::no-key",
        "attributes::told",
        "batch::no-key",
        "copy::rekey",
        "multipart::part-of-a-put",
        "checksums::shown",
        "versions::bytes",
        "blocked::overwritten",
    ];
    let run = run_of(&endpoint, &names);
    assert!(run.cases.len() > names.len());
    for case in &run.cases {
        assert_eq!(
            case.verdict,
            Verdict::Pass,
            "{}: {:?}",
            case.name,
            case.message
        );
    }
}
