//! A mail server for IMAP and POP3 that keeps a mailbox, answers several connections at a time, and misbehaves
//! where it is told to: each [`Fault`] says at which command, and what is wrong with the answer. Without faults it
//! is an honest server.

mod fault;
mod imap;
mod mailbox;
mod pop3;

use std::{
    io,
    net::TcpStream,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use rustls::ServerConfig;

use crate::support::{
    PATIENCE,
    listening::Listening,
    tls::{Wire, wire},
};
use fault::{Effect, Heard};
pub use fault::{Fault, at, replaced};
pub use mailbox::{Folder, Mailbox, Message};

pub const PASSWORD: &str = "correct-horse-7";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Imap,
    Pop3,
}

impl Protocol {
    pub fn access(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }
}

/// What all connections share.
struct State {
    protocol: Protocol,
    mailbox: Mutex<Mailbox>,
    faults: Mutex<Vec<Fault>>,
    /// What the server says it can do.
    capabilities: Mutex<Vec<String>>,
    /// For each connection the next one; the last stays. Empty: no TLS.
    certificates: Vec<Arc<ServerConfig>>,
    connections: AtomicU32,
    heard: Mutex<Vec<String>>,
}

/// Nothing here is left half done by a panic of another connection.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server. Dropping it ends it, and every connection.
pub struct Server {
    pub port: u16,
    state: Arc<State>,
    _listening: Listening,
}

impl Server {
    pub fn start(protocol: Protocol, mailbox: Mailbox) -> Self {
        Self::start_with_tls(protocol, mailbox, Vec::new())
    }

    /// The first connection is given the first certificate, the next the second; the last one stays.
    pub fn start_with_tls(protocol: Protocol, mailbox: Mailbox, certificates: Vec<Arc<ServerConfig>>) -> Self {
        let capabilities = match protocol {
            Protocol::Imap => "IMAP4rev1 UIDPLUS MOVE IDLE AUTH=PLAIN"
                .split(' ')
                .map(str::to_owned)
                .collect(),
            Protocol::Pop3 => ["USER", "UIDL", "TOP", "PIPELINING"].map(str::to_owned).to_vec(),
        };
        let state = Arc::new(State {
            protocol,
            mailbox: Mutex::new(mailbox),
            faults: Mutex::default(),
            capabilities: Mutex::new(capabilities),
            certificates,
            connections: AtomicU32::new(0),
            heard: Mutex::default(),
        });
        let shared = state.clone();
        // A client that goes away ends its connection, and nothing else.
        let listening = Listening::start(move |tcp, number| serve(tcp, number, shared.clone()));
        Self {
            port: listening.port,
            state,
            _listening: listening,
        }
    }

    /// From now on the server misbehaves so.
    pub fn misbehave(&self, faults: Vec<Fault>) {
        *lock(&self.state.faults) = faults;
    }

    pub fn behave(&self) {
        self.misbehave(Vec::new());
    }

    /// Whether all faults told were set off, or need not be.
    pub fn played(&self) -> bool {
        lock(&self.state.faults).iter().all(Fault::was_played)
    }

    pub fn capabilities(&self, capabilities: &[&str]) {
        *lock(&self.state.capabilities) = capabilities.iter().map(|one| (*one).to_owned()).collect();
    }

    pub fn mailbox<T>(&self, work: impl FnOnce(&mut Mailbox) -> T) -> T {
        work(&mut lock(&self.state.mailbox))
    }

    /// The commands so far, of all connections, without what they carried to log in.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.state.heard).clone()
    }

    pub fn connections(&self) -> u32 {
        self.state.connections.load(Ordering::SeqCst)
    }
}

fn serve(tcp: TcpStream, number: u32, state: Arc<State>) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    state.connections.fetch_add(1, Ordering::SeqCst);
    let certificate = state.certificates.get(number as usize - 1);
    let certificate = certificate.or(state.certificates.last()).cloned();
    let mut line = Line {
        wire: wire(tcp.try_clone()?, certificate)?,
        tcp,
        buffer: Vec::new(),
        state,
    };
    match line.state.protocol {
        Protocol::Imap => imap::serve(&mut line),
        Protocol::Pop3 => pop3::serve(&mut line),
    }
}

