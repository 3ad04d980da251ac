//! What the server's log gains while keys are shown to it, rightly and wrongly.

use std::time::Duration;

use super::at_rest::{aside, wrong_md5};
use super::errand::{Errand, Open, Stop};
use super::search::{self, Of};
use crate::check::{Check, Weight};
use crate::conformance::judge::Phase;
use crate::conformance::sender::Signing;
use crate::error::GivenError;
use crate::s3::operation;
use crate::scenario::definition::SsecHeader;
use crate::target::server_log::{Mark, ServerLog};

/// How often the log is looked at until it has grown, and how long apart.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

pub(super) async fn key(errand: &mut Errand<'_>) -> Result<(), Stop> {
    let log = errand.session.target().log.clone();
    let unknown = || Stop::NotAssessable("the server's log is not known".to_owned());
    let log = log.ok_or_else(unknown)?;
    let mark = log.end().map_err(|error| unreadable(&error))?;
    shown_in_every_way(errand).await?;
    let gained = gained(&log, mark).await?;
    let bytes = gained.len();
    let find = search::keys(errand.keys, Of::Key);
    let found = aside(move || Ok(find(&gained))).await?;
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
    let all = Signing::Header(None);
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
    let unsigned = Signing::Header(Some(&covered));
    let action = "GET doc with key alice, its header unsigned";
    errand
        .wrong(action, &get, &alice, unsigned, Open::All)
        .await
}

/// What the log gained, once it gained something: a log that stays as it was is another server's.
async fn gained(log: &ServerLog, mark: Mark) -> Result<Vec<u8>, Stop> {
    for _ in 0..LOOKS {
        let log = log.clone();
        let gained = aside(move || log.since(mark).map_err(|error| unreadable(&error))).await?;
        if !gained.is_empty() {
            return Ok(gained);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(Stop::NotAssessable(
        "the server's log did not grow while it was sent requests".to_owned(),
    ))
}

fn unreadable(error: &std::io::Error) -> Stop {
    GivenError::File {
        path: "the server's log".to_owned(),
        why: error.to_string(),
    }
    .into()
}
