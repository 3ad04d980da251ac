//! A front before a server without TLS, which answers some requests in its place, or changes what
//! they say: a target that is not steady, or does not know everything.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::served::Served;

/// Longest head that is read.
const MAX_HEAD: u64 = 64 << 10;

/// Where requests go first; it ends with the test process.
pub(crate) struct Front {
    pub(crate) url: String,
}

/// What a request says before its body, with the empty line.
pub(crate) struct Head(String);

/// What becomes of a request.
pub(crate) enum Fate {
    /// This is answered in the server's place.
    Answered(String),
    /// It is passed on with this head.
    PassedOn(String),
}

impl Head {
    /// The request line.
    pub(crate) fn line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }

    /// Every line, with its end.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.split_inclusive('\n')
    }

    /// Whether it asks for an object of this name in this way, with a customer key.
    pub(crate) fn shows_a_key(&self, method: &str, object: &str) -> bool {
        let path = self.line().split(' ').nth(1).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let key = self.value("x-amz-server-side-encryption-customer-key");
        self.line().starts_with(&format!("{method} "))
            && path.ends_with(&format!("/{object}"))
            && key.is_some()
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
        Self::with(server, move |head| match answer(head) {
            Some(answer) => Fate::Answered(answer),
            None => Fate::PassedOn(head.0.clone()),
        })
    }

    /// Does with each request what `rule` says.
    pub(crate) fn with(
        server: &Served,
        rule: impl Fn(&Head) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let upstream = server.endpoint().strip_prefix("http://").unwrap();
        let upstream = upstream.to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rule = Arc::new(rule);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (rule, upstream) = (Arc::clone(&rule), upstream.clone());
                // A client that goes away is nobody's fault.
                thread::spawn(move || serve(client, &*rule, &upstream).ok());
            }
        });
        Self { url }
    }
}

/// One request of a connection; what comes behind it is passed on as it comes.
fn serve(
    mut client: TcpStream,
    rule: &(dyn Fn(&Head) -> Fate + Send + Sync),
    upstream: &str,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Head(String::new());
    while !head.0.ends_with("\r\n\r\n") {
        let mut line = Vec::new();
        if (&mut reader).take(MAX_HEAD).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        head.0.push_str(&String::from_utf8_lossy(&line));
    }
    let head_on = match rule(&head) {
        Fate::PassedOn(head) => head,
        Fate::Answered(answer) => {
            // The whole request first: a connection that is closed before is reset, and the answer
            // with it.
            let length = head.value("content-length").and_then(|n| n.parse().ok());
            io::copy(&mut reader.take(length.unwrap_or(0)), &mut io::sink())?;
            client.write_all(answer.as_bytes())?;
            return client.shutdown(Shutdown::Write);
        }
    };
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(head_on.as_bytes())?;
    let mut to = server.try_clone()?;
    let sending = thread::spawn(move || io::copy(&mut reader, &mut to).ok());
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
