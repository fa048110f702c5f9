//! Search: what is found, and that nothing that comes by mail keeps it from being found.

mod asking;
mod attachments;
mod files;
mod hardy;
mod hostile;
mod independent;
mod peers;
mod queries;
#[path = "../support/mod.rs"]
mod support;
