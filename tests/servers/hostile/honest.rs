//! The server of these tests where it is told no faults: it does what a server does.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use crate::{
    hostile::case::{mailbox, message},
    mailserver::{PASSWORD, Protocol, Server},
    support::PATIENCE,
};

/// A client that sends a line and reads up to a line that ends the answer.
struct Client(BufReader<TcpStream>);

impl Client {
    fn to(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut client = Self(BufReader::new(stream));
        client.line();
        client
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).expect("a line");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    fn send(&mut self, line: &str) {
        self.0
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("send");
    }

    /// The lines of an answer, up to the one that begins so.
    fn up_to(&mut self, end: &str) -> Vec<String> {
        let mut lines = vec![self.line()];
        while !lines.last().is_some_and(|line| line.starts_with(end)) {
            lines.push(self.line());
        }
        lines
    }

    fn imap(&mut self, command: &str) -> Vec<String> {
        self.send(&format!("a {command}"));
        self.up_to("a ")
    }

    fn pop3(&mut self, command: &str) -> String {
        self.send(command);
        self.line()
    }
}

#[test]
fn imap_flags_expunges_and_moves() {
    let mut mailbox = mailbox();
    mailbox.add_folder("Old");
    let server = Server::start(Protocol::Imap, mailbox);
    let mut client = Client::to(&server);
    assert_eq!(client.imap("SELECT INBOX"), ["a BAD log in first"]);
    assert!(client.imap("LOGIN x wrong")[0].starts_with("a NO"));
    client.imap(&format!("LOGIN \"all@example.com\" \"{PASSWORD}\""));
    assert_eq!(client.imap("LSUB \"\" \"*\"").len(), 3);
    assert!(client.imap("EXAMINE \"None\"")[0].starts_with("a NO"));
    client.imap("EXAMINE INBOX");
    assert!(
        client.imap("UID STORE 11 +FLAGS (\\Deleted)")[0].starts_with("a BAD"),
        "read-only"
    );
    assert!(client.imap("SELECT INBOX").iter().any(|line| line == "* 7 EXISTS"));
    let stored = client.imap("UID STORE 11:12 +FLAGS (\\Deleted \\Flagged)");
    assert_eq!(stored[0], "* 1 FETCH (UID 11 FLAGS (\\Deleted \\Flagged))");
    client.imap("UID STORE 12 -FLAGS.SILENT (\\Deleted)");
    assert_eq!(client.imap("UID SEARCH UID 11:13 FLAGGED")[0], "* SEARCH 11 12");
    assert_eq!(client.imap("UID SEARCH DELETED")[0], "* SEARCH 11");
    assert_eq!(client.imap("SEARCH 2:* UNDELETED")[0], "* SEARCH 2 3 4 5 6 7");
    assert_eq!(client.imap("UID EXPUNGE 12"), ["a OK done"], "it is not deleted");
    assert_eq!(client.imap("EXPUNGE"), ["* 1 EXPUNGE", "a OK done"]);
    assert_eq!(
        client.imap("UID MOVE 13:14 \"None\"")[0],
        "a NO [TRYCREATE] there is no such folder"
    );
    assert_eq!(
        client.imap("UID MOVE 13:14 \"Old\"")[..2],
        ["* 3 EXPUNGE", "* 2 EXPUNGE"]
    );
    let counts = server.mailbox(|mailbox| mailbox.folders.iter().map(|one| one.messages.len()).collect::<Vec<_>>());
    assert_eq!(counts, [4, 2]);
    client.send("a IDLE");
    client.up_to("+");
    server.mailbox(|mailbox| mailbox.deliver(message(8, 0)));
    assert_eq!(client.up_to("* 5")[0], "* 5 EXISTS");
    client.send("DONE");
    client.up_to("a OK");
    assert_eq!(client.imap("LOGOUT").len(), 2);
}

#[test]
fn pop3_deletes_at_quit_and_not_before() {
    let server = Server::start(Protocol::Pop3, mailbox());
    let mut client = Client::to(&server);
    assert_eq!(client.pop3("STAT"), "-ERR log in first");
    client.pop3("USER all@example.com");
    assert_eq!(client.pop3("PASS wrong"), "-ERR no");
    client.pop3(&format!("PASS {PASSWORD}"));
    for command in ["DELE 1", "RSET", "DELE 2", "DELE 3"] {
        assert!(client.pop3(command).starts_with("+OK"));
    }
    assert!(client.pop3("RETR 2").starts_with("-ERR"));
    assert!(client.pop3("STAT").starts_with("+OK 5 "));
    client.send("TOP 1 1");
    let mut top = vec![client.line()];
    while top.last().is_some_and(|line| line != ".") {
        top.push(client.line());
    }
    assert_eq!(
        top[top.len() - 3..],
        ["", "..", "."],
        "the empty line, and one of the body"
    );
    let count = |server: &Server| server.mailbox(|mailbox| mailbox.messages().count());
    assert_eq!(count(&server), 7);
    assert!(client.pop3("QUIT").starts_with("+OK"));
    assert_eq!(count(&server), 5);
}
