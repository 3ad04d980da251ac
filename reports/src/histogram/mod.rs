//! Latencies as HDR histograms: 1 µs to 1 h at three significant digits, merged exactly.
//!
//! A percentile is read from a merged histogram and never averaged, and it is not given at all
//! where fewer than ten samples lie above it: such a figure says more about luck than about the
//! target. The text form is the published V2 encoding in base64, without compression, so that a
//! reader can bound it before it allocates. Nothing here knows what the microseconds are of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Serializer as _, V2Serializer};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Least value that is told from zero, in microseconds.
pub const LOWEST_US: u64 = 1;
/// Greatest value that is kept apart, in microseconds: one hour. What is above counts as this.
pub const HIGHEST_US: u64 = 3_600_000_000;
/// Significant decimal digits.
pub const DIGITS: u8 = 3;
/// Samples that must lie above a percentile for it to be told.
pub const SAMPLES_ABOVE: u64 = 10;
/// Most samples of one histogram that is read; beyond this sums could overflow.
const MAX_SAMPLES: u64 = 1 << 48;
/// Values that share one resolution; three digits need 2 × 1000, rounded up to a power of two.
const SUB_BUCKETS: usize = 2048;
/// Bytes before the counts in the V2 encoding.
const V2_HEADER_BYTES: usize = 40;
/// Marks the V2 encoding with words of up to nine bytes.
const V2_COOKIE: u32 = 0x1c84_9313;
/// Longest word of the V2 encoding, in bytes.
const MAX_WORD_BYTES: usize = 9;

/// How often each latency occurred, in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        let inner = hdrhistogram::Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, DIGITS)
            .expect("the bounds are constants that the library accepts");
        Self(inner)
    }

    /// Records one latency; what is beyond an hour counts as an hour.
    pub fn record(&mut self, microseconds: u64) {
        self.record_many(microseconds, 1);
    }

    /// Records the same latency `times` times.
    pub fn record_many(&mut self, microseconds: u64, times: u64) {
        self.0
            .saturating_record_n(microseconds.min(HIGHEST_US), times);
    }

    /// Adds every sample of another histogram. The order of merges changes nothing.
    pub fn merge(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("both have the same bounds, for there is one constructor");
    }

    /// Forgets every sample and keeps the memory.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// Samples recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The greatest value, rounded up to its three digits; 0 for an empty histogram.
    #[must_use]
    pub fn max(&self) -> u64 {
        if self.is_empty() { 0 } else { self.0.max() }
    }

    /// The value below which a share of the samples lies, `quantile` in 0 to 1; `None` where
    /// fewer than [`SAMPLES_ABOVE`] samples lie above it.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        (samples_above(self.count(), quantile) >= SAMPLES_ABOVE)
            .then(|| self.quantile_unguarded(quantile))
    }

    /// The same for drawing a curve, however few samples lie above; 0 for an empty histogram.
    #[must_use]
    pub fn quantile_unguarded(&self, quantile: f64) -> u64 {
        if self.is_empty() {
            0
        } else {
            self.0.value_at_quantile(quantile)
        }
    }

    /// Every value that occurred with its number, least first. A value stands for those that
    /// agree with it in three digits, and is the greatest of them.
    pub fn recorded(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter_recorded().map(|value| {
            (
                value.value_iterated_to(),
                value.count_since_last_iteration(),
            )
        })
    }

    /// The library's own, for its other forms.
    pub(crate) const fn inner(&self) -> &hdrhistogram::Histogram<u64> {
        &self.0
    }

    /// The V2 encoding, which libraries of other languages read.
    #[must_use]
    pub fn to_v2(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(&self.0, &mut bytes)
            .expect("a vector takes all bytes, and no count is above 2^63");
        bytes
    }

    /// Reads the V2 encoding of a histogram of these bounds.
    ///
    /// # Errors
    /// See [`Malformed`]. Nothing is allocated that the bounds do not limit.
    pub fn from_v2(bytes: &[u8]) -> Result<Self, Malformed> {
        decode(bytes)
    }
}

