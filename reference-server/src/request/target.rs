//! What a request line and its `Host` header point at: decoded path, decoded query, bucket, object.
//!
//! Names are decoded once and never normalised, so that `a/../b` and `a//b` are what they say.

use http::header::HOST;
use http::{HeaderMap, Uri};

use super::Resource;
use crate::s3_error::{Code, S3Error};

/// The longest object name in bytes: S3's own limit.
pub(crate) const MAX_OBJECT_NAME_BYTES: usize = 1024;

/// The decoded target of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The path as the signature covers it, decoded.
    pub(crate) path: Vec<u8>,
    /// The whole query, decoded, in order.
    pub(crate) query: Vec<(String, String)>,
    /// What it points at.
    pub(crate) resource: Resource,
}

impl Target {
    /// Reads a request's target. Buckets are taken from the host name below one of `domains`.
    pub(crate) fn read(
        uri: &Uri,
        headers: &HeaderMap,
        domains: &[String],
    ) -> Result<Self, S3Error> {
        let path = uri.path();
        let path = path.strip_prefix('/').ok_or(Code::InvalidURI)?;
        let resource = match bucket_in_host(&host(headers)?, domains) {
            Some(bucket) => object_of(bucket, path)?,
            None => path_style(path)?,
        };
        let mut decoded = vec![b'/'];
        decoded.extend(decode(path)?);
        Ok(Self {
            path: decoded,
            query: query_pairs(uri.query().unwrap_or(""))?,
            resource,
        })
    }
}

/// The host name that the request was sent to, in lower case, without a port.
fn host(headers: &HeaderMap) -> Result<String, S3Error> {
    let refuse = |what: &str| {
        S3Error::with_message(
            Code::BadRequest,
            format!("A request needs one Host header; {what}."),
        )
    };
    let mut values = headers.get_all(HOST).iter();
    let value = values.next().ok_or_else(|| refuse("there is none"))?;
    if values.next().is_some() {
        return Err(refuse("there are several"));
    }
    let value = value.to_str().map_err(|_| refuse("it is not ASCII"))?;
    let name = match value.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => value,
    };
    Ok(name.to_ascii_lowercase())
}

fn bucket_in_host(host: &str, domains: &[String]) -> Option<String> {
    domains.iter().find_map(|domain| {
        let bucket = host.strip_suffix(domain.as_str())?.strip_suffix('.')?;
        (!bucket.is_empty()).then(|| bucket.to_owned())
    })
}

/// `/bucket` and `/bucket/` are the bucket; behind the second slash all is the object's name.
fn path_style(path: &str) -> Result<Resource, S3Error> {
    if path.is_empty() {
        return Ok(Resource::Service);
    }
    let (bucket, name) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() {
        return Err(Code::InvalidBucketName.into());
    }
    object_of(text(decode(bucket)?)?, name)
}

fn object_of(bucket: String, name: &str) -> Result<Resource, S3Error> {
    if name.is_empty() {
        return Ok(Resource::Bucket(bucket));
    }
    Ok(Resource::Object {
        bucket,
        name: text(decode(name)?)?,
    })
}

fn query_pairs(query: &str) -> Result<Vec<(String, String)>, S3Error> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // In a query, S3 reads a plus sign as a blank, as HTML forms do.
            let part = |raw: &str| text(decode(&raw.replace('+', " "))?);
            Ok((part(name)?, part(value)?))
        })
        .collect()
}

/// Percent-decoding that refuses what is not an escape. `percent-encoding` would let it pass.
pub(crate) fn decode(raw: &str) -> Result<Vec<u8>, S3Error> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| {
            byte.and_then(|byte| char::from(byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or(Code::InvalidURI)
        };
        let high = digit(bytes.next())?;
        let low = digit(bytes.next())?;
        out.push(high * 16 + low);
    }
    Ok(out)
}

