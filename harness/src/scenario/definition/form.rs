//! What steps say of forms, of pages of another origin, and of the documents that a bucket keeps.

use std::collections::BTreeSet;

use super::SsecHeader;

/// A form that stores an object (POST Object), beside its SSE-C fields and its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Further fields, in order. The policy demands each as it is sent.
    pub fields: Vec<(String, String)>,
    /// Fields that the policy says nothing of.
    pub uncovered: Vec<(String, String)>,
    /// SSE-C fields of which the policy says that the form may have them; `None` for all that are
    /// sent.
    pub cover: Option<BTreeSet<SsecHeader>>,
    /// The policy demands algorithm and key MD5 of this key, whatever the form sends. Never the key
    /// itself: whoever gets the form can read its policy.
    pub signed_as: Option<String>,
    /// Values that the policy demands of fields in place of those that are sent.
    pub demand: Vec<(String, String)>,
    /// How long the policy lets the file be, bytes, both ends included.
    pub length: Option<(u64, u64)>,
    /// Seconds from the signature to the end of the policy.
    pub expires: u32,
    /// How long ago it was signed, seconds; above `expires` it has expired.
    pub age: u32,
    pub fault: Option<FormFault>,
}

/// What is done to a form after it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormFault {
    /// The policy lets it live longer.
    Policy,
    /// The signature is wrong in its last digit.
    Signature,
    /// The body ends within the file: no delimiter follows.
    Cut,
}

/// The question of a browser whether a page of another origin may send a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// Of the page, such as `https://page.example`.
    pub origin: String,
    /// Of the request that the page wants to send.
    pub method: &'static str,
    /// The names of its headers.
    pub headers: Vec<String>,
}

/// What of an answer a page may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposed {
    /// Nothing: the page is not told that the answer is for it.
    Nothing,
    /// The body, and these headers beside those that every page may read.
    Headers(Vec<String>),
}

/// A document that a bucket is told to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketDocument {
    /// CORS rules, in order.
    Cors(Vec<CorsRule>),
    /// A policy of these statements.
    Policy(Vec<Denial>),
}

/// One rule: which page may send what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorsRule {
    pub origins: Vec<String>,
    pub methods: Vec<&'static str>,
    /// Names or patterns of request headers.
    pub headers: Vec<String>,
    /// Names of response headers that a page may read.
    pub expose: Vec<String>,
    /// Seconds for which a browser may keep the answer.
    pub max_age: Option<u32>,
}

/// A statement that denies something to everybody, on all objects of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Such as `s3:PutObject`.
    pub actions: Vec<String>,
    /// Operator, condition key and values: all have to hold.
    pub conditions: Vec<(String, String, Vec<String>)>,
}
