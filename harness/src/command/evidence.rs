//! `ssec evidence RUN`: a dialect of what a run was answered, with a capture of each answer.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use reports::observed::{Accepted, Observed, is_word};
use reports::render::dialect::{self, Provenance};

use super::{Failure, World, recorded};
use crate::exit_code::ExitCode;
use crate::problem::Problem;

/// Which run, and where its evidence goes.
#[derive(clap::Args)]
pub struct Arguments {
    /// A run's folder, its run.jsonl, or latest; of a run with -vv, which keeps every exchange
    #[arg(value_name = "RUN")]
    pub run: String,
    /// What the dialect is called: lower-case letters, digits and hyphens
    #[arg(long, value_name = "NAME")]
    pub dialect: String,
    /// Write dialects/NAME.yaml and captures/NAME/ below this folder, instead of printing the dialect
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Write what was accepted although others refuse it as waivers, where the floor was kept
    #[arg(long)]
    pub waivers: bool,
}

/// Writes the dialect, and with a folder the captures that its evidence names.
///
/// # Errors
/// When the run cannot be read or kept no exchange, or a file is there already or cannot be written.
pub fn evidence(
    arguments: &Arguments,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let name = arguments.dialect.as_str();
    if !is_word(name) {
        let message = format!("`{name}` cannot name a dialect");
        return Err(Failure::bad_input(message).hint("use lower-case letters, digits and hyphens"));
    }
    let run = recorded::read(&arguments.run, world)?;
    let accepted = if arguments.waivers {
        Accepted::Written
    } else {
        Accepted::Told
    };
    let observed = Observed::of(&run, accepted);
    if observed.answers.is_empty() && observed.facts.is_empty() {
        let message = format!("{} keeps no exchange that shows an answer", arguments.run);
        return Err(Failure::new(Problem::Record, message)
            .hint("run the trials with -vv: then the exchanges of all are kept"));
    }
    let from = Provenance {
        dialect: name,
        header: &run.header,
    };
    let Some(folder) = &arguments.to else {
        dialect::render(from, &observed, out)?;
        return Ok(ExitCode::AsExpected);
    };
    let file = folder.join("dialects").join(format!("{name}.yaml"));
    if world.directory.join(&file).exists() {
        return Err(Failure::unwritable(&file, &"it is there already")
            .hint("name another dialect, or another folder"));
    }
    let captures = folder.join("captures");
    // The captures first: a dialect does not stand there without its evidence.
    for shown in &observed.answers {
        let path = captures.join(format!("{}.txt", from.of_answer(shown)));
        write(&path, world, |to| dialect::capture(from, shown, to))?;
    }
    for fact in &observed.facts {
        let path = captures.join(format!("{}.txt", from.of_fact(fact)));
        write(&path, world, |to| dialect::capture_fact(from, fact, to))?;
    }
    write(&file, world, |to| dialect::render(from, &observed, to))?;
    writeln!(
        out,
        "{}: {} answers and {} facts, each with a capture; {} not written",
        file.display(),
        observed.answers.len(),
        observed.facts.len(),
        observed.left_out.len()
    )?;
    Ok(ExitCode::AsExpected)
}

/// Writes a new file, and the folders above it; what is there already stays as it is.
fn write(
    path: &Path,
    world: &World,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let whole = world.directory.join(path);
    let made = whole.parent().map_or(Ok(()), fs::create_dir_all);
    let written = made
        .and_then(|()| File::create_new(&whole))
        .and_then(|file| {
            let mut file = BufWriter::new(file);
            render(&mut file)?;
            file.flush()
        });
    written.map_err(|error| Failure::unwritable(path, &error))
}
