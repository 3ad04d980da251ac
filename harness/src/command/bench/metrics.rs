//! `ssec bench --metrics ADDR`: a page that a monitoring system scrapes while the load is on.
//!
//! It answers `GET /metrics` and nothing else, with the totals as they were at the last whole second.
//! It is for the operator's own network: whoever reaches it sees counts, never a secret.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reports::bench::totals::Totals;
use reports::render::exposition;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Failure;

/// Longest head of a scraper's request that is read.
const MAX_HEAD: usize = 8 << 10;
/// Scrapers that are answered at a time; more wait.
const MOST_SCRAPERS: usize = 4;
/// How long one scraper may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failure to accept.
const PAUSE: Duration = Duration::from_millis(100);

/// The page; it ends when dropped.
pub(super) struct Metrics {
    pub(super) address: SocketAddr,
    page: Arc<Mutex<Vec<u8>>>,
    serving: JoinHandle<()>,
}

impl Metrics {
    /// Listens. Must be called within a runtime.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(super) async fn serve(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::bad_input(format!("cannot listen on {address} for --metrics: {error}"))
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let page = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(accept(listener, Arc::clone(&page)));
        Ok(Self {
            address,
            page,
            serving,
        })
    }

    /// Shows these totals from now on.
    pub(super) fn show(&self, totals: &[Totals]) {
        let mut text = Vec::new();
        let written = exposition::render(totals, &mut text);
        written.expect("a vector takes all bytes");
        *self.page.lock().expect("no holder of the page panics") = text;
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, page: Arc<Mutex<Vec<u8>>>) {
    let places = Arc::new(Semaphore::new(MOST_SCRAPERS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let page = Arc::clone(&page);
                tokio::spawn(async move {
                    // A scraper that goes away or takes too long is no concern of the load.
                    let _ = timeout(SCRAPE_TIMEOUT, answer(stream, &page)).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn answer(mut stream: TcpStream, page: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let room = MAX_HEAD.saturating_sub(head.len()) as u64;
        if (&mut stream).take(room).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let mut words = head.split(|byte| *byte == b' ');
    let (method, path) = (words.next(), words.next());
    let (status, body) = match (method, path) {
        (Some(b"GET"), Some(b"/metrics")) => {
            let page = page.lock().expect("no holder of the page panics");
            ("200 OK", page.clone())
        }
        (Some(b"GET"), _) => ("404 Not Found", b"the metrics are at /metrics\n".to_vec()),
        _ => ("405 Method Not Allowed", b"GET /metrics\n".to_vec()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        exposition::CONTENT_TYPE,
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::bench::record::SeriesName;

    async fn ask(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The page may hang up before all of it is read.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(30), stream.read_to_end(&mut answer))
            .await
            .unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn it_answers_a_scraper_and_nobody_else() {
        let metrics = Metrics::serve("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let mut totals = Totals::new(SeriesName {
            op: "get".to_owned(),
            arm: "ssec".to_owned(),
        });
        totals.ok = 42;
        metrics.show(&[totals]);
        let at = metrics.address;
        let found = ask(at, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(found.starts_with("HTTP/1.1 200 OK\r\n"), "{found}");
        assert!(found.contains("outcome=\"ok\"} 42\n"), "{found}");
        let other = ask(at, b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
        let put = ask(at, b"PUT /metrics HTTP/1.1\r\n\r\n").await;
        assert!(put.starts_with("HTTP/1.1 405 "), "{put}");
        let endless = vec![b'x'; MAX_HEAD + 1];
        assert_eq!(ask(at, &endless).await, "");
        // Whoever holds all places and says nothing does not keep others out for ever.
        let mut silent = Vec::new();
        for _ in 0..MOST_SCRAPERS {
            silent.push(TcpStream::connect(at).await.unwrap());
        }
        let late = ask(at, b"GET /metrics HTTP/1.1\r\n\r\n").await;
        assert!(late.contains("outcome=\"ok\"} 42\n"), "{late}");
        let taken = Metrics::serve(at).await.err().unwrap();
        assert!(taken.message.contains("cannot listen on"), "{taken}");
    }
}
