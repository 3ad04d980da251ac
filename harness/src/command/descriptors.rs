//! How many files the process may have open: a connection each, and those of the store.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as a listener's connections with a file each need, and some more.
const WANTED: u64 = 16_384;

/// Raises the limit to what the server wants, as far as the system lets it. Where it does not, the
/// server waits for a connection to end before it takes another.
pub(super) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
