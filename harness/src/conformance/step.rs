//! A step made ready to be sent, and the proof that it was sent as it was meant.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;

pub use super::action::action;
use super::form;
use super::sender::Signing;
use super::state::State;
use crate::error::{GivenError, OurError};
use crate::payload;
use crate::random::Seed;
use crate::s3::form::{UnsignedForm, fields_sent};
use crate::s3::{Bucket, Request, bucket_document, checksum, operation};
use crate::scenario::definition::{
    Ambient, BucketDocument, BucketSetting, ContentMd5, Operation, Payload, Preflight, Presign,
    RangeSpec, SsecHeader, Step, Text, Trial,
};
use crate::ssec::customer_key::md5;
use crate::ssec::headers::SsecValue;
use crate::ssec::{SsecHeaders, TrialKeys, wire};
use crate::transport::{Exchange, header_in};

/// A step's request before it is signed. No `Debug`: it holds keys.
pub struct Ready {
    pub request: Request,
    /// The SSE-C headers of the step, those of the query included.
    pub sent: SsecHeaders,
    /// The SSE-C headers that open the source of a copy.
    pub source_sent: SsecHeaders,
    /// The right triple whose values a presigned URL covers.
    pub signed_as: SsecHeaders,
    /// The form that the step sends: its triple stands in the fields.
    pub form: Option<UnsignedForm>,
}

/// Where a trial's steps act.
pub struct Place<'a> {
    pub bucket: Bucket,
    /// The trial's own folder, with its slash.
    pub folder: &'a str,
    pub run: Seed,
}

/// Builds the request of a step.
///
/// # Errors
/// When the step cannot be put on the wire.
pub fn ready(
    step: &Step,
    trial: &Trial,
    place: &Place<'_>,
    keys: &TrialKeys,
    state: &State,
) -> Result<Ready, GivenError> {
    let mut request = addressed(step, trial, place, state)?;
    if let Some(preflight) = &step.preflight {
        request = asking(request, preflight);
    }
    let source_sent = match &step.source_ssec {
        Some(ssec) => SsecHeaders::build(ssec, keys)?,
        None => SsecHeaders::default(),
    };
    for value in &source_sent.values {
        request = request.with_header(value.header.source_name(), value.value.clone());
    }
    for (name, text) in &step.headers {
        let value = state.resolve(text).ok_or_else(|| GivenError::Step {
            why: format!("nothing was captured for the header {name}"),
        })?;
        request = request.with_header(name, value);
    }
    if let Some(content_md5) = step.content_md5 {
        let mut digest = md5(&request.body);
        match content_md5 {
            ContentMd5::Right => {}
            ContentMd5::Wrong => digest[0] ^= 1,
        }
        request = request.with_header("Content-MD5", BASE64_STANDARD.encode(digest));
    }
    if let Some(kind) = step.checksum {
        let value = checksum::of(kind, &request.body);
        request = request.with_header(&checksum::header(kind), value);
    }
    if let Some(range) = step.range {
        let name = if step.operation == Operation::UploadPartCopy {
            "x-amz-copy-source-range"
        } else {
            "Range"
        };
        request = request.with_header(name, range_value(range));
    }
    let sent = match &step.ssec {
        Some(ssec) => SsecHeaders::build(ssec, keys)?,
        None => SsecHeaders::default(),
    };
    let signer = step
        .presign
        .as_ref()
        .and_then(|presign| presign.signed_as.as_deref())
        .or(step.ssec.as_ref().map(|ssec| ssec.key.as_str()));
    let signed_as = match signer {
        Some(name) => SsecHeaders::right(name, keys)?,
        None => SsecHeaders::default(),
    };
    let form = match &step.form {
        Some(described) => {
            let parts = form::Parts {
                bucket: &place.bucket,
                object: &format!("{}{}", place.folder, step.object),
                sent: &sent,
                file: body_of(step, trial, place.run)?,
            };
            Some(form::unsigned(described, parts, keys)?)
        }
        None => None,
    };
    Ok(Ready {
        request,
        sent,
        source_sent,
        signed_as,
        form,
    })
}

/// How the request of a step is authenticated.
#[must_use]
pub fn signing<'a>(step: &'a Step, ambient: Ambient, ready: &'a Ready) -> Signing<'a> {
    let presign = step.presign.as_ref();
    let presign = presign.map(|presign| (presign, &ready.signed_as));
    match (&ready.form, &step.preflight, presign) {
        (Some(form), _, _) => Signing::Form(form),
        (None, Some(preflight), presign) => Signing::Preflight {
            method: preflight.method,
            presign,
        },
        (None, None, Some((presign, signed_as))) => Signing::Query { presign, signed_as },
        (None, None, None) => Signing::Header {
            covered: step.sign.as_ref(),
            payload: step.payload_under(ambient),
        },
    }
}

