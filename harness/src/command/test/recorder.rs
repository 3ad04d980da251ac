//! Writes the record of a run as it happens, and nothing that holds a secret.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use reports::record::{CaseRecord, Record, RunFooter, RunHeader};
use reports::run::Run;
use reports::stream::Writer;

use crate::conformance::session::Session;
use crate::error::{Error, GivenError};

/// The sinks of a run's record, and the run so far.
pub(super) struct Recorder {
    session: Arc<Session>,
    sinks: Vec<File>,
    header: RunHeader,
    cases: Vec<CaseRecord>,
}

impl Recorder {
    /// Starts the record with its header.
    ///
    /// # Errors
    /// When a sink cannot be written.
    pub(super) fn start(
        session: Arc<Session>,
        sinks: Vec<File>,
        header: RunHeader,
    ) -> Result<Self, Error> {
        let mut recorder = Self {
            session,
            sinks,
            header: header.clone(),
            cases: Vec::new(),
        };
        recorder.append(&Record::Run(Box::new(header)))?;
        Ok(recorder)
    }

    /// Appends one trial.
    ///
    /// # Errors
    /// When a sink cannot be written, or the record holds a secret.
    pub(super) fn case(&mut self, case: CaseRecord) -> Result<(), Error> {
        self.append(&Record::Case(Box::new(case.clone())))?;
        self.cases.push(case);
        Ok(())
    }

    #[must_use]
    pub(super) fn cases(&self) -> &[CaseRecord] {
        &self.cases
    }

    /// Ends the record and hands the whole run on.
    ///
    /// # Errors
    /// As [`case`](Self::case).
    pub(super) fn end(mut self, footer: RunFooter) -> Result<Run, Error> {
        self.append(&Record::End(footer.clone()))?;
        Ok(Run {
            header: self.header,
            cases: self.cases,
            footer,
        })
    }

    fn append(&mut self, record: &Record) -> Result<(), Error> {
        let mut writer = Writer::new(Vec::new());
        writer.append(record).map_err(|error| unwritten(&error))?;
        let line = writer.into_inner();
        self.session.redactor().scan(&line)?;
        for sink in &mut self.sinks {
            let written = sink.write_all(&line).and_then(|()| sink.flush());
            written.map_err(|error| unwritten(&error))?;
        }
        Ok(())
    }
}

fn unwritten(error: &std::io::Error) -> Error {
    GivenError::Output {
        what: "the record".to_owned(),
        why: error.to_string(),
    }
    .into()
}
