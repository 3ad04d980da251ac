//! `ssec` as its users meet it: what each command says, and the exit code it ends with.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod bad_input;
mod bad_load;
mod baselines;
mod benching;
mod ending;
mod errors;
mod evidence;
mod flaking;
mod formatting;
mod front;
mod hostile_load;
mod manual;
mod offers;
mod plans;
mod profiles;
mod proxy;
mod runs;
mod searching;
#[path = "../served/mod.rs"]
mod served;
mod serving;
mod sight;
mod spelling;
mod travel;
mod waiting;
mod watching;
