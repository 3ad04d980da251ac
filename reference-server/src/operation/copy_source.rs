//! The source of a copy: which object `x-amz-copy-source` names, and the proof that opens it.
//!
//! It is a read like any other, judged by the source's own triple: first whether the object exists,
//! then the key, only then the conditions.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http_body_util::BodyExt as _;

use super::Operations;
use super::authorization::Asker;
use super::conditions::{self, Outcome};
use super::reading::Name;
use crate::request::S3Request;
use crate::request::target::{self, MAX_OBJECT_NAME_BYTES, decode};
use crate::response::ResponseBody;
use crate::s3_error::{Code, S3Error};
use crate::seam::{ObjectFacts, OpenedObject, Purpose};
use crate::ssec::customer_key::Holder;
use crate::ssec::headers::{COPY_SOURCE, SsecHeaders};
use crate::ssec::policy::{self, Access, Intent, Stored};
use crate::store::{Found, HolderKind};

/// The headers with conditions on the source, and the condition that each one is.
const CONDITIONS: [(&str, HeaderName); 4] = [
    ("x-amz-copy-source-if-match", IF_MATCH),
    ("x-amz-copy-source-if-none-match", IF_NONE_MATCH),
    ("x-amz-copy-source-if-modified-since", IF_MODIFIED_SINCE),
    ("x-amz-copy-source-if-unmodified-since", IF_UNMODIFIED_SINCE),
];

/// What `x-amz-copy-source` names.
pub(super) struct Source {
    pub(super) name: Name,
}

/// A source whose key was proved.
pub(super) struct OpenedSource {
    pub(super) facts: ObjectFacts,
    pub(super) object: Box<dyn OpenedObject>,
    /// Whether it is under the key that the copy will be under.
    pub(super) same_key: bool,
}

/// Whether a header is about the source, for the list of headers that a copy takes.
pub(super) fn is_about_source(name: &str) -> bool {
    name == COPY_SOURCE || CONDITIONS.iter().any(|(header, _)| *header == name)
}

impl Source {
    /// Reads what the request copies.
    ///
    /// # Errors
    /// Those of [`Self::parse`]; 400 `InvalidArgument` for a version that is none of this store.
    pub(super) fn read(operations: &Operations, headers: &HeaderMap) -> Result<Self, S3Error> {
        let source = Self::parse(headers)?;
        if let Some(version) = &source.name.version {
            operations.check_version_id(version)?;
        }
        Ok(source)
    }

    /// Reads `bucket/object` or `/bucket/object`, percent-encoded, with or without `?versionId=`.
    ///
    /// # Errors
    /// 400 `InvalidArgument` for anything else.
    fn parse(headers: &HeaderMap) -> Result<Self, S3Error> {
        let mut values = headers.get_all(COPY_SOURCE).iter();
        let value = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().map_err(|_| malformed())?,
            (None, _) | (Some(_), Some(_)) => return Err(malformed()),
        };
        let (path, version) = match value.split_once('?') {
            None => (value, None),
            Some((path, query)) => {
                let version = query.strip_prefix("versionId=").ok_or_else(malformed)?;
                (path, Some(text(version)?))
            }
        };
        // Some clients encode the slash between bucket and object too.
        let path = text(path)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, object) = path.split_once('/').ok_or_else(malformed)?;
        if bucket.is_empty() || object.is_empty() {
            return Err(malformed());
        }
        if object.len() > MAX_OBJECT_NAME_BYTES {
            return Err(S3Error::new(Code::KeyTooLongError)
                .detail("MaxSizeAllowed", MAX_OBJECT_NAME_BYTES.to_string()));
        }
        let name = Name {
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            version,
        };
        Ok(Self { name })
    }

    /// Whether a request replaces the object that it reads. A part replaces no object.
    pub(super) fn is_target_of(&self, request: &S3Request) -> bool {
        !request.query.has("uploadId")
            && request.resource.bucket() == Some(&self.name.bucket)
            && request.resource.object() == Some(&self.name.object)
    }

    /// Finds and opens the source with its own triple. `target` is what the copy will be under.
    pub(super) async fn open(
        &self,
        operations: &Operations,
        request: &S3Request,
        target: &Access<'_>,
    ) -> Result<OpenedSource, S3Error> {
        let shown = SsecHeaders::of_copy_source(&request.headers);
        let name = &self.name;
        let action = match name.version {
            Some(_) => "s3:GetObjectVersion",
            None => "s3:GetObject",
        };
        let asker = Asker::of(request);
        operations
            .authorize_one(&asker, action, &name.bucket, &name.object)
            .await?;
        let objects = &operations.seams.objects;
        let found = objects.look_up(&name.bucket, &name.object, name.version.as_deref());
        let found = match (found.await?, &name.version) {
            (Found::Marker(_), Some(_)) => return Err(is_a_marker()),
            (found, _) => name.found(found)?,
        };
        let facts = found.facts();
        let stored = match facts.holder {
            HolderKind::Customer => Stored::Ssec,
            HolderKind::Server => Stored::Plain,
        };
        let access = policy::decide(operations.dialect, Intent::Read(stored), &shown)?;
        let same_key = match (&access, target) {
            (Access::Plain, Access::Plain) => true,
            (Access::Customer(source), Access::Customer(target)) => source.is(target),
            (Access::Plain, Access::Customer(_)) | (Access::Customer(_), Access::Plain) => false,
        };
        let proof = match &access {
            Access::Plain => found
                .prove(Holder::Server, Purpose::Read)
                .map_err(|_| S3Error::new(Code::InternalError)),
            Access::Customer(key) => {
                found
                    .prove(Holder::Customer(key), Purpose::Read)
                    .map_err(|_| {
                        let onto_itself = same_key && self.is_target_of(request);
                        policy::wrong_source_key(operations.dialect, onto_itself).into()
                    })
            }
        };
        let object = proof?;
        check_conditions(&request.headers, &facts)?;
        Ok(OpenedSource {
            facts,
            object,
            same_key,
        })
    }
}

