//! A wire between a client and a server that can be held or cut at any byte, so that a test reaches
//! the middle of a run by waiting for it, not by luck.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use super::wait_for;

/// What happens to the bytes that a server sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// After so many bytes nothing more comes, on any connection, and nothing is closed.
    HoldAt(u64),
    /// After so many bytes every connection is closed, and new ones are too.
    CutAt(u64),
    /// The proxy is gone.
    Closed,
}

struct State {
    passed: u64,
    gate: Gate,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// Listens on a port of its own and passes everything on. Open until told otherwise.
pub struct Proxy {
    pub port: u16,
    shared: Shared,
}

impl Proxy {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared: Shared = Arc::new((
            Mutex::new(State {
                passed: 0,
                gate: Gate::Open,
            }),
            Condvar::new(),
        ));
        let state = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                match state.0.lock().expect("the state").gate {
                    Gate::Closed => return,
                    Gate::CutAt(0) => continue,
                    _ => {}
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                let (from_client, to_server) = (client.try_clone(), server.try_clone());
                let (Ok(from_client), Ok(to_server)) = (from_client, to_server) else {
                    continue;
                };
                let state = state.clone();
                thread::spawn(move || pass(from_client, to_server));
                thread::spawn(move || pass_gated(server, client, &state));
            }
        });
        Self { port, shared }
    }

    /// From now on, lets so many bytes of the server through and then no more.
    pub fn hold_after(&self, bytes: u64) {
        self.set(Gate::HoldAt(bytes));
    }

    /// From now on, lets so many bytes of the server through, and then closes everything for good.
    pub fn cut_after(&self, bytes: u64) {
        self.set(Gate::CutAt(bytes));
    }

    pub fn open(&self) {
        self.set(Gate::Open);
    }

    /// Whether as many bytes passed as [`Self::hold_after`] allows.
    pub fn is_held(&self) -> bool {
        let state = self.shared.0.lock().expect("the state");
        matches!(state.gate, Gate::HoldAt(limit) if state.passed >= limit)
    }

    /// Waits until everything is closed, as [`Self::cut_after`] says.
    pub fn wait_until_cut(&self) {
        let cut = wait_for(Duration::from_secs(60), || {
            matches!(self.shared.0.lock().expect("the state").gate, Gate::CutAt(0))
        });
        assert!(cut, "the server never sent as much");
    }

    pub fn wait_until_held(&self) {
        let held = wait_for(Duration::from_secs(60), || self.is_held());
        assert!(held, "the server never sent as much");
    }

    fn set(&self, gate: Gate) {
        let mut state = self.shared.0.lock().expect("the state");
        *state = State { passed: 0, gate };
        self.shared.1.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Gate::Closed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

fn pass_gated(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = vec![0; 16 << 10];
    'connection: loop {
        let read = match from.read(&mut buffer) {
            Ok(read) if read > 0 => read,
            _ => break,
        };
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            let Some(allowed) = allowed(shared, rest.len()) else {
                break 'connection;
            };
            if to.write_all(&rest[..allowed]).is_err() {
                break 'connection;
            }
            rest = &rest[allowed..];
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// How many of `wanted` bytes may pass now; waits while none may. `None`: the connection is cut.
fn allowed(shared: &Shared, wanted: usize) -> Option<usize> {
    let (lock, changed) = &**shared;
    let mut state = lock.lock().expect("the state");
    loop {
        let left = match state.gate {
            Gate::Open => u64::MAX,
            Gate::HoldAt(limit) => limit.saturating_sub(state.passed),
            Gate::CutAt(limit) if state.passed >= limit => {
                state.gate = Gate::CutAt(0);
                return None;
            }
            Gate::CutAt(limit) => limit - state.passed,
            Gate::Closed => return None,
        };
        if left > 0 {
            let allowed = wanted.min(usize::try_from(left).unwrap_or(wanted));
            state.passed += allowed as u64;
            return Some(allowed);
        }
        state = changed.wait(state).expect("the state");
    }
}
