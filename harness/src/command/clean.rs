//! `ssec clean RUN`: removes what a killed run left on its target.

use std::fs::OpenOptions;
use std::io::{BufReader, Write};
use std::sync::Arc;
use std::time::Duration;

use reports::journal::{self, Line, Place};

use super::{Failure, World, run_directory};
use crate::conformance::fixture;
use crate::conformance::sender::{Patience, Sender};
use crate::exit_code::ExitCode;
use crate::problem::Problem;
use crate::s3::Style;
use crate::target::profile::Profile;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often one is sent again.
const RETRIES: u32 = 3;

/// Removes, object by object and then the bucket, what the run's journal names.
///
/// # Errors
/// When there is no such run, or its target cannot be reached.
pub fn clean(run: &str, world: &World, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let path = run_directory::find(&world.directory, run, "journal.jsonl")?;
    let open = OpenOptions::new().read(true).append(true).open(&path);
    let mut file = open.map_err(|error| Failure::unreadable(&path, &error))?;
    let (place, mut left) = journal::read(BufReader::new(&file))
        .map_err(|error| Failure::new(Problem::Record, format!("{}: {error}", path.display())))?;
    if place.endpoint == "bundled" {
        writeln!(out, "the bundled server's objects went away with it")?;
        return Ok(ExitCode::AsExpected);
    }
    let target = Arc::new(profile(&place)?.target(&world.environment)?);
    let patience = Patience {
        timeout: TIMEOUT,
        retries: RETRIES,
    };
    let keyring = Arc::clone(&world.keyring);
    let sender = Sender::new(target, keyring, world.clock, patience);
    // Buckets last: they are removed only when they are empty.
    left.sort_by_key(|thing| thing.object.is_none());
    let mut kept = 0;
    let mut removed = 0;
    super::runtime()?.block_on(async {
        for thing in &left {
            match fixture::remove(&sender, thing).await {
                Ok(()) => {
                    journal::append(&Line::Removed(thing.clone()), &mut file)?;
                    removed += 1;
                }
                Err(why) => {
                    writeln!(out, "{thing} is left: {why}")?;
                    kept += 1;
                }
            }
        }
        std::io::Result::Ok(())
    })?;
    writeln!(out, "{removed} removed, {kept} left")?;
    Ok(if kept == 0 {
        ExitCode::AsExpected
    } else {
        ExitCode::Inconclusive
    })
}

fn profile(place: &Place) -> Result<Profile, Failure> {
    let style = match place.style.as_str() {
        "path" => Style::Path,
        "vhost" => Style::VirtualHost,
        other => {
            let message =
                format!("the journal names the style {other}, which this version does not know");
            return Err(Failure::new(Problem::Record, message));
        }
    };
    Ok(Profile {
        endpoint: place.endpoint.clone(),
        http_endpoint: None,
        region: place.region.clone(),
        dialect: "aws".to_owned(),
        style,
        vhost_domain: place.vhost_domain.clone(),
        ca: place.ca.as_ref().map(Into::into),
        insecure: place.insecure,
        bucket: None,
        data_dir: None,
        server_log: None,
        declaration: None,
    })
}
