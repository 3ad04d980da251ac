//! The catalogue as tests: `cargo test` and nextest list and run every trial against the bundled
//! server, which is started once, at the first trial that is run.
//!
//! Trials that need what the server does not offer are listed as ignored, so that a skip can never
//! show as a pass: nextest takes one that is skipped while it runs for passed. The bundled server offers
//! all that there is, so `SSEC_WITHOUT=multipart,copy` takes something away for the test of that.

use std::collections::BTreeSet;
use std::io::{Write as _, stderr};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use harness::clock::Clock;
use harness::command::signals::AskedToEnd;
use harness::command::test::{
    Each, Mode, Opening, Options, Save, Selection, Summary, Wanted, open,
};
use harness::command::{Terminal, World, runtime};
use harness::conformance::budget::Allowance;
use harness::conformance::judge::{Policy, Strictness};
use harness::conformance::runner::AfterFailure;
use harness::conformance::sender::Patience;
use harness::conformance::session::{Detail, Offer};
use harness::conformance::trial;
use harness::conformance::tries::{Flaky, Retries};
use harness::environment::Environment;
use harness::random::Seed;
use harness::s3::Style;
use harness::scenario::ambient::Axes;
use harness::scenario::catalog::Catalog;
use harness::scenario::definition::{self, Capability, Level};
use harness::ssec::Keyring;
use harness::target::bundled::Wish;
use libtest_mimic::{Arguments, Failed, Trial};
use reports::record::CaseRecord;
use tokio::runtime::Runtime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What all trials share: the bundled server, and the threads that drive it.
struct Shared {
    runtime: Runtime,
    opening: Opening,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // What the bundled server logs is searched too.
    tracing_subscriber::registry()
        .with(harness::target::server_log::layer())
        .init();
    let catalog = Catalog::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let offer = Offer::of_bundled();
    let without = without();
    let trials = catalog.trials().iter().map(|trial| {
        let taken = trial.needs.iter().any(|need| without.contains(need.word()));
        let ignored = taken || offer.lacks(trial).is_some();
        let trial = Arc::clone(trial);
        Trial::test(trial.name.clone(), move || run(&trial)).with_ignored_flag(ignored)
    });
    let own = Trial::test("catalogue::unsupported-is-ignored", unsupported_is_ignored);
    let trials = trials.chain([own]).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let left = SHARED.get().map(|shared| {
        let session = &shared.opening.session;
        let cleanup = shared.runtime.block_on(session.fixture.remove_all());
        cleanup.map_or_else(|error| vec![error.to_string()], |cleanup| cleanup.left)
    });
    match left {
        Some(left) if !left.is_empty() => {
            let told = writeln!(stderr(), "left on the target: {}", left.join(", "));
            told.map_or(ExitCode::FAILURE, |()| ExitCode::from(101))
        }
        Some(_) | None => conclusion.exit_code(),
    }
}

/// What is taken away from the server's offer, by its words.
const WITHOUT: &str = "SSEC_WITHOUT";

fn without() -> BTreeSet<String> {
    let words = Environment::of_process().get(WITHOUT).map(str::to_owned);
    let words = words.unwrap_or_default();
    words.split(',').map(str::to_owned).collect()
}

/// Lists this very binary once more, without multipart: exactly the trials that need it are ignored.
fn unsupported_is_ignored() -> Result<(), Failed> {
    let list = |flags: &[&str]| -> Result<BTreeSet<String>, Failed> {
        let binary = std::env::current_exe()?;
        let mut command = std::process::Command::new(binary);
        let output = command.args(flags).env(WITHOUT, "multipart").output()?;
        let text = String::from_utf8(output.stdout)?;
        let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(names.map(str::to_owned).collect())
    };
    let catalog = Catalog::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let needs_it = |trial: &&Arc<definition::Trial>| trial.needs.contains(&Capability::Multipart);
    let wanted = catalog.trials().iter().filter(needs_it);
    let wanted: BTreeSet<String> = wanted.map(|trial| trial.name.clone()).collect();
    let ignored = list(&["--list", "--format", "terse", "--ignored"])?;
    if wanted.len() < 10 || ignored != wanted {
        let (ignored, wanted) = (ignored.len(), wanted.len());
        return Err(
            format!("{ignored} trials are listed as ignored, {wanted} need multipart").into(),
        );
    }
    // All are listed, so that none goes missing.
    let all = list(&["--list", "--format", "terse"])?;
    if all.len() != catalog.trials().len() + 1 {
        return Err(format!("{} are listed", all.len()).into());
    }
    Ok(())
}

fn run(trial: &definition::Trial) -> Result<(), Failed> {
    let shared = SHARED.get_or_init(start);
    let session = &shared.opening.session;
    let case = shared.runtime.block_on(trial::run(session, trial, 1))?;
    if case.counts {
        Err(words(&case).into())
    } else {
        Ok(())
    }
}

fn words(case: &CaseRecord) -> String {
    let mut words = format!(
        "{}: {}\n{}:{}\n",
        case.verdict.word(),
        case.message.as_deref().unwrap_or_default(),
        case.at.file,
        case.at.line
    );
    let checks = case.steps.iter().flat_map(|step| &step.checks);
    for check in checks.filter(|check| !check.ok) {
        words.push_str(&format!(
            "{}: expected {}, observed {}\n",
            check.what, check.expected, check.observed
        ));
    }
    if let Some(repeat) = &case.repeat {
        words.push_str(&repeat.rerun);
    }
    words
}

fn start() -> Shared {
    let world = World {
        environment: Environment::default(),
        clock: Clock::system(),
        keyring: Arc::new(Keyring::new()),
        directory: ".".into(),
        terminal: Terminal::No,
        palette: reports::render::palette::Palette::Plain,
    };
    let options = Options {
        selection: Selection::default(),
        mode: Mode::Run,
        target: Wanted::Bundled(Wish {
            dialect: "aws".to_owned(),
            style: Style::Path,
            impostor: None,
        }),
        axes: Axes::default(),
        policy: Policy {
            level: Level::Should,
            strict: Strictness::Strict,
        },
        seed: None,
        scenarios: None,
        jobs: NonZeroUsize::MIN,
        after_failure: AfterFailure::GoOn,
        patience: Patience {
            timeout: Duration::from_secs(60),
            retries: 2,
        },
        allowance: Allowance::default(),
        detail: Detail::NotPassed,
        retries: Retries {
            most: 0,
            flaky: Flaky::Fails,
        },
        each: Each::Silent,
        summary: Summary::Text,
        save: Save::No,
        record: None,
        junit: None,
        baseline: None,
    };
    let runtime = runtime().unwrap_or_else(|failure| panic!("{failure}"));
    let opening = runtime.block_on(async {
        let catalog = Catalog::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let oracle = catalog.oracle("aws").expect("aws is a dialect");
        let mut never: AskedToEnd = Box::pin(std::future::pending());
        open(&options, &world, oracle, Seed::fresh(), &mut never).await
    });
    let opening = opening.unwrap_or_else(|failure| panic!("{failure}"));
    Shared { runtime, opening }
}
