//! All scenario files, outcomes and dialects together: embedded in the binary, or from a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::canonical::sha256;
use super::definition::Trial;
use super::document;
use super::lint::lint;
use super::matrix;
use super::names::{Names, World};
use crate::oracle::{Dialect, Oracle, Outcomes};
use crate::yaml::{self, Code, Diagnostic, Diagnostics, MAX_BYTES, Reader, SourceFile, Span};

/// What a release carries.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../scenarios");

/// Files of the largest catalogue that is read.
const MAX_FILES: usize = 1000;

/// A catalogue without a mistake.
#[derive(Debug)]
pub struct Catalog {
    trials: Vec<Arc<Trial>>,
    digest: String,
    /// By path below the catalogue's folder, such as `suites/get.yaml`.
    files: BTreeMap<String, Arc<SourceFile>>,
    outcomes: Arc<Outcomes>,
    dialects: BTreeMap<String, Arc<Dialect>>,
}

/// A dialect was asked for that the catalogue does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{name}`; this catalogue has {}", known.join(", "))]
pub struct UnknownDialect {
    pub name: String,
    pub known: Vec<String>,
}

impl Catalog {
    /// The catalogue that the binary carries.
    ///
    /// # Errors
    /// Every mistake of every file; for a released binary there is none, because a test reads it.
    pub fn embedded() -> Result<Self, Diagnostics> {
        let mut files = Files::default();
        for folder in ["", SUITES, DIALECTS] {
            let entries = if folder.is_empty() {
                Some(&EMBEDDED)
            } else {
                EMBEDDED.get_dir(folder)
            };
            for file in entries.into_iter().flat_map(Dir::files) {
                let name = file.path().to_string_lossy().into_owned();
                if is_ours(&name) {
                    files.add(
                        name.clone(),
                        format!("scenarios/{name}"),
                        file.contents().to_vec(),
                    );
                }
            }
        }
        files.load()
    }

    /// The catalogue in a folder with `outcomes.yaml`, `suites/*.yaml` and `dialects/*.yaml`.
    ///
    /// # Errors
    /// Every mistake of every file, and files that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Diagnostics> {
        let mut files = Files::default();
        files.file(folder, "outcomes.yaml");
        files.folder(folder, SUITES);
        files.folder(folder, DIALECTS);
        files.load()
    }

    /// All trials, ordered as their files and cases are.
    #[must_use]
    pub fn trials(&self) -> &[Arc<Trial>] {
        &self.trials
    }

    /// SHA-256 (hex) over all files: tells one catalogue from another.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The text of a file that a `Location` names, for snippets.
    #[must_use]
    pub fn source_of(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(|file| file.text.as_str())
    }

    /// The outcomes as one dialect answers them.
    ///
    /// # Errors
    /// If the catalogue has no such dialect; the error names those that it has.
    pub fn oracle(&self, dialect: &str) -> Result<Oracle, UnknownDialect> {
        let known = || UnknownDialect {
            name: dialect.to_owned(),
            known: self.dialects().map(str::to_owned).collect(),
        };
        let own = self.dialects.get(dialect).ok_or_else(known)?;
        let other = own.compare_to().and_then(|name| self.dialects.get(name));
        Ok(Oracle::new(
            Arc::clone(&self.outcomes),
            Arc::clone(own),
            other.cloned(),
        ))
    }

    /// The names of all dialects, in order.
    pub fn dialects(&self) -> impl Iterator<Item = &str> {
        self.dialects.keys().map(String::as_str)
    }
}

const SUITES: &str = "suites";
const DIALECTS: &str = "dialects";

fn is_ours(name: &str) -> bool {
    let yaml = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml");
    yaml && (name == "outcomes.yaml"
        || [SUITES, DIALECTS]
            .iter()
            .any(|folder| name.starts_with(&format!("{folder}/"))))
}

/// Texts on their way to a catalogue, and what went wrong so far.
#[derive(Debug, Default)]
struct Files {
    files: BTreeMap<String, Arc<SourceFile>>,
    diagnostics: Diagnostics,
}

