//! The bucket of a run, and the removal of everything that the run created.
//!
//! Every object of a trial stands below `seed/trial/`, so no trial sees another's. What a run did
//! not create it never deletes: the journal is the only list of what to remove.

use std::sync::Arc;

use reports::journal::Thing;
use reports::record::Cleanup;

use super::sender::Sender;
use crate::check::evaluate;
use crate::check::status::Kind;
use crate::error::{Error, GivenError};
use crate::journal::Journal;
use crate::random::Seed;
use crate::s3::error_document::{upload_list, value_at};
use crate::s3::{Bucket, Request, operation};
use crate::transport::Exchange;

/// Letters of a trial's own folder; 2^50 of them keep two trials apart.
const TRIAL_FOLDER: usize = 10;

/// Where trials put their objects.
pub struct Fixture {
    sender: Arc<Sender>,
    journal: Arc<Journal>,
    bucket: String,
    seed: Seed,
}

/// The name of the bucket that a run with this seed makes for itself.
#[must_use]
pub fn bucket_name(seed: Seed) -> String {
    format!("ssec-{seed}")
}

impl Fixture {
    #[must_use]
    pub const fn new(
        sender: Arc<Sender>,
        journal: Arc<Journal>,
        bucket: String,
        seed: Seed,
    ) -> Self {
        Self {
            sender,
            journal,
            bucket,
            seed,
        }
    }

    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// The folder of the trial of that name, with its slash.
    #[must_use]
    pub fn folder(&self, trial: &str) -> String {
        let own = self.seed.generator(trial).name(TRIAL_FOLDER);
        format!("{}/{own}/", self.seed)
    }

    /// Notes that an object is about to be created; to be called before the request goes out.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn about_to_put(&self, object: &str) -> Result<(), Error> {
        self.note(self.thing(Some(object)))
    }

    /// Notes that an upload of an object is about to be created; its id is not known yet.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn about_to_create_upload(&self, object: &str) -> Result<(), Error> {
        self.note(self.upload(object, ""))
    }

    /// Notes the id that the target gave an upload, if it gave one.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn upload_answered(&self, object: &str, exchange: &Exchange) -> Result<(), Error> {
        let vague = self.upload(object, "");
        let id = value_at(&exchange.body, "UploadId").filter(|id| !id.is_empty());
        let noted = match id {
            Some(id) => self.journal.learned(&vague, self.upload(object, &id)),
            None if (400..500).contains(&exchange.status) => self.journal.removed(&vague),
            // It may be there all the same: the cleanup looks.
            None => Ok(()),
        };
        noted.map_err(|error| unwritten(&error))
    }

    fn upload(&self, object: &str, id: &str) -> Thing {
        Thing {
            upload: Some(id.to_owned()),
            ..self.thing(Some(object))
        }
    }

    /// Notes that the run's bucket is about to be created.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn about_to_create_bucket(&self) -> Result<(), Error> {
        self.note(self.thing(None))
    }

    fn thing(&self, object: Option<&str>) -> Thing {
        Thing {
            bucket: self.bucket.clone(),
            object: object.map(str::to_owned),
            upload: None,
        }
    }

    fn note(&self, thing: Thing) -> Result<(), Error> {
        self.journal
            .about_to_create(thing)
            .map_err(|error| unwritten(&error))
    }

    /// The run's bucket never came to be.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn bucket_was_not_created(&self) -> Result<(), Error> {
        self.journal
            .removed(&self.thing(None))
            .map_err(|error| unwritten(&error))
    }

    /// Removes the objects of one trial. What cannot be removed stays in the journal, for the
    /// end of the run.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn remove_folder(&self, folder: &str) -> Result<(), Error> {
        let own = |thing: &Thing| {
            let object = thing.object.as_deref();
            object.is_some_and(|object| object.starts_with(folder))
        };
        for thing in self.journal.pending().into_iter().filter(own) {
            if remove(&self.sender, &thing).await.is_ok() {
                self.gone(&thing)?;
            }
        }
        Ok(())
    }

    /// Removes whatever is left, objects first; says what could not be removed.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn remove_all(&self) -> Result<Cleanup, Error> {
        let mut left = Vec::new();
        for thing in self.journal.pending() {
            match remove(&self.sender, &thing).await {
                Ok(()) => self.gone(&thing)?,
                Err(why) => left.push(format!("{thing}: {why}")),
            }
        }
        let (created, removed) = self.journal.counts();
        Ok(Cleanup {
            created,
            removed,
            left,
        })
    }

    fn gone(&self, thing: &Thing) -> Result<(), Error> {
        self.journal
            .removed(thing)
            .map_err(|error| unwritten(&error))
    }
}

/// Removes one thing with a plain DELETE; what is not there counts as removed.
///
/// # Errors
/// Why it is still there, in words.
pub async fn remove(sender: &Sender, thing: &Thing) -> Result<(), String> {
    let bucket = sender.bucket(&thing.bucket);
    let request = match (&thing.object, &thing.upload) {
        (Some(object), Some(id)) if id.is_empty() => {
            return abort_all(sender, &bucket, object).await;
        }
        (Some(object), Some(id)) => operation::abort_upload(&bucket, object, id),
        (Some(object), None) => operation::delete_object(&bucket, object),
        (None, _) => operation::delete_bucket(&bucket),
    };
    delete(sender, request).await
}

/// Aborts every upload of an object: one was about to be created when the run ended.
async fn abort_all(sender: &Sender, bucket: &Bucket, object: &str) -> Result<(), String> {
    let request = operation::list_uploads(bucket, object);
    let sent = sender.plain(request).await.map_err(|e| e.to_string())?;
    let uploads = match (sent.exchange.status, upload_list(&sent.exchange.body)) {
        (200, Some(uploads)) => uploads,
        (404, _) => Vec::new(),
        (status, _) => return Err(format!("the list of uploads was answered {status}")),
    };
    for (_, id) in uploads.iter().filter(|(name, _)| name == object) {
        delete(sender, operation::abort_upload(bucket, object, id)).await?;
    }
    Ok(())
}

async fn delete(sender: &Sender, request: Request) -> Result<(), String> {
    let sent = sender.plain(request).await.map_err(|e| e.to_string())?;
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let answered = evaluate::answered(&sent.exchange, crate::check::Show(&show));
    match (answered.kind, answered.status) {
        (Kind::Served, _) | (_, 404) => Ok(()),
        (Kind::NotModified | Kind::Refused | Kind::Neither, status) => {
            let code = answered.code.unwrap_or_default();
            Err(format!("DELETE was answered {status} {code}"))
        }
    }
}

fn unwritten(error: &std::io::Error) -> Error {
    GivenError::Output {
        what: "the journal".to_owned(),
        why: error.to_string(),
    }
    .into()
}
