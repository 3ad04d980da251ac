//! JUnit.
use crate::run::Run;
use std::io::{self, Write};
/// Renders.
pub fn render(_run: &Run, _to: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
