//! Whether the target can be judged at all, found out before the first trial.
//!
//! Most failures of a first run are none: credentials, clock, region, certificate, bucket. Each
//! has one message that says what is wrong and what to do. What the target offers is `probe`'s.

use std::time::{Duration, SystemTime};

use super::fixture::Fixture;
use crate::clock::Clock;
use crate::error::Error;
use crate::evidence::Redactor;
use crate::problem::Problem;
use crate::s3::error_document::{ErrorDocument, error_document};
use crate::s3::{Bucket, Style, operation};
use crate::ssec::Keyring;
use crate::target::Target;
use crate::transport::Exchange;

/// S3 refuses signatures that are further off; a clock beyond this is named as the cause.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// What to do where no bucket is seen in the host.
const FIND_IN_HOST: &str =
    "pass --style path, or as --vhost-domain the domain below which it takes buckets";
/// The root of the answer to ListBuckets.
const BUCKETS: &str = "ListAllMyBucketsResult";
/// Longest excerpt of a target's own words in a message, in characters.
const WORDS: usize = 200;

/// Why nothing was run. Exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Its entry in the catalogue of errors.
    pub problem: Problem,
    /// Lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Either kind of end before the first trial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Failed(#[from] Error),
}

/// What the first answer says about the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The `Server` header.
    pub server: Option<String>,
}

/// Asks for the bucket that the run will use: it must be there (`--bucket`), or must not be.
///
/// # Errors
/// A [`Refusal`] with the cause, or the error that kept an answer away.
pub async fn look(fixture: &Fixture, keyring: &Keyring) -> Result<Looked, NotReady> {
    let sender = fixture.sender();
    let bucket = sender.bucket(fixture.bucket());
    let prefix = fixture.folder("preflight");
    let request = operation::list_objects(&bucket, &prefix, None);
    let sent = sender.plain(request).await?;
    let target = sender.target();
    let redactor = Redactor::new(keyring, &target.credentials);
    let answer = Answer::of(&sent.exchange, &redactor, sender.clock().now());
    let own_bucket = target.bucket.is_none();
    let missing = answer.status == 404;
    match (answer.status, own_bucket) {
        (200..=299, false) => {}
        (404, true) if matches!(answer.code(), "NoSuchBucket" | "") => {}
        (200..=299, true) if answer.document.root == BUCKETS => {
            return Err(not_in_host(&bucket).into());
        }
        (200..=299, true) => return Err(exists(fixture.bucket()).into()),
        (_, false) if missing => {
            return Err(refusal(
                Problem::NoBucket,
                format!("the bucket {} does not exist", fixture.bucket()),
                "create it, or leave --bucket out: the run then makes one of its own",
            )
            .into());
        }
        _ => return Err(blame(target, fixture.bucket(), &answer).into()),
    }
    let server = sent.exchange.header("Server");
    Ok(Looked {
        server: server.map(|server| redactor.text(server, "preflight")),
    })
}

/// Makes the run's own bucket, unless the user named one.
///
/// # Errors
/// As [`look`].
pub async fn make_bucket(fixture: &Fixture, keyring: &Keyring) -> Result<(), NotReady> {
    let sender = fixture.sender();
    let target = sender.target();
    if target.bucket.is_some() {
        return Ok(());
    }
    fixture.about_to_create_bucket()?;
    let bucket = sender.bucket(fixture.bucket());
    let sent = sender
        .plain(operation::create_bucket(&bucket, &target.region))
        .await?;
    if (200..300).contains(&sent.exchange.status) {
        return Ok(());
    }
    fixture.bucket_was_not_created()?;
    let redactor = Redactor::new(keyring, &target.credentials);
    let answer = Answer::of(&sent.exchange, &redactor, sender.clock().now());
    let refused = match answer.code() {
        "BucketAlreadyExists" | "BucketAlreadyOwnedByYou" => exists(fixture.bucket()),
        "AccessDenied" => refusal(
            Problem::Forbidden,
            format!(
                "these credentials may not create the bucket {}",
                fixture.bucket()
            ),
            "name an existing one with --bucket",
        ),
        _ => blame(target, fixture.bucket(), &answer),
    };
    Err(refused.into())
}

/// An answer that was no success, with its own words made safe.
pub(super) struct Answer {
    pub(super) status: u16,
    document: ErrorDocument,
    /// The region that the answer names.
    region: Option<String>,
    /// How far the target's clock is from ours; positive when it is ahead.
    clock: Option<i64>,
}

