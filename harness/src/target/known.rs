//! What is known of a target before anything is sent to it: what of it is at hand, what a run will
//! not ask it for, and what its profile claims. A run and its plan go by the same.

use std::collections::{BTreeMap, BTreeSet};

use super::declaration::Declaration;
use super::server_log;
use crate::scenario::definition::Capability;

/// What nobody needs to ask for, because it is at hand or is not.
pub const AT_HAND: [Capability; 3] = [
    Capability::DataDir,
    Capability::ServerLog,
    Capability::PlainHttp,
];
/// What a run tells a bucket of its own alone.
pub const TOLD: [Capability; 4] = [
    Capability::Versioning,
    Capability::BlockedEncryption,
    Capability::Cors,
    Capability::BucketPolicy,
];

/// What is known of a target before anything is sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which of [`AT_HAND`] are.
    pub at_hand: BTreeSet<Capability>,
    /// What is not asked for, and why.
    pub withheld: BTreeMap<Capability, String>,
    /// What the profile says must work.
    pub claims: BTreeSet<Capability>,
}

impl Known {
    /// `at_hand` as [`AT_HAND`] has them; `bucket` is the one that was there before, if the run works
    /// in one.
    #[must_use]
    pub fn new(at_hand: [bool; 3], bucket: Option<&str>, declared: Option<&Declaration>) -> Self {
        let mut withheld = BTreeMap::new();
        let declares =
            |declared: &&Declaration| declared.withholds.contains_key(&Capability::OwnBucket);
        let makes_none = match (bucket, declared.filter(declares)) {
            (_, Some(_)) => Some("the profile withholds buckets of a trial's own"),
            (Some(_), None) => Some("with --bucket the run makes no bucket"),
            (None, None) => None,
        };
        if let Some(why) = makes_none {
            let of_own = TOLD.into_iter().chain([Capability::OwnBucket]);
            withheld.extend(of_own.map(|capability| (capability, why.to_owned())));
        }
        for (capability, why) in declared.iter().flat_map(|declared| &declared.withholds) {
            let why = format!("the profile withholds it, {why}");
            withheld.insert(*capability, why);
        }
        let at_hand = AT_HAND.into_iter().zip(at_hand);
        Self {
            at_hand: at_hand.filter_map(|(one, is)| is.then_some(one)).collect(),
            withheld,
            claims: declared.map_or_else(BTreeSet::new, |declared| declared.claims.clone()),
        }
    }

    /// The bundled server before it is started.
    #[must_use]
    pub fn of_bundled() -> Self {
        Self::new([true, server_log::kept().is_some(), true], None, None)
    }

    /// Whether the target may be asked for this.
    #[must_use]
    pub fn asks_for(&self, capability: Capability) -> bool {
        !self.withheld.contains_key(&capability)
    }
}
