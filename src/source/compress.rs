//! What lies between a guard and its wire: the bytes as they are, or deflated (RFC 4978).
//!
//! The guard counts what comes out of here, so an answer that inflates beyond what its command allows for is stopped
//! like any other.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Deflated bytes that are read at once, and that may wait to be sent.
const BUFFER: usize = 16 << 10;

/// A wire, and the compression on it.
pub(super) struct Deflating<W> {
    pub wire: W,
    deflated: Option<Box<Deflated>>,
}

/// The state of both directions.
struct Deflated {
    inflate: Decompress,
    /// Read, and not yet inflated.
    incoming: Vec<u8>,
    inflated: usize,
    /// The server ended its stream.
    ended: bool,
    deflate: Compress,
    /// Deflated, and not yet sent.
    outgoing: Vec<u8>,
    sent: usize,
    /// Bytes were deflated that no flush has pushed out yet.
    unflushed: bool,
}

impl<W> Deflating<W> {
    pub fn new(wire: W) -> Self {
        Self { wire, deflated: None }
    }

    /// From here on both sides deflate. Nothing may be on its way.
    pub fn deflate(&mut self) {
        self.deflated = Some(Box::new(Deflated {
            // Without zlib's header, as the RFC has it.
            inflate: Decompress::new(false),
            incoming: Vec::with_capacity(BUFFER),
            inflated: 0,
            ended: false,
            // Commands are short; what they cost lies elsewhere.
            deflate: Compress::new(Compression::fast(), false),
            outgoing: Vec::with_capacity(BUFFER),
            sent: 0,
            unflushed: false,
        }));
    }
}

impl Deflated {
    fn poll_read(
        &mut self,
        wire: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.ended || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            // Also without input: what was inflated may not have fitted the last time.
            let (read, given) = (self.inflate.total_in(), self.inflate.total_out());
            let input = &self.incoming[self.inflated..];
            let status = self
                .inflate
                .decompress(input, buf.initialize_unfilled(), FlushDecompress::Sync);
            let status = status.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not deflated"))?;
            self.inflated += (self.inflate.total_in() - read) as usize;
            self.ended = status == Status::StreamEnd;
            let produced = (self.inflate.total_out() - given) as usize;
            if produced > 0 {
                buf.advance(produced);
                return Poll::Ready(Ok(()));
            }
            let stuck = status == Status::BufError && self.inflated < self.incoming.len();
            if stuck {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "it is not deflated")));
            }
            if self.inflated == self.incoming.len() && !self.ended {
                self.incoming.resize(BUFFER, 0);
                self.inflated = self.incoming.len();
                let mut room = ReadBuf::new(&mut self.incoming);
                let polled = Pin::new(&mut *wire).poll_read(cx, &mut room);
                let filled = room.filled().len();
                if let Poll::Ready(Ok(())) = polled {
                    self.incoming.truncate(filled);
                    self.inflated = 0;
                }
                ready!(polled)?;
                if filled == 0 {
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    fn poll_write(
        &mut self,
        wire: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.outgoing.len() - self.sent >= BUFFER {
            ready!(self.poll_send(wire, cx))?;
        }
        let taken = self.deflate.total_in();
        self.outgoing.reserve(BUFFER);
        self.deflate
            .compress_vec(bytes, &mut self.outgoing, FlushCompress::None)
            .map_err(io::Error::other)?;
        self.unflushed = true;
        Poll::Ready(Ok((self.deflate.total_in() - taken) as usize))
    }

    fn poll_flush(&mut self, wire: &mut (impl AsyncWrite + Unpin), cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unflushed {
            self.outgoing.reserve(BUFFER);
            self.deflate
                .compress_vec(&[], &mut self.outgoing, FlushCompress::Sync)
                .map_err(io::Error::other)?;
            // Where the room was used up, there may be more.
            self.unflushed = self.outgoing.len() == self.outgoing.capacity();
        }
        ready!(self.poll_send(wire, cx))?;
        Pin::new(wire).poll_flush(cx)
    }

    fn poll_send(&mut self, wire: &mut (impl AsyncWrite + Unpin), cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            let sent = ready!(Pin::new(&mut *wire).poll_write(cx, &self.outgoing[self.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        self.outgoing.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncRead + Unpin> AsyncRead for Deflating<W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { wire, deflated } = self.get_mut();
        match deflated {
            Some(deflated) => deflated.poll_read(wire, cx, buf),
            None => Pin::new(wire).poll_read(cx, buf),
        }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Deflating<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { wire, deflated } = self.get_mut();
        match deflated {
            Some(deflated) => deflated.poll_write(wire, cx, bytes),
            None => Pin::new(wire).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { wire, deflated } = self.get_mut();
        match deflated {
            Some(deflated) => deflated.poll_flush(wire, cx),
            None => Pin::new(wire).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().wire).poll_shutdown(cx)
    }
}
