//! What listens on loopback for a test, at a port that was free.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream},
    ops::Range,
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

/// A listener that nobody serves yet, and its port.
pub fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    (listener, port)
}

/// Ports below those that the system chooses from where any will do (ip_local_port_range).
const NAMED: Range<u32> = 10_000..32_000;

/// A port that nobody has at this moment, for a program that is told to listen there, and does so later. What others
/// connect from or listen at meanwhile is above these; each process of tests begins at another one.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let count = NAMED.end - NAMED.start;
    let begins = process::id() % count * 61;
    let tried = (0..count).map(|_| begins + TAKEN.fetch_add(1, Ordering::Relaxed));
    let mut ports = tried.map(|number| (NAMED.start + number % count) as u16);
    let free = ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.expect("a free port")
}

/// A port at which connections are refused. It is bound as long as this lives, so nobody else begins to listen there.
pub struct Refusing {
    pub port: u16,
    _bound: OwnedFd,
}

pub fn refusing() -> Refusing {
    let bound = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&bound, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = getsockname(&bound).expect("its address");
    let address = SocketAddrV4::try_from(address).expect("an address of IPv4");
    Refusing {
        port: address.port(),
        _bound: bound,
    }
}

/// A server that has a thread for each client. Dropping it ends it, and every connection.
pub struct Listening {
    pub port: u16,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    ends: AtomicBool,
    /// The open connections, by their number.
    open: Mutex<BTreeMap<u32, TcpStream>>,
}

impl Listening {
    /// `serve` gets each connection and its number, counted from 1; when it is done, the connection is closed.
    pub fn start<R>(serve: impl Fn(TcpStream, u32) -> R + Send + Sync + 'static) -> Self {
        let (listener, port) = listen();
        let state = Arc::new(State::default());
        let (shared, serve) = (state.clone(), Arc::new(serve));
        let accepting = thread::spawn(move || {
            for (number, client) in (1..).zip(listener.incoming().flatten()) {
                let (state, serve) = (shared.clone(), serve.clone());
                let Ok(other) = client.try_clone() else { continue };
                state.open.lock().expect("the connections").insert(number, other);
                // Looked at behind the insertion, so that whoever ends it sees this connection.
                if state.ends.load(Ordering::SeqCst) {
                    return;
                }
                thread::spawn(move || {
                    // Whatever becomes of it, the client hears of its end.
                    let _ = catch_unwind(AssertUnwindSafe(|| drop(serve(client, number))));
                    let served = state.open.lock().expect("the connections").remove(&number);
                    let _ = served.map(|served| served.shutdown(Shutdown::Both));
                });
            }
        });
        Self {
            port,
            state,
            accepting: Some(accepting),
        }
    }

    /// Greets, says nothing more, and calls `heard` whenever a client has said something.
    pub fn hanging(greeting: &'static str, heard: impl Fn() + Send + Sync + 'static) -> Self {
        Self::start(move |mut client, _| {
            let _ = client.write_all(greeting.as_bytes());
            let mut bytes = [0; 1024];
            while client.read(&mut bytes).is_ok_and(|read| read > 0) {
                heard();
            }
        })
    }

    /// Sends an endless greeting, a byte at a time with this pause behind each: never silent, and gets nowhere.
    pub fn trickling(pause: Duration) -> Self {
        Self::start(move |mut client, _| {
            let _ = client.set_read_timeout(Some(pause));
            for byte in b"* OK ".iter().copied().chain(std::iter::repeat(b'x')) {
                // Hearing paces it, and tells when the client has gone.
                let mut heard = [0];
                if client.write_all(&[byte]).is_err() || matches!(client.read(&mut heard), Ok(0)) {
                    return;
                }
            }
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.state.ends.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for client in self.state.open.lock().expect("the connections").values() {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}
