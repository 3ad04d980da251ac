//! The lines of a run's journal: what it is about to create, and what it has removed again.
//!
//! A line is written before the request that creates something, so that a killed run can be
//! cleaned up by another process. The journal names buckets and objects and nothing secret.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

/// The journal format that this version writes.
pub const FORMAT: u32 = 2;
/// Longest line that is read, in bytes; names are at most 1024 bytes, six characters each if escaped.
const MAX_LINE_BYTES: u64 = 16 << 10;
/// Most lines that are read.
const MAX_LINES: usize = 1_000_000;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "journal", rename_all = "kebab-case")]
pub enum Line {
    /// First line: where to clean up.
    Run(Place),
    /// About to be created.
    Create(Thing),
    /// Removed, or never there.
    Removed(Thing),
}

/// The target as far as a later process needs it; credentials come from its own environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub format: u32,
    /// `bundled`, or the endpoint's URL.
    pub endpoint: String,
    pub region: String,
    /// `path` or `vhost`.
    pub style: String,
    /// The domain below which bucket names stand, where it is not the endpoint's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vhost_domain: Option<String>,
    /// The authority's certificate file, as the user named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    #[serde(default)]
    pub insecure: bool,
    pub seed: String,
}

/// Something on the target that a run makes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thing {
    pub bucket: String,
    /// The object's name; `None` for the bucket itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The id of an upload of that object, which is then what is meant; empty for whatever uploads
    /// it has, before the target has given an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.object, &self.upload) {
            (Some(object), None) => write!(f, "{}/{object}", self.bucket),
            (Some(object), Some(id)) if id.is_empty() => {
                write!(f, "uploads of {}/{object}", self.bucket)
            }
            (Some(object), Some(id)) => write!(f, "upload {id} of {}/{object}", self.bucket),
            (None, _) => f.write_str(&self.bucket),
        }
    }
}

/// Writes one line whole and flushes it.
///
/// # Errors
///
/// What the sink answers.
pub fn append(line: &Line, sink: &mut dyn Write) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line).map_err(io::Error::from)?;
    bytes.push(b'\n');
    sink.write_all(&bytes)?;
    sink.flush()
}

/// Why a journal cannot be read. Line numbers start at 1.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read the journal: {0}")]
    Io(#[from] io::Error),
    #[error("line {line} is no line of a journal: {reason}")]
    NotALine { line: usize, reason: String },
    #[error("the journal does not start with a `run` line")]
    MissingRun,
    #[error("the journal has format {found}, this version reads up to {FORMAT}; use a newer ssec")]
    NewerFormat { found: u32 },
    #[error("more than {MAX_LINES} lines; this is no journal")]
    TooManyLines,
}

/// Reads a journal: the place, and what was created and not removed, in the order of creation.
///
/// A last line without its end was being written when the run was killed; what it names was not
/// created yet, so it is left out.
///
/// # Errors
///
/// See [`ReadError`].
pub fn read(mut source: impl BufRead) -> Result<(Place, Vec<Thing>), ReadError> {
    let mut place = None;
    let mut left: Vec<Thing> = Vec::new();
    for number in 1..=MAX_LINES {
        let mut bytes = Vec::new();
        let mut limited = source.by_ref().take(MAX_LINE_BYTES);
        if limited.read_until(b'\n', &mut bytes)? == 0 {
            return place
                .map(|place| (place, left))
                .ok_or(ReadError::MissingRun);
        }
        let line = match serde_json::from_slice(&bytes) {
            Ok(line) => line,
            Err(_) if !bytes.ends_with(b"\n") && (bytes.len() as u64) < MAX_LINE_BYTES => continue,
            Err(error) => {
                return Err(ReadError::NotALine {
                    line: number,
                    reason: error.to_string(),
                });
            }
        };
        match (line, &place) {
            (Line::Run(run), None) if run.format > FORMAT => {
                return Err(ReadError::NewerFormat { found: run.format });
            }
            (Line::Run(run), None) => place = Some(run),
            (_, None) => return Err(ReadError::MissingRun),
            (Line::Run(_), Some(_)) => {
                return Err(ReadError::NotALine {
                    line: number,
                    reason: "a second run begins".to_owned(),
                });
            }
            (Line::Create(thing), Some(_)) => {
                if !left.contains(&thing) {
                    left.push(thing);
                }
            }
            (Line::Removed(thing), Some(_)) => left.retain(|other| *other != thing),
        }
    }
    Err(ReadError::TooManyLines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            format: FORMAT,
            endpoint: "https://localhost:1".to_owned(),
            region: "us-east-1".to_owned(),
            style: "path".to_owned(),
            vhost_domain: None,
            ca: None,
            insecure: false,
            seed: "7".to_owned(),
        }
    }

    fn thing(object: Option<&str>) -> Thing {
        Thing {
            bucket: "b".to_owned(),
            object: object.map(str::to_owned),
            upload: None,
        }
    }

    fn written(lines: &[Line]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            append(line, &mut bytes).unwrap();
        }
        bytes
    }

    #[test]
    fn what_was_created_and_not_removed_is_left() {
        let bytes = written(&[
            Line::Run(place()),
            Line::Create(thing(None)),
            Line::Create(thing(Some("x"))),
            Line::Create(thing(Some("y"))),
            Line::Create(thing(Some("y"))),
            Line::Removed(thing(Some("x"))),
        ]);
        let (read_place, left) = read(bytes.as_slice()).unwrap();
        assert_eq!(read_place, place());
        assert_eq!(left, [thing(None), thing(Some("y"))]);
    }

    #[test]
    fn a_line_cut_by_a_kill_is_left_out() {
        let mut bytes = written(&[Line::Run(place()), Line::Create(thing(None))]);
        bytes.extend_from_slice(br#"{"journal":"create","buck"#);
        assert_eq!(read(bytes.as_slice()).unwrap().1, [thing(None)]);
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        for wrong in ["", "{}\n", "nothing\n", "{\"kind\":\"run\"}\n"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let headless = written(&[Line::Create(thing(None))]);
        assert!(matches!(
            read(headless.as_slice()),
            Err(ReadError::MissingRun)
        ));
        let newer = Place {
            format: FORMAT + 1,
            ..place()
        };
        let newer = written(&[Line::Run(newer)]);
        let error = read(newer.as_slice()).unwrap_err();
        assert!(matches!(error, ReadError::NewerFormat { found: 3 }));
    }
}
