//! The versions of one object, as far as the target accepted them.

use super::stored::Stored;

/// The id of what was stored while its bucket kept no versions.
pub const NULL_VERSION: &str = "null";

/// The versions of one object, the current one last. Where a bucket keeps no versions there is one.
#[derive(Default)]
pub struct History(Vec<Version>);

struct Version {
    id: String,
    /// `None` for a delete marker.
    stored: Option<Stored>,
}

impl History {
    /// A write was accepted; it takes the place of a version of the same id.
    pub fn put(&mut self, id: &str, stored: Stored) {
        self.push(id, Some(stored));
    }

    /// A deletion without a version left a delete marker of this id.
    pub fn mark(&mut self, id: &str) {
        self.push(id, None);
    }

    /// The version of this id, object or marker, was removed.
    pub fn remove(&mut self, id: &str) {
        self.0.retain(|version| version.id != id);
    }

    /// What a request gets that names `version`, or no version.
    #[must_use]
    pub fn get(&self, version: Option<&str>) -> Option<&Stored> {
        let found = match version {
            None => self.0.last(),
            Some(id) => self.0.iter().find(|version| version.id == id),
        };
        found?.stored.as_ref()
    }

    /// Every version that is no marker.
    pub fn all(&self) -> impl Iterator<Item = &Stored> {
        self.0.iter().filter_map(|version| version.stored.as_ref())
    }

    fn push(&mut self, id: &str, stored: Option<Stored>) {
        self.remove(id);
        self.0.push(Version {
            id: id.to_owned(),
            stored,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::stored::Content;
    use crate::scenario::definition::BodySpec;

    fn stored(name: &str) -> Stored {
        Stored {
            content: Content::of(name, BodySpec { size: 1, seed: 1 }),
            keys: Vec::new(),
        }
    }

    #[test]
    fn the_current_version_is_the_last_that_is_left() {
        let mut history = History::default();
        history.put("1", stored("first"));
        history.put("2", stored("second"));
        let get = |history: &History, id: Option<&str>| {
            history.get(id).map(|stored| stored.content.words())
        };
        assert_eq!(get(&history, None).as_deref(), Some("second"));
        assert_eq!(get(&history, Some("1")).as_deref(), Some("first"));
        assert_eq!(get(&history, Some("3")), None);
        history.mark("3");
        assert_eq!(get(&history, None), None);
        assert_eq!(get(&history, Some("3")), None);
        assert_eq!(history.all().count(), 2);
        history.remove("3");
        history.remove("2");
        assert_eq!(get(&history, None).as_deref(), Some("first"));
    }

    #[test]
    fn without_versions_a_write_takes_the_place_of_the_one_before() {
        let mut history = History::default();
        history.put(NULL_VERSION, stored("first"));
        history.put(NULL_VERSION, stored("second"));
        assert_eq!(history.all().count(), 1);
        assert_eq!(history.get(None).unwrap().content.words(), "second");
    }
}
