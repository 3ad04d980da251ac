//! The files of a data directory: what there is, what came or changed since, and their bytes.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::errand::Stop;
use super::search::Find;
use crate::error::GivenError;

/// Files of a data directory; more are a server's own affair, too many to walk for each trial.
const MAX_FILES: usize = 1_000_000;
/// Bytes of changed files that one trial searches.
const MAX_SEARCHED: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes that are searched at once.
const WINDOW: usize = 1024 * 1024;
/// Bytes of a window that the next one begins with: no form of a key is longer.
const OVERLAP: usize = 1024;
/// A file system may tell times no finer; what changed so shortly before may have changed again.
const TICK: Duration = Duration::from_secs(2);

/// What was there at one moment.
pub(super) struct Snapshot {
    root: PathBuf,
    files: BTreeMap<PathBuf, Stamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

/// A file that came or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) path: PathBuf,
    /// Below the data directory.
    pub(super) name: String,
    pub(super) length: u64,
    /// Bytes that it is longer by.
    pub(super) gained: u64,
    pub(super) is_new: bool,
    /// New, or not as it was; others are there because they may have changed unseen.
    pub(super) differs: bool,
}

/// Something that was found, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) what: String,
    pub(super) place: String,
}

impl Snapshot {
    /// Walks the directory.
    pub(super) fn take(root: &Path) -> Result<Self, Stop> {
        let mut files = BTreeMap::new();
        walk(root, &mut |path, metadata| {
            files.insert(path, Stamp::of(metadata));
            files.len() <= MAX_FILES
        })
        .map_err(|error| unreadable(root, &error))?;
        if files.len() > MAX_FILES {
            return Err(Stop::NotAssessable(format!(
                "the data directory has more than {MAX_FILES} files"
            )));
        }
        let root = root.to_owned();
        Ok(Self { root, files })
    }

    /// What is new, or may have changed since, in the order of names.
    pub(super) fn changed(&self) -> Result<Vec<Changed>, Stop> {
        let newest = self.files.values().filter_map(|stamp| stamp.modified).max();
        let fresh = newest.and_then(|newest| newest.checked_sub(TICK));
        let now = Self::take(&self.root)?;
        let changed = now.files.into_iter().filter_map(|(path, stamp)| {
            let before = self.files.get(&path);
            let is_fresh = stamp.modified >= fresh;
            let differs = before != Some(&stamp);
            (differs || is_fresh).then(|| Changed {
                name: name(&self.root, &path),
                length: stamp.length,
                gained: stamp
                    .length
                    .saturating_sub(before.map_or(0, |before| before.length)),
                is_new: before.is_none(),
                differs,
                path,
            })
        });
        Ok(changed.collect())
    }

