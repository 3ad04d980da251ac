//! The CORS rules of a bucket: read from XML, written as XML, matched with what a browser asks.
//!
//! Sources: S3 API reference, "CORSConfiguration" and "CORSRule"; S3 user guide, "Elements of a CORS
//! configuration"; messages as recorded from Amazon S3 by LocalStack's and versitygw's trackers.

use http::HeaderMap;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
    HeaderValue, VARY,
};

use super::xml_document::Element;
use crate::request::cross_origin::CrossOrigin;
use crate::s3_error::{Code, S3Error};
use crate::xml::XmlWriter;

/// The most rules of a bucket (S3 API reference, `CORSRule`).
pub(super) const MAX_RULES: usize = 100;
/// The most characters of a rule's id (the same page).
const MAX_ID: usize = 255;
/// The methods that a rule may name.
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// What an answer to a page depends on, and a cache has to know.
const VARIES: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
);

/// The rules of a bucket, in order: the first that matches decides.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rules(Vec<Rule>);

/// One rule. Names and patterns stay as they came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rule {
    id: Option<String>,
    headers: Vec<String>,
    methods: Vec<String>,
    origins: Vec<String>,
    exposed: Vec<String>,
    max_age: Option<u32>,
}

impl Rules {
    /// Reads a `CORSConfiguration`.
    ///
    /// # Errors
    /// 400 `MalformedXML`, and 400 `InvalidRequest` for a method or a wildcard that S3 refuses.
    pub(super) fn read(document: &[u8]) -> Result<Self, S3Error> {
        let root = Element::read(document, "CORSConfiguration")?;
        let rules: Vec<_> = root.children("CORSRule").collect();
        if !root.holds_only(&["CORSRule"]) || rules.is_empty() || rules.len() > MAX_RULES {
            return Err(Code::MalformedXML.into());
        }
        let rules = rules
            .into_iter()
            .map(Rule::read)
            .collect::<Result<_, _>>()?;
        Ok(Self(rules))
    }

    /// The same rules as a document.
    pub(super) fn document(&self) -> XmlWriter {
        let mut xml = XmlWriter::document();
        xml.open_root("CORSConfiguration");
        self.0.iter().for_each(|rule| rule.write(&mut xml));
        xml.close("CORSConfiguration");
        xml
    }

    /// The headers that let the page use the answer; `None` where no rule allows what it asks.
    pub(super) fn allow(&self, asked: &CrossOrigin) -> Option<HeaderMap> {
        self.0.iter().find_map(|rule| rule.allow(asked))
    }
}

impl Rule {
    fn read(element: &Element) -> Result<Self, S3Error> {
        let known = [
            "ID",
            "AllowedHeader",
            "AllowedMethod",
            "AllowedOrigin",
            "ExposeHeader",
            "MaxAgeSeconds",
        ];
        let texts = |name: &str| -> Vec<String> {
            let found = element.children(name);
            found.map(|child| child.text().trim().to_owned()).collect()
        };
        let once = |name: &str| {
            let mut found = texts(name);
            match found.len() {
                0 => Ok(None),
                1 => Ok(found.pop()),
                _ => Err(Code::MalformedXML),
            }
        };
        let max_age = match once("MaxAgeSeconds")? {
            Some(text) => Some(text.parse().map_err(|_| Code::MalformedXML)?),
            None => None,
        };
        let rule = Self {
            id: once("ID")?,
            headers: texts("AllowedHeader"),
            methods: texts("AllowedMethod"),
            origins: texts("AllowedOrigin"),
            exposed: texts("ExposeHeader"),
            max_age,
        };
        let id_fits = rule
            .id
            .as_ref()
            .is_none_or(|id| id.chars().count() <= MAX_ID);
        let complete = !rule.methods.is_empty() && !rule.origins.is_empty();
        if !element.holds_only(&known) || !id_fits || !complete {
            return Err(Code::MalformedXML.into());
        }
        rule.check()?;
        Ok(rule)
    }

