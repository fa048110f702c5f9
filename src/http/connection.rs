//! A connection: for one request, and not for long.

use std::{
    any::Any,
    cell::Cell,
    os::fd::{AsFd, OwnedFd},
    rc::Rc,
    time::Duration,
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{HttpRequest, dev::Extensions, rt::net::TcpStream};
use rustix::net::{Shutdown, shutdown};
use tokio::task::JoinHandle;

/// How long a connection may last, whatever is done with it. Who takes nothing of an answer would hold it for good.
const MOST: Duration = Duration::from_secs(30);

pub(super) struct Connection {
    socket: Rc<OwnedFd>,
    asked: Cell<bool>,
    ending: JoinHandle<()>,
}

impl Connection {
    /// A connection has begun; over TLS, after the handshake.
    pub fn begun(stream: &dyn Any, data: &mut Extensions) {
        let over_tls = || stream.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
        let tcp = stream.downcast_ref::<TcpStream>().or_else(over_tls);
        // Without a descriptor to spare it is bounded by what actix-http bounds.
        let Some(Ok(socket)) = tcp.map(|tcp| tcp.as_fd().try_clone_to_owned()) else {
            return;
        };
        let socket = Rc::new(socket);
        let late = socket.clone();
        let ending = actix_rt::spawn(async move {
            tokio::time::sleep(MOST).await;
            end(&late);
        });
        data.insert(Self {
            socket,
            asked: Cell::new(false),
            ending,
        });
    }

    /// Whether this is the connection's first request; with a second one it ends. actix-http takes requests in advance
    /// though they are told that the connection closes, and goes round at full speed as long as nobody takes the answers.
    pub async fn is_first(request: &HttpRequest) -> bool {
        let Some(connection) = request.conn_data::<Self>() else {
            return true;
        };
        if !connection.asked.replace(true) {
            return true;
        }
        // The answer to the first one goes out before.
        tokio::task::yield_now().await;
        end(&connection.socket);
        false
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.ending.abort();
    }
}

fn end(socket: &OwnedFd) {
    // The client may have ended it.
    let _ = shutdown(socket, Shutdown::Both);
}
