//! A tree written back as text, in the one form that its [`Shape`] gives it.
//!
//! Knows nothing of fields: what may stand in which order and on how many lines is in the shape.
//! Comments are no part of the tree; they are read anew and kept with what they stand at. What
//! leaves this module has been read again and says what the file said.

mod entry;
mod print;
mod remark;
mod same;
mod scalar;
mod shape;

use std::sync::Arc;

use self::entry::Layout;
use super::code::Code;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::node::{Kind, Node};
use super::parse::parse;
use super::source::SourceFile;

pub use shape::{Lines, OTHERS, Parts, Shape};

/// Why a file has no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unformatted {
    /// It has mistakes.
    Mistakes(Diagnostics),
    /// The text that was written does not say what the file says: a bug of ours.
    Altered,
}

/// The text of `root`, which was parsed from `file`, in the form that `shape` gives it.
///
/// # Errors
/// When the file holds no mapping, or if the text would not say the same.
pub fn format(file: &Arc<SourceFile>, root: &Node, shape: &Shape) -> Result<String, Unformatted> {
    let remarks = remark::remarks(file);
    let text = match &root.kind {
        Kind::Mapping(pairs) if !pairs.is_empty() => {
            let layout = Layout { text: &file.text };
            let mut entries = layout.entries(root, shape, 0);
            let rest = remark::attach(&mut entries, &remarks, layout.text);
            print::print(entries, shape, rest)
        }
        Kind::Mapping(_) | Kind::Sequence(_) | Kind::Scalar(_) => {
            let at = root.caret(&file.text);
            let message = format!("a file holds a mapping, not {}", root.describe());
            let mut diagnostics = Diagnostics::default();
            diagnostics.push(Diagnostic::new(Code::WrongKind, file, at, message));
            return Err(Unformatted::Mistakes(diagnostics));
        }
    };
    let written = Arc::new(SourceFile {
        path: file.path.clone(),
        name: file.name.clone(),
        text,
    });
    let is_same = parse(&written).is_ok_and(|again| same::same(root, &again, shape))
        && remark::texts(&remarks) == remark::texts(&remark::remarks(&written));
    if is_same {
        Ok(written.text.clone())
    } else {
        Err(Unformatted::Altered)
    }
}

#[cfg(test)]
mod tests;