    fn check(&self) -> Result<(), S3Error> {
        if let Some(method) = self.methods.iter().find(|m| !METHODS.contains(&m.as_str())) {
            return Err(refused(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        for (name, patterns) in [
            ("AllowedOrigin", &self.origins),
            ("AllowedHeader", &self.headers),
        ] {
            if let Some(pattern) = patterns.iter().find(|p| p.matches('*').count() > 1) {
                return Err(refused(format!(
                    "{name} \"{pattern}\" can not have more than one wildcard."
                )));
            }
        }
        if let Some(name) = self.exposed.iter().find(|name| name.contains('*')) {
            return Err(refused(format!(
                "ExposeHeader \"{name}\" contains wildcard. We currently do not support wildcard \
                 for ExposeHeader."
            )));
        }
        Ok(())
    }

    fn write(&self, xml: &mut XmlWriter) {
        xml.open("CORSRule");
        if let Some(id) = &self.id {
            xml.text("ID", id);
        }
        for (name, texts) in [
            ("AllowedHeader", &self.headers),
            ("AllowedMethod", &self.methods),
            ("AllowedOrigin", &self.origins),
            ("ExposeHeader", &self.exposed),
        ] {
            texts.iter().for_each(|text| xml.text(name, text));
        }
        if let Some(seconds) = self.max_age {
            xml.text("MaxAgeSeconds", &seconds.to_string());
        }
        xml.close("CORSRule");
    }

    fn allow(&self, asked: &CrossOrigin) -> Option<HeaderMap> {
        let origin = self
            .origins
            .iter()
            .find(|pattern| matches(pattern, &asked.origin))?;
        let method = asked.wanted_method();
        let allows_headers = asked
            .asked_headers
            .iter()
            .all(|name| self.takes_header(name));
        if !allows_headers || !self.methods.iter().any(|known| known == method) {
            return None;
        }
        let mut headers = HeaderMap::new();
        let everybody = origin == "*";
        let allowed_origin = if everybody {
            "*"
        } else {
            asked.origin.as_str()
        };
        put(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, allowed_origin);
        if !everybody {
            put(&mut headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        put(
            &mut headers,
            ACCESS_CONTROL_ALLOW_METHODS,
            &self.methods.join(", "),
        );
        if !asked.asked_headers.is_empty() {
            let names = asked.asked_headers.join(", ");
            put(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, &names);
        }
        if !self.exposed.is_empty() {
            put(
                &mut headers,
                ACCESS_CONTROL_EXPOSE_HEADERS,
                &self.exposed.join(", "),
            );
        }
        if let Some(seconds) = self.max_age {
            put(&mut headers, ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
        headers.insert(VARY, VARIES);
        Some(headers)
    }

    /// `name` is in lower case; case counts for nothing in a pattern of headers.
    fn takes_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|pattern| matches(&pattern.to_ascii_lowercase(), name))
    }
}

/// Whether a pattern with at most one `*` matches the whole text; the star stands for any text, an
/// empty one too.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text
            .strip_prefix(start)
            .is_some_and(|rest| rest.ends_with(end)),
    }
}

/// Values of clients that cannot stand in a header are left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn refused(message: String) -> S3Error {
    S3Error::with_message(Code::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn read(inside: &str) -> Result<Rules, S3Error> {
        let document = format!("<CORSConfiguration>{inside}</CORSConfiguration>");
        Rules::read(document.as_bytes())
    }

    fn rule(inside: &str) -> String {
        let needed = "<AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin>";
        format!("<CORSRule>{needed}{inside}</CORSRule>")
    }

    #[test]
    fn a_document_comes_back_as_it_was() {
        let full = "<CORSRule><ID>a &amp; b</ID><AllowedHeader>x-AMZ-*</AllowedHeader>\
            <AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>\
            <AllowedOrigin>https://*.page:80</AllowedOrigin><AllowedOrigin></AllowedOrigin>\
            <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule>";
        let rules = read(&format!("{full}{}", rule(""))).unwrap();
        let written = rules.document().finish();
        let text = String::from_utf8(written.to_vec()).unwrap();
        assert!(text.contains(full), "{text}");
        assert_eq!(Rules::read(&written).unwrap(), rules);
    }

    #[test]
    fn rules_have_a_form_and_a_number() {
        assert!(read(&rule("").repeat(MAX_RULES)).is_ok());
        assert!(read(&rule(&format!("<ID>{}</ID>", "i".repeat(MAX_ID)))).is_ok());
        for malformed in [
            String::new(),
            "<CORSRule/>".to_owned(),
            "<Rule/>".to_owned(),
            "<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>".to_owned(),
            "<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>".to_owned(),
            rule("<AllowedHeaders>a</AllowedHeaders>"),
            rule("<MaxAgeSeconds>-1</MaxAgeSeconds>"),
            rule("<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>"),
            rule(&format!("<ID>{}</ID>", "i".repeat(MAX_ID + 1))),
            rule("").repeat(MAX_RULES + 1),
        ] {
            assert_eq!(
                read(&malformed).unwrap_err().code(),
                Code::MalformedXML,
                "{malformed}"
            );
        }
    }

    #[track_caller]
    fn refused_with(inside: &str, message: &str) {
        let error = read(&rule(inside)).unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (Code::InvalidRequest, message)
        );
    }

    #[test]
    fn methods_and_wildcards_are_refused_by_name() {
        for method in ["OPTIONS", "get", ""] {
            let message = format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            );
            refused_with(
                &format!("<AllowedMethod>{method}</AllowedMethod>"),
                &message,
            );
        }
        refused_with(
            "<AllowedOrigin>*example*.com</AllowedOrigin>",
            "AllowedOrigin \"*example*.com\" can not have more than one wildcard.",
        );
        refused_with(
            "<AllowedHeader>*-*</AllowedHeader>",
            "AllowedHeader \"*-*\" can not have more than one wildcard.",
        );
        refused_with(
            "<ExposeHeader>x-amz-*</ExposeHeader>",
            "ExposeHeader \"x-amz-*\" contains wildcard. We currently do not support wildcard for \
             ExposeHeader.",
        );
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("start*end", "startend", true),
            ("start*end", "start1end", true),
            ("start*end", "0start1end", false),
            ("aba*ab", "abab", false),
            ("*suffix", "foo.suffix", true),
            ("*suffix", "foo.suffix.get", false),
            ("https://a", "https://a", true),
            ("https://a", "https://A", false),
            ("https://a", "https://a/", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_rule_that_allows_it_decides() {
        let first = "<CORSRule><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
            <AllowedOrigin>https://page</AllowedOrigin><AllowedHeader>X-Amz-*</AllowedHeader>\
            <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>";
        let rules = read(&format!("{first}{}", rule(""))).unwrap();
        let ask = |origin: &str, method: Method, headers: &[&str]| {
            let headers: Vec<_> = headers.iter().map(|name| (*name).to_owned()).collect();
            rules.allow(&CrossOrigin {
                origin: origin.to_owned(),
                asked_method: None,
                method,
                asked_headers: headers,
            })
        };
        let headers = ask("https://page", Method::PUT, &["x-amz-a", "x-amz-b"]).unwrap();
        let shown: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(
            shown,
            [
                "access-control-allow-origin: https://page",
                "access-control-allow-credentials: true",
                "access-control-allow-methods: PUT, GET",
                "access-control-allow-headers: x-amz-a, x-amz-b",
                "access-control-expose-headers: ETag",
                "access-control-max-age: 60",
                "vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
            ]
        );
        let second = ask("https://other", Method::PUT, &[]).unwrap();
        assert_eq!(second.get(ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "*");
        assert!(!second.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(ask("https://other", Method::PUT, &["x-amz-a"]), None);
        assert_eq!(ask("https://page", Method::PUT, &["range"]), None);
        assert_eq!(ask("https://page", Method::DELETE, &[]), None);
    }
}
