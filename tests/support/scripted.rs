//! A mail server that plays a script: what it hears it compares, what it is to say it says,
//! byte for byte. For everything a well-behaved server does not do.

// Each test target uses a part of it.
#![allow(dead_code)]

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long the server waits for what it is to hear, before it calls the test failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One move of the script. At its end the connection is closed.
pub enum Move {
    /// Hears a line, which must contain this text. Over IMAP its first word is the tag.
    Hear(String),
    /// Sends these bytes, with the tag last heard in place of `{tag}`.
    Say(Vec<u8>),
    /// Begins TLS.
    Tls(Arc<ServerConfig>),
    /// Both sides deflate from here on (RFC 4978).
    Deflate,
    /// Says nothing more, and waits until the client has gone.
    Hang,
}

pub fn hear(text: &str) -> Move {
    Move::Hear(text.to_owned())
}

/// Sends lines, each with CRLF.
pub fn say(lines: &[&str]) -> Move {
    Move::Say(
        lines
            .iter()
            .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
            .collect(),
    )
}

pub fn say_raw(bytes: &[u8]) -> Move {
    Move::Say(bytes.to_vec())
}

/// A server that waits for one client.
pub struct Scripted {
    pub port: u16,
    playing: JoinHandle<Result<(), String>>,
}

impl Scripted {
    pub fn play(script: Vec<Move>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let playing = std::thread::spawn(move || {
            let (tcp, _) = listener.accept().map_err(|error| error.to_string())?;
            tcp.set_read_timeout(Some(PATIENCE))
                .map_err(|error| error.to_string())?;
            tcp.set_nodelay(true).map_err(|error| error.to_string())?;
            let mut player = Player {
                stream: Some(Stream::Plain(tcp)),
                tag: String::new(),
            };
            script.into_iter().try_for_each(|step| player.make(step))
        });
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

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Deflated {
        read: Box<DeflateDecoder<TcpStream>>,
        write: DeflateEncoder<TcpStream>,
        /// Inflated, and not yet read: the decoder must not be asked for more while it holds something back.
        inflated: VecDeque<u8>,
    },
}

impl Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
            Self::Deflated { read, inflated, .. } => {
                if inflated.is_empty() {
                    let mut room = vec![0; 64 << 10];
                    let found = read.read(&mut room)?;
                    inflated.extend(&room[..found]);
                }
                inflated.read(buffer)
            }
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
            Self::Deflated { write, .. } => write.write_all(bytes).and_then(|()| write.flush()),
        }
    }
}

struct Player {
    /// Taken only while TLS begins.
    stream: Option<Stream>,
    tag: String,
}

impl Player {
    fn make(&mut self, step: Move) -> Result<(), String> {
        let Some(stream) = &mut self.stream else {
            return Err("TLS did not begin".to_owned());
        };
        match step {
            Move::Hear(expected) => {
                let line = line(stream).map_err(|error| format!("waiting for {expected:?}: {error}"))?;
                if !line.contains(&expected) {
                    return Err(format!("heard {line:?} instead of {expected:?}"));
                }
                self.tag = line.split(' ').next().unwrap_or_default().to_owned();
                Ok(())
            }
            Move::Say(bytes) => {
                // The client may have gone already, over what it heard before.
                let _ = stream.write_all(&tagged(&bytes, &self.tag));
                Ok(())
            }
            Move::Tls(config) => {
                let Some(Stream::Plain(tcp)) = self.stream.take() else {
                    return Err("TLS in TLS".to_owned());
                };
                let connection = ServerConnection::new(config).map_err(|error| error.to_string())?;
                let mut tls = Box::new(StreamOwned::new(connection, tcp));
                // A client that refuses the certificate ends the handshake; that is for its test to see.
                let _ = tls.flush();
                self.stream = Some(Stream::Tls(tls));
                Ok(())
            }
            Move::Deflate => {
                let Some(Stream::Plain(tcp)) = self.stream.take() else {
                    return Err("only plain connections are deflated here".to_owned());
                };
                let other = tcp.try_clone().map_err(|error| error.to_string())?;
                self.stream = Some(Stream::Deflated {
                    read: Box::new(DeflateDecoder::new(other)),
                    write: DeflateEncoder::new(tcp, Compression::default()),
                    inflated: VecDeque::new(),
                });
                Ok(())
            }
            Move::Hang => {
                let mut rest = [0; 1024];
                while stream.read(&mut rest).is_ok_and(|read| read > 0) {}
                Ok(())
            }
        }
    }
}

fn line(stream: &mut Stream) -> io::Result<String> {
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

fn tagged(bytes: &[u8], tag: &str) -> Vec<u8> {
    const PLACE: &[u8] = b"{tag}";
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, PLACE) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(tag.as_bytes());
        rest = &rest[at + PLACE.len()..];
    }
    out.extend_from_slice(rest);
    out
}
