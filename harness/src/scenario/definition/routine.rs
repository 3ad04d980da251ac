//! Trials that are code: what each does, by closed lists.

/// What a trial does that no step can say: it looks at the target's files or log, or sends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Routine {
    /// No plaintext at rest after this way of writing.
    PlaintextAtRest(Writing),
    /// No customer key at rest.
    KeyAtRest,
    /// No MD5 of a customer key at rest.
    KeyMd5AtRest,
    /// No digest of the plaintext at rest.
    DigestAtRest,
    /// The same body twice leaves no equal bytes at rest.
    TwiceAtRest,
    /// Changed bytes at rest are never served.
    Tampering(Tampering),
    /// Requests at once, with different keys.
    Isolation,
    /// No customer key in the log.
    KeyInLog,
}

/// A way in which an object comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writing {
    /// One PUT of a body that a store may keep beside its metadata.
    Small,
    /// One PUT of a body that it does not.
    Large,
    /// An upload in parts.
    Parts,
    /// A copy under another key.
    Copy,
}

/// What is done to stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tampering {
    /// One bit is another one.
    Flip,
    /// Two stretches change places.
    Swap,
    /// The end is missing, or there is more.
    Cut,
    /// Two objects change bodies.
    Exchange,
}
