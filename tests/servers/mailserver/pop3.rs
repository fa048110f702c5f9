//! POP3 (RFC 1939, RFC 2449), as an honest server speaks it.

use std::{collections::BTreeSet, io};

use super::{Heard, Line, Message, PASSWORD, Part, lock, part};

struct Session {
    /// The mailbox as it was at login.
    messages: Vec<Message>,
    deleted: BTreeSet<u32>,
    logged_in: bool,
}

pub(super) fn serve(line: &mut Line) -> io::Result<()> {
    let mut session = Session {
        messages: Vec::new(),
        deleted: BTreeSet::new(),
        logged_in: false,
    };
    let greeting = Heard {
        command: "greeting",
        messages: &[],
    };
    let faults = line.due(&greeting);
    line.answer(vec![part("+OK ready\r\n")], &faults, "")?;
    while let Some(text) = line.hear()? {
        let (command, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let command = command.to_ascii_uppercase();
        line.note(match command.as_str() {
            "PASS" | "AUTH" => &command,
            _ => &text,
        });
        let number: Option<usize> = rest.split(' ').next().and_then(|number| number.parse().ok());
        let named = number.and_then(|number| session.messages.get(number.checked_sub(1)?));
        let ids: Vec<u32> = match named {
            Some(message) => vec![message.id],
            None => session.messages.iter().map(|message| message.id).collect(),
        };
        let heard = Heard {
            command: &command,
            messages: &ids,
        };
        let faults = line.due(&heard);
        let parts = session.answer(line, &command, rest);
        line.answer(parts, &faults, "")?;
        if command == "QUIT" {
            return Ok(());
        }
    }
    Ok(())
}

impl Session {
    fn answer(&mut self, line: &Line, command: &str, rest: &str) -> Vec<Part> {
        let mut words = rest.split(' ');
        let number = words.next().and_then(|number| number.parse::<u32>().ok());
        match command {
            "CAPA" => {
                let capabilities = lock(&line.state.capabilities).join("\r\n");
                vec![part(format!("+OK\r\n{capabilities}\r\n.\r\n"))]
            }
            "NOOP" | "USER" => vec![part("+OK\r\n")],
            "PASS" if rest == PASSWORD => {
                self.logged_in = true;
                self.messages = lock(&line.state.mailbox).inbox().messages.clone();
                vec![part("+OK welcome\r\n")]
            }
            "PASS" => vec![part("-ERR no\r\n")],
            "QUIT" => {
                let deleted = std::mem::take(&mut self.deleted);
                for id in deleted {
                    lock(&line.state.mailbox).remove(id);
                }
                vec![part("+OK bye\r\n")]
            }
            _ if !self.logged_in => vec![part("-ERR log in first\r\n")],
            "STAT" => {
                let (count, bytes) = self.standing().fold((0, 0), |(count, bytes), (_, message)| {
                    (count + 1, bytes + message.size())
                });
                vec![part(format!("+OK {count} {bytes}\r\n"))]
            }
            "LIST" => self.listing(number, |message| message.size().to_string()),
            "UIDL" => self.listing(number, |message| message.uidl.clone()),
            "RSET" => {
                self.deleted.clear();
                vec![part("+OK\r\n")]
            }
            "RETR" | "TOP" | "DELE" => {
                let found = self.standing().find(|(at, _)| Some(*at) == number);
                let Some((_, message)) = found else {
                    return vec![part("-ERR no such message\r\n")];
                };
                let (id, bytes) = (message.id, message.bytes.clone());
                match command {
                    "DELE" => {
                        self.deleted.insert(id);
                        vec![part("+OK marked\r\n")]
                    }
                    "TOP" => {
                        let lines = words.next().and_then(|lines| lines.parse().ok()).unwrap_or(0);
                        vec![of(id, multi_line(&top(&bytes, lines)))]
                    }
                    _ => vec![of(id, multi_line(&bytes))],
                }
            }
            _ => vec![part("-ERR what?\r\n")],
        }
    }

    /// The messages that are not marked as deleted, by their numbers.
    fn standing(&self) -> impl Iterator<Item = (u32, &Message)> {
        (1..)
            .zip(&self.messages)
            .filter(|(_, message)| !self.deleted.contains(&message.id))
    }

    fn listing(&self, number: Option<u32>, what: impl Fn(&Message) -> String) -> Vec<Part> {
        if let Some(number) = number {
            let found = self.standing().find(|(at, _)| *at == number);
            return match found {
                Some((_, message)) => vec![of(message.id, format!("+OK {number} {}\r\n", what(message)))],
                None => vec![part("-ERR no such message\r\n")],
            };
        }
        let mut parts = vec![part("+OK\r\n")];
        parts.extend(
            self.standing()
                .map(|(number, message)| of(message.id, format!("{number} {}\r\n", what(message)))),
        );
        parts.push(part(".\r\n"));
        parts
    }
}

fn of(id: u32, bytes: impl Into<Vec<u8>>) -> Part {
    Part {
        of: Some(id),
        bytes: bytes.into(),
    }
}

/// The header, the empty line, and so many lines of the body.
fn top(message: &[u8], lines: usize) -> Vec<u8> {
    let end = memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    let (header, body) = message.split_at(end);
    let mut out = header.to_vec();
    body.split_inclusive(|byte| *byte == b'\n')
        .take(lines)
        .for_each(|line| out.extend_from_slice(line));
    out
}

/// A message as the answer to RETR (RFC 1939, 3). Lines end in CRLF and in nothing else.
fn multi_line(message: &[u8]) -> Vec<u8> {
    let mut answer = format!("+OK {} octets\r\n", message.len()).into_bytes();
    let mut line_start = true;
    let mut before = 0;
    for byte in message {
        if line_start && *byte == b'.' {
            answer.push(b'.');
        }
        answer.push(*byte);
        line_start = before == b'\r' && *byte == b'\n';
        before = *byte;
    }
    if !line_start {
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b".\r\n");
    answer
}
