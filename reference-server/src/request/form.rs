//! The fields of a form that stores an object, and what they ask for.
//!
//! Sources: S3 API reference, "POST Object" and "HTML form fields". A field may hold a customer key,
//! so nothing here can be printed.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::s3_error::{Code, S3Error};

/// The variable that stands for the name of the file.
const FILENAME: &str = "${filename}";
/// The field with the tags of the object, a document.
const TAGGING: &str = "tagging";
/// The field with the same tags as a `PUT` has them in this header.
const TAGGING_HEADER: &str = "x-amz-tagging";
/// What the names of fields begin with that nobody is to look at.
pub(crate) const IGNORED: &str = "x-ignore-";
/// The fields that make the signature; they are about no object.
pub(crate) const OF_SIGNATURE: [&str; 5] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-signature",
    "x-amz-security-token",
];
/// The fields that are headers of the object, beside those of the form `x-amz-*`.
const HEADERS: [&str; 7] = [
    "cache-control",
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "expires",
];

/// What a form asks of the answer, and of the object beside its headers.
pub struct Form {
    /// The URL that the form was sent to, without a slash at the end.
    pub address: String,
    /// Where the browser is to go when the object is stored.
    pub redirect: Option<String>,
    /// The status of the answer.
    pub status: Option<String>,
    /// The tags of the object, a document.
    pub tagging: Option<String>,
    /// How the form breaks its policy, if it does: it is then refused before anything else.
    pub breach: Option<Breach>,
}

/// What of its policy a form does not keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It came too late.
    Expired,
    /// A condition does not hold.
    Condition,
    /// The policy says nothing of a field.
    Uncovered,
}

/// A form that does not keep to its policy, and how that is answered.
#[derive(Debug)]
pub struct Breach {
    /// What it does not keep to.
    pub broken: Broken,
    /// 403 `AccessDenied`.
    pub error: S3Error,
}

