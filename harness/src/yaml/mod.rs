//! YAML text as one tree in which every key and scalar knows where it stands.
//!
//! Knows: the part of YAML that scenarios, dialects, profiles and baselines may use, how large and
//! how deep such a file may be, and how a mistake in one is drawn. Knows no field of any of them.

mod diagnostic;
mod source;

pub use diagnostic::{Code, Diagnostic, Diagnostics};
pub use source::{SourceFile, Span};