/// What a browser asks: names of headers in lower case, in order, without blanks.
fn asking(request: Request, preflight: &Preflight) -> Request {
    let request = request
        .with_header("Origin", preflight.origin.as_str())
        .with_header("Access-Control-Request-Method", preflight.method);
    let mut names: Vec<String> = preflight
        .headers
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    if names.is_empty() {
        return request;
    }
    names.sort();
    request.with_header("Access-Control-Request-Headers", names.join(","))
}

fn body_of(step: &Step, trial: &Trial, run: Seed) -> Result<Bytes, GivenError> {
    match &step.body {
        None => Ok(Bytes::new()),
        Some(name) => match trial.bodies.get(name) {
            Some(spec) => Ok(payload::body(run, *spec)),
            None => Err(GivenError::Step {
                why: format!("body {name} is not declared"),
            }),
        },
    }
}

/// As RFC 9110 has it, also for a copied range.
fn range_value(range: RangeSpec) -> String {
    format!("bytes={range}")
}

/// The operation on its place, before any header of the step's own.
fn addressed(
    step: &Step,
    trial: &Trial,
    place: &Place<'_>,
    state: &State,
) -> Result<Request, GivenError> {
    let bucket = &place.bucket;
    let below = |name: &str| format!("{}{name}", place.folder);
    let object = &below(&step.object);
    let absent = |what: &str| GivenError::Step {
        why: format!("{what} that it needs was never captured or given"),
    };
    let known = |text: &Option<Text>| match text {
        None => Ok(None),
        Some(text) => {
            let value = state
                .resolve(text)
                .and_then(|id| String::from_utf8(id).ok());
            value.map(Some).ok_or_else(|| absent("a version's id"))
        }
    };
    let source = || {
        let name = step.source.as_deref().ok_or_else(|| absent("a source"))?;
        Ok(match known(&step.source_version)? {
            Some(version) => operation::version_source(bucket, &below(name), &version),
            None => operation::copy_source(bucket, &below(name)),
        })
    };
    let upload = || {
        state
            .upload_id(step)
            .ok_or_else(|| absent("an upload's id"))
    };
    let part = || step.part.ok_or_else(|| absent("a part's number"));
    let request = match step.operation {
        Operation::Put => operation::put_object(bucket, object, body_of(step, trial, place.run)?),
        Operation::Get => operation::get_object(bucket, object),
        Operation::Head => operation::head_object(bucket, object),
        Operation::Delete => operation::delete_object(bucket, object),
        Operation::List => operation::list_objects(bucket, object, None),
        Operation::Copy => operation::copy_object(bucket, object, &source()?),
        Operation::CreateUpload => operation::create_upload(bucket, object),
        Operation::UploadPart => {
            let body = body_of(step, trial, place.run)?;
            operation::upload_part(bucket, object, &upload()?, part()?, body)
        }
        Operation::UploadPartCopy => {
            operation::upload_part_copy(bucket, object, &upload()?, part()?, &source()?)
        }
        Operation::CompleteUpload => {
            let id = upload()?;
            operation::complete_upload(bucket, object, &id, &parts_named(step, state, &id))
        }
        Operation::AbortUpload => operation::abort_upload(bucket, object, &upload()?),
        Operation::ListParts => operation::list_parts(bucket, object, &upload()?),
        Operation::ListUploads => operation::list_uploads(bucket, object),
        Operation::ListVersions => operation::list_versions(bucket, object),
        Operation::GetAttributes => operation::get_attributes(bucket, object),
        Operation::PutTagging => operation::put_tagging(bucket, object, &step.tags),
        Operation::GetTagging => operation::tagging("GET", bucket, object),
        Operation::DeleteTagging => operation::tagging("DELETE", bucket, object),
        Operation::PostForm => Request::new("POST", bucket, ""),
        Operation::Options => Request::new("OPTIONS", bucket, object),
        Operation::PutVersioning
        | Operation::PutEncryption
        | Operation::PutCors
        | Operation::GetCors
        | Operation::DeleteCors
        | Operation::PutPolicy
        | Operation::GetPolicy
        | Operation::DeletePolicy => told(step, bucket)?,
        Operation::DeleteObjects => operation::delete_objects(bucket, &places(step, place)),
    };
    Ok(narrowed(request, step, known(&step.version)?))
}

