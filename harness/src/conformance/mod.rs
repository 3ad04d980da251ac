//! Walking a target through trials and judging what it answers.
//!
//! [`judge`] is pure; everything else sends. What is sent and checked is a scenario's business.

mod action;
pub mod budget;
pub mod case;
mod effect;
mod feature;
pub mod fixture;
mod form;
pub mod history;
pub mod judge;
pub mod preflight;
pub mod probe;
pub mod proof;
pub mod question;
mod routine;
pub mod runner;
pub mod sender;
pub mod session;
mod setting;
pub mod state;
pub mod step;
pub mod stored;
pub mod trial;
pub mod tries;
pub mod waiting;
