//! The runner's own reads after an accepted write: one without a key, which must be refused, and,
//! where a write was accepted instead of refused, one with the key, which must open it.

use super::case::Taken;
use super::judge::{self, Phase};
use super::sender::{Sent, Signing};
use super::session::Session;
use super::step;
use super::stored::Content;
use crate::check::evaluate::{self, Context};
use crate::check::status::{Kind, reply_words};
use crate::check::{Check, Weight};
use crate::error::Error;
use crate::payload;
use crate::s3::{Bucket, operation};
use crate::scenario::definition::Step;
use crate::ssec::SsecHeaders;

/// A write whose object is read back.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    pub session: &'a Session,
    pub context: Context<'a>,
    pub step: &'a Step,
    pub bucket: &'a Bucket,
    /// As the target calls it.
    pub object: &'a str,
    pub content: &'a Content,
}

impl Written<'_> {
    /// The read without a key after an accepted SSE-C write.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn keyless_read(&self) -> Result<(Taken, u32), Error> {
        let sent = self.read(&SsecHeaders::default()).await?;
        let answered = evaluate::answered(&sent.exchange, self.context.show);
        let answer = reply_words(answered.status, answered.code.as_deref());
        let check = judge::keyless_read(sent.exchange.status, &answer);
        // Plaintext in an answer that serves it is the downgrade itself.
        let hidden: Vec<_> = self
            .context
            .bodies
            .iter()
            .filter(|body| check.ok && self.content.holds(body.name))
            .copied()
            .collect();
        let mut checks = vec![check];
        checks.extend(evaluate::leaks(
            self.context,
            &hidden,
            false,
            &sent.exchange,
        ));
        Ok(self.taken(Phase::KeylessRead, checks, answer, sent))
    }

    /// The read with the key after a write that was accepted instead of refused: with each of these
    /// triples until one opens it.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn key_read(&self, triples: &[SsecHeaders]) -> Result<(Taken, u32), Error> {
        let want = self.content.bytes(self.context.run);
        let opens = |sent: &Sent| {
            let kind = evaluate::answered(&sent.exchange, self.context.show).kind;
            kind == Kind::Served && sent.exchange.is_whole() && sent.exchange.body == want
        };
        let mut sent = None;
        for triple in triples {
            let read = self.read(triple).await?;
            let opened = opens(&read);
            sent = Some(read);
            if opened {
                break;
            }
        }
        let sent = match sent {
            Some(sent) => sent,
            None => self.read(&SsecHeaders::default()).await?,
        };
        let answered = evaluate::answered(&sent.exchange, self.context.show);
        let answer = reply_words(answered.status, answered.code.as_deref());
        let check = Check::new("sealed", Weight::Requirement, opens(&sent))
            .expected("the key opens what was accepted")
            .observed(sent.exchange.status.to_string());
        Ok(self.taken(Phase::KeyRead, vec![check], answer, sent))
    }

    async fn read(&self, triple: &SsecHeaders) -> Result<Sent, Error> {
        let request = operation::get_object(self.bucket, self.object);
        let sender = self.session.fixture.sender();
        let room = self.content.size();
        sender
            .send(&request, triple, Signing::EVERYTHING, room)
            .await
    }

    fn taken(&self, phase: Phase, checks: Vec<Check>, answer: String, sent: Sent) -> (Taken, u32) {
        let body_is = body_is(self.context, Some(self.content), &sent);
        let taken = Taken {
            phase,
            number: 1,
            operation: "get",
            action: step::action(self.step),
            observe: false,
            outcome: None,
            answer,
            at: self.step.at.clone(),
            checks,
            exchange: sent.exchange,
            body_is,
        };
        (taken, sent.attempts)
    }
}

/// What an answer's body is, in words, where this content was stored.
#[must_use]
pub fn body_is(context: Context<'_>, stored: Option<&Content>, sent: &Sent) -> Option<String> {
    let body = &sent.exchange.body;
    if body.is_empty() {
        return None;
    }
    let is_object = sent.exchange.method == "GET" && sent.exchange.status < 300;
    let (true, Some(stored)) = (is_object, stored) else {
        return Some("a document".to_owned());
    };
    let want = stored.bytes(context.run);
    if *body == want {
        return Some(format!("{}, whole", stored.words()));
    }
    Some(payload::describe(context.run, body, &want, context.bodies))
}
