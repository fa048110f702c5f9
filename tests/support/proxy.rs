//! A wire between a client and a server: it can be held or cut at any byte, so that a test reaches the middle of a run
//! by waiting for it, not by luck; and it can be a long and narrow one, or one that breaks again and again.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{PATIENCE, wait_for};

/// What happens to the bytes that a server sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// After this many bytes nothing more comes, on any connection, and nothing is closed.
    HoldAt(u64),
    /// After this many bytes every connection is closed, and new ones are too.
    CutAt(u64),
    /// The proxy is gone.
    Closed,
}

struct State {
    passed: u64,
    gate: Gate,
    link: Link,
    /// After how many bytes of the server's each of the next connections is cut.
    cuts: VecDeque<u64>,
    connections: u32,
}

/// What a wire is like.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Link {
    /// From a byte sent to the answer's first byte, where the other side takes no time. Half of it each way; the bytes
    /// on the way do not hold each other up.
    pub round_trip: Duration,
    /// Bytes per second that the server's side carries, on each connection; `None`: as many as there are.
    pub rate: Option<u64>,
}

/// Pieces that may be on their way in one direction of a connection that delays them, and the most bytes of each. A
/// long wire holds many.
const IN_FLIGHT: usize = 1024;
const PIECE: usize = 64 << 10;

type Shared = Arc<(Mutex<State>, Condvar)>;

/// Listens on a port of its own and passes everything on. Open until told otherwise.
pub struct Proxy {
    pub port: u16,
    shared: Shared,
}

impl Proxy {
    pub fn to(server: u16) -> Self {
        Self::over(server, Link::default())
    }

    /// A wire of this kind.
    pub fn over(server: u16, link: Link) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared: Shared = Arc::new((
            Mutex::new(State {
                passed: 0,
                gate: Gate::Open,
                link,
                cuts: VecDeque::new(),
                connections: 0,
            }),
            Condvar::new(),
        ));
        let state = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (link, cut) = {
                    let mut state = state.0.lock().expect("the state");
                    match state.gate {
                        Gate::Closed => return,
                        Gate::CutAt(0) => continue,
                        _ => {}
                    }
                    state.connections += 1;
                    (state.link, state.cuts.pop_front().unwrap_or(u64::MAX))
                };
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                // An error is a connection that is gone already.
                let _ = connect(client, server, link, cut, state.clone());
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

    /// Each of the next connections is cut after this many bytes of the server's; those after them are not.
    pub fn cut_each_after(&self, bytes: impl IntoIterator<Item = u64>) {
        let mut state = self.shared.0.lock().expect("the state");
        state.cuts = bytes.into_iter().collect();
    }

    /// How many of the cuts of [`Self::cut_each_after`] no connection has met.
    pub fn cuts_left(&self) -> usize {
        self.shared.0.lock().expect("the state").cuts.len()
    }

    /// How many connections were made.
    pub fn connections(&self) -> u32 {
        self.shared.0.lock().expect("the state").connections
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
        let cut = wait_for(PATIENCE, || {
            matches!(self.shared.0.lock().expect("the state").gate, Gate::CutAt(0))
        });
        assert!(cut, "the server never sent as much");
    }

    pub fn wait_until_held(&self) {
        let held = wait_for(PATIENCE, || self.is_held());
        assert!(held, "the server never sent as much");
    }

    /// Waits until no more may pass, and the client has read all that did.
    pub fn wait_until_read(&self) {
        self.wait_until_held();
        let read = wait_for(PATIENCE, || self.unread() == 0);
        assert!(read, "the client does not read");
    }

    /// How many bytes lie between the proxy and what its clients have read, as the system counts them.
    fn unread(&self) -> u64 {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the connections of this machine");
        let port = format!(":{:04X}", self.port);
        let of_connection = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (sent, received) = fields.get(4)?.split_once(':')?;
            let queue = match (fields[1].ends_with(&port), fields[2].ends_with(&port)) {
                (true, _) => sent,
                (_, true) => received,
                _ => return None,
            };
            u64::from_str_radix(queue, 16).ok()
        };
        table.lines().skip(1).filter_map(of_connection).sum()
    }

    fn set(&self, gate: Gate) {
        let mut state = self.shared.0.lock().expect("the state");
        (state.passed, state.gate) = (0, gate);
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

/// Passes on what a connection's sides send until one of them ends it.
fn connect(client: TcpStream, server: TcpStream, link: Link, cut: u64, shared: Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let one_way = link.round_trip / 2;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let (from_server, to_client) = (server, client);
    match one_way.is_zero() && link.rate.is_none() {
        true => {
            thread::spawn(move || pass(from_client, to_server));
            thread::spawn(move || pass_gated(from_server, to_client, cut, &shared));
        }
        false => {
            let commands = delayed(to_server, one_way, None);
            let answers = delayed(to_client, one_way, link.rate);
            thread::spawn(move || pass(from_client, commands));
            thread::spawn(move || pass_gated(from_server, answers, cut, &shared));
        }
    }
    Ok(())
}

/// Where bytes go, and how the connection to there is ended.
trait Sink: Write {
    /// Ends it behind what was written.
    fn end(&mut self);
}

impl Sink for TcpStream {
    fn end(&mut self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

/// A wire on which bytes take their time.
struct Delayed {
    /// Taken when it ends.
    pieces: Option<mpsc::SyncSender<(Instant, Vec<u8>)>>,
    one_way: Duration,
    rate: Option<u64>,
    /// When the last byte so far has left, where the rate is limited.
    left: Instant,
}

fn delayed(mut to: TcpStream, one_way: Duration, rate: Option<u64>) -> Delayed {
    let (pieces, arriving) = mpsc::sync_channel::<(Instant, Vec<u8>)>(IN_FLIGHT);
    thread::spawn(move || {
        for (due, piece) in arriving {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        to.end();
    });
    Delayed {
        pieces: Some(pieces),
        one_way,
        rate,
        left: Instant::now(),
    }
}

impl Write for Delayed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = Instant::now();
        let sending = match self.rate {
            Some(rate) => Duration::from_secs_f64(bytes.len() as f64 / rate as f64),
            None => Duration::ZERO,
        };
        self.left = self.left.max(now) + sending;
        let piece = (self.left + self.one_way, bytes.to_vec());
        let sent = self.pieces.as_ref().and_then(|pieces| pieces.send(piece).ok());
        sent.map(|()| bytes.len()).ok_or(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Delayed {
    fn end(&mut self) {
        self.pieces = None;
    }
}

fn pass(mut from: TcpStream, mut to: impl Sink) {
    let mut buffer = vec![0; PIECE];
    while let Ok(read) = from.read(&mut buffer)
        && read > 0
        && to.write_all(&buffer[..read]).is_ok()
    {}
    to.end();
}

fn pass_gated(mut from: TcpStream, mut to: impl Sink, cut: u64, shared: &Shared) {
    let mut buffer = vec![0; PIECE];
    let mut left = cut;
    'connection: while left > 0 {
        let read = match from.read(&mut buffer) {
            Ok(read) if read > 0 => read,
            _ => break,
        };
        let read = read.min(usize::try_from(left).unwrap_or(read));
        left -= read as u64;
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
    to.end();
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
