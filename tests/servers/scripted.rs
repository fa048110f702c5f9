//! A mail server that plays a script: what it hears it compares, what it is to say it says, byte for byte. For
//! everything a well-behaved server does not do, over IMAP and over POP3.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread::JoinHandle,
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use rustls::ServerConfig;

use crate::{
    mailserver::replaced,
    support::{
        PATIENCE,
        listening::listen,
        tls::{Wire, wire},
    },
};

/// One move of the script. At its end the connection is closed.
#[derive(Clone)]
pub enum Move {
    /// Hears a line, which must contain this text. Over IMAP its first word is the tag.
    Hear(String),
    /// Sends these bytes, with the tag last heard in place of `{tag}`.
    Say(Vec<u8>),
    /// Hears a line, and sends these bytes.
    Answer(String, Vec<u8>),
    /// Begins TLS.
    Tls(Arc<ServerConfig>),
    /// Both sides deflate from here on (RFC 4978).
    Deflate,
    /// What is sent in small pieces waits for acknowledgements from here on, as with most servers (RFC 896).
    Nagle,
    /// Says nothing more, and waits until the client has gone.
    Hang,
}

pub fn hear(text: &str) -> Move {
    Move::Hear(text.to_owned())
}

/// Sends lines, each with CRLF.
pub fn say(lines: &[&str]) -> Move {
    Move::Say(crlf(lines))
}

pub fn say_raw(bytes: &[u8]) -> Move {
    Move::Say(bytes.to_vec())
}

/// Hears a line that contains this text, and answers with lines.
pub fn answer(text: &str, lines: &[&str]) -> Move {
    Move::Answer(text.to_owned(), crlf(lines))
}

/// The same over IMAP, with the OK that ends an answer behind the lines.
pub fn ok(text: &str, lines: &[&str]) -> Move {
    answer(text, &[lines, &["{tag} OK done"]].concat())
}

/// The capabilities of a POP3 server.
pub fn capa(capabilities: &[&str]) -> Move {
    answer("CAPA", &[&["+OK"], capabilities, &["."]].concat())
}

fn crlf(lines: &[&str]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
        .collect()
}

/// A server that waits for one client.
pub struct Scripted {
    pub port: u16,
    playing: JoinHandle<io::Result<()>>,
}

impl Scripted {
    pub fn play(script: Vec<Move>) -> Self {
        Self::play_in_turn(vec![script])
    }

    /// Clients come one after the other, and each has a script of its own.
    pub fn play_in_turn(scripts: Vec<Vec<Move>>) -> Self {
        let (listener, port) = listen();
        let playing = std::thread::spawn(move || scripts.into_iter().try_for_each(|script| play(&listener, script)));
        Self { port, playing }
    }

    /// Waits for the end of the script.
    ///
    /// # Panics
    /// The client did not follow it.
    pub fn done(self) {
        self.playing
            .join()
            .expect("the server")
            .expect("the script was followed");
    }
}

fn play(listener: &TcpListener, script: Vec<Move>) -> io::Result<()> {
    let mut player = Player::accept(listener)?;
    script.into_iter().try_for_each(|step| player.make(step))
}

/// Both sides deflate.
struct Deflated {
    read: DeflateDecoder<TcpStream>,
    write: DeflateEncoder<TcpStream>,
    /// Inflated, and not yet read: the decoder must not be asked for more while it holds something back.
    inflated: VecDeque<u8>,
}

impl Read for Deflated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.inflated.is_empty() {
            let mut room = vec![0; 64 << 10];
            let found = self.read.read(&mut room)?;
            self.inflated.extend(&room[..found]);
        }
        self.inflated.read(buffer)
    }
}

impl Write for Deflated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write.flush()
    }
}

struct Player {
    tcp: TcpStream,
    /// The same, as what is said travels over it.
    wire: Box<dyn Wire>,
    tag: String,
}

impl Player {
    fn accept(listener: &TcpListener) -> io::Result<Self> {
        let (tcp, _) = listener.accept()?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_nodelay(true)?;
        Ok(Self {
            wire: wire(tcp.try_clone()?, None)?,
            tcp,
            tag: String::new(),
        })
    }

    fn make(&mut self, step: Move) -> io::Result<()> {
        match step {
            Move::Hear(expected) => self.hear(&expected)?,
            Move::Say(bytes) => self.say(&bytes),
            Move::Answer(expected, bytes) => {
                self.hear(&expected)?;
                self.say(&bytes);
            }
            Move::Tls(config) => {
                self.wire = wire(self.tcp.try_clone()?, Some(config))?;
                // A client that refuses the certificate ends the handshake; that is for its test to see.
                let _ = self.wire.flush();
            }
            Move::Deflate => {
                self.wire = Box::new(Deflated {
                    read: DeflateDecoder::new(self.tcp.try_clone()?),
                    write: DeflateEncoder::new(self.tcp.try_clone()?, Compression::default()),
                    inflated: VecDeque::new(),
                });
            }
            Move::Nagle => self.tcp.set_nodelay(false)?,
            // The end may be an error as well.
            Move::Hang => drop(io::copy(&mut self.wire, &mut io::sink())),
        }
        Ok(())
    }

    fn hear(&mut self, expected: &str) -> io::Result<()> {
        let line =
            line(&mut self.wire).map_err(|error| io::Error::other(format!("waiting for {expected:?}: {error}")))?;
        if !line.contains(expected) {
            return Err(io::Error::other(format!("heard {line:?} instead of {expected:?}")));
        }
        self.tag = line.split(' ').next().unwrap_or_default().to_owned();
        Ok(())
    }

    fn say(&mut self, bytes: &[u8]) {
        // The client may have gone already, over what it heard before.
        let _ = self.wire.write_all(&replaced(bytes, b"{tag}", self.tag.as_bytes()));
        let _ = self.wire.flush();
    }
}

fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {
        if byte[0] == b'\n' {
            let text = String::from_utf8_lossy(&line).into_owned();
            return Ok(text.trim_end_matches('\r').to_owned());
        }
        line.push(byte[0]);
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
