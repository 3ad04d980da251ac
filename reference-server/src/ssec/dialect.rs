//! What legitimately differs between providers, as data.
//!
//! It knows the facts of each dialect; the answers that depend on a request are in `policy`.

use std::fmt;
use std::str::FromStr;

/// The provider whose answers this server gives. It belongs to the store: a store made under one
/// dialect is not opened under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon S3.
    Aws,
    /// The service behind the OVHcloud guide of April 2022.
    Ovh,
}

/// What an `ETag` is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtagRule {
    /// Random; says nothing about the content.
    Opaque,
    /// The MD5 of the plaintext. It leaks a digest to whoever may list: documented for that dialect.
    Md5OfPlaintext,
}

/// The constant facts of one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The name used on the command line and in the store.
    pub name: &'static str,
    /// Whether a success repeats the algorithm and the MD5 of the customer key.
    pub echoes_customer_key_md5: bool,
    /// What the `ETag` is.
    pub etag: EtagRule,
    /// Whether an object under the server's key says `x-amz-server-side-encryption: AES256`.
    pub names_server_encryption: bool,
    /// Whether a body without a declared checksum gets a CRC64NVME.
    pub adds_checksum: bool,
    /// Whether answers about an object carry `x-amz-version-id` (the guide's samples show it).
    pub shows_version_id: bool,
}

/// Amazon S3: contract sections 3.1 (`ETag`), 3.2 (checksums), 3.4 (echo).
const AWS: Facts = Facts {
    name: "aws",
    echoes_customer_key_md5: true,
    etag: EtagRule::Opaque,
    names_server_encryption: true,
    adds_checksum: true,
    shows_version_id: false,
};

/// OVHcloud 2022: the guide's HEAD sample (`ETag` = MD5 of `/etc/magic`, a version id in
/// microseconds, no echo) and its software's response header list.
const OVH: Facts = Facts {
    name: "ovh",
    echoes_customer_key_md5: false,
    etag: EtagRule::Md5OfPlaintext,
    names_server_encryption: false,
    adds_checksum: false,
    shows_version_id: true,
};

impl Dialect {
    /// Every dialect, in the order in which help texts list them.
    pub const ALL: [Self; 2] = [Self::Aws, Self::Ovh];

    /// The dialect's constant facts.
    #[must_use]
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::Aws => &AWS,
            Self::Ovh => &OVH,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.facts().name)
    }
}

/// The name given is no dialect of this server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{0}`; this server speaks `aws` and `ovh`")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.facts().name == name)
            .ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_parses_back() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
    }

    #[test]
    fn another_name_is_refused() {
        let error = "AWS".parse::<Dialect>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown dialect `AWS`; this server speaks `aws` and `ovh`"
        );
    }
}
