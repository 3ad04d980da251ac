//! What an accepted request did to a trial's memory, and what speaks for one that was to be refused.

use super::history::NULL_VERSION;
use super::state::State;
use super::step::Ready;
use crate::check::status::Backing;
use crate::check::{Check, Weight};
use crate::s3::error_document::{deleted_list, value_at};
use crate::scenario::definition::{Operation, Step, Trial};
use crate::ssec::{SsecHeaders, TrialKeys};
use crate::transport::Exchange;

impl State {
    /// Notes what an accepted request did; the trial's objects stand in `folder`. An answer without
    /// what later steps need breaks it.
    pub fn change(
        &mut self,
        step: &Step,
        trial: &Trial,
        folder: &str,
        ready: &Ready,
        answer: &Exchange,
        keys: &TrialKeys,
    ) -> Result<(), Check> {
        let id = self.upload_id(step).unwrap_or_default();
        let lacks = |what: &str| {
            Check::new("answer", Weight::Requirement, false)
                .expected(format!("{what} in the answer"))
                .observed("none")
        };
        let content = self.content_of(step, trial);
        match step.operation {
            Operation::Put | Operation::Copy | Operation::PostForm => {
                let object = &step.object;
                self.stored(object, content, &ready.sent, answer);
            }
            Operation::Delete => {
                let version = self.version_of(step);
                let version = version.as_deref();
                self.removed(&step.object, version, answer);
            }
            Operation::DeleteObjects => {
                let deleted = deleted_list(&answer.body).unwrap_or_default();
                for (name, marker) in deleted {
                    let object = name.strip_prefix(folder).unwrap_or(&name);
                    self.marked(object, marker.as_deref().unwrap_or(NULL_VERSION));
                }
            }
            Operation::PutVersioning => self.versioning_set(),
            Operation::CreateUpload => {
                let id = value_at(&answer.body, "UploadId").filter(|id| !id.is_empty());
                let id = id.ok_or_else(|| lacks("an UploadId"))?;
                let ssec = step.ssec.as_ref();
                let right = ssec.and_then(|ssec| SsecHeaders::right(&ssec.key, keys).ok());
                let sent = ready.sent.clone();
                self.upload_created(&id, &step.object, sent, right);
            }
            Operation::UploadPart | Operation::UploadPartCopy => {
                let header = answer.header("ETag");
                let header = header.map(|tag| String::from_utf8_lossy(tag).into_owned());
                let in_body = || value_at(&answer.body, "ETag");
                let tag = header.or_else(in_body).ok_or_else(|| lacks("an ETag"))?;
                let number = step.part.unwrap_or_default();
                self.part_stored(&id, number, content, &ready.sent, tag);
            }
            Operation::CompleteUpload => {
                let parts = step.parts.as_deref();
                self.completed(&id, parts, answer);
            }
            Operation::AbortUpload => self.aborted(&id),
            Operation::Get
            | Operation::Head
            | Operation::List
            | Operation::ListParts
            | Operation::ListUploads
            | Operation::ListVersions
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
            | Operation::DeletePolicy => {}
        }
        Ok(())
    }

    /// What speaks for a request that was carried out although its outcome is a refusal; `proofs`
    /// say whether the reads after a write showed what they must.
    pub fn backing_of(&self, step: &Step, ready: &Ready, proofs: &[bool]) -> Backing {
        let is_copy = step.source.is_some();
        let source = Self::backing(self.source_of(step), &ready.source_sent);
        let source_held = !is_copy || source == Backing::Held;
        let proved = proofs.iter().all(|met| *met);
        let held = match step.operation {
            Operation::Put | Operation::PostForm => !proofs.is_empty() && proved,
            Operation::Copy => {
                source_held && proved && (!proofs.is_empty() || ready.sent.values.is_empty())
            }
            Operation::CompleteUpload => proved,
            // Nothing can be read yet: the proof follows the completion.
            Operation::CreateUpload | Operation::UploadPart => true,
            Operation::UploadPartCopy => source_held,
            Operation::Get
            | Operation::Head
            | Operation::Delete
            | Operation::List
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
            | Operation::DeleteObjects => {
                return Self::backing(self.object_of(step), &ready.sent);
            }
            Operation::AbortUpload | Operation::ListParts | Operation::ListUploads => {
                let id = self.upload_id(step).unwrap_or_default();
                return self.upload_backing(&id, &ready.sent);
            }
        };
        if held {
            Backing::Held
        } else {
            Backing::Missing
        }
    }
}
