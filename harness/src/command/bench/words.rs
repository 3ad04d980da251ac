//! The words of the command line that have a form of their own: sizes, mixes, rates, shares.

use std::time::{Duration, SystemTime};

use reports::bench::slo::Slo;

use crate::bench::customer_keys::MAX_POOL;
use crate::bench::schedule::Shard;
use crate::bench::workload::{Access, KeyScheme, Op, Sizes, Sse, Verify};
use crate::environment::Environment;

/// Most steps of a staircase.
const MAX_STEPS: usize = 1000;
/// The highest rate that can be asked for, arrivals a second.
const MAX_RATE: f64 = 10_000_000.0;

/// `500ms`, `30s`, `2m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = || "write it as 500ms, 30s, 2m or 1h".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = |each: u64| Duration::from_secs(number.saturating_mul(each).min(u64::MAX / 4));
    match unit.trim() {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(seconds(1)),
        "m" | "min" => Ok(seconds(60)),
        "h" => Ok(seconds(3600)),
        _ => Err(wrong()),
    }
}

/// `4KiB`, `5 MiB`, `1000` (bytes).
///
/// # Errors
/// Says how it is written.
pub fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: Option<u64> = number.parse().ok();
    let unit = match unit.trim() {
        "" | "B" => Some(1u64),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| format!("{text:?} is no size: write it as 4KiB, 1MiB or 1000B"))
}

/// `4KiB`, `4KiB..1MiB`, `4KiB:90,1MiB:10`.
pub(super) fn sizes(text: &str) -> Result<Sizes, String> {
    if let Some((least, most)) = text.split_once("..") {
        let (least, most) = (size(least)?, size(most)?);
        return if least <= most {
            Ok(Sizes::Between(least, most))
        } else {
            Err(format!("{text:?} ends below its beginning"))
        };
    }
    if !text.contains(':') {
        return Ok(Sizes::Fixed(size(text)?));
    }
    let weighted: Result<Vec<(u64, u32)>, String> = text
        .split(',')
        .map(|item| {
            let (one, weight) = item
                .split_once(':')
                .ok_or_else(|| format!("{item:?} has no weight"))?;
            Ok((size(one)?, weight_of(weight)?))
        })
        .collect();
    let weighted = weighted?;
    if weighted.iter().all(|(_, weight)| *weight == 0) {
        return Err("all weights are 0".to_owned());
    }
    Ok(Sizes::Weighted(weighted))
}

fn weight_of(text: &str) -> Result<u32, String> {
    let weight = text.trim().parse().ok();
    weight
        .filter(|weight| *weight <= 1_000_000)
        .ok_or_else(|| format!("{text:?} is no weight: a whole number up to 1000000"))
}

pub(super) fn op(text: &str) -> Result<Op, String> {
    Op::of_word(text.trim()).ok_or_else(|| {
        let words: Vec<&str> = Op::ALL.iter().map(|op| op.word()).collect();
        format!("{text:?} is no operation: one of {}", words.join(", "))
    })
}

/// `get=45,put=15`; what is not named is 0.
pub(super) fn mix(text: &str) -> Result<Mix, String> {
    let mut found: Vec<(Op, u32)> = Vec::new();
    for item in text.split(',') {
        let (word, weight) = item
            .split_once('=')
            .ok_or_else(|| format!("{item:?} has no weight: write get=45,put=15"))?;
        let (op, weight) = (op(word)?, weight_of(weight)?);
        if found.iter().any(|(known, _)| *known == op) {
            return Err(format!("{} stands twice", op.word()));
        }
        if weight > 0 {
            found.push((op, weight));
        }
    }
    if found.is_empty() {
        return Err("every operation is 0".to_owned());
    }
    Ok(Mix(found))
}

/// Operations and weights, as one value of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mix(pub(super) Vec<(Op, u32)>);

/// `once`, `uniform`, `seq`, `zipf:1.1`.
pub(super) fn access(text: &str) -> Result<Access, String> {
    match text {
        "once" => Ok(Access::Once),
        "uniform" => Ok(Access::Uniform),
        "seq" => Ok(Access::Sequential),
        other => {
            let exponent = other.strip_prefix("zipf:").and_then(|s| s.parse().ok());
            exponent
                .filter(|s: &f64| *s > 0.0 && *s <= 10.0)
                .map(Access::Zipf)
                .ok_or_else(|| {
                    format!("{other:?} is none of once, uniform, seq, zipf:S with S up to 10")
                })
        }
    }
}

/// `fixed`, `per-object`, `pool:100`.
pub(super) fn keys(text: &str) -> Result<KeyScheme, String> {
    match text {
        "fixed" => Ok(KeyScheme::Fixed),
        "per-object" => Ok(KeyScheme::PerObject),
        other => {
            let count = other.strip_prefix("pool:").and_then(|n| n.parse().ok());
            count
                .filter(|count| (1..=MAX_POOL).contains(count))
                .map(KeyScheme::Pool)
                .ok_or_else(|| {
                    format!(
                        "{other:?} is none of fixed, per-object, pool:N with N up to {MAX_POOL}"
                    )
                })
        }
    }
}

