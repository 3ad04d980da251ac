//! Reads one answer off a stream into an [`Answer`] that survives when reading is given up.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::head::{Framing, Head, end_of_head, header, malformed};
use super::limits::Limits;
use super::progress::{Phase, Progress};
use crate::clock::Stopwatch;
use crate::error::{Stage, TargetError};

/// Interim answers (1xx) before the final one.
const MAX_INTERIM: usize = 16;
/// Bytes of one line that gives a chunk's size.
const MAX_CHUNK_LINE: usize = 4096;
/// Bytes asked of the stream at once.
const READ: usize = 64 * 1024;

/// As much of an answer as has come.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) interim: Vec<u16>,
    pub(super) interim_heads: Vec<u8>,
    /// The final head, once whole, and its bytes as they came.
    pub(super) head: Option<Head>,
    pub(super) received_head: Vec<u8>,
    pub(super) body: BytesMut,
    pub(super) trailers: Vec<(String, Vec<u8>)>,
    /// Bytes that came behind the end of the answer.
    pub(super) surplus: Vec<u8>,
    pub(super) first_byte: Option<Duration>,
}

/// The reading side of one exchange.
pub(super) struct Incoming<'a, R> {
    pub(super) reader: R,
    pub(super) method: &'static str,
    pub(super) limits: &'a Limits,
    pub(super) progress: &'a Progress,
    pub(super) started: Stopwatch,
    pub(super) answer: &'a mut Answer,
    pub(super) buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Incoming<'_, R> {
    /// Reads the whole answer.
    pub(super) async fn read(mut self) -> Result<(), TargetError> {
        let framing = self.head().await?;
        self.progress.enter(Phase::Body);
        match framing {
            Framing::None => {}
            Framing::Length(length) => self.exactly(length).await?,
            Framing::Chunked => self.chunks().await?,
            Framing::UntilClose => self.until_close().await?,
        }
        self.answer.surplus = self.buffer.to_vec();
        Ok(())
    }

    async fn head(&mut self) -> Result<Framing, TargetError> {
        loop {
            let end = loop {
                if let Some(end) = end_of_head(&self.buffer) {
                    break end;
                }
                if self.buffer.len() > self.limits.head {
                    return Err(self.too_large("head", self.limits.head));
                }
                let stage = if self.buffer.is_empty() {
                    Stage::BeforeAnswer
                } else {
                    Stage::InHead
                };
                self.fill(stage).await?;
            };
            if end > self.limits.head {
                return Err(self.too_large("head", self.limits.head));
            }
            let bytes = self.buffer.split_to(end);
            let head = Head::parse(&bytes)?;
            match head.status {
                101 => return Err(malformed("it switches protocols unasked")),
                100..=199 if self.answer.interim.len() == MAX_INTERIM => {
                    return Err(malformed("it has no end of interim answers"));
                }
                100..=199 => {
                    self.answer.interim.push(head.status);
                    self.answer.interim_heads.extend_from_slice(&bytes);
                    self.progress.enter(Phase::Waiting);
                }
                _ => {
                    let framing = head.framing(self.method)?;
                    self.answer.received_head = bytes.to_vec();
                    self.answer.head = Some(head);
                    return Ok(framing);
                }
            }
        }
    }

    async fn exactly(&mut self, length: u64) -> Result<(), TargetError> {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() {
                self.fill(Stage::InBody).await?;
            }
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            self.keep(wanted)?;
            left -= wanted as u64;
        }
        Ok(())
    }

    async fn until_close(&mut self) -> Result<(), TargetError> {
        loop {
            self.keep(self.buffer.len())?;
            match self.fill(Stage::InBody).await {
                Err(TargetError::ClosedEarly { .. }) => return Ok(()),
                other => other?,
            }
        }
    }

    async fn chunks(&mut self) -> Result<(), TargetError> {
        loop {
            let line = self.line(MAX_CHUNK_LINE).await?;
            let size = chunk_size(&line).ok_or_else(|| malformed("a chunk's size is no number"))?;
            if size == 0 {
                break;
            }
            self.exactly(size).await?;
            if !self.line(MAX_CHUNK_LINE).await?.is_empty() {
                return Err(malformed("a chunk is longer than its size"));
            }
        }
        let mut left = self.limits.head;
        loop {
            let line = self.line(left).await?;
            if line.is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(line.len() + 1);
            self.answer.trailers.push(header(&line)?);
        }
    }

    /// The next line, without its end.
    async fn line(&mut self, limit: usize) -> Result<BytesMut, TargetError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(end);
                if line.last() == Some(&b'\r') {
                    line.truncate(end - 1);
                }
                return Ok(line);
            }
            if self.buffer.len() > limit {
                return Err(malformed("a line of the chunked body has no end"));
            }
            self.fill(Stage::InBody).await?;
        }
    }

    /// Moves `count` bytes to the body, as far as its limit allows.
    fn keep(&mut self, count: usize) -> Result<(), TargetError> {
        let room = self.limits.body - self.answer.body.len();
        let kept = count.min(room);
        self.answer.body.extend_from_slice(&self.buffer[..kept]);
        self.buffer.advance(kept);
        if kept < count {
            Err(self.too_large("body", self.limits.body))
        } else {
            Ok(())
        }
    }

    /// At least one more byte in the buffer.
    async fn fill(&mut self, stage: Stage) -> Result<(), TargetError> {
        self.buffer.reserve(READ);
        let read = self.reader.read_buf(&mut self.buffer).await;
        let count = read.map_err(|error| {
            // TLS without its goodbye: the end may have been forged, so it is none.
            let forged = error.kind() == std::io::ErrorKind::UnexpectedEof;
            let why = if forged {
                "closed without a TLS goodbye".to_owned()
            } else {
                error.to_string()
            };
            TargetError::Broken { at: stage, why }
        })?;
        if count == 0 {
            return Err(TargetError::ClosedEarly { at: stage });
        }
        if self.answer.first_byte.is_none() {
            self.answer.first_byte = Some(self.started.elapsed());
        }
        match stage {
            Stage::Sending | Stage::BeforeAnswer | Stage::InHead => {
                self.progress.enter(Phase::Head)
            }
            Stage::InBody => self.progress.enter(Phase::Body),
        }
        Ok(())
    }

    fn too_large(&self, what: &'static str, limit: usize) -> TargetError {
        TargetError::TooLarge {
            what,
            limit: limit as u64,
        }
    }
}

/// Hex digits, then perhaps extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?;
    let text = std::str::from_utf8(digits)
        .ok()?
        .trim_end_matches([' ', '\t']);
    let hex = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex {
        u64::from_str_radix(text, 16).ok()
    } else {
        None
    }
}
