//! What the second arm costs over the first, and whether objectives were met, for people.

use std::io::{self, Write};

use reports::bench::bootstrap::Ratio;
use reports::bench::paired::Overhead;
use reports::bench::slo::Judgement;

use super::description::PROBE;

/// Writes a line a measure and objective.
pub(super) fn write(
    overheads: &[Overhead],
    objectives: &[Judgement],
    out: &mut dyn Write,
) -> io::Result<()> {
    for overhead in overheads.iter().filter(|overhead| overhead.op != PROBE) {
        writeln!(
            out,
            "{}: {} over {}, 95 % interval from {} seconds",
            overhead.op, overhead.arms.other, overhead.arms.base, overhead.seconds
        )?;
        for (measure, ratio) in &overhead.ratios {
            writeln!(out, "  {:10} {}", measure.word(), told(ratio.as_ref()))?;
        }
    }
    for objective in objectives {
        writeln!(
            out,
            "objective {}: {} ({})",
            objective.text,
            objective.result.word(),
            objective.observed
        )?;
    }
    Ok(())
}

fn told(ratio: Option<&Ratio>) -> String {
    match ratio {
        Some(ratio) => format!(
            "× {:.3}  ({:.3} to {:.3}); a change of {:.1} % would have shown",
            ratio.measured,
            ratio.low,
            ratio.high,
            ratio.detectable * 100.0
        ),
        None => "n/a: too little was measured".to_owned(),
    }
}
