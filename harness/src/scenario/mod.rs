//! The scenario language: files, trials, catalogue.

pub mod definition;
