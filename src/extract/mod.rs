//! Text of bodies and attachments, for the index and for whoever shows what was found.
//!
//! Bodies, plain text and pages are read in this process, by code that is linear and does not call itself. All else is
//! read in a child process, which is shut in: see [`Extractor`].

mod extractor;
mod frames;
#[cfg(fuzzing)]
pub mod fuzzing;
mod html;
mod kind;
mod lines;
mod mail;
mod office;
mod outcome;
mod output;
mod pdf;
mod process;
mod reader;
mod rtf;
mod sandbox;
mod worker;
mod zipped;

pub use extractor::Extractor;
pub use kind::Kind;
pub use mail::{Attachment, BODY, Mail, body};
pub use outcome::{Counts, Extracted, Outcome};
pub use process::COMMAND;
pub use worker::{Bounds, serve};
