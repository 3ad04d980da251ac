//! What a request claims about its signature, before anything of it is verified.

use super::timestamp::Timestamp;

/// A credential: who, and for which day, region and service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) access_key_id: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
}

impl Credential {
    /// Reads `ID/20130524/us-east-1/s3/aws4_request`. The id itself may hold slashes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut from_the_end = text.rsplitn(5, '/');
        let terminator = from_the_end.next()?;
        let service = from_the_end.next()?;
        let region = from_the_end.next()?;
        let date = from_the_end.next()?;
        let access_key_id = from_the_end.next()?;
        let well_formed = terminator == "aws4_request"
            && date.len() == 8
            && date.bytes().all(|byte| byte.is_ascii_digit())
            && !access_key_id.is_empty();
        well_formed.then(|| Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// The scope for the string to sign.
    pub(super) fn scope(&self) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            self.date, self.region, self.service
        )
    }
}

/// A signature, with everything that is needed to verify it.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) credential: Credential,
    /// Names in the order listed. The canonical request keeps that order: curl 7.88 lists them in
    /// another one than AWS prescribes, and signs so.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: Signature,
    pub(super) timestamp: Timestamp,
}

/// The 32 bytes of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature(pub(super) [u8; 32]);

impl Signature {
    /// Reads 64 hexadecimal digits in lower case, the only form that AWS accepts.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// Reads `host;range;x-amz-date`: at least one name, all in lower case, none twice.
pub(super) fn signed_headers(text: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(';') {
        let well_formed = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
        if !well_formed || names.iter().any(|earlier| earlier == name) {
            return None;
        }
        names.push(name.to_owned());
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_five_parts() {
        let credential =
            Credential::parse("AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request").unwrap();
        assert_eq!(credential.access_key_id, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(credential.scope(), "20130524/us-east-1/s3/aws4_request");
        for text in [
            "",
            "AKIAIOSFODNN7EXAMPLE",
            "/20130524/us-east-1/s3/aws4_request",
            "ID/2013052/us-east-1/s3/aws4_request",
            "ID/2013-5-2/us-east-1/s3/aws4_request",
            "ID/20130524/us-east-1/s3/aws4",
            "ID/20130524/us-east-1/aws4_request",
        ] {
            assert_eq!(Credential::parse(text), None, "{text}");
        }
    }

    #[test]
    fn signed_headers_keep_their_order() {
        assert_eq!(signed_headers("b;a").unwrap(), ["b", "a"]);
        for text in ["", "a;", ";a", "A", "a;a", "a b"] {
            assert_eq!(signed_headers(text), None, "{text}");
        }
    }

    #[test]
    fn a_signature_is_64_digits_in_lower_case() {
        assert!(Signature::parse(&[b'a'; 64]).is_some());
        assert!(Signature::parse(&[b'A'; 64]).is_none());
        assert!(Signature::parse(&[b'a'; 63]).is_none());
        assert!(Signature::parse(&[b'g'; 64]).is_none());
        assert!(Signature::parse(b"").is_none());
    }
}