/// UTF-8 without a NUL, which no list could show and no file system takes for a byte of a name.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, S3Error> {
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        Ok(_) | Err(_) => Err(Code::InvalidURI.into()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(host: &str, uri: &str) -> Result<Target, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        let domains = ["s3.localhost".to_owned()];
        Target::read(&uri.parse().unwrap(), &headers, &domains).map_err(|error| error.code())
    }

    fn object(bucket: &str, name: &str) -> Resource {
        Resource::Object {
            bucket: bucket.to_owned(),
            name: name.to_owned(),
        }
    }

    #[track_caller]
    fn points_at(host: &str, uri: &str, expected: &Resource) {
        assert_eq!(&read(host, uri).unwrap().resource, expected, "{host} {uri}");
    }

    #[test]
    fn path_style() {
        let host = "localhost:9000";
        points_at(host, "/", &Resource::Service);
        points_at(host, "/bucket", &Resource::Bucket("bucket".to_owned()));
        points_at(host, "/bucket/", &Resource::Bucket("bucket".to_owned()));
        points_at(host, "/bucket/a/b", &object("bucket", "a/b"));
        points_at(host, "/bucket//a", &object("bucket", "/a"));
        points_at(host, "/bucket/a/", &object("bucket", "a/"));
        points_at("s3.localhost", "/bucket/a", &object("bucket", "a"));
        points_at("[::1]:9000", "/bucket/a", &object("bucket", "a"));
    }

    #[test]
    fn virtual_host_style() {
        let host = "bucket.s3.localhost:9000";
        points_at(host, "/", &Resource::Bucket("bucket".to_owned()));
        points_at(host, "/a/b", &object("bucket", "a/b"));
        points_at("my.bucket.S3.LocalHost", "/a", &object("my.bucket", "a"));
        points_at("notas3.localhost", "/a/b", &object("a", "b"));
    }

    #[test]
    fn names_are_decoded_once_and_not_normalised() {
        points_at("h", "/b/a%2Fb", &object("b", "a/b"));
        points_at("h", "/b/a%252Fb", &object("b", "a%2Fb"));
        points_at("h", "/b/../../etc/passwd", &object("b", "../../etc/passwd"));
        points_at("h", "/b/.", &object("b", "."));
        points_at("h", "/b/a+b", &object("b", "a+b"));
        points_at("h", "/b/%C3%A4", &object("b", "ä"));
        points_at("h", "/..", &Resource::Bucket("..".to_owned()));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for uri in [
            "/b/%FF",
            "/b/%C3",
            "/b/%",
            "/b/%4",
            "/b/%GG",
            "/b/%+1",
            "/%FF/a",
            "/b?a=%FF",
            "/b/a%00",
            "/%00/a",
            "/b?prefix=%00",
        ] {
            assert_eq!(read("h", uri), Err(Code::InvalidURI), "{uri}");
        }
        assert_eq!(read("h", "//a"), Err(Code::InvalidBucketName));
    }

    #[test]
    fn a_query_is_read_in_order() {
        let target = read("h", "/b?uploads&a=1=2&b=x%26y+z&&uploads=").unwrap();
        let pairs: Vec<_> = target
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("uploads", ""),
                ("a", "1=2"),
                ("b", "x&y z"),
                ("uploads", "")
            ]
        );
    }

    #[test]
    fn one_host_header_is_needed() {
        let uri: Uri = "/".parse().unwrap();
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap| Target::read(&uri, headers, &[]).map_err(|e| e.code());
        assert_eq!(read(&headers), Err(Code::BadRequest));
        headers.append(HOST, HeaderValue::from_static("one"));
        assert!(read(&headers).is_ok());
        headers.append(HOST, HeaderValue::from_static("two"));
        assert_eq!(read(&headers), Err(Code::BadRequest));
    }

    proptest! {
        #[test]
        fn no_target_panics(path in "/[ -~]{0,60}", host in "[a-z0-9.:\\[\\]]{1,30}") {
            if let Ok(uri) = path.parse::<Uri>() {
                let mut headers = HeaderMap::new();
                headers.insert(HOST, HeaderValue::from_str(&host).unwrap());
                let _ = Target::read(&uri, &headers, &["s3.localhost".to_owned()]);
            }
        }
    }
}
