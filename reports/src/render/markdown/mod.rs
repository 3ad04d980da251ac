//! Markdown, for a pull request or a job's summary.

mod inline;
pub mod matrix;
