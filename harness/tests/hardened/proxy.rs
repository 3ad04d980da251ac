//! A target that means ill: it passes requests on to an honest server, but for those that it spoils.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Which requests are spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoilt {
    /// The first one and all others.
    Each,
    /// Reads that carry a customer key: by then the run is under way.
    KeyedReads,
    /// Those whose first line begins so, and holds the other.
    Lines(&'static str, &'static str),
    Nothing,
}

/// What is sent in place of an answer.
pub(crate) enum Hostile {
    /// These bytes, and the end of the connection.
    Once(Vec<u8>),
    /// The first bytes, then the others until the client is gone, so long after each other.
    Forever(Vec<u8>, Vec<u8>, Duration),
    /// Nothing, until the client is gone.
    Silence,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    spoilt: Arc<AtomicUsize>,
}

impl Proxy {
    /// Listens on a free port until the test ends.
    pub(crate) fn start(upstream: SocketAddr, which: Spoilt, hostile: Arc<Hostile>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let spoilt = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&spoilt);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (hostile, counter) = (Arc::clone(&hostile), Arc::clone(&counter));
                std::thread::spawn(move || {
                    // A client that hangs up ends its conversation.
                    client.and_then(|client| converse(client, upstream, which, &hostile, &counter))
                });
            }
        });
        Self { address, spoilt }
    }

    /// How many requests were spoilt so far.
    pub(crate) fn spoilt(&self) -> usize {
        self.spoilt.load(Ordering::SeqCst)
    }
}

/// One request of a connection, which is closed after it.
fn converse(
    mut client: TcpStream,
    upstream: SocketAddr,
    which: Spoilt,
    hostile: &Hostile,
    spoilt: &AtomicUsize,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length, mut keyed) = (Vec::new(), 0, false);
    loop {
        let start = head.len();
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&head[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        keyed |= line.starts_with("x-amz-server-side-encryption-customer-key:");
        if line == "\r\n" {
            break;
        }
    }
    let is_spoilt = match which {
        Spoilt::Each => true,
        Spoilt::KeyedReads => keyed && head.starts_with(b"GET "),
        Spoilt::Lines(method, holds) => {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            line.starts_with(method) && line.contains(holds)
        }
        Spoilt::Nothing => false,
    };
    if is_spoilt {
        spoilt.fetch_add(1, Ordering::SeqCst);
        return spoil(&mut client, hostile);
    }
    let mut server = TcpStream::connect(upstream)?;
    head.truncate(head.len() - 2);
    head.extend(b"Connection: close\r\n\r\n");
    server.write_all(&head)?;
    io::copy(&mut reader.take(length), &mut server)?;
    io::copy(&mut server, &mut client)?;
    Ok(())
}

fn spoil(client: &mut TcpStream, hostile: &Hostile) -> io::Result<()> {
    match hostile {
        Hostile::Once(bytes) => client.write_all(bytes),
        Hostile::Forever(first, again, pause) => {
            client.write_all(first)?;
            loop {
                client.write_all(again)?;
                std::thread::park_timeout(*pause);
            }
        }
        Hostile::Silence => io::copy(client, &mut io::sink()).map(drop),
    }
}
