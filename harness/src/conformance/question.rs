//! A step's expectation with every name resolved to bytes, ready to be held against an answer.

use super::state::State;
use crate::check::body::{WantedEntry, cut};
use crate::check::evaluate::Question;
use crate::check::status::Backing;
use crate::error::{Error, GivenError};
use crate::oracle::Ruling;
use crate::payload::{self, Named};
use crate::random::Seed;
use crate::scenario::definition::{Operation, Step, Text, Trial};
use crate::ssec::SsecHeaders;
use crate::ssec::customer_key::md5;
use bytes::Bytes;

/// What is known when a question is asked.
pub struct Asker<'a> {
    pub run: Seed,
    pub trial: &'a Trial,
    /// The trial's own folder, with its slash.
    pub folder: &'a str,
    pub bodies: &'a [Named<'a>],
    pub state: &'a State,
}

impl<'a> Asker<'a> {
    /// The question that `step` asks of its answer.
    ///
    /// # Errors
    /// When the step names a capture or a body that is not there.
    pub fn question<'b>(
        &'b self,
        step: &'b Step,
        sent: &SsecHeaders,
        ruling: Option<Ruling<'b>>,
        backing: Backing,
    ) -> Result<Question<'b>, Error>
    where
        'a: 'b,
    {
        let expect = &step.expect;
        let body = match &expect.body {
            Some(names) => Some(self.concatenation(names, step)?),
            None => None,
        };
        let length = match &expect.length_of {
            Some(name) => {
                let range = cut(self.named(name)?.spec.size, step.range);
                Some((range.end - range.start, name.as_str()))
            }
            None => None,
        };
        let headers = expect
            .headers
            .iter()
            .map(|(name, text)| Ok((name.clone(), self.resolve(text)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let entries = expect
            .entries
            .iter()
            .map(|entry| {
                let size = match &entry.size_of {
                    Some(name) => Some(self.named(name)?.spec.size),
                    None => None,
                };
                Ok(WantedEntry {
                    name: entry.object.clone(),
                    object: format!("{}{}", self.folder, entry.object),
                    size,
                    etag: entry.etag.as_ref().map(|t| self.resolve(t)).transpose()?,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Question {
            step,
            ruling,
            backing,
            sent_ssec: !sent.values.is_empty(),
            body,
            length,
            etag: expect.etag.as_ref().map(|t| self.resolve(t)).transpose()?,
            plaintext_md5: self.plaintext_md5(step),
            headers,
            entries,
            hidden: self.hidden(step, sent, backing),
        })
    }

    fn named(&self, name: &str) -> Result<Named<'a>, Error> {
        let found = self.bodies.iter().find(|body| body.name == name).copied();
        found.ok_or_else(|| {
            let why = format!("body {name} is not declared");
            GivenError::Step { why }.into()
        })
    }

    fn resolve(&self, text: &Text) -> Result<Vec<u8>, Error> {
        self.state.resolve(text).ok_or_else(|| {
            let why = "a capture that it needs was never made".to_owned();
            GivenError::Step { why }.into()
        })
    }

    /// The bodies one after the other, cut to the step's range.
    fn concatenation(&self, names: &[String], step: &Step) -> Result<Bytes, Error> {
        let mut whole = Vec::new();
        for name in names {
            whole.extend_from_slice(&payload::body(self.run, self.named(name)?.spec));
        }
        let range = cut(whole.len() as u64, step.range);
        let at = |offset| usize::try_from(offset).expect("an offset into bytes in memory");
        Ok(Bytes::from(whole).slice(at(range.start)..at(range.end)))
    }

    /// The MD5 of what the step writes, or of what its object was written with.
    fn plaintext_md5(&self, step: &Step) -> Option<String> {
        if !step.expect.etag_fact {
            return None;
        }
        let name = match step.operation {
            Operation::Put => step.body.as_deref()?,
            Operation::Get | Operation::Head | Operation::Delete | Operation::List => {
                &self.state.object(&step.object)?.body
            }
        };
        let spec = self.trial.bodies.get(name)?;
        Some(hex::encode(md5(&payload::body(self.run, *spec))))
    }

    /// The bodies of which the answer must not hold a block: what is sealed, unless its key was
    /// shown or the same bytes are open elsewhere in the trial.
    fn hidden(&self, step: &Step, sent: &SsecHeaders, backing: Backing) -> Vec<Named<'a>> {
        let own = self.state.object(&step.object);
        // Two keys, one of them right: to be refused, but nothing is given away.
        let backing = if self.state.was_shown(&step.object, sent) {
            Backing::Held
        } else {
            backing
        };
        let seed = |name: &str| self.trial.bodies.get(name).map(|spec| spec.seed);
        let mut open: Vec<u64> = self
            .state
            .objects()
            .filter(|stored| !stored.is_sealed())
            .filter_map(|stored| seed(&stored.body))
            .collect();
        match (step.operation, backing) {
            (Operation::Put, _) => open.extend(step.body.as_deref().and_then(seed)),
            (Operation::Get | Operation::Head, Backing::Held) => {
                open.extend(own.and_then(|stored| seed(&stored.body)));
            }
            (Operation::Get | Operation::Head, Backing::Missing)
            | (Operation::Delete | Operation::List, _) => {}
        }
        let refused_own = match (step.operation, backing) {
            (Operation::Get | Operation::Head, Backing::Missing) => own,
            (
                Operation::Put
                | Operation::Get
                | Operation::Head
                | Operation::Delete
                | Operation::List,
                _,
            ) => None,
        };
        let is_hidden = |body: &Named<'_>| {
            let sealed = self
                .state
                .objects()
                .any(|stored| stored.is_sealed() && stored.body == body.name);
            let is_own = refused_own.is_some_and(|stored| stored.body == body.name);
            is_own || (sealed && !open.contains(&body.spec.seed))
        };
        self.bodies
            .iter()
            .filter(|b| is_hidden(b))
            .copied()
            .collect()
    }
}
