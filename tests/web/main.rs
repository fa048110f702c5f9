//! The API over the real HTTP server: who gets what, what it refuses, and that it bears those who take their time.

mod crawl;
mod documented;
mod killed;
mod profiles;
mod readers;
mod refused;
mod rights;
mod session;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod take;
