//! Where credentials come from: the environment's variables, then a profile of the shared files.
//!
//! What the AWS tools offer beyond that (SSO, `credential_process`, roles) is refused by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::error::GivenError;

/// Longest credentials file that is read, bytes.
const MAX_FILE: usize = 1024 * 1024;

/// Settings of a profile that are ways to get credentials which we do not go.
const UNSUPPORTED: [&str; 6] = [
    "credential_process",
    "sso_session",
    "sso_start_url",
    "role_arn",
    "web_identity_token_file",
    "credential_source",
];

/// An access key. No `Debug`: it holds a secret.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
}

impl Credentials {
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Zeroizing::new(secret_access_key.to_owned()),
            session_token: session_token.map(|token| Zeroizing::new(token.to_owned())),
        }
    }

    /// As the AWS tools find them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`; else the profile `AWS_PROFILE` (or `default`) of
    /// `AWS_SHARED_CREDENTIALS_FILE` (or `~/.aws/credentials`), or of `AWS_CONFIG_FILE`
    /// (or `~/.aws/config`).
    ///
    /// # Errors
    /// When there are none, or they are of a kind that is not supported.
    pub fn find(environment: &Environment) -> Result<Self, GivenError> {
        Self::find_of(environment, None)
    }

    /// As [`find`](Self::find), with the shared files' profile of this name in place of
    /// `AWS_PROFILE`.
    ///
    /// # Errors
    /// As there.
    pub fn find_of(environment: &Environment, profile: Option<&str>) -> Result<Self, GivenError> {
        let id = environment.get("AWS_ACCESS_KEY_ID");
        let secret = environment.get("AWS_SECRET_ACCESS_KEY");
        let missing = |name: &str, other: &str| {
            Err(GivenError::NoCredentials {
                why: format!("{other} is set, but not {name}"),
            })
        };
        match (id, secret) {
            (Some(id), Some(secret)) => {
                Ok(Self::new(id, secret, environment.get("AWS_SESSION_TOKEN")))
            }
            (Some(_), None) => missing("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            (None, Some(_)) => missing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            (None, None) => Self::of_profile(environment, profile),
        }
    }

    fn of_profile(environment: &Environment, named: Option<&str>) -> Result<Self, GivenError> {
        let name = named.or_else(|| environment.get("AWS_PROFILE"));
        let name = name.unwrap_or("default");
        let place = |variable: &str, file: &str| {
            let given = environment.get(variable).map(PathBuf::from);
            given.or_else(|| Some(environment.home()?.join(".aws").join(file)))
        };
        let files = [
            (
                place("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
                name.to_owned(),
            ),
            (place("AWS_CONFIG_FILE", "config"), config_section(name)),
        ];
        let mut seen = Vec::new();
        for (path, section) in files {
            let Some(path) = path else { continue };
            seen.push(path.display().to_string());
            let Some(text) = read(&path)? else { continue };
            if let Some(profile) = profile(&text, &section)
                && let Some(found) = Self::of_settings(&profile, &path, name)?
            {
                return Ok(found);
            }
        }
        let why = if seen.is_empty() {
            "neither the environment nor a home directory has any".to_owned()
        } else {
            format!(
                "not in the environment, and no profile `{name}` in {}",
                seen.join(" or ")
            )
        };
        Err(GivenError::NoCredentials { why })
    }

    /// `None` when the profile says nothing of credentials.
    fn of_settings(
        profile: &BTreeMap<String, Zeroizing<String>>,
        path: &Path,
        name: &str,
    ) -> Result<Option<Self>, GivenError> {
        let place = format!("profile `{name}` in {}", path.display());
        let get = |setting: &str| {
            profile
                .get(setting)
                .map(|value| value.as_str())
                .filter(|value| !value.is_empty())
        };
        match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Ok(Some(Self::new(id, secret, get("aws_session_token")))),
            (None, None) => match UNSUPPORTED.into_iter().find(|what| get(what).is_some()) {
                Some(what) => Err(GivenError::CredentialsUnsupported {
                    what: what.to_owned(),
                    place,
                }),
                None => Ok(None),
            },
            (Some(_), None) | (None, Some(_)) => Err(GivenError::NoCredentials {
                why: format!("{place} has only one of aws_access_key_id and aws_secret_access_key"),
            }),
        }
    }

    /// The secret access key, for the signer and the redactor.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.secret_access_key
    }

    /// The session token, for the signer and the redactor.
    #[must_use]
    pub fn expose_session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }
}

/// The name of a profile's section in the config file.
fn config_section(profile: &str) -> String {
    if profile == "default" {
        "default".to_owned()
    } else {
        format!("profile {profile}")
    }
}

