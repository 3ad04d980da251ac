//! `ssec key`: a fresh customer key for a shell, with its right MD5.
//!
//! The one command whose output is a secret: it exists to be read by `eval`.

use std::io::Write;

use super::Failure;
use crate::exit_code::ExitCode;
use crate::ssec::CustomerKey;

/// Prints the exports of a key called `name`: `KEY_NAME` and `KEY_NAME_MD5`, as the curl lines of
/// reports use them.
///
/// # Errors
/// When the name cannot be part of a variable's name, or `out` cannot be written.
pub fn key(name: &str, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(Failure::bad_input(format!(
            "{name:?} is no name for a key: letters, digits, - and _ are"
        )));
    }
    let variable = name.to_ascii_uppercase().replace('-', "_");
    let key = CustomerKey::fresh();
    let base64 = key.base64();
    writeln!(
        out,
        "export KEY_{variable}={} KEY_{variable}_MD5={}",
        base64.as_str(),
        key.md5_base64()
    )?;
    Ok(ExitCode::AsExpected)
}
