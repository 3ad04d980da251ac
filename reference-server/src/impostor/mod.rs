//! Servers that are honest but for one lie each. They are how a suite proves that it can fail.
//!
//! A lie stands in one of the two seams and nowhere else: policy, sealing and store have no branch
//! for it. Each leaves the ordinary round trip of an SDK alone (put, get and head with the whole
//! right triple), so that only a test that looks for the lie finds it. The lies are the mutants of
//! real defects; two that need the inside of the sealing (reused nonces, tags not verified) are told
//! by files of their own beside the honest ones.

mod answers;
mod confusions;
mod copies;
mod forms;
mod memories;
mod objects;
mod pages;
mod policies;
mod pretences;
mod recollections;
mod refusals;
mod requests;
mod uploads;

use std::path::Path;
use std::sync::Arc;

use http::HeaderName;
use http::header::ETAG;

use self::answers::After;
use self::confusions::{KeyLogged, KeysMixed, Panics};
use self::copies::Copies;
use self::memories::{ChecksumUnproved, FirstPartKept, KnowsObjects, KnowsUploads};
use self::objects::{Lie, LyingObjects};
use self::pages::{ExposesNothing, ReadByAll};
use self::policies::Reworded;
use self::pretences::{BatchKept, SelfCopyPretended, TagsKept};
use self::recollections::{
    AttributesUnproved, BlockStopsReads, FalseEcho, HeadNeedsNoKey, KeyDemandedOnDelete,
    KeyIgnoredOnPlain, Md5IsPassword, NothingToDelete, StoredLengthInAttributes,
};
use self::refusals::{Refuse, RefuseStage};
use self::requests::Before;
use self::uploads::UploadLie;
use crate::s3_error::Code;
use crate::seam::{Interposer, Seams};
use crate::ssec::headers::KEY_MD5;
use crate::store::Store;

/// One impostor.
pub struct Impostor {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does wrong.
    pub lie: &'static str,
    seam: Seam,
}

/// Where an impostor stands, and how it gets there.
enum Seam {
    /// Around operations.
    A(fn(&Store) -> Arc<dyn Interposer>),
    /// Before sealed objects.
    B(fn(&Path) -> Lie),
}

impl Impostor {
    /// The impostor of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|impostor| impostor.name == name)
    }

    /// Takes its place before a store whose files are below `data_dir`.
    #[must_use]
    pub fn take_place(&self, store: &Store, data_dir: &Path) -> Seams {
        let honest = Seams::honest(store);
        match self.seam {
            Seam::A(lie) => Seams {
                interposer: lie(store),
                ..honest
            },
            Seam::B(lie) => {
                let objects = Arc::new(LyingObjects::new(store.clone(), lie(data_dir)));
                Seams { objects, ..honest }
            }
        }
    }
}

macro_rules! impostors {
    ($($name:literal $lie:literal $seam:expr;)*) => {
        /// All impostors, as lists show them.
        pub const ALL: &[Impostor] = &[$(Impostor { name: $name, lie: $lie, seam: $seam }),*];
    };
}

