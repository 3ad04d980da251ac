//! What a step can do: the closed list of operations, and what each is.

/// One S3 operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    Put,
    Get,
    Head,
    Delete,
    /// ListObjectsV2 of the trial's prefix.
    List,
    Copy,
    CreateUpload,
    UploadPart,
    UploadPartCopy,
    CompleteUpload,
    AbortUpload,
    ListParts,
    /// ListMultipartUploads of the trial's prefix.
    ListUploads,
    /// ListObjectVersions of the trial's prefix.
    ListVersions,
    /// PutBucketVersioning.
    PutVersioning,
    /// GetObjectAttributes, all that there are.
    GetAttributes,
    /// PutObjectTagging.
    PutTagging,
    /// GetObjectTagging.
    GetTagging,
    /// DeleteObjectTagging.
    DeleteTagging,
    /// DeleteObjects.
    DeleteObjects,
    /// PutBucketEncryption: AES256, and whether SSE-C is blocked.
    PutEncryption,
    /// PostObject: a form.
    PostForm,
    /// A preflight, which has no signature.
    Options,
    /// PutBucketCors.
    PutCors,
    /// GetBucketCors.
    GetCors,
    /// DeleteBucketCors.
    DeleteCors,
    /// PutBucketPolicy.
    PutPolicy,
    /// GetBucketPolicy.
    GetPolicy,
    /// DeleteBucketPolicy.
    DeletePolicy,
}

/// What the value behind an operation's word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsOn {
    /// One object.
    Object,
    /// Several objects, each by its name.
    Objects,
    /// All objects whose names begin so.
    Prefix,
    /// The bucket; the value is what it is told.
    Bucket,
}

/// What an accepted request leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stores {
    /// A whole object, which can be read.
    Object,
    /// A stage of one.
    Stage,
    Nothing,
}

/// What an operation is.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    pub operation: Operation,
    /// The word that steps, dialects and reports use.
    pub word: &'static str,
    /// How a sentence about it begins; the object's name follows.
    pub says: &'static str,
    pub acts_on: ActsOn,
    pub stores: Stores,
}

const fn verb(
    operation: Operation,
    word: &'static str,
    says: &'static str,
    acts_on: ActsOn,
    stores: Stores,
) -> Verb {
    Verb {
        operation,
        word,
        says,
        acts_on,
        stores,
    }
}

/// Every operation, in the order of [`Operation`].
pub const OPERATIONS: [Verb; 29] = {
    use ActsOn::{Bucket, Object, Objects, Prefix};
    use Operation as Op;
    use Stores::{Nothing, Stage};
    let whole = Stores::Object;
    [
        verb(Op::Put, "put", "PUT", Object, whole),
        verb(Op::Get, "get", "GET", Object, Nothing),
        verb(Op::Head, "head", "HEAD", Object, Nothing),
        verb(Op::Delete, "delete", "DELETE", Object, Nothing),
        verb(Op::List, "list", "LIST", Prefix, Nothing),
        verb(Op::Copy, "copy", "COPY", Object, whole),
        verb(
            Op::CreateUpload,
            "create-upload",
            "CREATE UPLOAD of",
            Object,
            Stage,
        ),
        verb(Op::UploadPart, "upload-part", "UPLOAD", Object, Stage),
        verb(
            Op::UploadPartCopy,
            "upload-part-copy",
            "COPY",
            Object,
            Stage,
        ),
        verb(
            Op::CompleteUpload,
            "complete-upload",
            "COMPLETE UPLOAD of",
            Object,
            whole,
        ),
        verb(
            Op::AbortUpload,
            "abort-upload",
            "ABORT UPLOAD of",
            Object,
            Nothing,
        ),
        verb(
            Op::ListParts,
            "list-parts",
            "LIST PARTS of",
            Object,
            Nothing,
        ),
        verb(
            Op::ListUploads,
            "list-uploads",
            "LIST UPLOADS of",
            Prefix,
            Nothing,
        ),
        verb(
            Op::ListVersions,
            "list-versions",
            "LIST VERSIONS of",
            Prefix,
            Nothing,
        ),
        verb(
            Op::PutVersioning,
            "put-versioning",
            "PUT VERSIONING of",
            Bucket,
            Nothing,
        ),
        verb(
            Op::GetAttributes,
            "get-attributes",
            "GET ATTRIBUTES of",
            Object,
            Nothing,
        ),
        verb(
            Op::PutTagging,
            "put-tagging",
            "PUT TAGS of",
            Object,
            Nothing,
        ),
        verb(
            Op::GetTagging,
            "get-tagging",
            "GET TAGS of",
            Object,
            Nothing,
        ),
        verb(
            Op::DeleteTagging,
            "delete-tagging",
            "DELETE TAGS of",
            Object,
            Nothing,
        ),
        verb(
            Op::DeleteObjects,
            "delete-objects",
            "DELETE at once",
            Objects,
            Nothing,
        ),
        verb(
            Op::PutEncryption,
            "put-encryption",
            "PUT ENCRYPTION of",
            Bucket,
            Nothing,
        ),
        verb(Op::PostForm, "post-form", "POST FORM of", Object, whole),
        verb(Op::Options, "options", "PREFLIGHT for", Object, Nothing),
        verb(Op::PutCors, "put-cors", "PUT CORS of", Bucket, Nothing),
        verb(Op::GetCors, "get-cors", "GET CORS of", Bucket, Nothing),
        verb(
            Op::DeleteCors,
            "delete-cors",
            "DELETE CORS of",
            Bucket,
            Nothing,
        ),
        verb(
            Op::PutPolicy,
            "put-policy",
            "PUT POLICY of",
            Bucket,
            Nothing,
        ),
        verb(
            Op::GetPolicy,
            "get-policy",
            "GET POLICY of",
            Bucket,
            Nothing,
        ),
        verb(
            Op::DeletePolicy,
            "delete-policy",
            "DELETE POLICY of",
            Bucket,
            Nothing,
        ),
    ]
};

/// Operations of the language that this version cannot carry out yet.
pub const LATER_OPERATIONS: [&str; 2] = ["select", "restore"];

impl Operation {
    /// What it is.
    #[must_use]
    pub const fn verb(self) -> &'static Verb {
        &OPERATIONS[self as usize]
    }

    /// The word that steps, dialects and reports use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.verb().word
    }

    /// Whether it stores a body, or is a stage of storing one.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self.verb().stores, Stores::Object | Stores::Stage)
    }

    /// Whether an accepted request leaves a whole object behind, which can be read.
    #[must_use]
    pub const fn makes_object(self) -> bool {
        matches!(self.verb().stores, Stores::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_finds_itself_in_the_list() {
        for (index, verb) in OPERATIONS.iter().enumerate() {
            assert_eq!(verb.operation as usize, index, "{}", verb.word);
            assert_eq!(verb.operation.word(), verb.word);
        }
    }
}