/// The plaintext of a range of the source, piece by piece.
pub(super) struct Pieces(ResponseBody);

impl Pieces {
    /// Opens the range; its first window is verified.
    pub(super) async fn open(
        object: &dyn OpenedObject,
        range: Range<u64>,
    ) -> Result<Self, S3Error> {
        Ok(Self(object.read(range).await?))
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// 500 `InternalError` where the source is damaged: nothing may be made of what came before.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            match self.0.frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(Code::InternalError.into()),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

/// The conditions of a copy are those of a read, but whatever fails is 412.
fn check_conditions(headers: &HeaderMap, facts: &ObjectFacts) -> Result<(), S3Error> {
    let mut asked = HeaderMap::new();
    for (name, condition) in CONDITIONS {
        for value in headers.get_all(name) {
            asked.append(condition.clone(), value.clone());
        }
    }
    let modified = SystemTime::from(facts.last_modified);
    let failed = match conditions::of_a_read(&asked, facts.etag, modified) {
        Outcome::Goes => return Ok(()),
        Outcome::NotModified if asked.contains_key(IF_NONE_MATCH) => {
            "x-amz-copy-source-If-None-Match"
        }
        Outcome::NotModified => "x-amz-copy-source-If-Modified-Since",
        Outcome::Failed("If-Match") => "x-amz-copy-source-If-Match",
        Outcome::Failed(_) => "x-amz-copy-source-If-Unmodified-Since",
    };
    Err(S3Error::new(Code::PreconditionFailed).detail("Condition", failed))
}

fn is_a_marker() -> S3Error {
    S3Error::with_message(
        Code::InvalidRequest,
        "The source of a copy request may not specifically refer to a delete marker by version id.",
    )
}

fn text(encoded: &str) -> Result<String, S3Error> {
    let bytes = decode(encoded).map_err(|_| malformed())?;
    target::text(bytes).map_err(|_| malformed())
}

fn malformed() -> S3Error {
    let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
    S3Error::with_message(Code::InvalidArgument, message).argument(COPY_SOURCE, None)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    type Names = (String, String, Option<String>);

    fn read(value: &str) -> Result<Names, Code> {
        let value = HeaderValue::from_str(value).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static(COPY_SOURCE), value)]);
        let source = Source::parse(&headers).map_err(|error| error.code())?;
        Ok((source.name.bucket, source.name.object, source.name.version))
    }

    #[track_caller]
    fn names(value: &str, bucket: &str, object: &str, version: Option<&str>) {
        let expected = (
            bucket.to_owned(),
            object.to_owned(),
            version.map(str::to_owned),
        );
        assert_eq!(read(value), Ok(expected), "{value}");
    }

    #[test]
    fn sources_in_all_their_spellings() {
        names("b/o", "b", "o", None);
        names("/b/o", "b", "o", None);
        names("b%2Fdir%2Fo", "b", "dir/o", None);
        names("b/dir/o%20x%3F?versionId=3", "b", "dir/o x?", Some("3"));
        names("b//o", "b", "/o", None);
        names("b/a+b", "b", "a+b", None);
        names("b/%252F", "b", "%2F", None);
        names("b/o?versionId=", "b", "o", Some(""));
    }

    #[test]
    fn what_names_no_object_is_refused() {
        for value in [
            "", "/", "b", "/b", "b/", "/b/", "b/%", "b/%ff", "b/o?x=1", "//o", "b/a%00",
        ] {
            assert_eq!(read(value), Err(Code::InvalidArgument), "{value}");
        }
        assert_eq!(
            read(&format!("b/{}", "n".repeat(1025))),
            Err(Code::KeyTooLongError)
        );
        assert!(read(&format!("b/{}", "n".repeat(1024))).is_ok());
        let mut twice = HeaderMap::new();
        twice.append(COPY_SOURCE, HeaderValue::from_static("b/o"));
        twice.append(COPY_SOURCE, HeaderValue::from_static("b/p"));
        assert!(Source::parse(&twice).is_err());
        assert!(Source::parse(&HeaderMap::new()).is_err());
    }
}
