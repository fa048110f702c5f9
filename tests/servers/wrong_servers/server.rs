//! A server that is not the one that the configuration means: for as many clients as come.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use rcgen::date_time_ymd;
use rustls::ServerConfig;

use crate::support::{
    PATIENCE,
    listening::{Listening, Refusing, refusing},
    tls::{Authority, Identity, parameters, wire},
};

/// Answers by the beginning of a line, behind its tag over IMAP; `{tag}` is that tag.
pub type Answers = &'static [(&'static str, &'static str)];

/// What it does.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Takes the connection and says nothing.
    Nothing,
    /// Closes it at once.
    Closes,
    /// Greets in clear text, and answers so.
    Greets(&'static str, Answers),
    /// The same within TLS, which begins with the first byte.
    Tls(Shows, &'static str, Answers),
    /// A web server: it waits for the client to speak, and complains about what it hears.
    Web,
    /// Nobody listens.
    IsDown,
}

/// Which certificate it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// For localhost, by an authority that the profile trusts.
    Good,
    /// For other names.
    OtherNames,
    Expired,
    SelfSigned,
    /// And for other names besides.
    SelfSignedForOthers,
    /// By an authority that nobody knows.
    UnknownIssuer,
}

impl Shows {
    /// The certificate; `authority` is the one that the profiles trust.
    fn identity(self, authority: &Authority) -> Identity {
        let names: &[&str] = match self {
            Self::OtherNames | Self::SelfSignedForOthers => &["mail.example.com", "192.0.2.1"],
            _ => &["localhost"],
        };
        let mut parameters = parameters("a server", names);
        if self == Self::Expired {
            (parameters.not_before, parameters.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        }
        match self {
            Self::SelfSigned | Self::SelfSignedForOthers => Identity::self_signed(&parameters),
            Self::UnknownIssuer => Authority::new("Unknown Authority").signs(&parameters),
            Self::Good | Self::OtherNames | Self::Expired => authority.signs(&parameters),
        }
    }
}

/// What is at the port.
enum There {
    Somebody(Listening),
    Nobody(Refusing),
}

pub struct Server {
    there: There,
    heard: Arc<Mutex<String>>,
}

impl Server {
    pub fn start(does: Does, authority: &Authority) -> Self {
        let heard = Arc::new(Mutex::new(String::new()));
        let config = match does {
            Does::Tls(shows, ..) => Some(shows.identity(authority).config()),
            _ => None,
        };
        let hears = heard.clone();
        let there = match does {
            Does::IsDown => There::Nobody(refusing()),
            _ => There::Somebody(Listening::start(move |tcp, _| serve(does, config.clone(), tcp, &hears))),
        };
        Self { there, heard }
    }

    pub fn port(&self) -> u16 {
        match &self.there {
            There::Somebody(listening) => listening.port,
            There::Nobody(refusing) => refusing.port,
        }
    }

    /// All that clients said, and not within a handshake.
    pub fn heard(&self) -> String {
        self.heard.lock().expect("what was heard").clone()
    }
}

/// A client that goes away ends it.
fn serve(does: Does, config: Option<Arc<ServerConfig>>, tcp: TcpStream, heard: &Mutex<String>) {
    let _ = tcp.set_read_timeout(Some(PATIENCE));
    let Ok(mut wire) = wire(tcp, config) else { return };
    match does {
        Does::Nothing => converse(&mut wire, "", &[], heard),
        Does::Web => {
            let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
            let mut some = [0; 512];
            if wire.read(&mut some).is_ok_and(|read| read > 0) {
                let _ = wire.write_all(answer.as_bytes());
            }
        }
        Does::Greets(greeting, answers) | Does::Tls(_, greeting, answers) => {
            converse(&mut wire, greeting, answers, heard);
        }
        Does::Closes | Does::IsDown => {}
    }
}

fn converse(stream: &mut (impl Read + Write), greeting: &str, answers: Answers, heard: &Mutex<String>) {
    if stream
        .write_all(greeting.as_bytes())
        .and_then(|()| stream.flush())
        .is_err()
    {
        return;
    }
    let (mut line, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).is_ok_and(|read| read > 0) {
        line.push(byte[0]);
        heard.lock().expect("what was heard").push(char::from(byte[0]));
        if byte[0] != b'\n' {
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        let (tag, command) = text.split_once(' ').unwrap_or((&text, ""));
        let fits = |begin: &str| text.starts_with(begin) || command.starts_with(begin);
        let Some((_, answer)) = answers.iter().find(|(begin, _)| fits(begin)) else {
            continue;
        };
        // Without an answer, it closes.
        if answer.is_empty() || stream.write_all(answer.replace("{tag}", tag).as_bytes()).is_err() {
            return;
        }
        let _ = stream.flush();
    }
}
