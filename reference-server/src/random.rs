//! The only place where this crate takes random bytes: the operating system's generator, through
//! aws-lc-rs.

/// `N` unpredictable bytes, fit for salts, ids and keys.
///
/// # Panics
/// When the operating system has no randomness to give; nothing safe can be done then.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills `bytes` with unpredictable bytes, in place, for secrets that must not be copied.
///
/// # Panics
/// As [`bytes`].
pub(crate) fn fill(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the operating system's random generator works");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(bytes::<16>(), bytes::<16>());
    }
}
