//! `verify`: what is whole is said to be whole, also beside a running appliance; what is damaged is found and named.

mod archive;
mod damages;
mod dump;
mod flips;
mod healthy;

use crate::support;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
