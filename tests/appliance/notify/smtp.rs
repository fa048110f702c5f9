//! A mail server of a test's own, on loopback: it takes mail, and refuses, falls silent or cuts where it is told to.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::MessageParser;

use crate::support::{
    PATIENCE,
    listening::Listening,
    tls::{Identity, Wire, wire},
    wait_for,
};

pub const USERNAME: &str = "dropkeep@example.com";
pub const PASSWORD: &str = "mail-pass/word+7";

/// What the log-in looks like on the wire.
pub fn plain_response() -> String {
    STANDARD.encode(format!("\0{USERNAME}\0{PASSWORD}"))
}

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

/// A server that shows the certificate of this machine where it encrypts.
pub struct Smtp {
    pub port: u16,
    state: Arc<Mutex<State>>,
    _listening: Listening,
}

impl Smtp {
    /// A server for this access.
    pub fn start(access: &'static str) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let listening = Listening::start(move |tcp, _| -> io::Result<()> {
            shared.lock().expect("a state").connections += 1;
            tcp.set_read_timeout(Some(PATIENCE))?;
            let mut session = Session {
                stream: BufReader::new(wire(tcp.try_clone()?, None)?),
                tcp,
                state: &shared,
                encrypted: false,
                offers_tls: access == "smtp-tls",
            };
            if access == "smtp-ssl" {
                session.encrypt()?;
            }
            session.talk()
        });
        Self {
            port: listening.port,
            state,
            _listening: listening,
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
            "[mail]\nhost = \"localhost\"\nport = {}\naccess = \"{access}\"\ntimeout = \"10s\"\n\
             from = \"Dropkeep <dropkeep@example.com>\"\n{}{more}\n",
            self.port,
            match more.contains("to = ") {
                true => "",
                false => "to = [\"admin@example.com\"]\n",
            }
        )
    }
}

struct Session<'s> {
    tcp: TcpStream,
    stream: BufReader<Box<dyn Wire>>,
    state: &'s Mutex<State>,
    encrypted: bool,
    offers_tls: bool,
}

impl Session<'_> {
    fn encrypt(&mut self) -> io::Result<()> {
        let config = Identity::of_localhost().config();
        self.stream = BufReader::new(wire(self.tcp.try_clone()?, Some(config))?);
        (self.encrypted, self.offers_tls) = (true, false);
        Ok(())
    }

    fn say(&mut self, words: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(words.as_bytes())?;
        self.stream.get_mut().flush()
    }

    /// Answers, unless a trick is played.
    ///
    /// # Errors
    /// The session is over.
    fn answer(&mut self, command: &str, words: &str) -> io::Result<()> {
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
            None => return self.say(words),
            Some(Trick::Say(words)) => return self.say(&words),
            Some(Trick::Silence) => drop(io::copy(&mut self.stream, &mut io::sink())),
            Some(Trick::Cut) => {}
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn talk(&mut self) -> io::Result<()> {
        self.answer("", "220 mail.example.com here\r\n")?;
        let (mut to, mut logged_in) = (Vec::new(), false);
        loop {
            let line = self.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let words = match verb.as_str() {
                "" => return Ok(()),
                "EHLO" if self.offers_tls => "250-mail.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
                "EHLO" => "250-mail.example.com\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
                "STARTTLS" if self.offers_tls => "220 go on\r\n",
                _ if self.offers_tls && verb != "QUIT" => "530 TLS first\r\n",
                "AUTH" => {
                    logged_in = line == format!("AUTH PLAIN {}", plain_response());
                    match logged_in {
                        true => "235 welcome\r\n",
                        false => "535 5.7.8 who is that\r\n",
                    }
                }
                "DATA" => "354 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            self.answer(&line, words)?;
            match verb.as_str() {
                "STARTTLS" if self.offers_tls => self.encrypt()?,
                "RCPT" if !self.offers_tls => to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()),
                "QUIT" => return Ok(()),
                "DATA" => {
                    let raw = self.mail()?;
                    let mail = read(raw, std::mem::take(&mut to), self.encrypted, logged_in);
                    self.state.lock().expect("a state").mails.push(mail);
                    self.say("250 taken\r\n")?;
                }
                _ => {}
            }
        }
    }

    /// A mail up to the dot behind it.
    fn mail(&mut self) -> io::Result<String> {
        let mut raw = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                return Ok(raw);
            }
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            raw.push_str("\r\n");
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
