//! What is asked for: operations, sizes, objects, arms, and what arrival number `n` asks of them.
//!
//! Every draw is a function of the run's seed and the arrival's number, so that a run repeats from
//! its seed, the shards of a run ask for what the whole would have asked for, and both arms of a
//! pair ask for the same.

use crate::random::{Generator, Seed, mix};

use super::schedule::BLOCK;

/// Most objects of one corpus.
pub const MAX_OBJECTS: u64 = 1_000_000;
/// The largest body of one PUT (AWS: 5 GiB).
pub const MAX_PUT: u64 = 5 << 30;

/// The folder of the objects that are uploaded in parts.
pub const UPLOADS: &str = "multipart";

/// One measured operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    Get,
    Put,
    Head,
    Delete,
    List,
    Range,
    Multipart,
    Copy,
}

impl Op {
    /// All, as the help lists them.
    pub const ALL: [Self; 8] = [
        Self::Get,
        Self::Put,
        Self::Head,
        Self::Delete,
        Self::List,
        Self::Range,
        Self::Multipart,
        Self::Copy,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Head => "head",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Range => "range",
            Self::Multipart => "multipart",
            Self::Copy => "copy",
        }
    }

    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.word() == word)
    }

    /// Whether objects must be there before.
    #[must_use]
    pub const fn needs_objects(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Delete | Self::List | Self::Range | Self::Copy => true,
            Self::Put | Self::Multipart => false,
        }
    }

    /// The folder of the objects that the operation writes or removes, if it does.
    #[must_use]
    pub const fn writes(self) -> Option<&'static str> {
        match self {
            Self::Put => Some("put"),
            Self::Multipart => Some(UPLOADS),
            Self::Copy => Some("copy"),
            Self::Get | Self::Head | Self::Delete | Self::List | Self::Range => None,
        }
    }
}

/// How large objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sizes {
    Fixed(u64),
    /// Evenly on a logarithmic scale, as real objects are.
    Between(u64, u64),
    /// Size and weight.
    Weighted(Vec<(u64, u32)>),
}

impl Sizes {
    /// The largest that can be drawn.
    #[must_use]
    pub fn largest(&self) -> u64 {
        match self {
            Self::Fixed(size) | Self::Between(_, size) => *size,
            Self::Weighted(list) => list.iter().map(|(size, _)| *size).max().unwrap_or(0),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are below 2^43, and the result is clamped"
    )]
    fn draw(&self, random: &mut Generator) -> u64 {
        match self {
            Self::Fixed(size) => *size,
            Self::Between(least, most) => {
                let (low, high) = ((*least).max(1) as f64, (*most).max(1) as f64);
                let size = low * (high / low).powf(share(random));
                (size as u64).clamp(*least, *most)
            }
            Self::Weighted(list) => weighted(list, random).copied().unwrap_or(0),
        }
    }
}

/// Which objects are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Access {
    /// Each at most once.
    Once,
    Uniform,
    /// Object number `k` as often as `1 / k^s`.
    Zipf(f64),
    /// One after the other.
    Sequential,
}

/// How customer keys are spread over objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScheme {
    Fixed,
    PerObject,
    Pool(u32),
}

/// Whether requests carry customer keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sse {
    None,
    Customer,
}

/// One side of a comparison, or the only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// As series name it, unique in the run.
    pub name: String,
    pub sse: Sse,
}

/// How a body travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadMode {
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// The signature covers the body's SHA-256.
    Signed,
    /// Unsigned, with `x-amz-checksum-crc64nvme`.
    Crc64Nvme,
}

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    Header,
    Presigned,
}

/// How bodies that are read are checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verify {
    Full,
    /// This share of the reads in full, the others by length.
    Sample(f64),
    Length,
    Off,
}

/// Everything that decides what is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The first is the measured operation of a plain `--op`.
    pub mix: Vec<(Op, u32)>,
    pub arms: Vec<Arm>,
    pub sizes: Sizes,
    pub objects: u64,
    pub access: Access,
    pub range_size: u64,
    pub part_size: u64,
    pub keys: KeyScheme,
    pub payload: PayloadMode,
    pub authentication: Authentication,
    pub verify: Verify,
    /// Share of reads that show a wrong key or none, and must be refused.
    pub probe_negative: f64,
}

