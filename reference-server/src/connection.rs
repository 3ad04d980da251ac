//! Connections: accepting them, their limits, and their orderly end.

use std::time::Duration;

/// How long requests may run on after a shutdown was asked for.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
