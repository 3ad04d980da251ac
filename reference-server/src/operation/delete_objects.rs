//! `DeleteObjects`. Like `DeleteObject` it needs no key; each object has its own answer.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::authorization::{Asker, DELETE, DELETE_VERSION};
use super::xml_document::Element;
use super::{Operations, bucket_of, conditions, document, known_headers};
use crate::request::S3Request;
use crate::request::target::MAX_OBJECT_NAME_BYTES;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, SealedObjects};
use crate::ssec::headers::SsecHeaders;
use crate::ssec::policy::{self, Intent};
use crate::store::{Deleted, Deletion, TagSet, Versioning};
use crate::xml::XmlWriter;

/// The most bytes of the list, S3's own limit.
const LIMIT: usize = 2 << 20;
/// The most objects of one request, S3's own limit.
const MAX_OBJECTS: usize = 1000;
/// How many deletions wait for the disk together.
const AT_ONCE: usize = 64;

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
) -> Result<Answer, S3Error> {
    policy::decide(operations.dialect, Intent::Keyless, shown)?;
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
    })?;
    let bucket = bucket_of(&request)?.to_owned();
    let asker = Asker::of(&request);
    operations.store.bucket(&bucket).await?;
    let body = request.body.collect(LIMIT).await?;
    let asked = Asked::read(&body)?;
    let mut flaws = Vec::new();
    for named in &asked.objects {
        let flaw = match named.flaw(operations) {
            None => named.denial(operations, &asker, &bucket).await,
            flaw @ Some(_) => flaw,
        };
        flaws.push(flaw);
    }
    let outcomes = delete(&operations.seams.objects, &bucket, &asked.objects, flaws).await;
    let mut xml = XmlWriter::document();
    xml.open_root("DeleteResult");
    for (object, outcome) in asked.objects.iter().zip(outcomes) {
        match outcome {
            Some(Ok(_)) if asked.quiet => {}
            Some(Ok(deleted)) => object.deleted(&mut xml, &deleted),
            Some(Err(error)) => object.failed(&mut xml, &error),
            None => object.failed(&mut xml, &Code::InternalError.into()),
        }
    }
    xml.close("DeleteResult");
    Ok(document(xml))
}

/// What is to be deleted, and whether only failures are of interest.
#[derive(Debug)]
struct Asked {
    objects: Vec<Named>,
    quiet: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    object: String,
    version: Option<String>,
    /// What the `ETag` of the newest version must be.
    if_match: Option<TagSet>,
}

impl Asked {
    fn read(body: &[u8]) -> Result<Self, S3Error> {
        if body.is_empty() {
            return Err(Code::MissingRequestBodyError.into());
        }
        let root = Element::read(body, "Delete")?;
        if !root.holds_only(&["Object", "Quiet"]) {
            return Err(Code::MalformedXML.into());
        }
        let objects: Vec<_> = root
            .children("Object")
            .map(Named::read)
            .collect::<Result<_, _>>()?;
        if objects.is_empty() || objects.len() > MAX_OBJECTS {
            return Err(Code::MalformedXML.into());
        }
        let quiet = root.text_of("Quiet").map(str::trim) == Some("true");
        Ok(Self { objects, quiet })
    }
}

impl Named {
    fn read(element: &Element) -> Result<Self, S3Error> {
        // A condition that is not looked at could destroy what its sender wanted to spare. S3 knows
        // these two in directory buckets alone, and an `ETag` of the newest version alone.
        for condition in ["LastModifiedTime", "Size"] {
            if element.child(condition).is_some() {
                return Err(known_headers::not_implemented(condition));
            }
        }
        let (etag, version) = (element.text_of("ETag"), element.text_of("VersionId"));
        if etag.is_some() && version.is_some() {
            return Err(known_headers::not_implemented("ETag"));
        }
        let object = element.text_of("Key").filter(|name| !name.is_empty());
        let known = element.holds_only(&["Key", "VersionId", "ETag"]);
        let once = ["Key", "VersionId", "ETag"]
            .iter()
            .all(|name| element.children(name).count() <= 1);
        let object = object.filter(|_| known && once);
        Ok(Self {
            object: object.ok_or(Code::MalformedXML)?.to_owned(),
            version: version.map(str::to_owned),
            if_match: etag.map(conditions::tags_of),
        })
    }

    /// Why it cannot name anything: its name is too long, or its version none of this store. An
    /// empty version is not taken for none: that would delete more than was named.
    fn flaw(&self, operations: &Operations) -> Option<S3Error> {
        if self.object.len() > MAX_OBJECT_NAME_BYTES {
            return Some(Code::KeyTooLongError.into());
        }
        let version = self.version.as_deref()?;
        operations.check_version_id(version).err()
    }

    /// Why it may not be deleted.
    async fn denial(
        &self,
        operations: &Operations,
        asker: &Asker,
        bucket: &str,
    ) -> Option<S3Error> {
        let action = match self.version {
            Some(_) => DELETE_VERSION,
            None => DELETE,
        };
        let allowed = operations.authorize_one(asker, action, bucket, &self.object);
        allowed.await.err()
    }

