//! Where a run is kept: `.ssec/<UTC time>-<seed>/`, and how one is found again.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::clock::{Clock, amz_date};
use crate::problem::Problem;
use crate::random::Seed;

/// The folder of all runs, below the working directory.
const RUNS: &str = ".ssec";
/// Most runs with one seed that begin in one second.
const MOST_ALIKE: u32 = 100;
/// The link to the newest run.
const LATEST: &str = "latest";

/// One run's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    /// Relative to the working directory, as it is printed.
    pub name: PathBuf,
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the folder of a new run below `directory`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(directory: &Path, clock: Clock, seed: Seed) -> Result<Self, Failure> {
        let runs = directory.join(RUNS);
        let first = format!("{}-{seed}", amz_date(clock.now()));
        let mut own = first.clone();
        for number in 2..=MOST_ALIKE {
            let made = fs::create_dir_all(&runs).and_then(|()| fs::create_dir(runs.join(&own)));
            match made {
                Ok(()) => break,
                // Another run with this seed in the same second.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    own = format!("{first}-{number}");
                }
                Err(error) => {
                    let words = format!("cannot make {RUNS}/{own}: {error}");
                    return Err(Failure::new(Problem::Unwritable, words)
                        .hint("pass --no-save to keep no record"));
                }
            }
        }
        Ok(Self {
            path: runs.join(&own),
            name: Path::new(RUNS).join(own),
        })
    }

    /// Creates a file of the run.
    ///
    /// # Errors
    /// What the system says.
    pub fn file(&self, name: &str) -> io::Result<File> {
        File::create(self.path.join(name))
    }

    /// Points `latest` to this run.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_latest(&self) -> io::Result<()> {
        let own = self.path.file_name().expect("a run's folder has a name");
        let runs = self.path.parent().expect("a run's folder is in another");
        let link = runs.join(format!("{LATEST}.{}", own.display()));
        std::os::unix::fs::symlink(own, &link)?;
        fs::rename(&link, runs.join(LATEST))
    }

    /// Removes the folder of a run that never began.
    pub fn discard(&self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!("{} could not be removed: {error}", self.name.display());
        }
    }
}

/// Finds a file of a run that the user names: its folder, its `run.jsonl`, or `latest`.
///
/// # Errors
/// When there is no such run.
pub fn find(directory: &Path, run: &str, file: &str) -> Result<PathBuf, Failure> {
    let given = directory.join(run);
    let candidates = if run == LATEST {
        vec![directory.join(RUNS).join(LATEST).join(file)]
    } else {
        let beside = given.parent().map(|parent| parent.join(file));
        let named_itself = (file == "run.jsonl").then(|| given.clone());
        let beside = beside.filter(|_| given.is_file());
        [Some(given.join(file)), named_itself, beside]
            .into_iter()
            .flatten()
            .collect()
    };
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Failure::new(
                Problem::NoRun,
                format!("there is no run {run}: no {file} found"),
            )
            .hint("name a run's folder, its run.jsonl, or latest")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_by_folder_by_record_and_as_the_latest() {
        let root = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(std::time::SystemTime::UNIX_EPOCH);
        let run = RunDirectory::create(root.path(), clock, Seed(7)).unwrap();
        let name = ".ssec/19700101T000000Z-0000000000000007";
        assert_eq!(run.name, Path::new(name));
        run.file("run.jsonl").unwrap();
        run.file("journal.jsonl").unwrap();
        run.make_latest().unwrap();
        let find = |named: &str, file| find(root.path(), named, file);
        for named in [name, &format!("{name}/run.jsonl"), "latest", ".ssec/latest"] {
            assert!(find(named, "run.jsonl").is_ok(), "{named}");
            assert!(find(named, "journal.jsonl").is_ok(), "{named}");
        }
        assert!(find("nowhere", "run.jsonl").is_err());
    }

    #[test]
    fn two_runs_with_one_seed_in_one_second_are_kept_apart() {
        let root = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(std::time::SystemTime::UNIX_EPOCH);
        let create = || RunDirectory::create(root.path(), clock, Seed(7)).unwrap();
        let (first, second) = (create(), create());
        assert!(
            second
                .name
                .to_str()
                .unwrap()
                .ends_with("0000000000000007-2")
        );
        assert_ne!(first, second);
    }

    #[test]
    fn a_later_run_becomes_the_latest() {
        let root = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(std::time::SystemTime::UNIX_EPOCH);
        for seed in [1, 2] {
            let run = RunDirectory::create(root.path(), clock, Seed(seed)).unwrap();
            run.file("run.jsonl").unwrap();
            run.make_latest().unwrap();
        }
        let latest = fs::read_link(root.path().join(".ssec/latest")).unwrap();
        assert!(latest.to_str().unwrap().ends_with("-0000000000000002"));
    }
}
