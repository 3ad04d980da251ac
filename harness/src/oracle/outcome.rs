//! The closed list of answers, `outcomes.yaml`.

use crate::scenario::definition::Operation;
use std::collections::BTreeMap;

/// What an answer must be, unless a dialect has evidence for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// 2xx, and the root element is no `Error`.
    Served,
    /// 4xx, or 501.
    Refused,
    /// Refused, or 304: nothing of the object.
    Withheld,
}

/// What nothing lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Floor {
    Served,
    Refused,
    Withheld,
    /// Refused, or accepted and then readable with that key alone (writes).
    Sealed,
    /// Refused, or served because the right key itself was shown (reads).
    Proved,
}

/// One named answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Such as `wrong-key`.
    pub name: String,
    pub class: Class,
    /// The floor of operations that store a body.
    pub floor_write: Floor,
    /// The floor of all other operations.
    pub floor_read: Floor,
    /// One clause in plain words.
    pub says: String,
}

impl Outcome {
    /// The floor that holds for `operation`.
    #[must_use]
    pub const fn floor(&self, operation: Operation) -> Floor {
        match operation {
            Operation::Put => self.floor_write,
            Operation::Get | Operation::Head | Operation::Delete | Operation::List => {
                self.floor_read
            }
        }
    }
}

/// All outcomes by name.
#[derive(Debug, Clone, Default)]
pub struct Outcomes(BTreeMap<String, Outcome>);

impl Outcomes {
    /// The outcome of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Outcome> {
        self.0.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
