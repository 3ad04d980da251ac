//! The one pair of credentials that a server knows.

use std::path::Path;

use zeroize::Zeroizing;

use crate::config::CredentialSource;
use crate::private_file;
use crate::random;
use crate::server::StartError;

/// The file in the data directory that keeps a pair made here.
const FILE_NAME: &str = "credentials";

/// Who may ask.
pub struct Credentials {
    /// The access key id, public.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Zeroizing<String>,
}

impl Credentials {
    /// Takes the given pair, or the one kept in the data directory, which is made at its first
    /// start.
    ///
    /// # Errors
    /// [`StartError::DataDir`], [`StartError::Config`] for a pair that cannot be used.
    pub fn obtain(source: &CredentialSource, data_dir: &Path) -> Result<Self, StartError> {
        match source {
            CredentialSource::Given {
                access_key_id,
                secret_access_key,
            } => {
                let usable = |text: &str| {
                    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
                };
                if !usable(access_key_id) || !usable(secret_access_key) {
                    return Err(StartError::Config(
                        "the access key id and its secret must be printable and not empty"
                            .to_owned(),
                    ));
                }
                Ok(Self {
                    access_key_id: access_key_id.clone(),
                    secret_access_key: Zeroizing::new(secret_access_key.clone()),
                })
            }
            CredentialSource::Kept => {
                let path = data_dir.join(FILE_NAME);
                let text = Zeroizing::new(private_file::read_or_create(&path, || {
                    let made = Self::random();
                    format!(
                        "{}\n{}\n",
                        made.access_key_id,
                        made.secret_access_key.as_str()
                    )
                })?);
                Self::from_lines(&text).ok_or_else(|| StartError::DataDir {
                    path,
                    reason: "expected an access key id and its secret, a line each".to_owned(),
                })
            }
        }
    }

    fn random() -> Self {
        Self {
            // The form of AWS's ids, with a prefix of our own, so that nobody takes it for a real one.
            access_key_id: format!("SSEC{}", hex::encode_upper(random::bytes::<8>())),
            secret_access_key: Zeroizing::new(hex::encode(random::bytes::<20>())),
        }
    }

    fn from_lines(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let access_key_id = lines.next().filter(|line| !line.is_empty())?;
        let secret_access_key = lines.next().filter(|line| !line.is_empty())?;
        Some(Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Zeroizing::new(secret_access_key.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_pair_is_made_once_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = Credentials::obtain(&CredentialSource::Kept, directory.path()).unwrap();
        let second = Credentials::obtain(&CredentialSource::Kept, directory.path()).unwrap();
        assert_eq!(first.access_key_id, second.access_key_id);
        assert_eq!(*first.secret_access_key, *second.secret_access_key);
        let metadata = std::fs::metadata(directory.path().join(FILE_NAME)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        let elsewhere = tempfile::tempdir().unwrap();
        let other = Credentials::obtain(&CredentialSource::Kept, elsewhere.path()).unwrap();
        assert_ne!(first.access_key_id, other.access_key_id);
        assert_ne!(*first.secret_access_key, *other.secret_access_key);
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), "only one line\n").unwrap();
        assert!(Credentials::obtain(&CredentialSource::Kept, directory.path()).is_err());
    }

    #[test]
    fn a_given_pair_must_be_usable() {
        let obtain = |id: &str, secret: &str| {
            let source = CredentialSource::Given {
                access_key_id: id.to_owned(),
                secret_access_key: secret.to_owned(),
            };
            Credentials::obtain(&source, Path::new("/nonexistent"))
        };
        assert!(obtain("id", "secret").is_ok());
        assert!(obtain("", "secret").is_err());
        assert!(obtain("id", "").is_err());
        assert!(obtain("id", "line\nbreak").is_err());
    }
}
