//! What a trial knows while it runs: what each object was stored with, and captured values.
//!
//! It knows what the target accepted, not what it did with it: that is what the trial finds out.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::stored::{Content, KeysSent, Part, Stored, Upload, keys_of};
use crate::check::status::Backing;
use crate::s3::error_document::value_at;
use crate::scenario::definition::{Capture, CaptureFrom, Operation, SsecHeader, Step, Text, Trial};
use crate::ssec::SsecHeaders;
use crate::transport::Exchange;

/// A trial's memory. No `Debug`: it holds keys.
#[derive(Default)]
pub struct State {
    objects: BTreeMap<String, Stored>,
    /// By id.
    uploads: BTreeMap<String, Upload>,
    captures: BTreeMap<String, Vec<u8>>,
}

impl State {
    /// A memory in which every capture of the trial is `$` and its name, and every part was
    /// accepted: for requests that are shown and never sent.
    #[must_use]
    pub fn of_placeholders(trial: &Trial) -> Self {
        let mut state = Self::default();
        let steps = || trial.given.iter().chain(&trial.steps);
        for save in steps().flat_map(|step| &step.save) {
            let value = format!("${}", save.name).into_bytes();
            state.captures.insert(save.name.clone(), value);
        }
        for step in steps() {
            let id = state.upload_id(step);
            let (Some(part), Some(id)) = (step.part, id) else {
                continue;
            };
            state.upload_created(&id, &step.object, SsecHeaders::default(), None);
            let etag = format!("\"of part {part}\"");
            state.part_stored(&id, part, Content::default(), &SsecHeaders::default(), etag);
        }
        state
    }

    /// The target accepted `object` with this content and these SSE-C headers.
    pub fn stored(&mut self, object: &str, content: Content, sent: &SsecHeaders) {
        let keys = keys_of(sent);
        self.objects
            .insert(object.to_owned(), Stored { content, keys });
    }

    /// The target removed `object`.
    pub fn removed(&mut self, object: &str) {
        self.objects.remove(object);
    }

    #[must_use]
    pub fn object(&self, object: &str) -> Option<&Stored> {
        self.objects.get(object)
    }

    /// The target created an upload; `right` is the unspoilt triple of its key.
    pub fn upload_created(
        &mut self,
        id: &str,
        object: &str,
        sent: SsecHeaders,
        right: Option<SsecHeaders>,
    ) {
        self.uploads.entry(id.to_owned()).or_insert_with(|| Upload {
            object: object.to_owned(),
            keys: keys_of(&sent),
            asked_for_ssec: !sent.values.is_empty(),
            triples: right.into_iter().chain([sent]).collect(),
            parts: BTreeMap::new(),
        });
    }

    /// The target accepted a part.
    pub fn part_stored(
        &mut self,
        id: &str,
        number: u32,
        content: Content,
        sent: &SsecHeaders,
        etag: String,
    ) {
        if let Some(upload) = self.uploads.get_mut(id) {
            let part = Part {
                stored: Stored {
                    content,
                    keys: keys_of(sent),
                },
                etag,
                asked_for_ssec: !sent.values.is_empty(),
            };
            upload.parts.insert(number, part);
        }
    }

    /// The target put an upload's parts together.
    pub fn completed(&mut self, id: &str, numbers: Option<&[u32]>) {
        if let Some(upload) = self.uploads.remove(id) {
            let stored = upload.completed(numbers);
            self.objects.insert(upload.object, stored);
        }
    }

    /// The target gave an upload up.
    pub fn aborted(&mut self, id: &str) {
        self.uploads.remove(id);
    }

    #[must_use]
    pub fn upload(&self, id: &str) -> Option<&Upload> {
        self.uploads.get(id)
    }

    /// What a write stores if it is accepted; empty where that is not known.
    #[must_use]
    pub fn content_of(&self, step: &Step, trial: &Trial) -> Content {
        match step.operation {
            Operation::Put | Operation::UploadPart => {
                let name = step.body.as_deref().unwrap_or_default();
                let spec = trial.bodies.get(name);
                spec.map_or_else(Content::default, |spec| Content::of(name, *spec))
            }
            Operation::Copy | Operation::UploadPartCopy => {
                let source = step.source.as_deref().unwrap_or_default();
                let source = self.object(source);
                source.map_or_else(Content::default, |source| source.content.part(step.range))
            }
            Operation::CompleteUpload => {
                let upload = self.upload_id(step).and_then(|id| self.upload(&id));
                let numbers = step.parts.as_deref();
                upload.map_or_else(Content::default, |up| up.completed(numbers).content)
            }
            Operation::Get
            | Operation::Head
            | Operation::Delete
            | Operation::List
            | Operation::CreateUpload
            | Operation::AbortUpload
            | Operation::ListParts
            | Operation::ListUploads => Content::default(),
        }
    }

    /// All objects that are there, and all parts of uploads.
    pub fn all(&self) -> impl Iterator<Item = &Stored> {
        let parts = self
            .uploads
            .values()
            .flat_map(|upload| upload.parts.values());
        self.objects.values().chain(parts.map(|part| &part.stored))
    }

    /// What speaks for a read of `object` with these headers: the right key itself was shown, or
    /// the object has none.
    #[must_use]
    pub fn backing(&self, object: &str, sent: &SsecHeaders) -> Backing {
        let stored = self.objects.get(object);
        stored.map_or(Backing::Missing, |stored| proved(&stored.keys, sent))
    }

