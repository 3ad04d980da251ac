//! TLS of the load: `rustls` makes the handshake, then records are opened where they were received.
//!
//! What a connection reads is received into one buffer of its own, opened there, and copied once, to
//! whoever reads. `rustls` stays in charge of session tickets and of new keys.

mod record;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::kernel::KernelConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{ClientConfig, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use record::{Content, Half, MOST_CONTENT, MOST_RECORD, broken, length};

/// Most bytes of handshake messages that are kept: certificates before, a ticket in pieces after.
const MOST_HANDSHAKE: usize = 256 << 10;
/// Bytes that are sealed before they are handed to the system.
const SEALED_AT_ONCE: usize = 64 << 10;
/// Bytes of answers to a server's wish for new keys that may wait for the next request: some 2,400 of them.
const MOST_ANSWERS: usize = 64 << 10;
/// Records that one key seals: far below the 2^24.5 of RFC 8446 section 5.5 for AES-GCM.
const RECORDS_A_KEY: u64 = 1 << 23;

const CLOSE_NOTIFY: [u8; 2] = [1, 0];
const HELLO_REQUEST: u8 = 0;
const NEW_SESSION_TICKET: u8 = 4;
const KEY_UPDATE: u8 = 24;

/// Whom to trust and what to speak, for [`Tls::connect`]. Cheap to clone.
#[derive(Clone)]
pub struct Configuration(Arc<ClientConfig>);

impl Configuration {
    /// That of any client, but that `rustls` hands over the keys that it made.
    #[must_use]
    pub fn of(given: &ClientConfig) -> Self {
        let mut config = given.clone();
        config.enable_secret_extraction = true;
        Self(Arc::new(config))
    }
}

/// A TLS stream to a server.
pub struct Tls {
    tcp: TcpStream,
    session: KernelConnection<ClientConnectionData>,
    opening: Half,
    sealing: Half,
    /// `begin..end` was received and is not opened; `plain` was opened and is not read.
    incoming: Vec<u8>,
    begin: usize,
    end: usize,
    plain: Range<usize>,
    /// Messages of the handshake that go on in the next record.
    handshake: Vec<u8>,
    /// The server said that nothing more comes.
    closed: bool,
    /// What came after the bytes that were read last.
    failed: Option<io::Error>,
    /// Sealed, and from `sent` on not yet handed to the system.
    outgoing: Vec<u8>,
    sent: usize,
    said_goodbye: bool,
    records_a_key: u64,
}

impl Tls {
    /// Makes the handshake; `buffer` is the size of the read buffer, which has room for a record at
    /// least.
    ///
    /// # Errors
    /// When the connection breaks, the certificate is not trusted, or the server speaks no TLS that is
    /// spoken here.
    pub async fn connect(
        mut tcp: TcpStream,
        config: &Configuration,
        name: ServerName<'static>,
        buffer: usize,
    ) -> io::Result<Self> {
        let config = Arc::clone(&config.0);
        let mut client = UnbufferedClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut incoming = vec![0; buffer.max(MOST_RECORD)];
        let (mut end, mut outgoing) = (0, Vec::new());
        loop {
            let (discard, next) = step(&mut client, &mut incoming[..end], &mut outgoing)?;
            incoming.copy_within(discard..end, 0);
            end -= discard;
            match next {
                Next::Again => {}
                Next::Send => {
                    tcp.write_all(&outgoing).await?;
                    outgoing.clear();
                }
                Next::Receive => {
                    if end == incoming.len() {
                        if end >= MOST_HANDSHAKE {
                            return Err(broken("a TLS handshake without end"));
                        }
                        incoming.resize(2 * end, 0);
                    }
                    let received = tcp.read(&mut incoming[end..]).await?;
                    if received == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    end += received;
                }
                Next::Done => break,
            }
        }
        let (secrets, session) = client
            .dangerous_into_kernel_connection()
            .map_err(io::Error::other)?;
        let version = session.protocol_version();
        Ok(Self {
            tcp,
            opening: Half::new(version, secrets.rx)?,
            sealing: Half::new(version, secrets.tx)?,
            session,
            incoming,
            begin: 0,
            end,
            plain: 0..0,
            handshake: Vec::new(),
            closed: false,
            failed: None,
            outgoing,
            sent: 0,
            said_goodbye: false,
            records_a_key: RECORDS_A_KEY,
        })
    }