impl Answer {
    pub(super) fn of(exchange: &Exchange, redactor: &Redactor<'_>, now: SystemTime) -> Self {
        let safe = |text: String| {
            let safe = redactor.text(text.as_bytes(), "preflight");
            safe.chars().take(WORDS).collect::<String>()
        };
        let document = error_document(&exchange.body).unwrap_or_default();
        let header = exchange.header("x-amz-bucket-region");
        let header = header.map(|region| String::from_utf8_lossy(region).into_owned());
        let region = document.region.clone().or(header).map(safe);
        let date = exchange
            .header("Date")
            .and_then(|date| std::str::from_utf8(date).ok())
            .and_then(|date| httpdate::parse_http_date(date).ok());
        Self {
            status: exchange.status,
            region,
            clock: date.map(|date| seconds_ahead(date, now)),
            document: ErrorDocument {
                code: document.code.map(safe),
                message: document.message.map(safe),
                root: document.root,
                ..ErrorDocument::default()
            },
        }
    }

    fn code(&self) -> &str {
        self.document.code.as_deref().unwrap_or_default()
    }

    pub(super) fn words(&self) -> String {
        let message = self.document.message.as_deref().unwrap_or_default();
        let words = format!("{} {} {message}", self.status, self.code());
        words.trim_end().to_owned()
    }
}

