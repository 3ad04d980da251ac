//! A bench record read back whole.

use std::io::BufRead;

use super::curve::Curve;
use super::record::{Damage, Footer, Header, Health, Knee, Line, Second, Slow, Step};
use super::stream::{ReadError, Reader};
use super::summary::Summary;
use super::totals::Totals;

/// One run of the load generator. Without a footer it is incomplete, and each report says so.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchRun {
    pub header: Header,
    pub steps: Vec<Step>,
    /// In the order of the record; histograms packed.
    pub seconds: Vec<Second>,
    /// The slowest requests, as they were written.
    pub slow: Vec<Slow>,
    pub damage: Vec<Damage>,
    /// Of a search for the highest load that is borne.
    pub knee: Option<Knee>,
    /// The last word on the client; absent in a run that was killed.
    pub health: Option<Health>,
    pub footer: Option<Footer>,
}

impl BenchRun {
    /// Reads a whole record.
    ///
    /// # Errors
    /// Whatever makes it less than one complete run.
    pub fn read(source: impl BufRead) -> Result<Self, ReadError> {
        let run = Self::salvage(source)?;
        if run.is_complete() {
            Ok(run)
        } else {
            Err(ReadError::MissingFooter)
        }
    }

    /// Reads what is there of a record that may lack its end.
    ///
    /// # Errors
    /// As [`BenchRun::read`], but for the missing footer.
    pub fn salvage(source: impl BufRead) -> Result<Self, ReadError> {
        let (header, mut reader) = Reader::new(source)?;
        let mut run = Self {
            header,
            steps: Vec::new(),
            seconds: Vec::new(),
            slow: Vec::new(),
            damage: Vec::new(),
            knee: None,
            health: None,
            footer: None,
        };
        loop {
            match reader.next_line_of_record() {
                Ok(Some(Line::Step(step))) => run.steps.push(step),
                Ok(Some(Line::Series(second))) => run.seconds.push(*second),
                Ok(Some(Line::Slow(slow))) => run.slow.push(*slow),
                Ok(Some(Line::Damage(damage))) => run.damage.push(*damage),
                Ok(Some(Line::Knee(knee))) => run.knee = Some(*knee),
                Ok(Some(Line::Health(health))) => run.health = Some(*health),
                Ok(Some(Line::End(footer))) => run.footer = Some(*footer),
                // The reader refuses a second header itself.
                Ok(Some(Line::Header(_))) => {}
                Ok(None) | Err(ReadError::MissingFooter) => return Ok(run),
                Err(other) => return Err(other),
            }
        }
    }

    /// The lines of its record; reading them gives the same run.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let header = std::iter::once(Line::Header(Box::new(self.header.clone())));
        let boxed = |second: &Second| Line::Series(Box::new(second.clone()));
        let end = self
            .footer
            .as_ref()
            .map(|end| Line::End(Box::new(end.clone())));
        let knee = self.knee.as_ref();
        let health = self.health.as_ref();
        header
            .chain(self.steps.iter().cloned().map(Line::Step))
            .chain(self.seconds.iter().map(boxed))
            .chain(
                self.slow
                    .iter()
                    .map(|slow| Line::Slow(Box::new(slow.clone()))),
            )
            .chain(
                self.damage
                    .iter()
                    .map(|one| Line::Damage(Box::new(one.clone()))),
            )
            .chain(knee.map(|knee| Line::Knee(Box::new(knee.clone()))))
            .chain(health.map(|health| Line::Health(Box::new(health.clone()))))
            .chain(end)
    }

    /// Whether the record had its footer.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.footer.is_some()
    }

    /// Each series of the header added up, in its order.
    #[must_use]
    pub fn totals(&self) -> Vec<Totals> {
        let mut totals = Totals::of_header(&self.header);
        for second in &self.seconds {
            for series in &mut totals {
                series.fold(second);
            }
        }
        totals
    }

    /// What was answered at each step of the offered load; empty where there are none.
    #[must_use]
    pub fn curve(&self) -> Curve {
        let mut curve = Curve::new(&self.header);
        for step in &self.steps {
            curve.step(step);
        }
        for second in &self.seconds {
            curve.fold(second);
        }
        curve
    }

    /// The short JSON; a run without its health line says `suspect` of its client.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::of(&self.totals(), self.health.as_ref())
    }
}
