//! Walking a target through trials and judging what it answers.

pub mod judge;
