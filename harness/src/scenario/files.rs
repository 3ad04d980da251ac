//! The texts of a catalogue, before anything in them is understood.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use crate::yaml::{self, Code, Diagnostic, Diagnostics, Kind, SourceFile};

/// What a release carries.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../scenarios");

/// Files that one folder of a catalogue may hold.
const MAX_FILES: usize = 1000;

pub(super) const OUTCOMES: &str = "outcomes.yaml";
pub(super) const SUITES: &str = "suites";
pub(super) const DIALECTS: &str = "dialects";

/// Texts on their way to a catalogue, and what went wrong so far.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// By name below the catalogue's folder.
    pub(super) files: BTreeMap<String, Arc<SourceFile>>,
    pub(super) diagnostics: Diagnostics,
}

impl Files {
    /// All files that the binary carries.
    pub(super) fn embedded() -> Self {
        let mut files = Self::default();
        let folders = [
            Some(&EMBEDDED),
            EMBEDDED.get_dir(SUITES),
            EMBEDDED.get_dir(DIALECTS),
        ];
        for file in folders.into_iter().flatten().flat_map(Dir::files) {
            let name = file.path().to_string_lossy().into_owned();
            if is_ours(&name) {
                let path = format!("scenarios/{name}");
                files.add(name, path, file.contents().to_vec());
            }
        }
        files
    }

    /// All files of a catalogue's folder.
    pub(super) fn folder(root: &Path) -> Self {
        let mut files = Self::default();
        files.read(root, OUTCOMES);
        files.read_all(root, SUITES);
        files.read_all(root, DIALECTS);
        files
    }

    /// One suite or dialect, beside the outcomes and dialects around it.
    pub(super) fn one(path: &Path) -> Self {
        let mut files = Self::around(path);
        if let Some(bytes) = files.bytes(path) {
            files.add_one(path, bytes);
        }
        files
    }

    /// The same with this text in place of the file's own.
    pub(super) fn one_as(path: &Path, text: &str) -> Self {
        let mut files = Self::around(path);
        files.add_one(path, text.as_bytes().to_vec());
        files
    }

    /// The outcomes and dialects of the catalogue that a file lies in, else of the binary's own.
    fn around(path: &Path) -> Self {
        let own = path
            .parent()
            .and_then(Path::parent)
            .filter(|root| root.join(OUTCOMES).is_file());
        let mut files = match own {
            Some(root) => {
                let mut files = Self::default();
                files.read(root, OUTCOMES);
                files.read_all(root, DIALECTS);
                files
            }
            None => Self::embedded(),
        };
        files.files.retain(|name, _| !name.starts_with(SUITES));
        files
    }

    fn add_one(&mut self, path: &Path, bytes: Vec<u8>) {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let folder = if is_dialect(&bytes) { DIALECTS } else { SUITES };
        self.add(
            format!("{folder}/{file}"),
            path.display().to_string(),
            bytes,
        );
    }

    /// The files of `suites` or `dialects`, ordered by name.
    pub(super) fn in_folder(&self, folder: &str) -> Vec<Arc<SourceFile>> {
        let prefix = format!("{folder}/");
        let inside = self
            .files
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix));
        inside.map(|(_, file)| Arc::clone(file)).collect()
    }

    fn unreadable(&mut self, path: &Path, why: &str) {
        let message = format!("{} cannot be read: {why}", path.display());
        self.diagnostics
            .push(Diagnostic::outside(Code::Unreadable, message));
    }

    fn add(&mut self, name: String, path: String, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => {
                let file = Arc::new(SourceFile {
                    path,
                    name: name.clone(),
                    text,
                });
                self.files.insert(name, file);
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                self.unreadable(
                    Path::new(&path),
                    &format!("it is no UTF-8 from byte {at} on"),
                );
            }
        }
    }

    fn read(&mut self, root: &Path, name: &str) {
        let path = root.join(name);
        if let Some(bytes) = self.bytes(&path) {
            self.add(name.to_owned(), path.display().to_string(), bytes);
        }
    }

    fn bytes(&mut self, path: &Path) -> Option<Vec<u8>> {
        yaml::read_bytes(path)
            .map_err(|error| self.unreadable(path, &error.to_string()))
            .ok()
    }

    fn read_all(&mut self, root: &Path, folder: &str) {
        let path = root.join(folder);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&path, &error.to_string()),
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .map(|name| format!("{folder}/{name}"))
            .filter(|name| is_ours(name))
            .collect();
        names.sort();
        if names.len() > MAX_FILES {
            let why = format!("it has {} files, at most {MAX_FILES} are read", names.len());
            return self.unreadable(&path, &why);
        }
        for name in names {
            self.read(root, &name);
        }
    }
}

fn is_ours(name: &str) -> bool {
    let yaml = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml");
    let folder = name.split_once('/').map(|(folder, _)| folder);
    yaml && (name == OUTCOMES || matches!(folder, Some(SUITES | DIALECTS)))
}

/// Whether the text has a field `dialect`; all else is taken for a suite.
fn is_dialect(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let file = SourceFile {
        path: String::new(),
        name: String::new(),
        text,
    };
    match yaml::parse(&Arc::new(file)).map(|root| root.kind) {
        Ok(Kind::Mapping(pairs)) => pairs.iter().any(|pair| pair.key.text == "dialect"),
        Ok(Kind::Scalar(_) | Kind::Sequence(_)) | Err(_) => false,
    }
}
