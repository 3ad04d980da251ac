//! Renderers: siblings of one shape, `fn(&Run, &mut dyn Write)`. None of them judges anything.

pub mod junit;
mod printable;
mod screen;
pub mod text;
