//! What a bucket can be told, and whether it then says that it was.

use super::preflight::NotReady;
use super::probe::{Probe, is_success};
use super::session::Support;
use crate::s3::error_document::value_at;
use crate::s3::{Bucket, Request, bucket_document, operation};
use crate::scenario::definition::{Capability, CorsRule, Denial};

/// The setting of a bucket that blocks SSE-C, in the answer about its encryption.
pub(super) const BLOCKED: &str = "Rule.BlockedEncryptionTypes.EncryptionType";

/// What a bucket is told: to keep versions, to block SSE-C, to keep a rule and a policy.
pub(super) fn settings(bucket: &Bucket) -> [Setting; 4] {
    let versioning = Setting {
        capability: Capability::Versioning,
        put: operation::put_versioning(bucket, "Enabled"),
        get: operation::get_versioning(bucket),
        holds: |body| value_at(body, "Status").as_deref() == Some("Enabled"),
        name: "versioning",
    };
    let blocked = Setting {
        capability: Capability::BlockedEncryption,
        put: operation::put_encryption(bucket, "SSE-C"),
        get: operation::get_encryption(bucket),
        holds: |body| {
            let seen = value_at(body, BLOCKED);
            seen.as_deref() == Some("SSE-C")
        },
        name: "blocking SSE-C",
    };
    let rule = CorsRule {
        origins: vec!["https://page.example".to_owned()],
        methods: vec!["PUT"],
        ..CorsRule::default()
    };
    let cors = Setting {
        capability: Capability::Cors,
        put: bucket_document::put_cors(bucket, &[rule]),
        get: bucket_document::cors("GET", bucket),
        holds: |body| value_at(body, "CORSRule.AllowedMethod").as_deref() == Some("PUT"),
        name: "a CORS rule",
    };
    // Aborting an upload that is not there is nothing that this run does.
    let denial = Denial {
        actions: vec!["s3:AbortMultipartUpload".to_owned()],
        conditions: Vec::new(),
    };
    let policy = Setting {
        capability: Capability::BucketPolicy,
        put: bucket_document::put_policy(bucket, &[denial]),
        get: bucket_document::policy("GET", bucket),
        holds: |body| String::from_utf8_lossy(body).contains("s3:AbortMultipartUpload"),
        name: "a policy",
    };
    [versioning, blocked, cors, policy]
}

/// Something that a bucket is told and then asked about.
pub(super) struct Setting {
    pub(super) capability: Capability,
    put: Request,
    get: Request,
    /// Whether the answer to `get` says that it was set.
    holds: fn(&[u8]) -> bool,
    name: &'static str,
}

impl Setting {
    /// Whether the bucket does as it is told. To take the request and do nothing is to refuse it:
    /// no trial could be judged.
    pub(super) async fn holds(self, probe: &Probe<'_>) -> Result<Support, NotReady> {
        let sent = probe.plain(self.put).await?;
        if !is_success(&sent) {
            return Ok(probe.refused(&sent));
        }
        let sent = probe.plain(self.get).await?;
        Ok(if (self.holds)(&sent.exchange.body) {
            Support::Works
        } else {
            Support::Refused(format!("{} was set, and is not", self.name))
        })
    }
}
