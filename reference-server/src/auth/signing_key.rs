//! The signing key of one day, derived once and kept.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use zeroize::Zeroizing;

/// Derives signing keys for one secret, region and the service `s3`.
pub(super) struct SigningKeys {
    secret: Zeroizing<String>,
    region: String,
    /// The last day asked for. Presigned URLs may name another day; they pay for a derivation.
    cached: RwLock<Option<(String, Arc<Key>)>>,
}

impl SigningKeys {
    pub(super) fn new(secret: &str, region: &str) -> Self {
        Self {
            secret: Zeroizing::new(secret.to_owned()),
            region: region.to_owned(),
            cached: RwLock::new(None),
        }
    }

    /// The region that is part of every key.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// The key for a date as `20130524`.
    pub(super) fn for_date(&self, date: &str) -> Arc<Key> {
        // A poisoned lock still holds a whole pair: it is replaced in one assignment.
        if let Some((cached, key)) = &*self.cached.read().unwrap_or_else(PoisonError::into_inner)
            && cached == date
        {
            return Arc::clone(key);
        }
        let key = Arc::new(derive(&self.secret, date, &self.region));
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) =
            Some((date.to_owned(), Arc::clone(&key)));
        key
    }
}

fn derive(secret: &str, date: &str, region: &str) -> Key {
    let start = Zeroizing::new(format!("AWS4{secret}"));
    let mut key = Key::new(HMAC_SHA256, start.as_bytes());
    for step in [date, region, "s3", "aws4_request"] {
        let mut next: [u8; 32] = sign(&key, step.as_bytes())
            .as_ref()
            .try_into()
            .expect("HMAC-SHA-256 gives 32 bytes");
        key = Key::new(HMAC_SHA256, &next);
        zeroize::Zeroize::zeroize(&mut next);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    // "Example: GET Object" of the S3 API reference: string to sign and signature.
    #[test]
    fn the_published_string_to_sign_gives_the_published_signature() {
        let keys = SigningKeys::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
        let text = "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
             7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
        for _ in 0..2 {
            let tag = sign(&keys.for_date("20130524"), text.as_bytes());
            assert_eq!(
                hex::encode(tag),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            );
        }
    }

    #[test]
    fn another_day_is_another_key() {
        let keys = SigningKeys::new("secret", "us-east-1");
        let one = hex::encode(sign(&keys.for_date("20130524"), b"text"));
        let other = hex::encode(sign(&keys.for_date("20130525"), b"text"));
        assert_ne!(one, other);
        assert_eq!(hex::encode(sign(&keys.for_date("20130524"), b"text")), one);
    }
}
