//! A file's text, and places in it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::code::Code;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::parse::MAX_BYTES;

/// A place in a [`SourceFile`]: bytes, never reversed, on character boundaries of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The place as a range of bytes.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// One file, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As a user would type it, such as `scenarios/suites/get.yaml`.
    pub path: String,
    /// Within the folder that was read, such as `suites/get.yaml`.
    pub name: String,
    pub text: String,
}

impl SourceFile {
    /// Reads a file that the user named and that stands by itself.
    ///
    /// # Errors
    /// When it cannot be read, is no UTF-8, or is longer than [`MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Arc<Self>, Diagnostics> {
        let shown = path.display().to_string();
        let unreadable = |why: String| {
            let mut diagnostics = Diagnostics::default();
            let message = format!("cannot read {shown}: {why}");
            diagnostics.push(Diagnostic::outside(Code::Unreadable, message));
            diagnostics
        };
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        if size.len() > MAX_BYTES as u64 {
            return Err(unreadable(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let own = path.file_name().unwrap_or_default();
        Ok(Arc::new(Self {
            name: own.to_string_lossy().into_owned(),
            path: shown,
            text,
        }))
    }

    /// The file's own name without its extension: `aws` of `dialects/aws.yaml`.
    #[must_use]
    pub fn stem(&self) -> &str {
        let file = self.name.rsplit('/').next().unwrap_or_default();
        file.split('.').next().unwrap_or_default()
    }

    /// Line and column of a place's first character; both count from 1, columns in characters.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (u32, u32) {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (
            u32::try_from(line).unwrap_or(u32::MAX),
            u32::try_from(column).unwrap_or(u32::MAX),
        )
    }
}
