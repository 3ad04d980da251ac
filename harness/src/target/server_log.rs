//! What the target writes into its log: a file that the user names, or what the bundled server
//! says in this process, kept in memory by a layer of `tracing`.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::DynFilterFn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;

use super::bundled;

/// Bytes of the bundled server's log that are kept; the oldest go first.
const MAX_KEPT: usize = 64 * 1024 * 1024;
/// Bytes that a log file may gain while a trial runs.
const MAX_GAIN: u64 = 256 * 1024 * 1024;

/// A log that can be read from a mark on.
#[derive(Debug, Clone)]
pub enum ServerLog {
    /// The bundled server's.
    Kept(Arc<Kept>),
    /// A file that the target appends to.
    File(PathBuf),
}

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl ServerLog {
    /// The end of the log as it is now.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn end(&self) -> io::Result<Mark> {
        match self {
            Self::Kept(kept) => Ok(Mark(kept.lock().end())),
            Self::File(path) => Ok(Mark(std::fs::metadata(path)?.len())),
        }
    }

    /// What was written behind `mark`. A file that became shorter was begun anew, and is read
    /// whole.
    ///
    /// # Errors
    /// When the file cannot be read, gained too much, or the bundled server said too much.
    pub fn since(&self, mark: Mark) -> io::Result<Vec<u8>> {
        match self {
            Self::Kept(kept) => {
                let lines = kept.lock();
                let from = mark.0.checked_sub(lines.dropped);
                let from = from.and_then(|from| usize::try_from(from).ok());
                let from = from.ok_or_else(|| io::Error::other("its beginning was dropped"))?;
                Ok(lines.bytes[from..].to_vec())
            }
            Self::File(path) => {
                let mut file = File::open(path)?;
                let length = file.metadata()?.len();
                let from = if length < mark.0 { 0 } else { mark.0 };
                if length - from > MAX_GAIN {
                    return Err(io::Error::other(format!(
                        "it gained {} bytes, more than {MAX_GAIN}",
                        length - from
                    )));
                }
                file.seek(SeekFrom::Start(from))?;
                let mut gained = Vec::new();
                file.take(length - from).read_to_end(&mut gained)?;
                Ok(gained)
            }
        }
    }
}

/// Lines of this process's bundled servers.
#[derive(Debug, Default)]
pub struct Kept {
    wanted: AtomicBool,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// How many bytes stood before those.
    dropped: u64,
}

impl Lines {
    fn end(&self) -> u64 {
        self.dropped + self.bytes.len() as u64
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, line: &[u8], most: usize) {
        let mut lines = self.lock();
        if lines.bytes.len() + line.len() > most {
            // Half of it at once, so that the rest is moved seldom.
            let half = lines.bytes.len() / 2;
            lines.bytes.drain(..half);
            lines.dropped += half as u64;
        }
        lines.bytes.extend_from_slice(line);
    }
}

static KEPT: OnceLock<Arc<Kept>> = OnceLock::new();

/// A layer that keeps what the bundled server says, from [`kept`] on; to be installed once.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let kept = Arc::clone(KEPT.get_or_init(Arc::default));
    let wanted = Arc::clone(&kept);
    let filter = DynFilterFn::new(move |metadata, _| {
        wanted.wanted.load(Ordering::Relaxed) && speaks(metadata.target())
    })
    .with_callsite_filter(move |metadata| {
        // What others say costs nothing.
        if speaks(metadata.target()) {
            tracing::subscriber::Interest::sometimes()
        } else {
            tracing::subscriber::Interest::never()
        }
    });
    tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Appender(kept))
        .with_filter(filter)
}

/// Lets pass whatever is not kept: the bundled server's complaints about what trials do to it are
/// its log, not the user's business.
pub fn others<S>() -> impl Filter<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let kept = Arc::clone(KEPT.get_or_init(Arc::default));
    DynFilterFn::new(move |metadata, _| {
        !(speaks(metadata.target()) && kept.wanted.load(Ordering::Relaxed))
    })
}

/// Whether the bundled server speaks under that target of `tracing`.
fn speaks(target: &str) -> bool {
    bundled::SPEAKERS
        .iter()
        .any(|speaker| target.starts_with(speaker))
}

/// The log of the bundled servers of this process, kept from now on; `None` without the [`layer`].
#[must_use]
pub fn kept() -> Option<ServerLog> {
    let kept = KEPT.get()?;
    kept.wanted.store(true, Ordering::Relaxed);
    Some(ServerLog::Kept(Arc::clone(kept)))
}

#[derive(Clone)]
struct Appender(Arc<Kept>);

impl Write for Appender {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.append(line, MAX_KEPT);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Appender {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first_and_a_mark_among_them_is_told() {
        let kept = Arc::new(Kept::default());
        let log = ServerLog::Kept(Arc::clone(&kept));
        let start = log.end().unwrap();
        kept.append(b"first line\n", 32);
        let mark = log.end().unwrap();
        kept.append(b"second line\n", 32);
        assert_eq!(log.since(start).unwrap(), b"first line\nsecond line\n");
        assert_eq!(log.since(mark).unwrap(), b"second line\n");
        kept.append(b"a third line, which is too much\n", 32);
        assert!(log.since(start).is_err());
        let rest = log.since(mark).unwrap();
        assert!(rest.ends_with(b"too much\n"), "{rest:?}");
    }

    #[test]
    fn a_file_is_read_from_its_mark_and_whole_when_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.log");
        std::fs::write(&path, "before\n").unwrap();
        let log = ServerLog::File(path.clone());
        let mark = log.end().unwrap();
        std::fs::write(&path, "before\nafter\n").unwrap();
        assert_eq!(log.since(mark).unwrap(), b"after\n");
        std::fs::write(&path, "anew\n").unwrap();
        assert_eq!(log.since(mark).unwrap(), b"anew\n");
        assert!(
            ServerLog::File(directory.path().join("none"))
                .end()
                .is_err()
        );
    }

    #[test]
    fn more_than_may_be_gained_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.log");
        let file = File::create(&path).unwrap();
        let log = ServerLog::File(path);
        let mark = log.end().unwrap();
        file.set_len(MAX_GAIN + 1).unwrap();
        let error = log.since(mark).unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
    }
}
