//! What a browser says about the page of another origin on whose behalf it asks.
//!
//! Source: WHATWG Fetch, section 3.3, "CORS protocol". It does not know what a bucket allows.

use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN,
};
use http::{HeaderMap, Method};

/// The headers of a request that speak about a page of another origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossOrigin {
    /// The origin of the page, as it came; text.
    pub origin: String,
    /// The method that the page wants to use, where a header names it: on a preflight.
    pub asked_method: Option<String>,
    /// The method of this very request.
    pub method: Method,
    /// The headers that the page wants to send, in lower case, in the order named.
    pub asked_headers: Vec<String>,
}

impl CrossOrigin {
    /// Reads the headers of a request. `None` without an origin, and when there are several or it
    /// is no text: then nobody can be told that the answer is theirs.
    pub fn of(method: &Method, headers: &HeaderMap) -> Option<Self> {
        let origin = single(headers, &ORIGIN)?.to_str().ok()?;
        let asked_method = match single(headers, &ACCESS_CONTROL_REQUEST_METHOD) {
            Some(value) => Some(value.to_str().ok()?.to_owned()),
            None => None,
        };
        let mut asked_headers = Vec::new();
        for value in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            let names = value.to_str().ok()?.split(',').map(str::trim);
            let names = names.filter(|name| !name.is_empty());
            asked_headers.extend(names.map(str::to_ascii_lowercase));
        }
        Some(Self {
            origin: origin.to_owned(),
            asked_method,
            method: method.clone(),
            asked_headers,
        })
    }

    /// The method that has to be allowed: the one that a header names, or that of the request.
    pub fn wanted_method(&self) -> &str {
        self.asked_method.as_deref().unwrap_or(self.method.as_str())
    }
}

/// The value of a header that came once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    first.filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(HeaderName, &str)]) -> Option<CrossOrigin> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        CrossOrigin::of(&Method::PUT, &headers)
    }

    #[test]
    fn an_origin_is_named_once() {
        let origin = (ORIGIN, "https://page");
        let read_once = read(&[(ORIGIN, "https://page")]).unwrap();
        assert_eq!(read_once.origin, "https://page");
        assert_eq!(read_once.wanted_method(), "PUT");
        assert_eq!(read(&[origin.clone(), origin]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn what_is_asked_for_is_read_in_order_and_in_lower_case() {
        let asked = read(&[
            (ORIGIN, "null"),
            (ACCESS_CONTROL_REQUEST_METHOD, "DELETE"),
            (ACCESS_CONTROL_REQUEST_HEADERS, "X-Amz-B,, a ,"),
            (ACCESS_CONTROL_REQUEST_HEADERS, "c"),
        ]);
        let asked = asked.unwrap();
        assert_eq!(asked.wanted_method(), "DELETE");
        assert_eq!(asked.asked_headers, ["x-amz-b", "a", "c"]);
    }
}
