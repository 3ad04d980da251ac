//! Stored bytes are changed behind the target's back: whatever it answers then, it is not the
//! changed bytes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::at_rest::{aside, stored_file};
use super::errand::{Errand, Open, Stop};
use super::files::{self, Changed};
use crate::check::status::Kind;
use crate::check::{Check, Weight};
use crate::conformance::judge::Phase;
use crate::conformance::sender::Signing;
use crate::error::{Error, GivenError, Stage, TargetError};
use crate::s3::operation;
use crate::scenario::definition::Tampering;

/// How many bits of a file are flipped, one after the other.
const FLIPS: usize = 12;
/// Bytes of a stretch that changes places.
const STRETCH: usize = 4096;

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// A bit of the byte there.
    Flip(usize),
    /// The stretches that begin there.
    Swap(usize, usize, usize),
    /// No more bytes than those.
    Cut(usize),
    Longer,
}

impl Damage {
    fn words(self) -> String {
        match self {
            Self::Flip(at) => format!("a bit of byte {at} flipped"),
            Self::Swap(one, other, length) => {
                format!("{length} bytes at {one} and at {other} swapped")
            }
            Self::Cut(length) => format!("cut after {length} bytes"),
            Self::Longer => "one byte appended".to_owned(),
        }
    }

    fn done_to(self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        match self {
            Self::Flip(at) => bytes[at] ^= 1,
            Self::Swap(one, other, length) => {
                for offset in 0..length {
                    bytes.swap(one + offset, other + offset);
                }
            }
            Self::Cut(length) => bytes.truncate(length),
            Self::Longer => bytes.push(0),
        }
        bytes
    }

    /// What is tried on files of which the shortest has that length; nothing on one that is too
    /// short for it.
    fn all(what: Tampering, length: usize) -> Vec<Self> {
        if length < 4 * STRETCH {
            return Vec::new();
        }
        match what {
            Tampering::Flip => (0..FLIPS)
                .map(|number| Self::Flip((length - 1) * number / (FLIPS - 1)))
                .collect(),
            Tampering::Swap => vec![
                Self::Swap(length / 4, 3 * (length / 4), STRETCH),
                Self::Swap(length / 2, length / 2 + 16, 16),
                Self::Swap(0, length / 2, length / 2),
            ],
            Tampering::Cut => vec![
                Self::Cut(length - 1),
                Self::Cut(length / 2),
                Self::Cut(0),
                Self::Longer,
            ],
            Tampering::Exchange => Vec::new(),
        }
    }
}

pub(super) async fn read_tampered(errand: &mut Errand<'_>, what: Tampering) -> Result<(), Stop> {
    if what == Tampering::Exchange {
        return exchanged(errand).await;
    }
    let files = Lent::of(stored_file(errand, "doc", "b1").await?).await?;
    let mut noticed = 0;
    let tried = Damage::all(what, files.shortest());
    if tried.is_empty() {
        return Err(Stop::NotAssessable(
            "the new file became too short to be changed".to_owned(),
        ));
    }
    for damage in &tried {
        let damaged = files.own().iter().map(|own| damage.done_to(own));
        files.change(damaged.collect()).await?;
        noticed += read_damaged(errand, "doc", &["b1"], damage.words()).await?;
        files.give_back().await?;
    }
    ended(errand, noticed, tried.len()).await
}

/// The files of two objects, one in the place of the other.
async fn exchanged(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let one = stored_file(errand, "doc", "b1").await?;
    let two = stored_file(errand, "other", "b2").await?;
    if one.len() != two.len() {
        return Err(Stop::NotAssessable(
            "two objects of one length have not the same number of files".to_owned(),
        ));
    }
    let sorted = |mut files: Vec<Changed>| {
        files.sort_by(|a, b| (a.length, &a.path).cmp(&(b.length, &b.path)));
        files
    };
    let (one, two) = (Lent::of(sorted(one)).await?, Lent::of(sorted(two)).await?);
    one.change(two.own().to_vec()).await?;
    two.change(one.own().to_vec()).await?;
    let words = "its file changed for another object's".to_owned();
    let noticed = read_damaged(errand, "doc", &["b1"], words).await?;
    one.give_back().await?;
    two.give_back().await?;
    ended(errand, noticed, 1).await
}

