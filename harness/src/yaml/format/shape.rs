//! How a value is laid out, and each part of it.

/// The form of one value.
#[derive(Debug)]
pub struct Shape {
    /// Of a list or mapping that is not empty.
    pub lines: Lines,
    pub parts: Parts,
}

/// How many lines a list or mapping takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One, if it was written within brackets or braces; else one or more for each part.
    AsWritten,
    /// One. Comments inside what is on one line move above it.
    One,
    /// One; a list has one for each of its items.
    OneAnItem,
    /// One or more for each part.
    Each,
    /// The same, with an empty line between the parts and before the first line of all.
    Apart,
    /// One, if it ends within so many columns; else as [`Lines::Each`].
    Within(usize),
    /// The same, if no part of it is a mapping or holds one.
    FlatWithin(usize),
}

/// The parts of a list or mapping.
#[derive(Debug)]
pub enum Parts {
    /// In their order, and each laid out as the whole.
    AsWritten,
    /// In their order: a list, or a mapping whose names the author chose.
    Each(&'static Shape),
    /// Fields in this order. One that is not named has the place of [`OTHERS`], or the last, and is
    /// laid out as [`Shape::LINE`].
    Fields(&'static [(&'static str, &'static Shape)]),
}

/// The place of fields that a list of fields does not name.
pub const OTHERS: &str = "";

impl Shape {
    /// On one line, each part too.
    pub const LINE: Self = Self {
        lines: Lines::One,
        parts: Parts::AsWritten,
    };
    /// In lines or on one, as it was written.
    pub const WRITTEN: Self = Self {
        lines: Lines::AsWritten,
        parts: Parts::AsWritten,
    };

    /// The shape of a part; `field` is its name in a mapping.
    pub(super) fn part(&self, field: Option<&str>) -> &Self {
        match (&self.parts, field) {
            (Parts::AsWritten, _) => self,
            (Parts::Each(shape), _) => shape,
            (Parts::Fields(fields), Some(field)) => {
                let known = fields.iter().find(|(name, _)| *name == field);
                known.map_or(&Self::LINE, |(_, shape)| shape)
            }
            (Parts::Fields(_), None) => self,
        }
    }

    /// The place of a field among the others; `None` where the order is the author's.
    pub(super) fn place(&self, field: &str) -> Option<usize> {
        let Parts::Fields(fields) = &self.parts else {
            return None;
        };
        let place = |name| fields.iter().position(|(known, _)| *known == name);
        Some(
            place(field)
                .or_else(|| place(OTHERS))
                .unwrap_or(fields.len()),
        )
    }
}
