//! The console: its pages over HTTP, and in a real browser.

#[allow(dead_code)]
mod browser;
mod first;
mod forms;
mod hostile;
mod journeys;
mod pages;
mod people;
#[allow(dead_code)]
#[path = "../web/site.rs"]
mod site;
#[path = "../support/mod.rs"]
mod support;
mod wizard;