/// `full`, `sample:5%`, `length`, `off`.
pub(super) fn verify(text: &str) -> Result<Verify, String> {
    match text {
        "full" => Ok(Verify::Full),
        "length" => Ok(Verify::Length),
        "off" => Ok(Verify::Off),
        other => match other.strip_prefix("sample:") {
            Some(part) => Ok(Verify::Sample(share(part)?)),
            None => Err(format!("{other:?} is none of full, sample:P, length, off")),
        },
    }
}

/// `0.1%`, or `0.001`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let (number, of) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let number: Option<f64> = number.trim().parse().ok();
    number
        .map(|number| number / of)
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("{text:?} is no share: write it as 5% or 0.05"))
}

/// `500`, `500/s`.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim_end_matches("/s").trim().parse().ok();
    number
        .filter(|rate| *rate > 0.0 && *rate <= MAX_RATE)
        .ok_or_else(|| format!("{text:?} is no rate: requests a second, up to {MAX_RATE}"))
}

/// `100,200,400@30s`.
pub(super) fn steps(text: &str) -> Result<Steps, String> {
    let (rates, each) = text
        .split_once('@')
        .ok_or_else(|| "write it as 100,200,400@30s".to_owned())?;
    let each = duration(each)?;
    let rates: Result<Vec<f64>, String> = rates.split(',').map(rate).collect();
    let rates = rates?;
    if each.is_zero() || rates.len() > MAX_STEPS {
        return Err(format!(
            "at most {MAX_STEPS} steps, each longer than nothing"
        ));
    }
    Ok(Steps { rates, each })
}

/// A staircase, as one value of a flag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    pub(super) rates: Vec<f64>,
    pub(super) each: Duration,
}

/// `p99<50ms,err<0.1%`: what each step of a search must meet.
pub(super) fn objectives(text: &str) -> Result<Objectives, String> {
    let read = |part: &str| {
        let slo = Slo::parse(&spelled_out(part.trim())).map_err(|error| error.to_string())?;
        if slo.is_of_overhead() {
            return Err(format!("`{part}` is no objective of one step"));
        }
        Ok(slo)
    };
    let read: Result<Vec<Slo>, String> = text.split(',').map(read).collect();
    Ok(Objectives(read?))
}

/// `err<0.1%` means `error_rate<0.1%`.
fn spelled_out(part: &str) -> String {
    match part.split_once('<') {
        Some(("err", limit)) => format!("error_rate<{limit}"),
        Some((left, limit)) if left.ends_with(".err") => {
            format!("{}.error_rate<{limit}", left.trim_end_matches(".err"))
        }
        Some(_) | None => part.to_owned(),
    }
}

/// Objectives, as one value of a flag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objectives(pub(super) Vec<Slo>);

/// `plain,ssec`: the base, and what is compared with it.
pub(super) fn arms(text: &str) -> Result<Arms, String> {
    let one = |word: &str| match word.trim() {
        "plain" => Ok(Sse::None),
        "ssec" => Ok(Sse::Customer),
        other => Err(format!("{other:?} is no arm: plain or ssec")),
    };
    let (base, other) = text
        .split_once(',')
        .ok_or_else(|| "two arms are compared: write plain,ssec".to_owned())?;
    Ok(Arms([one(base)?, one(other)?]))
}

/// Two arms, as one value of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arms(pub(super) [Sse; 2]);

/// `2/8`: the third of eight. `/8`: of eight, the one that the scheduler's environment names.
pub(super) fn shard(text: &str) -> Result<Part, String> {
    let wrong = || format!("{text:?} is no shard: I/N with I from 0 to N-1, or /N");
    let (index, count) = text.split_once('/').ok_or_else(wrong)?;
    let count: Option<u32> = count.parse().ok();
    let count = count
        .filter(|count| (1..=100_000).contains(count))
        .ok_or_else(wrong)?;
    if index.is_empty() {
        return Ok(Part { index: None, count });
    }
    let index: Option<u32> = index.parse().ok();
    let index = index.filter(|index| *index < count).ok_or_else(wrong)?;
    Ok(Part {
        index: Some(index),
        count,
    })
}

/// A part of a divided run, before the environment was asked which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    index: Option<u32>,
    count: u32,
}

impl Part {
    /// The shard; the index may stand in `JOB_COMPLETION_INDEX` (Kubernetes) or
    /// `SLURM_ARRAY_TASK_ID`, both counted from 0.
    pub(super) fn shard(self, environment: &Environment) -> Result<Shard, String> {
        const NAMES: [&str; 2] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];
        let found = NAMES.iter().find_map(|name| environment.get(name));
        let index = match (self.index, found) {
            (Some(index), _) => Some(index),
            (None, Some(text)) => text.parse().ok().filter(|index| *index < self.count),
            (None, None) => None,
        };
        let count = self.count;
        index.map(|index| Shard { index, count }).ok_or_else(|| {
            format!(
                "--shard /{count} needs an index below {count} in {}",
                NAMES.join(" or ")
            )
        })
    }
}