    /// The new files of about `size` bytes: what is stored beside the bytes themselves is little.
    pub(super) fn of_size(&self, size: u64) -> Result<Vec<Changed>, Stop> {
        let most = size + size / 100 + 4096;
        let mut found = self.changed()?;
        found.retain(|file| file.is_new && (size..=most).contains(&file.length));
        Ok(found)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

/// Searches files window by window, and the windows' borders too. What went meanwhile holds
/// nothing.
pub(super) fn search(files: &[Changed], find: &Find) -> Result<Option<Found>, Stop> {
    let total: u64 = files.iter().map(|file| file.length).sum();
    if total > MAX_SEARCHED {
        return Err(Stop::NotAssessable(format!(
            "{total} bytes changed in the data directory, more than the {MAX_SEARCHED} that are searched"
        )));
    }
    for file in files {
        let found = search_one(&file.path, find);
        match found {
            Ok(None) => {}
            Ok(Some((what, at))) => {
                let place = format!("{} at byte {at}", file.name);
                return Ok(Some(Found { what, place }));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&file.path, &error)),
        }
    }
    Ok(None)
}

fn search_one(path: &Path, find: &Find) -> io::Result<Option<(String, u64)>> {
    let mut file = File::open(path)?;
    let mut window = Vec::with_capacity(WINDOW + OVERLAP);
    let mut start = 0;
    loop {
        let kept = window.len();
        file.by_ref().take(WINDOW as u64).read_to_end(&mut window)?;
        if window.len() == kept {
            return Ok(None);
        }
        if let Some((what, at)) = find(&window) {
            return Ok(Some((what, start + at as u64)));
        }
        let passed = window.len().saturating_sub(OVERLAP);
        window.drain(..passed);
        start += passed as u64;
    }
}

/// Calls `seen` for each file below `root` until it has seen enough; links are not followed.
fn walk(root: &Path, seen: &mut dyn FnMut(PathBuf, &Metadata) -> bool) -> io::Result<()> {
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && directory != root => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            // A server renames and removes while it is looked at.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                left.push(entry.path());
            } else if metadata.is_file() && !seen(entry.path(), &metadata) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn name(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.display().to_string()
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Stop {
    GivenError::File {
        path: path.display().to_string(),
        why: error.to_string(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_for(needle: &'static [u8]) -> Find {
        Box::new(move |window| {
            let at = window.windows(needle.len()).position(|w| w == needle);
            at.map(|at| ("needle".to_owned(), at))
        })
    }

    #[test]
    fn what_came_and_what_changed_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for name in ["still", "sub/grows"] {
            fs::write(path(name), "before").unwrap();
            let file = File::options().write(true).open(path(name)).unwrap();
            file.set_modified(old).unwrap();
        }
        fs::write(path("last"), "it sets the time").unwrap();
        let snapshot = Snapshot::take(directory.path()).unwrap();
        fs::write(path("sub/grows"), "before and after").unwrap();
        fs::write(path("new"), vec![0; 1000]).unwrap();
        let changed = snapshot.changed().unwrap();
        let names: Vec<_> = changed
            .iter()
            .map(|file| (file.name.as_str(), file.is_new))
            .collect();
        // What was written last before may have been written again in the same tick.
        let want = [("last", false), ("new", true), ("sub/grows", false)];
        assert_eq!(names, want);
        let gained: Vec<u64> = changed.iter().map(|file| file.gained).collect();
        assert_eq!(gained, [0, 1000, 10]);
        let sized = |size| snapshot.of_size(size).unwrap().len();
        assert_eq!((sized(1000), sized(900), sized(1001)), (1, 1, 0));
    }

    #[test]
    fn a_find_over_the_border_of_two_windows_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let mut bytes = vec![b'.'; 2 * WINDOW + 17];
        bytes[WINDOW - 3..WINDOW + 3].copy_from_slice(b"needle");
        fs::write(directory.path().join("file"), &bytes).unwrap();
        let empty = Snapshot {
            root: directory.path().to_owned(),
            files: BTreeMap::new(),
        };
        let files = empty.changed().unwrap();
        let found = search(&files, &look_for(b"needle")).unwrap().unwrap();
        assert_eq!(found.place, format!("file at byte {}", WINDOW - 3));
        assert_eq!(search(&files, &look_for(b"noodle")).unwrap(), None);
        fs::remove_file(directory.path().join("file")).unwrap();
        assert_eq!(search(&files, &look_for(b"needle")).unwrap(), None);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let Err(Stop::Failed(error)) = Snapshot::take(Path::new("/no/such/directory")) else {
            panic!("it was walked");
        };
        assert!(error.to_string().contains("/no/such"), "{error}");
    }

    #[test]
    fn more_than_is_searched_is_not_assessable() {
        let huge = Changed {
            path: PathBuf::from("/huge"),
            name: "huge".to_owned(),
            length: MAX_SEARCHED + 1,
            gained: MAX_SEARCHED + 1,
            is_new: true,
            differs: true,
        };
        let searched = search(&[huge], &look_for(b"needle"));
        assert!(matches!(searched, Err(Stop::NotAssessable(_))));
    }
}