/// The request about one version of its object, or one part of it.
fn narrowed(request: Request, step: &Step, version: Option<String>) -> Request {
    let request = match version {
        Some(version) => operation::of_version(request, &version),
        None => request,
    };
    match step.part {
        Some(part) if matches!(step.operation, Operation::Get | Operation::Head) => {
            request.with_query("partNumber", &part.to_string())
        }
        Some(_) | None => request,
    }
}

/// The objects of an operation on several, as the target calls them.
fn places(step: &Step, place: &Place<'_>) -> Vec<String> {
    let objects = step.objects.iter();
    objects
        .map(|name| format!("{}{name}", place.folder))
        .collect()
}

/// What a bucket is told or asked.
fn told(step: &Step, bucket: &Bucket) -> Result<Request, GivenError> {
    Ok(match (step.operation, &step.document) {
        (_, Some(BucketDocument::Cors(rules))) => bucket_document::put_cors(bucket, rules),
        (_, Some(BucketDocument::Policy(denials))) => bucket_document::put_policy(bucket, denials),
        (Operation::PutVersioning, None) => operation::put_versioning(bucket, setting_word(step)?),
        (Operation::GetCors, None) => bucket_document::cors("GET", bucket),
        (Operation::DeleteCors, None) => bucket_document::cors("DELETE", bucket),
        (Operation::GetPolicy, None) => bucket_document::policy("GET", bucket),
        (Operation::DeletePolicy, None) => bucket_document::policy("DELETE", bucket),
        (_, None) => operation::put_encryption(bucket, setting_word(step)?),
    })
}

/// What a bucket is told, as S3 has it.
fn setting_word(step: &Step) -> Result<&'static str, GivenError> {
    match step.setting {
        Some(BucketSetting::VersionsEnabled) => Ok("Enabled"),
        Some(BucketSetting::VersionsSuspended) => Ok("Suspended"),
        Some(BucketSetting::SsecBlocked) => Ok("SSE-C"),
        Some(BucketSetting::SsecAllowed) => Ok("NONE"),
        None => Err(GivenError::Step {
            why: "it tells the bucket nothing".to_owned(),
        }),
    }
}

/// Number and entity tag of each part that a completion names. A part that nobody sent gets the
/// tag of no body, so that it can be named all the same.
fn parts_named(step: &Step, state: &State, upload: &str) -> Vec<(u32, String)> {
    const NO_PART: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";
    let upload = state.upload(upload);
    let tag = |number: &u32| {
        let part = upload.and_then(|upload| upload.parts.get(number));
        part.map_or_else(|| NO_PART.to_owned(), |part| part.etag.clone())
    };
    let numbers: Vec<u32> = match &step.parts {
        Some(numbers) => numbers.clone(),
        None => upload.map_or_else(Vec::new, |up| up.parts.keys().copied().collect()),
    };
    numbers
        .iter()
        .map(|number| (*number, tag(number)))
        .collect()
}

/// Whether the bytes that went out carry what the step means: its SSE-C headers, where they
/// belong, and a signature over those that it says.
///
/// # Errors
/// What differs; then the answer says nothing about the target.
pub fn was_sent_as_meant(
    step: &Step,
    ambient: Ambient,
    ready: &Ready,
    exchange: &Exchange,
) -> Result<(), OurError> {
    let in_form = ready.form.is_some();
    let (mut headers, query) = if in_form {
        Default::default()
    } else {
        split(&ready.sent, step.presign.as_ref())
    };
    headers.values.extend(spelt_out(step));
    let not_sent = |why: String| OurError::Broken(format!("the fault was not sent: {why}"));
    wire::carries(&exchange.sent_head, &headers, &query).map_err(not_sent)?;
    if in_form {
        wire::carries_fields(&fields_sent(&exchange.sent_fields), &ready.sent).map_err(not_sent)?;
    }
    wire::carries_source(&exchange.sent_head, &ready.source_sent).map_err(not_sent)?;
    if step.presign.is_none() && step.preflight.is_none() && !in_form {
        let meant = step.payload_under(ambient);
        let sent = payload_sent(&exchange.sent_head);
        if sent != Some(meant) {
            return Err(not_sent(format!("the body is not {}", meant.word())));
        }
    }
    let signed = signed_names(&exchange.sent_head);
    for header in SsecHeader::ALL {
        let name = header.wire_name();
        let is_signed = signed.contains(&name.to_ascii_lowercase());
        let is_meant = match (&step.presign, &step.sign) {
            (Some(presign), _) => presign.sign.contains(&header),
            (None, Some(covered)) => {
                covered.contains(&header) && headers.values_of(header).next().is_some()
            }
            (None, None) => headers.values_of(header).next().is_some(),
        };
        if is_signed != is_meant {
            let covers = if is_signed {
                "covers"
            } else {
                "does not cover"
            };
            return Err(not_sent(format!("the signature {covers} {name}")));
        }
    }
    Ok(())
}

