//! One trial that did not pass, on one screen: what broke and where, expected over observed, the
//! exchange that decided, and the lines that repeat it.

use std::io::{self, Write};

use super::palette::Palette;
use crate::answers::decisive;
use crate::printable;
use crate::record::{CaseRecord, CheckRecord, ExchangeRecord, MessageRecord, StepRecord, Try};
use crate::siblings::Siblings;
use crate::verdict::Verdict;

/// Longest line that comes from a record, in characters; curl lines are never cut.
const LINE: usize = 160;
/// Most headers shown of one message; the record has them all.
const HEADERS: usize = 12;
/// Most lines shown of a textual body.
const BODY_LINES: usize = 4;
/// Most failed checks, notes or sources shown.
const ITEMS: usize = 6;
/// Most curl lines shown: those of the last steps, which lead to the one that decided.
const CURL_LINES: usize = 6;
/// Width of a check's name; longer ones are cut.
const CHECK: usize = 12;
/// Where level and time begin on a screen's first line.
const COLUMN: usize = 80;

/// Draws the whole screen, first line included. `siblings` knows the other trials of the run.
pub(super) fn draw<'a>(
    case: &'a CaseRecord,
    siblings: &Siblings<'a>,
    palette: Palette,
    to: &mut dyn Write,
) -> io::Result<()> {
    head(case, palette, to)?;
    body(case, siblings, to)
}

/// One line: verdict, name, level, reason, time.
fn head(case: &CaseRecord, palette: Palette, to: &mut dyn Write) -> io::Result<()> {
    let verdict = format!("{:5}", case.verdict.word().to_uppercase());
    let name = printable::line(&case.name);
    let width = COLUMN.saturating_sub(verdict.chars().count() + 1);
    let verdict = palette.verdict(case.verdict, &verdict);
    let mut end = vec![printable::line(&case.level)];
    end.extend(case.reason.as_deref().map(spoken));
    if !case.counts
        && matches!(
            case.verdict,
            Verdict::Leak | Verdict::Fail | Verdict::Deviates
        )
    {
        end.push("does not count".to_owned());
    }
    end.push(format!("{} ms", case.ms));
    if case.attempts > 1 {
        end.push(format!("{} attempts", case.attempts));
    }
    if case.is_flaky() {
        end.push("flaky".to_owned());
    } else if case.tries.len() > 1 {
        end.push(format!("{} tries alike", case.tries.len()));
    }
    writeln!(to, "{verdict} {name:width$}  {}", end.join(" · "))
}

/// Everything below the first line.
pub(super) fn body<'a>(
    case: &'a CaseRecord,
    siblings: &Siblings<'a>,
    to: &mut dyn Write,
) -> io::Result<()> {
    if let Some(message) = &case.message {
        writeln!(to, "      {}", printable::cut(message, LINE))?;
    }
    if case.is_flaky() {
        for (number, one) in (1..).zip(case.tries.iter().take(ITEMS)) {
            writeln!(to, "      try {number}    {}", try_words(one))?;
        }
    }
    writeln!(to, "      rule     {}", printable::cut(&case.title, LINE))?;
    for source in case.sources.iter().take(ITEMS) {
        writeln!(to, "      source   {}", printable::cut(source, LINE))?;
    }
    let decisive = decisive(&case.steps);
    let at = decisive.map_or(&case.at, |step| &step.at);
    writeln!(
        to,
        "      at       {}:{}:{}",
        printable::line(&at.file),
        at.line,
        at.column
    )?;
    if let Some(step) = decisive {
        draw_step(step, to)?;
    }
    if let Some(note) = siblings.note(case) {
        writeln!(to, "      siblings {}", printable::cut(&note, LINE))?;
    }
    for note in case.notes.iter().take(ITEMS) {
        writeln!(to, "      note     {}", printable::cut(note, LINE))?;
    }
    for waiver in case.waivers.iter().take(ITEMS) {
        writeln!(to, "      waived   {}", printable::cut(waiver, LINE))?;
    }
    if let Some(repeat) = &case.repeat {
        writeln!(to, "      again    {}", printable::line(&repeat.rerun))?;
        writeln!(to, "      nextest  {}", printable::line(&repeat.nextest))?;
    }
    draw_curl(&case.steps, to)
}