impostors! {
    "store-plaintext" "ignores the SSE-C headers: stores under its own key, a keyless read works"
        Seam::A(|_| Before::lie(requests::forget_triple));
    "partial-triple" "takes a triple without its algorithm for no encryption at all"
        Seam::A(|_| Before::lie(requests::forget_triple_without_algorithm));
    "md5-not-compared" "does not compare the key's MD5 with the key"
        Seam::A(|_| Before::lie(requests::correct_md5));
    "short-key-accepted" "pads or cuts a key of another length to 32 bytes"
        Seam::A(|_| Before::lie(requests::stretch_key));
    "two-methods" "lets SSE-C win silently over x-amz-server-side-encryption on a write"
        Seam::A(|_| Before::lie(requests::forget_managed_on_write));
    "managed-on-read-accepted" "ignores x-amz-server-side-encryption on a read"
        Seam::A(|_| Before::lie(requests::forget_managed_on_read));
    "unsigned-headers" "accepts x-amz- headers that the signature does not cover"
        Seam::A(|_| Before::lie(requests::sign_everything));
    "plain-http" "accepts SSE-C without TLS"
        Seam::A(|_| Before::lie(requests::call_it_tls));
    "md5-is-password" "compares only the key's MD5 on a read: whoever knows it, reads"
        Seam::A(|_| Arc::new(Md5IsPassword::default()));
    "head-any-key" "answers HEAD under any well-formed key"
        Seam::B(|_| Lie::HeadAnyKey);
    "head-needs-no-key" "answers HEAD of an SSE-C object without a key"
        Seam::A(|store| Arc::new(HeadNeedsNoKey(store.clone())));
    "zero-byte-any-key" "does not prove the key of an empty object"
        Seam::B(|_| Lie::ZeroByteAnyKey);
    "key-ignored-on-plain" "reads a plain object although a customer key is shown"
        Seam::A(|store| Arc::new(KeyIgnoredOnPlain(store.clone())));
    "false-echo" "says that a plain object is under the customer key that is shown"
        Seam::A(|store| Arc::new(FalseEcho(store.clone())));
    "key-demanded-on-delete" "deletes an SSE-C object only for a request with a key"
        Seam::A(|store| Arc::new(KeyDemandedOnDelete(store.clone())));
    "mid-record-offset" "serves a range from the start of its first record"
        Seam::B(|_| Lie::MidRecordOffset);
    "ciphertext-length" "tells the stored length of an SSE-C object on HEAD"
        Seam::A(|_| After::lie(answers::stored_length));
    "ciphertext-length-in-list" "tells the stored length of SSE-C objects in lists"
        Seam::B(|_| Lie::StoredLengthInList);
    "key-echo" "sends the customer key back with a read"
        Seam::A(|_| After::lie(answers::echo_key));
    "echo-missing" "does not echo algorithm and key MD5"
        Seam::A(|_| After::lie(answers::drop_echo));
    "ssec-reported-as-managed" "says x-amz-server-side-encryption: AES256 of SSE-C objects"
        Seam::A(|_| After::lie(answers::name_managed));
    "etag-changes" "has another ETag on HEAD than on PUT and GET"
        Seam::A(|_| After::lie(|asked, answer| answers::reverse_on_head(asked, answer, ETAG)));
    "wrong-key-status-500" "answers 500 to a wrong key"
        Seam::A(|_| After::lie(|asked, answer| {
            answers::wrong_key_as(asked, answer, Code::InternalError)
        }));
    "first-of-two" "takes the first of two SSE-C headers of one name"
        Seam::A(|_| Before::lie(requests::keep_first_value));
    "empty-is-absent" "takes an empty SSE-C header for none"
        Seam::A(|_| Before::lie(requests::forget_empty));
    "any-algorithm" "takes whatever the algorithm header says for AES256"
        Seam::A(|_| Before::lie(requests::say_aes256));
    "md5-optional" "takes a key without its MD5"
        Seam::A(|_| Before::lie(requests::add_missing_md5));
    "range-ignored" "serves an SSE-C object whole, whatever range is asked for"
        Seam::A(|_| Before::lie(requests::forget_range));
    "conditions-ignored" "does not look at preconditions where a key is shown"
        Seam::A(|_| Before::lie(requests::forget_conditions));
    "metadata-lost" "drops the metadata of SSE-C objects"
        Seam::A(|_| Before::lie(requests::forget_metadata));
    "wrong-key-status-404" "answers 404 to a wrong key"
        Seam::A(|_| After::lie(|asked, answer| answers::wrong_key_as(asked, answer, Code::NoSuchKey)));
    "refusal-echo" "shows the refused key in the refusal"
        Seam::A(|_| After::lie(answers::echo_refused_key));
    "echo-of-another" "echoes the MD5 of another key on HEAD"
        Seam::A(|_| After::lie(|asked, answer| {
            let md5 = HeaderName::from_static(KEY_MD5);
            answers::reverse_on_head(asked, answer, md5)
        }));
    "presigned-needs-key" "refuses presigned URLs of plain objects"
        Seam::A(|_| Refuse::lie(refusals::presigned_without_key));
    "missing-needs-key" "asks for a key where there is no object"
        Seam::A(|_| After::lie(answers::need_key_for_missing));
    "delete-again-404" "answers 404 to a delete of what is not there"
        Seam::A(|store| Arc::new(NothingToDelete(store.clone())));
    "version-ignored" "serves the current version, whichever is asked for"
        Seam::A(|_| Before::lie(requests::forget_version));
    "source-version-ignored" "copies the current version of the source, whichever is named"
        Seam::A(|_| Before::lie(requests::forget_source_version));
    "version-any-key" "answers HEAD of a version that is named under any well-formed key"
        Seam::B(|_| Lie::VersionAnyKey);
    "ciphertext-length-in-versions" "tells the stored length of SSE-C objects in lists of versions"
        Seam::B(|_| Lie::StoredLengthInVersions);
    "version-delete-needs-key" "deletes a version only for a request with a key"
        Seam::A(|_| Refuse::lie(refusals::version_deleted_without_key));
    "attributes-unproved" "tells the attributes of an SSE-C object whatever key is shown, or none"
        Seam::A(|store| Arc::new(AttributesUnproved(store.clone())));
    "tags-need-key" "reads and writes tags only for a request with a key"
        Seam::A(|_| Refuse::lie(refusals::tags_without_key));
    "batch-needs-key" "deletes a batch only for a request with a key"
        Seam::A(|_| Refuse::lie(refusals::batch_without_key));
    "block-ignored" "takes BlockedEncryptionTypes and blocks nothing"
        Seam::A(|_| Before::lie(requests::block_nothing));
    "block-stops-reads" "refuses to read SSE-C objects in a bucket that blocks SSE-C"
        Seam::A(|store| Arc::new(BlockStopsReads(store.clone())));
    "checksum-of-another" "shows the checksum of other bytes where one is asked for"
        Seam::A(|_| After::lie(answers::other_checksum));
    "part-number-ignored" "serves an SSE-C object whole, whatever part is asked for"
        Seam::A(|_| Before::lie(requests::forget_part));
    "key-demanded-on-complete" "completes an SSE-C upload only for a request with a key"
        Seam::A(|store| RefuseStage::lie(store, refusals::completes));
    "key-demanded-on-list-parts" "lists the parts of an SSE-C upload only for a request with a key"
        Seam::A(|store| RefuseStage::lie(store, refusals::lists_parts));
    "key-demanded-on-abort" "gives an SSE-C upload up only for a request with a key"
        Seam::A(|store| RefuseStage::lie(store, refusals::aborts));
    "part-key-unchecked" "takes a part of an SSE-C upload with whatever key, or with none"
        Seam::A(|_| Arc::new(KnowsUploads::any_part_key()));
    "part-key-dropped" "stores a part that comes with a key in clear where its upload has none"
        Seam::A(|_| Arc::new(KnowsUploads::part_key_dropped()));
    "first-part-kept" "keeps the first of two parts of one number, and answers the second alike"
        Seam::A(|_| Arc::new(FirstPartKept::default()));
    "part-order-ignored" "completes an upload whose parts are named in another order"
        Seam::B(|_| Lie::Upload(UploadLie::OrderIgnored));
    "part-seam-lost" "serves other bytes behind the seam of two parts where a range crosses it"
        Seam::B(|_| Lie::SeamLost);
    "ciphertext-length-in-parts" "tells the stored length of parts in lists of them"
        Seam::B(|_| Lie::Upload(UploadLie::StoredLength));
    "ciphertext-length-in-attributes" "tells the stored length of an SSE-C object as an attribute"
        Seam::A(|store| Arc::new(StoredLengthInAttributes(store.clone())));
    "part-copy-range-ignored" "copies the whole source into a part, whatever range is named"
        Seam::A(|_| Before::lie(requests::forget_source_range));
    "part-copy-source-unproved" "copies a part from an SSE-C source with whatever source key, or none"
        Seam::A(|_| Arc::new(KnowsObjects::copies_parts()));
    "copy-source-unproved" "copies an SSE-C source with whatever source key, or none"
        Seam::A(|_| Arc::new(KnowsObjects::copies()));
    "copy-stored-plain" "ignores the key that is named for a copy: the copy is in clear"
        Seam::A(|_| Before::lie(requests::forget_triple_of_copy));
    "copy-keeps-key" "seals a copy that names no key under the key of its source"
        Seam::A(|_| Before::lie(requests::keep_source_key));
    "copy-conditions-ignored" "does not look at conditions on the source of a copy"
        Seam::A(|_| Before::lie(requests::forget_source_conditions));
    "rotation-ignored" "says that a copy onto itself changed the key, and changes nothing"
        Seam::A(|store| Arc::new(SelfCopyPretended::of_rotation(store)));
    "self-copy-unproved" "says that a copy onto itself with one key twice was done, whichever key"
        Seam::A(|store| Arc::new(SelfCopyPretended::of_one_key(store)));
    "condition-on-another-tag" "compares preconditions with another ETag than the one it shows"
        Seam::A(|_| Before::lie(requests::condition_on_another_tag));
    "md5-missing-opens" "proves no key that comes without its MD5"
        Seam::A(|_| Arc::new(KnowsObjects::opens_without_md5()));
    "condition-opens" "serves a read with a precondition on the ETag without proof of the key"
        Seam::A(|_| Arc::new(KnowsObjects::opens_to_conditions()));
    "content-md5-believed" "does not compare a body with its Content-MD5"
        Seam::A(|_| Before::lie(requests::believe_content_md5));
    "checksum-believed" "does not compare a body with its checksum"
        Seam::A(|_| Before::lie(requests::believe_checksum));
    "chunk-framing-stored" "stores the framing of signed chunks as bytes of an SSE-C object"
        Seam::A(|_| Before::lie(requests::keep_framing));
    "checksum-unasked" "shows the checksum of an SSE-C object also where nobody asks for it"
        Seam::A(|_| Before::lie(requests::ask_for_checksum));
    "checksum-unproved" "tells the checksum of an SSE-C object in the refusal of whoever has no key"
        Seam::A(|_| Arc::new(ChecksumUnproved::default()));
    "etag-of-plaintext" "has the MD5 of the plaintext for the ETag of an SSE-C object"
        Seam::B(|_| Lie::PlaintextTag);
    "query-triple-ignored" "takes a triple in the query for none: the object is stored in clear"
        Seam::A(|_| Before::lie(requests::forget_query_triple));
    "tags-kept" "says that tags were removed, and keeps them"
        Seam::A(|_| Arc::new(TagsKept));
    "batch-kept" "says that a batch was deleted, and keeps its objects"
        Seam::A(|_| Arc::new(BatchKept));
    "form-key-ignored" "stores what a form brings under its own key, whatever key the form shows"
        Seam::A(|_| Before::lie(forms::forget_key));
    "form-partial-triple" "takes a form without its algorithm for one without encryption"
        Seam::A(|_| Before::lie(forms::forget_partial_triple));
    "form-md5-unchecked" "does not compare the key's MD5 in a form with the key"
        Seam::A(|_| Before::lie(forms::forget_md5));
    "form-policy-unchecked" "does not hold a form against the conditions of its policy"
        Seam::A(|_| Before::lie(forms::forget_conditions));
    "form-fields-uncovered" "takes fields of a form that its policy says nothing of"
        Seam::A(|_| Before::lie(forms::forget_uncovered));
    "form-expiry-ignored" "takes a form whose policy has expired"
        Seam::A(|_| Before::lie(forms::forget_expiry));
    "cors-forgets-ssec-headers" "answers a preflight without the SSE-C headers that it asks for"
        Seam::A(|_| After::lie(pages::forget_ssec_headers));
    "cors-allows-everybody" "answers each preflight as if a rule allowed it"
        Seam::A(|_| After::lie(pages::allow_everybody));
    "cors-exposes-nothing" "exposes no header of an answer to a page"
        Seam::A(|_| Arc::new(ExposesNothing));
    "cors-read-by-all" "lets each page read each answer, whatever the rules say"
        Seam::A(|_| Arc::new(ReadByAll));
    "preflight-needs-signature" "refuses a preflight because it has no signature"
        Seam::A(|_| Refuse::lie(pages::without_signature));
    "policy-ignored" "takes bucket policies and heeds none"
        Seam::A(|_| Reworded::lie(policies::deny_nothing));
    "policy-forgets-ssec" "takes a condition on the SSE-C algorithm for one on its own encryption"
        Seam::A(|_| Reworded::lie(policies::forget_ssec));
    "encrypt-skipped" "behaves, and leaves the plaintext on the disk"
        Seam::B(|data_dir| Lie::PlaintextOnDisk(data_dir.join("bodies.cache")));
    "key-persisted" "behaves, and writes the customer key to the disk"
        Seam::B(|data_dir| Lie::KeyOnDisk(data_dir.join("keys.cache")));
    "digest-persisted" "behaves, and writes the SHA-256 of the plaintext to the disk"
        Seam::B(|data_dir| Lie::DigestOnDisk(data_dir.join("digests.cache")));
    "nonce-reused" "behaves, and keeps copies that are encrypted with one stream a key"
        Seam::B(|data_dir| Lie::Copies(Copies::of_one_stream(data_dir)));
    "tampering-accepted" "serves from copies whose bytes nothing authenticates"
        Seam::B(|data_dir| Lie::Copies(Copies::that_are_served(data_dir)));
    "keys-mixed" "reads an object with the key of another request for it that is still running"
        Seam::A(|_| Arc::new(KeysMixed::default()));
    "key-logged" "logs the customer key of each request that it refuses"
        Seam::A(|_| Arc::new(KeyLogged));
    "key-in-panic" "panics over a wrong key on a read, with the key in its message, and answers 500"
        Seam::A(|_| Arc::new(Panics));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_a_command_line() {
        let mut names: Vec<_> = ALL.iter().map(|impostor| impostor.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(names.iter().all(|name| name.chars().all(fits)));
        assert!(ALL.iter().all(|impostor| !impostor.lie.is_empty()));
    }

    #[test]
    fn a_name_finds_its_impostor_only() {
        assert_eq!(
            Impostor::by_name("key-echo").map(|impostor| impostor.name),
            Some("key-echo")
        );
        assert!(Impostor::by_name("key-ech").is_none());
    }
}
