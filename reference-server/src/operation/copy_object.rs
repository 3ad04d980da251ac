//! `CopyObject`. Every copy is opened and sealed anew, also onto itself and under the same key.

use http::{HeaderMap, HeaderValue};
use md5::{Digest as _, Md5};

use super::authorization::Asker;
use super::copy_source::{OpenedSource, Pieces, Source, is_about_source};
use super::object_headers::{self, iso_time};
use super::{
    Operations, conditions, document, known_headers, object_of, object_tagging, set_text, writing,
};
use crate::body::MAX_BODY_BYTES;
use crate::checksum::{Checksum, ChecksumAlgorithm, RunningChecksum};
use crate::request::S3Request;
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::ssec::dialect::EtagRule;
use crate::ssec::headers::{MANAGED, SsecHeaders};
use crate::ssec::policy::Access;
use crate::store::{Committed, Finish, NewObject, ObjectTags, Versioning};
use crate::xml::XmlWriter;

/// Whether what is kept with an object comes from the source or from the request.
const METADATA_DIRECTIVE: &str = "x-amz-metadata-directive";
/// Whether the tags of the copy come from the source or from the request.
const TAGGING_DIRECTIVE: &str = "x-amz-tagging-directive";

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    let (bucket, object) = object_of(&request)?;
    let (bucket, object) = (bucket.to_owned(), object.to_owned());
    let target = writing::decide(operations, &request, shown, "s3:CopyObject").await?;
    let source = Source::read(operations, &request.headers)?;
    let opened = source.open(operations, &request, &target).await?;
    known_headers::only(&request.headers, takes)?;
    if matches!(target, Access::Plain) {
        writing::check_managed(&request)?;
    }
    let metadata = Metadata::read(&request.headers)?;
    if opened.facts.size > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let onto_itself = source.is_target_of(&request) && source.name.version.is_none();
    if onto_itself && !changes_something(&request.headers, metadata, &opened) {
        return Err(changes_nothing());
    }
    let tags = tags(operations, &request, &source, &opened).await?;
    let new = NewObject {
        bucket: &bucket,
        object: &object,
        holder: writing::holder(&target),
        headers: match metadata {
            Metadata::OfSource => opened.facts.headers.clone(),
            Metadata::OfRequest => object_headers::kept(&request.headers)?,
        },
        tags,
        conditions: conditions::of_a_write(&request.headers)?,
    };
    let wanted = writing::wanted_checksum(&request.headers)?;
    // A copy has no body of its own; one that came anyway is not silently dropped.
    request.body.collect(0).await?;
    let (committed, checksum) = store(operations, new, &opened, wanted).await?;

    let mut answer = document(result(&committed, checksum.as_ref()));
    object_headers::name_encryption(&mut answer, operations.dialect, &target);
    object_headers::name_version(
        &mut answer,
        operations.dialect,
        committed.versioning,
        &committed.version_id,
    );
    if source.name.version.is_some() || opened.facts.versioning != Versioning::Unversioned {
        let name = object_headers::COPY_SOURCE_VERSION_ID;
        set_text(&mut answer, name, &opened.facts.version_id);
    }
    Ok(answer)
}

/// The headers that a copy takes.
fn takes(name: &str, value: &HeaderValue) -> bool {
    known_headers::of_a_write(name, value)
        || is_about_source(name)
        || name == METADATA_DIRECTIVE
        || name == TAGGING_DIRECTIVE
}

/// Where metadata and content type of the copy come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metadata {
    OfSource,
    OfRequest,
}

impl Metadata {
    fn read(headers: &HeaderMap) -> Result<Self, S3Error> {
        match headers.get(METADATA_DIRECTIVE).map(HeaderValue::as_bytes) {
            None | Some(b"COPY") => Ok(Self::OfSource),
            Some(b"REPLACE") => Ok(Self::OfRequest),
            Some(_) => Err(S3Error::with_message(
                Code::InvalidArgument,
                "Unknown metadata directive.",
            )
            .argument(METADATA_DIRECTIVE, None)),
        }
    }
}