/// The fields in front of the file, names in lower case, in the order sent.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_ascii_lowercase(), value));
    }

    /// Puts the name of the file where a field has the variable for it. Of a path only what stands
    /// behind the last slash, of either kind, is the name. Names and values may come to `most` bytes.
    ///
    /// # Errors
    /// 400 `MaxPostPreDataLengthExceededError`, before anything longer is made.
    pub(crate) fn expand(&mut self, filename: &str, most: usize) -> Result<(), S3Error> {
        let file = filename.rsplit(['/', '\\']).next().unwrap_or_default();
        let length = |(name, value): &(String, String)| {
            let variables = value.matches(FILENAME).count();
            name.len() + value.len() - variables * FILENAME.len() + variables * file.len()
        };
        if self.0.iter().map(length).sum::<usize>() > most {
            return Err(Code::MaxPostPreDataLengthExceededError.into());
        }
        for (_, value) in &mut self.0 {
            if value.contains(FILENAME) {
                *value = value.replace(FILENAME, file);
            }
        }
        Ok(())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The value of a field; values of fields of one name joined by commas, as policies name them.
    pub(crate) fn joined(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.values(name);
        let first = Cow::Borrowed(values.next()?);
        Some(values.fold(first, |all, value| Cow::Owned(format!("{all},{value}"))))
    }

    /// The value of a field that may come once.
    ///
    /// # Errors
    /// 400 `InvalidArgument` for two; a choice.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&str>, S3Error> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => {
                let message = format!("Bucket POST must contain one field named '{name}' at most.");
                Err(S3Error::with_message(Code::InvalidArgument, message).argument(name, None))
            }
        }
    }

    /// The value of a field that has to come once. `named` is its name as S3 writes it.
    ///
    /// # Errors
    /// 400 `InvalidArgument`, recorded from Amazon S3, and that of [`Fields::single`].
    pub(crate) fn required(&self, named: &str) -> Result<&str, S3Error> {
        let found = self.single(&named.to_ascii_lowercase())?;
        found.ok_or_else(|| {
            let message = format!(
                "Bucket POST must contain a field named '{named}'.  If it is specified, please \
                 check the order of the fields."
            );
            S3Error::with_message(Code::InvalidArgument, message).argument(named, Some(""))
        })
    }

    /// The fields that a `PUT` of the object would have as headers. `acl` has another name there.
    ///
    /// # Errors
    /// 400 `InvalidArgument` for what cannot stand in a header.
    pub(crate) fn headers(&self) -> Result<HeaderMap, S3Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.0 {
            let name = match name.as_str() {
                "acl" => "x-amz-acl",
                name if OF_SIGNATURE.contains(&name) => continue,
                name if name.starts_with("x-amz-") || HEADERS.contains(&name) => name,
                _ => continue,
            };
            let pair = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .zip(HeaderValue::from_bytes(value.as_bytes()).ok());
            let (name, value) = pair.ok_or_else(|| {
                let message = "The field cannot be kept as a header.";
                S3Error::with_message(Code::InvalidArgument, message).argument(name, None)
            })?;
            headers.append(name, value);
        }
        Ok(headers)
    }

    /// What the form asks for beside the headers of the object.
    ///
    /// # Errors
    /// That of [`Fields::single`]; 400 `InvalidArgument` for tags in two fields, a choice.
    pub(crate) fn wishes(&self, address: String) -> Result<Form, S3Error> {
        let text = |name: &str| self.single(name).map(|found| found.map(str::to_owned));
        if self.has(TAGGING) && self.has(TAGGING_HEADER) {
            let message =
                "Tags are given in the field 'tagging' or in 'x-amz-tagging', not in both.";
            let error = S3Error::with_message(Code::InvalidArgument, message);
            return Err(error.argument(TAGGING_HEADER, None));
        }
        Ok(Form {
            address,
            redirect: match text("success_action_redirect")? {
                None => text("redirect")?,
                redirect @ Some(_) => redirect,
            },
            status: text("success_action_status")?,
            tagging: text(TAGGING)?,
            breach: None,
        })
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(known, _)| known == name);
        of_name.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.push(name, (*value).to_owned());
        }
        fields
    }

    #[test]
    fn the_name_of_the_file_is_put_in_without_its_path() {
        for (filename, expected) in [
            ("a.txt", "user/a.txt"),
            ("C:\\Program Files\\a.txt", "user/a.txt"),
            ("/etc/../passwd", "user/passwd"),
            ("", "user/"),
        ] {
            let mut form = fields(&[("key", "user/${filename}"), ("other", "$filename")]);
            form.expand(filename, 64).unwrap();
            assert_eq!(form.required("key").unwrap(), expected);
            assert_eq!(form.required("other").unwrap(), "$filename");
        }
    }

    #[test]
    fn what_the_name_of_the_file_makes_of_the_fields_has_a_limit() {
        let name = "n".repeat(10);
        let mut form = fields(&[("key", "${filename}${filename}"), ("other", "12345")]);
        let most = "key".len() + 20 + "other12345".len();
        let error = form.expand(&name, most - 1).unwrap_err();
        assert_eq!(error.code(), Code::MaxPostPreDataLengthExceededError);
        assert_eq!(form.required("key").unwrap(), "${filename}${filename}");
        form.expand(&name, most).unwrap();
        assert_eq!(form.required("key").unwrap(), name.repeat(2));
    }

    #[test]
    fn tags_are_given_in_one_field() {
        let document = ("tagging", "<Tagging/>");
        let header = ("x-amz-tagging", "a=1");
        let wishes = |pairs: &[(&str, &str)]| fields(pairs).wishes(String::new());
        assert_eq!(
            wishes(&[document]).ok().unwrap().tagging.as_deref(),
            Some(document.1)
        );
        assert_eq!(wishes(&[header]).ok().unwrap().tagging, None);
        let error = wishes(&[document, header]).err().unwrap();
        assert_eq!(error.code(), Code::InvalidArgument);
    }

    #[test]
    fn fields_of_an_object_are_its_headers() {
        let form = fields(&[
            ("Key", "k"),
            ("X-Amz-Meta-A", "ä"),
            ("x-amz-meta-a", "2"),
            ("acl", "private"),
            ("Content-Type", "text/plain"),
            ("X-Amz-Date", "20151229T000000Z"),
            ("policy", "e30="),
            ("x-ignore-x", "1"),
        ]);
        let headers = form.headers().unwrap();
        assert_eq!(headers.get("x-amz-acl").unwrap(), "private");
        assert_eq!(headers.get_all("x-amz-meta-a").iter().count(), 2);
        assert_eq!(headers.len(), 4);
        assert_eq!(form.joined("x-amz-meta-a").unwrap(), "ä,2");
        for bad in [("x-amz-meta-a", "1\r\nx: y"), ("x-amz-meta-a b", "1")] {
            let error = fields(&[bad]).headers().unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn what_is_missing_or_doubled_is_named() {
        let form = fields(&[("key", "a"), ("KEY", "b")]);
        let refused = |name| form.required(name).unwrap_err().message().to_owned();
        assert!(refused("key").contains("one field named 'key'"));
        assert!(refused("X-Amz-Signature").starts_with(
            "Bucket POST must contain a field named 'X-Amz-Signature'.  If it is specified"
        ));
    }
}
