//! A POP3 server without UIDL (RFC 1939 makes it optional): nothing tells one session's messages from
//! another's, so every message is fetched in every run, and known by its content. And one whose UIDLs repeat.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
    dovecot::{MAILBOX, PASSWORD},
    generator::{Mailbox, Settings},
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// A mailbox served over POP3, with the unique ids that `uidl` gives, or without the command.
struct Server {
    messages: Vec<Vec<u8>>,
    uidl: Option<fn(usize) -> String>,
}

impl Server {
    /// Serves until the process ends; gives the port.
    fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let server = Arc::new(self);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                thread::spawn(move || drop(server.session(stream)));
            }
        });
        port
    }

    fn session(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut out = stream.try_clone()?;
        out.write_all(b"+OK ready\r\n")?;
        for line in BufReader::new(stream).lines() {
            let line = line?;
            let mut words = line.split_whitespace();
            let command = words.next().unwrap_or_default().to_uppercase();
            let index = words.next().and_then(|word| word.parse::<usize>().ok());
            let answer = match (command.as_str(), index) {
                ("CAPA", _) => {
                    let uidl = if self.uidl.is_some() { "UIDL\r\n" } else { "" };
                    format!("+OK\r\nUSER\r\nEXPIRE 0\r\n{uidl}.\r\n").into_bytes()
                }
                ("USER" | "NOOP", _) => b"+OK\r\n".to_vec(),
                ("PASS", _) if line.ends_with(PASSWORD) => b"+OK\r\n".to_vec(),
                ("STAT", _) => format!("+OK {} 0\r\n", self.messages.len()).into_bytes(),
                ("LIST", None) => self.listing(|index| self.messages[index].len().to_string()),
                ("UIDL", None) if self.uidl.is_some() => self.listing(self.uidl.expect("just seen")),
                ("RETR", Some(number)) => stuffed(&self.messages[number - 1]),
                ("QUIT", _) => return out.write_all(b"+OK\r\n"),
                _ => b"-ERR not here\r\n".to_vec(),
            };
            out.write_all(&answer)?;
        }
        Ok(())
    }

    fn listing(&self, what: impl Fn(usize) -> String) -> Vec<u8> {
        let lines = (0..self.messages.len()).map(|index| format!("{} {}\r\n", index + 1, what(index)));
        format!("+OK\r\n{}.\r\n", lines.collect::<String>()).into_bytes()
    }
}

fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut answer = b"+OK\r\n".to_vec();
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            answer.push(b'.');
        }
        answer.extend_from_slice(line);
    }
    if !message.ends_with(b"\r\n") && !message.is_empty() {
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b".\r\n");
    answer
}

fn archive_twice(uidl: Option<fn(usize) -> String>) -> [serde_json::Value; 2] {
    let messages: Vec<Vec<u8>> = Mailbox::new(Settings::messages(300)).collect();
    let port = Server { messages, uidl }.start();
    let profile = Profile {
        access: "pop3".into(),
        host: "127.0.0.1".into(),
        port,
        password: PASSWORD.into(),
        timeout: "20s".into(),
        tls: "{}".into(),
        recipients: format!("own_addresses = [\"{MAILBOX}\"]\n"),
    };
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    // It says that it deletes what was read.
    let tested = appliance.done(&["test", PROFILE, "--json"]).json();
    assert!(
        tested["warnings"][0]
            .as_str()
            .is_some_and(|text| text.contains("EXPIRE 0")),
        "{tested:#}"
    );
    let said = appliance.done(&["test", PROFILE]).text();
    assert!(said.lines().any(|line| line.starts_with("warning: ")), "{said}");
    // The server has no TOP either, so headers come with their bodies.
    let rehearsed = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
    assert!(rehearsed["notices"].to_string().contains("no TOP"), "{rehearsed:#}");
    let runs = [(); 2].map(|()| appliance.done(&["archive", PROFILE, "--json"]).json());
    runs.iter().for_each(assert_adds_up);
    for count in ["seen", "unknown", "failed"] {
        assert_eq!(number(&rehearsed, count), number(&runs[0], count), "{count}");
    }
    assert_eq!(number(&runs[0], "seen"), 300);
    assert_eq!(
        number(&runs[1], "seen"),
        number(&runs[1], "duplicates"),
        "nothing is archived twice"
    );
    runs
}

#[test]
fn without_uidl_a_second_run_finds_only_duplicates_and_says_why() {
    let runs = archive_twice(None);
    assert_eq!(number(&runs[1], "seen"), 300);
    assert!(runs[1]["notices"].to_string().contains("no UIDL"), "{}", runs[1]);
}

#[test]
fn a_uidl_that_stands_twice_is_never_taken_for_done() {
    // Two messages of each hundred share an id.
    let runs = archive_twice(Some(|index| {
        format!("id-{}", if index % 100 == 99 { 0 } else { index })
    }));
    assert_eq!(number(&runs[1], "seen"), 4, "the four that share one");
}
