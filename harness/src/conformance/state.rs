//! What a trial knows while it runs: what each object was stored with, and captured values.
//!
//! It knows what the target accepted, not what it did with it: that is what the trial finds out.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::history::{History, NULL_VERSION};
use super::stored::{Content, KeysSent, Part, Stored, Upload, keys_of};
use crate::check::status::Backing;
use crate::s3::error_document::value_at;
use crate::scenario::definition::{Capture, CaptureFrom, Operation, SsecHeader, Step, Text, Trial};
use crate::ssec::SsecHeaders;
use crate::transport::Exchange;

/// Names the version that an answer is about.
pub const VERSION_ID: &str = "x-amz-version-id";

/// A trial's memory. No `Debug`: it holds keys.
#[derive(Default)]
pub struct State {
    /// By logical name.
    objects: BTreeMap<String, History>,
    /// Whether the bucket was told to keep versions, now or before.
    keeps_versions: bool,
    /// By logical name, what was last to be read before the target said that it is gone.
    gone: BTreeMap<String, Stored>,
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

    /// The bucket was told to keep versions, or to keep no further ones.
    pub fn versioning_set(&mut self) {
        self.keeps_versions = true;
    }

    /// The id under which an answer's object is kept: the answer's own, where there are versions.
    fn version_in(&self, exchange: &Exchange) -> String {
        let id = exchange.header(VERSION_ID).filter(|_| self.keeps_versions);
        id.map_or(NULL_VERSION.into(), String::from_utf8_lossy)
            .into_owned()
    }

    /// The target accepted `object` with this content and these SSE-C headers.
    pub fn stored(&mut self, object: &str, content: Content, sent: &SsecHeaders, at: &Exchange) {
        let keys = keys_of(sent);
        let id = self.version_in(at);
        let history = self.objects.entry(object.to_owned()).or_default();
        history.put(&id, Stored { content, keys });
    }

    /// The target removed `object`, or its `version`.
    pub fn removed(&mut self, object: &str, version: Option<&str>, at: &Exchange) {
        match (version, self.objects.get_mut(object)) {
            (Some(version), Some(history)) => history.remove(version),
            (None, _) => {
                let marker = self.version_in(at);
                self.marked(object, &marker);
            }
            (Some(_), None) => {}
        }
    }

    /// The target removed `object`; where its bucket keeps versions, `marker` is the id of the delete
    /// marker that stands over them.
    pub fn marked(&mut self, object: &str, marker: &str) {
        if let Some(stored) = self.object(object, None).cloned() {
            self.gone.insert(object.to_owned(), stored);
        }
        match self.objects.get_mut(object) {
            Some(history) if self.keeps_versions => history.mark(marker),
            Some(_) | None => {
                self.objects.remove(object);
            }
        }
    }

    /// What a request for `object`, or for a version of it, is about.
    #[must_use]
    pub fn object(&self, object: &str, version: Option<&str>) -> Option<&Stored> {
        self.objects.get(object)?.get(version)
    }

    /// What `object` was before the target said that it is gone.
    #[must_use]
    pub fn gone(&self, object: &str) -> Option<&Stored> {
        self.gone.get(object)
    }

    /// The object of a step, in the version that it names.
    #[must_use]
    pub fn object_of(&self, step: &Step) -> Option<&Stored> {
        self.object(&step.object, self.version_of(step).as_deref())
    }

    /// The source of a copy, in the version that it names.
    #[must_use]
    pub fn source_of(&self, step: &Step) -> Option<&Stored> {
        let version = self.known_text(step.source_version.as_ref());
        self.object(step.source.as_deref()?, version.as_deref())
    }

