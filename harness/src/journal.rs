//! What a run has created and not yet removed, on disk before the target hears of it.
//!
//! Knows names only: sending the DELETEs is the fixture's work, and the lines' form is `reports`'.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard};

use reports::journal::{self, Line, Place, Thing};

/// The journal of a run. Shared by reference between trials.
pub struct Journal {
    state: Mutex<State>,
}

struct State {
    sink: Box<dyn Write + Send>,
    pending: BTreeSet<Thing>,
    created: u64,
    removed: u64,
}

impl Journal {
    /// A journal in a file, with its first line.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn start(file: File, place: Place) -> io::Result<Self> {
        Self::with_sink(Box::new(file), place)
    }

    /// A journal that is forgotten with the process (`--no-save`).
    #[must_use]
    pub fn in_memory(place: Place) -> Self {
        Self::with_sink(Box::new(io::sink()), place).expect("a sink takes everything")
    }

    fn with_sink(mut sink: Box<dyn Write + Send>, place: Place) -> io::Result<Self> {
        journal::append(&Line::Run(place), &mut sink)?;
        Ok(Self {
            state: Mutex::new(State {
                sink,
                pending: BTreeSet::new(),
                created: 0,
                removed: 0,
            }),
        })
    }

    /// Notes that `thing` is about to be created. Written once, however often it is overwritten.
    ///
    /// # Errors
    /// When the line cannot be written; then nothing may be created.
    pub fn about_to_create(&self, thing: Thing) -> io::Result<()> {
        let mut state = self.lock();
        if state.pending.contains(&thing) {
            return Ok(());
        }
        journal::append(&Line::Create(thing.clone()), &mut state.sink)?;
        state.pending.insert(thing);
        state.created += 1;
        Ok(())
    }

    /// Notes what `vague` turned out to be: an upload has no id before it is created.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn learned(&self, vague: &Thing, exact: Thing) -> io::Result<()> {
        let mut state = self.lock();
        journal::append(&Line::Create(exact.clone()), &mut state.sink)?;
        state.pending.insert(exact);
        if state.pending.remove(vague) {
            journal::append(&Line::Removed(vague.clone()), &mut state.sink)?;
        } else {
            state.created += 1;
        }
        Ok(())
    }

    /// Notes that `thing` is gone, or never came to be.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn removed(&self, thing: &Thing) -> io::Result<()> {
        let mut state = self.lock();
        if state.pending.remove(thing) {
            journal::append(&Line::Removed(thing.clone()), &mut state.sink)?;
            state.removed += 1;
        }
        Ok(())
    }

    /// What is still there: objects first, then buckets.
    #[must_use]
    pub fn pending(&self) -> Vec<Thing> {
        let (buckets, mut things): (Vec<Thing>, Vec<Thing>) = self
            .lock()
            .pending
            .iter()
            .cloned()
            .partition(|thing| thing.object.is_none());
        things.extend(buckets);
        things
    }

    /// Whether `thing` is among what is still there.
    #[must_use]
    pub fn is_pending(&self, thing: &Thing) -> bool {
        self.lock().pending.contains(thing)
    }

    /// How many things were created, and how many of them removed.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let state = self.lock();
        (state.created, state.removed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the journal panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            format: journal::FORMAT,
            endpoint: "bundled".to_owned(),
            region: "us-east-1".to_owned(),
            style: "path".to_owned(),
            vhost_domain: None,
            ca: None,
            insecure: false,
            seed: "7".to_owned(),
        }
    }

    fn thing(bucket: &str, object: Option<&str>) -> Thing {
        Thing {
            bucket: bucket.to_owned(),
            object: object.map(str::to_owned),
            upload: None,
        }
    }

    #[test]
    fn objects_are_removed_before_their_bucket() {
        let journal = Journal::in_memory(place());
        for created in [
            thing("a", None),
            thing("a", Some("x")),
            thing("a", Some("x")),
        ] {
            journal.about_to_create(created).unwrap();
        }
        assert_eq!(journal.counts(), (2, 0));
        assert_eq!(journal.pending(), [thing("a", Some("x")), thing("a", None)]);
        journal.removed(&thing("a", Some("x"))).unwrap();
        journal.removed(&thing("a", Some("never"))).unwrap();
        assert_eq!(journal.pending(), [thing("a", None)]);
        assert_eq!(journal.counts(), (2, 1));
    }

    #[test]
    fn an_upload_gets_its_id_when_it_has_one() {
        let upload = |id: &str| Thing {
            upload: Some(id.to_owned()),
            ..thing("a", Some("x"))
        };
        let journal = Journal::in_memory(place());
        journal.about_to_create(upload("")).unwrap();
        journal.learned(&upload(""), upload("u1")).unwrap();
        assert_eq!(journal.pending(), [upload("u1")]);
        assert_eq!(journal.counts(), (1, 0));
        journal.removed(&upload("u1")).unwrap();
        assert_eq!(journal.counts(), (1, 1));
    }

    #[test]
    fn a_line_is_in_the_file_before_anything_is_created() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let journal = Journal::start(file.reopen().unwrap(), place()).unwrap();
        journal.about_to_create(thing("a", Some("x"))).unwrap();
        let mut text = String::new();
        io::Read::read_to_string(file.as_file_mut(), &mut text).unwrap();
        let (_, left) = journal::read(text.as_bytes()).unwrap();
        assert_eq!(left, [thing("a", Some("x"))]);
    }
}
