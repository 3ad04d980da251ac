//! `PostObject`: what a browser's form stores is stored as by `PutObject`, and answered as the form
//! wants it.

use http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use http::{StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Operations, object_of, put_object, set, set_text};
use crate::request::S3Request;
use crate::request::form::Form;
use crate::response::ResponseBody;
use crate::s3_error::S3Error;
use crate::seam::Answer;
use crate::ssec::headers::SsecHeaders;
use crate::xml::XmlWriter;

/// What is escaped in the URLs of answers; S3 escapes slashes in an object's name too.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) async fn answer(
    operations: &Operations,
    request: S3Request,
    shown: &SsecHeaders,
    form: Form,
) -> Result<Answer, S3Error> {
    let (bucket, object) = object_of(&request)?;
    let (bucket, object) = (bucket.to_owned(), object.to_owned());
    let mut answer = put_object::write(operations, request, shown, form.tagging.as_deref()).await?;
    let etag = answer
        .headers()
        .get(ETAG)
        .and_then(|value| value.to_str().ok());
    let etag = etag.unwrap_or_default().to_owned();
    if let Some(target) = form.redirect.as_deref().and_then(absolute) {
        let query = [("bucket", &bucket), ("key", &object), ("etag", &etag)];
        *answer.status_mut() = StatusCode::SEE_OTHER;
        set_text(&mut answer, LOCATION, &with_query(target, &query));
        return Ok(answer);
    }
    let location = format!("{}/{}", form.address, escaped(&object));
    set_text(&mut answer, LOCATION, &location);
    *answer.status_mut() = match form.status.as_deref() {
        Some("200") => StatusCode::OK,
        Some("201") => StatusCode::CREATED,
        Some(_) | None => StatusCode::NO_CONTENT,
    };
    if answer.status() == StatusCode::CREATED {
        let mut xml = XmlWriter::document();
        xml.open("PostResponse");
        xml.text("Location", &location);
        xml.text("Bucket", &bucket);
        xml.text("Key", &object);
        xml.text("ETag", &etag);
        xml.close("PostResponse");
        *answer.body_mut() = ResponseBody::full(xml.finish());
        let kind = HeaderValue::from_static("application/xml");
        set(&mut answer, CONTENT_TYPE, kind);
    }
    Ok(answer)
}

/// A URL that a browser can be sent to; S3 passes over any other.
fn absolute(url: &str) -> Option<&str> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?;
    (matches!(scheme, "http" | "https") && uri.host().is_some()).then_some(url)
}

/// The URL with more parameters, before its fragment.
fn with_query(url: &str, query: &[(&str, &String)]) -> String {
    let (start, fragment) = match url.find('#') {
        Some(at) => url.split_at(at),
        None => (url, ""),
    };
    let pairs: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let mark = if start.contains('?') { '&' } else { '?' };
    format!("{start}{mark}{}{fragment}", pairs.join("&"))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_urls_are_gone_to() {
        for url in ["http://h/p", "https://h:9/?a=b"] {
            assert_eq!(absolute(url), Some(url));
        }
        for url in [
            "/relative",
            "javascript:alert(1)",
            "h/p",
            "",
            "ftp://h/",
            "http://",
        ] {
            assert_eq!(absolute(url), None, "{url}");
        }
    }

    #[test]
    fn parameters_are_added() {
        let (name, etag) = ("a/b&c ä".to_owned(), "\"e\"".to_owned());
        let query = [("key", &name), ("etag", &etag)];
        let added = "key=a%2Fb%26c%20%C3%A4&etag=%22e%22";
        for (url, expected) in [
            ("http://h/p", format!("http://h/p?{added}")),
            ("http://h/?x=1", format!("http://h/?x=1&{added}")),
            ("http://h/p#f", format!("http://h/p?{added}#f")),
        ] {
            assert_eq!(with_query(url, &query), expected);
        }
    }
}
