//! The parts of `ssec`, as a library so that its tests can reach them.

pub mod oracle;
pub mod scenario;
pub mod yaml;
