//! The scenario language: files, trials, catalogue.

pub mod catalog;
pub mod definition;
