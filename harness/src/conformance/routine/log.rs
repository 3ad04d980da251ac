//! What the server's log gains while keys are shown to it, rightly and wrongly.

use std::time::Duration;

use super::at_rest::{aside, wrong_md5};
use super::errand::{Errand, Open, Stop};
use super::search::{self, Of};
use crate::check::{Check, Weight};
use crate::conformance::judge::Phase;
use crate::conformance::sender::Signing;
use crate::error::GivenError;
use crate::s3::{Payload, operation};
use crate::scenario::definition::SsecHeader;
use crate::target::server_log::{Mark, ServerLog};

/// How often the log is looked at until it is at rest, and how long apart.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// After so many looks that saw nothing new it is at rest: a line may come long after its answer.
const QUIET: u32 = 10;

pub(super) async fn key(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let log = errand.session.target().log.clone();
    let unknown = || Stop::NotAssessable("the server's log is not known".to_owned());
    let log = log.ok_or_else(unknown)?;
    let mark = log.end().map_err(|error| unreadable(&error))?;
    shown_in_every_way(errand).await?;
    let gained = gained(&log, mark, LOOKS, &errand.name("")).await?;
    let (bytes, is_told) = (gained.bytes.len(), gained.is_told);
    let find = search::keys(errand.keys, Of::Key);
    let found = aside(move || Ok(find(&gained.bytes))).await?;
    if found.is_none() && !is_told {
        return Err(Stop::NotAssessable(
            "the server's log grew, but names no object of this trial".to_owned(),
        ));
    }
    let check = Check::new("log", Weight::Requirement, found.is_none())
        .expected("no key in any encoding")
        .observed(found.map_or_else(
            || format!("none in {bytes} bytes"),
            |(what, at)| format!("{what}, {at} bytes behind what was there before"),
        ));
    errand.judge(check);
    Ok(())
}

/// A key shown rightly, and in each way in which it should be refused: what went wrong is what a
/// server is tempted to log.
async fn shown_in_every_way(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let all = Signing::EVERYTHING;
    errand.put("doc", "b1", "alice").await?;
    errand.get(Phase::Given, "doc", "b1", "alice").await?;
    let (bucket, name) = (errand.bucket(), errand.name("doc"));
    let wrong_object = errand.name("wrong");
    errand
        .session
        .fixture
        .about_to_put(errand.session.fixture.bucket(), &wrong_object)?;
    let put = operation::put_object(&bucket, &wrong_object, errand.body("b1")?);
    let get = operation::get_object(&bucket, &name);
    let wrong = wrong_md5(errand)?;
    let (alice, mallory) = (errand.triple("alice")?, errand.triple("mallory")?);
    let action = "PUT wrong with key alice and another key's MD5";
    errand.wrong(action, &put, &wrong, all, Open::All).await?;
    let action = "GET doc with key mallory";
    errand
        .wrong(action, &get, &mallory, all, Open::Nothing)
        .await?;
    let action = "GET doc with key alice and a forged signature";
    let forged = Signing::Forged;
    errand
        .wrong(action, &get, &alice, forged, Open::All)
        .await?;
    let covered = [SsecHeader::Algorithm].into();
    let unsigned = Signing::Header {
        covered: Some(&covered),
        payload: Payload::Signed,
    };
    let action = "GET doc with key alice, its header unsigned";
    errand
        .wrong(action, &get, &alice, unsigned, Open::All)
        .await
}

/// What a log gained while requests were sent.
struct Gained {
    bytes: Vec<u8>,
    /// It names objects of the trial. Other lines may be of what others do meanwhile, and their
    /// silence about a key says nothing.
    is_told: bool,
}

/// What the log gained, once it tells of `folder`, where the trial's objects stand, and gains no more,
/// or all looks are over: what is searched too early holds the first lines alone. A log that stays as
/// it was is another server's.
async fn gained(log: &ServerLog, mark: Mark, looks: u32, folder: &str) -> Result<Gained, Stop> {
    // Its last part is the trial's alone, and stays as it is where slashes are escaped.
    let own = folder.trim_end_matches('/').rsplit('/').next();
    let own = own.unwrap_or(folder).to_owned();
    let (mut bytes, mut is_told, mut quiet) = (Vec::new(), false, 0);
    for _ in 0..looks {
        let (log, own) = (log.clone(), own.clone());
        let look = move || {
            let now = log.since(mark).map_err(|error| unreadable(&error))?;
            let is_told = String::from_utf8_lossy(&now).contains(&own);
            Ok((now, is_told))
        };
        let before = bytes.len();
        (bytes, is_told) = aside(look).await?;
        quiet = if bytes.len() == before { quiet + 1 } else { 0 };
        if quiet >= QUIET && is_told {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    if bytes.is_empty() {
        return Err(Stop::NotAssessable(
            "the server's log did not grow while it was sent requests".to_owned(),
        ));
    }
    Ok(Gained { bytes, is_told })
}

fn unreadable(error: &std::io::Error) -> Stop {
    GivenError::File {
        path: "the server's log".to_owned(),
        why: error.to_string(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn a_log_is_read_when_it_is_at_rest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.log");
        fs::write(&path, "before\n").unwrap();
        let log = ServerLog::File(path.clone());
        let mark = log.end().unwrap();
        fs::write(&path, "before\nPUT run%2Ftrial%2Fdoc\n").unwrap();
        let late = tokio::spawn(async move {
            tokio::time::sleep(3 * BETWEEN_LOOKS).await;
            fs::write(path, "before\nPUT run%2Ftrial%2Fdoc\nlast\n").unwrap();
        });
        let seen = gained(&log, mark, 300, "run/trial/").await.unwrap();
        late.await.unwrap();
        let text = String::from_utf8(seen.bytes).unwrap();
        assert_eq!(text, "PUT run%2Ftrial%2Fdoc\nlast\n");
        assert!(seen.is_told);
        let other = gained(&log, mark, 2, "run/other/").await.unwrap();
        assert!(!other.is_told);
        let seen = gained(&log, log.end().unwrap(), 2, "run/trial/").await;
        assert!(matches!(seen, Err(Stop::NotAssessable(_))));
    }
}
