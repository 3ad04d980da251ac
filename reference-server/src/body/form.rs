//! The body of a form: its fields read at once, its file as it comes.

use std::ops::RangeInclusive;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;

use super::declared::Declared;
use super::digests::{Digests, Expected};
use super::multipart::{FieldReader, FileDecoder, MAX_FIELDS_BYTES, Next, one_file};
use super::{BodyEnd, Framing, IncomingBody, Patience, Source, Waits};
use crate::request::form::Fields;
use crate::s3_error::{Code, S3Error};

/// A form that was read up to its file.
pub(crate) struct IncomingForm {
    /// The fields in front of the file.
    pub(crate) fields: Fields,
    source: Source,
    /// What came of the file already.
    first: Bytes,
    file: FileDecoder,
}

impl IncomingForm {
    /// Reads the fields, the file's name put into them.
    ///
    /// # Errors
    /// The form is malformed, has too many bytes in front of its file, has no file, or stalls.
    pub(crate) async fn read(
        incoming: Incoming,
        boundary: &str,
        patience: Patience,
        end: BodyEnd,
    ) -> Result<Self, S3Error> {
        let mut source = Source::Connection {
            incoming,
            patience,
            waits: Waits::default(),
            end,
        };
        let mut reader = FieldReader::new(boundary);
        let mut fields = Fields::default();
        loop {
            match reader.next()? {
                Next::Field(name, value) => fields.push(&name, value),
                Next::End => return Err(one_file(0)),
                Next::File(filename, first) => {
                    if let Some(filename) = filename {
                        fields.expand(&filename, MAX_FIELDS_BYTES)?;
                    }
                    let file = FileDecoder::new(boundary);
                    return Ok(Self {
                        fields,
                        source,
                        first,
                        file,
                    });
                }
                Next::More => match source.next().await? {
                    Some(bytes) => reader.push(&bytes),
                    None => return Err(Code::MalformedPOSTRequest.into()),
                },
            }
        }
    }

    /// The file as a body. `headers` are the fields that are the object's headers; the file may be
    /// as long as `length` says.
    ///
    /// # Errors
    /// The fields declare a checksum that is none.
    pub(crate) fn into_body(
        self,
        headers: &HeaderMap,
        length: RangeInclusive<u64>,
    ) -> Result<IncomingBody, S3Error> {
        let declared = Declared::read(headers, None, false)?;
        let expected = Expected {
            sha256: None,
            md5: declared.content_md5,
            checksum: declared.checksum,
        };
        Ok(IncomingBody {
            source: self.source,
            pending: self.first,
            framing: Framing::Form(self.file, length),
            declared_length: None,
            http_length: None,
            received: 0,
            digests: Digests::for_expected(&expected, None),
            expected,
            outcome: None,
        })
    }
}

/// Refuses a file that has become longer than its policy lets it be.
pub(super) fn check_most(length: &RangeInclusive<u64>, received: u64) -> Result<(), S3Error> {
    if received <= *length.end() {
        return Ok(());
    }
    let message = "Your proposed upload exceeds the maximum allowed size";
    Err(S3Error::with_message(Code::EntityTooLarge, message)
        .detail("ProposedSize", received.to_string())
        .detail("MaxSizeAllowed", length.end().to_string()))
}

/// Refuses a whole file that is shorter than its policy wants it.
pub(super) fn check_least(length: &RangeInclusive<u64>, received: u64) -> Result<(), S3Error> {
    if received >= *length.start() {
        return Ok(());
    }
    let message = "Your proposed upload is smaller than the minimum allowed size";
    Err(S3Error::with_message(Code::EntityTooSmall, message)
        .detail("ProposedSize", received.to_string())
        .detail("MinSizeAllowed", length.start().to_string()))
}
