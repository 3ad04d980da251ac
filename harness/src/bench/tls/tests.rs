//! Against servers of `rustls`: whatever is spoken, what either side says arrives, and what was changed does not.

use std::io::ErrorKind;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, default_provider};
use rustls::crypto::cipher::{AeadKey, Iv};
use rustls::{ConnectionTrafficSecrets, ServerConfig, SupportedCipherSuite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::record::HEADER;
use super::*;
use crate::transport::TlsSettings;

const NAME: &str = "localhost";
/// Several records, and no whole number of them.
const LENGTH: usize = 300_001;

fn provider(suite: SupportedCipherSuite) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![suite],
        ..default_provider()
    })
}

/// A server that speaks this suite alone, and the authority of its certificate.
fn acceptor(suite: SupportedCipherSuite) -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider(suite))
        .with_protocol_versions(&[suite.version()])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

fn configuration(pem: &str) -> Configuration {
    Configuration::of(&TlsSettings::pem(pem.as_bytes(), "a test").unwrap().config)
}

/// A connection between `serve` and the client.
async fn connected<F>(
    suite: SupportedCipherSuite,
    buffer: usize,
    serve: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
) -> (Tls, tokio::task::JoinHandle<()>)
where
    F: Future<Output = ()> + Send,
{
    let (acceptor, pem) = acceptor(suite);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let tcp = listener.accept().await.unwrap().0;
        serve(acceptor.accept(tcp).await.unwrap()).await;
    });
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let stream = Tls::connect(tcp, &configuration(&pem), name, buffer).await;
    (stream.unwrap(), server)
}

fn body() -> Vec<u8> {
    (0..LENGTH).map(|at| (at % 251) as u8).collect()
}

/// Says everything back; new keys after each piece, if so.
async fn echo(mut stream: TlsStream<TcpStream>, new_keys: bool) {
    let mut piece = vec![0; 40_000];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        if read == 0 {
            break stream.shutdown().await.unwrap();
        }
        stream.write_all(&piece[..read]).await.unwrap();
        if new_keys {
            stream.get_mut().1.refresh_traffic_keys().unwrap();
        }
    }
}

/// Sends the body in pieces and reads it back; twice, so that what stands between is seen too.
async fn exchanged(stream: &mut Tls) {
    let body = body();
    for _ in 0..2 {
        let (mut reader, mut writer) = tokio::io::split(&mut *stream);
        let send = async {
            for piece in body.chunks(70_000) {
                writer.write_all(piece).await.unwrap();
            }
            writer.flush().await.unwrap();
        };
        let mut back = vec![0; body.len()];
        let (read, ()) = tokio::join!(reader.read_exact(&mut back), send);
        read.unwrap();
        assert!(back == body);
    }
}

