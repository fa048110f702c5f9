//! Commands and their answers, each held to its tagged OK.
//!
//! The responses are read by async-imap. Its commands are not used: they take a NO, a BAD, a
//! BYE or a closed connection for the end of a result, and write through `log` what they send,
//! passwords included.

use std::{panic::AssertUnwindSafe, time::Duration};

use async_imap::Client;
use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;

use super::answer::{Answer, Body, Said, translate};
use crate::source::{
    SourceError,
    error::Hidden,
    guard::{Guard, failure},
};

/// What a command other than a listing or a fetch may be answered with, in bytes.
const SMALL: u64 = 1 << 20;

/// What the server may say unasked about each message in the folder during any command
/// (another client marks all of them, say), in bytes.
const UNASKED: u64 = 128;

/// A server may claim that any number of messages stands in a folder; for more than this the
/// allowance does not grow.
const MANY: u32 = 4_000_000;

/// From this many bytes on a body keeps the parser's buffer instead of being copied out of it.
const KEEP_BLOCK: usize = 256 << 10;

/// Receives the answers to a command before its end.
pub(super) type OnAnswer<'a> = &'a mut (dyn FnMut(Answer) -> Result<(), SourceError> + Send);

/// A connection on which one command at a time is running.
pub(super) struct Dialogue {
    pub host: String,
    client: Client<Guard>,
    tag: u32,
    /// Messages in the opened folder, as the server last said.
    pub exists: u32,
    /// It said that there are more of them.
    pub grown: bool,
    /// What no error may repeat.
    pub hidden: Hidden,
}

impl Dialogue {
    pub fn new(host: &str, mut guard: Guard, hidden: Hidden) -> Self {
        guard.frame_imap();
        guard.allow(SMALL);
        Self {
            host: host.to_owned(),
            client: Client::new(guard),
            tag: 0,
            exists: 0,
            grown: false,
            hidden,
        }
    }

    /// The allowance of a command that brings no more than a few lines.
    pub fn small(&self) -> u64 {
        SMALL + UNASKED * u64::from(self.exists.min(MANY))
    }

    /// Runs a command to its tagged OK. `name` is how errors call it: `line` may hold secrets.
    ///
    /// # Errors
    /// [`SourceError::Refused`] for NO and BAD, [`SourceError::Lost`] for BYE and a closed
    /// connection, and whatever `on` fails with.
    pub async fn command(
        &mut self,
        name: &str,
        line: &str,
        allowance: u64,
        on: OnAnswer<'_>,
    ) -> Result<Said, SourceError> {
        let tag = self.begin(name, line, allowance).await?;
        self.finish(name, &tag, on).await
    }

    /// Sends a command, and returns its tag.
    pub async fn begin(&mut self, name: &str, line: &str, allowance: u64) -> Result<String, SourceError> {
        self.tag = self.tag.wrapping_add(1);
        let tag = format!("D{}", self.tag);
        self.client.get_mut().allow(allowance);
        self.send(name, &format!("{tag} {line}\r\n")).await?;
        Ok(tag)
    }

    /// Lets one response to the running command have literals of so many bytes: bodies, which were asked for.
    pub fn allow_literals(&mut self, most: u64) {
        self.client.get_mut().allow_literals(most);
    }

    /// Lets the server be silent for so long beyond its time-out, until the next command.
    pub fn be_patient(&mut self, beyond: Duration) {
        self.client.get_mut().be_patient(beyond);
    }

    /// From here on both sides deflate what they send: the server has just said OK to that.
    pub fn deflate(&mut self) {
        self.client.get_mut().deflate();
    }

    /// Sends a line as it is.
    pub async fn send(&mut self, name: &str, line: &str) -> Result<(), SourceError> {
        let guard = self.client.get_mut();
        let sent = async {
            guard.write_all(line.as_bytes()).await?;
            guard.flush().await
        };
        sent.await.map_err(|error| failure(&self.host, name, &error))
    }