/// The file's text; `None` when there is no such file.
fn read(path: &Path) -> Result<Option<Zeroizing<String>>, GivenError> {
    let unreadable = |why: String| GivenError::File {
        path: path.display().to_string(),
        why,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    if bytes.len() > MAX_FILE {
        return Err(unreadable(format!("it is longer than {MAX_FILE} bytes")));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
        Err(_) => Err(unreadable("it is not UTF-8".to_owned())),
    }
}

/// The settings of one section of an AWS file; nested (indented) ones are passed over.
fn profile(text: &str, section: &str) -> Option<BTreeMap<String, Zeroizing<String>>> {
    let mut settings = None;
    let mut inside = false;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) || line.starts_with([' ', '\t']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            inside = name == section;
            if inside {
                settings.get_or_insert_with(BTreeMap::new);
            }
            continue;
        }
        if let (true, Some((name, value)), Some(settings)) =
            (inside, line.split_once('='), settings.as_mut())
        {
            let value = Zeroizing::new(value.trim().to_owned());
            settings.insert(name.trim().to_ascii_lowercase(), value);
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# a comment
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key=default+secret/with=equals
[ work ]
aws_access_key_id = AKIDWORK
AWS_SECRET_ACCESS_KEY = work-secret
aws_session_token = work-token
s3 =
  aws_access_key_id = nested
[half]
aws_access_key_id = AKIDHALF
[process]
credential_process = /usr/bin/secret-tool
[empty]
region = x
";
    const CONFIG: &str = "[profile sso]\nsso_session = x\n\
        [profile role]\nrole_arn = arn\nsource_profile = default\n\
        [profile plain]\naws_access_key_id = AKIDPLAIN\naws_secret_access_key = plain\n";

    struct Files {
        directory: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            std::fs::create_dir(directory.path().join(".aws")).unwrap();
            std::fs::write(directory.path().join(".aws/credentials"), FILE).unwrap();
            std::fs::write(directory.path().join(".aws/config"), CONFIG).unwrap();
            Self { directory }
        }

        fn find(
            &self,
            pairs: &[(&str, &str)],
        ) -> Result<(String, String, Option<String>), GivenError> {
            let home = [("HOME", self.directory.path().to_str().unwrap())];
            let environment = Environment::of(home.into_iter().chain(pairs.iter().copied()));
            let found = Credentials::find(&environment)?;
            let token = found.expose_session_token().map(str::to_owned);
            Ok((
                found.access_key_id.clone(),
                found.expose_secret().to_owned(),
                token,
            ))
        }
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], id: &str, secret: &str, token: Option<&str>) {
        let found = Files::new().find(pairs).unwrap();
        assert_eq!(
            found,
            (id.to_owned(), secret.to_owned(), token.map(str::to_owned))
        );
    }

    #[track_caller]
    fn check_refused(pairs: &[(&str, &str)], part: &str) {
        let error = Files::new().find(pairs).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn the_environment_comes_first() {
        let pairs = [
            ("AWS_ACCESS_KEY_ID", "A"),
            ("AWS_SECRET_ACCESS_KEY", "S"),
            ("AWS_PROFILE", "work"),
        ];
        check(&pairs, "A", "S", None);
        check(
            &[pairs[0], pairs[1], ("AWS_SESSION_TOKEN", "T")],
            "A",
            "S",
            Some("T"),
        );
    }

    #[test]
    fn a_profile_comes_next() {
        check(&[], "AKIDDEFAULT", "default+secret/with=equals", None);
        check(
            &[("AWS_PROFILE", "work")],
            "AKIDWORK",
            "work-secret",
            Some("work-token"),
        );
        check(&[("AWS_PROFILE", "plain")], "AKIDPLAIN", "plain", None);
        let other = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            other.path(),
            "[default]\naws_access_key_id=X\naws_secret_access_key=Y\n",
        )
        .unwrap();
        let path = other.path().to_str().unwrap();
        check(&[("AWS_SHARED_CREDENTIALS_FILE", path)], "X", "Y", None);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        check_refused(
            &[("AWS_PROFILE", "process")],
            "credential_process is not supported",
        );
        check_refused(&[("AWS_PROFILE", "sso")], "sso_session is not supported");
        check_refused(&[("AWS_PROFILE", "role")], "role_arn is not supported");
    }

    #[test]
    fn what_is_missing_is_named() {
        check_refused(&[("AWS_ACCESS_KEY_ID", "A")], "AWS_SECRET_ACCESS_KEY");
        check_refused(&[("AWS_SECRET_ACCESS_KEY", "S")], "not AWS_ACCESS_KEY_ID");
        check_refused(&[("AWS_PROFILE", "half")], "only one of");
        check_refused(&[("AWS_PROFILE", "nobody")], "no profile `nobody`");
        check_refused(&[("AWS_PROFILE", "empty")], "no profile `empty`");
        let nothing = Environment::of::<&str, &str>([]);
        assert!(Credentials::find(&nothing).is_err());
    }
}
