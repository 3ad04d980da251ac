//! The rules for the names of new buckets (S3 user guide, "Bucket naming rules").

/// Whether a bucket may be given this name.
pub(crate) fn is_valid(name: &str) -> bool {
    let bytes = name.as_bytes();
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let inside = |byte: &u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(inside)
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && !is_ipv4(name)
        && !name.starts_with("xn--")
        && !name.ends_with("-s3alias")
}

fn is_ipv4(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn good_names() {
        for name in ["abc", "my-bucket", "a.b.c", "0bucket9", &"a".repeat(63)] {
            assert!(is_valid(name), "{name}");
        }
    }

    #[test]
    fn bad_names() {
        let long = "a".repeat(64);
        let names = [
            "-", "ab", &long, "Bucket", "-ab", "ab-", "a..b", "10.0.0.1", "a_b", "bücket", "xn--a",
        ];
        for name in names {
            assert!(!is_valid(name), "{name}");
        }
    }
}
