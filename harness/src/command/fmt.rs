//! `ssec fmt PATH…`: files in their one form, or which are not in it.
//!
//! A file is written only after its new text has been read again and says the same: the tree with
//! all values and comments, and of a suite each trial.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::check::stands_in;
use super::{Failure, World};
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::scenario::catalog::Catalog;
use crate::scenario::definition::Trial;
use crate::scenario::layout;
use crate::yaml::format::{Unformatted, format};
use crate::yaml::{self, Diagnostics, SourceFile};

/// Files that one call formats.
const MAX_FILES: usize = 1000;

/// Folders inside each other that are searched for files.
const MAX_DEPTH: usize = 16;

#[derive(Args)]
pub struct Arguments {
    /// Suites, outcomes, dialects, baselines, profiles and workloads; of a folder, each .yaml in it
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; tell which files would come out another, and exit with 1 if any would
    #[arg(long)]
    check: bool,
}

/// A file that has been read.
struct Formatted {
    path: PathBuf,
    before: Arc<SourceFile>,
    after: String,
}

/// Formats each file, or tells which want it.
///
/// # Errors
/// When a file cannot be read, has no YAML that these files use, or cannot be written. The others
/// are formatted all the same; that one is as it was.
pub fn fmt(arguments: &Arguments, world: &World, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let mut paths = Vec::new();
    for path in &arguments.paths {
        collect(&world.directory.join(path), 0, &mut paths)?;
    }
    let mut mistakes = Diagnostics::default();
    let (mut changed, mut unchanged) = (0, 0);
    for path in paths {
        let read = match read(&path)? {
            Ok(read) => read,
            Err(diagnostics) => {
                mistakes.append(diagnostics);
                continue;
            }
        };
        if read.after == read.before.text {
            unchanged += 1;
            continue;
        }
        changed += 1;
        if arguments.check {
            write_difference(&read, out)?;
        } else {
            replace(&read.path, &read.after)
                .map_err(|why| Failure::unwritable(&read.path, &why))?;
            writeln!(out, "{}: formatted", read.before.path)?;
        }
    }
    let verb = if arguments.check {
        "to format"
    } else {
        "formatted"
    };
    writeln!(out, "{changed} {verb}, {unchanged} as they were")?;
    mistakes.into_result(())?;
    Ok(if arguments.check && changed > 0 {
        ExitCode::Broken
    } else {
        ExitCode::AsExpected
    })
}

/// The file, or each `.yaml` below the folder, in the order of their names.
fn collect(path: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        paths.push(path.to_owned());
        if paths.len() > MAX_FILES {
            let message = format!("more than {MAX_FILES} files to format");
            return Err(Failure::bad_input(message).hint("name fewer folders"));
        }
        return Ok(());
    }
    if depth > MAX_DEPTH {
        let why = format!("more than {MAX_DEPTH} folders stand inside each other");
        return Err(Failure::unreadable(path, &why));
    }
    let unreadable = |why: io::Error| Failure::unreadable(path, &why);
    let mut inside = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        inside.push(entry.map_err(unreadable)?);
    }
    inside.sort_by_key(fs::DirEntry::file_name);
    for entry in inside {
        // A link in a folder is not followed: it may lead out of it, or around in a circle.
        let kind = entry.file_type().map_err(unreadable)?;
        let own = entry.path();
        let is_yaml = own.extension().is_some_and(|extension| extension == "yaml");
        if kind.is_dir() || kind.is_file() && is_yaml {
            collect(&own, depth + 1, paths)?;
        }
    }
    Ok(())
}

/// One file in its form, proven to say the same; or its mistakes.
fn read(path: &Path) -> Result<Result<Formatted, Diagnostics>, Failure> {
    let before = match SourceFile::read(path) {
        Ok(file) => file,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let shown = |diagnostics: Diagnostics| {
        if is_profile(path, &before) {
            diagnostics.without_lines()
        } else {
            diagnostics
        }
    };
    let root = match yaml::parse(&before) {
        Ok(root) => root,
        Err(diagnostics) => return Ok(Err(shown(diagnostics))),
    };
    let after = match format(&before, &root, layout::of(&before, &root)) {
        Ok(after) => after,
        Err(Unformatted::Mistakes(diagnostics)) => return Ok(Err(shown(diagnostics))),
        Err(Unformatted::Altered) => return Err(altered(path)),
    };
    if after != before.text && !asks_the_same(path, &before.text, &after) {
        return Err(altered(path));
    }
    let path = path.to_owned();
    Ok(Ok(Formatted {
        path,
        before,
        after,
    }))
}

fn altered(path: &Path) -> Failure {
    let message = format!(
        "the form of {} would not say what it says; it is as it was",
        path.display()
    );
    Failure::new(Problem::Bug, message)
}

/// Whether both texts are the same trials. What has mistakes has none, with either text.
fn asks_the_same(path: &Path, before: &str, after: &str) -> bool {
    let trials = |text: &str| {
        let catalog = Catalog::read_file_as(path, text).ok()?;
        let trial = |trial: &Arc<Trial>| {
            let (name, digest) = (trial.name.clone(), trial.digest.clone());
            (name, digest, trial.level, trial.title.clone())
        };
        Some(catalog.trials().iter().map(trial).collect::<Vec<_>>())
    };
    trials(before) == trials(after)
}

/// A profile may hold a credential by mistake, so none of its lines is shown.
fn is_profile(path: &Path, file: &SourceFile) -> bool {
    stands_in(path, "profiles") || file.text.lines().any(|line| line.starts_with("profile:"))
}

/// The first line that would come out another.
fn write_difference(read: &Formatted, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = (&read.before.text, &read.after);
    let lines = |text: &str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
    let (own, other) = (lines(before), lines(after));
    let same = own.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let path = &read.before.path;
    writeln!(out, "{path}:{}: not in its form", same + 1)?;
    if is_profile(&read.path, &read.before) {
        return Ok(());
    }
    for (mark, lines) in [('-', own), ('+', other)] {
        if let Some(line) = lines.get(same) {
            writeln!(out, "  {mark} {}", line.replace('\r', "\\r"))?;
        }
    }
    Ok(())
}

/// Puts a text in a file's place whole: who reads meanwhile finds the one or the other. A link
/// stays one, and the file keeps its permissions.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
