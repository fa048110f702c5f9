//! The process that reads attachments: takes one after the other, and answers each, until it is ended or ends over one.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
};

use super::{
    frames::{READY, read_request, write_reply},
    outcome::Outcome,
    reader, sandbox,
};

/// What the process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of memory, beside those of the program.
    pub memory: u64,
    /// Seconds of processor time in all.
    pub seconds: u64,
    /// Bytes of an attachment, and of its text.
    pub largest: u64,
    pub text: u64,
}

/// What the binary does when it is the process that reads. Its standard input is a socket, over which it is asked and
/// answers.
///
/// # Errors
/// It cannot be shut in, or nobody listens.
pub fn serve(bounds: Bounds) -> io::Result<()> {
    let mut socket = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // The place of a panic is of no use, and its words can be of the attachment.
    set_hook(Box::new(|_| {}));
    sandbox::shut_in(bounds.memory, bounds.seconds)?;
    socket.write_all(&[READY])?;
    let most = usize::try_from(bounds.text).unwrap_or(usize::MAX);
    while let Some((kind, bytes)) = read_request(&mut socket, bounds.largest)? {
        let read = catch_unwind(AssertUnwindSafe(|| reader::read(kind, &bytes, most)));
        let (text, outcome) = read.unwrap_or((String::new(), Outcome::Crashed));
        write_reply(&mut socket, &text, &outcome)?;
    }
    Ok(())
}
