//! One trial, from its first step to its record.
//!
//! After each accepted SSE-C write the runner sends a read without a key of its own: whatever it
//! serves convicts. Where a write was accepted although it should have been refused, a read with
//! the key must open what was stored. Of a copy the destination is read, of an upload in parts the
//! completed object.

use std::collections::BTreeMap;

use super::case::{self, Taken, Trace};
use super::fixture::Ground;
use super::judge::{self, Judgement, Phase};
use super::proof::{self, Written};
use super::question;
use super::routine;
use super::sender::{Sent, Signing};
use super::session::{Lack, Session};
use super::state::State;
use super::step::{self, Place, Ready};
use super::waiting::{self, Waiting};
use crate::check::evaluate::{self, Context, Evaluation};
use crate::check::status::{Backing, Kind};
use crate::check::{Check, Show, Weight};
use crate::clock::Stopwatch;
use crate::error::{Error, OurError};
use crate::oracle::{Floor, Ruling};
use crate::payload::Named;
use crate::s3::Bucket;
use crate::scenario::definition::{Operation, Step, Trial};
use crate::ssec::{SsecHeaders, TrialKeys};
use reports::record::CaseRecord;

/// Runs one trial to its end and removes what it created. `number` counts its tries from 1: each
/// has a folder, and where it needs one a bucket, of its own.
///
/// # Errors
/// Only if the journal cannot be written. Whatever else goes wrong is in the record.
pub async fn run(session: &Session, trial: &Trial, number: u32) -> Result<CaseRecord, Error> {
    let watch = Stopwatch::start();
    let mut trace = Trace::default();
    let judgement = match session.offer.lacks(trial) {
        Some(Lack::Unsupported(why)) => Judgement::unsupported(why, trial.level),
        Some(Lack::Claimed(why)) => Judgement::broken_claim(why),
        None => {
            let fixture = &session.fixture;
            let place = match number {
                1 => trial.name.clone(),
                number => format!("{} try {number}", trial.name),
            };
            let ground = fixture.ground(&place, trial.changes_bucket());
            let judgement = begin(session, trial, &ground, &mut trace).await?;
            fixture.remove_ground(&ground).await?;
            judgement
        }
    };
    let elapsed = watch.elapsed();
    Ok(case::record(session, trial, &judgement, &trace, elapsed))
}

/// Makes the trial's own bucket, where it has one, and walks.
async fn begin(
    session: &Session,
    trial: &Trial,
    ground: &Ground,
    trace: &mut Trace,
) -> Result<Judgement, Error> {
    if ground.is_own
        && let Err(answer) = session.fixture.make_own(ground).await?
    {
        let message = format!("a bucket of its own could not be made: {answer}");
        return Ok(Judgement::blocked(message, trial.level));
    }
    Ok(match trial.routine {
        Some(routine) => routine::run(session, trial, routine, &ground.folder, trace).await,
        None => walk(session, trial, ground, trace).await,
    })
}

async fn walk(session: &Session, trial: &Trial, ground: &Ground, trace: &mut Trace) -> Judgement {
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
        ground,
        keys: &keys,
        bodies: &bodies,
        state: State::default(),
        waived: BTreeMap::new(),
        trace,
    };
    let ended = walk.all_steps().await;
    let ended = ended.map_err(|message| Judgement::error(message, trial.level));
    sum_up(trial, walk.trace, ended)
}

/// The judgement over what was seen, and over how it ended.
pub(super) fn sum_up(trial: &Trial, trace: &Trace, ended: Result<(), Judgement>) -> Judgement {
    let taken: Vec<judge::Taken<'_>> = trace
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
        // What was found before the end stands.
        Err(end) if judgement.verdict < end.verdict => judgement,
        Err(end) => end,
    }
}

/// The outcome of a read that looks whether the write before was refused.
const NOT_STORED: &str = "not-stored";