    fn is_13(&self) -> bool {
        self.session.protocol_version() == ProtocolVersion::TLSv1_3
    }

    /// Opens the next record that is there whole; `false` when there is none.
    fn open(&mut self) -> io::Result<bool> {
        let Some(length) = length(&self.incoming[self.begin..self.end])? else {
            return Ok(false);
        };
        if self.end - self.begin < length {
            return Ok(false);
        }
        let begin = self.begin;
        self.begin += length;
        let (content, place) = self.opening.open(&mut self.incoming[begin..self.begin])?;
        let place = begin + place.start..begin + place.end;
        match content {
            Content::Data if self.handshake.is_empty() => self.plain = place,
            Content::Data => return Err(broken("data within a message of the TLS handshake")),
            Content::Handshake => {
                if self.handshake.len() + place.len() > MOST_HANDSHAKE {
                    return Err(broken("a TLS handshake without end"));
                }
                self.handshake.extend_from_slice(&self.incoming[place]);
                self.messages()?;
            }
            Content::Alert if self.incoming[place] == CLOSE_NOTIFY => self.closed = true,
            Content::Alert => return Err(broken("the server ended the TLS connection")),
        }
        Ok(true)
    }

    /// Does what whole messages of the handshake ask for.
    fn messages(&mut self) -> io::Result<()> {
        let messages = std::mem::take(&mut self.handshake);
        let mut rest = &messages[..];
        while let [kind, a, b, c, after @ ..] = rest {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let Some((message, following)) = after.split_at_checked(length) else {
                break;
            };
            match (*kind, message) {
                // A server of TLS 1.2 may ask for another handshake, and a client may not care.
                (HELLO_REQUEST, []) if !self.is_13() => {}
                (NEW_SESSION_TICKET, ticket) => {
                    let taken = self.session.handle_new_session_ticket(ticket);
                    taken.map_err(io::Error::other)?;
                }
                // New keys begin with a record, so nothing may follow in this one.
                (KEY_UPDATE, [asked @ (0 | 1)]) if following.is_empty() => {
                    let secrets = self.session.update_rx_secret();
                    let version = self.session.protocol_version();
                    self.opening = Half::new(version, secrets.map_err(io::Error::other)?)?;
                    if *asked == 1 {
                        self.renew_sealing()?;
                    }
                }
                _ => {
                    return Err(broken(
                        "a message that has no place after the TLS handshake",
                    ));
                }
            }
            rest = following;
        }
        self.handshake = rest.to_vec();
        Ok(())
    }

    /// Says that the next record has a new key, and takes it.
    fn renew_sealing(&mut self) -> io::Result<()> {
        const NOT_ASKING: [u8; 5] = [KEY_UPDATE, 0, 0, 1, 0];
        if self.outgoing.len() - self.sent > SEALED_AT_ONCE + MOST_ANSWERS {
            return Err(broken("a server that asks for new keys without end"));
        }
        self.sealing
            .seal(Content::Handshake, [&NOT_ASKING[..]], &mut self.outgoing)?;
        let secrets = self.session.update_tx_secret();
        let version = self.session.protocol_version();
        self.sealing = Half::new(version, secrets.map_err(io::Error::other)?)?;
        Ok(())
    }

    /// Makes room and receives; the number of bytes, 0 at the stream's end.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Nobody reads what was opened any more: what is left is the beginning of a record.
        self.incoming.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        let mut room = ReadBuf::new(&mut self.incoming[self.end..]);
        ready!(Pin::new(&mut self.tcp).poll_read(context, &mut room))?;
        let received = room.filled().len();
        self.end += received;
        Poll::Ready(Ok(received))
    }

