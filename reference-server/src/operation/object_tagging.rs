//! `GetObjectTagging`, `PutObjectTagging` and `DeleteObjectTagging`, and the tags that a write gives
//! its object in a header. Tags need no key.

use http::{HeaderMap, StatusCode};

use super::object_headers::name_version;
use super::reading::Name;
use super::xml_document::Element;
use super::{Operations, document, empty, known_headers};
use crate::request::S3Request;
use crate::request::target::decode;
use crate::s3_error::{Code, S3Error};
use crate::seam::{Answer, ObjectFacts};
use crate::store::{ObjectTags, StoreError};
use crate::xml::XmlWriter;

/// The header with the tags of what is written.
pub(super) const TAGGING: &str = "x-amz-tagging";
/// The most bytes of a set of tags as a document.
const LIMIT: usize = 64 << 10;
/// The most tags of an object (S3 user guide, as the next two).
const MAX_TAGS: usize = 10;
/// The most characters of a tag's name.
const MAX_NAME: usize = 128;
/// The most characters of a tag's value.
const MAX_VALUE: usize = 256;

pub(super) async fn get(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let facts = facts(operations, &Name::of(&request)?).await?;
    let mut xml = XmlWriter::document();
    xml.open_root("Tagging");
    xml.open("TagSet");
    for (name, value) in &facts.tags {
        xml.open("Tag");
        xml.text("Key", name);
        xml.text("Value", value);
        xml.close("Tag");
    }
    xml.close("TagSet");
    xml.close("Tagging");
    let answer = document(xml);
    Ok(with_version(operations, answer, &facts))
}

pub(super) async fn put(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, _| {
        name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
    })?;
    let name = Name::of(&request)?;
    let facts = facts(operations, &name).await?;
    let body = request.body.collect(LIMIT).await?;
    set(operations, &name, read(&body)?).await?;
    Ok(with_version(operations, empty(StatusCode::OK), &facts))
}

pub(super) async fn delete(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let name = Name::of(&request)?;
    let facts = facts(operations, &name).await?;
    set(operations, &name, Vec::new()).await?;
    Ok(with_version(
        operations,
        empty(StatusCode::NO_CONTENT),
        &facts,
    ))
}

async fn facts(operations: &Operations, name: &Name) -> Result<ObjectFacts, S3Error> {
    let objects = &operations.seams.objects;
    let found = objects.look_up(&name.bucket, &name.object, name.version.as_deref());
    Ok(name.found(found.await?)?.facts())
}

async fn set(operations: &Operations, name: &Name, tags: ObjectTags) -> Result<(), StoreError> {
    let version = name.version.as_deref();
    operations
        .store
        .set_tags(&name.bucket, &name.object, version, tags)
        .await
}

fn with_version(operations: &Operations, mut answer: Answer, facts: &ObjectFacts) -> Answer {
    name_version(
        &mut answer,
        operations.dialect,
        facts.versioning,
        &facts.version_id,
    );
    answer
}

pub(super) fn read(body: &[u8]) -> Result<ObjectTags, S3Error> {
    if body.is_empty() {
        return Err(Code::MissingRequestBodyError.into());
    }
    let root = Element::read(body, "Tagging")?;
    let set = root.child("TagSet").ok_or(Code::MalformedXML)?;
    if !set.holds_only(&["Tag"]) {
        return Err(Code::MalformedXML.into());
    }
    let mut tags = ObjectTags::new();
    for tag in set.children("Tag") {
        let name = tag.text_of("Key").ok_or(Code::MalformedXML)?;
        let value = tag.text_of("Value").ok_or(Code::MalformedXML)?;
        check(name, value)?;
        if tags.iter().any(|(known, _)| known == name) {
            let message = "Cannot provide multiple Tags with the same key";
            return Err(S3Error::with_message(Code::InvalidTag, message));
        }
        tags.push((name.to_owned(), value.to_owned()));
    }
    check_number(&tags)?;
    Ok(tags)
}

/// The tags in the header of a write: none without it.
///
/// # Errors
/// 400 `InvalidArgument` for what is no list of parameters, or names a tag twice; 400 `InvalidTag`
/// and `BadRequest` beyond the limits.
pub(super) fn of_a_write(headers: &HeaderMap) -> Result<ObjectTags, S3Error> {
    let mut values = headers.get_all(TAGGING).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(ObjectTags::new()),
        (Some(value), None) => value.to_str().map_err(|_| not_encoded())?,
        (Some(_), Some(_)) => return Err(not_encoded()),
    };
    let mut tags = ObjectTags::new();
    for pair in value.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        check(&name, &value)?;
        if tags.iter().any(|(known, _)| *known == name) {
            return Err(not_encoded());
        }
        tags.push((name, value));
    }
    check_number(&tags)?;
    Ok(tags)
}

