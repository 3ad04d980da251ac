//! Clients in numbers that say half of what they have to say: the server's memory and descriptors are
//! bounded, others are served meanwhile, and everything is given back.

use std::io::Write as _;
use std::net::TcpStream;

use bytes::Bytes;

use super::client::Client;
use super::patience::wait_until;
use super::process::Usage;
use super::served::Served;

/// Clients that send a head that does not end, and clients that send a body that does not come.
const HEADS: usize = 500;
const BODIES: usize = 200;
/// Bytes of an endless head that were sent; the limit is 64 KiB.
const HEAD: usize = 60 << 10;
/// Bytes that the server may hold for a head, in a buffer that doubles and what it doubled from, and for a
/// body: the window that is filled, of up to 16 records of 64 KiB, what is sealed of it, and the connection's own.
const FOR_A_HEAD: u64 = 448 << 10;
const FOR_A_BODY: u64 = 3 << 20;
/// Descriptors that may come and go beside the crowd, such as those of an answered client's connection, which the
/// server closes when it comes to it.
const STRAY: usize = 8;

fn connect(served: &Served) -> TcpStream {
    let address = served.endpoint().strip_prefix("http://").unwrap();
    TcpStream::connect(address).unwrap()
}

/// How many files this process may open, raised as far as the system lets it.
fn descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Without it there are as many as there were.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[tokio::test]
async fn crowds_take_a_bounded_part_of_a_server_and_give_it_back() {
    if descriptors() < 2 * (HEADS + BODIES) as u64 {
        println!(
            "hardening | hostile clients: crowds of half a request (skipped: too few descriptors) | 0 | – | – | – |"
        );
        return;
    }
    let mut served = Served::start(&["--plain-http", "--dumpable", "--bucket", "crowds"]);
    let pid = served.child().id();
    let client = Client::new(served.endpoint(), "crowds");
    let body = Bytes::from_static(b"served all the same");
    assert_eq!(client.put("kept", body.clone()).await.status, 200);
    let before = Usage::of(pid);

    let head = [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Endless: "[..],
        &vec![b'a'; HEAD],
    ]
    .concat();
    // 4 MiB are declared and signed, 64 KiB come.
    let upload = client.putting("stalled", Bytes::from(vec![b'p'; 4 << 20]));
    let sizes = [
        (HEADS, [&head[..], b""], FOR_A_HEAD),
        (
            BODIES,
            [&upload.head()[..], &upload.body[..64 << 10]],
            FOR_A_BODY,
        ),
    ];
    let (mut crowd, mut most) = (Vec::new(), 0);
    for (count, bytes, for_each) in sizes {
        let start = Usage::of(pid);
        for _ in 0..count {
            let mut stream = connect(&served);
            stream.write_all(&bytes.concat()).unwrap();
            crowd.push(stream);
        }
        // Counted from what there was while nobody stood there: a reading may hold a connection that is about to close.
        let arrived = before.descriptors + crowd.len() - STRAY;
        wait_until("all are taken", || Usage::of(pid).descriptors >= arrived);
        let read = client.get("kept").await;
        assert_eq!((read.status, read.body), (200, body.clone()));
        let busy = Usage::of(pid);
        let grown = busy.memory.saturating_sub(start.memory);
        assert!(grown < for_each * count as u64, "{start:?} {busy:?}");
        most = busy.memory - before.memory;
    }

    drop(crowd);
    wait_until("descriptors are given back", || {
        Usage::of(pid).descriptors <= before.descriptors + STRAY
    });
    assert_eq!(client.get("kept").await.body, body);
    assert_eq!(client.get("stalled").await.status, 404);
    println!(
        "hardening | hostile clients: crowds of half a request, {} MiB and all given back | {} | 0 | – | 0 |",
        most >> 20,
        HEADS + BODIES
    );
}
