//! A proxy without TLS that answers some requests itself and passes the rest on.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Status and code in place of the server's answer, by the request line.
type Answer = dyn Fn(&str) -> Option<(u16, &'static str)> + Send + Sync;

/// Starts a proxy before the server at `http://…`; it ends with the test's process.
pub(crate) fn start(
    server: &str,
    answer: impl Fn(&str) -> Option<(u16, &'static str)> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let answer: Arc<Answer> = Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), server.clone());
            let answer = Arc::clone(&answer);
            thread::spawn(move || pass_on(client, &server, &*answer));
        }
    });
    own
}

fn pass_on(mut client: TcpStream, server: &str, answer: &Answer) {
    let mut first = vec![0; 64 * 1024];
    let length = client.read(&mut first).unwrap();
    let line = first[..length].split(|byte| *byte == b'\r').next().unwrap();
    if let Some((status, code)) = answer(&String::from_utf8_lossy(line)) {
        let body = format!("<Error><Code>{code}</Code></Error>");
        let head = format!("HTTP/1.1 {status} No\r\nContent-Length: {}", body.len());
        // The client may be satisfied with the head of it.
        let _ = write!(client, "{head}\r\nConnection: close\r\n\r\n{body}");
        return;
    }
    let mut upstream = TcpStream::connect(server).unwrap();
    upstream.write_all(&first[..length]).unwrap();
    let mut back = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
    let answers = thread::spawn(move || {
        // A client that has its answer hangs up, and nothing is left to do.
        let _ = std::io::copy(&mut back.0, &mut back.1);
        let _ = back.1.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut client, &mut upstream);
    let _ = upstream.shutdown(Shutdown::Write);
    answers.join().unwrap();
}
