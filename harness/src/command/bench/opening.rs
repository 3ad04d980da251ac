//! Everything that must stand before the load: target, bucket, journal, routes.
//!
//! A target is not judged here: what it lacks is noted, and the load goes on.

use std::io::Write;
use std::sync::Arc;

use http::HeaderValue;
use reports::journal::Thing;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::output::Output;
use super::server::Served;
use super::{Failure, Options, World};
use crate::bench::chores::Chore;
use crate::bench::connection::Route;
use crate::bench::customer_keys::CustomerKeys;
use crate::bench::pool::Pool;
use crate::bench::request::{DATA, Place};
use crate::bench::tls::Configuration;
use crate::bench::workload::{UPLOADS, Workload};
use crate::command::signals::AskedToEnd;
use crate::conformance::fixture::{Fixture, bucket_name};
use crate::conformance::preflight;
use crate::conformance::sender::{Patience, Sender};
use crate::credentials::Credentials;
use crate::error::GivenError;
use crate::journal::Journal;
use crate::problem::Problem;
use crate::random::Seed;
use crate::s3::error_document::list_page;
use crate::s3::operation;
use crate::target::{Origin, Target};
use crate::transport::{Endpoint, Exchange, TlsSettings};

/// How often the control plane sends a request again.
const RETRIES: u32 = 3;
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
/// How long one address may take to be reached.
const REACH_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// A target that load can be put on.
pub(super) struct Opening {
    /// Ends with this, after everything else.
    served: Option<Served>,
    pub(super) fixture: Fixture,
    journal: Arc<Journal>,
    pub(super) routes: Vec<Route>,
    pub(super) place: Place,
    pub(super) keys: Arc<CustomerKeys>,
    pub(super) pool: Pool,
    /// The `Server` header of the first answer.
    pub(super) server: Option<String>,
}

impl Opening {
    pub(super) fn target(&self) -> &Target {
        self.fixture.sender().target()
    }

    pub(super) fn is_bundled(&self) -> bool {
        self.served.is_some()
    }

