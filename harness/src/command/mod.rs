//! One module a command: arguments, one call, exit code.

pub mod check;
