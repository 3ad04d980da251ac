//! `ListObjectsV2` and `ListObjects`. They need no key and show the sizes of the plaintext.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::list_names::{Encoding, invalid, read_max};
use super::object_headers::iso_time;
use super::{Operations, bucket_of, document, known_headers};
use crate::request::{Query, S3Request};
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::store::{After, ListQuery, ListedObject, Listing};
use crate::xml::XmlWriter;

/// Which of the two lists is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// `marker` and `NextMarker`.
    One,
    /// `start-after` and `continuation-token`.
    Two,
}

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    version: Version,
) -> Result<Answer, S3Error> {
    known_headers::only(&request.headers, |name, _| {
        name == "x-amz-optional-object-attributes"
    })?;
    let bucket = bucket_of(&request)?.to_owned();
    let asked = Asked::read(&request.query, version)?;
    let query = ListQuery {
        bucket: &bucket,
        prefix: &asked.prefix,
        delimiter: asked.delimiter.as_deref(),
        after: asked.after.as_ref(),
        max: asked.max,
    };
    let listing = if asked.max == 0 {
        operations.store.bucket(&bucket).await?;
        Listing::default()
    } else {
        operations.seams.objects.list(query).await?
    };
    Ok(document(asked.document(
        &bucket,
        &request.authenticated.identity,
        &listing,
    )))
}

/// The parameters of a list, checked.
#[derive(Debug)]
struct Asked {
    version: Version,
    prefix: String,
    delimiter: Option<String>,
    max: usize,
    start_after: Option<String>,
    token: Option<String>,
    after: Option<After>,
    encoding: Encoding,
    owner: Owner,
}

/// Whether each object names its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Omitted,
    Named,
}

impl Asked {
    fn read(query: &Query, version: Version) -> Result<Self, S3Error> {
        let text = |name: &str| query.get(name).map(str::to_owned);
        let (token, start) = match version {
            Version::One => (None, "marker"),
            Version::Two => (text("continuation-token"), "start-after"),
        };
        let prefix = text("prefix").unwrap_or_default();
        let delimiter = text("delimiter").filter(|delimiter| !delimiter.is_empty());
        let start_after = text(start).filter(|name| !name.is_empty());
        let after = match (&token, version) {
            (Some(token), _) => Some(read_token(token)?),
            (None, Version::One) => start_after
                .clone()
                .map(|marker| after_marker(marker, &prefix, delimiter.as_deref())),
            (None, Version::Two) => start_after.clone().map(After::Name),
        };
        Ok(Self {
            version,
            prefix,
            delimiter,
            max: read_max("max-keys", query.get("max-keys"))?,
            start_after,
            token,
            after,
            encoding: Encoding::read(query)?,
            owner: match (version, query.get("fetch-owner")) {
                (Version::One, _) | (Version::Two, Some("true")) => Owner::Named,
                (Version::Two, _) => Owner::Omitted,
            },
        })
    }

    fn document(&self, bucket: &str, identity: &str, listing: &Listing) -> XmlWriter {
        let mut xml = XmlWriter::document();
        xml.open_root("ListBucketResult");
        xml.text("Name", bucket);
        self.name(&mut xml, "Prefix", &self.prefix);
        if let Some(delimiter) = &self.delimiter {
            self.name(&mut xml, "Delimiter", delimiter);
        }
        match (self.version, &self.start_after) {
            (Version::One, marker) => {
                self.name(&mut xml, "Marker", marker.as_deref().unwrap_or_default());
            }
            (Version::Two, Some(name)) => self.name(&mut xml, "StartAfter", name),
            (Version::Two, None) => {}
        }
        if let Some(token) = &self.token {
            xml.text("ContinuationToken", token);
        }
        if self.version == Version::Two {
            let count = listing.objects.len() + listing.common_prefixes.len();
            xml.text("KeyCount", &count.to_string());
        }
        xml.text("MaxKeys", &self.max.to_string());
        if self.encoding == Encoding::Url {
            xml.text("EncodingType", "url");
        }
        xml.text(
            "IsTruncated",
            if listing.next.is_some() {
                "true"
            } else {
                "false"
            },
        );
        match (self.version, &listing.next) {
            (_, None) => {}
            (Version::One, Some(After::Name(next) | After::CommonPrefix(next))) => {
                self.name(&mut xml, "NextMarker", next);
            }
            (Version::Two, Some(next)) => xml.text("NextContinuationToken", &write_token(next)),
        }
        for object in &listing.objects {
            self.object(&mut xml, identity, object);
        }
        for prefix in &listing.common_prefixes {
            xml.open("CommonPrefixes");
            self.name(&mut xml, "Prefix", prefix);
            xml.close("CommonPrefixes");
        }
        xml.close("ListBucketResult");
        xml
    }

