//! A mail server of a test's own, on loopback: it takes mail, and refuses, falls silent or cuts where it is told to.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::MessageParser;
use rustls::ServerConnection;

use crate::notify::{support::wait_for, tls::Tls};

pub const USERNAME: &str = "dropkeep@example.com";
pub const PASSWORD: &str = "mail-pass/word+7";

/// What the log-in looks like on the wire.
pub fn plain_response() -> String {
    STANDARD.encode(format!("\0{USERNAME}\0{PASSWORD}"))
}

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail that came in.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: Vec<String>,
    pub encrypted: bool,
    pub logged_in: bool,
    pub subject: String,
    pub body: String,
    pub raw: String,
}

/// What it does with a command in place of what it should.
#[derive(Clone, Debug)]
pub enum Trick {
    /// Answers with these bytes.
    Say(String),
    /// Says nothing until the client has gone.
    Silence,
    Cut,
}

#[derive(Default)]
pub struct State {
    pub mails: Vec<Mail>,
    /// Connections that were made.
    pub connections: usize,
    /// By how a command begins (`""`: the greeting), and for how many of them.
    pub tricks: Vec<(String, Trick, usize)>,
}

pub struct Smtp {
    pub port: u16,
    pub tls: Tls,
    state: Arc<Mutex<State>>,
    ends: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Smtp {
    /// A server for this access.
    pub fn start(access: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (state, ends, tls) = (
            Arc::<Mutex<State>>::default(),
            Arc::new(AtomicBool::new(false)),
            Tls::new(),
        );
        let (shared, ending, config) = (state.clone(), ends.clone(), tls.config.clone());
        let access = access.to_owned();
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                shared.lock().expect("a state").connections += 1;
                let (state, config, access) = (shared.clone(), config.clone(), access.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(PATIENCE));
                    let encrypt = |stream| {
                        let connection = ServerConnection::new(config.clone()).expect("a connection");
                        rustls::StreamOwned::new(connection, stream)
                    };
                    let _ = match access.as_str() {
                        "smtp-ssl" => Session::new(encrypt(stream), &state, true).talk(true, false).map(drop),
                        access => {
                            let offers = access == "smtp-tls";
                            match Session::new(stream, &state, false).talk(true, offers) {
                                Ok(Some(stream)) => {
                                    Session::new(encrypt(stream), &state, true).talk(false, false).map(drop)
                                }
                                ended => ended.map(drop),
                            }
                        }
                    };
                });
            }
        });
        Self {
            port,
            tls,
            state,
            ends,
            listening: Some(listening),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// The next `times` commands that begin so are answered in this way.
    pub fn trick(&self, command: &str, trick: Trick, times: usize) {
        self.state().tricks.push((command.into(), trick, times));
    }

    pub fn say(&self, command: &str, words: &str, times: usize) {
        self.trick(command, Trick::Say(format!("{words}\r\n")), times);
    }

    /// The mails, when there are so many.
    pub fn mails(&self, count: usize) -> Vec<Mail> {
        let came = wait_for(PATIENCE, || self.state().mails.len() >= count);
        let mails = self.state().mails.clone();
        assert!(
            came && mails.len() == count,
            "{count} mails, not {}: {mails:#?}",
            mails.len()
        );
        mails
    }

    /// `[mail]`, with further keys.
    pub fn toml(&self, access: &str, more: &str) -> String {
        format!(
            "[mail]\nhost = \"localhost\"\nport = {}\naccess = \"{access}\"\ntimeout = \"5s\"\n\
             from = \"Dropkeep <dropkeep@example.com>\"\n{}{more}\n",
            self.port,
            match more.contains("to = ") {
                true => "",
                false => "to = [\"admin@example.com\"]\n",
            }
        )
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

struct Session<'s, S> {
    stream: BufReader<S>,
    state: &'s Mutex<State>,
    encrypted: bool,
}

impl<'s, S: Read + Write> Session<'s, S> {
    fn new(stream: S, state: &'s Mutex<State>, encrypted: bool) -> Self {
        Self {
            stream: BufReader::new(stream),
            state,
            encrypted,
        }
    }

    fn say(&mut self, words: &str) -> std::io::Result<()> {
        self.stream.get_mut().write_all(words.as_bytes())?;
        self.stream.get_mut().flush()
    }

    /// Answers, unless a trick is played; `None` where the session is over.
    fn answer(&mut self, command: &str, words: &str) -> std::io::Result<Option<()>> {
        let trick = {
            let mut state = self.state.lock().expect("a state");
            let found = state.tricks.iter_mut().find(|(begins, _, left)| {
                *left > 0 && (command.starts_with(begins.as_str()) && begins.is_empty() == command.is_empty())
            });
            found.map(|(_, trick, left)| {
                *left -= 1;
                trick.clone()
            })
        };
        match trick {
            None => self.say(words).map(Some),
            Some(Trick::Say(words)) => self.say(&words).map(Some),
            Some(Trick::Silence) => std::io::copy(&mut self.stream, &mut std::io::sink()).map(|_| None),
            Some(Trick::Cut) => Ok(None),
        }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Gives the stream where TLS is to begin.
    fn talk(mut self, greets: bool, offers_tls: bool) -> std::io::Result<Option<S>> {
        if greets && self.answer("", "220 mail.example.com here\r\n")?.is_none() {
            return Ok(None);
        }
        let (mut to, mut logged_in) = (Vec::new(), false);
        loop {
            let line = self.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let words = match verb.as_str() {
                "" => return Ok(None),
                "EHLO" if offers_tls => "250-mail.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
                "EHLO" => "250-mail.example.com\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
                "STARTTLS" if offers_tls => "220 go on\r\n",
                _ if offers_tls && verb != "QUIT" => "530 TLS first\r\n",
                "AUTH" => {
                    logged_in = line == format!("AUTH PLAIN {}", plain_response());
                    match logged_in {
                        true => "235 welcome\r\n",
                        false => "535 5.7.8 who is that\r\n",
                    }
                }
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    if self.answer(&line, "250 ok\r\n")?.is_none() {
                        return Ok(None);
                    }
                    to.push(address.to_owned());
                    continue;
                }
                "DATA" => "354 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            if self.answer(&line, words)?.is_none() {
                return Ok(None);
            }
            match verb.as_str() {
                "STARTTLS" if offers_tls => return Ok(Some(self.stream.into_inner())),
                "QUIT" => return Ok(None),
                "DATA" => {
                    let mut raw = String::new();
                    loop {
                        let line = self.line()?;
                        if line == "." {
                            break;
                        }
                        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                        raw.push_str("\r\n");
                    }
                    let mail = read(raw, std::mem::take(&mut to), self.encrypted, logged_in);
                    self.state.lock().expect("a state").mails.push(mail);
                    self.say("250 taken\r\n")?;
                }
                _ => {}
            }
        }
    }
}

fn read(raw: String, to: Vec<String>, encrypted: bool, logged_in: bool) -> Mail {
    let parsed = MessageParser::new().parse(raw.as_bytes()).expect("a message");
    Mail {
        to,
        encrypted,
        logged_in,
        subject: parsed.subject().unwrap_or_default().to_owned(),
        body: parsed.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
        raw,
    }
}
