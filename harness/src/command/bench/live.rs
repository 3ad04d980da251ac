//! How the load goes, a line a second on a terminal.

use std::io::Write;

use reports::bench::record::Second;
use reports::bench::slo::duration;
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
        let (mut ok, mut failed, mut unserved, mut bytes) = (0, 0, 0, 0);
        for second in seconds {
            response.merge(&second.response.unpack());
            ok += second.ok;
            failed += second.failed.values().sum::<u64>();
            unserved += second.unserved;
            bytes += second.bytes;
        }
        let point = |quantile| duration(response.quantile_unguarded(quantile));
        #[expect(clippy::cast_precision_loss, reason = "bytes of a second")]
        let mebibytes = bytes as f64 / f64::from(1 << 20);
        let _ = write!(
            self.notes,
            "\r\x1b[K{:4} s  {ok}/s  {mebibytes:.1} MiB/s  p50 {}  p99 {}  {failed} failed  \
             {unserved} unserved",
            seconds[0].second,
            point(0.5),
            point(0.99),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::tally::{Counts, Slot};
    use std::time::Duration;

    fn second() -> Second {
        let mut counts = Counts {
            ok: 20,
            bytes: 3 << 19,
            ..Counts::default()
        };
        for _ in 0..20 {
            counts.response.record(850);
            counts.service.record(850);
        }
        counts.failed.insert("503 SlowDown".to_owned(), 2);
        counts.unserved(Duration::from_millis(5));
        let slot = Slot {
            second: 7,
            series: 0,
            warmup: false,
            step: None,
        };
        counts.line(slot, "get", "plain")
    }

    fn told(terminal: Terminal) -> String {
        let mut notes = Vec::new();
        let mut live = Live::new(terminal, &mut notes);
        live.tell(&[second()]);
        live.tell(&[]);
        live.end();
        String::from_utf8(notes).unwrap()
    }

    #[test]
    fn a_second_is_a_line_on_a_terminal_and_nothing_elsewhere() {
        assert_eq!(told(Terminal::No), "");
        let line = "   7 s  20/s  1.5 MiB/s  p50 850 µs  p99 850 µs  2 failed  1 unserved";
        assert_eq!(told(Terminal::Yes), format!("\r\x1b[K{line}\r\x1b[K"));
    }
}