    /// The same for a request about an upload.
    #[must_use]
    pub fn upload_backing(&self, id: &str, sent: &SsecHeaders) -> Backing {
        let upload = self.uploads.get(id);
        upload.map_or(Backing::Missing, |upload| proved(&upload.keys, sent))
    }

    /// Whether the key of `object` stood in the request at all, be it beside another one: what is
    /// served then is no leak, whatever else is wrong with it.
    #[must_use]
    pub fn was_shown(&self, object: &str, sent: &SsecHeaders) -> bool {
        let keys = self.objects.get(object).map(|stored| &stored.keys);
        keys.into_iter().flatten().any(|key| {
            sent.values_of(SsecHeader::Key)
                .any(|shown| verify_slices_are_equal(shown, key).is_ok())
        })
    }

    /// Keeps what a step captures; returns the captures that the answer does not have.
    pub fn capture<'a>(
        &mut self,
        captures: &'a [Capture],
        exchange: &Exchange,
    ) -> Vec<&'a Capture> {
        let mut missing = Vec::new();
        for capture in captures {
            let value = match &capture.from {
                CaptureFrom::Header(name) => exchange.header(name).map(<[u8]>::to_vec),
                CaptureFrom::Xml(path) => value_at(&exchange.body, path).map(String::into_bytes),
                CaptureFrom::Status => Some(exchange.status.to_string().into_bytes()),
                CaptureFrom::BodySha256 => {
                    let hash = digest(&SHA256, &exchange.body);
                    Some(hex::encode(hash).into_bytes())
                }
            };
            match value {
                Some(value) => {
                    self.captures.insert(capture.name.clone(), value);
                }
                None => missing.push(capture),
            }
        }
        missing
    }

    /// The bytes of a text; `None` for a capture that was never made.
    #[must_use]
    pub fn resolve(&self, text: &Text) -> Option<Vec<u8>> {
        match text {
            Text::Literal(literal) => Some(literal.clone().into_bytes()),
            Text::Capture(name) => self.captures.get(name).cloned(),
        }
    }

    /// The id of the upload that a step is about; `None` for another step, and where no id was
    /// captured.
    #[must_use]
    pub fn upload_id(&self, step: &Step) -> Option<String> {
        String::from_utf8(self.resolve(step.upload.as_ref()?)?).ok()
    }
}

/// Whether the one key of the request is among `keys`, or none is needed.
fn proved(keys: &KeysSent, sent: &SsecHeaders) -> Backing {
    let shown: Vec<&[u8]> = sent.values_of(SsecHeader::Key).collect();
    let is_shown = |key: &Zeroizing<Vec<u8>>| matches!(shown[..], [one] if verify_slices_are_equal(one, key).is_ok());
    if keys.is_empty() || keys.iter().any(is_shown) {
        Backing::Held
    } else {
        Backing::Missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::evaluate::tests::exchange;
    use crate::ssec::headers::SsecValue;

    fn with_keys(values: &[&[u8]]) -> SsecHeaders {
        SsecHeaders {
            values: values
                .iter()
                .map(|value| SsecValue {
                    header: SsecHeader::Key,
                    value: value.to_vec(),
                })
                .collect(),
        }
    }

    #[test]
    fn a_read_is_backed_by_the_right_key_alone() {
        let mut state = State::default();
        state.stored("sealed", Content::default(), &with_keys(&[b"alice"]));
        state.stored("plain", Content::default(), &with_keys(&[]));
        let backing = |object, keys: &[&[u8]]| state.backing(object, &with_keys(keys));
        assert_eq!(backing("sealed", &[b"alice"]), Backing::Held);
        assert_eq!(backing("sealed", &[b"mallory"]), Backing::Missing);
        assert_eq!(backing("sealed", &[b"alice", b"mallory"]), Backing::Missing);
        assert_eq!(backing("sealed", &[]), Backing::Missing);
        assert_eq!(backing("plain", &[]), Backing::Held);
        assert_eq!(backing("plain", &[b"alice"]), Backing::Held);
        assert_eq!(backing("nothing", &[b"alice"]), Backing::Missing);
    }

    #[test]
    fn a_key_was_shown_also_beside_another() {
        let mut state = State::default();
        state.stored("sealed", Content::default(), &with_keys(&[b"alice"]));
        let shown = |object, keys: &[&[u8]]| state.was_shown(object, &with_keys(keys));
        assert!(shown("sealed", &[b"alice", b"mallory"]));
        assert!(shown("sealed", &[b"mallory", b"alice"]));
        assert!(!shown("sealed", &[b"mallory"]));
        assert!(!shown("sealed", &[]));
        assert!(!shown("nothing", &[b"alice"]));
    }

    #[test]
    fn captures_come_from_where_they_say() {
        let answer = exchange(200, &[("ETag", "\"x\"")], b"<R><Name>n</Name></R>");
        let capture = |name: &str, from| Capture {
            name: name.to_owned(),
            from,
        };
        let captures = [
            capture("etag", CaptureFrom::Header("etag".to_owned())),
            capture("name", CaptureFrom::Xml("Name".to_owned())),
            capture("status", CaptureFrom::Status),
            capture("none", CaptureFrom::Header("x-none".to_owned())),
        ];
        let mut state = State::default();
        let missing = state.capture(&captures, &answer);
        assert_eq!(missing.len(), 1);
        let value = |name: &str| state.resolve(&Text::Capture(name.to_owned()));
        assert_eq!(value("etag").as_deref(), Some(&b"\"x\""[..]));
        assert_eq!(value("name").as_deref(), Some(&b"n"[..]));
        assert_eq!(value("status").as_deref(), Some(&b"200"[..]));
        assert_eq!(value("none"), None);
    }
}
