//! A connection: it is for requests that come one after the other, and for none that holds it up.

use std::{
    any::Any,
    cell::Cell,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::Extensions,
    rt::net::TcpStream,
};
use bytes::Bytes;

use super::crowd::Entered;
use rustix::net::{Shutdown, shutdown};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// Connections at once; further ones wait until one of them ends.
pub(super) const CONNECTIONS: usize = 512;
/// As long as there are more than so many, each is for one request, so that idle ones keep nobody out.
const CROWDED: usize = CONNECTIONS / 2;
/// Requests over one connection.
pub(super) const REQUESTS: u32 = 100;
/// How long a connection lasts after a request began, or after the client took something of its answer, as long as it is the
/// client who is waited for. One that takes nothing, or sends the next header byte by byte, would hold it for good.
const MOST: Duration = Duration::from_secs(30);
/// How long a connection lasts that has its last answer, so that the answer arrives.
const LAST: Duration = Duration::from_secs(2);

/// How many connections there are.
pub(super) type Seats = Arc<AtomicUsize>;

pub(super) struct Connection {
    inner: Rc<Inner>,
    seats: Seats,
    watching: JoinHandle<()>,
}

struct Inner {
    socket: OwnedFd,
    ends: Cell<Instant>,
    /// It is our answer that is waited for, however long that takes.
    is_ours: Cell<bool>,
    requests: Cell<u32>,
    /// Set from when a request begins until we wait for the next one.
    is_busy: Cell<bool>,
    /// Set once it ends, whatever the client takes.
    is_ending: Cell<bool>,
    /// Told when an answer is written.
    answered: Notify,
}

impl Connection {
    /// A connection has begun; over TLS, after the handshake.
    pub fn begun(stream: &dyn Any, data: &mut Extensions, seats: &Seats) {
        let over_tls = || stream.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
        let tcp = stream.downcast_ref::<TcpStream>().or_else(over_tls);
        // Without a descriptor to spare it is for one request, and bounded by what actix-http bounds.
        let Some(Ok(socket)) = tcp.map(|tcp| tcp.as_fd().try_clone_to_owned()) else {
            return;
        };
        let inner = Rc::new(Inner {
            socket,
            ends: Cell::new(Instant::now() + MOST),
            is_ours: Cell::new(false),
            requests: Cell::new(0),
            is_busy: Cell::new(false),
            is_ending: Cell::new(false),
            answered: Notify::new(),
        });
        seats.fetch_add(1, Ordering::Relaxed);
        data.insert(Self {
            watching: actix_rt::spawn(watch(inner.clone())),
            seats: seats.clone(),
            inner,
        });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.watching.abort();
        self.seats.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn watch(inner: Rc<Inner>) {
    loop {
        let now = Instant::now();
        let until = match inner.is_ours.get() {
            // Before it can end: that is as long again from when our part was done.
            true => now + MOST,
            false => inner.ends.get(),
        };
        if until <= now {
            break;
        }
        tokio::select! {
            () = inner.answered.notified() => inner.is_busy.set(false),
            () = sleep_until(until) => {}
        }
    }
    inner.end();
}

impl Inner {
    fn end(&self) {
        // The client may have ended it.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }
}

/// A request, among those of its connection.
pub(super) struct Turn {
    inner: Option<Rc<Inner>>,
    is_early: bool,
    is_last: bool,
}

impl Turn {
    /// A request begins.
    pub fn of(request: &HttpRequest) -> Self {
        let Some(connection) = request.conn_data::<Connection>() else {
            return Self {
                inner: None,
                is_early: false,
                is_last: true,
            };
        };
        let inner = connection.inner.clone();
        let requests = inner.requests.get() + 1;
        inner.requests.set(requests);
        let is_early = inner.is_busy.replace(true);
        if !is_early {
            inner.ends.set(Instant::now() + MOST);
        }
        Self {
            is_early,
            is_last: requests >= REQUESTS || connection.seats.load(Ordering::Relaxed) > CROWDED,
            inner: Some(inner),
        }
    }

    /// Whether the request was sent before the answer to the one before it. actix-http takes such requests though
    /// nobody takes their answers, and goes round at full speed meanwhile.
    pub fn is_early(&self) -> bool {
        self.is_early
    }

    /// Whether the connection is for no further request.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// Ends the connection, once the answers before this request are written.
    pub async fn end(&self) {
        tokio::task::yield_now().await;
        if let Some(inner) = &self.inner {
            inner.end();
        }
    }

    /// The request is here, and what its answer takes is our time.
    pub fn takes_our_time(&self) {
        if let Some(inner) = self.going_on() {
            inner.is_ours.set(true);
        }
    }

    /// Ends the connection once the answer had time to arrive.
    pub fn end_soon(&self) {
        if let Some(inner) = &self.inner {
            inner.is_ours.set(false);
            inner.ends.set(Instant::now() + LAST);
            inner.is_ending.set(true);
            // The watch must see it.
            inner.answered.notify_one();
        }
    }

    /// The answer's body. Until it is written, the next request is early.
    pub fn with(self, body: BoxBody, entered: Option<Entered>) -> Answering {
        self.goes_on();
        Answering {
            body,
            turn: self,
            _entered: entered,
        }
    }

    fn going_on(&self) -> Option<&Rc<Inner>> {
        self.inner.as_ref().filter(|inner| !inner.is_ending.get())
    }

    /// The client takes something of the answer: more of it is asked for only when there is room again for what is sent.
    fn goes_on(&self) {
        if let Some(inner) = self.going_on() {
            inner.is_ours.set(false);
            inner.ends.set(Instant::now() + MOST);
        }
    }
}

/// The body of an answer that is being written.
pub(super) struct Answering {
    body: BoxBody,
    turn: Turn,
    /// Until it is written, the request counts among those of its address.
    _entered: Option<Entered>,
}

impl Drop for Answering {
    fn drop(&mut self) {
        // The watch gets its turn when actix-http waits for the client again.
        if let Some(inner) = self.turn.inner.as_ref().filter(|_| !self.turn.is_early) {
            inner.is_ours.set(false);
            inner.answered.notify_one();
        }
    }
}

impl MessageBody for Answering {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        match &next {
            Poll::Ready(_) => self.turn.goes_on(),
            // There is room for more than we have.
            Poll::Pending => self.turn.takes_our_time(),
        }
        next
    }
}