/// What one arrival asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    pub op: Op,
    /// Index into the arms.
    pub arm: usize,
    pub object: u64,
    /// Of the object.
    pub size: u64,
    /// First byte and number of bytes, for [`Op::Range`].
    pub range: (u64, u64),
    /// Whether the body is compared in full.
    pub compare: bool,
    /// Whether a wrong key, or none, is shown.
    pub probe: Option<Probe>,
}

/// How a read goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    OtherKey,
    NoKey,
}

/// Draws what arrivals ask for.
pub struct Drawing {
    workload: Workload,
    seed: Seed,
    /// Cumulative weights of the objects, for [`Access::Zipf`].
    zipf: Vec<f64>,
}

impl Drawing {
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most a million objects")]
    pub fn new(workload: Workload, seed: Seed) -> Self {
        let zipf = match workload.access {
            Access::Zipf(s) => {
                let mut sum = 0.0;
                let weights = (1..=workload.objects).map(|k| {
                    sum += (k as f64).powf(-s);
                    sum
                });
                weights.collect()
            }
            Access::Once | Access::Uniform | Access::Sequential => Vec::new(),
        };
        Self {
            workload,
            seed,
            zipf,
        }
    }

    #[must_use]
    pub const fn workload(&self) -> &Workload {
        &self.workload
    }

    /// The size of an object.
    #[must_use]
    pub fn size(&self, object: u64) -> u64 {
        self.workload
            .sizes
            .draw(&mut self.generator("size", object))
    }

    fn generator(&self, label: &str, number: u64) -> Generator {
        Seed(self.seed.0 ^ mix(number.wrapping_add(1))).generator(label)
    }

    /// What arrival `number` asks for. Of two arms, blocks of four take them in the order ABBA or
    /// BAAB; the first two of a block share object and operation, and so do the last two.
    #[must_use]
    pub fn draw(&self, number: u64) -> Draw {
        let workload = &self.workload;
        let (arm, common) = if workload.arms.len() == 2 {
            let turned = self.generator("arms", number / BLOCK).next_u64() & 1;
            let inner = matches!(number % BLOCK, 1 | 2);
            (usize::from(inner != (turned == 1)), number / 2)
        } else {
            (0, number)
        };
        let mut random = self.generator("draw", common);
        let op = *weighted(&workload.mix, &mut random).unwrap_or(&Op::Get);
        let object = self.object(common, &mut random);
        let size = self.size(object);
        let length = workload.range_size.min(size);
        let first = random.next_u64() % (size - length + 1);
        let compare = match workload.verify {
            Verify::Full => true,
            Verify::Sample(part) => share(&mut random) < part,
            Verify::Length | Verify::Off => false,
        };
        let wrong = matches!(op, Op::Get | Op::Range | Op::Head)
            && workload.arms[arm].sse == Sse::Customer
            && workload.probe_negative > 0.0
            && share(&mut random) < workload.probe_negative;
        let probe = wrong.then(|| match random.next_u64() & 1 {
            0 => Probe::OtherKey,
            _ => Probe::NoKey,
        });
        Draw {
            op,
            arm,
            object,
            size,
            range: (first, length),
            compare,
            probe,
        }
    }

    fn object(&self, number: u64, random: &mut Generator) -> u64 {
        let objects = self.workload.objects.max(1);
        match self.workload.access {
            Access::Once | Access::Sequential => number % objects,
            Access::Uniform => random.next_u64() % objects,
            Access::Zipf(_) => {
                let total = self.zipf.last().copied().unwrap_or(1.0);
                let wanted = share(random) * total;
                self.zipf.partition_point(|sum| *sum <= wanted) as u64 % objects
            }
        }
    }
}

