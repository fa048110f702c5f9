//! What is said in clear text before TLS: just enough to ask for it (RFC 9051, 6.2.1, STARTTLS;
//! RFC 2595, STLS). Everything learnt here is forgotten afterwards, for anybody on the way may
//! have said it.

use super::{
    ConnectStep, SourceError,
    guard::{Guard, Wire},
    lines::{Lines, SMALL},
};
use crate::{
    config::Family,
    harmless::plain,
    net::{NetError, Tcp},
};

/// How errors call the greeting.
pub(super) const GREETING: &str = "the greeting";

/// The most lines an answer may have here.
const MAX_ANSWER: usize = 200;

/// Asks the server to begin TLS. Returns the words of its greeting, and the stream on which the
/// handshake is due.
///
/// # Errors
/// The server does not offer TLS, has logged us in already, or sent bytes behind its OK that
/// TLS would not protect. Every one has a [`ConnectStep`].
pub(super) async fn upgrade(family: Family, host: &str, mut guard: Guard) -> Result<(String, Tcp), SourceError> {
    guard.allow(SMALL);
    let mut lines = Lines::new(host, guard);
    let (command, words) = match family {
        Family::Imap => {
            let words = greeting_imap(&mut lines)
                .await
                .map_err(|e| e.at(host, ConnectStep::Greeting))?;
            starttls(&mut lines).await.map_err(|e| e.at(host, ConnectStep::Tls))?;
            ("STARTTLS", words)
        }
        Family::Pop3 => {
            let words = greeting_pop3(&mut lines)
                .await
                .map_err(|e| e.at(host, ConnectStep::Greeting))?;
            stls(&mut lines).await.map_err(|e| e.at(host, ConnectStep::Tls))?;
            ("STLS", words)
        }
    };
    match lines.into_wire() {
        (Wire::Left(tcp), false) => Ok((words, tcp)),
        _ => Err(NetError::injected(host, command).into()),
    }
}

async fn greeting_imap(lines: &mut Lines) -> Result<String, SourceError> {
    let line = text(lines, GREETING).await?;
    let (status, words) = condition(line.trim_start().strip_prefix('*').unwrap_or_default());
    match status.as_str() {
        "OK" => Ok(plain(words)),
        "PREAUTH" => Err(SourceError::Preauth {
            host: lines.host.clone(),
        }),
        "BYE" => Err(SourceError::Greeting {
            host: lines.host.clone(),
            words: plain(words),
        }),
        _ => Err(not_a_greeting("IMAP")),
    }
}

async fn starttls(lines: &mut Lines) -> Result<(), SourceError> {
    const STARTTLS: &str = "STARTTLS";
    let mut offered = false;
    lines.send("CAPABILITY", b"U1 CAPABILITY\r\n").await?;
    tagged(lines, "CAPABILITY", "U1 ", |line| {
        let mut words = line.split_ascii_whitespace();
        let is_list =
            words.next() == Some("*") && words.next().is_some_and(|word| word.eq_ignore_ascii_case("CAPABILITY"));
        offered |= is_list && words.any(|word| word.eq_ignore_ascii_case(STARTTLS));
    })
    .await?;
    if !offered {
        return Err(NetError::no_upgrade(&lines.host, STARTTLS, "imap-ssl").into());
    }
    lines.send(STARTTLS, b"U2 STARTTLS\r\n").await?;
    tagged(lines, STARTTLS, "U2 ", |_| {}).await
}

/// Reads lines until the tagged OK.
async fn tagged(lines: &mut Lines, command: &str, tag: &str, mut on: impl FnMut(&str)) -> Result<(), SourceError> {
    for _ in 0..MAX_ANSWER {
        let line = text(lines, command).await?;
        if let Some(end) = line.strip_prefix(tag) {
            let (status, words) = condition(end);
            return match status.as_str() {
                "OK" => Ok(()),
                _ => Err(SourceError::Refused {
                    command: command.to_owned(),
                    words: plain(words),
                }),
            };
        }
        let (status, words) = condition(line.strip_prefix('*').unwrap_or_default());
        if status == "BYE" {
            return Err(SourceError::Lost {
                command: command.to_owned(),
                words: plain(words),
            });
        }
        on(&line);
    }
    Err(SourceError::Protocol {
        command: command.to_owned(),
        detail: format!("more than {MAX_ANSWER} lines"),
    })
}

async fn greeting_pop3(lines: &mut Lines) -> Result<String, SourceError> {
    let line = text(lines, GREETING).await?;
    let (status, words) = condition(&line);
    match status.as_str() {
        "+OK" => Ok(plain(words)),
        "-ERR" => Err(SourceError::Greeting {
            host: lines.host.clone(),
            words: plain(words),
        }),
        _ => Err(not_a_greeting("POP3")),
    }
}

async fn stls(lines: &mut Lines) -> Result<(), SourceError> {
    const STLS: &str = "STLS";
    let no_upgrade = NetError::no_upgrade(&lines.host, STLS, "pop3-ssl");
    lines.send("CAPA", b"CAPA\r\n").await?;
    let mut offered = false;
    match ok(lines, "CAPA").await {
        Err(SourceError::Refused { .. }) => return Err(no_upgrade.into()),
        answered => answered?,
    }
    for count in 0.. {
        let line = text(lines, "CAPA").await?;
        offered |= line.trim().eq_ignore_ascii_case(STLS);
        if line == "." {
            break;
        }
        if count > MAX_ANSWER {
            return Err(SourceError::Protocol {
                command: "CAPA".to_owned(),
                detail: format!("more than {MAX_ANSWER} lines"),
            });
        }
    }
    if !offered {
        return Err(no_upgrade.into());
    }
    lines.send(STLS, b"STLS\r\n").await?;
    ok(lines, STLS).await
}

async fn ok(lines: &mut Lines, command: &str) -> Result<(), SourceError> {
    let line = text(lines, command).await?;
    let (status, words) = condition(&line);
    match status.as_str() {
        "+OK" => Ok(()),
        _ => Err(SourceError::Refused {
            command: command.to_owned(),
            words: plain(words),
        }),
    }
}

async fn text(lines: &mut Lines, command: &str) -> Result<String, SourceError> {
    let line = lines.line(command).await?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// The first word in upper case, and the rest. Some servers put two blanks where one belongs.
fn condition(line: &str) -> (String, &str) {
    let line = line.trim_start();
    let (status, words) = line.split_once(' ').unwrap_or((line, ""));
    (status.to_ascii_uppercase(), words.trim_start())
}

fn not_a_greeting(protocol: &str) -> SourceError {
    SourceError::Protocol {
        command: GREETING.to_owned(),
        detail: format!("this is no {protocol} greeting"),
    }
}
