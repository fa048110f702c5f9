//! Broken off at every step, by an error, a panic, an abort, or a kill at any time: the archive is in the end the one
//! that an undisturbed run makes, and nothing is missing, wrong or there twice.
//!
//! `points` breaks off the way of mail, `tidying` what is done to a store afterwards, `kills` whatever is going on.

mod clock;
mod deletion;
mod held;
mod kills;
mod points;
mod read_only;
mod serving;
mod tidying;

use crate::support;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
