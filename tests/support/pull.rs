//! Two small mail clients that share nothing with the program: what they read is what the server sent.
//! They are also the yardstick of the benchmark: pull every byte, throw it away.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use super::{
    PATIENCE,
    dovecot::{Dovecot, MAILBOX, PASSWORD},
};

/// Messages asked for at once.
const IMAP_WINDOW: usize = 500;
const POP3_WINDOW: usize = 32;

/// Every message of the INBOX of [`MAILBOX`], as the server sends it over the protocol of `access`.
pub fn messages(server: &Dovecot, access: &str) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let each = |message: &[u8]| messages.push(message.to_vec());
    if access.starts_with("imap") {
        imap(server.ports.imap, "INBOX", each);
    } else {
        pop3(server.ports.pop3, each);
    }
    messages
}

/// Hands each message of a folder to `each`, in the order of their numbers, and returns how many there were.
pub fn imap(port: u16, folder: &str, mut each: impl FnMut(&[u8])) -> usize {
    let mut client = Client::imap(port);
    let lines = client.command(&format!("EXAMINE \"{folder}\""));
    let exists = lines
        .iter()
        .find_map(|line| line.strip_suffix(" EXISTS")?.strip_prefix("* ")?.parse().ok());
    let exists: usize = exists.expect("EXISTS");
    let mut seen = 0;
    for first in (1..=exists).step_by(IMAP_WINDOW) {
        let last = exists.min(first + IMAP_WINDOW - 1);
        client.send(&format!("a FETCH {first}:{last} (BODY.PEEK[])\r\n"));
        client.imap_answer(&mut |message| {
            seen += 1;
            each(message);
        });
    }
    assert_eq!(seen, exists, "the server sent all it announced");
    client.send("a LOGOUT\r\n");
    seen
}

/// As [`imap`], over POP3. The bytes are the lines of the answer, each with its CRLF, dots taken off.
pub fn pop3(port: u16, each: impl FnMut(&[u8])) -> usize {
    pop3_after(port, &[], each)
}

/// The same, with commands before the login, each of which must be answered +OK.
pub fn pop3_after(port: u16, first: &[&str], mut each: impl FnMut(&[u8])) -> usize {
    let mut client = Client::connect(port);
    client.ok();
    let login = [format!("USER {MAILBOX}"), format!("PASS {PASSWORD}")];
    for command in first.iter().map(|&command| command.to_owned()).chain(login) {
        client.send(&format!("{command}\r\n"));
        client.ok();
    }
    client.send("STAT\r\n");
    let count = client.ok().split(' ').nth(1).and_then(|count| count.parse().ok());
    let count: usize = count.expect("STAT");
    let mut message = Vec::new();
    for first in (1..=count).step_by(POP3_WINDOW) {
        let window = first..=count.min(first + POP3_WINDOW - 1);
        client.send(&window.clone().map(|n| format!("RETR {n}\r\n")).collect::<String>());
        for _ in window {
            client.ok();
            message.clear();
            client.pop3_lines(&mut message);
            each(&message);
        }
    }
    client.send("QUIT\r\n");
    client.ok();
    count
}

/// A session with a server.
pub struct Client {
    reader: BufReader<TcpStream>,
    line: Vec<u8>,
    literal: Vec<u8>,
}

impl Client {
    /// A session over IMAP, logged in as [`MAILBOX`].
    pub fn imap(port: u16) -> Self {
        Self::imap_as(port, MAILBOX)
    }

    /// The same for another account.
    pub fn imap_as(port: u16, user: &str) -> Self {
        let mut client = Self::connect(port);
        client.line();
        client.command(&format!("LOGIN {user} \"{PASSWORD}\""));
        client
    }

    /// Runs a command of IMAP, which must be answered OK, and returns the lines before that.
    pub fn command(&mut self, command: &str) -> Vec<String> {
        self.attempt(command)
            .unwrap_or_else(|refusal| panic!("{command}: {refusal}"))
    }

    /// The same for a command that may be refused: then the answer is the error.
    pub fn attempt(&mut self, command: &str) -> Result<Vec<String>, String> {
        self.send(&format!("a {command}\r\n"));
        self.imap_lines(&mut |_| {})
    }

    /// Runs a command of IMAP, which must be answered OK, and returns the literals in the answer.
    pub fn literals(&mut self, command: &str) -> Vec<String> {
        self.send(&format!("a {command}\r\n"));
        let mut literals = Vec::new();
        self.imap_answer(&mut |literal| literals.push(String::from_utf8_lossy(literal).into_owned()));
        literals
    }

    /// Puts a message into a folder (IMAP APPEND), with line ends as they are to be on the wire.
    pub fn append(&mut self, folder: &str, message: &[u8]) {
        self.append_marked(folder, "", message);
    }

    /// The same, with flags as the message gets into the folder.
    pub fn append_marked(&mut self, folder: &str, flags: &str, message: &[u8]) {
        self.send(&format!("a APPEND \"{folder}\" ({flags}) {{{}}}\r\n", message.len()));
        let line = String::from_utf8_lossy(self.line()).into_owned();
        assert!(line.starts_with('+'), "{line}");
        self.reader.get_mut().write_all(message).expect("send");
        self.send("\r\n");
        self.imap_answer(&mut |_| {});
    }

    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("nodelay");
        Self {
            reader: BufReader::with_capacity(1 << 18, stream),
            line: Vec::new(),
            literal: Vec::new(),
        }
    }

    fn send(&mut self, command: &str) {
        self.reader.get_mut().write_all(command.as_bytes()).expect("send");
    }

    /// The next line, without its end.
    fn line(&mut self) -> &[u8] {
        self.line.clear();
        self.reader.read_until(b'\n', &mut self.line).expect("a line");
        assert!(self.line.ends_with(b"\r\n"), "the server closed the connection");
        &self.line[..self.line.len() - 2]
    }

    /// Reads up to the tagged answer, which must be OK. Literals go to `each`, lines come back.
    fn imap_answer(&mut self, each: &mut impl FnMut(&[u8])) -> Vec<String> {
        self.imap_lines(each).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    fn imap_lines(&mut self, each: &mut impl FnMut(&[u8])) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if let Some(size) = literal_size(line) {
                self.literal.resize(size, 0);
                self.reader.read_exact(&mut self.literal).expect("a literal");
                each(&self.literal);
                continue;
            }
            let line = String::from_utf8_lossy(line).into_owned();
            if line.ends_with("BODY[] \"\")") {
                each(b"");
            } else if let Some(answer) = line.strip_prefix("a ") {
                return match answer.starts_with("OK") {
                    true => Ok(lines),
                    false => Err(line),
                };
            } else if line != ")" {
                lines.push(line);
            }
        }
    }

    fn ok(&mut self) -> String {
        let line = String::from_utf8_lossy(self.line()).into_owned();
        assert!(line.starts_with("+OK"), "{line}");
        line
    }

    fn pop3_lines(&mut self, message: &mut Vec<u8>) {
        loop {
            let from = message.len();
            self.reader.read_until(b'\n', message).expect("a line");
            assert!(message.ends_with(b"\n"), "the server closed the connection");
            if &message[from..] == b".\r\n" {
                message.truncate(from);
                return;
            }
            if message[from] == b'.' {
                message.remove(from);
            }
        }
    }
}

fn literal_size(line: &[u8]) -> Option<usize> {
    let open = line.iter().rposition(|&byte| byte == b'{')?;
    std::str::from_utf8(line[open + 1..].strip_suffix(b"}")?)
        .ok()?
        .parse()
        .ok()
}
