//! Stored bytes are changed behind the target's back: whatever it answers then, it is not the
//! changed bytes.

use std::fs;

use super::at_rest::{aside, read, stored_file};
use super::errand::{Errand, Open, Stop};
use super::files::Changed;
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

    /// What is tried on a file of that length.
    fn all(what: Tampering, length: usize) -> Vec<Self> {
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
    let files = stored_file(errand, "doc", "b1").await?;
    let originals = contents(files.clone()).await?;
    let mut noticed = 0;
    let shortest = originals.iter().map(Vec::len).min().unwrap_or_default();
    let tried = Damage::all(what, shortest);
    for damage in &tried {
        let damaged: Vec<Vec<u8>> = originals.iter().map(|o| damage.done_to(o)).collect();
        write(&files, damaged).await?;
        noticed += read_damaged(errand, "doc", &["b1"], damage.words()).await?;
        write(&files, originals.clone()).await?;
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
    let (one, two) = (sorted(one), sorted(two));
    let (first, second) = (contents(one.clone()).await?, contents(two.clone()).await?);
    write(&one, second.clone()).await?;
    write(&two, first.clone()).await?;
    let words = "its file changed for another object's".to_owned();
    let noticed = read_damaged(errand, "doc", &["b1"], words).await?;
    write(&one, first).await?;
    write(&two, second).await?;
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
    let header = Signing::Header(None);
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

async fn contents(files: Vec<Changed>) -> Result<Vec<Vec<u8>>, Stop> {
    aside(move || files.iter().map(read).collect()).await
}

/// Writes each file anew, in its place.
async fn write(files: &[Changed], contents: Vec<Vec<u8>>) -> Result<(), Stop> {
    let files = files.to_vec();
    aside(move || {
        for (file, bytes) in files.iter().zip(contents) {
            fs::write(&file.path, bytes).map_err(|error| GivenError::Output {
                what: file.path.display().to_string(),
                why: error.to_string(),
            })?;
        }
        Ok(())
    })
    .await
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
        let flips = Damage::all(Tampering::Flip, 100);
        assert_eq!(flips.first(), Some(&Damage::Flip(0)));
        assert_eq!(flips.last(), Some(&Damage::Flip(99)));
    }
}
