//! A trial as the runner sees it: decoded, expanded over its matrix, every name resolved.
//!
//! Nothing here knows YAML and nothing here does IO; `scenario/document.rs` decodes the tree,
//! `scenario/matrix.rs` expands it, and both end in these types. Captured values (`$etag`) stay
//! as [`Text::Capture`], because only the runner knows them.

mod capability;
mod form;
mod operation;
mod routine;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use capability::{CAPABILITIES, Capability, SIGHTS};
pub use form::{BucketDocument, CorsRule, Denial, Exposed, Form, FormFault, Preflight};
pub use operation::{ActsOn, LATER_OPERATIONS, OPERATIONS, Operation, Stores, Verb};
pub use routine::{Routine, Tampering, Writing};
pub use transfer::{Ambient, PAYLOADS, Payload, Presign, STYLES, Scheme, Style};

/// Where something stands in a scenario file; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Location {
    /// Path below `scenarios/`, such as `suites/get.yaml`.
    pub file: String,
    pub line: u32,
    pub column: u32,
}

/// How binding a requirement is (RFC 2119); the order is from least to most binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    May,
    Should,
    Must,
}

/// Where a requirement comes from; a case has at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A published page, and what it says in the words of the case's author or of the page.
    Doc { page: String, says: Option<String> },
    /// A recording of a real provider, such as `aws/2026-02-21/get-wrong-key`.
    Recorded(String),
    /// A public issue, such as `minio/minio#6598`.
    Issue(String),
    /// A public test suite or source file.
    Suite(String),
    /// A row of the contract table, such as `P3`.
    Contract(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Doc {
                page,
                says: Some(says),
            } => write!(f, "{page}: {says}"),
            Self::Doc { page, says: None } => f.write_str(page),
            Self::Recorded(capture) => write!(f, "recorded {capture}"),
            Self::Issue(issue) => f.write_str(issue),
            Self::Suite(suite) => f.write_str(suite),
            Self::Contract(row) => write!(f, "contract {row}"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::May => "may",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

/// A body that describes itself: its bytes are a function of the run's seed, this seed and the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodySpec {
    /// Bytes.
    pub size: u64,
    pub seed: u64,
}

/// How the 32 bytes of a named customer key are drawn (always from the operating system).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySpec {
    /// All 32 bytes have this value instead of random ones.
    pub fill: Option<u8>,
    /// Redraw until the base64 text contains this character.
    pub base64_has: Option<char>,
}

/// One bound point of a case's matrix.
#[derive(Debug, Clone)]
pub struct Trial {
    /// `suite::case[axis=label,axis=label]`, unique in a catalogue.
    pub name: String,
    pub suite: String,
    /// The case's id, kebab case.
    pub case_id: String,
    /// (axis, label) in declared order.
    pub cells: Vec<(String, String)>,
    pub title: String,
    pub level: Level,
    pub sources: Vec<Source>,
    pub needs: BTreeSet<Capability>,
    pub tags: Vec<String>,
    pub keys: BTreeMap<String, KeySpec>,
    pub bodies: BTreeMap<String, BodySpec>,
    /// Steps that must work before anything can be concluded.
    pub given: Vec<Step>,
    pub steps: Vec<Step>,
    /// Steps that are carried out only after a step has failed: recorded, and judged for leaks alone.
    pub diagnose: Vec<Step>,
    /// What is done by code, in place of steps.
    pub routine: Option<Routine>,
    pub ambient: Ambient,
    /// Where the case begins; of a routine the line of the source that declares it.
    pub at: Location,
    /// SHA-256 (hex) over the expanded requests and expectations: tells a changed case from a changed server.
    pub digest: String,
}

impl Trial {
    /// Whether it changes a bucket, and so gets one of its own.
    #[must_use]
    pub fn changes_bucket(&self) -> bool {
        let steps = self.given.iter().chain(&self.steps).chain(&self.diagnose);
        steps
            .into_iter()
            .any(|step| step.operation.verb().acts_on == ActsOn::Bucket)
    }
}

