//! The store: what is kept, carried, given back, and what survives a crash.

mod backup;
mod crash;
mod directory;
mod export;
mod full_disk;
mod import;
mod missing;
mod reroute;
#[path = "../support/mod.rs"]
mod support;
mod upgrade;
mod verify;