impl Files {
    fn unreadable(&mut self, path: &str, why: &str) {
        let message = format!("{path} cannot be read: {why}");
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
                self.unreadable(&path, &format!("it is no UTF-8 from byte {at} on"));
            }
        }
    }

    fn file(&mut self, root: &Path, name: &str) {
        let path = root.join(name);
        let shown = path.display().to_string();
        match std::fs::metadata(&path) {
            // Larger by one byte: that is enough for the reader to refuse it with its size limit.
            Ok(metadata) if metadata.len() > MAX_BYTES as u64 => {
                let why = format!(
                    "it has {} bytes, at most {MAX_BYTES} are read",
                    metadata.len()
                );
                self.unreadable(&shown, &why);
            }
            Ok(_) => match std::fs::read(&path) {
                Ok(bytes) => self.add(name.to_owned(), shown, bytes),
                Err(error) => self.unreadable(&shown, &error.to_string()),
            },
            Err(error) => self.unreadable(&shown, &error.to_string()),
        }
    }

    fn folder(&mut self, root: &Path, folder: &str) {
        let path = root.join(folder);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&path.display().to_string(), &error.to_string()),
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
            return self.unreadable(&path.display().to_string(), &why);
        }
        for name in names {
            self.file(root, &name);
        }
    }

    fn load(mut self) -> Result<Catalog, Diagnostics> {
        let outcomes = self.outcomes();
        // The file's name is the dialect's, also where its content has mistakes: a step that
        // names it has none.
        let names: BTreeSet<String> = self
            .in_folder(DIALECTS)
            .iter()
            .map(|file| file.stem().to_owned())
            .collect();
        let dialects = self.dialects(outcomes.as_ref(), &names);
        let world = World {
            outcomes: outcomes.as_ref(),
            dialects: &names,
        };
        let mut suites: BTreeMap<String, (Arc<SourceFile>, Span)> = BTreeMap::new();
        let mut trials = Vec::new();
        for file in self.in_folder(SUITES) {
            trials.extend(suite(&file, world, &mut suites, &mut self.diagnostics));
        }
        let catalog = Catalog {
            trials,
            digest: self.digest(),
            files: self.files,
            outcomes: Arc::new(outcomes.unwrap_or_default()),
            dialects,
        };
        self.diagnostics.into_result(catalog)
    }

    fn in_folder(&self, folder: &str) -> Vec<Arc<SourceFile>> {
        let prefix = format!("{folder}/");
        let inside = self
            .files
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix));
        inside.map(|(_, file)| Arc::clone(file)).collect()
    }

    fn outcomes(&mut self) -> Option<Outcomes> {
        let file = self.files.get("outcomes.yaml")?;
        Outcomes::decode(file)
            .map_err(|errors| self.diagnostics.append(errors))
            .ok()
    }

    fn dialects(
        &mut self,
        outcomes: Option<&Outcomes>,
        known: &BTreeSet<String>,
    ) -> BTreeMap<String, Arc<Dialect>> {
        let mut dialects = BTreeMap::new();
        for file in self.in_folder(DIALECTS) {
            match Dialect::decode(&file, outcomes, known) {
                Ok(dialect) => {
                    dialects.insert(dialect.name().to_owned(), Arc::new(dialect));
                }
                Err(errors) => self.diagnostics.append(errors),
            }
        }
        dialects
    }

    fn digest(&self) -> String {
        let mut text = String::new();
        for (name, file) in &self.files {
            text.push_str(&format!("{name}\n{}\n", file.text.len()));
            text.push_str(&file.text);
        }
        sha256(text.as_bytes())
    }
}

/// One suite's trials; its mistakes go to `diagnostics`.
fn suite(
    file: &Arc<SourceFile>,
    world: World<'_>,
    taken: &mut BTreeMap<String, (Arc<SourceFile>, Span)>,
    diagnostics: &mut Diagnostics,
) -> Vec<Arc<Trial>> {
    let root = match yaml::parse(file) {
        Ok(root) => root,
        Err(errors) => {
            diagnostics.append(errors);
            return Vec::new();
        }
    };
    let mut reader = Reader::new(file);
    let mut trials = Vec::new();
    if let Some(suite) = document::suite(&root, &mut reader) {
        if let Some((other, at)) = taken.get(&suite.name) {
            let message = format!("suite `{}` is in two files", suite.name);
            let error = reader.error(Code::Taken, suite.name_span, message);
            reader.push(error.related(other, *at, "the first one"));
        }
        taken.insert(suite.name.clone(), (Arc::clone(file), suite.name_span));
        let mut names = Names::new(&suite, world);
        for case in &suite.cases {
            let before = reader.mistakes();
            let expanded = matrix::expand(&suite, case, &mut names, &mut reader);
            if reader.mistakes() == before {
                lint(case, &expanded, world.outcomes, &mut reader);
            }
            trials.extend(
                expanded
                    .into_iter()
                    .map(|expanded| Arc::new(expanded.trial)),
            );
        }
        if reader.mistakes() == 0 {
            names.unused(&mut reader);
        }
    }
    diagnostics.append(reader.finish());
    trials
}
