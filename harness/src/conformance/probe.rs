//! What the target offers, settled by trying it before any trial is listed, so that what is missing
//! is told as missing and never as passed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::fixture::Fixture;
use super::judge;
use super::preflight::{Answer, NotReady, blame, blocks_ssec};
use super::sender::{Sender, Sent, Signing};
use super::session::{Offer, Support};
use super::setting::{BLOCKED, settings};
use crate::error::Error;
use crate::evidence::Redactor;
use crate::payload;
use crate::random::Seed;
use crate::s3::error_document::{error_document, value_at};
use crate::s3::{Bucket, Payload, Request, Style, operation};
use crate::scenario::definition::{BodySpec, Capability, KeySpec, Presign};
use crate::ssec::{Keyring, SsecHeaders, TrialKeys};
use crate::target::Target;
use crate::target::known::{Known, TOLD};

/// Requests that try a capability, without the removals of what they leave, and how many objects
/// those are. What is left of an upload takes one request in any bucket.
const TRIES: [(Capability, u64, u64); 17] = [
    (Capability::Presign, 1, 0),
    (Capability::SseC, 2, 1),
    (Capability::Copy, 1, 1),
    (Capability::Multipart, 2, 0),
    (Capability::CopySsec, 1, 1),
    (Capability::ListUploads, 1, 0),
    (Capability::PartNumber, 5, 1),
    (Capability::Checksums, 2, 1),
    (Capability::ManagedEncryption, 1, 1),
    (Capability::Attributes, 1, 0),
    (Capability::Tagging, 1, 0),
    (Capability::BatchDelete, 3, 1),
    (Capability::PathStyle, 1, 0),
    (Capability::VirtualHost, 1, 0),
    (Capability::UnsignedPayload, 2, 1),
    (Capability::ChunkedPayload, 2, 1),
    (Capability::PostForm, 2, 1),
];

/// How many requests [`probe`] sends to a target that can do everything; `removal` is what the removal
/// of one object takes.
#[must_use]
pub fn requests(known: &Known, removal: u64) -> u64 {
    let asked = |capability: &Capability| known.asks_for(*capability);
    let tries = TRIES.iter().filter(|(capability, ..)| asked(capability));
    let tries = tries.map(|(_, requests, objects)| requests + objects * removal);
    let plain = 1 + removal;
    let own = if known.asks_for(Capability::OwnBucket) {
        // It is made and removed, and each setting is put and got.
        2 + 2 * TOLD.iter().filter(|told| asked(told)).count() as u64
    } else {
        0
    };
    plain + tries.sum::<u64>() + own
}

/// Tries what the target offers, in the run's bucket, and removes what it wrote.
///
/// # Errors
/// When not even a plain object can be written, or no answer came.
pub async fn probe(fixture: &Fixture, keyring: &Keyring) -> Result<Offer, NotReady> {
    let ground = fixture.ground("preflight", false);
    let keys = keyring
        .draw_named("preflight", &[(KEY, KeySpec::default())])
        .map_err(Error::from)?;
    let probe = Probe {
        fixture,
        folder: &ground.folder,
        redactor: Redactor::new(keyring, &fixture.sender().target().credentials),
        keys,
    };
    let offer = probe.try_all().await;
    fixture.remove_ground(&ground).await?;
    offer
}

/// The name of the key of what is sealed.
const KEY: &str = "probe";

/// One folder of the run's bucket in which everything is tried. No `Debug`: it holds a key.
pub(super) struct Probe<'a> {
    pub(super) fixture: &'a Fixture,
    folder: &'a str,
    redactor: Redactor<'a>,
    pub(super) keys: TrialKeys,
}