    /// Notes every object that the run may create.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(super) fn journal_all(&self, workload: &Workload) -> Result<(), Failure> {
        if self.is_bundled() {
            return Ok(());
        }
        let reads = workload.mix.iter().any(|(op, _)| op.needs_objects());
        let folders = workload.mix.iter().filter_map(|(op, _)| op.writes());
        for folder in folders.chain(reads.then_some(DATA)) {
            for arm in &workload.arms {
                for object in 0..workload.objects {
                    let name = self.place.name(&arm.name, folder, object);
                    let bucket = self.fixture.bucket();
                    self.fixture.about_to_put(bucket, &name)?;
                    if folder == UPLOADS {
                        self.fixture.about_to_create_upload(bucket, &name)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn thing(&self, chore: &Chore) -> Thing {
        let (arm, folder, object) = match chore {
            Chore::Upload { arm, object, .. } => (arm, DATA, object),
            Chore::Remove {
                arm,
                folder,
                object,
            } => (arm, *folder, object),
        };
        Thing {
            bucket: self.place.bucket.clone(),
            object: Some(self.place.name(&arm.name, folder, *object)),
            upload: None,
        }
    }

    /// Notes that no upload was left behind: each ended in an object.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(super) fn uploads_ended(&self) -> Result<(), Failure> {
        for thing in self.journal.pending() {
            if thing.upload.is_some() {
                self.journal.removed(&thing)?;
            }
        }
        Ok(())
    }

    pub(super) fn is_pending(&self, chore: &Chore) -> bool {
        self.journal.is_pending(&self.thing(chore))
    }

    pub(super) fn removed(&self, chore: &Chore) -> Result<(), Failure> {
        Ok(self.journal.removed(&self.thing(chore))?)
    }
}

/// Starts or finds the target, looks at it, and makes the bucket.
///
/// # Errors
/// Why no load can be put on it.
pub(super) async fn open(
    options: &Options,
    world: &World,
    seed: Seed,
    output: &mut Output,
    stop: &mut AskedToEnd,
    notes: &mut dyn Write,
) -> Result<Opening, Failure> {
    let (served, target, others) = find(options, world)?;
    if let Some(note) = target.readable_on_the_way() {
        writeln!(notes, "{note}")?;
    }
    let bucket = target.bucket.clone().unwrap_or_else(|| bucket_name(seed));
    let target = Arc::new(target);
    let journal_place = target.journal_place(seed, &world.directory);
    let journal = Arc::new(match output.journal_file()? {
        Some(file) => Journal::start(file, journal_place)?,
        None => Journal::in_memory(journal_place),
    });
    let patience = Patience {
        timeout: options.timeout,
        retries: RETRIES,
    };
    let keyring = Arc::clone(&world.keyring);
    let sender = Sender::new(Arc::clone(&target), keyring, world.clock, patience);
    let fixture = Fixture::new(Arc::new(sender), Arc::clone(&journal), bucket.clone(), seed);
    let looking = look(&fixture, options, world, notes);
    let server = tokio::select! {
        looked = looking => looked?,
        () = stop => return Err(super::interrupted()),
    };
    let mut routes = Vec::new();
    for endpoint in std::iter::once(&target.endpoint).chain(&others) {
        routes.push(route(endpoint, &target, &bucket).await?);
    }
    let own = target.bucket(&bucket, crate::scenario::definition::Scheme::Endpoint);
    let bucket_path = match own.map(|bucket| bucket.place("").1) {
        Some(path) if path != "/" => path,
        Some(_) | None => String::new(),
    };
    let prefix = options.target.prefix.as_deref().unwrap_or_default();
    let place = Place {
        bucket_path,
        bucket,
        prefix: match options.shard {
            // Each shard has objects of its own.
            Some(shard) => format!("{prefix}{seed}/shard-{}/", shard.index),
            None => format!("{prefix}{seed}/"),
        },
    };
    let keys = CustomerKeys::draw(options.workload.keys, &world.keyring);
    Ok(Opening {
        served,
        fixture,
        journal,
        routes,
        place,
        keys: Arc::new(keys),
        pool: Pool::new(seed),
        server,
    })
}

/// The target, and further endpoints of it.
fn find(
    options: &Options,
    world: &World,
) -> Result<(Option<Served>, Target, Vec<Endpoint>), Failure> {
    let wanted = &options.target;
    if !wanted.endpoints.is_empty() {
        let (target, others) = given(options, world)?;
        return Ok((None, target, others));
    }
    let arguments: &[&str] = if wanted.plain_http {
        &["--plain-http"]
    } else {
        &[]
    };
    let served = Served::start(arguments)?;
    let target = bundled(&served, wanted.style)?;
    Ok((Some(served), target, Vec::new()))
}

fn bundled(served: &Served, style: crate::s3::Style) -> Result<Target, Failure> {
    let tls = match &served.ca {
        Some(file) => TlsSettings::ca_file(file)?,
        None => TlsSettings::native(),
    };
    Ok(Target {
        label: "bundled".to_owned(),
        endpoint: Endpoint::parse(&served.endpoint)?,
        http: None,
        tls,
        credentials: served.credentials.clone(),
        region: served.region.clone(),
        dialect: "aws".to_owned(),
        style,
        vhost_domain: None,
        bucket: None,
        origin: Origin::Bundled { impostor: None },
        data_dir: None,
        log: None,
        declaration: None,
    })
}

fn given(options: &Options, world: &World) -> Result<(Target, Vec<Endpoint>), Failure> {
    let wanted = &options.target;
    let mut endpoints = Vec::new();
    for text in &wanted.endpoints {
        endpoints.push(Endpoint::parse(text)?);
    }
    let tls = match &wanted.ca {
        Some(file) => TlsSettings::ca_file(&world.directory.join(file))?,
        None if wanted.insecure => TlsSettings::insecure(),
        None => TlsSettings::native(),
    };
    let environment = &world.environment;
    let region = wanted.region.as_deref();
    let region = region
        .or_else(|| environment.get("AWS_REGION"))
        .or_else(|| environment.get("AWS_DEFAULT_REGION"))
        .unwrap_or("us-east-1");
    if let Some(prefix) = &wanted.prefix
        && !prefix
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
    {
        let words = "--prefix holds letters, digits and -_./ only";
        return Err(Failure::bad_input(words));
    }
    let first = endpoints.remove(0);
    let target = Target {
        label: first.to_string(),
        endpoint: first,
        http: None,
        tls,
        credentials: Credentials::find(environment)?,
        region: region.to_owned(),
        dialect: "aws".to_owned(),
        style: wanted.style,
        vhost_domain: None,
        bucket: wanted.bucket.clone(),
        origin: Origin::Endpoint {
            ca: wanted.ca.as_ref().map(|path| path.display().to_string()),
            insecure: wanted.insecure,
        },
        data_dir: None,
        log: None,
        declaration: None,
    };
    Ok((target, endpoints))
}

/// Looks at the bucket and makes it; what the target lacks is noted.
async fn look(
    fixture: &Fixture,
    options: &Options,
    world: &World,
    notes: &mut dyn Write,
) -> Result<Option<String>, Failure> {
    let sender = fixture.sender();
    let target = sender.target();
    let bucket = sender.bucket(fixture.bucket());
    let sent = sender
        .plain(operation::list_objects(&bucket, "", None))
        .await?;
    let answer = sent.exchange;
    let own = target.bucket.is_none();
    if answer.header("Date").is_none() {
        writeln!(
            notes,
            "note: the target sends no Date; a clock that is off cannot be seen"
        )?;
    }
    match answer.status {
        200..=299 if own => writeln!(
            notes,
            "note: the target says that a bucket nobody made is there; it is used as it is"
        )?,
        200..=299 => refuse_to_mix(&answer, options)?,
        404 if own => make(fixture, world).await?,
        404 => {
            return Err(cannot(format!("the bucket {} does not exist", bucket.name)));
        }
        _ => {
            return Err(preflight::blame_for(target, &world.keyring, &answer, world.clock).into());
        }
    }
    if let Origin::Endpoint { .. } = target.origin {
        note_unchecked(fixture, world, notes).await?;
    }
    let server = answer.header("Server");
    Ok(server.map(|server| {
        let text = String::from_utf8_lossy(server);
        text.chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .take(80)
            .collect()
    }))
}

async fn make(fixture: &Fixture, world: &World) -> Result<(), Failure> {
    Ok(preflight::make_bucket(fixture, &world.keyring).await?)
}

/// A bucket that holds something is somebody's: only a prefix of our own is safe in it.
fn refuse_to_mix(answer: &Exchange, options: &Options) -> Result<(), Failure> {
    // A list that cannot be read may hold anything.
    let holds = list_page(&answer.body).is_none_or(|page| !page.entries.is_empty());
    if holds && options.target.prefix.is_none() {
        let words = "the bucket is not empty";
        return Err(Failure::bad_input(words)
            .hint("name a place of the run's own in it with --prefix, or another bucket"));
    }
    Ok(())
}

/// Whether a request with a wrong signature is served.
async fn note_unchecked(
    fixture: &Fixture,
    world: &World,
    notes: &mut dyn Write,
) -> Result<(), Failure> {
    let target = fixture.sender().target();
    let id = &target.credentials.access_key_id;
    let liar = Target {
        credentials: Credentials::new(id, "not-the-secret-access-key-of-anybody", None),
        http: None,
        ..target.clone()
    };
    let patience = Patience {
        timeout: std::time::Duration::from_secs(10),
        retries: 0,
    };
    let keyring = Arc::clone(&world.keyring);
    let sender = Sender::new(Arc::new(liar), keyring, world.clock, patience);
    let bucket = sender.bucket(fixture.bucket());
    let sent = sender
        .plain(operation::list_objects(&bucket, "", None))
        .await;
    if sent.is_ok_and(|sent| (200..300).contains(&sent.exchange.status)) {
        writeln!(
            notes,
            "note: the target checks no signature; a real one does, and that costs time"
        )?;
    }
    Ok(())
}

async fn route(endpoint: &Endpoint, target: &Target, bucket: &str) -> Result<Route, Failure> {
    let moved = Target {
        endpoint: endpoint.clone(),
        ..target.clone()
    };
    let scheme = crate::scenario::definition::Scheme::Endpoint;
    let host = moved
        .bucket(bucket, scheme)
        .map_or_else(|| endpoint.host.clone(), |bucket| bucket.place("").0);
    let tls = if endpoint.tls {
        let name = ServerName::try_from(host.clone()).map_err(|_| {
            Failure::from(GivenError::Endpoint {
                url: endpoint.to_string(),
                why: "its host is no name that TLS can ask for".to_owned(),
            })
        })?;
        Some((Configuration::of(&target.tls.config), name))
    } else {
        None
    };
    let authority = HeaderValue::from_str(&endpoint.authority_of(&host))
        .map_err(|_| cannot(format!("{endpoint} has a host that no header can hold")))?;
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let found = found.map_err(|error| cannot(format!("cannot find {}: {error}", endpoint.host)))?;
    let mut last = "the name has no address".to_owned();
    for address in found.take(MAX_ADDRESSES) {
        match timeout(REACH_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                return Ok(Route {
                    label: endpoint.to_string(),
                    address,
                    authority,
                    tls,
                });
            }
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => "no answer".clone_into(&mut last),
        }
    }
    Err(cannot(format!("cannot connect to {endpoint}: {last}")))
}

fn cannot(message: String) -> Failure {
    Failure::new(Problem::NotMeasured, message)
}
