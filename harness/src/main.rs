//! The `ssec` binary: arguments in, exit code out.

use std::io::{stderr, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use harness::clock::Clock;
use harness::command::{Terminal, World};
use harness::environment::Environment;
use harness::exit_code;
use harness::ssec::Keyring;
use harness::target::server_log;
use mimalloc::MiMalloc;
use reports::render::palette::Palette;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use zeroizing_alloc::ZeroAlloc;

/// Wipes whatever is freed: customer keys pass through buffers of `hyper` and `rustls` that are not
/// ours to wipe.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    tell_panics_by_place();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let environment = Environment::of_process();
        log(&environment);
        let world = World {
            clock: Clock::system(),
            keyring: Arc::new(Keyring::new()),
            directory: PathBuf::from("."),
            terminal: Terminal::of(&stderr()),
            palette: Terminal::of(&stdout()).palette(&environment),
            environment,
        };
        harness::cli::run(std::env::args_os(), &world, &mut stdout(), &mut stderr())
    }));
    ended.unwrap_or(exit_code::ExitCode::OurBug).into()
}

/// A panic's own text may hold what it stumbled over, so only its place is told.
fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write as _;
        let place = panic.location().map(ToString::to_string);
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        let _ = writeln!(
            stderr(),
            "error: a bug of ssec at {place}; please report it with the run's seed"
        );
    }));
}

/// Messages of libraries go to standard error; `SSEC_LOG` says how many. Those of the bundled
/// server, which is searched for keys, do so only when asked for.
fn log(environment: &Environment) {
    let filter = match environment.get("SSEC_LOG") {
        Some(filter) => FilterExt::boxed(EnvFilter::new(filter)),
        None => FilterExt::boxed(EnvFilter::new("warn").and(server_log::others())),
    };
    let told = tracing_subscriber::fmt::layer()
        .with_ansi(Terminal::of(&stderr()).palette(environment) == Palette::Ansi)
        .with_writer(stderr)
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(told)
        .with(server_log::layer())
        .init();
}
