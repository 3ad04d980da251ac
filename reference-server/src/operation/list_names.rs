//! What all lists have in common: how many entries, and how names are written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::request::Query;
use crate::s3_error::{Code, S3Error};
use crate::store::LIST_LIMIT;
use crate::xml::XmlWriter;

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    AsTheyAre,
    Url,
}

impl Encoding {
    /// What `encoding-type` asks for.
    ///
    /// # Errors
    /// 400 `InvalidArgument` for anything but `url`.
    pub(super) fn read(query: &Query) -> Result<Self, S3Error> {
        match query.get("encoding-type") {
            None | Some("") => Ok(Self::AsTheyAre),
            Some("url") => Ok(Self::Url),
            Some(other) => Err(invalid(
                "encoding-type",
                "Invalid Encoding Method specified in Request",
                other,
            )),
        }
    }

    /// Writes an element with a name in it.
    pub(super) fn write(self, xml: &mut XmlWriter, element: &str, name: &str) {
        /// What URL encoding leaves alone (RFC 3986, unreserved), and the separator of folders.
        const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~')
            .remove(b'/');
        match self {
            Self::AsTheyAre => xml.text(element, name),
            Self::Url => xml.text(element, &utf8_percent_encode(name, ENCODED).to_string()),
        }
    }
}

/// The number of entries that the parameter `name` asks for, at most [`LIST_LIMIT`].
///
/// # Errors
/// 400 `InvalidArgument` for what is no number from 0 to 2147483647.
pub(super) fn read_max(name: &str, value: Option<&str>) -> Result<usize, S3Error> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(LIST_LIMIT);
    };
    match text.parse::<i32>().map(usize::try_from) {
        Ok(Ok(number)) => Ok(number.min(LIST_LIMIT)),
        Ok(Err(_)) | Err(_) => Err(S3Error::with_message(
            Code::InvalidArgument,
            format!("Argument {name} must be an integer between 0 and 2147483647"),
        )
        .argument(name, Some(text))),
    }
}

/// 400 `InvalidArgument` about a parameter.
pub(super) fn invalid(name: &str, message: &'static str, value: &str) -> S3Error {
    S3Error::with_message(Code::InvalidArgument, message).argument(name, Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_max(value: &str, expected: Option<usize>) {
        assert_eq!(read_max("max-keys", Some(value)).ok(), expected);
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
        assert_eq!(read_max("max-keys", None).ok(), Some(1000));
    }
}
