//! Whether a report for a terminal is coloured. Colour never tells anything alone: the words are
//! the same without it.

use crate::verdict::Verdict;

/// How words are set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// Not at all: files, pipes, and those who asked for no colour.
    #[default]
    Plain,
    /// With the eight colours that every terminal has.
    Ansi,
}

const RESET: &str = "\u{1b}[0m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[33m";
const GREEN: &str = "\u{1b}[32m";
const FAINT: &str = "\u{1b}[2m";

impl Palette {
    /// `text` in the colour of a verdict.
    pub(super) fn verdict(self, verdict: Verdict, text: &str) -> String {
        self.set(
            match verdict {
                Verdict::Leak | Verdict::Fail => RED,
                Verdict::Error | Verdict::Blocked | Verdict::Deviates => YELLOW,
                Verdict::Unsupported | Verdict::Observed => FAINT,
                Verdict::Pass => GREEN,
            },
            text,
        )
    }

    /// What stands behind and matters less.
    pub(super) fn faint(self, text: &str) -> String {
        self.set(FAINT, text)
    }

    fn set(self, colour: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("{colour}{text}{RESET}"),
        }
    }
}