    fn object(&self, xml: &mut XmlWriter, identity: &str, object: &ListedObject) {
        xml.open("Contents");
        self.name(xml, "Key", &object.name);
        xml.text("LastModified", &iso_time(object.last_modified));
        xml.text("ETag", &format!("\"{}\"", object.etag));
        xml.text("Size", &object.size.to_string());
        if self.owner == Owner::Named {
            xml.open("Owner");
            xml.text("ID", identity);
            xml.text("DisplayName", identity);
            xml.close("Owner");
        }
        xml.text("StorageClass", "STANDARD");
        xml.close("Contents");
    }

    fn name(&self, xml: &mut XmlWriter, element: &str, name: &str) {
        self.encoding.write(xml, element, name);
    }
}

/// Where a list goes on behind a marker. One that is a common prefix, as `NextMarker` may be, has
/// all the names below it behind it.
fn after_marker(marker: String, prefix: &str, delimiter: Option<&str>) -> After {
    let below = marker.strip_prefix(prefix).zip(delimiter);
    let rolled = below.is_some_and(|(rest, delimiter)| {
        rest.find(delimiter)
            .is_some_and(|at| at + delimiter.len() == rest.len())
    });
    if rolled {
        After::CommonPrefix(marker)
    } else {
        After::Name(marker)
    }
}

/// A token is opaque to clients: where the list goes on, in base64.
fn write_token(next: &After) -> String {
    match next {
        After::Name(name) => URL_SAFE_NO_PAD.encode(format!("n{name}")),
        After::CommonPrefix(prefix) => URL_SAFE_NO_PAD.encode(format!("p{prefix}")),
    }
}

fn read_token(token: &str) -> Result<After, S3Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let after = text.as_deref().and_then(|text| {
        text.strip_prefix('n')
            .map(|name| After::Name(name.to_owned()))
            .or_else(|| {
                text.strip_prefix('p')
                    .map(|prefix| After::CommonPrefix(prefix.to_owned()))
            })
    });
    let message = "The continuation token provided is incorrect";
    after.ok_or_else(|| invalid("continuation-token", message, token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3_error::Code;

    #[test]
    fn a_token_leads_back() {
        for after in [
            After::Name("ä/\u{0}x".to_owned()),
            After::CommonPrefix("a/".to_owned()),
        ] {
            assert_eq!(read_token(&write_token(&after)).unwrap(), after);
        }
    }

    #[test]
    fn a_token_of_somebody_else_is_refused() {
        for token in ["", "%", "eA", "_w"] {
            assert_eq!(read_token(token).unwrap_err().code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn a_marker_may_be_a_common_prefix() {
        let after = |marker: &str| after_marker(marker.to_owned(), "p/", Some("/"));
        assert_eq!(after("p/a/"), After::CommonPrefix("p/a/".to_owned()));
        assert_eq!(after("p/a/b"), After::Name("p/a/b".to_owned()));
        assert_eq!(after("p/"), After::Name("p/".to_owned()));
        assert_eq!(after("q/"), After::Name("q/".to_owned()));
        assert_eq!(
            after_marker("a/".to_owned(), "", None),
            After::Name("a/".to_owned())
        );
    }
}
