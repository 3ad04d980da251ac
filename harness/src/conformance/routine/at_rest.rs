//! What a write leaves in the data directory: no plaintext, no key, no digest, nothing twice.

use std::path::PathBuf;
use std::time::Duration;

use super::errand::{Errand, Open, Stop};
use super::files::{self, Changed, Snapshot};
use super::search::{self, Find, Of};
use crate::check::{Check, Weight};
use crate::conformance::judge::Phase;
use crate::conformance::sender::Signing;
use crate::error::OurError;
use crate::oracle::EtagFact;
use crate::payload::BLOCK;
use crate::s3::error_document::value_at;
use crate::s3::operation;
use crate::scenario::definition::{Mutation, Ssec, SsecHeader, Writing};
use crate::ssec::SsecHeaders;

/// How often a directory is looked at until what was stored is seen there, and how long apart.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Bytes at either end of a file that may well be like another's: a header, a trailer.
const FRAME: usize = 4096;

/// Work with files, off the threads that send.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Stop> + Send + 'static,
) -> Result<T, Stop> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(OurError::Broken("looking at files panicked".to_owned()).into()))
}

pub(super) async fn snapshot(errand: &Errand<'_>) -> Result<Snapshot, Stop> {
    let root: Option<PathBuf> = errand.session.target().data_dir.clone();
    let unknown = || Stop::NotAssessable("the data directory is not known".to_owned());
    let root = root.ok_or_else(unknown)?;
    aside(move || Snapshot::take(&root)).await
}

/// Searches what changed since `before`, which must be as much as was stored.
async fn judge(
    errand: &mut Errand<'_>,
    before: Snapshot,
    find: Find,
    nothing: &str,
) -> Result<(), Stop> {
    let stored: u64 = errand.trial.bodies.values().map(|spec| spec.size).sum();
    let Settled { changed, in_place } = settled(before, stored, LOOKS).await?;
    if in_place {
        errand.note(format!(
            "files did not grow by the {stored} bytes that were stored: what changed in its place was searched"
        ));
    }
    let count = changed.len();
    let found = aside(move || files::search(&changed, &find)).await?;
    let observed = found.as_ref().map_or_else(
        || format!("none in {count} files"),
        |found| format!("{} in {}", found.what, found.place),
    );
    let check = Check::new("at rest", Weight::Requirement, found.is_none());
    errand.judge(check.expected(nothing).observed(observed));
    Ok(())
}

/// What changed while something was stored.
struct Settled {
    changed: Vec<Changed>,
    /// Whether files changed without growing by as much.
    in_place: bool,
}

