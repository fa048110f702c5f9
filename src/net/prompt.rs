//! TCP that acknowledges at once what it gets.
//!
//! Servers send an answer in several small writes, a status line and then the message, and their system holds the
//! second one back until the first is acknowledged (RFC 896). Ours acknowledges late on connections on which both sides
//! speak in turn (RFC 1122, 4.2.3.2), so that each answer waits for 40 ms or more, whatever the distance.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The first bytes that a server sent.
pub(crate) type First = Arc<OnceLock<Box<[u8]>>>;

/// So many of them are kept: the beginning of a line tells what speaks.
const FIRST: usize = 128;

/// A TCP connection that acknowledges at once, and keeps what came first.
#[derive(Debug)]
pub(crate) struct Prompt(TcpStream, First);

impl Prompt {
    pub fn new(tcp: TcpStream) -> Self {
        // Commands are small and wait for their answers: nothing is gained by holding them back.
        let _ = tcp.set_nodelay(true);
        Self(tcp, First::default())
    }

    /// What the server sends first, once it came.
    pub fn first(&self) -> First {
        self.1.clone()
    }

    /// Linux forgets it with each thing that is sent, so it is said after each. What is read until then is acknowledged
    /// as it is read.
    #[cfg(target_os = "linux")]
    fn acknowledge_at_once(&self) {
        // Without it, answers come later, and that is all.
        let _ = rustix::net::sockopt::set_tcp_quickack(&self.0, true);
    }

    #[cfg(not(target_os = "linux"))]
    fn acknowledge_at_once(&self) {}
}

impl AsyncRead for Prompt {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.0).poll_read(cx, buf);
        let came = &buf.filled()[before..];
        if !came.is_empty() {
            this.1.get_or_init(|| came[..came.len().min(FIRST)].into());
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.0).poll_write(cx, buf);
        if written.is_ready() {
            this.acknowledge_at_once();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }

    // Vectored writes, which rustls makes, go to the stream as they are.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.0).poll_write_vectored(cx, bufs);
        if written.is_ready() {
            this.acknowledge_at_once();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
