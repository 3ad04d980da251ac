//! A server under fire, and what must hold after each request.

use reference_server::config::{CertificateSource, Listeners};
use reference_server::ssec::dialect::Dialect;

use super::client::{Ask, Reply, Served};

/// The body of the object `kept`, which no target touches.
pub(crate) const KEPT: &[u8] = b"kept bytes";

/// A server, and what it held after the last request.
pub(crate) struct Ground {
    pub(crate) served: Served,
    holds: String,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let served = Served::start_with(Dialect::Aws, |config| {
            config.listeners = Listeners::Tls {
                certificate: CertificateSource::LocalAuthority { names: Vec::new() },
                also_http: Some(([127, 0, 0, 1], 0).into()),
            };
        })
        .await;
        let mut ground = Self {
            served,
            holds: String::new(),
            accepted: 0,
            refused: 0,
        };
        ground.put("/bucket/kept", KEPT).await;
        ground
    }

    pub(crate) async fn put(&mut self, path: &str, body: &[u8]) {
        let put = Ask::new("PUT", path).body(body);
        self.served.send_plain(&put).await.is(200);
        self.holds = self.listed().await;
    }

    /// Objects with their entity tags and times, uploads in progress and the rules of the bucket.
    async fn listed(&self) -> String {
        let mut text = String::new();
        for name in ["versions", "uploads", "cors"] {
            let ask = Ask::new("GET", "/bucket").query(&[(name, "")]);
            let reply = self.served.send_plain(&ask).await;
            // Two answers that are no lists would be alike, too.
            text += &format!("{} {}", reply.status, reply.text());
        }
        text.lines()
            .flat_map(|line| line.split("<RequestId>").take(1))
            .collect()
    }

    /// Sends bytes as they are. An answer that is no success must have changed nothing, and none is a
    /// failure of the server; 501 says that S3 knows what was asked and this server does not.
    pub(crate) async fn fire(&mut self, bytes: &[u8], tls: bool) -> Reply {
        let shown = bytes.escape_ascii();
        let reply = if tls {
            self.served.send_bytes(bytes).await
        } else {
            self.served.send_plain_bytes(bytes).await
        };
        assert!(
            reply.status < 500 || reply.status == 501,
            "{}: {}\n{shown}",
            reply.status,
            reply.text()
        );
        let holds = self.listed().await;
        if reply.status >= 300 {
            assert!(holds == self.holds, "refused, yet changed:\n{shown}");
            self.refused += 1;
        } else {
            self.accepted += 1;
        }
        self.holds = holds;
        reply
    }

    /// Takes what is there now for what must stay.
    pub(crate) async fn settle(&mut self) {
        self.holds = self.listed().await;
    }

    /// The server still serves; both answers came up, or the target tried nothing.
    pub(crate) async fn close(mut self) -> (u64, u64) {
        let get = Ask::new("GET", "/bucket/kept");
        assert_eq!(self.served.send_plain(&get).await.is(200).body, KEPT);
        self.put("/bucket/last", b"last").await;
        assert!(self.accepted > 0 && self.refused > 0);
        (self.accepted + self.refused, self.refused)
    }
}

/// A request with another body: its head as it is, but for the length.
pub(crate) fn with_body(request: &[u8], body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let lines = head
        .split("\r\n")
        .filter(|line| !line.starts_with("Content-Length:"));
    let head: String = lines.map(|line| format!("{line}\r\n")).collect();
    let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// What stands between two marks of a text.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

/// Corpus files have Unix line ends, the wire has not.
pub(crate) fn wire_lines(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// One line of a request cannot hold an end of line.
pub(crate) fn one_line(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.retain(|byte| *byte != b'\n');
    bytes
}
