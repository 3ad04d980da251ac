//! `ssec` as its users meet it: what each command says, and the exit code it ends with.

#![expect(clippy::unwrap_used, reason = "a test says that it holds by running")]

mod bad_input;
mod bad_load;
mod baselines;
mod benching;
#[path = "../catalogue_folder/mod.rs"]
mod catalogue_folder;
mod ending;
mod errors;
mod evidence;
mod flaking;
mod formatting;
mod front;
mod hostile_load;
mod judging;
mod manual;
mod offers;
#[path = "../patience/mod.rs"]
mod patience;
mod plans;
mod profiles;
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
