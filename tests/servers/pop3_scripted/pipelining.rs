//! A server that offers PIPELINING and answers what comes early in the middle of a message, as WildDuck does.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use dropkeep::source::{Disposition, SourceError, Want};

use crate::pop3_scripted::{PASSWORD, connect, fetch, server};

fn message(number: u32) -> String {
    format!("Subject: number {number}\r\n\r\nHello\r\n")
}

/// Serves one client after another. What comes in while a message is sent is answered there, and lost.
fn serve(listener: &TcpListener) -> std::io::Result<()> {
    loop {
        let (mut client, _) = listener.accept()?;
        // A client that gives up ends its session, not the server.
        let _ = session(&mut client);
    }
}

fn session(client: &mut TcpStream) -> std::io::Result<()> {
    let mut said = Vec::new();
    client.write_all(b"+OK ready\r\n")?;
    loop {
        let line = next_line(client, &mut said)?;
        let (name, argument) = line.split_once(' ').unwrap_or((&line, ""));
        match (name, argument) {
            ("CAPA", _) => client.write_all(b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n")?,
            ("PASS", password) if password != PASSWORD => client.write_all(b"-ERR no\r\n")?,
            ("STAT", _) => client.write_all(b"+OK 3 99\r\n")?,
            ("LIST", _) => client.write_all(b"+OK\r\n1 33\r\n2 33\r\n3 33\r\n.\r\n")?,
            ("UIDL", _) => client.write_all(b"+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n")?,
            ("RETR" | "TOP", argument) => {
                let number = argument.split(' ').next().and_then(|number| number.parse().ok());
                let message = message(number.expect("a number"));
                client.write_all(format!("+OK\r\n{message}").as_bytes())?;
                client.set_read_timeout(Some(Duration::from_millis(50)))?;
                let mut early = [0; 4096];
                let length = client.read(&mut early).unwrap_or(0);
                said.extend_from_slice(&early[..length]);
                client.set_read_timeout(None)?;
                let lines = said.iter().filter(|byte| **byte == b'\n').count();
                said.clear();
                client.write_all("+OK\r\n".repeat(lines).as_bytes())?;
                client.write_all(b".\r\n")?;
            }
            ("QUIT", _) => return client.write_all(b"+OK bye\r\n"),
            _ => client.write_all(b"+OK\r\n")?,
        }
    }
}

fn next_line(client: &mut TcpStream, said: &mut Vec<u8>) -> std::io::Result<String> {
    loop {
        if let Some(end) = said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = said.drain(..=end).collect();
            return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        let mut more = [0; 4096];
        match client.read(&mut more)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => said.extend_from_slice(&more[..length]),
        }
    }
}

#[tokio::test]
async fn a_server_that_answers_in_the_midst_of_a_message_gets_one_command_at_a_time_from_then_on() {
    for want in [Want::Whole, Want::Header] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let server = server(port).with_timeout(Duration::from_secs(1));
        thread::spawn(move || serve(&listener));

        let mut session = connect(&server).await.expect("a session");
        session.open("INBOX").await.expect("INBOX");
        let (got, ended) = fetch(&mut session, want).await;
        assert!(got.is_empty(), "{got:?}");
        let error = ended.expect_err("an answer is missing");
        assert_eq!(error.disposition(), Disposition::Reconnect);
        let words = error.to_string();
        assert!(matches!(error, SourceError::Protocol { .. }), "{words}");
        assert!(words.contains("one command at a time"), "{words}");
        assert!(!words.contains("`timeout`"), "{words}");
        drop(session);

        for _ in 0..2 {
            let mut session = connect(&server).await.expect("a session");
            session.open("INBOX").await.expect("INBOX");
            let (got, ended) = fetch(&mut session, want).await;
            assert_eq!(ended.expect("messages"), []);
            let got: Vec<_> = got.iter().map(|one| one.bytes.to_vec()).collect();
            assert_eq!(
                got,
                (1..=3).map(|number| message(number).into_bytes()).collect::<Vec<_>>()
            );
        }
    }
}

/// Answers come in two writes, of which the second waits for the first one's acknowledgement.
#[tokio::test]
async fn one_command_at_a_time_does_not_wait_for_late_acknowledgements() {
    const MESSAGES: usize = 60;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = server(listener.local_addr().expect("its address").port());
    thread::spawn(move || -> std::io::Result<()> {
        let (mut client, _) = listener.accept()?;
        let mut said = Vec::new();
        client.write_all(b"+OK ready\r\n")?;
        loop {
            let line = next_line(&mut client, &mut said)?;
            let numbered = |what: &str| {
                (1..=MESSAGES)
                    .map(|number| format!("{number} {what}{number}\r\n"))
                    .collect::<String>()
            };
            match line.split(' ').next().unwrap_or_default() {
                "CAPA" => client.write_all(b"+OK\r\nUSER\r\nUIDL\r\n.\r\n")?,
                "STAT" => client.write_all(format!("+OK {MESSAGES} 99\r\n").as_bytes())?,
                "LIST" => client.write_all(format!("+OK\r\n{}.\r\n", numbered("1")).as_bytes())?,
                "UIDL" => client.write_all(format!("+OK\r\n{}.\r\n", numbered("u")).as_bytes())?,
                "RETR" => {
                    client.write_all(b"+OK\r\n")?;
                    client.write_all(format!("{}.\r\n", message(1)).as_bytes())?;
                }
                _ => client.write_all(b"+OK\r\n")?,
            }
        }
    });
    let mut session = connect(&server).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let began = std::time::Instant::now();
    let (got, ended) = fetch(&mut session, Want::Whole).await;
    assert_eq!((got.len(), ended.expect("messages").len()), (MESSAGES, 0));
    // Late acknowledgements come after 40 ms.
    let took = began.elapsed();
    assert!(took < Duration::from_millis(20) * MESSAGES as u32, "{took:?}");
}
