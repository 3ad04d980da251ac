//! The bucket of a run, and the removal of everything that the run created.
//!
//! Every object of a trial stands below `seed/trial/`, so no trial sees another's. What a run did
//! not create it never deletes: the journal is the only list of what to remove.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reports::journal::Thing;
use reports::record::Cleanup;

use super::sender::Sender;
use super::state::VERSION_ID;
use crate::check::evaluate;
use crate::check::status::{Kind, reply_words};
use crate::error::{Error, GivenError};
use crate::journal::Journal;
use crate::random::Seed;
use crate::s3::error_document::{upload_list, value_at, version_page};
use crate::s3::{Bucket, Request, operation};
use crate::transport::Exchange;

/// Letters of a trial's own folder; 2^50 of them keep two trials apart.
const TRIAL_FOLDER: usize = 10;
/// Pages of versions that a cleanup of an object or bucket goes through: a trial makes a handful of them.
const MAX_PAGES: usize = 100;
/// Says that a deletion left a marker, or removed one.
const DELETE_MARKER: &str = "x-amz-delete-marker";

/// Where one trial puts its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The run's bucket, or one of the trial's own.
    pub bucket: String,
    /// The trial's own folder in it, with its slash.
    pub folder: String,
    /// Whether the bucket is the trial's own.
    pub is_own: bool,
}

/// Where trials put their objects.
pub struct Fixture {
    sender: Arc<Sender>,
    journal: Arc<Journal>,
    bucket: String,
    seed: Seed,
    /// Whether new buckets block SSE-C until they are told otherwise.
    allows_ssec: AtomicBool,
}

/// How the name of every bucket that a run makes begins; its seed follows.
pub const BUCKET_PREFIX: &str = "ssec-";

/// The name of the bucket that a run with this seed makes for itself.
#[must_use]
pub fn bucket_name(seed: Seed) -> String {
    format!("{BUCKET_PREFIX}{seed}")
}

/// Below what all objects of a run stand in a bucket that it made, which goes by the name; `None` of
/// a bucket that was there before.
fn folder_of_run(bucket: &str) -> Option<String> {
    let seed = bucket.strip_prefix(BUCKET_PREFIX)?.split('-').next()?;
    let is_seed = seed.len() == 16 && seed.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_seed.then(|| format!("{seed}/"))
}

impl Fixture {
    #[must_use]
    pub fn new(sender: Arc<Sender>, journal: Arc<Journal>, bucket: String, seed: Seed) -> Self {
        Self {
            sender,
            journal,
            bucket,
            seed,
            allows_ssec: AtomicBool::new(false),
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

    /// Where the trial of that name puts its objects; `own` for a bucket of its own.
    #[must_use]
    pub fn ground(&self, trial: &str, own: bool) -> Ground {
        let folder = self.folder(trial);
        let bucket = if own {
            let letters = folder.trim_end_matches('/').rsplit('/').next();
            format!("{}-{}", self.bucket, letters.unwrap_or_default())
        } else {
            self.bucket.clone()
        };
        Ground {
            bucket,
            folder,
            is_own: own,
        }
    }

    /// Makes a trial's own bucket.
    ///
    /// # Errors
    /// When the journal cannot be written or no answer came; within it what was answered, when that
    /// was no success.
    pub async fn make_own(&self, ground: &Ground) -> Result<Result<(), String>, Error> {
        let thing = thing(&ground.bucket, None);
        self.note(thing.clone())?;
        let bucket = self.sender.bucket(&ground.bucket);
        let region = &self.sender.target().region;
        let request = operation::create_bucket(&bucket, region);
        let sent = self.sender.plain(request).await?;
        if (200..300).contains(&sent.exchange.status) {
            return if self.allows_ssec() {
                self.allow_ssec(&bucket).await
            } else {
                Ok(Ok(()))
            };
        }
        if (400..500).contains(&sent.exchange.status) {
            self.gone(&thing)?;
        }
        Ok(Err(words(&sent.exchange)))
    }

    /// Whether the run found that new buckets block SSE-C, and allows it in its own.
    #[must_use]
    pub fn allows_ssec(&self) -> bool {
        self.allows_ssec.load(Ordering::Relaxed)
    }

    /// Allows SSE-C in a bucket of the run, and from now on in each that it makes.
    ///
    /// # Errors
    /// When no answer came; within it what was answered, when that was no success.
    pub async fn allow_ssec(&self, bucket: &Bucket) -> Result<Result<(), String>, Error> {
        self.allows_ssec.store(true, Ordering::Relaxed);
        let sent = self.sender.plain(operation::put_encryption(bucket, "NONE"));
        let sent = sent.await?;
        Ok(match sent.exchange.status {
            200..300 => Ok(()),
            _ => Err(words(&sent.exchange)),
        })
    }

    /// Notes that an object is about to be created; to be called before the request goes out.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn about_to_put(&self, bucket: &str, object: &str) -> Result<(), Error> {
        self.note(thing(bucket, Some(object)))
    }

    /// Notes that an upload of an object is about to be created; its id is not known yet.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn about_to_create_upload(&self, bucket: &str, object: &str) -> Result<(), Error> {
        self.note(upload(bucket, object, ""))
    }

