//! A server that knows a header by one spelling alone. No impostor can tell this lie: names come to
//! both seams in lower case. So it is told before the server, by what passes the bytes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use reports::run::Run;
use reports::verdict::Verdict;

use crate::served::{Served, ssec, world};

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";

/// What passes of the algorithm's header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    AnySpelling,
    /// Names in lower case.
    LowerCase,
}

/// Passes every connection on to `server`, and returns where.
fn before(server: &str, known: Known) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let server = TcpStream::connect(&server).unwrap();
            let (mut answers, mut back) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                // Either side may end it.
                let _ = std::io::copy(&mut answers, &mut back);
                let _ = back.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let mut client = BufReader::new(client);
                while pass_one(&mut client, &server, known).is_some() {}
                let _ = server.shutdown(Shutdown::Write);
            });
        }
    });
    format!("http://{address}")
}

/// Passes one request; `None` at the end.
fn pass_one(client: &mut impl BufRead, mut server: &TcpStream, known: Known) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let name = line.split(':').next().unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = line[name.len() + 1..].trim().parse().ok()?;
        }
        let is_unknown = name.eq_ignore_ascii_case(ALGORITHM) && name != ALGORITHM;
        if known == Known::AnySpelling || !is_unknown {
            server.write_all(line.as_bytes()).ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    std::io::copy(&mut client.take(length), &mut server).ok()?;
    Some(())
}

#[test]
fn a_server_that_knows_one_spelling_is_convicted_by_the_trials_of_the_other_ones() {
    let served = Served::start(&["--plain-http"]);
    let directory = tempfile::tempdir().unwrap();
    let verdicts = |known, trial: &str| {
        let endpoint = before(served.endpoint(), known);
        let record = directory.path().join("record.jsonl");
        let arguments = [
            "test",
            "--no-save",
            "--endpoint",
            &endpoint,
            "--region",
            "us-east-1",
            "--record",
            record.to_str().unwrap(),
            trial,
        ];
        let told = ssec(&arguments, &world(directory.path()));
        let run = Run::read(std::fs::read(&record).unwrap().as_slice()).unwrap();
        assert!(run.cases.len() > 1, "{}{}", told.out, told.notes);
        let verdicts = run.cases.iter().map(|case| case.verdict);
        verdicts.collect::<Vec<_>>()
    };
    let all = |verdicts: &[Verdict], verdict| verdicts.iter().all(|one| *one == verdict);
    let convicted = verdicts(Known::LowerCase, "case::");
    assert!(all(&convicted, Verdict::Fail), "{convicted:?}");
    // The controls: the usual spelling passes it, and whoever knows all spellings is not convicted.
    let usual = verdicts(Known::LowerCase, "overwrite::");
    assert!(all(&usual, Verdict::Pass), "{usual:?}");
    let fair = verdicts(Known::AnySpelling, "case::");
    assert!(all(&fair, Verdict::Pass), "{fair:?}");
}