/// `+30s`, or a point in time as RFC 3339.
pub(super) fn start(text: &str) -> Result<Start, String> {
    match text.strip_prefix('+') {
        Some(left) => Ok(Start::In(duration(left)?)),
        None => text
            .parse::<jiff::Timestamp>()
            .map(|at| Start::At(at.into()))
            .map_err(|_| format!("{text:?} is neither +30s nor 2026-11-25T07:00:00Z")),
    }
}

/// When the load is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    In(Duration),
    At(SystemTime),
}

impl Start {
    /// How long to wait from `now` on; what has passed is not waited for.
    pub(super) fn left(self, now: SystemTime) -> Duration {
        match self {
            Self::In(left) => left,
            Self::At(at) => at.duration_since(now).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_fixed_ranges_or_weighted() {
        assert_eq!(sizes("4KiB"), Ok(Sizes::Fixed(4096)));
        assert_eq!(sizes("1KiB..1MiB"), Ok(Sizes::Between(1024, 1 << 20)));
        assert_eq!(
            sizes("4KiB:90,1MiB:10"),
            Ok(Sizes::Weighted(vec![(4096, 90), (1 << 20, 10)]))
        );
        for wrong in [
            "",
            "KiB",
            "4KB",
            "-1",
            "2MiB..1MiB",
            "4KiB:x",
            "4KiB:0",
            "99999999TiB",
        ] {
            assert!(sizes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_mix_does_not_name_is_nothing() {
        let Mix(found) = mix("get=45,put=15,head=0").unwrap();
        assert_eq!(found, [(Op::Get, 45), (Op::Put, 15)]);
        for wrong in ["", "get", "get=x", "get=1,get=2", "fetch=1", "get=0"] {
            assert!(mix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn other_words_have_their_forms() {
        assert_eq!(access("zipf:1.1"), Ok(Access::Zipf(1.1)));
        assert!(access("zipf:").is_err() && access("hot").is_err());
        assert_eq!(keys("pool:8"), Ok(KeyScheme::Pool(8)));
        assert!(keys("pool:0").is_err());
        assert_eq!(verify("sample:5%"), Ok(Verify::Sample(0.05)));
        assert!(verify("sample:101%").is_err());
        assert_eq!(rate("500/s"), Ok(500.0));
        assert!(rate("0").is_err() && rate("nan").is_err() && rate("-1").is_err());
        assert_eq!(steps("100,200@30s").unwrap().rates, [100.0, 200.0]);
        assert!(steps("100").is_err() && steps("1@0s").is_err());
        let of = |pairs: &[(&str, &str)], text| {
            let environment = Environment::of(pairs.iter().copied());
            shard(text).and_then(|part| part.shard(&environment))
        };
        assert_eq!(of(&[], "2/8"), Ok(Shard { index: 2, count: 8 }));
        let third = [("JOB_COMPLETION_INDEX", "2")];
        assert_eq!(of(&third, "/8"), Ok(Shard { index: 2, count: 8 }));
        let slurm = [("SLURM_ARRAY_TASK_ID", "7")];
        assert_eq!(of(&slurm, "/8"), Ok(Shard { index: 7, count: 8 }));
        assert!(of(&slurm, "/7").is_err() && of(&[], "/7").is_err());
        for wrong in ["8/8", "8", "/0", "a/2", ""] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(start("+30s").unwrap().left(epoch), Duration::from_secs(30));
        let minute = start("1970-01-01T00:01:00Z").unwrap();
        assert_eq!(minute.left(epoch), Duration::from_secs(60));
        assert_eq!(minute.left(epoch + Duration::from_secs(90)), Duration::ZERO);
        assert!(start("soon").is_err());
        assert_eq!(arms("plain,ssec"), Ok(Arms([Sse::None, Sse::Customer])));
        assert!(arms("plain").is_err() && arms("plain,s3").is_err());
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        assert!(duration("1").is_err());
    }

    #[test]
    fn objectives_of_a_step_are_read_and_errors_may_be_abbreviated() {
        let texts = |text: &str| {
            let Objectives(read) = objectives(text).unwrap();
            read.into_iter().map(|slo| slo.text).collect::<Vec<_>>()
        };
        assert_eq!(texts("p99<50ms, err<0.1%"), ["p99<50ms", "error_rate<0.1%"]);
        assert_eq!(texts("get.err<1%"), ["get.error_rate<1%"]);
        assert!(objectives("ssec.overhead.get<5%").is_err());
        assert!(objectives("p99<50ms,").is_err());
    }
}