/// The bytes are as they were, so the object must be, and something must have been noticed before:
/// else the file is not what is served.
async fn ended(errand: &mut Errand<'_>, noticed: usize, tried: usize) -> Result<(), Stop> {
    errand.get(Phase::Steps, "doc", "b1", "alice").await?;
    errand.note(format!("{noticed} of {tried} changes kept the object back"));
    if noticed == 0 {
        return Err(Stop::NotAssessable(
            "no change of the new file changed an answer: it is not what is served".to_owned(),
        ));
    }
    Ok(())
}

/// Reads a damaged object. It may be refused, cut off, or right; returns 1 if it was kept back.
async fn read_damaged(
    errand: &mut Errand<'_>,
    object: &str,
    bodies: &[&str],
    damage: String,
) -> Result<usize, Stop> {
    let mut want = Vec::new();
    for body in bodies {
        want.extend_from_slice(&errand.body(body)?);
    }
    let request = operation::get_object(&errand.bucket(), &errand.name(object));
    let triple = errand.triple("alice")?;
    let header = Signing::EVERYTHING;
    let sent = errand
        .send(&request, &triple, header, want.len() as u64)
        .await;
    let sent = match sent {
        Err(Error::Target(
            TargetError::ClosedEarly {
                at: Stage::BeforeAnswer | Stage::InHead,
            }
            | TargetError::Broken {
                at: Stage::BeforeAnswer | Stage::InHead,
                ..
            },
        )) => {
            errand.note(format!("{damage}: the connection ended without an answer"));
            return Ok(1);
        }
        sent => sent?,
    };
    let served = errand.kind(&sent.exchange) == Kind::Served;
    let body = &sent.exchange.body;
    let is_whole = sent.exchange.is_whole();
    let right = if is_whole {
        *body == want
    } else {
        want.starts_with(body)
    };
    let ok = !served || right;
    let wrong = body.iter().zip(&want).position(|(a, b)| a != b);
    let observed = match (served, ok) {
        (false, _) => "refused".to_owned(),
        (true, true) if is_whole => "served as it was stored".to_owned(),
        (true, true) => format!("cut off after {} right bytes", body.len()),
        (true, false) => format!(
            "served with other bytes from {} on",
            wrong.unwrap_or_else(|| body.len().min(want.len()))
        ),
    };
    let kept_back = usize::from(!served || !is_whole);
    let check = Check::new("bytes", Weight::Requirement, ok)
        .expected("refused, cut off, or served as stored")
        .observed(observed);
    let action = format!("GET {object} with key alice, {damage}");
    errand.took(Phase::Steps, "get", action, vec![check], sent, Open::All);
    Ok(kept_back)
}

/// Files that are changed for a while. They get their own bytes back however the trial ends: also on
/// an error, and when it is given up while it waits.
struct Lent {
    files: Arc<Files>,
}

struct Files {
    paths: Vec<PathBuf>,
    own: Vec<Vec<u8>>,
    /// Held while files are written, so that giving back comes last.
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Own,
    Changed,
    /// Given back for good: a change that comes later is too late.
    Over,
}

impl Lent {
    async fn of(files: Vec<Changed>) -> Result<Self, Stop> {
        let paths: Vec<PathBuf> = files.into_iter().map(|file| file.path).collect();
        aside(move || {
            let own = paths
                .iter()
                .map(|path| fs::read(path).map_err(|error| files::unreadable(path, &error)));
            let own = own.collect::<Result<_, Stop>>()?;
            let state = Mutex::new(State::Own);
            let files = Arc::new(Files { paths, own, state });
            Ok(Self { files })
        })
        .await
    }

    /// Their bytes as they were found.
    fn own(&self) -> &[Vec<u8>] {
        &self.files.own
    }

    fn shortest(&self) -> usize {
        self.own().iter().map(Vec::len).min().unwrap_or_default()
    }

    async fn change(&self, contents: Vec<Vec<u8>>) -> Result<(), Stop> {
        let files = Arc::clone(&self.files);
        aside(move || files.write(&contents, State::Changed)).await
    }

