//! A file's text, and places in it.

use std::fs::File;
use std::io::{self, Read as _};
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

/// A file's bytes, of which no more than [`MAX_BYTES`] are read: a device or a pipe has no length to
/// look at beforehand.
///
/// # Errors
/// When it cannot be read, or is longer.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(MAX_BYTES as u64 + 1);
    file.read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        let why = format!("it is too long: at most {MAX_BYTES} bytes are read");
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read_bytes`], or when it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is no UTF-8 from byte {at} on"))
    })
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
        let unreadable = |why: io::Error| {
            let mut diagnostics = Diagnostics::default();
            let message = format!("cannot read {shown}: {why}");
            diagnostics.push(Diagnostic::outside(Code::Unreadable, message));
            diagnostics
        };
        let text = read_text(path).map_err(unreadable)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither tells its length beforehand: the one says nothing, the other has no end.
    #[test]
    fn no_more_is_read_of_a_file_than_may_be() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("long.yaml");
        std::fs::write(&path, vec![b'#'; MAX_BYTES]).unwrap();
        assert_eq!(read_text(&path).unwrap().len(), MAX_BYTES);
        std::fs::write(&path, vec![b'#'; MAX_BYTES + 1]).unwrap();
        for path in [path.as_path(), Path::new("/dev/zero")] {
            let told = read_bytes(path).unwrap_err().to_string();
            assert!(told.contains("at most 1048576 bytes"), "{told}");
        }
        std::fs::write(&path, b"ab\xff").unwrap();
        let told = read_text(&path).unwrap_err().to_string();
        assert_eq!(told, "it is no UTF-8 from byte 2 on");
    }
}