    /// Notes the id that the target gave an upload, if it gave one.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn upload_answered(
        &self,
        bucket: &str,
        object: &str,
        exchange: &Exchange,
    ) -> Result<(), Error> {
        let vague = upload(bucket, object, "");
        let id = value_at(&exchange.body, "UploadId").filter(|id| !id.is_empty());
        let noted = match id {
            Some(id) => self.journal.learned(&vague, upload(bucket, object, &id)),
            None if (400..500).contains(&exchange.status) => self.journal.removed(&vague),
            // It may be there all the same: the cleanup looks.
            None => Ok(()),
        };
        noted.map_err(|error| unwritten(&error))
    }

    /// Notes that the run's bucket is about to be created.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn about_to_create_bucket(&self) -> Result<(), Error> {
        self.note(thing(&self.bucket, None))
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
            .removed(&thing(&self.bucket, None))
            .map_err(|error| unwritten(&error))
    }

    /// Removes the objects of one trial, and its bucket where that is its own. What cannot be
    /// removed stays in the journal, for the end of the run.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn remove_ground(&self, ground: &Ground) -> Result<(), Error> {
        // A folder of that name can be in the run's bucket, too.
        let own = |thing: &Thing| match thing.object.as_deref() {
            _ if thing.bucket != ground.bucket => false,
            Some(object) => object.starts_with(&ground.folder),
            None => ground.is_own,
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

fn thing(bucket: &str, object: Option<&str>) -> Thing {
    Thing {
        bucket: bucket.to_owned(),
        object: object.map(str::to_owned),
        upload: None,
    }
}

fn upload(bucket: &str, object: &str, id: &str) -> Thing {
    Thing {
        upload: Some(id.to_owned()),
        ..thing(bucket, Some(object))
    }
}

/// Removes one thing with a plain DELETE, and of an object every version; what is not there counts
/// as removed.
///
/// # Errors
/// Why it is still there, in words.
pub async fn remove(sender: &Sender, thing: &Thing) -> Result<(), String> {
    let bucket = sender.bucket(&thing.bucket);
    match (&thing.object, &thing.upload) {
        (Some(object), Some(id)) if id.is_empty() => abort_all(sender, &bucket, object).await,
        (Some(object), Some(id)) => {
            let request = operation::abort_upload(&bucket, object, id);
            delete(sender, request).await.map(|_| ())
        }
        (Some(object), None) => {
            let deleted = delete(sender, operation::delete_object(&bucket, object)).await?;
            let keeps_versions = [VERSION_ID, DELETE_MARKER]
                .iter()
                .any(|name| deleted.header(name).is_some());
            let is_own = |name: &str| name == object;
            if keeps_versions {
                remove_versions(sender, &bucket, object, NoList::Fails, is_own).await?;
            } else if folder_of_run(&thing.bucket).is_none() {
                // Ceph RGW says nothing of versions when the newest is a marker already, and a
                // bucket that was there before may keep them.
                remove_versions(sender, &bucket, object, NoList::MeansNone, is_own).await?;
            }
            Ok(())
        }
        (None, _) => remove_bucket(sender, &thing.bucket).await,
    }
}

/// Removes a bucket that the run made, and what it may still hold of the run's own.
async fn remove_bucket(sender: &Sender, name: &str) -> Result<(), String> {
    let bucket = sender.bucket(name);
    let Err(refused) = delete(sender, operation::delete_bucket(&bucket)).await else {
        return Ok(());
    };
    let folder = folder_of_run(name).ok_or(refused.clone())?;
    let is_own = |object: &str| object.starts_with(&folder);
    let swept = remove_versions(sender, &bucket, &folder, NoList::Fails, is_own).await;
    swept.map_err(|why| format!("{refused}, and {why}"))?;
    delete(sender, operation::delete_bucket(&bucket))
        .await
        .map(|_| ())
}

/// What it means that versions cannot be listed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoList {
    Fails,
    /// There are none.
    MeansNone,
}

/// Removes every version of the objects below `prefix` that are the run's own, delete markers too.
async fn remove_versions(
    sender: &Sender,
    bucket: &Bucket,
    prefix: &str,
    no_list: NoList,
    is_own: impl Fn(&str) -> bool,
) -> Result<(), String> {
    // What a page held is gone when the next one is asked for, so each begins at the start.
    for page in 0..MAX_PAGES {
        let is_refused = |status| status != 200 && page == 0 && no_list == NoList::MeansNone;
        let request = operation::list_versions(bucket, prefix);
        let sent = sender.plain(request).await.map_err(|e| e.to_string())?;
        let page = match (sent.exchange.status, version_page(&sent.exchange.body)) {
            (200, Some(page)) => page,
            (404, _) => return Ok(()),
            (status, _) if is_refused(status) => return Ok(()),
            (status, _) => return Err(format!("the list of versions was answered {status}")),
        };
        let own = page.entries.iter().filter(|entry| is_own(&entry.object));
        for (object, id) in own.filter_map(|entry| Some((&entry.object, entry.version.as_deref()?)))
        {
            let request = operation::of_version(operation::delete_object(bucket, object), id);
            delete(sender, request).await?;
        }
        if page.next.is_none() {
            return Ok(());
        }
    }
    Err(format!("more than {MAX_PAGES} pages of versions"))
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

async fn delete(sender: &Sender, request: Request) -> Result<Exchange, String> {
    let sent = sender.plain(request).await.map_err(|e| e.to_string())?;
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let answered = evaluate::answered(&sent.exchange, crate::check::Show(&show));
    match (answered.kind, answered.status) {
        (Kind::Served, _) | (_, 404) => Ok(sent.exchange),
        (Kind::NotModified | Kind::Refused | Kind::Neither, _) => {
            Err(format!("DELETE was answered {}", words(&sent.exchange)))
        }
    }
}

/// Status and code of an answer.
fn words(exchange: &Exchange) -> String {
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let answered = evaluate::answered(exchange, crate::check::Show(&show));
    reply_words(answered.status, answered.code.as_deref())
}

fn unwritten(error: &std::io::Error) -> Error {
    GivenError::Output {
        what: "the journal".to_owned(),
        why: error.to_string(),
    }
    .into()
}