fn decoded(text: &str) -> Result<String, S3Error> {
    let bytes = decode(&text.replace('+', " ")).map_err(|_| not_encoded())?;
    String::from_utf8(bytes).map_err(|_| not_encoded())
}

fn not_encoded() -> S3Error {
    let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query \
         parameters without tag name duplicates.";
    S3Error::with_message(Code::InvalidArgument, message).argument(TAGGING, None)
}

fn check_number(tags: &ObjectTags) -> Result<(), S3Error> {
    if tags.len() <= MAX_TAGS {
        return Ok(());
    }
    let message = "Object tags cannot be greater than 10";
    Err(S3Error::with_message(Code::BadRequest, message))
}

fn check(name: &str, value: &str) -> Result<(), S3Error> {
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME {
        let message = "The TagKey you have provided is invalid";
        return Err(S3Error::with_message(Code::InvalidTag, message));
    }
    if value.chars().count() > MAX_VALUE {
        let message = "The TagValue you have provided is invalid";
        return Err(S3Error::with_message(Code::InvalidTag, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(inside: &str) -> Result<ObjectTags, Code> {
        let body = format!("<Tagging><TagSet>{inside}</TagSet></Tagging>");
        read(body.as_bytes()).map_err(|error| error.code())
    }

    fn tag(name: &str, value: &str) -> String {
        format!("<Tag><Key>{name}</Key><Value>{value}</Value></Tag>")
    }

    #[test]
    fn tags_are_read_in_order() {
        let both = format!("{}{}", tag("b", "1"), tag("a", ""));
        let expected = [("b", "1"), ("a", "")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(tags(&both), Ok(expected.to_vec()));
        assert_eq!(tags(""), Ok(Vec::new()));
    }

    fn in_header(value: &str) -> Result<ObjectTags, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(TAGGING, value.parse().unwrap());
        of_a_write(&headers).map_err(|error| error.code())
    }

    #[test]
    fn tags_in_a_header_are_parameters() {
        let read = in_header("b=1&a+b=%C3%A4%26&c&d=");
        let expected = [("b", "1"), ("a b", "ä&"), ("c", ""), ("d", "")];
        let expected = expected.map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(read, Ok(expected.to_vec()));
        assert_eq!(in_header(""), Ok(Vec::new()));
        assert_eq!(of_a_write(&HeaderMap::new()).unwrap(), Vec::new());
        for bad in ["a=1&a=2", "a=%", "a=%FF", "%zz=1"] {
            assert_eq!(in_header(bad), Err(Code::InvalidArgument), "{bad}");
        }
        let many = |count| (0..count).map(|n| format!("{n}=v&")).collect::<String>();
        assert!(in_header(&many(10)).is_ok());
        assert_eq!(in_header(&many(11)), Err(Code::BadRequest));
        assert_eq!(in_header("=v"), Err(Code::InvalidTag));
        assert_eq!(in_header(&"n".repeat(129)), Err(Code::InvalidTag));
        let mut twice = HeaderMap::new();
        twice.append(TAGGING, "a=1".parse().unwrap());
        twice.append(TAGGING, "b=1".parse().unwrap());
        assert_eq!(
            of_a_write(&twice).unwrap_err().code(),
            Code::InvalidArgument
        );
    }

    #[test]
    fn tags_have_bounds() {
        let many = |count: usize| {
            (0..count)
                .map(|n| tag(&n.to_string(), "v"))
                .collect::<String>()
        };
        assert!(tags(&many(10)).is_ok());
        assert_eq!(tags(&many(11)), Err(Code::BadRequest));
        assert!(tags(&tag(&"é".repeat(128), &"v".repeat(256))).is_ok());
        assert_eq!(tags(&tag(&"n".repeat(129), "v")), Err(Code::InvalidTag));
        assert_eq!(tags(&tag("n", &"v".repeat(257))), Err(Code::InvalidTag));
        assert_eq!(tags(&tag("", "v")), Err(Code::InvalidTag));
        let twice = format!("{}{}", tag("n", "1"), tag("n", "2"));
        assert_eq!(tags(&twice), Err(Code::InvalidTag));
        assert_eq!(tags("<Tag><Key>a</Key></Tag>"), Err(Code::MalformedXML));
        assert_eq!(tags("<Other/>"), Err(Code::MalformedXML));
    }
}