/// How the signature in the header vouches for the body; `None` where nothing says it.
fn payload_sent(head: &[u8]) -> Option<Payload> {
    Some(match header_in(head, "x-amz-content-sha256")?.as_str() {
        "UNSIGNED-PAYLOAD" => Payload::Unsigned,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Payload::Chunked,
        _ => Payload::Signed,
    })
}

/// The SSE-C headers that go as headers, and those that go in the query.
fn split(sent: &SsecHeaders, presign: Option<&Presign>) -> (SsecHeaders, SsecHeaders) {
    let in_query = |header| presign.is_some_and(|presign| presign.query.contains(&header));
    let only = |wanted: bool| SsecHeaders {
        values: sent
            .values
            .iter()
            .filter(|value| in_query(value.header) == wanted)
            .map(|value| SsecValue {
                header: value.header,
                value: value.value.clone(),
            })
            .collect(),
    };
    (only(false), only(true))
}

/// SSE-C headers that the step writes out by itself, to spell their names in another way.
fn spelt_out(step: &Step) -> impl Iterator<Item = SsecValue> {
    step.headers.iter().filter_map(|(name, text)| {
        let header = SsecHeader::of_wire_name(name)?;
        match text {
            Text::Literal(value) => Some(SsecValue {
                header,
                value: value.clone().into_bytes(),
            }),
            Text::Capture(_) => None,
        }
    })
}

/// The header names that a request's signature covers, lower case.
fn signed_names(head: &[u8]) -> BTreeSet<String> {
    let in_header = header_in(head, "authorization");
    let in_header = in_header.as_deref();
    let list = in_header
        .and_then(|value| value.split_once("SignedHeaders="))
        .map(|(_, rest)| rest.split(',').next().unwrap_or_default().to_owned())
        .or_else(|| {
            let text = String::from_utf8_lossy(head);
            let (_, rest) = text.lines().next()?.split_once("X-Amz-SignedHeaders=")?;
            let end = rest.find(['&', ' ']).unwrap_or(rest.len());
            let decoded = percent_encoding::percent_decode_str(&rest[..end]);
            Some(decoded.decode_utf8_lossy().into_owned())
        });
    list.unwrap_or_default()
        .split(';')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_as_rfc_9110_has_them() {
        let bounded = RangeSpec::Bounded { first: 0, last: 99 };
        assert_eq!(range_value(bounded), "bytes=0-99");
        assert_eq!(range_value(RangeSpec::From { first: 7 }), "bytes=7-");
        assert_eq!(range_value(RangeSpec::Suffix { length: 5 }), "bytes=-5");
    }

    #[test]
    fn the_head_tells_how_the_body_is_signed() {
        let sent = |value: &str| {
            let head = format!("PUT / HTTP/1.1\r\nX-Amz-Content-Sha256: {value}\r\n\r\n");
            payload_sent(head.as_bytes())
        };
        assert_eq!(sent("UNSIGNED-PAYLOAD"), Some(Payload::Unsigned));
        let streaming = sent("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        assert_eq!(streaming, Some(Payload::Chunked));
        assert_eq!(sent("e3b0"), Some(Payload::Signed));
        assert_eq!(payload_sent(b"PUT / HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn signed_names_stand_in_header_or_query() {
        let header = b"GET / HTTP/1.1\r\nauthorization: AWS4-HMAC-SHA256 Credential=a/b, \
            SignedHeaders=host;x-amz-date, Signature=00\r\n\r\n";
        let query =
            b"GET /?X-Amz-SignedHeaders=host%3Bx-amz-date&X-Amz-Signature=00 HTTP/1.1\r\n\r\n";
        let want: BTreeSet<String> = ["host", "x-amz-date"].map(str::to_owned).into();
        assert_eq!(signed_names(header), want);
        assert_eq!(signed_names(query), want);
        assert!(signed_names(b"GET / HTTP/1.1\r\n\r\n").is_empty());
    }
}