    /// Hands what is sealed to the system.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            let tcp = Pin::new(&mut self.tcp);
            let written = ready!(tcp.poll_write(context, &self.outgoing[self.sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
        }
        self.outgoing.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Seals the beginning of these pieces and hands it on as far as the system takes it; how many bytes that were.
    fn poll_seal(
        &mut self,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A caller who is told of bytes has given them away, so there is an end to what is held of them.
        ready!(self.poll_send(context))?;
        let mut taken = 0;
        let (mut index, mut within) = (0, 0);
        while index < pieces.len() && taken < SEALED_AT_ONCE {
            if self.sealing.sequence >= self.records_a_key && self.is_13() {
                self.renew_sealing()?;
            }
            let (from, begun) = (index, within);
            let mut room = MOST_CONTENT;
            while index < pieces.len() && room > 0 {
                let more = (pieces[index].len() - within).min(room);
                room -= more;
                within += more;
                if within == pieces[index].len() {
                    (index, within) = (index + 1, 0);
                }
            }
            let last = index.min(pieces.len() - 1);
            let content = (from..=last).filter_map(|at| {
                let begin = if at == from { begun } else { 0 };
                let end = if at == index {
                    within
                } else {
                    pieces[at].len()
                };
                (begin < end).then(|| &pieces[at][begin..end])
            });
            if room < MOST_CONTENT {
                self.sealing
                    .seal(Content::Data, content, &mut self.outgoing)?;
            }
            taken += MOST_CONTENT - room;
        }
        match self.poll_send(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }
}

/// What the handshake wants next.
enum Next {
    Again,
    Send,
    Receive,
    Done,
}

/// One step of the handshake: how many received bytes are done with, and what comes next.
fn step(
    client: &mut UnbufferedClientConnection,
    incoming: &mut [u8],
    outgoing: &mut Vec<u8>,
) -> io::Result<(usize, Next)> {
    let UnbufferedStatus { discard, state } = client.process_tls_records(incoming);
    let next = match state.map_err(io::Error::other)? {
        ConnectionState::EncodeTlsData(mut message) => {
            let begin = outgoing.len();
            let mut room = MOST_RECORD;
            loop {
                outgoing.resize(begin + room, 0);
                match message.encode(&mut outgoing[begin..]) {
                    Ok(written) => break outgoing.truncate(begin + written),
                    Err(EncodeError::InsufficientSize(needed)) if needed.required_size > room => {
                        room = needed.required_size;
                    }
                    Err(error) => return Err(io::Error::other(error)),
                }
            }
            Next::Again
        }
        ConnectionState::TransmitTlsData(message) => {
            message.done();
            Next::Send
        }
        ConnectionState::BlockedHandshake => Next::Receive,
        ConnectionState::WriteTraffic(_) => Next::Done,
        ConnectionState::ReadTraffic(_)
        | ConnectionState::ReadEarlyData(_)
        | ConnectionState::PeerClosed
        | ConnectionState::Closed
        | _ => return Err(broken("the server ended the TLS handshake")),
    };
    Ok((discard, next))
}

impl AsyncRead for Tls {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        loop {
            let most = this.plain.len().min(buffer.remaining());
            buffer.put_slice(&this.incoming[this.plain.start..this.plain.start + most]);
            this.plain.start += most;
            if buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if !this.closed && this.failed.is_none() {
                match this.open() {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => this.failed = Some(error),
                }
            }
            // Bytes that came before an error are told before it.
            if this.closed || buffer.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = this.failed.take() {
                return Poll::Ready(Err(error));
            }
            // What an answer to the server's wish for new keys needs goes out with the next request.
            if ready!(this.poll_receive(context))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

impl AsyncWrite for Tls {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_seal(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_seal(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.said_goodbye {
            this.said_goodbye = true;
            this.sealing
                .seal(Content::Alert, [&CLOSE_NOTIFY[..]], &mut this.outgoing)?;
        }
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.tcp).poll_shutdown(context)
    }
}
