//! The framing `aws-chunked`, inside the body of the HTTP message: decoded as it streams.
//!
//! A chunk is handed on piece by piece, whatever its size, so that memory stays constant; its
//! signature is verified at its end. What was read counts only once [`Decoder::end`] has agreed.
//!
//! Source: Amazon S3 API reference, "Transferring Payload in Multiple Chunks (Chunked Upload)" and
//! "Signature calculations for trailing headers (chunked uploads)".

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;

use super::declared::invalid_value;
use crate::auth::chunk_signature::ChunkSigner;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::s3_error::{Code, S3Error};

/// The longest line between chunks, and in the trailer.
const MAX_LINE_BYTES: usize = 1024;
/// The most lines in a trailer: one checksum and one signature.
const MAX_TRAILER_LINES: usize = 2;
/// The least size of a chunk that another one follows: AWS's own rule.
const MIN_INNER_CHUNK_BYTES: u64 = 8192;

const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Takes bytes in, gives decoded bytes out.
pub(super) struct Decoder {
    state: State,
    line: Vec<u8>,
    /// Decoded bytes still to come.
    remaining: u64,
    chunk_number: u64,
    last_size: Option<u64>,
    signing: Option<Signing>,
    trailer: Trailer,
}

enum State {
    /// Before or in a chunk's first line.
    Size,
    /// In a chunk's data.
    Data {
        left: u64,
    },
    /// Before the line's end behind a chunk's data.
    DataEnd,
    /// Behind the last chunk, which is empty.
    Trailer,
    Done,
}

struct Signing {
    signer: ChunkSigner,
    hash: Context,
    /// The signature that the chunk's first line promised.
    claimed: Vec<u8>,
}

#[derive(Default)]
struct Trailer {
    /// Whether lines may stand there at all.
    allowed: bool,
    expected: Option<ChecksumAlgorithm>,
    lines: Vec<u8>,
    line_count: usize,
    checksum: Option<Checksum>,
    signature: Option<Vec<u8>>,
}

impl Decoder {
    /// A decoder for `length` decoded bytes in chunks without signatures.
    pub(super) fn unsigned(length: u64, trailer: Option<ChecksumAlgorithm>) -> Self {
        Self::new(
            length,
            None,
            Trailer {
                allowed: true,
                expected: trailer,
                ..Trailer::default()
            },
        )
    }

    /// A decoder for signed chunks. Without `allow_trailer` nothing may follow the last chunk.
    pub(super) fn signed(
        length: u64,
        signer: ChunkSigner,
        allow_trailer: bool,
        trailer: Option<ChecksumAlgorithm>,
    ) -> Self {
        let signing = Signing {
            signer,
            hash: Context::new(&SHA256),
            claimed: Vec::new(),
        };
        let trailer = Trailer {
            allowed: allow_trailer,
            expected: trailer,
            ..Trailer::default()
        };
        Self::new(length, Some(signing), trailer)
    }

    fn new(length: u64, signing: Option<Signing>, trailer: Trailer) -> Self {
        Self {
            state: State::Size,
            line: Vec::new(),
            remaining: length,
            chunk_number: 0,
            last_size: None,
            signing,
            trailer,
        }
    }

    /// Takes from `input` and gives decoded bytes, or none when all of it was taken.
    pub(super) fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, S3Error> {
        while !input.is_empty() {
            match self.state {
                State::Data { left } => return self.data(input, left).map(Some),
                State::Done => return Err(malformed("bytes follow its end")),
                State::Size | State::DataEnd | State::Trailer => {
                    if let Some(line) = self.take_line(input)? {
                        self.line_ended(&line)?;
                    }
                }
            }
        }
        Ok(None)
    }

    /// Agrees that the input may end here, and gives the trailer's checksum.
    pub(super) fn end(self) -> Result<Option<Checksum>, S3Error> {
        match self.state {
            State::Done => Ok(self.trailer.checksum),
            State::Size | State::Data { .. } | State::DataEnd | State::Trailer => {
                Err(S3Error::with_message(
                    Code::IncompleteBody,
                    "The request body terminated unexpectedly",
                ))
            }
        }
    }

