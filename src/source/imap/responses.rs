//! Responses over a guarded stream, one after the other, each as it was sent.

use bytes::BytesMut;

use super::{
    framing::{Frame, Framing, NAMES, Oversize},
    screen::Framed,
};
use crate::{
    net::READ_BUFFER,
    source::{SourceError, guard::Guard},
};

/// From this many bytes on a response keeps the buffer that it was read into.
pub(super) const KEEP_BLOCK: usize = 256 << 10;

/// Room to read into: with as much as the wire's own buffer has, what comes bypasses that.
const ROOM: usize = READ_BUFFER;

/// Room behind a literal for the end of its response.
const BEHIND: usize = 4 << 10;

/// A response, taken out of the stream.
pub(super) struct Taken {
    pub block: BytesMut,
    frame: Frame,
}

impl Taken {
    pub fn framed(&self) -> Framed<'_> {
        Framed {
            bytes: &self.block,
            literals: &self.frame.literals,
        }
    }
}

/// A guarded stream, read by responses.
pub(super) struct Responses {
    host: String,
    guard: Guard,
    buffer: BytesMut,
    framing: Framing,
    /// What the literals of one response may have together, in bytes.
    most: u64,
}

impl Responses {
    pub fn new(host: &str, guard: Guard) -> Self {
        Self {
            host: host.to_owned(),
            guard,
            buffer: BytesMut::with_capacity(2 * ROOM),
            framing: Framing::default(),
            most: NAMES,
        }
    }

    pub fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }

    /// A new command begins: the server may send `allowance` bytes until the next one.
    pub fn allow(&mut self, allowance: u64) {
        self.guard.allow(allowance);
        self.most = NAMES;
    }

    /// Until the next command, the literals of one response may have so many bytes. However much a command is answered
    /// with, its responses come one by one, and only they are held whole.
    pub fn allow_literals(&mut self, most: u64) {
        self.most = most;
    }

    /// Sends a line as it is.
    ///
    /// # Errors
    /// The connection is lost, or the server takes nothing for the whole time-out.
    pub async fn send(&mut self, command: &str, line: &str) -> Result<(), SourceError> {
        self.guard.send(&self.host, command, line.as_bytes()).await
    }

    /// The next response. It can be left off at any point: what came of it stays.
    ///
    /// # Errors
    /// The connection is lost or silent, or it sends what the command does not allow for.
    pub async fn next(&mut self, command: &str) -> Result<Taken, SourceError> {
        loop {
            let looked = self.framing.look(&self.buffer, self.most, self.guard.left());
            let frame = looked.map_err(|Oversize { limit }| SourceError::TooMuch {
                command: command.to_owned(),
                allowed: limit,
            })?;
            if let Some(frame) = frame {
                return Ok(self.take(frame));
            }
            let coming = self.framing.needs().saturating_sub(self.buffer.len());
            self.buffer.reserve(match coming {
                0 => ROOM,
                literal => ROOM.max(literal + BEHIND),
            });
            self.guard.fill(&self.host, command, &mut self.buffer).await?;
        }
    }

    fn take(&mut self, frame: Frame) -> Taken {
        let block = self.buffer.split_to(frame.end);
        if frame.end >= KEEP_BLOCK {
            // What is left must not keep all of it, which others hold for long, or not at all any more.
            let mut rest = BytesMut::with_capacity(2 * ROOM.max(self.buffer.len()));
            rest.extend_from_slice(&self.buffer);
            self.buffer = rest;
        }
        Taken { block, frame }
    }
}
