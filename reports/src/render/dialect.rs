//! What a run shows of its target, as a dialect file, and each answer as a capture beside it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::observed::{Fact, Observed, Reply, Shown};
use crate::printable;
use crate::record::{CaseRecord, ExchangeRecord, MessageRecord, RunHeader, StepRecord};

/// Where a line of evidence ends at the latest, as `ssec fmt` has it.
const COLUMNS: usize = 140;

/// Letters of a date.
const DATE: usize = 10;

/// What the dialect is called, and which run speaks for it.
#[derive(Debug, Clone, Copy)]
pub struct Provenance<'a> {
    /// The dialect's name; a word, as [`crate::observed::is_word`] has it.
    pub dialect: &'a str,
    pub header: &'a RunHeader,
}

impl Provenance<'_> {
    /// The day of the run.
    fn date(&self) -> &str {
        let date = self.header.started.get(..DATE).unwrap_or_default();
        let is_date = date.bytes().all(|b| b.is_ascii_digit() || b == b'-') && !date.is_empty();
        if is_date { date } else { "undated" }
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.dialect, self.date())
    }

    /// How evidence names the capture of an answer.
    #[must_use]
    pub fn of_answer(&self, shown: &Shown<'_>) -> String {
        self.place(&format!("{}-{}", shown.outcome, shown.operation))
    }

    /// How evidence names the capture of a fact.
    #[must_use]
    pub fn of_fact(&self, fact: &Fact<'_>) -> String {
        self.place(&format!("fact-{}", fact.name))
    }

    /// Where it comes from, a line each.
    fn lines(&self) -> Vec<String> {
        let RunHeader {
            tool,
            target,
            selection,
            ..
        } = self.header;
        let server = target.server.as_deref().unwrap_or("unnamed");
        vec![
            format!("{}, server {server}", target.endpoint),
            format!(
                "seen by {} {} in dialect {}, run of {}, seed {}, {} of {} trials of catalogue {}",
                tool.name,
                tool.version,
                target.dialect,
                self.header.started,
                self.header.seed,
                selection.selected,
                selection.total,
                tool.catalogue
            ),
        ]
    }
}

/// Writes the dialect file. What is not written is told in comments: somebody has to look at it.
///
/// # Errors
///
/// What the writer answers.
pub fn render(from: Provenance<'_>, observed: &Observed<'_>, to: &mut dyn Write) -> io::Result<()> {
    for line in from.lines() {
        writeln!(to, "# {}", printable::line(&line))?;
    }
    writeln!(to, "dialect: {}", from.dialect)?;
    let other = &from.header.target.dialect;
    if other != from.dialect && crate::observed::is_word(other) {
        writeln!(to, "compare-to: {other}")?;
    }
    if !observed.facts.is_empty() {
        writeln!(to, "facts:")?;
        let mut facts: Vec<&Fact<'_>> = observed.facts.iter().collect();
        facts.sort_by_key(|fact| fact.name);
        for fact in &facts {
            writeln!(to, "  {}: {}", fact.name, fact.value)?;
        }
        let evidence = facts
            .iter()
            .map(|fact| format!("{{recorded: {}}}", from.of_fact(fact)));
        let evidence: Vec<String> = evidence.collect();
        let line = format!("  evidence: [{}]", evidence.join(", "));
        if line.chars().count() <= COLUMNS {
            writeln!(to, "{line}")?;
        } else {
            writeln!(to, "  evidence:\n    - {}", evidence.join("\n    - "))?;
        }
    }
    if !observed.answers.is_empty() {
        writeln!(to, "\nanswers:")?;
    }
    let mut outcomes: BTreeMap<&str, BTreeMap<&Reply, Vec<&Shown<'_>>>> = BTreeMap::new();
    for shown in &observed.answers {
        let replies = outcomes.entry(shown.outcome).or_default();
        replies.entry(&shown.reply).or_default().push(shown);
    }
    for (outcome, replies) in outcomes {
        writeln!(to, "  {outcome}:")?;
        for (reply, shown) in replies {
            answer(from, reply, &shown, to)?;
        }
    }
    if !observed.left_out.is_empty() {
        writeln!(to, "\n# Not written, to be looked at:")?;
        for why in &observed.left_out {
            writeln!(to, "# - {}", printable::line(why))?;
        }
    }
    Ok(())
}

/// One answer for all operations that got it.
fn answer(
    from: Provenance<'_>,
    reply: &Reply,
    shown: &[&Shown<'_>],
    to: &mut dyn Write,
) -> io::Result<()> {
    for shown in shown {
        if let Some(other) = shown.instead_of {
            let other = printable::line(other);
            writeln!(to, "    # on {} instead of {other}", shown.operation)?;
        }
    }
    let reply = match reply {
        Reply::Exactly { status, code } => {
            let code = code.as_ref().map(|code| format!(", code: \"{code}\""));
            format!("status: {status}{}", code.unwrap_or_default())
        }
        Reply::Accepted => "accepted: true".to_owned(),
    };
    let ops: Vec<&str> = shown.iter().map(|shown| shown.operation).collect();
    let evidence = shown
        .iter()
        .map(|shown| format!("{{recorded: {}}}", from.of_answer(shown)));
    let evidence: Vec<String> = evidence.collect();
    writeln!(
        to,
        "    - {{{reply}, ops: [{}], evidence: [{}]}}",
        ops.join(", "),
        evidence.join(", ")
    )
}

/// Writes the capture of an answer: the redacted exchange, and where it comes from.
///
/// # Errors
///
/// What the writer answers.
pub fn capture(from: Provenance<'_>, shown: &Shown<'_>, to: &mut dyn Write) -> io::Result<()> {
    let title = format!(
        "{} on {}, seen {} times in its run",
        shown.outcome, shown.operation, shown.times
    );
    exchange(from, &title, (shown.case, shown.step), shown.exchange, to)
}

/// Writes the capture of a fact, as [`capture`] does.
///
/// # Errors
///
/// What the writer answers.
pub fn capture_fact(from: Provenance<'_>, fact: &Fact<'_>, to: &mut dyn Write) -> io::Result<()> {
    let title = format!("{} is {}", fact.name, fact.value);
    exchange(from, &title, (fact.case, fact.step), fact.exchange, to)
}

fn exchange(
    from: Provenance<'_>,
    title: &str,
    (case, step): (&CaseRecord, &StepRecord),
    exchange: &ExchangeRecord,
    to: &mut dyn Write,
) -> io::Result<()> {
    writeln!(to, "# {}", printable::line(title))?;
    let place = format!("{}, {} {}", case.name, step.phase, step.number);
    writeln!(to, "# {}", printable::line(&place))?;
    for line in from.lines() {
        writeln!(to, "# {}", printable::line(&line))?;
    }
    message('>', &exchange.request, to)?;
    match &exchange.response {
        Some(response) => message('<', response, to),
        None => writeln!(to, "< (no answer)"),
    }
}

fn message(mark: char, message: &MessageRecord, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{mark} {}", printable::line(&message.line))?;
    for (name, value) in &message.headers {
        let header = printable::line(&format!("{name}: {value}"));
        writeln!(to, "{mark} {header}")?;
    }
    writeln!(to, "{mark}")?;
    match (&message.body_text, message.length) {
        (Some(text), _) => {
            for line in text.lines() {
                writeln!(to, "{mark} {}", printable::line(line))?;
            }
            Ok(())
        }
        (None, 0) => Ok(()),
        (None, length) => writeln!(to, "{mark} ({length} bytes)"),
    }
}
