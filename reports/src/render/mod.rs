//! Renderers: siblings of one shape, `fn(&Run, &mut dyn Write)`, and those of a matrix and of a
//! comparison beside them. None of them judges anything.

pub mod badge;
pub mod baseline;
pub mod bench;
pub mod comparison;
pub mod dialect;
pub mod exchanges;
pub mod exposition;
mod findings;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod palette;
mod priority;
mod screen;
mod sign;
pub mod tap;
pub mod text;
