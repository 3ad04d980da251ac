//! How the load goes, a line a second on a terminal.

use std::io::Write;

use reports::bench::record::Second;
use reports::histogram::Histogram;

use crate::command::Terminal;

/// A line a second on a terminal; nothing elsewhere.
pub(super) struct Live<'a> {
    terminal: Terminal,
    notes: &'a mut dyn Write,
}

impl<'a> Live<'a> {
    pub(super) fn new(terminal: Terminal, notes: &'a mut dyn Write) -> Self {
        Self { terminal, notes }
    }

    /// Tells one second; where it cannot be written, the run goes on.
    pub(super) fn tell(&mut self, seconds: &[Second]) {
        if self.terminal == Terminal::No || seconds.is_empty() {
            return;
        }
        let mut response = Histogram::new();
        let (mut ok, mut failed, mut bytes) = (0, 0, 0);
        for second in seconds {
            response.merge(&second.response.unpack());
            ok += second.ok;
            failed += second.attempted - second.ok;
            bytes += second.bytes;
        }
        let _ = write!(
            self.notes,
            "\r\x1b[K{:4} s  {ok}/s  {} MiB/s  p50 {} ms  p99 {} ms  {failed} failed or unserved",
            seconds[0].second,
            bytes >> 20,
            response.quantile_unguarded(0.5) / 1000,
            response.quantile_unguarded(0.99) / 1000,
        );
        let _ = self.notes.flush();
    }

    /// Takes the line away.
    pub(super) fn end(&mut self) {
        if self.terminal == Terminal::Yes {
            let _ = write!(self.notes, "\r\x1b[K");
        }
    }
}
