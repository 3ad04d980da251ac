//! YAML text as one tree in which every key and scalar knows where it stands.
//!
//! Knows: the part of YAML that scenarios, dialects, profiles and baselines may use, how large and
//! how deep such a file may be, how a mistake in one is drawn, and how one is written in one form.
//! Knows no field of any of them;
//! the modules that do decode the tree by hand through [`Reader`] and [`Fields`], so that every
//! mistake is collected and no unknown field passes.
//!
//! The events come from `granit-parser`, the parser under `serde-saphyr`. The upper crate cannot
//! do this: it deserialises into types, and serde hands a mapping's key over without its span and a
//! scalar without its style, so that `id: 12` and `etag: 0123` pass as text. (`serde_yaml`, the
//! usual choice, is archived upstream.)

mod code;
mod diagnostic;
mod fields;
pub mod format;
mod node;
mod parse;
mod quantity;
mod source;
mod suggest;

pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use fields::{Fields, Reader};
pub use node::{Kind, Node, Pair, Scalar, Style};
pub use parse::{MAX_BYTES, MAX_DEPTH, parse};
pub use source::{SourceFile, Span, read_bytes, read_text};
pub use suggest::nearest;
