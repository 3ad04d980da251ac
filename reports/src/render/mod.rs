//! Renderers: siblings of one shape, `fn(&Run, &mut dyn Write)`, and those of a matrix and of a
//! comparison beside them. None of them judges anything.

pub mod comparison;
pub mod junit;
pub mod markdown;
mod printable;
mod screen;
mod sign;
pub mod text;