    /// Reads answers until the one with this tag.
    pub async fn finish(&mut self, name: &str, tag: &str, on: OnAnswer<'_>) -> Result<Said, SourceError> {
        loop {
            if let Some(said) = self.step(name, tag, on).await? {
                return Ok(said);
            }
        }
    }

    /// Reads answers until the server wants the rest of the command (RFC 9051, 7.6), and returns what it says there.
    ///
    /// # Errors
    /// As [`command`](Self::command); an OK that comes before is a protocol error.
    pub async fn challenge(&mut self, name: &str, tag: &str) -> Result<String, SourceError> {
        let mut challenge = None;
        loop {
            let mut on = |answer| {
                if let Answer::Continue(words) = answer {
                    challenge = Some(words);
                }
                Ok(())
            };
            if self.step(name, tag, &mut on).await?.is_some() {
                return Err(SourceError::Protocol {
                    command: name.to_owned(),
                    detail: "it ends before the command was sent whole".to_owned(),
                });
            }
            if let Some(challenge) = challenge {
                return Ok(challenge);
            }
        }
    }

    /// Reads one answer: what was said with the OK of this tag, or nothing, and `on` gets it.
    pub async fn step(&mut self, name: &str, tag: &str, on: OnAnswer<'_>) -> Result<Option<Said>, SourceError> {
        match self.read(name).await? {
            Answer::Tagged { tag: ended, ok, said } if ended == tag => match ok {
                true => Ok(Some(said)),
                false => Err(SourceError::Refused {
                    command: name.to_owned(),
                    words: self.hidden.plain(&said.words),
                }),
            },
            Answer::Tagged { .. } => Err(SourceError::Protocol {
                command: name.to_owned(),
                detail: "it ends another command".to_owned(),
            }),
            Answer::Bye(said) => Err(SourceError::Lost {
                command: name.to_owned(),
                words: self.hidden.plain(&said.words),
            }),
            answer => on(answer).map(|()| None),
        }
    }

    /// Reads one response.
    ///
    /// # Errors
    /// The connection is lost or silent, or sends what the command does not allow for or what
    /// the parser does not understand. The parser's own error quotes mail, so it is not shown.
    pub async fn read(&mut self, name: &str) -> Result<Answer, SourceError> {
        let not_understood = || SourceError::Protocol {
            command: name.to_owned(),
            detail: "it is not IMAP as RFC 9051 has it".to_owned(),
        };
        // The parser panics on some answers, INTERNALDATE NIL for one.
        let read = AssertUnwindSafe(self.client.read_response()).catch_unwind().await;
        let response = match read {
            Err(_) => return Err(not_understood()),
            Ok(Ok(Some(response))) => response,
            Ok(Ok(None)) => {
                let closed = std::io::ErrorKind::UnexpectedEof.into();
                return Err(failure(&self.host, name, &closed));
            }
            Ok(Err(error)) if is_parser_error(&error) => return Err(not_understood()),
            Ok(Err(error)) => return Err(failure(&self.host, name, &error)),
        };
        let mut answer = translate(response.parsed(), response.borrow_owner());
        match &mut answer {
            Answer::Exists(count) => {
                self.grown |= *count > self.exists;
                self.exists = *count;
            }
            Answer::Expunge => self.exists = self.exists.saturating_sub(1),
            Answer::Fetch(line) => {
                if let Some((_, body)) = &mut line.body
                    && let Body::At(place) = body
                {
                    let place = place.clone();
                    *body = Body::Bytes(if place.len() < KEEP_BLOCK {
                        Bytes::copy_from_slice(&response.borrow_owner()[place])
                    } else {
                        response.into_owner().freeze().slice(place)
                    });
                }
            }
            _ => {}
        }
        Ok(answer)
    }
}

/// Whether an error is of async-imap's making, rather than of the guarded stream.
fn is_parser_error(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::Other
        && error.raw_os_error().is_none()
        && error.to_string().contains(" during parsing of ")
}
