//! What the target offers, settled by trying it before any trial is listed, so that what is missing
//! is told as missing and never as passed.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::feature;
use super::fixture::Fixture;
use super::form;
use super::judge;
use super::preflight::{Answer, NotReady, blame, blocks_ssec};
use super::sender::{Sent, Signing};
use super::session::{Offer, Support};
use super::setting::{BLOCKED, settings};
use crate::error::Error;
use crate::evidence::Redactor;
use crate::payload;
use crate::random::Seed;
use crate::s3::error_document::{error_document, value_at};
use crate::s3::{Bucket, Payload, Request, Style, operation};
use crate::scenario::definition::{BodySpec, Capability, Form, KeySpec, Presign};
use crate::ssec::{Keyring, SsecHeaders};
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
    let offer = try_all(fixture, keyring, &ground.folder).await;
    fixture.remove_ground(&ground).await?;
    offer
}

async fn try_all(fixture: &Fixture, keyring: &Keyring, folder: &str) -> Result<Offer, NotReady> {
    let sender = fixture.sender();
    let target = sender.target();
    let redactor = Redactor::new(keyring, &target.credentials);
    let answer = |sent: &Sent| Answer::of(&sent.exchange, &redactor, sender.clock().now());
    let bucket = sender.bucket(fixture.bucket());
    let body = payload::body(Seed(0), BodySpec { size: 64, seed: 0 });

    let plain = format!("{folder}plain");
    fixture.about_to_put(fixture.bucket(), &plain)?;
    let put = operation::put_object(&bucket, &plain, body.clone());
    let sent = sender.plain(put).await?;
    if !is_success(&sent) {
        return Err(blame(target, fixture.bucket(), &answer(&sent)).into());
    }

    let mut offer = BTreeMap::new();
    let none = SsecHeaders::default();
    let presign = Presign {
        sign: std::collections::BTreeSet::new(),
        query: std::collections::BTreeSet::new(),
        signed_as: None,
        expires: 300,
        age: 0,
    };
    let query = Signing::Query {
        presign: &presign,
        signed_as: &none,
    };
    if target.asks_for(Capability::Presign) {
        let get = operation::get_object(&bucket, &plain);
        let sent = sender.send(&get, &none, query, 0).await?;
        offer.insert(Capability::Presign, supported(&sent, &answer));
    }

    let keys = keyring
        .draw_named("preflight", &[("probe", KeySpec::default())])
        .map_err(Error::from)?;
    let triple = SsecHeaders::right("probe", &keys).map_err(Error::from)?;
    let sealed = format!("{folder}sealed");
    let sse_c = seals(fixture, &sealed, &triple, &body, &answer).await?;
    offer.insert(Capability::SseC, sse_c);
    if target.asks_for(Capability::Copy) {
        offer.insert(Capability::Copy, copies(fixture, folder, &answer).await?);
    }
    if target.asks_for(Capability::Multipart) {
        let multipart = uploads(fixture, folder, &answer).await?;
        offer.insert(Capability::Multipart, multipart);
    }
    offer.extend(feature::try_each(fixture, folder, &triple, &answer).await?);
    offer.extend(own_buckets(fixture, &answer).await?);
    offer.extend(by_document(fixture, folder, &answer).await?);
    offer.extend(ways(fixture, folder, &body, &answer).await?);
    let forms = forms(fixture, keyring, folder, &answer).await?;
    offer.extend(forms.map(|forms| (Capability::PostForm, forms)));
    Ok(Offer::new(offer))
}

/// Whether an object can be written with a key, and is not read without it.
async fn seals(
    fixture: &Fixture,
    object: &str,
    triple: &SsecHeaders,
    body: &Bytes,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    fixture.about_to_put(fixture.bucket(), object)?;
    let put = operation::put_object(&bucket, object, body.clone());
    let keyed = Signing::EVERYTHING;
    let mut sent = sender.send(&put, triple, keyed, 0).await?;
    if !is_success(&sent) && unblock(fixture, &bucket).await? {
        sent = sender.send(&put, triple, keyed, 0).await?;
    }
    if !is_success(&sent) {
        return Ok(Support::Refused(answer(&sent).words()));
    }
    let keyless = operation::get_object(&bucket, object);
    let read = sender.plain(keyless).await?;
    Ok(if judge::keyless_read(read.exchange.status, "").ok {
        Support::Works
    } else {
        Support::Ignored
    })
}