/// One piece of an answer; of a message, or of none.
struct Part {
    /// [`Message::id`].
    of: Option<u32>,
    bytes: Vec<u8>,
}

fn part(bytes: impl Into<Vec<u8>>) -> Part {
    Part {
        of: None,
        bytes: bytes.into(),
    }
}

/// A connection, as the protocols see it.
struct Line {
    wire: Box<dyn Wire>,
    tcp: TcpStream,
    buffer: Vec<u8>,
    state: Arc<State>,
}

impl Line {
    /// The next line without its end; `None` when the client has gone.
    fn hear(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line);
                return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
            }
            let mut read = [0; 4096];
            match self.wire.read(&mut read)? {
                0 => return Ok(None),
                count => self.buffer.extend_from_slice(&read[..count]),
            }
        }
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes)?;
        self.wire.flush()
    }

    fn note(&self, line: &str) {
        lock(&self.state.heard).push(line.to_owned());
    }

    /// The faults that this command sets off. What they do to the mailbox is done.
    fn due(&self, heard: &Heard<'_>) -> Vec<(Option<u32>, Effect)> {
        let due: Vec<_> = lock(&self.state.faults)
            .iter_mut()
            .filter_map(|fault| fault.due(heard))
            .collect();
        for (_, effect) in &due {
            if let Effect::Meanwhile(work) = effect {
                work(&mut lock(&self.state.mailbox));
            }
        }
        due
    }

    /// Sends an answer, with these faults in it.
    ///
    /// # Errors
    /// The client has gone, or a fault ends the connection.
    fn answer(&mut self, parts: Vec<Part>, faults: &[(Option<u32>, Effect)], tag: &str) -> io::Result<()> {
        let mut parts = parts;
        let mut pace = None;
        let mut end = None;
        let tagged = |text: &[u8]| replaced(text, b"{tag}", tag.as_bytes());
        for (of, effect) in faults {
            match effect {
                Effect::Meanwhile(_) => {}
                Effect::Drip(pause) => pace = Some(*pause),
                Effect::Change(change) => match of {
                    Some(_) => parts
                        .iter_mut()
                        .filter(|part| part.of == *of)
                        .for_each(|part| part.bytes = change(std::mem::take(&mut part.bytes))),
                    None => {
                        let whole = parts.iter().flat_map(|part| part.bytes.clone()).collect();
                        parts = vec![part(change(whole))];
                    }
                },
                Effect::Ahead(text) => {
                    let place = parts.iter().position(|part| part.of == *of).unwrap_or(0);
                    parts.insert(if of.is_some() { place } else { 0 }, part(tagged(text)));
                }
                Effect::Instead(text) => match of {
                    Some(_) => parts
                        .iter_mut()
                        .filter(|part| part.of == *of)
                        .for_each(|part| part.bytes = tagged(text)),
                    None => parts = vec![part(tagged(text))],
                },
                Effect::Cut(_) | Effect::Hang(_) | Effect::Endless(_) => end = Some((*of, effect)),
            }
        }
        // How many bytes pass before the end.
        let before = |of: Option<u32>| -> usize {
            let earlier = parts.iter().take_while(|part| of.is_some() && part.of != of);
            earlier.map(|part| part.bytes.len()).sum()
        };
        let limit = match end {
            Some((of, Effect::Cut(bytes) | Effect::Hang(bytes))) => before(of).saturating_add(*bytes),
            Some((of, _)) => before(of),
            None => usize::MAX,
        };
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
        let sent = &whole[..whole.len().min(limit)];
        match pace {
            None => self.say(sent)?,
            Some(pause) => {
                for byte in sent {
                    self.say(&[*byte])?;
                    thread::sleep(pause);
                }
            }
        }
        match end {
            None => return Ok(()),
            Some((_, Effect::Hang(_))) => {
                let mut rest = [0; 4096];
                while self.wire.read(&mut rest)? > 0 {}
            }
            Some((_, Effect::Endless(text))) => loop {
                self.say(text)?;
            },
            Some(_) => {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}
