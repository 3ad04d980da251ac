//! What a target may be unable to do, so that a trial is not run there.

/// What a target must be able to do for a trial to be run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    SseC,
    Presign,
    Copy,
    /// CopyObject of an SSE-C object: some do all of SSE-C but this.
    CopySsec,
    Multipart,
    /// ListMultipartUploads.
    ListUploads,
    /// One part of an object can be read by its number.
    PartNumber,
    /// A checksum that comes with a body (`x-amz-checksum-…`) is kept and shown.
    Checksums,
    /// The provider's own encryption can be asked for by its name (SSE-S3).
    ManagedEncryption,
    Versioning,
    /// GetObjectAttributes.
    Attributes,
    Tagging,
    /// DeleteObjects.
    BatchDelete,
    /// A bucket can be told to block SSE-C (`BlockedEncryptionTypes`).
    BlockedEncryption,
    /// POST Object: a form stores an object.
    PostForm,
    /// A bucket keeps CORS rules.
    Cors,
    /// A bucket keeps a policy.
    BucketPolicy,
    /// The run may make buckets: a trial that changes its bucket gets one of its own.
    OwnBucket,
    /// A second listener without TLS (`--http-endpoint`; the bundled target has one).
    PlainHttp,
    /// Buckets can be named in the path.
    PathStyle,
    /// Buckets can be named in the host, under the endpoint's domain or `--vhost-domain`.
    VirtualHost,
    /// A signature may leave the body out (`UNSIGNED-PAYLOAD`).
    UnsignedPayload,
    /// Bodies may come in signed chunks (aws-chunked).
    ChunkedPayload,
    /// Its files can be read and changed (`--data-dir`; the bundled target's are known).
    DataDir,
    /// Its log can be read (`--server-log`; the bundled target's is kept).
    ServerLog,
}

/// What scenarios may need, each by its word.
pub const CAPABILITIES: [(&str, Capability); 23] = [
    ("sse-c", Capability::SseC),
    ("presign", Capability::Presign),
    ("copy", Capability::Copy),
    ("copy-ssec", Capability::CopySsec),
    ("multipart", Capability::Multipart),
    ("list-uploads", Capability::ListUploads),
    ("part-number", Capability::PartNumber),
    ("checksums", Capability::Checksums),
    ("managed-encryption", Capability::ManagedEncryption),
    ("versioning", Capability::Versioning),
    ("attributes", Capability::Attributes),
    ("tagging", Capability::Tagging),
    ("batch-delete", Capability::BatchDelete),
    ("blocked-encryption", Capability::BlockedEncryption),
    ("post-form", Capability::PostForm),
    ("cors", Capability::Cors),
    ("bucket-policy", Capability::BucketPolicy),
    ("own-bucket", Capability::OwnBucket),
    ("plain-http", Capability::PlainHttp),
    ("path-style", Capability::PathStyle),
    ("virtual-host", Capability::VirtualHost),
    ("unsigned-payload", Capability::UnsignedPayload),
    ("chunked-payload", Capability::ChunkedPayload),
];

/// What can be seen of a target besides its answers, each by its word.
pub const SIGHTS: [(&str, Capability); 2] = [
    ("data-dir", Capability::DataDir),
    ("server-log", Capability::ServerLog),
];

impl Capability {
    /// As files and records have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        let mut all = CAPABILITIES.iter().chain(&SIGHTS);
        let found = all.find(|(_, capability)| *capability == self);
        found.map_or("", |(word, _)| word)
    }
}
