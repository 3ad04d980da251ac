//! What an answer lets a page of another origin do, as a browser judges it.
//!
//! Source: WHATWG Fetch, section 4.8 "CORS-preflight fetch" and 4.9 "CORS check", for requests without
//! credentials of the browser's own: a signature travels in the URL or in fields.

use super::{Check, Show, Weight};
use crate::scenario::definition::Exposed;
use crate::transport::{Exchange, header_in};

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
const ALLOW_METHODS: &str = "Access-Control-Allow-Methods";
const ALLOW_HEADERS: &str = "Access-Control-Allow-Headers";
const EXPOSE_HEADERS: &str = "Access-Control-Expose-Headers";
/// Methods that need no permission.
const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "POST"];

/// Why a browser does not send what a preflight asked for; `None` where it does.
#[must_use]
pub fn refused(exchange: &Exchange) -> Option<String> {
    if !(200..300).contains(&exchange.status) {
        return Some(format!("status {}", exchange.status));
    }
    if !is_for_page(exchange) {
        return Some(format!("{ALLOW_ORIGIN} is not for the page"));
    }
    let method =
        header_in(&exchange.sent_head, "Access-Control-Request-Method").unwrap_or_default();
    let methods = listed(exchange, ALLOW_METHODS);
    let allowed =
        |list: &[String], wanted: &str| list.iter().any(|name| name == "*" || name == wanted);
    if !SAFE_METHODS.contains(&method.as_str()) && !allowed(&methods, &method) {
        return Some(format!("{ALLOW_METHODS} has no {method}"));
    }
    let headers: Vec<String> = listed(exchange, ALLOW_HEADERS)
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let asked =
        header_in(&exchange.sent_head, "Access-Control-Request-Headers").unwrap_or_default();
    let lacking: Vec<&str> = asked
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && !allowed(&headers, name))
        .collect();
    let first = lacking.first()?;
    Some(format!("{ALLOW_HEADERS} has no {first}"))
}

/// The answer to a preflight must let the page go on.
#[must_use]
pub fn allows(exchange: &Exchange, show: Show<'_>) -> Check {
    let why = refused(exchange);
    Check::new("preflight", Weight::Requirement, why.is_none())
        .expected("a browser sends what was asked for")
        .observed(why.map_or_else(
            || "it does".to_owned(),
            |why| format!("it does not: {}", show.text(why.as_bytes())),
        ))
}

/// What a page of the request's origin may read of the answer must be this.
#[must_use]
pub fn exposes(exchange: &Exchange, exposed: &Exposed, show: Show<'_>) -> Check {
    let is_for_page = is_for_page(exchange);
    let names = listed(exchange, EXPOSE_HEADERS);
    let has = |wanted: &String| {
        names
            .iter()
            .any(|name| name == "*" || name.eq_ignore_ascii_case(wanted))
    };
    let (ok, expected) = match exposed {
        Exposed::Nothing => (!is_for_page, "nothing that the page may read".to_owned()),
        Exposed::Headers(wanted) => (
            is_for_page && wanted.iter().all(has),
            format!("an answer for the page, with {}", wanted.join(", ")),
        ),
    };
    let origin: Vec<&[u8]> = exchange.headers_named(ALLOW_ORIGIN).collect();
    let shown: Vec<&[u8]> = exchange.headers_named(EXPOSE_HEADERS).collect();
    Check::new("exposed", Weight::Requirement, ok)
        .expected(expected)
        .observed(format!(
            "{ALLOW_ORIGIN}: {}, {EXPOSE_HEADERS}: {}",
            show.values(&origin),
            show.values(&shown)
        ))
}

/// Whether the answer is for a page of the origin that the request named.
fn is_for_page(exchange: &Exchange) -> bool {
    let origin = header_in(&exchange.sent_head, "Origin");
    let values: Vec<&[u8]> = exchange.headers_named(ALLOW_ORIGIN).collect();
    match (values.as_slice(), origin) {
        ([b"*"], _) => true,
        ([value], Some(origin)) => *value == origin.as_bytes(),
        (_, _) => false,
    }
}

/// The names in a list header of the answer.
fn listed(exchange: &Exchange, header: &str) -> Vec<String> {
    let values = exchange.headers_named(header);
    let text: Vec<String> = values
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect();
    let names = text.iter().flat_map(|value| value.split(','));
    names.map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::evaluate::tests::plain_show;

    /// The answer to a PUT of two headers from `https://p`.
    fn answer(status: u16, headers: &[(&str, &str)]) -> Exchange {
        let mut answer = Exchange::answered(status, headers, b"");
        answer.method = "OPTIONS";
        answer.sent_head = b"OPTIONS /b/o HTTP/1.1\r\nOrigin: https://p\r\n\
            Access-Control-Request-Method: PUT\r\n\
            Access-Control-Request-Headers: x-amz-a,x-amz-b\r\n\r\n"
            .to_vec();
        answer
    }

    #[test]
    fn a_browser_goes_on_when_all_that_it_asked_for_is_allowed() {
        let (origin, methods, headers) = (ALLOW_ORIGIN, ALLOW_METHODS, ALLOW_HEADERS);
        let why = |status, pairs: &[(&str, &str)]| refused(&answer(status, pairs));
        let both = (headers, "X-AMZ-B, x-amz-a");
        let all = [(origin, "https://p"), (methods, "GET, PUT"), both];
        assert_eq!(why(200, &all), None);
        assert_eq!(why(204, &all), None);
        let star = [(origin, "*"), (methods, "*"), (headers, "*")];
        assert_eq!(why(200, &star), None);
        assert!(why(403, &all).unwrap().contains("status"));
        for (pairs, lacks) in [
            (vec![], "Origin"),
            (vec![(origin, "https://q"), all[1], both], "Origin"),
            (vec![all[0], all[0], all[1], both], "Origin"),
            (vec![all[0], (methods, "put"), both], "Methods"),
            (vec![all[0], all[1]], "x-amz-a"),
            (vec![all[0], all[1], (headers, "x-amz-a")], "x-amz-b"),
        ] {
            assert!(why(200, &pairs).unwrap().contains(lacks), "{pairs:?}");
        }
        let mut read = answer(200, &[all[0], both]);
        let head = String::from_utf8(read.sent_head).unwrap();
        read.sent_head = head.replace("PUT", "GET").into_bytes();
        assert_eq!(refused(&read), None, "GET needs no permission");
    }

    #[test]
    fn a_page_reads_what_is_exposed_to_it() {
        let show = Show(&plain_show);
        let ok = |pairs: &[(&str, &str)], exposed: &Exposed| {
            exposes(&answer(200, pairs), exposed, show).ok
        };
        let tag = Exposed::Headers(vec!["ETag".to_owned()]);
        let none = Exposed::Headers(Vec::new());
        let own = (ALLOW_ORIGIN, "https://p");
        let exposed = (EXPOSE_HEADERS, "x-amz-id, etag");
        assert!(ok(&[own, exposed], &tag));
        assert!(ok(&[own], &none));
        assert!(!ok(&[own], &tag));
        assert!(!ok(&[exposed], &tag));
        assert!(!ok(&[own, exposed], &Exposed::Nothing));
        assert!(ok(
            &[(ALLOW_ORIGIN, "https://q"), exposed],
            &Exposed::Nothing
        ));
        assert!(ok(&[], &Exposed::Nothing));
    }
}