#[tokio::test]
async fn what_is_said_arrives_whatever_is_spoken() {
    // Those of RSA seal their records alike, and the certificate here has no such key.
    let suites = ALL_CIPHER_SUITES.iter();
    let suites: Vec<_> = suites
        .filter(|suite| !format!("{suite:?}").contains("_RSA_"))
        .collect();
    assert_eq!(suites.len(), 6, "{suites:?}");
    for suite in suites {
        let serve = |stream| echo(stream, false);
        let (mut stream, server) = connected(*suite, 0, serve).await;
        exchanged(&mut stream).await;
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn either_side_may_renew_its_keys() {
    let newest = ALL_CIPHER_SUITES[0];
    for new_keys in [false, true] {
        let serve = move |stream| echo(stream, new_keys);
        let (mut stream, server) = connected(newest, 64 << 10, serve).await;
        stream.records_a_key = 3;
        exchanged(&mut stream).await;
        assert!(stream.sealing.sequence <= 3);
        stream.shutdown().await.unwrap();
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_asks_for_new_keys_without_end_is_left() {
    for (asked, left) in [(100, false), (6000, true)] {
        let serve = move |mut stream: TlsStream<TcpStream>| async move {
            for _ in 0..asked {
                stream.get_mut().1.refresh_traffic_keys().unwrap();
                // Who is left cannot say more.
                if stream.write_all(b"more").await.is_err() {
                    return;
                }
            }
            let _ = stream.shutdown().await;
        };
        let (mut stream, server) = connected(ALL_CIPHER_SUITES[0], 0, serve).await;
        let mut read = Vec::new();
        let ended = stream.read_to_end(&mut read).await;
        assert_eq!(ended.is_err(), left, "{ended:?}");
        drop(stream);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn pieces_are_sealed_in_their_order() {
    let serve = |stream| echo(stream, false);
    let (mut stream, server) = connected(ALL_CIPHER_SUITES[0], 0, serve).await;
    let body = body();
    let (head, rest) = body.split_at(100);
    let (middle, last) = rest.split_at(40_000);
    let pieces = [head, &[], middle, last].map(IoSlice::new);
    let taken = stream.write_vectored(&pieces).await.unwrap();
    assert!(taken >= SEALED_AT_ONCE, "{taken}");
    stream.flush().await.unwrap();
    let mut back = vec![0; taken];
    stream.read_exact(&mut back).await.unwrap();
    assert!(back == body[..taken]);
    drop(stream);
    let _ = server.await;
}

#[tokio::test]
async fn an_end_without_a_word_is_no_end() {
    let serve = |mut stream: TlsStream<TcpStream>| async move {
        stream.write_all(b"half of it").await.unwrap();
        // The connection goes and TLS says nothing.
        stream.into_inner().0.shutdown().await.unwrap();
    };
    let (mut stream, server) = connected(ALL_CIPHER_SUITES[0], 0, serve).await;
    server.await.unwrap();
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(read, b"half of it");
}

#[tokio::test]
async fn what_came_before_a_forged_record_is_told_before_it() {
    let serve = |mut stream: TlsStream<TcpStream>| async move {
        stream.write_all(b"sealed").await.unwrap();
        stream.flush().await.unwrap();
        let forged = [&[23, 3, 3, 0, 40][..], &[7; 40]].concat();
        stream.get_mut().0.write_all(&forged).await.unwrap();
    };
    let (mut stream, server) = connected(ALL_CIPHER_SUITES[0], 0, serve).await;
    server.await.unwrap();
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(read, b"sealed");
}

#[tokio::test]
async fn who_speaks_no_tls_is_refused() {
    for said in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        &[22, 3, 3, 255, 255, 0],
        b"",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut tcp = listener.accept().await.unwrap().0;
            tcp.write_all(said).await.unwrap();
            tcp.shutdown().await.unwrap();
            // Until the client is gone.
            while tcp.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {}
        });
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let (_, pem) = acceptor(ALL_CIPHER_SUITES[0]);
        let refused = Tls::connect(tcp, &configuration(&pem), name, 0).await;
        assert!(refused.is_err());
        server.await.unwrap();
    }
}

fn halves(version: ProtocolVersion) -> (Half, Half) {
    let secrets = || ConnectionTrafficSecrets::Aes256Gcm {
        key: AeadKey::from([9; 32]),
        iv: Iv::new([5; 12]),
    };
    let half = || Half::new(version, (0, secrets())).unwrap();
    (half(), half())
}

#[test]
fn no_byte_of_a_record_can_be_changed() {
    for version in [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3] {
        let (mut sealing, mut opening) = halves(version);
        let mut sealed = Vec::new();
        let content = [&b"what is "[..], b"bound"];
        sealing.seal(Content::Data, content, &mut sealed).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let mut other = halves(version).1;
            // The header says how long it is, so a change of that makes another record, or none yet.
            let length = length(&changed).unwrap().unwrap();
            let opened = changed.get_mut(..length).map(|record| other.open(record));
            assert!(
                opened.is_none_or(|opened| opened.is_err()),
                "{version:?} {at}"
            );
        }
        let mut again = sealed.clone();
        let (what, place) = opening.open(&mut sealed).unwrap();
        assert_eq!(
            (what, &sealed[place]),
            (Content::Data, &b"what is bound"[..])
        );
        assert!(opening.open(&mut again).is_err(), "twice");
    }
}

#[test]
fn a_record_that_cannot_be_one_is_refused() {
    assert_eq!(length(&[23, 3, 3, 0]).unwrap(), None);
    let most = MOST_RECORD - HEADER;
    let header = |length: usize| [&[23, 3, 3][..], &(length as u16).to_be_bytes()].concat();
    assert_eq!(length(&header(most)).unwrap(), Some(MOST_RECORD));
    assert!(length(&header(most + 1)).is_err());
    for version in [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3] {
        for short in 0..HEADER + 24 {
            let mut record = vec![23; short];
            assert!(halves(version).1.open(&mut record).is_err(), "{short}");
        }
    }
}