    fn data(&mut self, input: &mut Bytes, left: u64) -> Result<Bytes, S3Error> {
        let length = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let piece = input.split_to(length);
        let left = left - length as u64;
        if let Some(signing) = &mut self.signing {
            signing.hash.update(&piece);
        }
        self.state = State::Data { left };
        if left == 0 {
            self.verify_chunk()?;
            self.state = State::DataEnd;
        }
        Ok(piece)
    }

    /// The next line without its end, once it is there in full.
    fn take_line(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, S3Error> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let part = input.split_to(end.map_or(input.len(), |end| end + 1));
        if self.line.len() + part.len() > MAX_LINE_BYTES {
            return Err(malformed("a line between its chunks is too long"));
        }
        self.line.extend_from_slice(&part);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        if !line.ends_with(b"\r\n") {
            return Err(malformed("a line does not end in CR LF"));
        }
        line.truncate(line.len() - 2);
        Ok(Some(line))
    }

    fn line_ended(&mut self, line: &[u8]) -> Result<(), S3Error> {
        match self.state {
            State::Size => self.begin_chunk(line),
            State::DataEnd if line.is_empty() => {
                self.state = State::Size;
                Ok(())
            }
            State::DataEnd => Err(malformed("a chunk is longer than its size")),
            State::Trailer if line.is_empty() => {
                self.end_trailer()?;
                self.state = State::Done;
                Ok(())
            }
            State::Trailer => self.trailer.push(line, self.signing.is_some()),
            State::Data { .. } | State::Done => Err(malformed("a line stands where none may")),
        }
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<(), S3Error> {
        let (size, signature) = parse_chunk_line(line, self.signing.is_some())?;
        self.chunk_number += 1;
        if size > self.remaining || (size == 0 && self.remaining > 0) {
            return Err(S3Error::with_message(
                Code::IncompleteBody,
                "You did not provide the number of bytes specified by the \
                 x-amz-decoded-content-length HTTP header",
            ));
        }
        if let Some(last) = self.last_size
            && last < MIN_INNER_CHUNK_BYTES
            && size > 0
        {
            return Err(S3Error::new(Code::InvalidChunkSizeError)
                .detail("Chunk", self.chunk_number.to_string())
                .detail("BadChunkSize", last.to_string()));
        }
        self.remaining -= size;
        self.last_size = Some(size);
        if let (Some(signing), Some(signature)) = (&mut self.signing, signature) {
            signing.claimed = signature.to_vec();
        }
        if size == 0 {
            self.verify_chunk()?;
            self.state = State::Trailer;
        } else {
            self.state = State::Data { left: size };
        }
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), S3Error> {
        let Some(signing) = &mut self.signing else {
            return Ok(());
        };
        let hash = std::mem::replace(&mut signing.hash, Context::new(&SHA256)).finish();
        signing.signer.verify_chunk(&signing.claimed, hash.as_ref())
    }

    fn end_trailer(&mut self) -> Result<(), S3Error> {
        if self.trailer.expected.is_some() && self.trailer.checksum.is_none() {
            return Err(Code::MalformedTrailerError.into());
        }
        let Some(signing) = &mut self.signing else {
            return Ok(());
        };
        match &self.trailer.signature {
            Some(signature) => signing
                .signer
                .verify_trailer(signature, &self.trailer.lines),
            None if self.trailer.allowed => Err(Code::MalformedTrailerError.into()),
            None => Ok(()),
        }
    }
}

impl Trailer {
    fn push(&mut self, line: &[u8], signed: bool) -> Result<(), S3Error> {
        let refused = || S3Error::new(Code::MalformedTrailerError);
        self.line_count += 1;
        if !self.allowed || self.signature.is_some() || self.line_count > MAX_TRAILER_LINES {
            return Err(refused());
        }
        let line = std::str::from_utf8(line).map_err(|_| refused())?;
        let (name, value) = line.split_once(':').ok_or_else(refused)?;
        let (name, value) = (name.trim(), value.trim());
        if signed && name.eq_ignore_ascii_case(TRAILER_SIGNATURE) {
            self.signature = Some(value.as_bytes().to_vec());
            return Ok(());
        }
        let algorithm = ChecksumAlgorithm::from_header(name).ok_or_else(refused)?;
        if self.expected != Some(algorithm) || self.checksum.is_some() {
            return Err(refused());
        }
        self.lines
            .extend_from_slice(format!("{name}:{value}\n").as_bytes());
        let checksum = Checksum::parse(algorithm, value);
        self.checksum = Some(checksum.ok_or_else(|| invalid_value(algorithm))?);
        Ok(())
    }
}

/// `SIZE` or `SIZE;chunk-signature=HEX`, the size in hexadecimal digits.
fn parse_chunk_line(line: &[u8], signed: bool) -> Result<(u64, Option<&[u8]>), S3Error> {
    let (size, signature) = match line.iter().position(|byte| *byte == b';') {
        Some(end) => (&line[..end], line[end..].strip_prefix(b";chunk-signature=")),
        None => (line, None),
    };
    if signed != signature.is_some() || (!signed && size.len() != line.len()) {
        return Err(malformed(if signed {
            "a chunk has no signature"
        } else {
            "a chunk's size is followed by something"
        }));
    }
    let digits = std::str::from_utf8(size).ok().filter(|size| {
        (1..=16).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let size = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    Ok((
        size.ok_or_else(|| malformed("a chunk has no size"))?,
        signature,
    ))
}

fn malformed(what: &str) -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        format!("The aws-chunked body of the request is malformed: {what}."),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `input` in pieces of `step` bytes.
    fn decode_in(
        step: usize,
        mut decoder: Decoder,
        input: &[u8],
    ) -> Result<(Vec<u8>, Option<Checksum>), Code> {
        let mut out = Vec::new();
        for piece in input.chunks(step) {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(data) = decoder.decode(&mut piece).map_err(|error| error.code())? {
                out.extend_from_slice(&data);
            }
        }
        let checksum = decoder.end().map_err(|error| error.code())?;
        Ok((out, checksum))
    }

    fn decode(decoder: impl Fn() -> Decoder, input: &[u8]) -> Result<Vec<u8>, Code> {
        let whole = decode_in(input.len().max(1), decoder(), input);
        let bytewise = decode_in(1, decoder(), input);
        assert_eq!(
            whole, bytewise,
            "the answer depends on how the bytes arrive"
        );
        whole.map(|(data, _)| data)
    }

    fn hello() -> Decoder {
        Decoder::unsigned(5, Some(ChecksumAlgorithm::Crc32))
    }

    // CRC-32 of `hello`: 0x3610a686.
    const GOOD: &[u8] = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";

    #[track_caller]
    fn refused(input: &[u8], code: Code) {
        assert_eq!(
            decode(hello, input),
            Err(code),
            "{:?}",
            String::from_utf8_lossy(input)
        );
    }

    #[test]
    fn one_chunk_and_a_trailer() {
        assert_eq!(decode(hello, GOOD).unwrap(), b"hello");
        let (_, checksum) = decode_in(3, hello(), GOOD).unwrap();
        assert_eq!(checksum.unwrap().value, "NhCmhg==");
    }

    #[test]
    fn a_chunk_is_handed_on_before_it_has_ended() {
        let mut decoder = Decoder::unsigned(1 << 32, None);
        let mut input = Bytes::from_static(b"100000000\r\nthe first");
        let first = decoder.decode(&mut input).unwrap();
        assert_eq!(first.as_deref(), Some(&b"the first"[..]));
    }

    #[test]
    fn an_empty_body() {
        let empty = || Decoder::unsigned(0, None);
        assert_eq!(decode(empty, b"0\r\n\r\n").unwrap(), b"");
        assert_eq!(decode(empty, b""), Err(Code::IncompleteBody));
    }

    #[test]
    fn every_cut_is_noticed() {
        for length in 0..GOOD.len() {
            refused(&GOOD[..length], Code::IncompleteBody);
        }
    }

    #[test]
    fn bytes_behind_the_end_are_refused() {
        refused(&[GOOD, b"x"].concat(), Code::InvalidRequest);
        refused(&[GOOD, b"\r\n"].concat(), Code::InvalidRequest);
    }

    #[test]
    fn the_decoded_length_is_kept() {
        refused(b"4\r\nhell\r\n0\r\n\r\n", Code::IncompleteBody);
        refused(b"6\r\nhello!\r\n0\r\n\r\n", Code::IncompleteBody);
        refused(b"ffffffffffffffff\r\n", Code::IncompleteBody);
    }

    #[test]
    fn bad_framing_is_refused() {
        for bad in [
            &b"5\nhello\r\n0\r\n\r\n"[..],
            b"\r\nhello\r\n",
            b"x5\r\nhello\r\n",
            b"+5\r\nhello\r\n",
            b" 5\r\nhello\r\n",
            b"5;chunk-signature=00\r\nhello\r\n",
            b"5\r\nhello!\r\n",
            b"5\r\nhelloXX0\r\n\r\n",
            b"00000000000000005\r\nhello\r\n",
        ] {
            refused(bad, Code::InvalidRequest);
        }
        refused(&[b'1'; 2000], Code::InvalidRequest);
    }

    #[test]
    fn only_the_last_chunk_may_be_small() {
        refused(
            b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            Code::InvalidChunkSizeError,
        );
        let two = || Decoder::unsigned(8193, None);
        let input = [b"2000\r\n", &[b'a'; 8192][..], b"\r\n1\r\na\r\n0\r\n\r\n"].concat();
        assert_eq!(decode(two, &input).unwrap().len(), 8193);
    }

    #[test]
    fn trailers_are_the_declared_ones() {
        let with = |trailer: &str| format!("5\r\nhello\r\n0\r\n{trailer}\r\n").into_bytes();
        refused(&with(""), Code::MalformedTrailerError);
        refused(
            &with("x-amz-checksum-crc32c:NhCmhg==\r\n"),
            Code::MalformedTrailerError,
        );
        refused(
            &with("x-amz-meta-note:hello\r\n"),
            Code::MalformedTrailerError,
        );
        refused(&with("no colon\r\n"), Code::MalformedTrailerError);
        refused(&with("x-amz-checksum-crc32:AAAA\r\n"), Code::InvalidRequest);
        let twice = "x-amz-checksum-crc32:NhCmhg==\r\nx-amz-checksum-crc32:NhCmhg==\r\n";
        refused(&with(twice), Code::MalformedTrailerError);
        let cased = with("X-Amz-Checksum-Crc32: NhCmhg==\r\n");
        assert_eq!(decode(hello, &cased).unwrap(), b"hello");
    }

    proptest! {
        #[test]
        fn no_input_panics_or_yields_too_much(
            input in proptest::collection::vec(any::<u8>(), 0..200),
            step in 1_usize..50,
        ) {
            if let Ok((data, _)) = decode_in(step, hello(), &input) {
                prop_assert_eq!(data.len(), 5);
            }
        }

        #[test]
        fn any_chunking_gives_the_same_bytes(
            data in proptest::collection::vec(any::<u8>(), 0..40_000),
            size in 8192_usize..20_000,
            step in 1_usize..9000,
        ) {
            let mut input = Vec::new();
            for chunk in data.chunks(size) {
                input.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                input.extend_from_slice(chunk);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(b"0\r\n\r\n");
            let decoder = Decoder::unsigned(data.len() as u64, None);
            prop_assert_eq!(decode_in(step, decoder, &input).unwrap().0, data);
        }
    }
}
