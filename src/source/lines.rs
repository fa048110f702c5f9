//! Lines over a guarded stream: all of POP3, and what IMAP says before TLS.

use bytes::{Buf, BytesMut};

use super::{
    error::SourceError,
    guard::{Guard, Wire},
};
use crate::net::READ_BUFFER;

/// The longest line that an answer may have, in bytes. RFC 2449 wants 512 of a POP3 server;
/// IMAP greetings with capabilities are longer.
const MAX_LINE: usize = 64 << 10;

/// What a command other than a listing or a fetch may be answered with, in bytes.
pub(super) const SMALL: u64 = 256 << 10;

/// A guarded stream, read by lines and bytes.
pub(super) struct Lines {
    pub host: String,
    guard: Guard,
    pub buffer: BytesMut,
}

impl Lines {
    pub fn new(host: &str, guard: Guard) -> Self {
        Self {
            host: host.to_owned(),
            guard,
            buffer: BytesMut::with_capacity(READ_BUFFER),
        }
    }

    pub fn allow(&mut self, allowance: u64) {
        self.guard.allow(allowance);
    }

    /// Sends bytes of `command`, which is how errors name it.
    ///
    /// # Errors
    /// The connection is lost, or the server takes nothing for the whole time-out.
    pub async fn send(&mut self, command: &str, bytes: &[u8]) -> Result<(), SourceError> {
        self.guard.send(&self.host, command, bytes).await
    }

    /// Reads more bytes into the buffer, at least one.
    ///
    /// # Errors
    /// The connection is lost or silent, or the command's allowance is used up.
    pub async fn fill(&mut self, command: &str) -> Result<(), SourceError> {
        self.buffer.reserve(READ_BUFFER / 4);
        self.guard.fill(&self.host, command, &mut self.buffer).await
    }

    /// The next line, without its line end.
    ///
    /// # Errors
    /// As [`fill`](Self::fill); a line without end is a protocol error.
    pub async fn line(&mut self, command: &str) -> Result<Vec<u8>, SourceError> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let mut line = self.buffer[..searched + at].to_vec();
                self.buffer.advance(searched + at + 1);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.buffer.len();
            if searched > MAX_LINE {
                return Err(SourceError::Protocol {
                    command: command.to_owned(),
                    detail: format!("a line of more than {MAX_LINE} bytes"),
                });
            }
            self.fill(command).await?;
        }
    }

    /// The wire, and whether bytes were read from it that nobody has looked at.
    pub fn into_wire(self) -> (Wire, bool) {
        let wire = self.guard.into_wire();
        let below = match &wire {
            Wire::Left(tcp) => !tcp.buffer().is_empty(),
            Wire::Right(_) => false,
        };
        (wire, below || !self.buffer.is_empty())
    }
}