/// Allows SSE-C in the run's own bucket where that blocks it, as new buckets of Amazon S3 do; false
/// where the bucket says nothing of it.
async fn unblock(fixture: &Fixture, bucket: &Bucket) -> Result<bool, NotReady> {
    let sender = fixture.sender();
    let sent = sender.plain(operation::get_encryption(bucket)).await?;
    if value_at(&sent.exchange.body, BLOCKED).as_deref() != Some("SSE-C") {
        return Ok(false);
    }
    if sender.target().bucket.is_some() {
        // Somebody else's bucket is not changed.
        return Err(blocks_ssec(fixture.bucket(), "").into());
    }
    match fixture.allow_ssec(bucket).await? {
        Ok(()) => Ok(true),
        Err(why) => {
            let why = format!(", and allowing it was answered {why}");
            Err(blocks_ssec(fixture.bucket(), &why).into())
        }
    }
}

/// How requests may travel: where the bucket stands, and how a body is signed.
async fn ways(
    fixture: &Fixture,
    folder: &str,
    body: &Bytes,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Vec<(Capability, Support)>, NotReady> {
    let sender = fixture.sender();
    let own = sender.bucket(fixture.bucket());
    let plain = format!("{folder}plain");
    let mut offer = Vec::new();
    let styles = [
        (Capability::PathStyle, Style::Path),
        (Capability::VirtualHost, Style::VirtualHost),
    ];
    let asked = |capability| sender.target().asks_for(capability);
    for (capability, style) in styles.into_iter().filter(|(way, _)| asked(*way)) {
        let bucket = Bucket {
            style,
            ..own.clone()
        };
        let support = match sender.plain(operation::get_object(&bucket, &plain)).await {
            Ok(sent) if is_success(&sent) && sent.exchange.body != body => {
                Support::Refused("answered with something else than the object".to_owned())
            }
            Ok(sent) => supported(&sent, answer),
            // No certificate for that host, or no such host at all: nothing else was asked anew.
            Err(error) => Support::Refused(error.to_string()),
        };
        offer.push((capability, support));
    }
    let payloads = [
        (Capability::UnsignedPayload, Payload::Unsigned),
        (Capability::ChunkedPayload, Payload::Chunked),
    ];
    for (capability, payload) in payloads.into_iter().filter(|(way, _)| asked(*way)) {
        let object = format!("{folder}{}", payload.word());
        fixture.about_to_put(fixture.bucket(), &object)?;
        let put = operation::put_object(&own, &object, body.clone());
        let signing = Signing::Header {
            covered: None,
            payload,
        };
        let sent = sender
            .send(&put, &SsecHeaders::default(), signing, 0)
            .await?;
        let mut support = supported(&sent, answer);
        if support == Support::Works {
            let read = sender.plain(operation::get_object(&own, &object)).await?;
            if read.exchange.body != body {
                // The chunks were taken for the body: each trial shows it.
                support = Support::Ignored;
            }
        }
        offer.push((capability, support));
    }
    Ok(offer)
}

/// Whether a plain object can be copied.
async fn copies(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}copy");
    fixture.about_to_put(fixture.bucket(), &object)?;
    let source = operation::copy_source(&bucket, &format!("{folder}plain"));
    let sent = sender
        .plain(operation::copy_object(&bucket, &object, &source))
        .await?;
    Ok(supported(&sent, answer))
}

/// Whether a plain form stores an object: some answer what they do not know with a success.
async fn forms(
    fixture: &Fixture,
    keyring: &Keyring,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Option<Support>, NotReady> {
    let sender = fixture.sender();
    if !sender.target().asks_for(Capability::PostForm) {
        return Ok(None);
    }
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}form");
    fixture.about_to_put(fixture.bucket(), &object)?;
    let described = Form {
        expires: 300,
        ..Form::default()
    };
    let none = SsecHeaders::default();
    let parts = form::Parts {
        bucket: &bucket,
        object: &object,
        sent: &none,
        file: payload::body(Seed(0), BodySpec { size: 64, seed: 0 }),
    };
    let keys = keyring.draw_named("preflight", &[]).map_err(Error::from)?;
    let form = form::unsigned(&described, parts, &keys).map_err(Error::from)?;
    let request = Request::new("POST", &bucket, "");
    let sent = sender
        .send(&request, &none, Signing::Form(&form), 0)
        .await?;
    let support = supported(&sent, answer);
    if support != Support::Works {
        return Ok(Some(support));
    }
    let read = sender
        .plain(operation::head_object(&bucket, &object))
        .await?;
    Ok(Some(if is_success(&read) {
        Support::Works
    } else {
        Support::Refused("a form was accepted and stored nothing".to_owned())
    }))
}

/// Whether an upload in parts can be begun and given up.
async fn uploads(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}upload");
    fixture.about_to_create_upload(fixture.bucket(), &object)?;
    let sent = sender
        .plain(operation::create_upload(&bucket, &object))
        .await?;
    fixture.upload_answered(fixture.bucket(), &object, &sent.exchange)?;
    Ok(supported(&sent, answer))
}

