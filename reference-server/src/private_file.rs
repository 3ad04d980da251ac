//! Small files of the data directory that only their owner may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::random;
use crate::server::StartError;

/// No such file is larger; a larger one is not ours.
const MAX_BYTES: u64 = 64 * 1024;

/// Makes a directory, and those above it, for its owner alone; one that exists stays as it is.
pub(crate) fn create_directory(path: &Path) -> Result<(), StartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| failed(path, &error))
}

/// The text of a file, which is made with `make` when it does not exist.
pub(crate) fn read_or_create(
    path: &Path,
    make: impl FnOnce() -> String,
) -> Result<String, StartError> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make();
            write(path, &text)?;
            Ok(text)
        }
        outcome => outcome.map_err(|error| failed(path, &error)),
    }
}

/// Replaces a file whole: a reader sees the old text or the new one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), StartError> {
    let directory = path.parent().expect("the path is below the data directory");
    let mut name = path.file_name().expect("the path names a file").to_owned();
    name.push(format!(".new-{}", hex::encode(random::bytes::<4>())));
    let temporary = directory.join(name);
    let outcome = write_synced(&temporary, text)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(directory)?.sync_all());
    if outcome.is_err() {
        // It may not even have been made; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    outcome.map_err(|error| failed(path, &error))
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::Error::other("the file is too large to be ours"));
    }
    fs::read_to_string(path)
}

fn failed(path: &Path, error: &io::Error) -> StartError {
    StartError::DataDir {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(read_or_create(&path, || "one".to_owned()).unwrap(), "one");
        assert_eq!(read_or_create(&path, || "two".to_owned()).unwrap(), "one");
        write(&path, "three").unwrap();
        assert_eq!(read_or_create(&path, || "two".to_owned()).unwrap(), "three");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_below_a_file_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "text").unwrap();
        let error = create_directory(&path.join("below")).unwrap_err();
        assert!(error.to_string().contains("below"), "{error}");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, vec![b'a'; 65 * 1024]).unwrap();
        assert!(read_or_create(&path, String::new).is_err());
    }
}
