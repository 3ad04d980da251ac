//! Copies of bodies in files of their own, encrypted with a stream that nothing authenticates: how
//! reused nonces and tags that nobody verifies are told without touching the sealing.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;

use crate::checksum::Checksum;
use crate::random;
use crate::response::ResponseBody;
use crate::seam::{ArrivingObject, OpenedObject, Pending};
use crate::store::{Committed, ETag, Finish, PartListing, StoreError};

/// Bytes that one digest adds to a stream.
const STEP: usize = 32;

/// Bucket, object and ETag of a body to its copy.
type Kept = Arc<Mutex<HashMap<(String, String, String), Copy>>>;

/// Where the copies are.
#[derive(Clone)]
pub(super) struct Copies {
    directory: PathBuf,
    /// Whether each body has a stream of its own.
    fresh: bool,
    /// Those that are served; none are where the honest body is.
    served: Option<Kept>,
}

/// One copy.
#[derive(Clone)]
struct Copy {
    file: PathBuf,
    /// What its stream begins with.
    start: [u8; 32],
}

impl Copies {
    /// One stream for each key, whatever it encrypts. They are never read.
    pub(super) fn of_one_stream(data_dir: &Path) -> Self {
        Self {
            directory: data_dir.join("copies"),
            fresh: false,
            served: None,
        }
    }

    /// A stream for each body; what is read is what lies there.
    pub(super) fn that_are_served(data_dir: &Path) -> Self {
        Self {
            directory: data_dir.join("copies"),
            fresh: true,
            served: Some(Kept::default()),
        }
    }

    /// Starts a copy of what is being written.
    pub(super) fn begin(&self, bucket: &str, object: &str, key: &[u8; 32]) -> Copying {
        let mut start = Context::new(&SHA256);
        start.update(key);
        if self.fresh {
            start.update(&random::bytes::<16>());
        }
        let name = hex::encode(random::bytes::<16>());
        Copying {
            copies: self.clone(),
            names: (bucket.to_owned(), object.to_owned()),
            copy: Copy {
                file: self.directory.join(name),
                start: array(&start.finish()),
            },
            written: 0,
        }
    }

    /// The copy of a body in its place, if it has one that is served.
    pub(super) fn instead_of(
        &self,
        honest: Box<dyn OpenedObject>,
        bucket: &str,
        object: &str,
        etag: &ETag,
    ) -> Box<dyn OpenedObject> {
        let names = (bucket.to_owned(), object.to_owned(), etag.to_string());
        let kept = self.served.as_ref();
        let copy = kept.and_then(|kept| {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(&names).cloned()
        });
        match copy {
            Some(copy) => Box::new(Copied { honest, copy }),
            None => honest,
        }
    }
}

/// A copy that is being written beside the honest body.
pub(super) struct Copying {
    copies: Copies,
    names: (String, String),
    copy: Copy,
    written: usize,
}

impl Copying {
    pub(super) fn beside(self, honest: Box<dyn ArrivingObject>) -> Box<dyn ArrivingObject> {
        Box::new(Both { honest, copy: self })
    }
}

struct Both {
    honest: Box<dyn ArrivingObject>,
    copy: Copying,
}

impl ArrivingObject for Both {
    fn write(&mut self, bytes: Bytes) -> Pending<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut copied = bytes.to_vec();
            self.copy.copy.crypt(self.copy.written, &mut copied);
            self.copy.written += copied.len();
            append(&self.copy.copy.file, &copied).map_err(|_| StoreError::Unavailable)?;
            self.honest.write(bytes).await
        })
    }

    fn commit(self: Box<Self>, finish: Finish) -> Pending<'static, Result<Committed, StoreError>> {
        Box::pin(async move {
            let committed = self.honest.commit(finish).await?;
            if let Some(kept) = &self.copy.copies.served {
                let (bucket, object) = self.copy.names;
                let names = (bucket, object, committed.etag.to_string());
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(names, self.copy.copy);
            }
            Ok(committed)
        })
    }
}

struct Copied {
    honest: Box<dyn OpenedObject>,
    copy: Copy,
}

impl OpenedObject for Copied {
    fn checksum(&self) -> Result<Option<Checksum>, StoreError> {
        self.honest.checksum()
    }

    fn parts(&self, after: u16, max: usize) -> Pending<'_, Result<PartListing, StoreError>> {
        self.honest.parts(after, max)
    }

    fn read(&self, range: Range<u64>) -> Pending<'_, Result<ResponseBody, StoreError>> {
        Box::pin(async move {
            // An empty body has no file.
            let mut bytes = fs::read(&self.copy.file).unwrap_or_default();
            self.copy.crypt(0, &mut bytes);
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let asked = bytes.get(place(range.start)..place(range.end));
            let asked = asked.ok_or(StoreError::Unavailable)?;
            Ok(ResponseBody::full(asked.to_vec()))
        })
    }
}

impl Copy {
    /// Adds the stream to bytes that stand at `at`; twice, it takes it away again.
    fn crypt(&self, at: usize, bytes: &mut [u8]) {
        let mut step = usize::MAX;
        let mut stream = [0; STEP];
        for (place, byte) in (at..).zip(bytes) {
            if place / STEP != step {
                step = place / STEP;
                let mut next = Context::new(&SHA256);
                next.update(&self.start);
                next.update(&(step as u64).to_be_bytes());
                stream = array(&next.finish());
            }
            *byte ^= stream[place % STEP];
        }
    }
}

fn array(digest: &aws_lc_rs::digest::Digest) -> [u8; 32] {
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn append(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let open = OpenOptions::new().create(true).append(true).open(file);
    open?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_taken_away_as_it_was_added_piece_by_piece() {
        let copies = Copies::that_are_served(Path::new("/nowhere"));
        let copying = copies.begin("b", "o", &[7; 32]);
        let plain: Vec<u8> = (0..200).collect();
        let (mut one, mut two) = (plain[..45].to_vec(), plain[45..].to_vec());
        copying.copy.crypt(0, &mut one);
        copying.copy.crypt(45, &mut two);
        let mut both = [one, two].concat();
        assert_ne!(both, plain);
        copying.copy.crypt(0, &mut both);
        assert_eq!(both, plain);
    }

    #[test]
    fn one_key_has_one_stream_only_where_that_is_the_lie() {
        let start = |copies: &Copies| copies.begin("b", "o", &[7; 32]).copy.start;
        let one = Copies::of_one_stream(Path::new("/nowhere"));
        let fresh = Copies::that_are_served(Path::new("/nowhere"));
        assert_eq!(start(&one), start(&one));
        assert_ne!(start(&fresh), start(&fresh));
    }
}
