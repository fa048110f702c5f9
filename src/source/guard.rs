//! The stream under every session: it fails when the server falls silent, and when it sends
//! more than the running command allows for. So a session never hangs, and what it buffers is
//! bounded, whatever the server does.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_util::either::Either;

use super::{
    compress::Deflating,
    error::{CLOSED, SourceError},
};
use crate::{harmless::plain, net::Tcp};

/// What the bytes travel on: TCP on which TLS may still begin, or TLS. Tests and fuzz targets play the server on a
/// stream of their own.
pub(super) type Wire = Either<Tcp, Box<dyn Stream>>;

/// A stream, whatever it is.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A [`Wire`] with an idle time-out and a byte allowance, which counts inflated bytes.
pub(super) struct Guard {
    line: Deflating<Wire>,
    timeout: Duration,
    /// How long beyond the time-out the running command may take.
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    /// Whether `timer` runs: it is set when the wire first makes us wait, and any progress stops it.
    waiting: bool,
    allowed: u64,
    left: u64,
    /// Bytes received; others look at it.
    received: Arc<AtomicU64>,
}

/// Why the guard failed a read or a write; the source of an [`io::Error`].
#[derive(thiserror::Error, Debug)]
enum Stopped {
    #[error("no progress")]
    Silent(Duration),
    #[error("more than was announced")]
    TooMuch(u64),
}

impl Guard {
    pub fn new(wire: Wire, timeout: Duration, received: Arc<AtomicU64>) -> Self {
        Self {
            line: Deflating::new(wire),
            timeout,
            patience: Duration::ZERO,
            timer: Box::pin(sleep(timeout)),
            waiting: false,
            allowed: 0,
            left: 0,
            received,
        }
    }

    /// A new command begins: the server may send `allowance` bytes until the next one.
    pub fn allow(&mut self, allowance: u64) {
        self.allowed = allowance;
        self.left = allowance;
        self.be_patient(Duration::ZERO);
    }

    /// Bytes that the server may still send until the next command.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Until the next command, or until this is said anew, the server may be silent for so long beyond its time-out.
    pub fn be_patient(&mut self, beyond: Duration) {
        self.patience = beyond;
        self.waiting = false;
    }

    /// Sends bytes of `command`, which is how errors name it.
    ///
    /// # Errors
    /// The connection is lost, or the server takes nothing for the whole time-out.
    pub async fn send(&mut self, host: &str, command: &str, bytes: &[u8]) -> Result<(), SourceError> {
        let sent = async {
            self.write_all(bytes).await?;
            self.flush().await
        };
        sent.await.map_err(|error| failure(host, command, &error))
    }

    /// Reads more bytes into the buffer, at least one.
    ///
    /// # Errors
    /// The connection is lost or silent, or the command's allowance is used up.
    pub async fn fill(&mut self, host: &str, command: &str, buffer: &mut BytesMut) -> Result<(), SourceError> {
        let read = match self.read_buf(buffer).await {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        read.map_err(|error| failure(host, command, &error))
    }

    /// The wire below, with whatever it has buffered.
    pub fn into_wire(self) -> Wire {
        self.line.wire
    }

    /// From here on both sides deflate what they send (RFC 4978).
    pub fn deflate(&mut self) {
        self.line.deflate();
    }

    /// Fails once the wire has made us wait for the whole time-out.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if !self.waiting {
            self.waiting = true;
            let deadline = Instant::now() + self.timeout + self.patience;
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
        self.waiting = false;
        let silent = Stopped::Silent(self.timeout);
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, silent))
    }

    fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Deflating<Wire>>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match write(Pin::new(&mut self.line), cx) {
            Poll::Ready(done) => {
                self.waiting = false;
                Poll::Ready(done)
            }
            Poll::Pending => self.poll_silence(cx).map(Err),
        }
    }

    /// Charges what was read to the running command.
    fn charge(&mut self, bytes: usize) -> io::Result<()> {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(io::Error::other(Stopped::TooMuch(self.allowed))),
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.line).poll_read(cx, buf) {
            Poll::Ready(done) => {
                this.waiting = false;
                done?;
                Poll::Ready(this.charge(buf.filled().len() - before))
            }
            Poll::Pending => this.poll_silence(cx).map(Err),
        }
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_with(cx, |wire, cx| wire.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self
            .get_mut()
            .poll_write_with(cx, |wire, cx| wire.poll_flush(cx).map_ok(|()| 0));
        flushed.map_ok(|_| ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = self
            .get_mut()
            .poll_write_with(cx, |wire, cx| wire.poll_shutdown(cx).map_ok(|()| 0));
        closed.map_ok(|_| ())
    }
}

impl fmt::Debug for Guard {
    /// Says nothing of what passed through.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("timeout", &self.timeout)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// What an I/O error of a guarded stream means for the running command.
pub(super) fn failure(host: &str, command: &str, error: &io::Error) -> SourceError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Stopped>()) {
        Some(Stopped::Silent(after)) => SourceError::Timeout {
            host: host.to_owned(),
            during: format!(" during {command}"),
            after: *after,
            step: None,
        },
        Some(Stopped::TooMuch(allowed)) => SourceError::TooMuch {
            command: command.to_owned(),
            allowed: *allowed,
        },
        None => SourceError::Lost {
            command: command.to_owned(),
            words: match error.kind() {
                io::ErrorKind::UnexpectedEof => CLOSED.to_owned(),
                _ => plain(&error.to_string()),
            },
        },
    }
}
