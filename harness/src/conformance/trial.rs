//! One trial, from its first step to its record.
//!
//! After each accepted SSE-C write the runner sends a read without a key of its own: whatever it
//! serves convicts. Where a write was accepted although it should have been refused, a read with
//! the key must open what was stored.

use std::collections::BTreeMap;

use super::case::{self, Taken, Trace};
use super::judge::{self, Judgement, Phase};
use super::question;
use super::sender::{Sent, Signing};
use super::session::Session;
use super::state::State;
use super::step::{self, Place, Ready};
use crate::check::evaluate::{self, Context, Evaluation};
use crate::check::status::{Backing, Kind};
use crate::check::{Check, Show, Weight};
use crate::clock::Stopwatch;
use crate::error::{Error, OurError};
use crate::oracle::{Floor, Ruling};
use crate::payload::{self, Named};
use crate::s3::{Bucket, operation};
use crate::scenario::definition::{Operation, Step, Trial};
use crate::ssec::{SsecHeaders, TrialKeys};
use reports::record::CaseRecord;

/// Runs one trial to its end and removes what it created.
///
/// # Errors
/// Only if the journal cannot be written. Whatever else goes wrong is in the record.
pub async fn run(session: &Session, trial: &Trial) -> Result<CaseRecord, Error> {
    let watch = Stopwatch::start();
    let mut trace = Trace::default();
    let judgement = match session.offer.lacks(trial) {
        Some(why) => Judgement::unsupported(why, trial.level),
        None => {
            let folder = session.fixture.folder(&trial.name);
            let judgement = walk(session, trial, &folder, &mut trace).await;
            session.fixture.remove_folder(&folder).await?;
            judgement
        }
    };
    let elapsed = watch.elapsed();
    Ok(case::record(session, trial, &judgement, &trace, elapsed))
}

async fn walk(session: &Session, trial: &Trial, folder: &str, trace: &mut Trace) -> Judgement {
    let keys = match session.keyring.draw(trial) {
        Ok(keys) => keys,
        Err(error) => return Judgement::error(error.to_string(), trial.level),
    };
    let bodies: Vec<Named<'_>> = trial
        .bodies
        .iter()
        .map(|(name, spec)| Named { name, spec: *spec })
        .collect();
    let mut walk = Walk {
        session,
        trial,
        folder,
        keys: &keys,
        bodies: &bodies,
        state: State::default(),
        waived: BTreeMap::new(),
        trace,
    };
    let ended = walk.all_steps().await;
    let taken: Vec<judge::Taken<'_>> = walk
        .trace
        .taken
        .iter()
        .map(|taken| judge::Taken {
            phase: taken.phase,
            observe: taken.observe,
            action: &taken.action,
            checks: &taken.checks,
        })
        .collect();
    let judgement = judge::judge(trial.level, &taken);
    match ended {
        Ok(()) => judgement,
        Err(message) => {
            let error = Judgement::error(message, trial.level);
            // What was found before the error stands.
            if judgement.verdict < error.verdict {
                judgement
            } else {
                error
            }
        }
    }
}

/// The outcome of a read that looks whether the write before was refused.
const NOT_STORED: &str = "not-stored";

struct Walk<'a> {
    session: &'a Session,
    trial: &'a Trial,
    folder: &'a str,
    keys: &'a TrialKeys,
    bodies: &'a [Named<'a>],
    state: State,
    /// Objects whose write was accepted by evidence, and the outcome that others answer it with.
    waived: BTreeMap<&'a str, &'a str>,
    trace: &'a mut Trace,
}

