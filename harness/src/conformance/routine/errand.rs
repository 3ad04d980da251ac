//! What all routines do: send, judge the answer, and put it on the trial's record.

use bytes::Bytes;

use crate::check::evaluate::{self, Context};
use crate::check::status::{Kind, reply_words};
use crate::check::{Check, Show, Weight};
use crate::conformance::case::{Taken, Trace};
use crate::conformance::judge::Phase;
use crate::conformance::sender::{Sent, Signing};
use crate::conformance::session::Session;
use crate::error::{Error, GivenError, OurError};
use crate::payload::{self, Named};
use crate::s3::{Bucket, Request, operation};
use crate::scenario::definition::Trial;
use crate::ssec::{SsecHeaders, TrialKeys};
use crate::transport::Exchange;

/// Why a routine ended before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// A check that is on the record says it.
    Judged,
    /// What it needs to see cannot be seen.
    NotAssessable(String),
    /// We could not find out.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Whose plaintext an answer may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// The key was shown.
    All,
    Nothing,
}

/// One routine on its way.
pub(super) struct Errand<'a> {
    pub(super) session: &'a Session,
    pub(super) trial: &'a Trial,
    pub(super) keys: &'a TrialKeys,
    pub(super) bodies: &'a [Named<'a>],
    folder: &'a str,
    trace: &'a mut Trace,
}