fn seconds_ahead(theirs: SystemTime, ours: SystemTime) -> i64 {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match theirs.duration_since(ours) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// Names the cause of an answer that stands in the way, for whoever asked by himself.
#[must_use]
pub fn blame_for(target: &Target, keyring: &Keyring, exchange: &Exchange, clock: Clock) -> Refusal {
    let redactor = Redactor::new(keyring, &target.credentials);
    let bucket = target.bucket.as_deref().unwrap_or("of the run");
    blame(
        target,
        bucket,
        &Answer::of(exchange, &redactor, clock.now()),
    )
}

/// Names the cause of an answer that stands in the way.
pub(super) fn blame(target: &Target, bucket: &str, answer: &Answer) -> Refusal {
    let code = answer.code();
    let off = answer
        .clock
        .filter(|off| off.unsigned_abs() > CLOCK_TOLERANCE.as_secs());
    if code == "RequestTimeTooSkewed" || (answer.status == 403 && off.is_some()) {
        return clock_is_off(off);
    }
    if let Some(region) = answer.region.as_ref().filter(|r| **r != target.region) {
        return refusal(
            Problem::Region,
            format!("the target serves region {region}, not {}", target.region),
            format!("pass --region {region}, and the endpoint of that region"),
        );
    }
    let id = &target.credentials.access_key_id;
    match (code, answer.status) {
        ("InvalidAccessKeyId", _) => refusal(
            Problem::AccessKeyId,
            format!("the target does not know the access key id {id}"),
            "check AWS_ACCESS_KEY_ID, or the profile that AWS_PROFILE names",
        ),
        ("SignatureDoesNotMatch", _) => refusal(
            Problem::SecretKey,
            format!("the secret access key does not belong to {id}"),
            "check AWS_SECRET_ACCESS_KEY, and that --region is the target's",
        ),
        ("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _) => refusal(
            Problem::SessionToken,
            format!("the session token was refused: {}", answer.words()),
            "get a new one; it stands in AWS_SESSION_TOKEN",
        ),
        ("PermanentRedirect" | "TemporaryRedirect", _) | (_, 301 | 302 | 307 | 308) => refusal(
            Problem::Redirect,
            format!("the target redirects elsewhere: {}", answer.words()),
            "redirects are never followed; name the endpoint and --region of the bucket",
        ),
        // As Alibaba Cloud OSS and Kingsoft KS3 answer.
        ("SecondLevelDomainForbidden", _) => refusal(
            Problem::Addressing,
            format!(
                "the target takes no bucket from the path: {}",
                answer.words()
            ),
            "pass --style vhost",
        ),
        (_, 401 | 403) => refusal(
            Problem::Forbidden,
            format!("the bucket {bucket} cannot be used: {}", answer.words()),
            "it belongs to somebody else, or these credentials may not list it; name a bucket of \
             your own with --bucket",
        ),
        _ if target.style == Style::VirtualHost => refusal(
            Problem::Addressing,
            format!(
                "with the bucket in the host, the target answered {}",
                answer.words()
            ),
            FIND_IN_HOST,
        ),
        _ => refusal(
            Problem::UnexpectedAnswer,
            format!("the target answered {}", answer.words()),
            "is this an S3 endpoint?",
        ),
    }
}

/// By so many seconds, if the answer tells it; positive when the target's is ahead.
fn clock_is_off(off: Option<i64>) -> Refusal {
    let off = off.map_or_else(String::new, |seconds| {
        let ours = if seconds > 0 { "behind" } else { "ahead of" };
        let minutes = seconds.unsigned_abs() / 60;
        format!(": it is {minutes} min {ours} the target's")
    });
    refusal(
        Problem::Clock,
        format!("this machine's clock is off{off}"),
        "set the clock; S3 refuses signatures that are more than 15 min off",
    )
}

/// The request reached the target, which saw no bucket in its host.
fn not_in_host(bucket: &Bucket) -> Refusal {
    let (host, _) = bucket.place("");
    refusal(
        Problem::Addressing,
        format!("the target takes no bucket from the host {host}: it answered with all buckets"),
        FIND_IN_HOST,
    )
}

fn exists(bucket: &str) -> Refusal {
    refusal(
        Problem::BucketTaken,
        format!("the bucket {bucket} exists already"),
        "a run with this seed was not cleaned up (`ssec clean RUN`), or the name is somebody \
         else's: leave --seed out, or name a bucket of your own with --bucket",
    )
}

/// The bucket takes no write with a customer key.
pub(super) fn blocks_ssec(bucket: &str, why: &str) -> Refusal {
    refusal(
        Problem::SsecBlocked,
        format!("the bucket {bucket} blocks SSE-C (BlockedEncryptionTypes){why}"),
        "allow it with PutBucketEncryption, or leave --bucket out: the run then makes a bucket of \
         its own and allows SSE-C there",
    )
}

fn refusal(problem: Problem, message: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal {
        problem,
        message: message.into(),
        hint: Some(hint.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;
    use crate::target::Origin;
    use crate::transport::{Endpoint, TlsSettings};

    fn target() -> Target {
        Target {
            label: "https://s3.host".to_owned(),
            endpoint: Endpoint::parse("https://s3.host").unwrap(),
            http: None,
            tls: TlsSettings::insecure(),
            credentials: Credentials::new("AKID", "secret", None),
            region: "gra".to_owned(),
            dialect: "aws".to_owned(),
            style: Style::Path,
            vhost_domain: None,
            bucket: None,
            origin: Origin::Endpoint {
                ca: None,
                insecure: true,
            },
            data_dir: None,
            log: None,
            declaration: None,
        }
    }

    /// Blames an answer and looks for words in message and hint.
    #[track_caller]
    fn check(status: u16, code: &str, region: Option<&str>, clock: Option<i64>, says: &str) {
        let answer = Answer {
            status,
            document: ErrorDocument {
                code: Some(code.to_owned()),
                ..ErrorDocument::default()
            },
            region: region.map(str::to_owned),
            clock,
        };
        let found = blame(&target(), "b", &answer);
        let text = format!("{} / {}", found.message, found.hint.unwrap());
        assert!(text.contains(says), "{text}");
    }

    #[test]
    fn each_cause_has_its_message() {
        check(403, "RequestTimeTooSkewed", None, None, "clock is off");
        check(403, "AccessDenied", None, Some(3600), "60 min behind");
        check(403, "AccessDenied", None, Some(-3660), "61 min ahead of");
        check(
            403,
            "SignatureDoesNotMatch",
            None,
            Some(20),
            "AWS_SECRET_ACCESS_KEY",
        );
        check(403, "InvalidAccessKeyId", None, None, "AKID");
        check(301, "PermanentRedirect", Some("sbg"), None, "--region sbg");
        check(
            400,
            "AuthorizationHeaderMalformed",
            Some("sbg"),
            None,
            "--region sbg",
        );
        check(400, "ExpiredToken", None, None, "AWS_SESSION_TOKEN");
        check(307, "", None, None, "never followed");
        check(
            403,
            "SecondLevelDomainForbidden",
            None,
            None,
            "--style vhost",
        );
        check(403, "AccessDenied", Some("gra"), Some(1), "somebody else");
        check(500, "InternalError", None, None, "500 InternalError");
        check(200, "", None, None, "is this an S3 endpoint?");
    }

    #[test]
    fn a_clock_is_ahead_or_behind() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(seconds_ahead(now + Duration::from_secs(60), now), 60);
        assert_eq!(seconds_ahead(now - Duration::from_secs(60), now), -60);
    }
}