/// Whether a trial goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl<'a> Walk<'a> {
    /// Carries the steps out until one ends the trial; an error is told with its step.
    async fn all_steps(&mut self) -> Result<(), String> {
        let trial = self.trial;
        let given = trial.given.iter().map(|step| (Phase::Given, step));
        let steps = trial.steps.iter().map(|step| (Phase::Steps, step));
        let mut number = 0;
        let mut last = Phase::Given;
        for (phase, step) in given.chain(steps) {
            number = if phase == last { number + 1 } else { 1 };
            last = phase;
            let next = self.one_step(phase, number, step).await;
            if next.map_err(|error| format!("{}: {error}", step::action(step)))? == Next::Stop {
                break;
            }
        }
        Ok(())
    }

    async fn one_step(&mut self, phase: Phase, number: u32, step: &'a Step) -> Result<Next, Error> {
        let target = self.session.target();
        let name = self.session.fixture.bucket();
        let bucket = target
            .bucket(name, step.scheme)
            .ok_or_else(|| OurError::Broken("the target has no listener without TLS".into()))?;
        let place = Place {
            bucket: bucket.clone(),
            folder: self.folder,
            run: self.session.seed,
        };
        let ready = step::ready(step, self.trial, &place, self.keys, &self.state)?;
        let object = format!("{}{}", self.folder, step.object);
        if step.operation == Operation::Put {
            self.session.fixture.about_to_put(&object)?;
        }
        let signing = match &step.presign {
            Some(presign) => Signing::Query {
                presign,
                signed_as: &ready.signed_as,
            },
            None => Signing::Header(step.sign.as_ref()),
        };
        let room = self.largest_body();
        let sender = self.session.fixture.sender();
        let sent = sender
            .send(&ready.request, &ready.sent, signing, room)
            .await?;
        self.trace.attempts = self.trace.attempts.max(sent.attempts);
        step::was_sent_as_meant(step, &ready, &sent.exchange)?;
        self.judge_step(phase, number, step, &ready, &bucket, sent)
            .await
    }

    /// Sends the proofs that an answer needs, makes its checks, and remembers what it changed.
    async fn judge_step(
        &mut self,
        phase: Phase,
        number: u32,
        step: &'a Step,
        ready: &Ready,
        bucket: &Bucket,
        sent: Sent,
    ) -> Result<Next, Error> {
        let session = self.session;
        let redactor = session.redactor();
        let trial_name = &self.trial.name;
        let show = |bytes: &[u8]| redactor.text(bytes, trial_name);
        let show = Show(&show);
        let ruling = match &step.expect.outcome {
            Some(outcome) => Some(self.ruling(outcome, step)?),
            None => None,
        };
        let kind = evaluate::answered(&sent.exchange, show).kind;
        let accepted_write = step.operation == Operation::Put && kind == Kind::Served;
        let mut proofs = Vec::new();
        if accepted_write && !ready.sent.values.is_empty() {
            proofs.push(self.keyless_read(step, bucket, show).await?);
        }
        let sealed_floor = ruling.is_some_and(|r| r.outcome.floor(step.operation) == Floor::Sealed);
        if accepted_write && sealed_floor {
            proofs.push(self.key_read(step, ready, bucket, show).await?);
        }
        let backing = match step.operation {
            Operation::Put => {
                let held = !proofs.is_empty() && proofs.iter().all(|proof| is_met(&proof.checks));
                if held {
                    Backing::Held
                } else {
                    Backing::Missing
                }
            }
            Operation::Get | Operation::Head | Operation::Delete | Operation::List => {
                self.state.backing(&step.object, &ready.sent)
            }
        };
        let mut found = self.evaluate(step, ready, ruling, backing, &sent, show)?;
        self.remember(step, ready, kind, &sent, &mut found);
        if let (Operation::Put, Some(outcome)) = (step.operation, &step.expect.outcome) {
            self.waived.remove(step.object.as_str());
            if !found.waivers.is_empty() {
                self.waived.insert(&step.object, outcome);
            }
        }
        self.trace.notes.append(&mut found.notes);
        if phase == Phase::Steps {
            self.trace.waivers.append(&mut found.waivers);
        }
        let own = self.state.object(&step.object);
        let body_is = self.body_is(own.map(|stored| stored.body.as_str()), &sent);
        self.trace.taken.push(Taken {
            phase,
            number,
            operation: operation_word(step.operation),
            action: step::action(step),
            observe: step.expect.outcome.is_none(),
            outcome: step.expect.outcome.clone(),
            answer: found.answer,
            at: step.expect.at.clone(),
            checks: found.checks,
            exchange: sent.exchange,
            body_is,
        });
        let first = self.trace.taken.len() - 1;
        self.trace.taken.extend(proofs);
        let ends = self.trace.taken[first..]
            .iter()
            .any(|taken| judge::ends_trial(&taken.checks));
        Ok(if ends { Next::Stop } else { Next::Go })
    }

    /// What the oracle knows of `outcome`. Where evidence excused the write before, its answer
    /// speaks for the read that looks whether it was refused: it may be there, for its key alone.
    fn ruling(&self, outcome: &str, step: &Step) -> Result<Ruling<'a>, Error> {
        let oracle = &self.session.oracle;
        let unknown = || OurError::Broken(format!("outcome {outcome} is unknown"));
        let mut ruling = oracle.ruling(outcome, step.operation).ok_or_else(unknown)?;
        let waived = self.waived.get(step.object.as_str());
        if let (NOT_STORED, Some(write)) = (outcome, waived) {
            let write = oracle.ruling(write, Operation::Put);
            ruling.own = write.and_then(|write| write.own).or(ruling.own);
        }
        Ok(ruling)
    }

    fn evaluate(
        &self,
        step: &Step,
        ready: &Ready,
        ruling: Option<Ruling<'_>>,
        backing: Backing,
        sent: &Sent,
        show: Show<'_>,
    ) -> Result<Evaluation, Error> {
        let asker = question::Asker {
            run: self.session.seed,
            trial: self.trial,
            folder: self.folder,
            bodies: self.bodies,
            state: &self.state,
        };
        let question = asker.question(step, &ready.sent, ruling, backing)?;
        Ok(evaluate::evaluate(
            self.context(show),
            &question,
            &sent.exchange,
        ))
    }

    fn context<'b>(&'b self, show: Show<'b>) -> Context<'b> {
        Context {
            run: self.session.seed,
            keyring: &self.session.keyring,
            keys: self.keys,
            facts: self.session.oracle.facts(),
            dialect: self.session.oracle.dialect(),
            bodies: self.bodies,
            show,
        }
    }

    /// Notes what an accepted request changed, and what a step captures.
    fn remember(
        &mut self,
        step: &Step,
        ready: &Ready,
        kind: Kind,
        sent: &Sent,
        found: &mut Evaluation,
    ) {
        let missing = self.state.capture(&step.save, &sent.exchange);
        for capture in missing {
            found.checks.push(
                Check::new("capture", Weight::Requirement, false)
                    .expected(format!("something to keep as ${}", capture.name))
                    .observed("nothing there"),
            );
        }
        match (step.operation, kind) {
            (Operation::Put, Kind::Served) => {
                let body = step.body.as_deref().unwrap_or_default();
                self.state.stored(&step.object, body, &ready.sent);
            }
            (Operation::Delete, Kind::Served) => self.state.removed(&step.object),
            (
                Operation::Put
                | Operation::Get
                | Operation::Head
                | Operation::Delete
                | Operation::List,
                _,
            ) => {}
        }
    }

    /// The read without a key after an accepted SSE-C write.
    async fn keyless_read(
        &mut self,
        step: &Step,
        bucket: &Bucket,
        show: Show<'_>,
    ) -> Result<Taken, Error> {
        let object = format!("{}{}", self.folder, step.object);
        let request = operation::get_object(bucket, &object);
        let none = SsecHeaders::default();
        let sender = self.session.fixture.sender();
        let room = self.largest_body();
        let header = Signing::Header(None);
        let sent = sender.send(&request, &none, header, room).await?;
        self.trace.attempts = self.trace.attempts.max(sent.attempts);
        let answered = evaluate::answered(&sent.exchange, show);
        let answer = crate::check::status::reply_words(answered.status, answered.code.as_deref());
        let check = judge::keyless_read(sent.exchange.status, &answer);
        // Plaintext in an answer that serves it is the downgrade itself.
        let hidden: Vec<Named<'_>> = self
            .bodies
            .iter()
            .filter(|body| check.ok && Some(body.name) == step.body.as_deref())
            .copied()
            .collect();
        let mut checks = vec![check];
        let context = self.context(show);
        checks.extend(evaluate::leaks(context, &hidden, false, &sent.exchange));
        Ok(self.proof(Phase::KeylessRead, step, checks, answer, sent))
    }

    /// The read with the key after a write that was accepted instead of refused: with the right
    /// triple, else with the very headers that were accepted.
    async fn key_read(
        &mut self,
        step: &Step,
        ready: &Ready,
        bucket: &Bucket,
        show: Show<'_>,
    ) -> Result<Taken, Error> {
        let object = format!("{}{}", self.folder, step.object);
        let request = operation::get_object(bucket, &object);
        let right = match &step.ssec {
            Some(ssec) => SsecHeaders::right(&ssec.key, self.keys)?,
            None => SsecHeaders::default(),
        };
        let body = step.body.as_deref();
        let spec = body.and_then(|name| self.trial.bodies.get(name));
        let want = spec.map(|spec| payload::body(self.session.seed, *spec));
        let want = want.unwrap_or_default();
        let room = self.largest_body();
        let sender = self.session.fixture.sender();
        let header = Signing::Header(None);
        let mut sent = sender.send(&request, &right, header, room).await?;
        let opens = |sent: &Sent| {
            let kind = evaluate::answered(&sent.exchange, show).kind;
            kind == Kind::Served && sent.exchange.is_whole() && sent.exchange.body == want
        };
        if !opens(&sent) {
            sent = sender.send(&request, &ready.sent, header, room).await?;
        }
        let answered = evaluate::answered(&sent.exchange, show);
        let answer = crate::check::status::reply_words(answered.status, answered.code.as_deref());
        let check = Check::new("sealed", Weight::Requirement, opens(&sent))
            .expected("the key opens what was accepted")
            .observed(sent.exchange.status.to_string());
        Ok(self.proof(Phase::KeyRead, step, vec![check], answer, sent))
    }

    fn proof(
        &self,
        phase: Phase,
        step: &Step,
        checks: Vec<Check>,
        answer: String,
        sent: Sent,
    ) -> Taken {
        let body_is = self.body_is(step.body.as_deref(), &sent);
        Taken {
            phase,
            number: 1,
            operation: "get",
            action: step::action(step),
            observe: false,
            outcome: None,
            answer,
            at: step.at.clone(),
            checks,
            exchange: sent.exchange,
            body_is,
        }
    }

    /// What an answer's body is, in words, where the body of that name was stored.
    fn body_is(&self, stored: Option<&str>, sent: &Sent) -> Option<String> {
        let body = &sent.exchange.body;
        if body.is_empty() {
            return None;
        }
        let is_object = sent.exchange.method == "GET" && sent.exchange.status < 300;
        let spec = stored.and_then(|name| self.trial.bodies.get(name));
        let (true, Some(spec)) = (is_object, spec) else {
            return Some("a document".to_owned());
        };
        let want = payload::body(self.session.seed, *spec);
        if *body == want {
            return Some(format!("{}, whole", stored.unwrap_or_default()));
        }
        Some(payload::describe(
            self.session.seed,
            body,
            &want,
            self.bodies,
        ))
    }

    fn largest_body(&self) -> u64 {
        let sizes = self.trial.bodies.values().map(|spec| spec.size);
        sizes.max().unwrap_or(0)
    }
}

fn is_met(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.ok)
}

const fn operation_word(operation: Operation) -> &'static str {
    match operation {
        Operation::Put => "put",
        Operation::Get => "get",
        Operation::Head => "head",
        Operation::Delete => "delete",
        Operation::List => "list",
    }
}
