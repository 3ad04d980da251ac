//! `ssec man DIR`: the manual pages, made from the same grammar as the help.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Failure, examples};
use crate::exit_code::ExitCode;

/// Writes `ssec.1` and a page for each command into `directory`.
///
/// # Errors
/// When the directory or a page cannot be written.
pub fn man(
    directory: &Path,
    grammar: clap::Command,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let mut grammar = grammar.disable_help_subcommand(true);
    grammar.build();
    let shown = grammar.get_subcommands().filter(|c| !c.is_hide_set());
    let mut commands: Vec<clap::Command> = shown.cloned().collect();
    commands.push(grammar);
    fs::create_dir_all(directory).map_err(|error| Failure::unwritable(directory, &error))?;
    let count = commands.len();
    for command in commands {
        let page = Page::of(command);
        let path = directory.join(page.man.get_filename());
        let mut text = Vec::new();
        page.render(&mut text)?;
        fs::write(&path, text).map_err(|error| Failure::unwritable(&path, &error))?;
    }
    writeln!(out, "{count} manual pages in {}", directory.display())?;
    Ok(ExitCode::AsExpected)
}

struct Page {
    name: String,
    is_root: bool,
    man: Man,
}

impl Page {
    fn of(command: clap::Command) -> Self {
        Self {
            name: command.get_name().to_owned(),
            is_root: command.has_subcommands(),
            man: Man::new(command)
                .source(concat!("ssec ", env!("CARGO_PKG_VERSION")))
                .manual("ssec"),
        }
    }

    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        self.man.render_title(out)?;
        self.man.render_name_section(out)?;
        self.man.render_synopsis_section(out)?;
        self.man.render_description_section(out)?;
        self.man.render_options_section(out)?;
        if self.is_root {
            self.man.render_subcommands_section(out)?;
        }
        self.own_sections().to_writer(out)
    }

    /// Examples, exit codes and the way back to the first page.
    fn own_sections(&self) -> Roff {
        let mut roff = Roff::new();
        let all = examples::ALL.iter();
        let chosen = all.filter(|example| self.is_root || example.command == self.name);
        roff.control("SH", ["EXAMPLES"]);
        for example in chosen {
            roff.control("TP", []);
            roff.text([bold(example.line)]);
            roff.text([roman(example.says)]);
        }
        if self.is_root {
            roff.control("SH", ["EXIT STATUS"]);
            for code in ExitCode::ALL {
                roff.control("TP", []);
                roff.text([bold(code.number().to_string())]);
                roff.text([roman(code.means())]);
            }
        } else {
            roff.control("SH", ["SEE ALSO"]);
            roff.text([bold("ssec"), roman("(1)")]);
        }
        roff
    }
}
