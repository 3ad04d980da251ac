//! What some servers of S3 do without although they have the rest, each tried by an exchange of its
//! own. What is missing is no fault: its trials are unsupported there.

use bytes::Bytes;

use super::form;
use super::preflight::NotReady;
use super::probe::{Probe, is_success};
use super::sender::{Sent, Signing};
use super::session::Support;
use crate::error::Error;
use crate::s3::error_document::{error_document, value_at};
use crate::s3::{Bucket, Payload, Request, Style, checksum, operation};
use crate::scenario::definition::{Checksum, Form};
use crate::ssec::SsecHeaders;

/// The status that says honestly that something is not here.
const NOT_IMPLEMENTED: u16 = 501;

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

/// What of the probe tries one feature each, beside a plain object `plain` and one `sealed`.
impl Probe<'_> {
    /// Whether an object that is there under a key can be copied at all. Only the word for "not here"
    /// counts as none: who refuses the right keys in any other is convicted by the trials.
    pub(super) async fn copies_sealed(&self) -> Result<Support, NotReady> {
        let (bucket, triple) = (self.bucket(), self.triple()?);
        let object = self.write("sealed-copy")?;
        let source = operation::copy_source(&bucket, &self.object("sealed"));
        let mut request = operation::copy_object(&bucket, &object, &source);
        for value in &triple.values {
            request = request.with_header(value.header.source_name(), value.value.clone());
        }
        let all = Signing::EVERYTHING;
        let sent = self.sender().send(&request, &triple, all, 0).await?;
        Ok(match sent.exchange.status {
            NOT_IMPLEMENTED => self.refused(&sent),
            _ => Support::Works,
        })
    }

    pub(super) async fn lists_uploads(&self) -> Result<Support, NotReady> {
        let list = operation::list_uploads(&self.bucket(), &self.object(""));
        Ok(self.supported(&self.plain(list).await?))
    }

    /// Whether a part of a plain object is served as one: with 206, or with the count of parts. Who
    /// knows no part numbers takes the query for none, and serves the object whole.
    pub(super) async fn parts_by_number(&self) -> Result<Support, NotReady> {
        let (bucket, object) = (self.bucket(), self.object("parts"));
        let sent = self.begin_upload(&object).await?;
        let Some(upload) = value_at(&sent.exchange.body, "UploadId") else {
            return Ok(self.refused(&sent));
        };
        let part = operation::upload_part(&bucket, &object, &upload, 1, Self::body());
        let sent = self.plain(part).await?;
        let tag = sent.exchange.header("ETag").unwrap_or_default();
        let tag = String::from_utf8_lossy(tag).into_owned();
        let object = self.write("parts")?;
        let complete = operation::complete_upload(&bucket, &object, &upload, &[(1, tag)]);
        let sent = self.plain(complete).await?;
        if !is_success(&sent) {
            return Ok(self.refused(&sent));
        }
        let read = operation::get_object(&bucket, &object).with_query("partNumber", "1");
        let sent = self.plain(read).await?;
        let counts = sent.exchange.header("x-amz-mp-parts-count").is_some();
        Ok(
            if sent.exchange.status == 206 || (is_success(&sent) && counts) {
                Support::Works
            } else {
                let words = self.words(&sent);
                Support::Refused(format!("a read of part 1 was answered {words}"))
            },
        )
    }

    /// Whether the checksum of a plain body is kept and shown again.
    pub(super) async fn checksums(&self) -> Result<Support, NotReady> {
        let bucket = self.bucket();
        let object = self.write("summed")?;
        let body = Self::body();
        let name = checksum::header(Checksum::Crc32);
        let value = checksum::of(Checksum::Crc32, &body);
        let put = operation::put_object(&bucket, &object, body).with_header(&name, value.clone());
        let sent = self.plain(put).await?;
        if !is_success(&sent) {
            return Ok(self.refused(&sent));
        }
        let head = operation::head_object(&bucket, &object);
        let head = head.with_header("x-amz-checksum-mode", "ENABLED");
        let sent = self.plain(head).await?;
        Ok(if sent.exchange.header(&name) == Some(value.as_bytes()) {
            Support::Works
        } else {
            Support::Refused(format!("{name} was taken, and is not shown"))
        })
    }

    /// Whether the provider's own encryption can be asked for by its name.
    pub(super) async fn managed(&self) -> Result<Support, NotReady> {
        let object = self.write("managed")?;
        let put = operation::put_object(&self.bucket(), &object, Bytes::new());
        let put = put.with_header("x-amz-server-side-encryption", "AES256");
        Ok(self.supported(&self.plain(put).await?))
    }

    pub(super) async fn attributes(&self) -> Result<Support, NotReady> {
        let get = operation::get_attributes(&self.bucket(), &self.object("plain"));
        let sent = self.plain(get).await?;
        // MinIO begins the name of the root with a small letter, and no client of AWS minds.
        Ok(self.answered_with(&sent, Shows::Element("ObjectSize")))
    }

    pub(super) async fn tags(&self) -> Result<Support, NotReady> {
        let get = operation::tagging("GET", &self.bucket(), &self.object("plain"));
        let sent = self.plain(get).await?;
        Ok(self.answered_with(&sent, Shows::Root("Tagging")))
    }

    /// Whether it was answered, with the document that shows it: some take a query that they do not
    /// know for none, and answer another operation.
    fn answered_with(&self, sent: &Sent, shows: Shows) -> Support {
        let support = self.supported(sent);
        if support == Support::Works && !shows.is_in(&sent.exchange.body) {
            return Support::Refused(format!("answered without {}", shows.name()));
        }
        support
    }

    /// Whether a batch deletes: an object that is there must be gone. To take the request and do
    /// nothing is to refuse it, as of a setting of a bucket.
    pub(super) async fn batches(&self) -> Result<Support, NotReady> {
        let bucket = self.bucket();
        let object = self.write("batch")?;
        let put = operation::put_object(&bucket, &object, Self::body());
        let sent = self.plain(put).await?;
        if !is_success(&sent) {
            return Ok(self.refused(&sent));
        }
        let delete = operation::delete_objects(&bucket, std::slice::from_ref(&object));
        let sent = self.plain(delete).await?;
        let support = self.answered_with(&sent, Shows::Root("DeleteResult"));
        let left = self.plain(operation::head_object(&bucket, &object)).await?;
        if support == Support::Works && left.exchange.status != 404 {
            let why = "a batch was answered, and its object is still there".to_owned();
            return Ok(Support::Refused(why));
        }
        Ok(support)
    }

    /// Whether the bucket may stand there.
    pub(super) async fn style(&self, style: Style) -> Result<Support, NotReady> {
        let bucket = Bucket {
            style,
            ..self.bucket()
        };
        let get = operation::get_object(&bucket, &self.object("plain"));
        Ok(match self.sender().plain(get).await {
            Ok(sent) if is_success(&sent) && sent.exchange.body != Self::body() => {
                Support::Refused("answered with something else than the object".to_owned())
            }
            Ok(sent) => self.supported(&sent),
            // No certificate for that host, or no such host at all: nothing else was asked anew.
            Err(error) => Support::Refused(error.to_string()),
        })
    }

    /// Whether a body may be signed so, and is then the body.
    pub(super) async fn payload(&self, payload: Payload) -> Result<Support, NotReady> {
        let bucket = self.bucket();
        let object = self.write(payload.word())?;
        let put = operation::put_object(&bucket, &object, Self::body());
        let signing = Signing::Header {
            covered: None,
            payload,
        };
        let none = SsecHeaders::default();
        let sent = self.sender().send(&put, &none, signing, 0).await?;
        if !is_success(&sent) {
            return Ok(self.refused(&sent));
        }
        let read = self.plain(operation::get_object(&bucket, &object)).await?;
        Ok(if read.exchange.body == Self::body() {
            Support::Works
        } else {
            // The chunks were taken for the body: each trial shows it.
            Support::Ignored
        })
    }

    /// Whether a plain form stores an object: some answer what they do not know with a success.
    pub(super) async fn forms(&self) -> Result<Support, NotReady> {
        let bucket = self.bucket();
        let object = self.write("form")?;
        let described = Form {
            expires: 300,
            ..Form::default()
        };
        let none = SsecHeaders::default();
        let parts = form::Parts {
            bucket: &bucket,
            object: &object,
            sent: &none,
            file: Self::body(),
        };
        let form = form::unsigned(&described, parts, &self.keys).map_err(Error::from)?;
        let request = Request::new("POST", &bucket, "");
        let form = Signing::Form(&form);
        let sent = self.sender().send(&request, &none, form, 0).await?;
        if !is_success(&sent) {
            return Ok(self.refused(&sent));
        }
        let read = self.plain(operation::head_object(&bucket, &object)).await?;
        Ok(if is_success(&read) {
            Support::Works
        } else {
            Support::Refused("a form was accepted and stored nothing".to_owned())
        })
    }
}
