//! `extract`, hidden: the process that reads attachments.

use std::io;

use crate::extract::{self, Bounds};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Bytes of memory beside those of the program.
    #[arg(long)]
    memory: u64,
    /// Seconds of processor time.
    #[arg(long)]
    seconds: u64,
    /// Bytes of an attachment.
    #[arg(long)]
    largest: u64,
    /// Bytes of its text.
    #[arg(long)]
    text: u64,
}

/// # Errors
/// The process cannot be shut in, or nobody listens.
pub fn run(arguments: &Arguments) -> io::Result<()> {
    extract::serve(Bounds {
        memory: arguments.memory,
        seconds: arguments.seconds,
        largest: arguments.largest,
        text: arguments.text,
    })
}
