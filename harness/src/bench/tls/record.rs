//! One direction of TLS's record protection: seals into, and opens within, a buffer of the connection.
//!
//! `rustls` copies each record's content three times on its way in. A load generator reads gigabytes
//! that way, so here a record is opened where it was received. Keys and their sequence come from
//! `rustls`, which has made the handshake and judged the certificate. From RFC 8446 section 5 (TLS
//! 1.3), RFC 5246 section 6.2 with RFC 5288 (AES-GCM) and RFC 7905 (ChaCha20-Poly1305) for TLS 1.2.

use std::io;
use std::ops::Range;

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce,
    UnboundKey,
};
use rustls::{ConnectionTrafficSecrets, ProtocolVersion};

/// Bytes of a record's header: type, version, length.
pub(super) const HEADER: usize = 5;
/// Most bytes of content in one record.
pub(super) const MOST_CONTENT: usize = 1 << 14;
/// Most bytes of a whole record: what TLS 1.2 allows, and TLS 1.3 less.
pub(super) const MOST_RECORD: usize = HEADER + MOST_CONTENT + 2048;

const TAG: usize = 16;
/// Bytes of the nonce that AES-GCM of TLS 1.2 sends with each record.
const EXPLICIT: usize = 8;
const FIXED: usize = NONCE_LEN - EXPLICIT;
/// How the version stands in every record's header.
const VERSION: [u8; 2] = [3, 3];

/// What a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Alert,
    Handshake,
    Data,
}

impl Content {
    const fn byte(self) -> u8 {
        match self {
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::Data => 23,
        }
    }

    fn of(byte: u8) -> io::Result<Self> {
        match byte {
            21 => Ok(Self::Alert),
            22 => Ok(Self::Handshake),
            23 => Ok(Self::Data),
            _ => Err(broken("a TLS record of a type that has no place here")),
        }
    }
}

/// How nonce, type and length stand in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// TLS 1.3: the type is sealed, and the header is what is bound.
    Inner,
    /// TLS 1.2 with AES-GCM: half of the nonce is sent.
    Explicit,
    /// TLS 1.2 with ChaCha20-Poly1305: none of it is.
    Implicit,
}

/// The keys of one direction.
pub(super) struct Half {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    layout: Layout,
    /// Records so far under this key.
    pub(super) sequence: u64,
}

pub(super) fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The length of the record that begins here, header included; `None` while its header is not there.
///
/// # Errors
/// When no record may be so long.
pub(super) fn length(received: &[u8]) -> io::Result<Option<usize>> {
    let Some(header) = received.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let length = HEADER + usize::from(u16::from_be_bytes([header[3], header[4]]));
    if length > MOST_RECORD {
        return Err(broken("a TLS record longer than TLS allows"));
    }
    Ok(Some(length))
}

impl Half {
    /// # Errors
    /// When these are keys of an algorithm that is not known here.
    pub(super) fn new(
        version: ProtocolVersion,
        (sequence, secrets): (u64, ConnectionTrafficSecrets),
    ) -> io::Result<Self> {
        let (algorithm, key, iv): (&'static Algorithm, _, _) = match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => return Err(broken("TLS keys of an unknown algorithm")),
        };
        let layout = if version == ProtocolVersion::TLSv1_3 {
            Layout::Inner
        } else if algorithm == &CHACHA20_POLY1305 {
            Layout::Implicit
        } else {
            Layout::Explicit
        };
        let unusable = |_| broken("TLS keys that do not fit their algorithm");
        let key = UnboundKey::new(algorithm, key.as_ref()).map_err(unusable)?;
        let iv = iv.as_ref().try_into();
        Ok(Self {
            key: LessSafeKey::new(key),
            iv: iv.map_err(|_| broken("a TLS nonce of another length than 12"))?,
            layout,
            sequence,
        })
    }

    /// The nonce of the next record, and counts it.
    fn next(&mut self) -> io::Result<[u8; NONCE_LEN]> {
        let mut nonce = self.iv;
        for (byte, of_sequence) in nonce[FIXED..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= of_sequence;
        }
        let next = self.sequence.checked_add(1);
        self.sequence = next.ok_or_else(|| broken("TLS keys that are used up"))?;
        Ok(nonce)
    }