/// One scripted operation and what its answer must be.
#[derive(Debug, Clone)]
pub struct Step {
    pub operation: Operation,
    /// The object's logical name; the runner places it under the trial's own prefix. Of a copy the
    /// one that is written.
    pub object: String,
    /// The version of the object that is meant; `None` for the current one.
    pub version: Option<Text>,
    /// What is copied, by its logical name (copies only).
    pub source: Option<String>,
    /// The version of the source that is copied; `None` for the current one.
    pub source_version: Option<Text>,
    /// The objects of an operation on several, by their logical names.
    pub objects: Vec<String>,
    /// The tags that an object gets.
    pub tags: Vec<(String, String)>,
    /// What a bucket is told to do (of operations on buckets alone).
    pub setting: Option<BucketSetting>,
    /// The document that a bucket is told to keep.
    pub document: Option<BucketDocument>,
    /// The form that the step sends.
    pub form: Option<Form>,
    /// What a browser asks before it lets a page go on.
    pub preflight: Option<Preflight>,
    /// Name of a declared body (writes only).
    pub body: Option<String>,
    pub ssec: Option<Ssec>,
    /// The triple that opens the source (copies only).
    pub source_ssec: Option<Ssec>,
    /// The upload's id, as a rule captured from the answer that created it.
    pub upload: Option<Text>,
    /// `partNumber`: of the part that is sent, or that alone is read.
    pub part: Option<u32>,
    /// The parts that a completion names, in this order; `None` for all that were accepted.
    pub parts: Option<Vec<u32>>,
    /// Further request headers as they go on the wire, in order; a doubled name is sent twice.
    pub headers: Vec<(String, Text)>,
    /// The right or a wrong `Content-MD5` of the body.
    pub content_md5: Option<ContentMd5>,
    /// The right checksum of the body, of this kind.
    pub checksum: Option<Checksum>,
    pub range: Option<RangeSpec>,
    pub presign: Option<Presign>,
    /// Header authentication: which SSE-C headers the signature covers; `None` means all that are sent.
    pub sign: Option<BTreeSet<SsecHeader>>,
    pub scheme: Scheme,
    /// Where the bucket stands, whatever the run says.
    pub style: Option<Style>,
    /// How the body is signed, whatever the run says (of requests with a signature in the header).
    pub payload: Option<Payload>,
    /// Seconds in which the answer may still become what is expected (of reads alone).
    pub eventually: Option<u32>,
    pub save: Vec<Capture>,
    pub expect: Expect,
    pub at: Location,
}

/// What a bucket can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketSetting {
    /// Keep versions.
    VersionsEnabled,
    /// Keep the versions that there are, and make no further ones.
    VersionsSuspended,
    /// Take no write that asks for SSE-C.
    SsecBlocked,
    /// Take them.
    SsecAllowed,
}

/// A literal text, or a value captured by an earlier step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    Literal(String),
    Capture(String),
}

/// One header of the customer-key triple, by its alias in scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SsecHeader {
    /// `algorithm`
    Algorithm,
    /// `key`
    Key,
    /// `key-md5`
    KeyMd5,
}

/// Each header of the triple by its alias.
pub const ALIASES: [(&str, SsecHeader); 3] = [
    ("algorithm", SsecHeader::Algorithm),
    ("key", SsecHeader::Key),
    ("key-md5", SsecHeader::KeyMd5),
];

impl SsecHeader {
    /// The word of [`ALIASES`].
    #[must_use]
    pub const fn alias(self) -> &'static str {
        ALIASES[self as usize].0
    }
}

/// The triple of a step: a named key, and what is done to the headers made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssec {
    /// Name of a declared key.
    pub key: String,
    /// Headers that are not sent.
    pub drop: BTreeSet<SsecHeader>,
    pub mutate: BTreeMap<SsecHeader, Mutation>,
    /// Any bytes in place of the header's value. NUL, CR and LF cannot travel in a header and are refused when read.
    pub raw: BTreeMap<SsecHeader, Vec<u8>>,
}

/// The closed list of ways to spoil one header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// The value that another, freshly drawn key would have (`of-other-key`).
    OfOtherKey,
    Unpadded,
    UrlSafe,
    LowerCase,
    LeadingSpace,
    TrailingSpace,
    Quoted,
    /// The header is sent with no value.
    Empty,
    /// Base64 of the base64 text: a key of 44 bytes. The MD5, unless mutated itself, follows the bytes that the key decodes to.
    DoubleBase64,
    /// A key of that many bytes with its own right MD5 (for `key`), or a digest cut or grown to that many bytes (for `key-md5`).
    Length(u16),
    NotBase64,
    /// The header stands twice with the same value (`twice`).
    Twice,
    /// The header stands twice, the second time with another key's value (`twice-other`).
    TwiceOther,
    /// `key-md5` as the OVHcloud guide of April 2022 makes it: 33 bytes (`guide-recipe`).
    GuideRecipe,
    /// `key-md5` as 32 hex digits (`hex`).
    Hex,
    /// `key-md5` as base64 of the 32 hex digits (`base64-of-hex`).
    Base64OfHex,
    /// `key-md5` of the base64 text instead of the raw key (`of-text`).
    OfText,
}