struct Walk<'a> {
    session: &'a Session,
    trial: &'a Trial,
    ground: &'a Ground,
    keys: &'a TrialKeys,
    bodies: &'a [Named<'a>],
    state: State,
    /// Objects whose write was accepted by evidence, and the outcome that others answer it with.
    waived: BTreeMap<&'a str, (Operation, &'a str)>,
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
                self.diagnose().await;
                break;
            }
        }
        Ok(())
    }

    /// Carries out what the case wants to see after a failure; whatever comes of it is told.
    async fn diagnose(&mut self) {
        for (number, step) in (1..).zip(&self.trial.diagnose) {
            if let Err(error) = self.one_step(Phase::Diagnose, number, step).await {
                let action = step::action(step);
                self.trace
                    .notes
                    .push(format!("diagnose: {action}: {error}"));
                break;
            }
        }
    }

    async fn one_step(&mut self, phase: Phase, number: u32, step: &'a Step) -> Result<Next, Error> {
        let target = self.session.target();
        let name = &self.ground.bucket;
        let ambient = self.trial.ambient;
        let bucket = target
            .bucket(name, step.scheme)
            .ok_or_else(|| OurError::Broken("the target has no listener without TLS".into()))?;
        let bucket = Bucket {
            style: step.style_under(ambient),
            ..bucket
        };
        let place = Place {
            bucket: bucket.clone(),
            folder: &self.ground.folder,
            run: self.session.seed,
        };
        let ready = step::ready(step, self.trial, &place, self.keys, &self.state)?;
        let object = format!("{}{}", self.ground.folder, step.object);
        let fixture = &self.session.fixture;
        if step.operation.makes_object() {
            fixture.about_to_put(name, &object)?;
        } else if step.operation == Operation::CreateUpload {
            fixture.about_to_create_upload(name, &object)?;
        }
        let signing = step::signing(step, ambient, &ready);
        let sent = self.send(number, step, &ready, signing).await?;
        if step.operation == Operation::CreateUpload {
            fixture.upload_answered(name, &object, &sent.exchange)?;
        }
        self.judge_step(phase, number, step, &ready, &bucket, sent)
            .await
    }

    /// Sends a step's request; where it may wait, again until the answer is the expected one, a key
    /// or plaintext is given away, or its time is over.
    async fn send(
        &mut self,
        number: u32,
        step: &Step,
        ready: &Ready,
        signing: Signing<'_>,
    ) -> Result<Sent, Error> {
        let mut waiting = Waiting::new(step.eventually);
        loop {
            let sender = self.session.fixture.sender();
            let sent = sender
                .send(&ready.request, &ready.sent, signing, self.room())
                .await?;
            self.trace.attempts = self.trace.attempts.max(sent.attempts);
            step::was_sent_as_meant(step, self.trial.ambient, ready, &sent.exchange)?;
            let look = match waiting.pause() {
                Some(wait) => Some((wait, self.first_look(step, ready, &sent)?)),
                None => None,
            };
            let again = look.filter(|(_, found)| waiting::may_still_come(&found.checks));
            let Some((wait, found)) = again else {
                self.trace.notes.extend(waiting.words(&step::action(step)));
                return Ok(sent);
            };
            let gave_away = found.checks.into_iter();
            let gave_away = gave_away.filter(|check| check.weight == Weight::Leak);
            self.trace.taken.push(Taken {
                phase: Phase::Waiting,
                number,
                operation: step.operation.word(),
                action: step::action(step),
                observe: false,
                outcome: step.expect.outcome.clone(),
                answer: found.answer,
                at: step.expect.at.clone(),
                checks: gave_away.collect(),
                exchange: sent.exchange,
                body_is: None,
            });
            tokio::time::sleep(wait).await;
        }
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
        let accepted_write = step.operation.is_write() && kind == Kind::Served;
        let mut proofs = Vec::new();
        if accepted_write && step.operation.makes_object() {
            let sealed_floor =
                ruling.is_some_and(|r| r.outcome.floor(step.operation) == Floor::Sealed);
            proofs = self.proofs(step, ready, sealed_floor, bucket, show).await?;
        }
        let proved: Vec<bool> = proofs.iter().map(|proof| is_met(&proof.checks)).collect();
        let backing = self.state.backing_of(step, ready, &proved);
        let mut found = self.evaluate(step, ready, ruling, backing, &sent, show)?;
        self.remember(step, ready, kind, &sent, &mut found);
        if let (true, Some(outcome)) = (step.operation.makes_object(), &step.expect.outcome) {
            self.waived.remove(step.object.as_str());
            if !found.waivers.is_empty() {
                self.waived.insert(&step.object, (step.operation, outcome));
            }
        }
        self.trace.notes.append(&mut found.notes);
        if phase == Phase::Steps {
            self.trace.waivers.append(&mut found.waivers);
        }
        let own = self.state.object_of(step).map(|stored| &stored.content);
        let body_is = proof::body_is(self.context(show), own, &sent);
        self.trace.taken.push(Taken {
            phase,
            number,
            operation: step.operation.word(),
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

    /// What a first answer is worth, before anything follows from it.
    fn first_look(&self, step: &Step, ready: &Ready, sent: &Sent) -> Result<Evaluation, Error> {
        let redactor = self.session.redactor();
        let show = |bytes: &[u8]| redactor.text(bytes, &self.trial.name);
        let ruling = match &step.expect.outcome {
            Some(outcome) => Some(self.ruling(outcome, step)?),
            None => None,
        };
        let backing = self.state.backing_of(step, ready, &[]);
        self.evaluate(step, ready, ruling, backing, sent, Show(&show))
    }

    /// What the oracle knows of `outcome`. Where evidence excused the write before, its answer
    /// speaks for the read that looks whether it was refused: it may be there, for its key alone.
    fn ruling(&self, outcome: &str, step: &Step) -> Result<Ruling<'a>, Error> {
        let oracle = &self.session.oracle;
        let unknown = || OurError::Broken(format!("outcome {outcome} is unknown"));
        let mut ruling = oracle.ruling(outcome, step.operation).ok_or_else(unknown)?;
        let waived = self.waived.get(step.object.as_str());
        if let (NOT_STORED, Some((operation, write))) = (outcome, waived) {
            let write = oracle.ruling(write, *operation);
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
            folder: &self.ground.folder,
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
        if kind == Kind::Served {
            let (trial, folder, answer) = (self.trial, &self.ground.folder, &sent.exchange);
            let state = &mut self.state;
            let changed = state.change(step, trial, folder, ready, answer, self.keys);
            found.checks.extend(changed.err());
        }
    }

    /// The reads that an accepted write needs: without a key where SSE-C was asked for, and with
    /// the key where no evidence but the key itself speaks for it.
    async fn proofs(
        &mut self,
        step: &Step,
        ready: &Ready,
        sealed_floor: bool,
        bucket: &Bucket,
        show: Show<'_>,
    ) -> Result<Vec<Taken>, Error> {
        let id = self.state.upload_id(step);
        let upload = id.and_then(|id| self.state.upload(&id));
        let parts = step.parts.as_deref();
        let (is_ssec, triples) = match (step.operation, upload) {
            (Operation::CompleteUpload, Some(upload)) => {
                (upload.is_ssec_write(parts), upload.triples.clone())
            }
            (_, _) => {
                let ssec = step.ssec.as_ref();
                let right = ssec.map(|ssec| SsecHeaders::right(&ssec.key, self.keys));
                let right = right.transpose()?;
                let triples = right.into_iter().chain([ready.sent.clone()]).collect();
                (!ready.sent.values.is_empty(), triples)
            }
        };
        if !is_ssec {
            return Ok(Vec::new());
        }
        let content = self.state.content_of(step, self.trial);
        let object = format!("{}{}", self.ground.folder, step.object);
        let written = Written {
            session: self.session,
            context: self.context(show),
            step,
            bucket,
            object: &object,
            content: &content,
        };
        let mut read = vec![written.keyless_read().await?];
        if sealed_floor {
            read.push(written.key_read(&triples).await?);
        }
        let most = read.iter().map(|(_, attempts)| *attempts).max();
        self.trace.attempts = self.trace.attempts.max(most.unwrap_or_default());
        Ok(read.into_iter().map(|(taken, _)| taken).collect())
    }

    /// Room for the largest answer: all that was declared, or what was put together.
    fn room(&self) -> u64 {
        let declared: u64 = self.trial.bodies.values().map(|spec| spec.size).sum();
        let stored = self.state.all().map(|stored| stored.content.size()).max();
        declared.max(stored.unwrap_or(0))
    }
}

fn is_met(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.ok)
}