    /// What TLS 1.2 binds: the sequence, then type, version and the content's length.
    fn bound(sequence: u64, header: [u8; 3], length: usize) -> io::Result<[u8; 13]> {
        let length = u16::try_from(length).map_err(|_| broken("a TLS record too long"))?;
        let mut bound = [0; 13];
        bound[..8].copy_from_slice(&sequence.to_be_bytes());
        bound[8..11].copy_from_slice(&header);
        bound[11..].copy_from_slice(&length.to_be_bytes());
        Ok(bound)
    }

    /// Opens a whole record in place: what it carries, and where in the record that stands.
    ///
    /// # Errors
    /// When it was not sealed with these keys, in this place of their sequence, for what it says that
    /// it is.
    pub(super) fn open(&mut self, record: &mut [u8]) -> io::Result<(Content, Range<usize>)> {
        let forged = |_| broken("a TLS record that does not open");
        let short = || broken("a TLS record too short to be sealed");
        let sequence = self.sequence;
        let mut nonce = self.next()?;
        let (header, sealed) = record.split_at_mut_checked(HEADER).ok_or_else(short)?;
        if self.layout == Layout::Inner {
            if header[0] != Content::Data.byte() {
                return Err(broken("a TLS record in clear"));
            }
            let nonce = Nonce::assume_unique_for_key(nonce);
            let opened = self.key.open_in_place(nonce, Aad::from(&*header), sealed);
            let opened = opened.map_err(forged)?;
            let last = opened.iter().rposition(|byte| *byte != 0);
            let last = last.ok_or_else(|| broken("a TLS record without a type"))?;
            return Ok((Content::of(opened[last])?, HEADER..HEADER + last));
        }
        let begin = if self.layout == Layout::Explicit {
            let explicit = sealed.first_chunk::<EXPLICIT>().ok_or_else(short)?;
            nonce[FIXED..].copy_from_slice(explicit);
            EXPLICIT
        } else {
            0
        };
        let length = sealed.len().checked_sub(begin + TAG).ok_or_else(short)?;
        let bound = Self::bound(sequence, [header[0], header[1], header[2]], length)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(bound), &mut sealed[begin..]);
        let begin = HEADER + begin;
        let end = begin + opened.map_err(forged)?.len();
        Ok((Content::of(header[0])?, begin..end))
    }

    /// Appends a record of these pieces, of at most [`MOST_CONTENT`] bytes together.
    ///
    /// # Errors
    /// When the keys are used up.
    pub(super) fn seal<'a>(
        &mut self,
        content: Content,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let sequence = self.sequence;
        let nonce = self.next()?;
        let header = out.len();
        let outer = match self.layout {
            Layout::Inner => Content::Data,
            Layout::Explicit | Layout::Implicit => content,
        };
        out.extend_from_slice(&[outer.byte(), VERSION[0], VERSION[1], 0, 0]);
        if self.layout == Layout::Explicit {
            out.extend_from_slice(&nonce[FIXED..]);
        }
        let begin = out.len();
        for piece in pieces {
            out.extend_from_slice(piece);
        }
        let length = out.len() - begin;
        if self.layout == Layout::Inner {
            out.push(content.byte());
        }
        let sealed = u16::try_from(out.len() + TAG - header - HEADER);
        let sealed = sealed.map_err(|_| broken("a TLS record too long"))?;
        out[header + 3..header + HEADER].copy_from_slice(&sealed.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let (before, content_bytes) = out.split_at_mut(begin);
        let tag = if self.layout == Layout::Inner {
            let bound = Aad::from(&before[header..]);
            self.key
                .seal_in_place_separate_tag(nonce, bound, content_bytes)
        } else {
            let header = [content.byte(), VERSION[0], VERSION[1]];
            let bound = Aad::from(Self::bound(sequence, header, length)?);
            self.key
                .seal_in_place_separate_tag(nonce, bound, content_bytes)
        };
        let tag = tag.map_err(|_| broken("a TLS record that cannot be sealed"))?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }
}
