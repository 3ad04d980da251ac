//! The axes of a run rather than of a case: how buckets are addressed, how bodies are signed.
//!
//! A trial runs once a value, and keeps its name under the first one; the others add `@vhost`,
//! `@chunked` or both. Where another value changes none of its requests, it runs once.

use std::sync::Arc;

use super::canonical::sha256;
use super::definition::{Ambient, Capability, Payload, Style, Trial};

/// What a run takes on each axis, at least one value; under the first one it also makes its bucket
/// and cleans up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axes {
    styles: &'static [Style],
    payloads: &'static [Payload],
}

impl Default for Axes {
    fn default() -> Self {
        Self::of("path", "signed").expect("both are words of an axis")
    }
}

impl Axes {
    /// The words of `--style`.
    pub const STYLES: [&'static str; 3] = ["path", "vhost", "both"];
    /// The words of `--payload`.
    pub const PAYLOADS: [&'static str; 4] = ["signed", "unsigned", "chunked", "all"];

    /// The axes of these words; `None` for another word.
    #[must_use]
    pub fn of(style: &str, payload: &str) -> Option<Self> {
        use Payload::{Chunked, Signed, Unsigned};
        let styles: &[Style] = match style {
            "path" => &[Style::Path],
            "vhost" => &[Style::VirtualHost],
            "both" => &[Style::Path, Style::VirtualHost],
            _ => return None,
        };
        let payloads: &[Payload] = match payload {
            "signed" => &[Signed],
            "unsigned" => &[Unsigned],
            "chunked" => &[Chunked],
            "all" => &[Signed, Unsigned, Chunked],
            _ => return None,
        };
        Some(Self { styles, payloads })
    }

    /// Every value of every axis.
    #[must_use]
    pub fn all() -> Self {
        Self::of("both", "all").expect("both are words of an axis")
    }

    /// The style in which the run makes its bucket and cleans up.
    #[must_use]
    pub const fn own_style(self) -> Style {
        self.styles[0]
    }

    /// The word of `--style`.
    #[must_use]
    pub const fn style_word(self) -> &'static str {
        match self.styles {
            [one] => one.word(),
            _ => "both",
        }
    }

    /// The word of `--payload`.
    #[must_use]
    pub const fn payload_word(self) -> &'static str {
        match self.payloads {
            [one] => one.word(),
            _ => "all",
        }
    }

    /// Each trial once a value, its own values one after the other.
    #[must_use]
    pub fn expand(self, trials: &[Arc<Trial>]) -> Vec<Arc<Trial>> {
        if self == Self::default() {
            return trials.to_vec();
        }
        trials
            .iter()
            .flat_map(|trial| self.values_of(trial))
            .collect()
    }

    fn values_of(self, trial: &Arc<Trial>) -> Vec<Arc<Trial>> {
        let mut ways = Vec::new();
        let mut values = Vec::new();
        for &style in self.styles {
            for &payload in self.payloads {
                let ambient = Ambient { style, payload };
                let way = way(trial, ambient);
                if !ways.contains(&way) {
                    values.push(Arc::new(self.value(trial, ambient, &way)));
                    ways.push(way);
                }
            }
        }
        values
    }

    /// The trial under one value of each axis, in which its requests travel that way.
    fn value(self, trial: &Trial, ambient: Ambient, way: &[(Style, Payload)]) -> Trial {
        let mut value = trial.clone();
        value.ambient = ambient;
        let words = [
            (self.styles[0] != ambient.style).then(|| ambient.style.word()),
            (self.payloads[0] != ambient.payload).then(|| ambient.payload.word()),
        ];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        if !words.is_empty() {
            value.name = format!("{}@{}", trial.name, words.join(","));
        }
        let mut cell = |axis: &str, values: usize, word: &str| {
            if values > 1 {
                value.cells.push((axis.to_owned(), word.to_owned()));
            }
        };
        cell("style", self.styles.len(), ambient.style.word());
        cell("payload", self.payloads.len(), ambient.payload.word());
        for (style, payload) in way {
            value.needs.extend(match style {
                Style::VirtualHost => Some(Capability::VirtualHost),
                Style::Path => None,
            });
            value.needs.extend(match payload {
                Payload::Signed => None,
                Payload::Unsigned => Some(Capability::UnsignedPayload),
                Payload::Chunked => Some(Capability::ChunkedPayload),
            });
        }
        if ambient != Ambient::default() {
            value.digest = sha256(format!("{} {ambient:?}", trial.digest).as_bytes());
        }
        value
    }
}

/// How each request of a trial travels; nothing for a trial that is code, whose requests are its own.
fn way(trial: &Trial, ambient: Ambient) -> Vec<(Style, Payload)> {
    let steps = trial
        .given
        .iter()
        .chain(&trial.steps)
        .chain(&trial.diagnose);
    steps
        .map(|step| (step.style_under(ambient), step.payload_under(ambient)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::catalog::Catalog;

    #[test]
    fn words_and_axes_are_one() {
        for style in Axes::STYLES {
            for payload in Axes::PAYLOADS {
                let axes = Axes::of(style, payload).unwrap();
                assert_eq!((axes.style_word(), axes.payload_word()), (style, payload));
            }
        }
        assert_eq!(Axes::of("host", "signed"), None);
        assert_eq!(Axes::of("path", "none"), None);
    }

    #[test]
    fn every_trial_of_every_value_has_a_name_and_a_digest_of_its_own() {
        let catalog = Catalog::embedded().unwrap();
        let all = Axes::all().expand(catalog.trials());
        assert!(all.len() > 2 * catalog.trials().len(), "{}", all.len());
        let names: BTreeSet<&str> = all.iter().map(|trial| trial.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for trial in catalog.trials() {
            assert!(names.contains(trial.name.as_str()), "{}", trial.name);
            let values = all
                .iter()
                .filter(|value| value.name.split('@').next() == Some(trial.name.as_str()));
            let digests: Vec<&str> = values.map(|value| value.digest.as_str()).collect();
            let distinct: BTreeSet<&&str> = digests.iter().collect();
            assert_eq!(distinct.len(), digests.len(), "{}", trial.name);
        }
    }
}