/// The tags of the copy. Those in a header count with the directive `REPLACE` alone, as recorded from
/// Amazon S3 by LocalStack; the source's may be copied by who may read them there and write them here.
async fn tags(
    operations: &Operations,
    request: &S3Request,
    source: &Source,
    opened: &OpenedSource,
) -> Result<ObjectTags, S3Error> {
    let named = object_tagging::of_a_write(&request.headers)?;
    let directive = request.headers.get(TAGGING_DIRECTIVE);
    match directive.map(HeaderValue::as_bytes) {
        None | Some(b"COPY") => {}
        Some(b"REPLACE") => return Ok(named),
        Some(_) => {
            let error = S3Error::with_message(Code::InvalidArgument, "Unknown tagging directive.");
            return Err(error.argument(TAGGING_DIRECTIVE, None));
        }
    }
    if !opened.facts.tags.is_empty() {
        let name = &source.name;
        let action = match name.version {
            Some(_) => "s3:GetObjectVersionTagging",
            None => "s3:GetObjectTagging",
        };
        let asker = Asker::of(request);
        operations
            .authorize_one(&asker, action, &name.bucket, &name.object)
            .await?;
        let (bucket, object) = object_of(request)?;
        operations
            .authorize_one(&asker, "s3:PutObjectTagging", bucket, object)
            .await?;
    }
    Ok(opened.facts.tags.clone())
}

/// Whether a copy onto itself is one that S3 takes: one that asks for other metadata, another key,
/// or by name for an encryption or a storage class.
fn changes_something(headers: &HeaderMap, metadata: Metadata, source: &OpenedSource) -> bool {
    metadata == Metadata::OfRequest
        || !source.same_key
        || headers.contains_key(MANAGED)
        || headers.contains_key("x-amz-storage-class")
}

fn changes_nothing() -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        "This copy request is illegal because it is trying to copy an object to itself without \
         changing the object's metadata, storage class, website redirect location or encryption \
         attributes.",
    )
}

fn too_large() -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        format!(
            "The specified copy source is larger than the maximum allowable size for a copy \
             source: {MAX_BODY_BYTES}"
        ),
    )
}

/// The checksum of a copy: carried over, to be computed, or none.
enum CopyChecksum {
    Carried(Checksum),
    Computed(RunningChecksum),
    None,
}

impl CopyChecksum {
    /// Carries the source's over unless another algorithm is wanted. That of a multipart object
    /// may be made of its parts; the copy has no parts.
    fn new(
        source: &OpenedSource,
        wanted: Option<ChecksumAlgorithm>,
        by_default: Option<ChecksumAlgorithm>,
    ) -> Result<Self, S3Error> {
        let kept = source.object.checksum()?;
        Ok(match (kept, wanted) {
            (Some(kept), wanted)
                if wanted.is_none_or(|wanted| wanted == kept.algorithm)
                    && !kept.value.contains('-') =>
            {
                Self::Carried(kept)
            }
            (_, Some(algorithm)) => Self::Computed(RunningChecksum::new(algorithm)),
            (Some(kept), None) => Self::Computed(RunningChecksum::new(kept.algorithm)),
            (None, None) => by_default.map_or(Self::None, |algorithm| {
                Self::Computed(RunningChecksum::new(algorithm))
            }),
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Computed(running) => running.update(bytes),
            Self::Carried(_) | Self::None => {}
        }
    }

    fn finish(self) -> Option<Checksum> {
        match self {
            Self::Carried(checksum) => Some(checksum),
            Self::Computed(running) => Some(running.finish()),
            Self::None => None,
        }
    }
}

/// Streams the source into the store. When the source turns out to be damaged, nothing is stored.
async fn store(
    operations: &Operations,
    new: NewObject<'_>,
    source: &OpenedSource,
    wanted: Option<ChecksumAlgorithm>,
) -> Result<(Committed, Option<Checksum>), S3Error> {
    let facts = operations.dialect.facts();
    let by_default = facts.adds_checksum.then_some(ChecksumAlgorithm::Crc64Nvme);
    let mut checksum = CopyChecksum::new(source, wanted, by_default)?;
    let mut md5 = match facts.etag {
        EtagRule::Opaque => None,
        EtagRule::Md5OfPlaintext => Some(Md5::new()),
    };
    let mut pieces = Pieces::open(&*source.object, 0..source.facts.size).await?;
    let mut writer = operations.seams.objects.begin(new).await?;
    while let Some(bytes) = pieces.next().await? {
        checksum.update(&bytes);
        if let Some(md5) = &mut md5 {
            md5.update(&bytes);
        }
        writer.write(bytes).await?;
    }
    let checksum = checksum.finish();
    let finish = Finish {
        md5: md5.map(|md5| md5.finalize().into()),
        checksum: checksum.clone(),
    };
    Ok((writer.commit(finish).await?, checksum))
}

fn result(committed: &Committed, checksum: Option<&Checksum>) -> XmlWriter {
    let mut xml = XmlWriter::document();
    xml.open_root("CopyObjectResult");
    xml.text("LastModified", &iso_time(committed.last_modified));
    xml.text("ETag", &format!("\"{}\"", committed.etag));
    if let Some(checksum) = checksum {
        object_headers::write_checksum(&mut xml, checksum);
        xml.text("ChecksumType", "FULL_OBJECT");
    }
    xml.close("CopyObjectResult");
    xml
}