/// A number from 0 to below 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn share(random: &mut Generator) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn weighted<'a, T>(list: &'a [(T, u32)], random: &mut Generator) -> Option<&'a T> {
    let total: u64 = list.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut left = random.next_u64() % total.max(1);
    list.iter()
        .find(|(_, weight)| {
            let weight = u64::from(*weight);
            let here = left < weight;
            left = left.saturating_sub(weight);
            here
        })
        .map(|(item, _)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload() -> Workload {
        Workload {
            mix: vec![(Op::Get, 45), (Op::Put, 15)],
            arms: vec![arm("plain", Sse::None), arm("ssec", Sse::Customer)],
            sizes: Sizes::Between(1024, 1 << 20),
            objects: 100,
            access: Access::Uniform,
            range_size: 65_536,
            part_size: 8 << 20,
            keys: KeyScheme::Fixed,
            payload: PayloadMode::Unsigned,
            authentication: Authentication::Header,
            verify: Verify::Sample(0.1),
            probe_negative: 0.0,
        }
    }

    fn arm(name: &str, sse: Sse) -> Arm {
        Arm {
            name: name.to_owned(),
            sse,
        }
    }

    #[test]
    fn each_block_of_four_is_abba_or_baab_and_pairs_ask_for_the_same() {
        let drawing = Drawing::new(workload(), Seed(5));
        let mut seen = [0; 2];
        for block in 0..1000 {
            let draws: Vec<Draw> = (0..4).map(|n| drawing.draw(block * 4 + n)).collect();
            let arms: Vec<usize> = draws.iter().map(|draw| draw.arm).collect();
            assert!(arms == [0, 1, 1, 0] || arms == [1, 0, 0, 1], "{arms:?}");
            seen[arms[0]] += 1;
            for pair in draws.chunks(2) {
                let alike = |draw: &Draw| (draw.op, draw.object, draw.size, draw.range);
                assert_eq!(alike(&pair[0]), alike(&pair[1]));
            }
        }
        assert!(seen.iter().all(|count| *count > 400), "{seen:?}");
    }

    #[test]
    fn weights_sizes_and_shares_are_as_asked() {
        let mut one_arm = workload();
        one_arm.arms.truncate(1);
        let drawing = Drawing::new(one_arm, Seed(5));
        let draws: Vec<Draw> = (0..10_000).map(|n| drawing.draw(n)).collect();
        let gets = draws.iter().filter(|draw| draw.op == Op::Get).count();
        assert!((7300..7700).contains(&gets), "{gets}");
        let compared = draws.iter().filter(|draw| draw.compare).count();
        assert!((850..1150).contains(&compared), "{compared}");
        assert!(draws.iter().all(|d| (1024..=1 << 20).contains(&d.size)));
        assert!(draws.iter().all(|d| d.range.0 + d.range.1 <= d.size));
        let small = draws.iter().filter(|draw| draw.size < 32 * 1024).count();
        assert!(
            (4000..6000).contains(&small),
            "half are below the middle: {small}"
        );
    }

    #[test]
    fn zipf_asks_for_few_often_and_once_for_each_once() {
        let mut zipf = workload();
        zipf.arms.truncate(1);
        zipf.access = Access::Zipf(1.0);
        let drawing = Drawing::new(zipf.clone(), Seed(5));
        let first = (0..10_000).filter(|n| drawing.draw(*n).object == 0).count();
        // The harmonic number of 100 is 5.187: the first object has 1 in 5.187.
        assert!((1780..2080).contains(&first), "{first}");
        zipf.access = Access::Once;
        let drawing = Drawing::new(zipf, Seed(5));
        let objects: std::collections::BTreeSet<u64> =
            (0..100).map(|n| drawing.draw(n).object).collect();
        assert_eq!(objects.len(), 100);
    }

    #[test]
    fn probes_fall_on_reads_with_keys_only() {
        let mut probing = workload();
        probing.probe_negative = 0.5;
        let drawing = Drawing::new(probing, Seed(5));
        let draws: Vec<Draw> = (0..4000).map(|n| drawing.draw(n)).collect();
        let probes = draws.iter().filter(|draw| draw.probe.is_some());
        assert!(probes.clone().count() > 500);
        assert!(probes.clone().all(|d| d.arm == 1 && d.op == Op::Get));
        assert!(probes.clone().any(|d| d.probe == Some(Probe::NoKey)));
        assert!(probes.into_iter().any(|d| d.probe == Some(Probe::OtherKey)));
    }
}
