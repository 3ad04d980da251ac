//! Sizes and durations as files write them.

/// Bytes of `65537 B`, `64 KiB`, `5 MiB + 1 B`, `64 KiB - 1 B`.
///
/// # Errors
/// Says what is wrong and shows the form.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let form = || format!("`{text}` is no size: write it as `65537 B`, `64 KiB` or `5 MiB + 1 B`");
    let term = |number: &str, unit: &str| {
        let number: u64 = digits(number)?;
        let unit: u64 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.checked_mul(unit)
    };
    let total = match words.as_slice() {
        [number, unit] => term(number, unit),
        [n1, u1, sign @ ("+" | "-"), n2, u2] => {
            term(n1, u1)
                .zip(term(n2, u2))
                .and_then(|(first, second)| match *sign {
                    "+" => first.checked_add(second),
                    _ => first.checked_sub(second),
                })
        }
        _ => None,
    };
    total.ok_or_else(form)
}

/// Seconds of `30 s`, `5 min`, `2 h`, `8 d`.
///
/// # Errors
/// Says what is wrong and shows the form.
pub(super) fn seconds(text: &str) -> Result<u32, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let seconds = match words.as_slice() {
        [number, unit] => digits(number).and_then(|number: u64| {
            let unit: u64 = match *unit {
                "s" => 1,
                "min" => 60,
                "h" => 60 * 60,
                "d" => 24 * 60 * 60,
                _ => return None,
            };
            u32::try_from(number.checked_mul(unit)?).ok()
        }),
        _ => None,
    };
    seconds.ok_or_else(|| {
        format!("`{text}` is no duration: write it as `30 s`, `5 min`, `2 h` or `8 d`")
    })
}

/// Decimal digits only: no sign, no needless zero in front.
pub(super) fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let plain =
        text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("0 B"), Ok(0));
        assert_eq!(size("65537 B"), Ok(65_537));
        assert_eq!(size("64 KiB"), Ok(65_536));
        assert_eq!(size("64 KiB - 1 B"), Ok(65_535));
        assert_eq!(size("5 MiB + 1 B"), Ok(5_242_881));
        for bad in [
            "",
            "1",
            "1KiB",
            "1 kB",
            "-1 B",
            "01 B",
            "1 B - 2 B",
            "1 B * 2 B",
            "1 B +",
        ] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert!(size("18446744073709551615 KiB").is_err());
    }

    #[test]
    fn durations() {
        assert_eq!(seconds("30 s"), Ok(30));
        assert_eq!(seconds("5 min"), Ok(300));
        assert_eq!(seconds("8 d"), Ok(691_200));
        for bad in ["5", "5m", "5 m", "-5 s", "99999999 d", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
