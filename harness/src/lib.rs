//! The parts of `ssec`, as a library so that its tests can reach them.

pub mod bench;
pub mod check;
pub mod cli;
pub mod clock;
pub mod command;
pub mod conformance;
pub mod credentials;
pub mod environment;
pub mod error;
pub mod evidence;
pub mod exit_code;
pub mod journal;
pub mod oracle;
pub mod payload;
pub mod problem;
pub mod progress;
pub mod random;
pub mod s3;
pub mod scenario;
pub mod ssec;
pub mod target;
pub mod transport;
pub mod yaml;
