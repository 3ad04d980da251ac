//! `ListObjectsV2`. It needs no key and shows the sizes of the plaintext.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::object_headers::iso_time;
use super::{Operations, bucket_of, document, known_headers};
use crate::request::{Query, S3Request};
use crate::s3_error::{Code, S3Error};
use crate::seam::Answer;
use crate::store::{After, LIST_LIMIT, ListQuery, ListedObject, Listing};
use crate::xml::XmlWriter;

pub(super) async fn answer(operations: &Operations, request: S3Request) -> Result<Answer, S3Error> {
    known_headers::none(&request.headers)?;
    let bucket = bucket_of(&request)?.to_owned();
    let asked = Asked::read(&request.query)?;
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
    prefix: String,
    delimiter: Option<String>,
    max: usize,
    start_after: Option<String>,
    token: Option<String>,
    after: Option<After>,
    encoding: Encoding,
    owner: Owner,
}

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    AsTheyAre,
    Url,
}

/// Whether each object names its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Omitted,
    Named,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, S3Error> {
        let text = |name: &str| query.get(name).map(str::to_owned);
        let token = text("continuation-token");
        let start_after = text("start-after").filter(|name| !name.is_empty());
        let after = match &token {
            Some(token) => Some(read_token(token)?),
            None => start_after.clone().map(After::Name),
        };
        Ok(Self {
            prefix: text("prefix").unwrap_or_default(),
            delimiter: text("delimiter").filter(|delimiter| !delimiter.is_empty()),
            max: read_max(query.get("max-keys"))?,
            start_after,
            token,
            after,
            encoding: match query.get("encoding-type") {
                None | Some("") => Encoding::AsTheyAre,
                Some("url") => Encoding::Url,
                Some(other) => {
                    return Err(invalid(
                        "encoding-type",
                        "Invalid Encoding Method specified in Request",
                        other,
                    ));
                }
            },
            owner: match query.get("fetch-owner") {
                Some("true") => Owner::Named,
                None | Some(_) => Owner::Omitted,
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
        if let Some(name) = &self.start_after {
            self.name(&mut xml, "StartAfter", name);
        }
        if let Some(token) = &self.token {
            xml.text("ContinuationToken", token);
        }
        let count = listing.objects.len() + listing.common_prefixes.len();
        xml.text("KeyCount", &count.to_string());
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
        if let Some(next) = &listing.next {
            xml.text("NextContinuationToken", &write_token(next));
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
        /// What URL encoding leaves alone (RFC 3986, unreserved), and the separator of folders.
        const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~')
            .remove(b'/');
        match self.encoding {
            Encoding::AsTheyAre => xml.text(element, name),
            Encoding::Url => xml.text(element, &utf8_percent_encode(name, ENCODED).to_string()),
        }
    }
}

fn read_max(value: Option<&str>) -> Result<usize, S3Error> {
    match value {
        None | Some("") => Ok(LIST_LIMIT),
        Some(text) => match text.parse::<u32>() {
            Ok(number) if i32::try_from(number).is_ok() => {
                Ok(usize::try_from(number).map_or(LIST_LIMIT, |number| number.min(LIST_LIMIT)))
            }
            Ok(_) | Err(_) => Err(invalid(
                "max-keys",
                "Argument max-keys must be an integer between 0 and 2147483647",
                text,
            )),
        },
    }
}

fn invalid(name: &str, message: &'static str, value: &str) -> S3Error {
    S3Error::with_message(Code::InvalidArgument, message).argument(name, Some(value))
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

    #[track_caller]
    fn check_max(value: &str, expected: Option<usize>) {
        assert_eq!(read_max(Some(value)).ok(), expected);
    }

    #[test]
    fn the_number_of_names_is_limited() {
        check_max("0", Some(0));
        check_max("7", Some(7));
        check_max("1000000", Some(1000));
        check_max("2147483647", Some(1000));
        check_max("2147483648", None);
        check_max("-1", None);
        check_max("many", None);
        assert_eq!(read_max(None).ok(), Some(1000));
    }
}
