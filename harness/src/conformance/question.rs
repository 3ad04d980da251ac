//! A step's expectation with every name resolved to bytes, ready to be held against an answer.

use super::state::State;
use super::stored::Content;
use crate::check::body::{WantedEntry, cut};
use crate::check::evaluate::Question;
use crate::check::status::Backing;
use crate::error::{Error, GivenError};
use crate::oracle::Ruling;
use crate::payload::{self, Named};
use crate::random::Seed;
use crate::s3::checksum;
use crate::scenario::definition::{Entry, Operation, Piece, Step, Text, Trial};
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
        let xml = expect
            .xml
            .iter()
            .map(|(path, text)| Ok((path.clone(), self.resolve(text)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let checksum = match &expect.checksum {
            Some((kind, name)) => {
                let body = payload::body(self.run, self.named(name)?.spec);
                Some((*kind, checksum::of(*kind, &body)))
            }
            None => None,
        };
        let entries = expect
            .entries
            .iter()
            .map(|entry| self.entry(step, entry))
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
            checksum,
            xml,
            headers,
            entries,
            missing: expect
                .missing
                .iter()
                .map(|name| (name.clone(), self.listed(step, name)))
                .collect(),
            hidden: self.hidden(step, sent, backing),
        })
    }

    fn entry(&self, step: &Step, entry: &Entry) -> Result<WantedEntry, Error> {
        let text = |text: &Option<Text>| text.as_ref().map(|t| self.resolve(t)).transpose();
        let size = match &entry.size_of {
            Some(name) => Some(self.named(name)?.spec.size),
            None => None,
        };
        Ok(WantedEntry {
            name: entry.object.clone(),
            object: self.listed(step, &entry.object),
            size,
            etag: text(&entry.etag)?,
            version: text(&entry.version)?,
            marker: entry.marker,
            latest: entry.latest,
        })
    }

    /// What a list calls an entry: parts have numbers, objects stand in the trial's folder.
    fn listed(&self, step: &Step, name: &str) -> String {
        if step.operation == Operation::ListParts {
            name.to_owned()
        } else {
            format!("{}{name}", self.folder)
        }
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

    /// The pieces one after the other, cut to the step's range.
    fn concatenation(&self, pieces: &[Piece], step: &Step) -> Result<Bytes, Error> {
        let mut content = Content::default();
        for piece in pieces {
            let body = Content::of(&piece.body, self.named(&piece.body)?.spec);
            content.push(&body.part(piece.range));
        }
        Ok(content.part(step.range).bytes(self.run))
    }

    /// The MD5 of what the step writes, or of what its object was written with.
    fn plaintext_md5(&self, step: &Step) -> Option<String> {
        if !step.expect.etag_fact {
            return None;
        }
        let content = if step.operation.is_write() {
            self.state.content_of(step, self.trial)
        } else {
            self.state.object_of(step)?.content.clone()
        };
        Some(hex::encode(md5(&content.bytes(self.run))))
    }

    /// The bodies of which the answer must not hold a block: what is sealed, unless its key was
    /// shown or the same bytes are open elsewhere in the trial.
    fn hidden(&self, step: &Step, sent: &SsecHeaders, backing: Backing) -> Vec<Named<'a>> {
        let own = self.state.object_of(step);
        // Two keys, one of them right: to be refused, but nothing is given away.
        let backing = if State::was_shown(own, sent) {
            Backing::Held
        } else {
            backing
        };
        let is_read = matches!(step.operation, Operation::Get | Operation::Head);
        let mut open: Vec<u64> = self
            .state
            .all()
            .filter(|stored| !stored.is_sealed())
            .flat_map(|stored| stored.content.seeds())
            .collect();
        // What the request itself carried gives nothing away when it comes back.
        let sent_seed = step
            .body
            .as_ref()
            .and_then(|name| self.trial.bodies.get(name));
        open.extend(sent_seed.map(|spec| spec.seed));
        let shown_own = own.filter(|_| is_read && backing == Backing::Held);
        open.extend(
            shown_own
                .into_iter()
                .flat_map(|stored| stored.content.seeds()),
        );
        // What was to be gone and is not gives nothing away to whoever could read it before.
        let gone = self
            .state
            .gone(&step.object)
            .filter(|_| own.is_none() && is_read);
        let shown_gone = gone.filter(|_| State::backing(gone, sent) == Backing::Held);
        open.extend(
            shown_gone
                .into_iter()
                .flat_map(|stored| stored.content.seeds()),
        );
        let refused_own = own.filter(|_| is_read && backing == Backing::Missing);
        let is_hidden = |body: &Named<'_>| {
            let sealed = self
                .state
                .all()
                .any(|stored| stored.is_sealed() && stored.content.holds(body.name));
            let is_own = refused_own.is_some_and(|stored| stored.content.holds(body.name));
            is_own || (sealed && !open.contains(&body.spec.seed))
        };
        self.bodies
            .iter()
            .filter(|b| is_hidden(b))
            .copied()
            .collect()
    }
}