/// Samples above the one at a quantile, of `count` samples.
fn samples_above(count: u64, quantile: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are below 2^48, and the product lies between 0 and the count"
    )]
    let rank = (quantile.clamp(0.0, 1.0) * count as f64).ceil() as u64;
    count.saturating_sub(rank)
}

/// Why bytes are no histogram of these bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("not base64")]
    NotBase64,
    #[error("not a V2 histogram")]
    NotV2,
    #[error("a histogram of other bounds than 1 µs to 1 h at three digits")]
    OtherBounds,
    #[error("a histogram that is cut off or longer than it says")]
    WrongLength,
    #[error("a histogram with more slots than its bounds have")]
    TooManySlots,
    #[error("a histogram with more than 2^48 samples")]
    TooManySamples,
}

fn decode(bytes: &[u8]) -> Result<Histogram, Malformed> {
    let (header, mut counts) = bytes
        .split_at_checked(V2_HEADER_BYTES)
        .ok_or(Malformed::NotV2)?;
    let word = |at: usize| u32::from_be_bytes(array(&header[at..at + 4]));
    let long = |at: usize| u64::from_be_bytes(array(&header[at..at + 8]));
    if word(0) != V2_COOKIE {
        return Err(Malformed::NotV2);
    }
    let ratio = f64::from_bits(long(32));
    let bounds = (word(8), word(12), long(16), long(24));
    if bounds != (0, u32::from(DIGITS), LOWEST_US, HIGHEST_US) || ratio.to_bits() != 1f64.to_bits()
    {
        return Err(Malformed::OtherBounds);
    }
    if usize::try_from(word(4)) != Ok(counts.len()) {
        return Err(Malformed::WrongLength);
    }
    let mut histogram = Histogram::new();
    let slots = histogram.0.distinct_values();
    let (mut index, mut samples) = (0usize, 0u64);
    while !counts.is_empty() {
        let (number, rest) = zigzag(counts).ok_or(Malformed::WrongLength)?;
        counts = rest;
        if index >= slots {
            return Err(Malformed::TooManySlots);
        }
        if number < 0 {
            let empty = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
            index = index.saturating_add(empty);
            continue;
        }
        let count = number.unsigned_abs();
        samples = samples.saturating_add(count);
        if samples > MAX_SAMPLES {
            return Err(Malformed::TooManySamples);
        }
        if count > 0 {
            histogram.record_many(lowest_of(index), count);
        }
        index += 1;
    }
    Ok(histogram)
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller cuts N bytes")
}

/// One number of the encoding: seven bits a byte, least first, the ninth byte whole, and the
/// sign in the last bit.
fn zigzag(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(MAX_WORD_BYTES) {
        let last = at + 1 == MAX_WORD_BYTES;
        let bits = if last { *byte } else { byte & 0x7f };
        value |= u64::from(bits) << (7 * at);
        if last || byte & 0x80 == 0 {
            let magnitude = i64::try_from(value >> 1).expect("63 bits fit");
            let signed = if value & 1 == 0 {
                magnitude
            } else {
                !magnitude
            };
            return Some((signed, &bytes[at + 1..]));
        }
    }
    None
}

/// The least value that a slot counts.
fn lowest_of(slot: usize) -> u64 {
    let half = SUB_BUCKETS / 2;
    if slot < SUB_BUCKETS {
        return slot as u64;
    }
    let doubled = slot / half - 1;
    ((slot % half + half) as u64) << doubled
}

/// A histogram as its bytes: a hundredth of the memory, for seconds that are kept in thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packed {
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        Self(histogram.to_v2())
    }

    #[must_use]
    pub fn unpack(&self) -> Histogram {
        decode(&self.0).expect("it was decoded, or encoded, when it was made")
    }
}

impl Default for Packed {
    fn default() -> Self {
        Self::of(&Histogram::new())
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| D::Error::custom(Malformed::NotBase64))?;
        let histogram = decode(&bytes).map_err(D::Error::custom)?;
        // Encoded anew, so that equal samples are equal bytes whoever wrote them.
        Ok(Self::of(&histogram))
    }
}

#[cfg(test)]
mod tests;