/// What changed, once files grew by as much as was stored: an empty look at the wrong directory
/// would find nothing, and an early one not all. Some write into files that have their length
/// already; of those all looks are waited for.
async fn settled(before: Snapshot, stored: u64, looks: u32) -> Result<Settled, Stop> {
    let mut before = before;
    for look in 1..=looks {
        let (changed, same) = aside(move || Ok((before.changed()?, before))).await?;
        before = same;
        let sum = |of: fn(&Changed) -> u64| -> u64 {
            changed.iter().filter(|file| file.differs).map(of).sum()
        };
        let grew = sum(|file| file.gained) >= stored;
        let in_place = !grew && look == looks && sum(|file| file.length) >= stored;
        if grew || in_place {
            return Ok(Settled { changed, in_place });
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(Stop::NotAssessable(
        "fewer bytes changed in the data directory than were stored; is it the target's?"
            .to_owned(),
    ))
}

pub(super) async fn plaintext(errand: &mut Errand<'_>, writing: Writing) -> Result<(), Stop> {
    let before = snapshot(errand).await?;
    match writing {
        Writing::Small | Writing::Large => errand.put("doc", "b1", "alice").await?,
        Writing::Parts => in_parts(errand).await?,
        Writing::Copy => {
            errand.put("doc", "b1", "alice").await?;
            copied(errand).await?;
        }
    }
    let find = search::plaintext(errand.session.seed, errand.bodies);
    judge(errand, before, find, "no block of the plaintext").await
}

async fn copied(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let bucket = errand.bucket();
    let source = operation::copy_source(&bucket, &errand.name("doc"));
    let mut request = operation::copy_object(&bucket, &errand.name("copy"), &source);
    for value in errand.triple("alice")?.values {
        request = request.with_header(value.header.source_name(), value.value);
    }
    errand
        .session
        .fixture
        .about_to_put(errand.session.fixture.bucket(), &errand.name("copy"))?;
    let action = "COPY doc to copy with key bob, source key alice".to_owned();
    let triple = errand.triple("bob")?;
    errand.given("copy", action, &request, &triple).await?;
    Ok(())
}

async fn in_parts(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let (bucket, name) = (errand.bucket(), errand.name("doc"));
    let triple = errand.triple("alice")?;
    let fixture = &errand.session.fixture;
    fixture.about_to_put(errand.session.fixture.bucket(), &name)?;
    fixture.about_to_create_upload(fixture.bucket(), &name)?;
    let request = operation::create_upload(&bucket, &name);
    let action = "CREATE UPLOAD of doc with key alice".to_owned();
    let created = errand.given("create-upload", action, &request, &triple);
    let created = created.await?;
    let id = value_at(&created.body, "UploadId").unwrap_or_default();
    fixture.upload_answered(fixture.bucket(), &name, created)?;
    let mut parts = Vec::new();
    for (number, body) in [(1, "b1"), (2, "b2")] {
        let body = errand.body(body)?;
        let request = operation::upload_part(&bucket, &name, &id, number, body);
        let action = format!("UPLOAD part {number} of doc with key alice");
        let answer = errand.given("upload-part", action, &request, &triple);
        let tag = answer.await?.header("ETag").unwrap_or_default();
        parts.push((number, String::from_utf8_lossy(tag).into_owned()));
    }
    let request = operation::complete_upload(&bucket, &name, &id, &parts);
    let action = "COMPLETE UPLOAD of doc".to_owned();
    let none = SsecHeaders::default();
    errand
        .given("complete-upload", action, &request, &none)
        .await?;
    Ok(())
}

/// Alice's key with the MD5 of another one.
pub(super) fn wrong_md5(errand: &Errand<'_>) -> Result<SsecHeaders, Stop> {
    let ssec = Ssec {
        key: "alice".to_owned(),
        drop: std::collections::BTreeSet::new(),
        mutate: [(SsecHeader::KeyMd5, Mutation::OfOtherKey)].into(),
        raw: std::collections::BTreeMap::new(),
    };
    Ok(SsecHeaders::build(&ssec, errand.keys)?)
}

pub(super) async fn key(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let before = snapshot(errand).await?;
    errand.put("doc", "b1", "alice").await?;
    errand.get(Phase::Given, "doc", "b1", "alice").await?;
    let (bucket, name) = (errand.bucket(), errand.name("doc"));
    let head = operation::head_object(&bucket, &name);
    let triple = errand.triple("alice")?;
    let action = "HEAD doc with key alice".to_owned();
    errand.given("head", action, &head, &triple).await?;
    let wrong = wrong_md5(errand)?;
    let put = operation::put_object(&bucket, &errand.name("wrong"), errand.body("b1")?);
    errand
        .session
        .fixture
        .about_to_put(errand.session.fixture.bucket(), &errand.name("wrong"))?;
    let signing = Signing::EVERYTHING;
    let action = "PUT wrong with key alice and another key's MD5";
    errand
        .wrong(action, &put, &wrong, signing, Open::All)
        .await?;
    let other = errand.triple("mallory")?;
    let get = operation::get_object(&bucket, &name);
    let action = "GET doc with key mallory";
    errand
        .wrong(action, &get, &other, signing, Open::Nothing)
        .await?;
    let find = search::keys(errand.keys, Of::Key);
    judge(errand, before, find, "no key in any encoding").await
}

pub(super) async fn key_md5(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let before = snapshot(errand).await?;
    errand.put("doc", "b1", "alice").await?;
    errand.get(Phase::Given, "doc", "b1", "alice").await?;
    let find = search::keys(errand.keys, Of::KeyMd5);
    judge(errand, before, find, "no MD5 of a key").await
}

pub(super) async fn digest(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let before = snapshot(errand).await?;
    errand.put("doc", "b1", "alice").await?;
    let md5_is_known = errand.session.oracle.facts().etag == Some(EtagFact::Md5);
    if md5_is_known {
        let dialect = errand.session.oracle.dialect();
        errand.note(format!(
            "{dialect} shows the MD5 of the plaintext as ETag: it was not looked for"
        ));
    }
    let body = errand.body("b1")?;
    let find = search::digests(&body, md5_is_known);
    judge(errand, before, find, "no digest of the plaintext").await
}

pub(super) async fn twice(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let one = stored_file(errand, "one", "b1").await?;
    let two = stored_file(errand, "two", "b1").await?;
    let compared = aside(move || {
        let mut same = None;
        for first in &one {
            for second in &two {
                same = same.or(equal_block(&read(first)?, &read(second)?));
            }
        }
        Ok(same)
    });
    let same = compared.await?;
    let check = Check::new("at rest", Weight::Requirement, same.is_none())
        .expected("two files without equal bytes in one place")
        .observed(same.map_or_else(
            || "none".to_owned(),
            |at| format!("equal ones at byte {at}"),
        ));
    errand.judge(check);
    Ok(())
}

/// Where two files hold the same block, but for their beginnings and ends.
fn equal_block(one: &[u8], two: &[u8]) -> Option<usize> {
    let end = one.len().min(two.len()).saturating_sub(FRAME);
    (FRAME..end.saturating_sub(BLOCK))
        .step_by(BLOCK)
        .find(|at| one[*at..at + BLOCK] == two[*at..at + BLOCK])
}

pub(super) fn read(file: &Changed) -> Result<Vec<u8>, Stop> {
    std::fs::read(&file.path).map_err(|error| files::unreadable(&file.path, &error))
}

/// Stores a body under Alice's key and returns the files that came with it and have its length.
pub(super) async fn stored_file(
    errand: &mut Errand<'_>,
    object: &str,
    body: &str,
) -> Result<Vec<Changed>, Stop> {
    let size = errand.body(body)?.len() as u64;
    let mut before = snapshot(errand).await?;
    errand.put(object, body, "alice").await?;
    for _ in 0..LOOKS {
        let (found, same) = aside(move || Ok((before.of_size(size)?, before))).await?;
        before = same;
        if !found.is_empty() {
            return Ok(found);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(Stop::NotAssessable(
        "no file of about the object's length came with it".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn what_was_stored_is_waited_for_although_a_larger_file_changed_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("table"), vec![0; 100_000]).unwrap();
        let before = Snapshot::take(directory.path()).unwrap();
        fs::write(path("table"), vec![1; 100_100]).unwrap();
        let body = path("body");
        let late = tokio::spawn(async move {
            tokio::time::sleep(3 * BETWEEN_LOOKS).await;
            fs::write(body, vec![2; 10_000]).unwrap();
        });
        let seen = settled(before, 10_000, 300).await.unwrap();
        late.await.unwrap();
        let names: Vec<_> = seen.changed.iter().map(|file| file.name.as_str()).collect();
        assert!(!seen.in_place && names.contains(&"body"), "{names:?}");
    }

    #[tokio::test]
    async fn a_file_that_has_its_length_already_is_searched_and_too_little_is_not_assessable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("device");
        fs::write(&path, vec![0; 20_000]).unwrap();
        let before = || Snapshot::take(directory.path()).unwrap();
        let earlier = before();
        fs::write(&path, vec![1; 20_001]).unwrap();
        let seen = settled(earlier, 10_000, 2).await.unwrap();
        assert!(seen.in_place && seen.changed.len() == 1);
        let earlier = before();
        fs::write(&path, vec![2; 9_000]).unwrap();
        let seen = settled(earlier, 10_000, 2).await;
        assert!(matches!(seen, Err(Stop::NotAssessable(_))));
    }

    #[test]
    fn equal_blocks_count_only_between_the_frames() {
        let one = vec![1; 3 * FRAME];
        let mut two = vec![2; 3 * FRAME];
        assert_eq!(equal_block(&one, &two), None);
        two[..FRAME].fill(1);
        two[2 * FRAME..].fill(1);
        assert_eq!(equal_block(&one, &two), None);
        two[FRAME + 160..FRAME + 192].fill(1);
        assert_eq!(equal_block(&one, &two), Some(FRAME + 160));
        assert_eq!(equal_block(&[], &two), None);
    }
}