    fn deleted(&self, xml: &mut XmlWriter, deleted: &Deleted) {
        xml.open("Deleted");
        xml.text("Key", &self.object);
        if let Some(version) = &self.version {
            xml.text("VersionId", version);
        }
        let shown = deleted.versioning != Versioning::Unversioned || self.version.is_some();
        if let Some(id) = deleted
            .version_id
            .as_ref()
            .filter(|_| deleted.marker && shown)
        {
            xml.text("DeleteMarker", "true");
            xml.text("DeleteMarkerVersionId", id);
        }
        xml.close("Deleted");
    }

    fn failed(&self, xml: &mut XmlWriter, error: &S3Error) {
        xml.open("Error");
        xml.text("Key", &self.object);
        if let Some(version) = &self.version {
            xml.text("VersionId", version);
        }
        xml.text("Code", error.code().as_str());
        xml.text("Message", error.message());
        xml.close("Error");
    }
}

/// Deletes all that have no flaw, several at a time, so that one sync of the disk serves many.
async fn delete(
    objects: &Arc<dyn SealedObjects>,
    bucket: &str,
    asked: &[Named],
    flaws: Vec<Option<S3Error>>,
) -> Vec<Option<Result<Deleted, S3Error>>> {
    let mut outcomes: Vec<_> = flaws.into_iter().map(|flaw| flaw.map(Err)).collect();
    let whole: Vec<_> = asked
        .iter()
        .cloned()
        .enumerate()
        .filter(|(index, _)| matches!(outcomes.get(*index), Some(None)))
        .collect();
    let mut running = JoinSet::new();
    for (index, named) in whole {
        if running.len() >= AT_ONCE
            && let Some(Ok((index, outcome))) = running.join_next().await
        {
            note(&mut outcomes, index, outcome);
        }
        let (objects, bucket) = (Arc::clone(objects), bucket.to_owned());
        running.spawn(async move { (index, one(&*objects, &bucket, &named).await) });
    }
    while let Some(ended) = running.join_next().await {
        if let Ok((index, outcome)) = ended {
            note(&mut outcomes, index, outcome);
        }
    }
    outcomes
}

fn note<T>(outcomes: &mut [Option<T>], index: usize, outcome: T) {
    if let Some(place) = outcomes.get_mut(index) {
        *place = Some(outcome);
    }
}

async fn one(objects: &dyn SealedObjects, bucket: &str, named: &Named) -> Result<Deleted, S3Error> {
    let deletion = match &named.version {
        Some(id) => Deletion::Version(id),
        None => Deletion::Newest {
            if_match: named.if_match.clone(),
        },
    };
    Ok(objects.delete(bucket, &named.object, deletion).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Asked, Code> {
        Asked::read(body.as_bytes()).map_err(|error| error.code())
    }

    #[test]
    fn a_list_is_read() {
        let asked = read(
            "<Delete><Quiet>true</Quiet><Object><Key> a </Key></Object>\
             <Object><Key>b</Key><VersionId>3</VersionId></Object>\
             <Object><Key>c</Key><VersionId/></Object>\
             <Object><Key>d</Key><ETag>\"e\"</ETag></Object></Delete>",
        )
        .unwrap();
        assert!(asked.quiet);
        let (first, second) = (&asked.objects[0], &asked.objects[1]);
        assert_eq!((first.object.as_str(), &first.version), (" a ", &None));
        assert_eq!(second.version.as_deref(), Some("3"));
        // An empty version is one that nothing has, not none.
        assert_eq!(asked.objects[2].version.as_deref(), Some(""));
        let etag = TagSet::These(vec!["e".to_owned()]);
        assert_eq!(asked.objects[3].if_match, Some(etag));
    }

    #[test]
    fn a_list_has_bounds() {
        let list = |count| {
            format!(
                "<Delete>{}</Delete>",
                "<Object><Key>a</Key></Object>".repeat(count)
            )
        };
        assert!(read(&list(MAX_OBJECTS)).is_ok());
        assert_eq!(
            read(&list(MAX_OBJECTS + 1)).unwrap_err(),
            Code::MalformedXML
        );
        assert_eq!(read(&list(0)).unwrap_err(), Code::MalformedXML);
        assert_eq!(read("").unwrap_err(), Code::MissingRequestBodyError);
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for (inside, code) in [
            ("<Object><Key></Key></Object>", Code::MalformedXML),
            ("<Object/>", Code::MalformedXML),
            ("<Object><Key>a</Key><Other/></Object>", Code::MalformedXML),
            ("<Object><Key>a</Key></Object><Other/>", Code::MalformedXML),
            (
                "<Object><Key>a</Key><Size>3</Size></Object>",
                Code::NotImplemented,
            ),
            (
                "<Object><Key>a</Key><ETag>x</ETag><VersionId>3</VersionId></Object>",
                Code::NotImplemented,
            ),
            (
                "<Object><Key>a</Key><VersionId>3</VersionId><VersionId/></Object>",
                Code::MalformedXML,
            ),
            (
                "<Object><Key>a</Key><Key>b</Key></Object>",
                Code::MalformedXML,
            ),
        ] {
            let refused = read(&format!("<Delete>{inside}</Delete>")).unwrap_err();
            assert_eq!(refused, code, "{inside}");
        }
    }
}
