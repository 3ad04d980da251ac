//! Expectations, one by one, over an exchange.

pub mod leak;