    async fn give_back(&self) -> Result<(), Stop> {
        let files = Arc::clone(&self.files);
        aside(move || files.write(&files.own, State::Own)).await
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Nobody is left to tell; what cannot be written back is told by the next read.
        let _ = self.files.write(&self.files.own, State::Over);
    }
}

impl Files {
    fn write(&self, contents: &[Vec<u8>], next: State) -> Result<(), Stop> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = *state == State::Own && next != State::Changed;
        if is_own || *state == State::Over {
            return Ok(());
        }
        // Garage puts a file aside once it has seen that it is changed.
        let may_be_gone = *state == State::Changed && next != State::Over;
        *state = next;
        for (path, bytes) in self.paths.iter().zip(contents) {
            write_over(path, bytes, may_be_gone).map_err(|error| GivenError::Output {
                what: path.display().to_string(),
                why: error.to_string(),
            })?;
        }
        Ok(())
    }
}

/// Writes into a file that is there: one that the target removed is made again only if it
/// `may_be_gone` in the middle of a trial.
fn write_over(path: &Path, bytes: &[u8], may_be_gone: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).truncate(true).create(may_be_gone);
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_changes_the_bytes_and_stays_within_them() {
        let bytes: Vec<u8> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
        for what in [Tampering::Flip, Tampering::Swap, Tampering::Cut] {
            let all = Damage::all(what, bytes.len());
            assert!(all.len() >= 3);
            for damage in all {
                assert_ne!(damage.done_to(&bytes), bytes, "{}", damage.words());
            }
        }
        let flips = Damage::all(Tampering::Flip, 20_000);
        assert_eq!(flips.first(), Some(&Damage::Flip(0)));
        assert_eq!(flips.last(), Some(&Damage::Flip(19_999)));
    }

    #[test]
    fn a_file_that_became_short_is_left_alone() {
        for what in [Tampering::Flip, Tampering::Swap, Tampering::Cut] {
            for length in [0, 1, STRETCH, 4 * STRETCH - 1] {
                assert!(Damage::all(what, length).is_empty(), "{what:?} {length}");
            }
            let bytes: Vec<u8> = (0..STRETCH)
                .flat_map(|n| (n as u32).to_le_bytes())
                .collect();
            for damage in Damage::all(what, bytes.len()) {
                assert_ne!(damage.done_to(&bytes), bytes, "{}", damage.words());
            }
        }
    }

    async fn lent(path: &Path) -> Lent {
        let changed = Changed {
            path: path.to_owned(),
            name: "body".to_owned(),
            length: 3,
            gained: 3,
            is_new: true,
            differs: true,
        };
        Lent::of(vec![changed]).await.unwrap()
    }

    #[tokio::test]
    async fn files_get_their_bytes_back_however_the_trial_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("body");
        let seen = || fs::read(&path).unwrap();
        fs::write(&path, "own").unwrap();
        let files = lent(&path).await;
        files.change(vec![b"changed".to_vec()]).await.unwrap();
        assert_eq!(seen(), b"changed");
        files.give_back().await.unwrap();
        assert_eq!(seen(), b"own");
        files.change(vec![b"changed".to_vec()]).await.unwrap();
        let late = Arc::clone(&files.files);
        drop(files);
        assert_eq!(seen(), b"own", "given up in between");
        late.write(&[b"too late".to_vec()], State::Changed).unwrap();
        assert_eq!(seen(), b"own");
    }

    #[tokio::test]
    async fn a_file_that_the_target_put_aside_is_changed_again_and_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("body");
        fs::write(&path, "own").unwrap();
        let files = lent(&path).await;
        for bytes in [b"one", b"two"] {
            files.change(vec![bytes.to_vec()]).await.unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            fs::remove_file(&path).unwrap();
        }
        files.give_back().await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"own");
    }

    #[tokio::test]
    async fn a_file_that_the_target_removed_is_not_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("body");
        fs::write(&path, "own").unwrap();
        let files = lent(&path).await;
        fs::remove_file(&path).unwrap();
        assert!(files.change(vec![b"changed".to_vec()]).await.is_err());
        drop(files);
        assert!(!path.exists());
    }
}
