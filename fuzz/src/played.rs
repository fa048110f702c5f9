//! Somebody who plays a server: says the bytes of an input, whatever is asked.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that gives an input in pieces, and then ends or falls silent. What is written to it is forgotten.
#[derive(Debug)]
pub struct Played {
    rest: Vec<u8>,
    at: usize,
    /// The most bytes that one read gives.
    piece: usize,
    silent: bool,
}

impl Played {
    /// Of `how`, the lowest bit says whether the end is silence; the others choose the pieces.
    pub fn new(input: &[u8], how: u8) -> Self {
        let piece = match how >> 1 & 3 {
            0 => usize::MAX,
            1 => 1,
            2 => 7,
            _ => 1_000,
        };
        Self {
            rest: input.to_vec(),
            at: 0,
            piece,
            silent: how & 1 == 1,
        }
    }
}

impl AsyncRead for Played {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let rest = &this.rest[this.at..];
        if rest.is_empty() && this.silent {
            // Nobody wakes the reader but its own time-out.
            return Poll::Pending;
        }
        let given = rest.len().min(this.piece).min(buf.remaining());
        buf.put_slice(&rest[..given]);
        this.at += given;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Played {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
