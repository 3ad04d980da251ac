//! Signs requests and sends them, again only where no answer came or the target asked to slow down.
//!
//! An answer is never asked for twice because it was not liked: expectations are not its business.

use std::sync::Arc;
use std::time::Duration;

use super::budget::Budget;
use crate::clock::Clock;
use crate::error::{Error, GivenError, Stage, TargetError, Wait};
use crate::s3::error_document::error_document;
use crate::s3::form::UnsignedForm;
use crate::s3::{Bucket, Payload, Request, Signer};
use crate::scenario::definition::{Presign, Scheme, SsecHeader};
use crate::ssec::{Keyring, SsecHeaders};
use crate::target::Target;
use crate::transport::{Client, Exchange, Limits, Line, SignedRequest};

/// How long to wait before the first repetition; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(100);
/// No wait between repetitions is longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// How a request is authenticated.
#[derive(Clone, Copy)]
pub enum Signing<'a> {
    /// In the `Authorization` header, over the body in this way; `None` covers every SSE-C header that
    /// is sent.
    Header {
        covered: Option<&'a std::collections::BTreeSet<SsecHeader>>,
        payload: Payload,
    },
    /// In the query, over the values of `signed_as`.
    Query {
        presign: &'a Presign,
        signed_as: &'a SsecHeaders,
    },
    /// In the `Authorization` header, over everything, and wrong in its last digit.
    Forged,
    /// Over the policy of a form.
    Form(&'a UnsignedForm),
    /// Not at all: a browser asks whether a page may send a request of this method, to a presigned
    /// URL or another.
    Preflight {
        method: &'static str,
        presign: Option<(&'a Presign, &'a SsecHeaders)>,
    },
}

impl Signing<'_> {
    /// In the header, over everything that is sent.
    pub const EVERYTHING: Self = Self::Header {
        covered: None,
        payload: Payload::Signed,
    };
}

/// An exchange, and how often the request was sent for it.
pub struct Sent {
    pub exchange: Exchange,
    pub attempts: u32,
}

/// What a sender may do.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long one exchange may take (`--timeout`).
    pub timeout: Duration,
    /// How often a request is sent again at most (`--resends`).
    pub retries: u32,
}

/// Sends to one target; shared by reference between trials.
pub struct Sender {
    target: Arc<Target>,
    client: Client,
    http: Option<Client>,
    keyring: Arc<Keyring>,
    clock: Clock,
    patience: Patience,
    budget: Budget,
}

impl Sender {
    #[must_use]
    pub fn new(
        target: Arc<Target>,
        keyring: Arc<Keyring>,
        clock: Clock,
        patience: Patience,
    ) -> Self {
        let client = |endpoint| Client::new(endpoint, target.tls.clone());
        Self {
            client: client(target.endpoint.clone()),
            http: target.http.clone().map(client),
            target,
            keyring,
            clock,
            patience,
            budget: Budget::default(),
        }
    }

    /// The same with a limit on what it sends; without it there is none.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The bucket of that name on the target's own listener.
    #[must_use]
    pub fn bucket(&self, name: &str) -> Bucket {
        self.target
            .bucket(name, Scheme::Endpoint)
            .expect("every target has its own listener")
    }

    /// Sends a request without SSE-C, every header signed, whatever the budget: what is around the
    /// trials is not left half done.
    ///
    /// # Errors
    /// When it cannot be signed, or no answer came.
    pub async fn plain(&self, request: Request) -> Result<Sent, Error> {
        let none = SsecHeaders::default();
        let count = |body| {
            self.budget.count(body);
            Ok(())
        };
        self.repeat(&request, &none, Signing::EVERYTHING, 0, &count)
            .await
    }

    /// Sends a request with these SSE-C headers; room is made for an answer of `expected` bytes.
    ///
    /// # Errors
    /// When it cannot be signed, no answer came, or the budget is spent.
    pub async fn send(
        &self,
        request: &Request,
        ssec: &SsecHeaders,
        signing: Signing<'_>,
        expected: u64,
    ) -> Result<Sent, Error> {
        let take = |body| self.budget.take(body);
        self.repeat(request, ssec, signing, expected, &take).await
    }

    /// Sends until an answer came; `take` takes each of them out of the budget.
    async fn repeat(
        &self,
        request: &Request,
        ssec: &SsecHeaders,
        signing: Signing<'_>,
        expected: u64,
        take: &(dyn Fn(u64) -> Result<(), GivenError> + Sync),
    ) -> Result<Sent, Error> {
        let limits = Limits::within(self.patience.timeout).for_body(expected);
        let client = match &self.http {
            Some(http) if request.endpoint == *http.endpoint() => http,
            Some(_) | None => &self.client,
        };
        let mut attempts = 0;
        loop {
            // Signed anew each time: a date that was right before a wait may be wrong after it.
            let signed = self.sign(request, ssec, signing)?;
            attempts += 1;
            take(signed.body.len() as u64)?;
            let may_repeat = attempts <= self.patience.retries;
            let answered = client.send(&signed, &limits).await;
            if let Ok(exchange) = &answered {
                self.budget.received(exchange.body.len() as u64);
            }
            match answered {
                Ok(exchange) if may_repeat && asks_to_slow_down(&exchange) => {}
                Ok(exchange) => return Ok(Sent { exchange, attempts }),
                Err(error) if may_repeat && came_before_an_answer(&error) => {}
                Err(error) => return Err(error.into()),
            }
            let wait = BACKOFF.saturating_mul(2u32.saturating_pow(attempts - 1));
            tokio::time::sleep(wait.min(LONGEST_BACKOFF)).await;
        }
    }

