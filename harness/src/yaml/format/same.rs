//! Whether two trees say the same.

use super::shape::Shape;
use crate::yaml::node::{Kind, Node, Scalar, Style};

/// Whether a decoder that knows `shape` reads the same from both: equal values, lists in their
/// order, mappings too unless their fields are known.
pub(super) fn same(before: &Node, after: &Node, shape: &Shape) -> bool {
    match (&before.kind, &after.kind) {
        (Kind::Scalar(before), Kind::Scalar(after)) => same_value(before, after),
        (Kind::Sequence(before), Kind::Sequence(after)) => {
            let part = shape.part(None);
            let mut pairs = before.iter().zip(after);
            before.len() == after.len() && pairs.all(|(before, after)| same(before, after, part))
        }
        (Kind::Mapping(before), Kind::Mapping(after)) => {
            let found = |index: usize, name: &str| match shape.place(name) {
                Some(_) => after.iter().find(|pair| pair.key.text == name),
                None => after.get(index),
            };
            let is_kept = |index: usize| {
                let own = &before[index];
                found(index, &own.key.text).is_some_and(|other| {
                    let part = shape.part(Some(&own.key.text));
                    same_value(&own.key, &other.key) && same(&own.value, &other.value, part)
                })
            };
            // No name stands twice in either.
            before.len() == after.len() && (0..before.len()).all(is_kept)
        }
        (Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_), _) => false,
    }
}

/// Quotes may come where no reader took the bare text for anything but text.
fn same_value(before: &Scalar, after: &Scalar) -> bool {
    let is_plain = |scalar: &Scalar| scalar.style == Style::Plain;
    before.text == after.text
        && (is_plain(before) == is_plain(after) || is_plain(before) && before.implicit().is_none())
}
