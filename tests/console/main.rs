//! The console: its pages over HTTP, and in a real browser.

mod accounts;
mod beside;
#[allow(dead_code)]
mod browser;
mod first;
mod forms;
mod german;
mod hostile;
mod journeys;
mod lists;
mod mistakes;
mod pages;
mod people;
mod pictures;
#[allow(dead_code)]
#[path = "../web/site.rs"]
mod site;
#[path = "../support/mod.rs"]
mod support;
mod unknown;
mod upkeep;
mod usable;
mod wizard;
mod work;