    /// Opens a connection of the endpoint's own listener, to be kept over several exchanges.
    ///
    /// # Errors
    /// When none comes about.
    pub async fn open(&self, bucket: &Bucket) -> Result<Line, Error> {
        let (host, _) = bucket.place("");
        let limits = Limits::within(self.patience.timeout);
        Ok(self.client.open(&host, &limits).await?)
    }

    /// Sends a request over a kept connection, once.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_over(
        &self,
        line: &mut Line,
        request: &Request,
        ssec: &SsecHeaders,
        expected: u64,
    ) -> Result<Exchange, Error> {
        let limits = Limits::within(self.patience.timeout).for_body(expected);
        let mut signed = self.sign(request, ssec, Signing::EVERYTHING)?;
        for (name, value) in &mut signed.headers {
            if name.eq_ignore_ascii_case("Connection") {
                *value = b"keep-alive".to_vec();
            }
        }
        self.budget.take(signed.body.len() as u64)?;
        let exchange = line.send(&signed, &limits).await?;
        self.budget.received(exchange.body.len() as u64);
        Ok(exchange)
    }

    fn sign(
        &self,
        request: &Request,
        ssec: &SsecHeaders,
        signing: Signing<'_>,
    ) -> Result<SignedRequest, Error> {
        let signer = Signer {
            credentials: &self.target.credentials,
            region: &self.target.region,
            now: self.clock.now(),
        };
        let request = request.clone();
        match signing {
            Signing::Header { covered, payload } => {
                signer.sign_step(request, ssec, covered, payload)
            }
            Signing::Forged => {
                let mut signed = signer.sign_step(request, ssec, None, Payload::Signed)?;
                for (_, value) in signed.headers.iter_mut().filter(is_authorization) {
                    let last = value.last_mut();
                    last.into_iter()
                        .for_each(|digit| *digit = if *digit == b'0' { b'1' } else { b'0' });
                }
                Ok(signed)
            }
            Signing::Query { presign, signed_as } => {
                let signed = signer.presign_step(request, ssec, signed_as, presign)?;
                Ok(self.noted(signed))
            }
            Signing::Preflight { method, presign } => {
                Ok(self.noted(signer.preflight(request, method, presign)?))
            }
            Signing::Form(form) => {
                let signed = signer.sign_form(request, form)?;
                for signature in &signed.signatures {
                    self.keyring.note_signature(signature.as_bytes());
                }
                Ok(signed.request)
            }
        }
    }
}

impl Sender {
    /// The request, its presigned signature known to the redactor.
    fn noted(&self, signed: SignedRequest) -> SignedRequest {
        if let Some(signature) = signature_of(&signed.target) {
            self.keyring.note_signature(signature.as_bytes());
        }
        signed
    }
}

fn is_authorization((name, _): &&mut (String, Vec<u8>)) -> bool {
    name.eq_ignore_ascii_case("Authorization")
}

/// The signature in a presigned request's target: whoever has it has the object.
fn signature_of(target: &str) -> Option<&str> {
    let (_, query) = target.split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("X-Amz-Signature="))
}

fn asks_to_slow_down(exchange: &Exchange) -> bool {
    let code = || error_document(&exchange.body).and_then(|document| document.code);
    exchange.status == 503
        && (exchange.method == "HEAD" || code().is_some_and(|code| code == "SlowDown"))
}

/// Whether the target cannot have answered, so that sending again judges nothing twice.
fn came_before_an_answer(error: &TargetError) -> bool {
    match error {
        TargetError::Unreachable { .. }
        | TargetError::TimedOut {
            wait: Wait::Connection | Wait::Handshake,
            ..
        }
        | TargetError::ClosedEarly {
            at: Stage::Sending | Stage::BeforeAnswer,
        }
        | TargetError::Broken {
            at: Stage::Sending | Stage::BeforeAnswer,
            ..
        } => true,
        TargetError::NoAddress { .. }
        | TargetError::TlsUntrusted { .. }
        | TargetError::TlsHandshake { .. }
        | TargetError::TimedOut {
            wait: Wait::Sending | Wait::FirstByte | Wait::NextByte | Wait::Exchange,
            ..
        }
        | TargetError::ClosedEarly {
            at: Stage::InHead | Stage::InBody,
        }
        | TargetError::Broken {
            at: Stage::InHead | Stage::InBody,
            ..
        }
        | TargetError::Malformed { .. }
        | TargetError::TooLarge { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_before_an_answer_is_sent_again() {
        let closed = |at| TargetError::ClosedEarly { at };
        assert!(came_before_an_answer(&closed(Stage::Sending)));
        assert!(came_before_an_answer(&closed(Stage::BeforeAnswer)));
        assert!(!came_before_an_answer(&closed(Stage::InHead)));
        assert!(!came_before_an_answer(&closed(Stage::InBody)));
        let timed_out = |wait| TargetError::TimedOut {
            wait,
            limit: Duration::ZERO,
        };
        assert!(came_before_an_answer(&timed_out(Wait::Connection)));
        assert!(!came_before_an_answer(&timed_out(Wait::FirstByte)));
    }

    #[test]
    fn slow_down_is_an_error_of_503_by_that_name() {
        let slow = b"<Error><Code>SlowDown</Code></Error>";
        let down = b"<Error><Code>ServiceUnavailable</Code></Error>";
        assert!(asks_to_slow_down(&Exchange::answered(503, &[], slow)));
        assert!(!asks_to_slow_down(&Exchange::answered(503, &[], down)));
        assert!(!asks_to_slow_down(&Exchange::answered(500, &[], slow)));
    }

    #[test]
    fn a_presigned_signature_is_found_in_the_query() {
        assert_eq!(signature_of("/b/o?a=b&X-Amz-Signature=00ff"), Some("00ff"));
        assert_eq!(signature_of("/b/o"), None);
    }
}