/// The checksums that S3 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checksum {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// Each checksum by the word that steps and headers use.
pub const CHECKSUMS: [(&str, Checksum); 5] = [
    ("crc32", Checksum::Crc32),
    ("crc32c", Checksum::Crc32c),
    ("crc64nvme", Checksum::Crc64Nvme),
    ("sha1", Checksum::Sha1),
    ("sha256", Checksum::Sha256),
];

impl Checksum {
    /// The word of [`CHECKSUMS`].
    #[must_use]
    pub const fn word(self) -> &'static str {
        CHECKSUMS[self as usize].0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentMd5 {
    Right,
    Wrong,
}

/// `Range: bytes=…` of the plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeSpec {
    /// `first-last`, inclusive.
    Bounded { first: u64, last: u64 },
    /// `first-`
    From { first: u64 },
    /// `-length`
    Suffix { length: u64 },
}

impl fmt::Display for RangeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounded { first, last } => write!(f, "{first}-{last}"),
            Self::From { first } => write!(f, "{first}-"),
            Self::Suffix { length } => write!(f, "-{length}"),
        }
    }
}

/// A value kept for later steps as `$name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    pub name: String,
    pub from: CaptureFrom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureFrom {
    /// `header.Name`
    Header(String),
    /// `xml.Path`, elements below the root separated by dots.
    Xml(String),
    /// `status`
    Status,
    /// `body.sha256`
    BodySha256,
}

/// What the answer of a step must be.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Name of an outcome in `outcomes.yaml`, or `None` for `observe`.
    pub outcome: Option<String>,
    pub echo: Option<Echo>,
    /// The body is the concatenation of these (cut to the step's range).
    pub body: Option<Vec<Piece>>,
    /// `Content-Length` is the size of this body (cut to the step's range).
    pub length_of: Option<String>,
    /// The entity tag equals this captured one.
    pub etag: Option<Text>,
    /// The entity tag is what the dialect's fact says: opaque, or the MD5 of the plaintext (`etag-fact: true`).
    pub etag_fact: bool,
    /// The answer shows this checksum of this body.
    pub checksum: Option<(Checksum, String)>,
    /// Texts of the answer's document, by path below its root.
    pub xml: Vec<(String, Text)>,
    /// Response headers that must have exactly this value.
    pub headers: Vec<(String, Text)>,
    /// Response headers that must not be there.
    pub absent: Vec<String>,
    /// What of the answer a page of the request's origin may read.
    pub exposes: Option<Exposed>,
    /// Entries that a list must hold; of a list of parts by their numbers.
    pub entries: Vec<Entry>,
    /// Names of which the list must hold none.
    pub missing: Vec<String>,
    /// One-off answers of single dialects, each with evidence.
    pub dialect: BTreeMap<String, OneOff>,
    pub at: Location,
}

/// A declared body, or a range of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub body: String,
    /// As a copied part has it.
    pub range: Option<RangeSpec>,
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            None => f.write_str(&self.body),
            Some(range) => write!(f, "{} {range}", self.body),
        }
    }
}

/// The SSE-C response pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Echo {
    /// Algorithm and key MD5 come back and are this key's. Missing counts as should, another key's MD5 as must.
    Key(String),
    /// Neither comes back (must: an echo on an object that is not SSE-C is false).
    None,
}

/// One entry of a list answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub object: String,
    pub size_of: Option<String>,
    pub etag: Option<Text>,
    /// Its version id (of lists of versions alone, as the next two).
    pub version: Option<Text>,
    /// Whether it is a delete marker.
    pub marker: Option<bool>,
    /// Whether it is the current one.
    pub latest: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOff {
    pub status: u16,
    pub code: Option<String>,
    pub evidence: Vec<Source>,
}