/// What is in the document of an operation and in no other's.
#[derive(Clone, Copy)]
enum Shows {
    /// The name of the root.
    Root(&'static str),
    /// A child of the root.
    Element(&'static str),
}

impl Shows {
    const fn name(self) -> &'static str {
        match self {
            Self::Root(name) | Self::Element(name) => name,
        }
    }

    fn is_in(self, body: &[u8]) -> bool {
        match self {
            Self::Root(name) => error_document(body).is_some_and(|document| document.root == name),
            Self::Element(name) => value_at(body, name).is_some(),
        }
    }
}

/// What a target shows that it can do by its document: some take a query that they do not know for
/// none, and answer another operation.
async fn by_document(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Vec<(Capability, Support)>, NotReady> {
    let bucket = fixture.sender().bucket(fixture.bucket());
    let plain = format!("{folder}plain");
    let tries = [
        (
            Capability::Attributes,
            operation::get_attributes(&bucket, &plain),
            // MinIO begins the name of the root with a small letter, and no client of AWS minds.
            Shows::Element("ObjectSize"),
        ),
        (
            Capability::Tagging,
            operation::tagging("GET", &bucket, &plain),
            Shows::Root("Tagging"),
        ),
    ];
    let mut offer = Vec::new();
    let target = fixture.sender().target();
    for (capability, request, shows) in tries {
        if !target.asks_for(capability) {
            continue;
        }
        let sent = fixture.sender().plain(request).await?;
        offer.push((capability, answered_with(&sent, shows, answer)));
    }
    if target.asks_for(Capability::BatchDelete) {
        let batch = batches(fixture, folder, answer).await?;
        offer.push((Capability::BatchDelete, batch));
    }
    Ok(offer)
}

/// Whether it was answered, with the document that shows it.
fn answered_with(sent: &Sent, shows: Shows, answer: &impl Fn(&Sent) -> Answer) -> Support {
    let support = supported(sent, answer);
    if support == Support::Works && !shows.is_in(&sent.exchange.body) {
        return Support::Refused(format!("answered without {}", shows.name()));
    }
    support
}

/// Whether a batch deletes: an object that is there must be gone. To take the request and do
/// nothing is to refuse it, as of a [`Setting`].
async fn batches(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}batch");
    fixture.about_to_put(fixture.bucket(), &object)?;
    let body = payload::body(Seed(0), BodySpec { size: 64, seed: 0 });
    let put = operation::put_object(&bucket, &object, body);
    let sent = sender.plain(put).await?;
    if !is_success(&sent) {
        return Ok(supported(&sent, answer));
    }
    let delete = operation::delete_objects(&bucket, std::slice::from_ref(&object));
    let sent = sender.plain(delete).await?;
    let support = answered_with(&sent, Shows::Root("DeleteResult"), answer);
    let left = sender
        .plain(operation::head_object(&bucket, &object))
        .await?;
    if support == Support::Works && left.exchange.status != 404 {
        let why = "a batch was answered, and its object is still there".to_owned();
        return Ok(Support::Refused(why));
    }
    Ok(support)
}

/// Whether the run may make further buckets, and what such a one can be told.
async fn own_buckets(
    fixture: &Fixture,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Vec<(Capability, Support)>, NotReady> {
    let target = fixture.sender().target();
    if !target.asks_for(Capability::OwnBucket) {
        return Ok(Vec::new());
    }
    let ground = fixture.ground("preflight", true);
    if let Err(why) = fixture.make_own(&ground).await? {
        let refused = Support::Refused(format!("no bucket of its own: {why}"));
        let all = TOLD.into_iter().chain([Capability::OwnBucket]);
        return Ok(all.map(|one| (one, refused.clone())).collect());
    }
    let bucket = fixture.sender().bucket(&ground.bucket);
    let mut offer = vec![(Capability::OwnBucket, Support::Works)];
    let settings = TOLD.into_iter().zip(settings(&bucket));
    for (capability, setting) in settings.filter(|(told, _)| target.asks_for(*told)) {
        offer.push((capability, setting.holds(fixture, answer).await?));
    }
    fixture.remove_ground(&ground).await?;
    Ok(offer)
}

pub(super) fn supported(sent: &Sent, answer: &impl Fn(&Sent) -> Answer) -> Support {
    if is_success(sent) {
        Support::Works
    } else {
        Support::Refused(answer(sent).words())
    }
}

pub(super) fn is_success(sent: &Sent) -> bool {
    let document = error_document(&sent.exchange.body);
    (200..300).contains(&sent.exchange.status) && document.is_none_or(|d| d.root != "Error")
}
