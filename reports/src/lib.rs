//! Records of `ssec` runs and the renderers that turn them into reports.

pub mod record;
pub mod verdict;
