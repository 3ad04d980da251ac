//! All scenario files, outcomes and dialects together: embedded in the binary, or from a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::canonical::sha256;
use super::definition::Trial;
use super::document;
use super::files::{DIALECTS, Files, OUTCOMES, SUITES};
use super::lint::lint;
use super::matrix;
use super::names::{Names, World};
use super::routines;
use crate::oracle::{Dialect, Oracle, Outcomes};
use crate::yaml::{self, Code, Diagnostics, Reader, SourceFile, Span};

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
    /// The catalogue that the binary carries, trials that are code last.
    ///
    /// # Errors
    /// Every mistake of every file; for a released binary there is none, because a test reads it.
    pub fn embedded() -> Result<Self, Diagnostics> {
        let mut catalog = Self::load(Files::embedded())?;
        let routines = routines::trials().into_iter().map(Arc::new);
        catalog.trials.extend(routines);
        let digests: Vec<&str> = catalog.trials.iter().map(|t| t.digest.as_str()).collect();
        catalog.digest = sha256(format!("{} {}", catalog.digest, digests.join(" ")).as_bytes());
        Ok(catalog)
    }

    /// The catalogue in a folder with `outcomes.yaml`, `suites/*.yaml` and `dialects/*.yaml`.
    ///
    /// # Errors
    /// Every mistake of every file, and files that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Diagnostics> {
        Self::load(Files::folder(folder))
    }

    /// One suite or dialect, with the outcomes and dialects of the catalogue that it lies in or,
    /// if it lies in none, of the binary's own.
    ///
    /// # Errors
    /// Every mistake of the file, and of the outcomes and dialects around it.
    pub fn read_file(file: &Path) -> Result<Self, Diagnostics> {
        Self::load(Files::one(file))
    }

    /// The same with `text` in place of the file's own.
    ///
    /// # Errors
    /// As [`Catalog::read_file`].
    pub fn read_file_as(file: &Path, text: &str) -> Result<Self, Diagnostics> {
        Self::load(Files::one_as(file, text))
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

    fn load(mut files: Files) -> Result<Self, Diagnostics> {
        let outcomes = outcomes(&mut files);
        // The file's name is the dialect's, also where its content has mistakes: a step that
        // names it has none.
        let names: BTreeSet<String> = files
            .in_folder(DIALECTS)
            .iter()
            .map(|file| file.stem().to_owned())
            .collect();
        let dialects = dialects(&mut files, outcomes.as_ref(), &names);
        let world = World {
            outcomes: outcomes.as_ref(),
            dialects: &names,
        };
        let mut suites: BTreeMap<String, (Arc<SourceFile>, Span)> = BTreeMap::new();
        let mut trials = Vec::new();
        for file in files.in_folder(SUITES) {
            trials.extend(suite(&file, world, &mut suites, &mut files.diagnostics));
        }
        let Files { files, diagnostics } = files;
        let catalog = Self {
            trials,
            digest: digest(&files),
            files,
            outcomes: Arc::new(outcomes.unwrap_or_default()),
            dialects,
        };
        diagnostics.into_result(catalog)
    }
}

fn outcomes(files: &mut Files) -> Option<Outcomes> {
    let file = files.files.get(OUTCOMES)?;
    Outcomes::decode(file)
        .map_err(|errors| files.diagnostics.append(errors))
        .ok()
}

fn dialects(
    files: &mut Files,
    outcomes: Option<&Outcomes>,
    known: &BTreeSet<String>,
) -> BTreeMap<String, Arc<Dialect>> {
    let mut dialects = BTreeMap::new();
    for file in files.in_folder(DIALECTS) {
        match Dialect::decode(&file, outcomes, known) {
            Ok(dialect) => {
                dialects.insert(dialect.name().to_owned(), Arc::new(dialect));
            }
            Err(errors) => files.diagnostics.append(errors),
        }
    }
    dialects
}

fn digest(files: &BTreeMap<String, Arc<SourceFile>>) -> String {
    let mut text = String::new();
    for (name, file) in files {
        // Lengths keep two catalogues apart that differ only in where a file ends.
        text.push_str(&format!("{name}\n{}\n{}", file.text.len(), file.text));
    }
    sha256(text.as_bytes())
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
        let named = !suite.name.is_empty();
        if let Some((other, at)) = taken.get(&suite.name).filter(|_| named) {
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