    /// The version that a step names.
    #[must_use]
    pub fn version_of(&self, step: &Step) -> Option<String> {
        self.known_text(step.version.as_ref())
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
    pub fn completed(&mut self, id: &str, numbers: Option<&[u32]>, at: &Exchange) {
        if let Some(upload) = self.uploads.remove(id) {
            let stored = upload.completed(numbers);
            let version = self.version_in(at);
            let history = self.objects.entry(upload.object).or_default();
            history.put(&version, stored);
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
            Operation::Put | Operation::UploadPart | Operation::PostForm => {
                let name = step.body.as_deref().unwrap_or_default();
                let spec = trial.bodies.get(name);
                spec.map_or_else(Content::default, |spec| Content::of(name, *spec))
            }
            Operation::Copy | Operation::UploadPartCopy => {
                let source = self.source_of(step);
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
            | Operation::ListUploads
            | Operation::ListVersions
            | Operation::PutVersioning
            | Operation::PutEncryption
            | Operation::GetAttributes
            | Operation::PutTagging
            | Operation::GetTagging
            | Operation::DeleteTagging
            | Operation::Options
            | Operation::PutCors
            | Operation::GetCors
            | Operation::DeleteCors
            | Operation::PutPolicy
            | Operation::GetPolicy
            | Operation::DeletePolicy
            | Operation::DeleteObjects => Content::default(),
        }
    }

    /// All objects that are there, and all parts of uploads.
    pub fn all(&self) -> impl Iterator<Item = &Stored> {
        let parts = self
            .uploads
            .values()
            .flat_map(|upload| upload.parts.values());
        let objects = self.objects.values().flat_map(History::all);
        objects.chain(parts.map(|part| &part.stored))
    }

    /// What speaks for a request that was carried out with these headers and is about `stored`: the
    /// right key itself was shown, or the object has none.
    #[must_use]
    pub fn backing(stored: Option<&Stored>, sent: &SsecHeaders) -> Backing {
        stored.map_or(Backing::Missing, |stored| proved(&stored.keys, sent))
    }

    /// The same for a request about an upload.
    #[must_use]
    pub fn upload_backing(&self, id: &str, sent: &SsecHeaders) -> Backing {
        let upload = self.uploads.get(id);
        upload.map_or(Backing::Missing, |upload| proved(&upload.keys, sent))
    }

    /// Whether the key of `stored` stood in the request at all, be it beside another one: what is
    /// served then is no leak, whatever else is wrong with it.
    #[must_use]
    pub fn was_shown(stored: Option<&Stored>, sent: &SsecHeaders) -> bool {
        let keys = stored.map(|stored| &stored.keys);
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
            // Nothing can be compared with what is empty: a tag or an id that says nothing is none.
            match value.filter(|value| !value.is_empty()) {
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
        self.known_text(step.upload.as_ref())
    }

    fn known_text(&self, text: Option<&Text>) -> Option<String> {
        String::from_utf8(self.resolve(text?)?).ok()
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

    /// A memory of two objects: `sealed` under the key `alice`, and `plain`.
    fn two_objects() -> State {
        let mut state = State::default();
        let answer = Exchange::answered(200, &[], b"");
        let mut put = |object: &str, keys: &[&[u8]]| {
            state.stored(object, Content::default(), &with_keys(keys), &answer);
        };
        put("sealed", &[b"alice"]);
        put("plain", &[]);
        state
    }

    #[test]
    fn a_read_is_backed_by_the_right_key_alone() {
        let state = two_objects();
        let backing =
            |object, keys: &[&[u8]]| State::backing(state.object(object, None), &with_keys(keys));
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
        let state = two_objects();
        let shown =
            |object, keys: &[&[u8]]| State::was_shown(state.object(object, None), &with_keys(keys));
        assert!(shown("sealed", &[b"alice", b"mallory"]));
        assert!(shown("sealed", &[b"mallory", b"alice"]));
        assert!(!shown("sealed", &[b"mallory"]));
        assert!(!shown("sealed", &[]));
        assert!(!shown("nothing", &[b"alice"]));
    }

    #[test]
    fn versions_are_kept_once_the_bucket_was_told_to() {
        let mut state = State::default();
        let answer = |id| Exchange::answered(200, &[(VERSION_ID, id)], b"");
        let key = |key: &'static [u8]| with_keys(&[key]);
        let put = |state: &mut State, id, own| {
            state.stored("doc", Content::default(), &key(own), &answer(id));
        };
        // Some name a version although the bucket keeps none.
        put(&mut state, "8", b"alice");
        put(&mut state, "9", b"mallory");
        assert!(state.object("doc", Some("8")).is_none());
        state.versioning_set();
        put(&mut state, "1", b"alice");
        let backing = |state: &State, id: Option<&str>, own| {
            State::backing(state.object("doc", id), &key(own))
        };
        assert_eq!(backing(&state, Some("null"), b"mallory"), Backing::Held);
        assert_eq!(backing(&state, None, b"alice"), Backing::Held);
        assert_eq!(backing(&state, None, b"mallory"), Backing::Missing);
        state.removed("doc", None, &answer("2"));
        assert!(state.object("doc", None).is_none());
        assert!(state.object("doc", Some("1")).is_some());
        state.removed("doc", Some("2"), &answer("2"));
        state.removed("doc", Some("1"), &answer("1"));
        assert_eq!(backing(&state, None, b"mallory"), Backing::Held);
        assert_eq!(
            State::backing(state.gone("doc"), &key(b"alice")),
            Backing::Held
        );
        // A batch tells the marker's id in its document. The version below it has the id null.
        state.marked("doc", "3");
        assert!(state.object("doc", None).is_none());
        assert_eq!(backing(&state, Some("null"), b"mallory"), Backing::Held);
        state.removed("doc", Some("3"), &answer("3"));
        assert_eq!(backing(&state, None, b"mallory"), Backing::Held);
    }

    #[test]
    fn captures_come_from_where_they_say() {
        let answer = Exchange::answered(200, &[("ETag", "\"x\"")], b"<R><Name>n</Name></R>");
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