impl Probe<'_> {
    async fn try_all(&self) -> Result<Offer, NotReady> {
        let plain = self.write("plain")?;
        let put = operation::put_object(&self.bucket(), &plain, Self::body());
        let sent = self.plain(put).await?;
        if !is_success(&sent) {
            let refused = blame(self.target(), self.fixture.bucket(), &self.answer(&sent));
            return Err(refused.into());
        }
        let mut offer = BTreeMap::new();
        for (capability, ..) in TRIES {
            if self.target().asks_for(capability)
                && let Some(support) = self.support(capability).await?
            {
                offer.insert(capability, support);
            }
        }
        offer.extend(self.own_buckets().await?);
        Ok(Offer::new(offer))
    }

    /// What becomes of a capability when it is tried here; `None` of what is settled elsewhere.
    async fn support(&self, capability: Capability) -> Result<Option<Support>, NotReady> {
        Ok(Some(match capability {
            Capability::Presign => self.presigned().await?,
            Capability::SseC => self.seals().await?,
            Capability::Copy => self.copies().await?,
            Capability::Multipart => self.uploads().await?,
            Capability::CopySsec => self.copies_sealed().await?,
            Capability::ListUploads => self.lists_uploads().await?,
            Capability::PartNumber => self.parts_by_number().await?,
            Capability::Checksums => self.checksums().await?,
            Capability::ManagedEncryption => self.managed().await?,
            Capability::Attributes => self.attributes().await?,
            Capability::Tagging => self.tags().await?,
            Capability::BatchDelete => self.batches().await?,
            Capability::PathStyle => self.style(Style::Path).await?,
            Capability::VirtualHost => self.style(Style::VirtualHost).await?,
            Capability::UnsignedPayload => self.payload(Payload::Unsigned).await?,
            Capability::ChunkedPayload => self.payload(Payload::Chunked).await?,
            Capability::PostForm => self.forms().await?,
            Capability::Versioning
            | Capability::BlockedEncryption
            | Capability::Cors
            | Capability::BucketPolicy
            | Capability::OwnBucket
            | Capability::PlainHttp
            | Capability::DataDir
            | Capability::ServerLog => return Ok(None),
        }))
    }

    /// What is written to be read again.
    pub(super) fn body() -> Bytes {
        payload::body(Seed(0), BodySpec { size: 64, seed: 0 })
    }

    pub(super) fn sender(&self) -> &Sender {
        self.fixture.sender()
    }

    fn target(&self) -> &Target {
        self.sender().target()
    }

    pub(super) fn bucket(&self) -> Bucket {
        self.sender().bucket(self.fixture.bucket())
    }

    /// The name of an object here, as the target calls it; with no name the folder.
    pub(super) fn object(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// The same of one that is about to be written.
    pub(super) fn write(&self, name: &str) -> Result<String, NotReady> {
        let object = self.object(name);
        self.fixture.about_to_put(self.fixture.bucket(), &object)?;
        Ok(object)
    }

    /// The three headers of the key of what is sealed.
    pub(super) fn triple(&self) -> Result<SsecHeaders, NotReady> {
        Ok(SsecHeaders::right(KEY, &self.keys).map_err(Error::from)?)
    }

    pub(super) async fn plain(&self, request: Request) -> Result<Sent, NotReady> {
        Ok(self.sender().plain(request).await?)
    }

    fn answer(&self, sent: &Sent) -> Answer {
        Answer::of(&sent.exchange, &self.redactor, self.sender().clock().now())
    }

    /// The words of an answer.
    pub(super) fn words(&self, sent: &Sent) -> String {
        self.answer(sent).words()
    }

    pub(super) fn refused(&self, sent: &Sent) -> Support {
        Support::Refused(self.words(sent))
    }

    pub(super) fn supported(&self, sent: &Sent) -> Support {
        if is_success(sent) {
            Support::Works
        } else {
            self.refused(sent)
        }
    }

    /// Whether a plain object can be read by a presigned URL.
    async fn presigned(&self) -> Result<Support, NotReady> {
        let none = SsecHeaders::default();
        let presign = Presign {
            sign: BTreeSet::new(),
            query: BTreeSet::new(),
            signed_as: None,
            expires: 300,
            age: 0,
        };
        let query = Signing::Query {
            presign: &presign,
            signed_as: &none,
        };
        let get = operation::get_object(&self.bucket(), &self.object("plain"));
        let sent = self.sender().send(&get, &none, query, 0).await?;
        Ok(self.supported(&sent))
    }

    /// Whether an object can be written with a key, and is not read without it.
    async fn seals(&self) -> Result<Support, NotReady> {
        let (bucket, triple) = (self.bucket(), self.triple()?);
        let object = self.write("sealed")?;
        let put = operation::put_object(&bucket, &object, Self::body());
        let keyed = Signing::EVERYTHING;
        let mut sent = self.sender().send(&put, &triple, keyed, 0).await?;
        if !is_success(&sent) && self.unblock(&bucket).await? {
            sent = self.sender().send(&put, &triple, keyed, 0).await?;
        }
        if !is_success(&sent) {
            return Ok(self.refused(&sent));
        }
        let read = self.plain(operation::get_object(&bucket, &object)).await?;
        Ok(if judge::keyless_read(read.exchange.status, "").ok {
            Support::Works
        } else {
            Support::Ignored
        })
    }

    /// Allows SSE-C in the run's own bucket where that blocks it, as new buckets of Amazon S3 do; false
    /// where the bucket says nothing of it.
    async fn unblock(&self, bucket: &Bucket) -> Result<bool, NotReady> {
        let sent = self.plain(operation::get_encryption(bucket)).await?;
        if value_at(&sent.exchange.body, BLOCKED).as_deref() != Some("SSE-C") {
            return Ok(false);
        }
        if self.target().bucket.is_some() {
            // Somebody else's bucket is not changed.
            return Err(blocks_ssec(&bucket.name, "").into());
        }
        match self.fixture.allow_ssec(bucket).await? {
            Ok(()) => Ok(true),
            Err(why) => {
                let why = format!(", and allowing it was answered {why}");
                Err(blocks_ssec(&bucket.name, &why).into())
            }
        }
    }

    /// Whether a plain object can be copied.
    async fn copies(&self) -> Result<Support, NotReady> {
        let bucket = self.bucket();
        let object = self.write("copy")?;
        let source = operation::copy_source(&bucket, &self.object("plain"));
        let copy = operation::copy_object(&bucket, &object, &source);
        Ok(self.supported(&self.plain(copy).await?))
    }

    /// Whether an upload in parts can be begun and given up.
    async fn uploads(&self) -> Result<Support, NotReady> {
        Ok(self.supported(&self.begin_upload(&self.object("upload")).await?))
    }

    /// Begins an upload, so that it is given up at the end.
    pub(super) async fn begin_upload(&self, object: &str) -> Result<Sent, NotReady> {
        let bucket = self.bucket();
        self.fixture.about_to_create_upload(&bucket.name, object)?;
        let sent = self
            .plain(operation::create_upload(&bucket, object))
            .await?;
        self.fixture
            .upload_answered(&bucket.name, object, &sent.exchange)?;
        Ok(sent)
    }

    /// Whether the run may make further buckets, and what such a one can be told.
    async fn own_buckets(&self) -> Result<Vec<(Capability, Support)>, NotReady> {
        if !self.target().asks_for(Capability::OwnBucket) {
            return Ok(Vec::new());
        }
        let ground = self.fixture.ground("preflight", true);
        if let Err(why) = self.fixture.make_own(&ground).await? {
            let refused = Support::Refused(format!("no bucket of its own: {why}"));
            let all = TOLD.into_iter().chain([Capability::OwnBucket]);
            return Ok(all.map(|one| (one, refused.clone())).collect());
        }
        let mut offer = vec![(Capability::OwnBucket, Support::Works)];
        for setting in settings(&self.sender().bucket(&ground.bucket)) {
            let capability = setting.capability;
            if self.target().asks_for(capability) {
                offer.push((capability, setting.holds(self).await?));
            }
        }
        self.fixture.remove_ground(&ground).await?;
        Ok(offer)
    }
}

pub(super) fn is_success(sent: &Sent) -> bool {
    let document = error_document(&sent.exchange.body);
    (200..300).contains(&sent.exchange.status) && document.is_none_or(|d| d.root != "Error")
}
