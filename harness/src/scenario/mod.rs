//! The scenario language: files, trials, catalogue.
//!
//! `document` reads a file into cases whose steps are still trees, `binding` fills one cell's labels
//! and fragments in, `step`, `upload`, `bucket`, `form`, `cors`, `policy`, `triple` and `expectation` decode the result, `matrix` does this for
//! each cell, `lint` judges a case as a whole. What leaves this module is in `definition`.
//! `layout` says in which order and on how many lines the fields of each kind of file are written.
//! `routines` declares the trials that are code; `ambient` repeats trials for what a run varies.

pub mod ambient;
pub mod catalog;
pub mod definition;
pub mod layout;
pub mod routines;

mod binding;
mod bucket;
mod canonical;
mod cors;
mod document;
mod eventually;
mod expectation;
mod files;
mod form;
mod lint;
mod matrix;
mod names;
mod policy;
mod step;
mod triple;
mod upload;
