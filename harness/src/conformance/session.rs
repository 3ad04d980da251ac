//! What all trials of a run share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fixture::Fixture;
use super::judge::Policy;
use super::tries::Retries;
use crate::evidence::Redactor;
use crate::oracle::Oracle;
use crate::random::Seed;
use crate::scenario::ambient::Axes;
use crate::scenario::definition::{CAPABILITIES, Capability, SIGHTS, Trial};
use crate::ssec::Keyring;
use crate::target::known::{AT_HAND, Known};
use crate::target::server_log::ServerLog;
use crate::target::{Origin, Target};

/// What became of a capability when it was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    Works,
    /// Refused, with the answer in words.
    Refused(String),
    /// Accepted without effect. Trials run, so that each convicts.
    Ignored,
    /// Not tried, because the run was told not to; why. Says nothing about the target.
    Withheld(String),
}

impl Support {
    /// As records have it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Refused(_) => "refused",
            Self::Ignored => "ignored",
            Self::Withheld(_) => "withheld",
        }
    }
}

/// What the target offers, settled before any trial is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    found: BTreeMap<Capability, Support>,
    /// What the profile says must work.
    claims: BTreeSet<Capability>,
}

/// Why a trial is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The target does not offer what it needs.
    Unsupported(String),
    /// And its profile says that it does.
    Claimed(String),
}

impl Offer {
    #[must_use]
    pub const fn new(found: BTreeMap<Capability, Support>) -> Self {
        Self {
            found,
            claims: BTreeSet::new(),
        }
    }

    /// The bundled server's, which is known.
    #[must_use]
    pub fn of_bundled() -> Self {
        let all = CAPABILITIES.iter().chain(&SIGHTS);
        Self::new(all.map(|(_, one)| (*one, Support::Works)).collect())
    }

    /// Of a target that has not been asked yet: whatever it will be asked for works.
    #[must_use]
    pub fn foreseen(known: Known) -> Self {
        Self::of_bundled().knowing(known)
    }

    /// With what is known of the target besides its answers.
    #[must_use]
    pub fn knowing(mut self, known: Known) -> Self {
        for capability in AT_HAND {
            if known.at_hand.contains(&capability) {
                self.found.insert(capability, Support::Works);
            } else {
                self.found.remove(&capability);
            }
        }
        self.claims = known.claims;
        let withheld = known.withheld.into_iter();
        self.found
            .extend(withheld.map(|(capability, why)| (capability, Support::Withheld(why))));
        self
    }

    #[must_use]
    pub fn support(&self, capability: Capability) -> Option<&Support> {
        self.found.get(&capability)
    }

    /// Why a trial cannot be run, if it needs what the target refuses.
    #[must_use]
    pub fn lacks(&self, trial: &Trial) -> Option<Lack> {
        let refused = |need: &&Capability| {
            matches!(self.found.get(need), Some(Support::Refused(_))) && self.claims.contains(need)
        };
        // What breaks a claim is told before what is merely not there.
        let claimed = trial.needs.iter().find(refused);
        if let Some(why) = claimed.and_then(|need| self.why_not(*need)) {
            return Some(Lack::Claimed(format!("the profile claims it, but {why}")));
        }
        let why = trial.needs.iter().find_map(|need| self.why_not(*need))?;
        Some(Lack::Unsupported(why))
    }

    /// Why a trial that needs this cannot be run.
    fn why_not(&self, need: Capability) -> Option<String> {
        let word = need.word();
        match (self.found.get(&need), need) {
            (Some(Support::Works | Support::Ignored), _) => None,
            (Some(Support::Refused(why)), _) => Some(format!("{word} is not offered: {why}")),
            (Some(Support::Withheld(why)), _) => Some(format!("{word} is not asked for: {why}")),
            (None, Capability::DataDir) => {
                Some("not assessable: the target's files cannot be seen (--data-dir)".to_owned())
            }
            (None, Capability::ServerLog) => {
                Some("not assessable: the target's log cannot be seen (--server-log)".to_owned())
            }
            (None, _) => Some(format!("{word} is not offered")),
        }
    }

    /// Capability to `works`, `refused`, `ignored` or `withheld`, as records have it.
    #[must_use]
    pub fn to_words(&self) -> BTreeMap<String, String> {
        let found = self.found.iter();
        found
            .map(|(capability, support)| (capability.word().to_owned(), support.word().to_owned()))
            .collect()
    }
}

/// Which trials' exchanges are recorded in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Of trials that did not pass.
    NotPassed,
    All,
}

/// A run's shared parts. No `Debug`: it holds keys and credentials.
pub struct Session {
    pub oracle: Oracle,
    pub fixture: Fixture,
    pub keyring: Arc<Keyring>,
    pub seed: Seed,
    pub policy: Policy,
    pub offer: Offer,
    pub detail: Detail,
    pub retries: Retries,
    /// What the run varies for all trials.
    pub axes: Axes,
}

