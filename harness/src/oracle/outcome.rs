//! The closed list of answers, `outcomes.yaml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::scenario::definition::Operation;
use crate::yaml::{self, Code, Diagnostics, Node, Reader, SourceFile};

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
        if operation.is_write() {
            self.floor_write
        } else {
            self.floor_read
        }
    }
}

/// All outcomes by name.
#[derive(Debug, Clone, Default)]
pub struct Outcomes(BTreeMap<String, Outcome>);

impl Outcomes {
    /// Reads `outcomes.yaml`: a mapping of names to `{class, floor, says}`.
    ///
    /// # Errors
    /// Every mistake of the file.
    pub fn decode(file: &Arc<SourceFile>) -> Result<Self, Diagnostics> {
        let root = yaml::parse(file)?;
        let mut reader = Reader::new(file);
        let mut outcomes = BTreeMap::new();
        for pair in reader
            .named(&root, "the list of outcomes")
            .unwrap_or_default()
        {
            let name = pair.key.text.clone();
            if name == "observe" {
                let message = "`observe` is no outcome: it stands for judging nothing";
                let error = reader.error(Code::Taken, pair.key_span, message);
                reader.push(error);
            }
            if let Some(outcome) = outcome(&name, &pair.value, &mut reader) {
                outcomes.insert(name, outcome);
            }
        }
        reader.finish().into_result(Self(outcomes))
    }

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

const CLASSES: [(&str, Class); 3] = [
    ("served", Class::Served),
    ("refused", Class::Refused),
    ("withheld", Class::Withheld),
];

const FLOORS: [(&str, Floor); 5] = [
    ("served", Floor::Served),
    ("refused", Floor::Refused),
    ("withheld", Floor::Withheld),
    ("sealed", Floor::Sealed),
    ("proved", Floor::Proved),
];

fn outcome(name: &str, node: &Node, reader: &mut Reader<'_>) -> Option<Outcome> {
    let mut fields = reader.fields(node, "an outcome")?;
    let class = fields.required("class", reader);
    let class = class.and_then(|node| reader.choice(node, "`class`", &CLASSES));
    let says = fields.required("says", reader);
    let says = says.and_then(|node| reader.text(node, "`says`"));
    let floors = fields.required("floor", reader);
    fields.finish(reader);
    let (class, says, node) = (class?, says?, floors?);
    let (floor_write, floor_read) = floors_of(node, reader)?;
    if let Err(why) = floor_fits(class, floor_write).and(floor_fits(class, floor_read)) {
        let message = format!("the floor does not fit class `{}`", word(&CLASSES, class));
        let error = reader.error_at(Code::Contradiction, node, message);
        reader.push(error.note(why));
        return None;
    }
    for (operation, floor, odd) in [
        ("writes", floor_write, Floor::Proved),
        ("reads", floor_read, Floor::Sealed),
    ] {
        if floor == odd {
            let message = format!(
                "floor `{}` cannot hold for {operation}",
                word(&FLOORS, floor)
            );
            let error = reader.error_at(Code::Contradiction, node, message);
            reader.push(error.note("write `floor: {write: sealed, read: proved}`"));
        }
    }
    Some(Outcome {
        name: name.to_owned(),
        class,
        floor_write,
        floor_read,
        says: says.to_owned(),
    })
}

/// (of writes, of reads)
fn floors_of(node: &Node, reader: &mut Reader<'_>) -> Option<(Floor, Floor)> {
    if matches!(node.kind, yaml::Kind::Scalar(_)) {
        let floor = reader.choice(node, "`floor`", &FLOORS)?;
        return Some((floor, floor));
    }
    let mut fields = reader.fields(node, "a floor")?;
    let write = fields.required("write", reader);
    let write = write.and_then(|node| reader.choice(node, "`write`", &FLOORS));
    let read = fields.required("read", reader);
    let read = read.and_then(|node| reader.choice(node, "`read`", &FLOORS));
    fields.finish(reader);
    Some((write?, read?))
}

/// A floor may allow more than its class, never something else.
const fn floor_fits(class: Class, floor: Floor) -> Result<(), &'static str> {
    match (class, floor) {
        (Class::Served, Floor::Served)
        | (Class::Refused, Floor::Refused | Floor::Withheld | Floor::Sealed | Floor::Proved)
        | (Class::Withheld, Floor::Withheld | Floor::Sealed | Floor::Proved) => Ok(()),
        (Class::Served, Floor::Refused | Floor::Withheld | Floor::Sealed | Floor::Proved) => {
            Err("what is served has the floor `served`")
        }
        (Class::Refused, Floor::Served) | (Class::Withheld, Floor::Served | Floor::Refused) => {
            Err("each answer of the class must be allowed by the floor")
        }
    }
}

fn word<T: Copy + PartialEq>(list: &[(&'static str, T)], value: T) -> &'static str {
    list.iter()
        .find(|(_, other)| *other == value)
        .map_or("", |(name, _)| name)
}
