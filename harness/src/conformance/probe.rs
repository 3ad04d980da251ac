//! What the target offers, settled by trying it before any trial is listed, so that what is missing
//! is told as missing and never as passed.

use std::collections::BTreeMap;

use super::fixture::Fixture;
use super::judge;
use super::preflight::{Answer, NotReady, blame};
use super::sender::{Sent, Signing};
use super::session::{Offer, Support};
use crate::error::Error;
use crate::evidence::Redactor;
use crate::payload;
use crate::random::Seed;
use crate::s3::error_document::{error_document, value_at};
use crate::s3::{Bucket, operation};
use crate::scenario::definition::{BodySpec, Capability, KeySpec, Presign};
use crate::ssec::{Keyring, SsecHeaders};

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
    let get = operation::get_object(&bucket, &plain);
    let sent = sender.send(&get, &none, query, 0).await?;
    offer.insert(Capability::Presign, supported(&sent, &answer));

    let keys = keyring
        .draw_named("preflight", &[("probe", KeySpec::default())])
        .map_err(Error::from)?;
    let triple = SsecHeaders::right("probe", &keys).map_err(Error::from)?;
    let sealed = format!("{folder}sealed");
    fixture.about_to_put(fixture.bucket(), &sealed)?;
    let put = operation::put_object(&bucket, &sealed, body);
    let sent = sender.send(&put, &triple, Signing::Header(None), 0).await?;
    let sse_c = if is_success(&sent) {
        let keyless = operation::get_object(&bucket, &sealed);
        let read = sender.plain(keyless).await?;
        if judge::keyless_read(read.exchange.status, "").ok {
            Support::Works
        } else {
            Support::Ignored
        }
    } else {
        Support::Refused(answer(&sent).words())
    };
    offer.insert(Capability::SseC, sse_c);
    offer.insert(Capability::Copy, copies(fixture, folder, &answer).await?);
    let multipart = uploads(fixture, folder, &answer).await?;
    offer.insert(Capability::Multipart, multipart);
    let (own_bucket, versioning) = own_buckets(fixture, &answer).await?;
    offer.insert(Capability::OwnBucket, own_bucket);
    offer.insert(Capability::Versioning, versioning);
    if target.has_plain_http() {
        offer.insert(Capability::PlainHttp, Support::Works);
    }
    Ok(Offer::new(offer))
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

/// Whether the run may make further buckets, and whether such a one keeps versions.
async fn own_buckets(
    fixture: &Fixture,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<(Support, Support), NotReady> {
    let refused = |why: &str| Support::Refused(why.to_owned());
    if fixture.sender().target().bucket.is_some() {
        let why = "with --bucket the run makes no bucket";
        return Ok((refused(why), refused(why)));
    }
    let ground = fixture.ground("preflight", true);
    let found = match fixture.make_own(&ground).await? {
        Err(why) => (
            Support::Refused(why),
            refused("it needs a bucket of its own"),
        ),
        Ok(()) => {
            let bucket = fixture.sender().bucket(&ground.bucket);
            (Support::Works, versions(fixture, &bucket, answer).await?)
        }
    };
    fixture.remove_ground(&ground).await?;
    Ok(found)
}

/// Whether a bucket keeps versions when it is told to. To take the request and do nothing is to
/// refuse it: that no version is kept is no lie about SSE-C.
async fn versions(
    fixture: &Fixture,
    bucket: &Bucket,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let sent = sender
        .plain(operation::put_versioning(bucket, "Enabled"))
        .await?;
    if !is_success(&sent) {
        return Ok(Support::Refused(answer(&sent).words()));
    }
    let sent = sender.plain(operation::get_versioning(bucket)).await?;
    let status = value_at(&sent.exchange.body, "Status");
    Ok(if status.as_deref() == Some("Enabled") {
        Support::Works
    } else {
        Support::Refused("versioning was switched on, and is not".to_owned())
    })
}

fn supported(sent: &Sent, answer: &impl Fn(&Sent) -> Answer) -> Support {
    if is_success(sent) {
        Support::Works
    } else {
        Support::Refused(answer(sent).words())
    }
}

fn is_success(sent: &Sent) -> bool {
    let document = error_document(&sent.exchange.body);
    (200..300).contains(&sent.exchange.status) && document.is_none_or(|d| d.root != "Error")
}
