//! What some servers of S3 do without although they have the rest, each tried by an exchange of its
//! own. What is missing is no fault: its trials are unsupported there.

use bytes::Bytes;

use super::fixture::Fixture;
use super::preflight::{Answer, NotReady};
use super::probe::{is_success, supported};
use super::sender::{Sent, Signing};
use super::session::Support;
use crate::payload;
use crate::random::Seed;
use crate::s3::error_document::value_at;
use crate::s3::{checksum, operation};
use crate::scenario::definition::{BodySpec, Capability, Checksum};
use crate::ssec::SsecHeaders;

/// The status that says honestly that something is not here.
const NOT_IMPLEMENTED: u16 = 501;
/// What is written to be read again.
const BODY: BodySpec = BodySpec { size: 64, seed: 0 };

/// Tries what the target is asked for: `folder` holds a plain object `plain` and one `sealed` under
/// the key of `triple`.
///
/// # Errors
/// When the journal cannot be written or no answer came.
pub(super) async fn try_each(
    fixture: &Fixture,
    folder: &str,
    triple: &SsecHeaders,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Vec<(Capability, Support)>, NotReady> {
    let target = fixture.sender().target();
    let mut offer = Vec::new();
    if target.asks_for(Capability::CopySsec) {
        let support = copies_sealed(fixture, folder, triple, answer).await?;
        offer.push((Capability::CopySsec, support));
    }
    if target.asks_for(Capability::ListUploads) {
        let bucket = fixture.sender().bucket(fixture.bucket());
        let list = operation::list_uploads(&bucket, folder);
        let sent = fixture.sender().plain(list).await?;
        offer.push((Capability::ListUploads, supported(&sent, answer)));
    }
    if target.asks_for(Capability::PartNumber) {
        let support = parts_by_number(fixture, folder, answer).await?;
        offer.push((Capability::PartNumber, support));
    }
    if target.asks_for(Capability::Checksums) {
        let support = checksums(fixture, folder, answer).await?;
        offer.push((Capability::Checksums, support));
    }
    if target.asks_for(Capability::ManagedEncryption) {
        let support = managed(fixture, folder, answer).await?;
        offer.push((Capability::ManagedEncryption, support));
    }
    Ok(offer)
}

/// Whether an object that is there under a key can be copied at all. Only the word for "not here"
/// counts as none: who refuses the right keys in any other is convicted by the trials.
async fn copies_sealed(
    fixture: &Fixture,
    folder: &str,
    triple: &SsecHeaders,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}sealed-copy");
    fixture.about_to_put(fixture.bucket(), &object)?;
    let source = operation::copy_source(&bucket, &format!("{folder}sealed"));
    let mut request = operation::copy_object(&bucket, &object, &source);
    for value in &triple.values {
        request = request.with_header(value.header.source_name(), value.value.clone());
    }
    let sent = sender
        .send(&request, triple, Signing::EVERYTHING, 0)
        .await?;
    Ok(match sent.exchange.status {
        NOT_IMPLEMENTED => Support::Refused(answer(&sent).words()),
        _ => Support::Works,
    })
}

/// Whether a part of a plain object is served as one: with 206, or with the count of parts. Who
/// knows no part numbers takes the query for none, and serves the object whole.
async fn parts_by_number(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}parts");
    fixture.about_to_create_upload(fixture.bucket(), &object)?;
    let created = operation::create_upload(&bucket, &object);
    let sent = sender.plain(created).await?;
    fixture.upload_answered(fixture.bucket(), &object, &sent.exchange)?;
    let Some(upload) = value_at(&sent.exchange.body, "UploadId") else {
        return Ok(Support::Refused(answer(&sent).words()));
    };
    let body = payload::body(Seed(0), BODY);
    let part = operation::upload_part(&bucket, &object, &upload, 1, body);
    let sent = sender.plain(part).await?;
    let tag = sent.exchange.header("ETag").unwrap_or_default();
    let tag = String::from_utf8_lossy(tag).into_owned();
    fixture.about_to_put(fixture.bucket(), &object)?;
    let complete = operation::complete_upload(&bucket, &object, &upload, &[(1, tag)]);
    let sent = sender.plain(complete).await?;
    if !is_success(&sent) {
        return Ok(Support::Refused(answer(&sent).words()));
    }
    let read = operation::get_object(&bucket, &object).with_query("partNumber", "1");
    let sent = sender.plain(read).await?;
    let counts = sent.exchange.header("x-amz-mp-parts-count").is_some();
    Ok(
        if sent.exchange.status == 206 || (is_success(&sent) && counts) {
            Support::Works
        } else {
            Support::Refused(format!(
                "a read of part 1 was answered {}",
                answer(&sent).words()
            ))
        },
    )
}

/// Whether the checksum of a plain body is kept and shown again.
async fn checksums(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}summed");
    fixture.about_to_put(fixture.bucket(), &object)?;
    let body = payload::body(Seed(0), BODY);
    let name = checksum::header(Checksum::Crc32);
    let value = checksum::of(Checksum::Crc32, &body);
    let put = operation::put_object(&bucket, &object, body).with_header(&name, value.clone());
    let sent = sender.plain(put).await?;
    if !is_success(&sent) {
        return Ok(Support::Refused(answer(&sent).words()));
    }
    let head = operation::head_object(&bucket, &object);
    let head = head.with_header("x-amz-checksum-mode", "ENABLED");
    let sent = sender.plain(head).await?;
    Ok(if sent.exchange.header(&name) == Some(value.as_bytes()) {
        Support::Works
    } else {
        Support::Refused(format!("{name} was taken, and is not shown"))
    })
}

/// Whether the provider's own encryption can be asked for by its name.
async fn managed(
    fixture: &Fixture,
    folder: &str,
    answer: &impl Fn(&Sent) -> Answer,
) -> Result<Support, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let object = format!("{folder}managed");
    fixture.about_to_put(fixture.bucket(), &object)?;
    let put = operation::put_object(&bucket, &object, Bytes::new());
    let put = put.with_header("x-amz-server-side-encryption", "AES256");
    let sent = sender.plain(put).await?;
    Ok(supported(&sent, answer))
}