/// What a try came to, such as `fail: served without a key`.
pub(super) fn try_words(one: &Try) -> String {
    match &one.message {
        None => one.verdict.word().to_owned(),
        Some(message) => format!("{}: {}", one.verdict.word(), printable::cut(message, LINE)),
    }
}

/// A reason's words: `silent-downgrade` is said as `silent downgrade`.
pub(super) fn spoken(reason: &str) -> String {
    printable::line(reason).replace('-', " ")
}

fn draw_step(step: &StepRecord, to: &mut dyn Write) -> io::Result<()> {
    let phase = if step.phase == "steps" {
        "step"
    } else {
        &step.phase
    };
    let (phase, operation) = (printable::line(phase), printable::line(&step.operation));
    writeln!(to, "      in       {phase} {}: {operation}", step.number)?;
    for check in step.checks.iter().filter(|check| !check.ok).take(ITEMS) {
        draw_check(check, to)?;
    }
    match &step.exchange {
        Some(exchange) => draw_exchange(exchange, Headers::First, Palette::Plain, to),
        None => Ok(()),
    }
}

fn draw_check(check: &CheckRecord, to: &mut dyn Write) -> io::Result<()> {
    let mut row = |name: &str, word: &str, text: &str| {
        let (name, text) = (printable::cut(name, CHECK), printable::cut(text, LINE));
        writeln!(to, "        {name:CHECK$} {word}  {text}")
    };
    row(&check.what, "expected", &check.expected)?;
    row("", "observed", &check.observed)?;
    match &check.evidence {
        Some(evidence) => row("", "rests on", evidence),
        None => Ok(()),
    }
}

/// How many headers of a message are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Headers {
    First,
    All,
}

pub(super) fn draw_exchange(
    exchange: &ExchangeRecord,
    headers: Headers,
    palette: Palette,
    to: &mut dyn Write,
) -> io::Result<()> {
    let (sent, received) = (palette.faint(">"), palette.faint("<"));
    draw_message(&sent, &exchange.request, headers, to)?;
    match &exchange.response {
        Some(response) => draw_message(&received, response, headers, to),
        None => writeln!(to, "      {received} no answer"),
    }
}

fn draw_message(
    mark: &str,
    message: &MessageRecord,
    headers: Headers,
    to: &mut dyn Write,
) -> io::Result<()> {
    let shown = match headers {
        Headers::First => HEADERS,
        Headers::All => message.headers.len(),
    };
    writeln!(to, "      {mark} {}", printable::cut(&message.line, LINE))?;
    for (name, value) in message.headers.iter().take(shown) {
        writeln!(
            to,
            "      {mark}   {}",
            printable::cut(&format!("{name}: {value}"), LINE)
        )?;
    }
    let more = message.headers.len().saturating_sub(shown);
    if more > 0 {
        writeln!(to, "      {mark}   and {more} more headers")?;
    }
    if message.length > 0 || message.body_is.is_some() {
        let is = message.body_is.as_deref().unwrap_or("body");
        writeln!(
            to,
            "      {mark}   [{}, {} bytes]",
            printable::cut(is, LINE),
            message.length
        )?;
    }
    let text = message.body_text.as_deref().unwrap_or_default();
    for part in text
        .lines()
        .filter(|part| !part.trim().is_empty())
        .take(BODY_LINES)
    {
        writeln!(to, "      {mark}   {}", printable::cut(part, LINE))?;
    }
    Ok(())
}

fn draw_curl(steps: &[StepRecord], to: &mut dyn Write) -> io::Result<()> {
    let curl = |step: &StepRecord| step.exchange.as_ref().and_then(|e| e.curl.clone());
    let lines: Vec<String> = steps.iter().filter_map(curl).collect();
    for text in lines.iter().skip(lines.len().saturating_sub(CURL_LINES)) {
        writeln!(to, "      curl     {}", printable::line(text))?;
    }
    Ok(())
}