impl Session {
    #[must_use]
    pub fn target(&self) -> &Target {
        self.fixture.sender().target()
    }

    /// Everything that leaves the process passes through this.
    #[must_use]
    pub fn redactor(&self) -> Redactor<'_> {
        Redactor::new(&self.keyring, &self.target().credentials)
    }

    /// The `ssec test` line that runs the trial of that name alone, with the same bodies and names.
    #[must_use]
    pub fn rerun(&self, trial: &str) -> String {
        let target = self.target();
        let mut line = "ssec test".to_owned();
        let mut flag = |name: &str, value: &str| {
            line.push_str(&format!(" {name} {}", shell_quoted(value)));
        };
        match &target.origin {
            Origin::Bundled { impostor } => {
                if let Some(impostor) = impostor {
                    flag("--impostor", impostor);
                }
            }
            Origin::Endpoint { ca, insecure } => {
                if let Some(declared) = &target.declaration {
                    flag("--profile", &declared.file);
                }
                flag("--endpoint", &target.label);
                if let Some(http) = &target.http {
                    flag("--http-endpoint", &http.to_string());
                }
                flag("--region", &target.region);
                if let Some(ca) = ca {
                    flag("--ca", ca);
                }
                if let Some(bucket) = &target.bucket {
                    flag("--bucket", bucket);
                }
                if let Some(domain) = &target.vhost_domain {
                    flag("--vhost-domain", domain);
                }
                if let Some(data_dir) = &target.data_dir {
                    flag("--data-dir", &data_dir.display().to_string());
                }
                if let Some(ServerLog::File(log)) = &target.log {
                    flag("--server-log", &log.display().to_string());
                }
                if *insecure {
                    line.push_str(" --insecure");
                }
            }
        }
        let mut flag = |name: &str, value: &str| {
            line.push_str(&format!(" {name} {}", shell_quoted(value)));
        };
        flag("--dialect", &target.dialect);
        if self.axes.style_word() != "path" {
            flag("--style", self.axes.style_word());
        }
        if self.axes.payload_word() != "signed" {
            flag("--payload", self.axes.payload_word());
        }
        flag("--seed", &self.seed.to_string());
        line.push_str(&format!(" --exact {}", shell_quoted(trial)));
        line
    }
}

/// `text` as one word of a POSIX shell.
#[must_use]
pub fn shell_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::routines;

    #[test]
    fn words_for_a_shell_are_quoted_when_they_must_be() {
        assert_eq!(shell_quoted("https://a:1"), "https://a:1");
        assert_eq!(shell_quoted("get::x[op=get]"), "'get::x[op=get]'");
        assert_eq!(shell_quoted("it's"), "'it'\\''s'");
        assert_eq!(shell_quoted(""), "''");
    }

    fn needs(needs: &[Capability]) -> Trial {
        let mut trial = routines::trials().remove(0);
        trial.needs = needs.iter().copied().collect();
        trial
    }

    #[test]
    fn a_claim_is_broken_by_a_refusal_and_by_nothing_else() {
        use Capability::{Copy, Multipart, Tagging, Versioning};
        let mut offer = Offer::new(BTreeMap::from([
            (Copy, Support::Works),
            (Multipart, Support::Refused("501".to_owned())),
            (Versioning, Support::Withheld("it costs".to_owned())),
            (Tagging, Support::Refused("403".to_owned())),
        ]));
        offer.claims = [Copy, Multipart, Versioning, Capability::DataDir].into();
        assert_eq!(offer.lacks(&needs(&[Copy])), None);
        let check = |need, words: &str| {
            let lack = offer.lacks(&needs(&[need, Copy]));
            assert_eq!(lack, Some(Lack::Unsupported(words.to_owned())));
        };
        check(Versioning, "versioning is not asked for: it costs");
        check(Tagging, "tagging is not offered: 403");
        check(
            Capability::DataDir,
            "not assessable: the target's files cannot be seen (--data-dir)",
        );
        let broken = "the profile claims it, but multipart is not offered: 501";
        assert_eq!(
            offer.lacks(&needs(&[Tagging, Multipart])),
            Some(Lack::Claimed(broken.to_owned()))
        );
    }

    #[test]
    fn what_the_target_ignores_is_run_all_the_same() {
        let offer = |support| Offer::new(BTreeMap::from([(Capability::SseC, support)]));
        let words = offer(Support::Ignored).to_words();
        assert_eq!(words.get("sse-c").map(String::as_str), Some("ignored"));
        assert_eq!(
            offer(Support::Ignored).support(Capability::SseC),
            Some(&Support::Ignored)
        );
    }
}