impl<'a> Errand<'a> {
    pub(super) const fn new(
        session: &'a Session,
        trial: &'a Trial,
        folder: &'a str,
        keys: &'a TrialKeys,
        bodies: &'a [Named<'a>],
        trace: &'a mut Trace,
    ) -> Self {
        Self {
            session,
            trial,
            keys,
            bodies,
            folder,
            trace,
        }
    }

    pub(super) fn bucket(&self) -> Bucket {
        let fixture = &self.session.fixture;
        fixture.sender().bucket(fixture.bucket())
    }

    /// As the target calls the object of that name.
    pub(super) fn name(&self, object: &str) -> String {
        format!("{}{object}", self.folder)
    }

    pub(super) fn body(&self, name: &str) -> Result<Bytes, Error> {
        let spec = self.trial.bodies.get(name);
        let undeclared = || OurError::Broken(format!("body {name} is not declared"));
        Ok(payload::body(
            self.session.seed,
            *spec.ok_or_else(undeclared)?,
        ))
    }

    pub(super) fn triple(&self, key: &str) -> Result<SsecHeaders, GivenError> {
        SsecHeaders::right(key, self.keys)
    }

    pub(super) fn note(&mut self, note: String) {
        self.trace.notes.push(note);
    }

    /// Stores a body under a key; anything but success ends the routine.
    pub(super) async fn put(&mut self, object: &str, body: &str, key: &str) -> Result<(), Stop> {
        let request = operation::put_object(&self.bucket(), &self.name(object), self.body(body)?);
        self.session
            .fixture
            .about_to_put(self.session.fixture.bucket(), &self.name(object))?;
        let action = format!("PUT {object} with key {key}");
        self.given("put", action, &request, &self.triple(key)?)
            .await?;
        Ok(())
    }

    /// A request that must be accepted before anything can be concluded.
    pub(super) async fn given(
        &mut self,
        operation: &'static str,
        action: String,
        request: &Request,
        triple: &SsecHeaders,
    ) -> Result<&Exchange, Stop> {
        let sent = self.send(request, triple, Signing::EVERYTHING, 0).await?;
        let served = self.kind(&sent.exchange) == Kind::Served;
        let check = self.answered(&sent.exchange, served, "it is accepted");
        self.took(
            Phase::Given,
            operation,
            action,
            vec![check],
            sent,
            Open::All,
        );
        match self.trace.taken.last() {
            Some(taken) if served => Ok(&taken.exchange),
            Some(_) | None => Err(Stop::Judged),
        }
    }

    /// Reads an object with its key; anything but the right body breaks `phase`.
    pub(super) async fn get(
        &mut self,
        phase: Phase,
        object: &str,
        body: &str,
        key: &str,
    ) -> Result<(), Stop> {
        let want = self.body(body)?;
        let request = operation::get_object(&self.bucket(), &self.name(object));
        let header = Signing::EVERYTHING;
        let sent = self
            .send(&request, &self.triple(key)?, header, want.len() as u64)
            .await?;
        let right = self.kind(&sent.exchange) == Kind::Served
            && sent.exchange.is_whole()
            && sent.exchange.body == want;
        let check = self.answered(&sent.exchange, right, "it is served, whole and right");
        let action = format!("GET {object} with key {key}");
        self.took(phase, "get", action, vec![check], sent, Open::All);
        if right { Ok(()) } else { Err(Stop::Judged) }
    }

    /// A request with something wrong. How it must be answered is the business of other trials; here
    /// it only must not give anything away.
    pub(super) async fn wrong(
        &mut self,
        action: &str,
        request: &Request,
        triple: &SsecHeaders,
        signing: Signing<'_>,
        open: Open,
    ) -> Result<(), Stop> {
        let room: u64 = self.bodies.iter().map(|body| body.spec.size).sum();
        let sent = self.send(request, triple, signing, room).await?;
        let operation = if request.method == "PUT" {
            "put"
        } else {
            "get"
        };
        let action = action.to_owned();
        self.took(Phase::Steps, operation, action, Vec::new(), sent, open);
        Ok(())
    }

    pub(super) async fn send(
        &mut self,
        request: &Request,
        triple: &SsecHeaders,
        signing: Signing<'_>,
        expected: u64,
    ) -> Result<Sent, Error> {
        let sender = self.session.fixture.sender();
        let sent = sender.send(request, triple, signing, expected).await?;
        self.trace.attempts = self.trace.attempts.max(sent.attempts);
        Ok(sent)
    }

    pub(super) fn kind(&self, exchange: &Exchange) -> Kind {
        self.shown(|show| evaluate::answered(exchange, show).kind)
    }

    /// A check of what an answer's status says.
    pub(super) fn answered(&self, exchange: &Exchange, ok: bool, expected: &str) -> Check {
        Check::new("answer", Weight::Requirement, ok)
            .expected(expected)
            .observed(self.words(exchange))
    }

    fn words(&self, exchange: &Exchange) -> String {
        let answered = self.shown(|show| evaluate::answered(exchange, show));
        let words = reply_words(answered.status, answered.code.as_deref());
        match &exchange.cut {
            Some(why) => format!("{words}, then {} bytes and {why}", exchange.body.len()),
            None => words,
        }
    }

    fn shown<T>(&self, look: impl FnOnce(Show<'_>) -> T) -> T {
        let redactor = self.session.redactor();
        let show = |bytes: &[u8]| redactor.text(bytes, &self.trial.name);
        look(Show(&show))
    }

    /// Puts an exchange on the record, searched for what it must not hold.
    pub(super) fn took(
        &mut self,
        phase: Phase,
        operation: &'static str,
        action: String,
        mut checks: Vec<Check>,
        sent: Sent,
        open: Open,
    ) {
        let served = self.kind(&sent.exchange) == Kind::Served;
        let hidden = match open {
            Open::All => &[],
            Open::Nothing => self.bodies,
        };
        let leaks = self.shown(|show| {
            let context = Context {
                run: self.session.seed,
                keyring: &self.session.keyring,
                keys: self.keys,
                facts: self.session.oracle.facts(),
                dialect: self.session.oracle.dialect(),
                bodies: self.bodies,
                show,
            };
            evaluate::leaks(context, hidden, served, &sent.exchange)
        });
        checks.extend(leaks);
        let answer = self.words(&sent.exchange);
        self.trace.taken.push(Taken {
            phase,
            number: next_number(&self.trace.taken, phase),
            operation,
            action,
            observe: false,
            outcome: None,
            answer,
            at: self.trial.at.clone(),
            checks,
            exchange: sent.exchange,
            body_is: None,
        });
    }

    /// Adds a check about what the last request left behind, which belongs to the trial itself.
    pub(super) fn judge(&mut self, check: Check) {
        if let Some(mut last) = self.trace.taken.pop() {
            // A given step only blocks; what is found out by it decides.
            if last.phase != Phase::Steps {
                last.phase = Phase::Steps;
                last.number = next_number(&self.trace.taken, Phase::Steps);
            }
            last.checks.push(check);
            self.trace.taken.push(last);
        }
    }
}

/// The number of the next step of `phase`, whatever stands between it and the one before.
fn next_number(taken: &[Taken], phase: Phase) -> u32 {
    let before = taken.iter().filter(|taken| taken.phase == phase);
    before.map(|taken| taken.number).max().unwrap_or_default() + 1
}
