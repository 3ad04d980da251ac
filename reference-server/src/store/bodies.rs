//! The bodies of a stored object, one or one a part, and where a reader stands in them.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::body_stream::BodyStream;
use super::disk::open_regular;
use super::lease::Lease;
use super::manifest::Manifest;
use super::shared::{Shared, unavailable};
use super::{StoreError, part};
use crate::sealed::data_key::{BodyName, DataKey, ObjectKey};
use crate::sealed::envelope::WriteId;
use crate::sealed::record::{self, STORED_RECORD};
use crate::sealed::{Damaged, unseal};

/// What is needed to open the bodies of one object.
pub(super) struct Bodies {
    pub(super) shared: Arc<Shared>,
    pub(super) key: Arc<ObjectKey>,
    /// The only body, if there is no manifest.
    pub(super) name: BodyName,
    /// Plaintext bytes of the whole object.
    pub(super) size: u64,
    pub(super) manifest: Option<Arc<Manifest>>,
    /// Keeps the files while a later part may still have to be opened.
    pub(super) _lease: Lease,
}

/// Where a reader stands.
pub(super) struct Cursor {
    bodies: Bodies,
    /// What is still asked for, in plaintext bytes of the object.
    range: Range<u64>,
    /// The body that is being read.
    reading: Reading,
    /// The buffer of sealed records, used again for each window.
    stored: Vec<u8>,
}

/// One open body.
struct Reading {
    source: Source,
    /// The records still to open.
    records: Range<u64>,
    /// What is asked for of it, in its own plaintext bytes.
    range: Range<u64>,
    /// Its place in the manifest.
    index: usize,
}

impl Cursor {
    /// Opens the body that holds the start of `range`, which lies within the object.
    pub(super) fn new(bodies: Bodies, range: Range<u64>) -> Result<Self, StoreError> {
        let index = match &bodies.manifest {
            None => 0,
            Some(manifest) => manifest.holding(range.start),
        };
        Ok(Self {
            reading: bodies.open(index, &range)?,
            bodies,
            range,
            stored: Vec::new(),
        })
    }

    /// The plaintext of the next `records` records at most; ends at the end of a part.
    pub(super) fn next_window(&mut self, records: u64) -> Result<Bytes, StoreError> {
        while self.reading.records.is_empty() {
            let next = self.reading.index + 1;
            self.reading = self.bodies.open(next, &self.range)?;
        }
        let window = cut_window(&mut self.reading.records, records);
        let stored = std::mem::take(&mut self.stored);
        let Reading { source, range, .. } = &self.reading;
        let window = source.open_window(window, range, stored)?;
        self.stored = window.stored;
        Ok(window.plaintext)
    }
}

impl Bodies {
    /// Opens one body for what `range` asks for of it.
    fn open(&self, index: usize, range: &Range<u64>) -> Result<Reading, StoreError> {
        let (source, bytes) = match &self.manifest {
            None => (self.source(self.name, self.size)?, 0..self.size),
            Some(manifest) => {
                let extent = manifest.extent(index).ok_or(StoreError::Damaged)?;
                let row = self.shared.read(|transaction| {
                    part::find(&self.shared, transaction, self.name.id, extent.number)
                })?;
                let row = row.ok_or(StoreError::Damaged)?;
                if row.size != extent.bytes.end - extent.bytes.start {
                    return Err(StoreError::Damaged);
                }
                let name = BodyName {
                    id: row.body,
                    part: extent.number,
                };
                (self.source(name, row.size)?, extent.bytes)
            }
        };
        let size = bytes.end - bytes.start;
        let inside = |position: u64| position.saturating_sub(bytes.start).min(size);
        let range = inside(range.start)..inside(range.end);
        Ok(Reading {
            source,
            records: record::holding(&range, size),
            range,
            index,
        })
    }

    fn source(&self, name: BodyName, size: u64) -> Result<Source, StoreError> {
        let path = self.shared.directory.body_file(name.id);
        Source::open(&path, name.id, self.key.data_key(name), size)
    }
}

/// Opens a small body, of which all that is stored was read, and gives what `range` asks for.
pub(super) fn open_small(
    key: &DataKey,
    name: &BodyName,
    size: u64,
    stored: &[u8],
    range: Range<u64>,
) -> Result<BodyStream, StoreError> {
    let mut plaintext = Vec::new();
    unseal::open(key, size, 0, stored, &mut plaintext).map_err(|Damaged| {
        let body = hex::encode(name.id.0);
        tracing::error!(body, "the record of a small body does not verify");
        StoreError::Damaged
    })?;
    let inside =
        |position: u64| usize::try_from(position.min(size)).expect("a small body is small");
    let (start, end) = (inside(range.start), inside(range.end));
    let plaintext = Bytes::from(plaintext).slice(start..end.max(start));
    Ok(BodyStream::whole(plaintext))
}

/// Takes up to `count` records from the front.
fn cut_window(records: &mut Range<u64>, count: u64) -> Range<u64> {
    let end = records.end.min(records.start + count);
    let window = records.start..end;
    records.start = end;
    window
}

/// A verified window, and the buffer it was read into.
struct Window {
    plaintext: Bytes,
    stored: Vec<u8>,
}

/// The file of a body and what opens it.
struct Source {
    file: File,
    key: DataKey,
    /// For the log.
    id: WriteId,
    /// Plaintext bytes of the whole body.
    size: u64,
}

impl Source {
    /// Opens the file of a body of `size` plaintext bytes.
    fn open(path: &Path, id: WriteId, key: DataKey, size: u64) -> Result<Self, StoreError> {
        let opened = open_regular(path).and_then(|file| {
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        let damaged = |what: &str| {
            tracing::error!(body = hex::encode(id.0), "the body {what}");
            StoreError::Damaged
        };
        match opened {
            Ok((_, length)) if length != record::stored_length(size) => {
                Err(damaged("has another length"))
            }
            Ok((file, _)) => Ok(Self {
                file,
                key,
                id,
                size,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(damaged("is gone")),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(damaged("is no regular file"))
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Reads and opens `records`, and cuts out what `range` asks for.
    fn open_window(
        &self,
        records: Range<u64>,
        range: &Range<u64>,
        mut stored: Vec<u8>,
    ) -> Result<Window, StoreError> {
        let offset = records.start * STORED_RECORD;
        let end = (records.end * STORED_RECORD).min(record::stored_length(self.size));
        let length = usize::try_from(end - offset).expect("a window is small");
        stored.resize(length, 0);
        match self.file.read_exact_at(&mut stored, offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.damaged(&records));
            }
            Err(error) => return Err(unavailable(error)),
        }
        let mut plaintext = Vec::with_capacity(length);
        unseal::open(&self.key, self.size, records.start, &stored, &mut plaintext)
            .map_err(|Damaged| self.damaged(&records))?;
        let start = record::plaintext(records.start, self.size).start;
        let inside = |position: u64| {
            let position = position.saturating_sub(start).min(plaintext.len() as u64);
            usize::try_from(position).expect("a window is small")
        };
        let cut = inside(range.start)..inside(range.end);
        Ok(Window {
            plaintext: Bytes::from(plaintext).slice(cut),
            stored,
        })
    }

    fn damaged(&self, records: &Range<u64>) -> StoreError {
        let Range { start, end } = records;
        tracing::error!(
            body = hex::encode(self.id.0),
            start,
            end,
            "records do not verify"
        );
        StoreError::Damaged
    }
}
