//! A front before a server without TLS, which answers some requests in its place: a target that is
//! not steady.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::served::Served;

/// Longest head that is read.
const MAX_HEAD: usize = 64 << 10;

/// Where requests go first; it ends with the test process.
pub(crate) struct Front {
    pub(crate) url: String,
}

/// What a request says before its body.
pub(crate) struct Head(String);

impl Head {
    /// Whether it asks for an object of this name in this way, with a customer key.
    pub(crate) fn shows_a_key(&self, method: &str, object: &str) -> bool {
        let path = self.0.split(' ').nth(1).unwrap_or_default();
        self.0.starts_with(&format!("{method} "))
            && path
                .split('?')
                .next()
                .is_some_and(|path| path.ends_with(&format!("/{object}")))
            && self
                .value("x-amz-server-side-encryption-customer-key")
                .is_some()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Front {
    /// Answers what `answer` says, and hands the rest on to the server.
    pub(crate) fn before(
        server: &Served,
        answer: impl Fn(&Head) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let upstream = server
            .endpoint()
            .strip_prefix("http://")
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (answer, upstream) = (Arc::clone(&answer), upstream.clone());
                // A client that goes away is nobody's fault.
                thread::spawn(move || serve(client, &*answer, &upstream).ok());
            }
        });
        Self { url }
    }
}

fn serve(
    mut client: TcpStream,
    answer: &(dyn Fn(&Head) -> Option<String> + Send + Sync),
    upstream: &str,
) -> io::Result<()> {
    let mut read = Vec::new();
    let mut some = [0; 4096];
    let end = loop {
        let length = client.read(&mut some)?;
        read.extend_from_slice(&some[..length]);
        let end = read.windows(4).position(|four| four == b"\r\n\r\n");
        match end {
            Some(end) => break end,
            None if length == 0 || read.len() > MAX_HEAD => return Ok(()),
            None => {}
        }
    };
    if let Some(answer) = answer(&Head(String::from_utf8_lossy(&read[..end]).into_owned())) {
        client.write_all(answer.as_bytes())?;
        return client.shutdown(Shutdown::Write);
    }
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(&read)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let sending = thread::spawn(move || io::copy(&mut from, &mut to).ok());
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)?;
    drop(sending.join());
    Ok(())
}

/// An answer with this status, code and nothing else.
pub(crate) fn refusal(status: &str, code: &str) -> String {
    let body = format!("<Error><Code>{code}</Code></Error>");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
