//! `ssec explain NAME`: a trial's steps as they are sent, and what each answer must be, and why.

use std::io::Write;

use super::{Failure, World};
use crate::conformance::step;
use crate::exit_code::ExitCode;
use crate::oracle::{Answer, Class, Floor, Oracle, Reply};
use crate::scenario::catalog::Catalog;
use crate::scenario::definition::{Step, Trial};

/// Explains the trial of that name to users of `dialect`; needs no target.
///
/// # Errors
/// When there is no such trial or dialect.
pub fn explain(
    name: &str,
    dialect: &str,
    scenarios: Option<&std::path::Path>,
    world: &World,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let catalog = match scenarios {
        Some(folder) => Catalog::read(&world.directory.join(folder))?,
        None => Catalog::embedded()?,
    };
    let oracle = catalog
        .oracle(dialect)
        .map_err(|unknown| Failure::bad_input(unknown.to_string()))?;
    let named = catalog.trials().iter().find(|trial| trial.name == name);
    let Some(trial) = named else {
        let alike = catalog.trials().iter().filter(|t| t.name.contains(name));
        let alike: Vec<&str> = alike.take(5).map(|trial| trial.name.as_str()).collect();
        let hint = if alike.is_empty() {
            "`ssec test --list` prints all names".to_owned()
        } else {
            format!("did you mean {}?", alike.join(", "))
        };
        return Err(Failure {
            code: ExitCode::NothingSelected,
            message: format!("there is no trial called {name}"),
            hint: Some(hint),
        });
    };
    write_trial(trial, &oracle, out)?;
    Ok(ExitCode::AsExpected)
}

fn write_trial(trial: &Trial, oracle: &Oracle, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  ({})", trial.name, trial.level)?;
    writeln!(out, "  {}", trial.title)?;
    for source in &trial.sources {
        writeln!(out, "  source: {source}")?;
    }
    for (phase, steps) in [("given", &trial.given), ("steps", &trial.steps)] {
        for (number, step) in steps.iter().enumerate() {
            writeln!(out, "\n{phase} {}: {}", number + 1, step::action(step))?;
            write_step(step, oracle, out)?;
        }
    }
    Ok(())
}

fn write_step(step: &Step, oracle: &Oracle, out: &mut dyn Write) -> std::io::Result<()> {
    let at = &step.at;
    writeln!(out, "  at scenarios/{}:{}:{}", at.file, at.line, at.column)?;
    let Some(outcome) = &step.expect.outcome else {
        return writeln!(out, "  nothing is judged; the answer is recorded");
    };
    let Some(ruling) = oracle.ruling(outcome, step.operation) else {
        return writeln!(out, "  expects {outcome}, which is unknown");
    };
    writeln!(out, "  expects {outcome}: {}", ruling.outcome.says)?;
    let class = match ruling.outcome.class {
        Class::Served => "served",
        Class::Refused => "refused",
        Class::Withheld => "refused or 304",
    };
    let floor = match ruling.outcome.floor(step.operation) {
        Floor::Served => "served",
        Floor::Refused => "refused",
        Floor::Withheld => "refused or 304",
        Floor::Sealed => "refused, or stored so that only that key opens it",
        Floor::Proved => "refused, or served because the right key was shown",
    };
    writeln!(out, "  must be {class}; with evidence for less, {floor}")?;
    let dialect = oracle.dialect();
    match (ruling.own, ruling.unrecorded) {
        (Some(answer), _) => writeln!(out, "  {dialect}: {}", answer_words(answer))?,
        (None, Some(why)) => writeln!(out, "  {dialect}: nothing recorded, {why}")?,
        (None, None) => writeln!(out, "  {dialect}: nothing recorded")?,
    }
    if let Some((other, answer)) = ruling.compare {
        writeln!(out, "  compare {other}: {}", answer_words(answer))?;
    }
    Ok(())
}

fn answer_words(answer: &Answer) -> String {
    let evidence: Vec<String> = answer.evidence.iter().map(ToString::to_string).collect();
    let reply = match &answer.reply {
        Reply::Exactly { status, code } => {
            crate::check::status::reply_words(*status, code.as_deref())
        }
        Reply::Accepted => "accepted".to_owned(),
    };
    format!("{reply} ({})", evidence.join("; "))
}
