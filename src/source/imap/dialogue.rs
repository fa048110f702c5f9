//! Commands and their answers, each held to its tagged OK.
//!
//! Responses are framed and screened here, and parsed by async-imap's parser. Its commands are not used: they take a
//! NO, a BAD, a BYE or a closed connection for the end of a result, and write through `log` what they send, passwords
//! included. Nor is its reading: it parses whatever comes, again with each part that comes, and puts all that it holds
//! into an error's text.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{
    answer::{Answer, FetchLine, StatusText, parse},
    responses::{KEEP_BLOCK, Responses, Taken},
    screen::{Attributes, Kind, Part, Verdict, screen},
};
use crate::{
    net::Hidden,
    source::{SourceError, guard::Guard},
};

/// What a command other than a listing or a fetch may be answered with, in bytes.
const SMALL: u64 = 1 << 20;

/// What the server may say unasked about each message in the folder during any command
/// (another client marks all of them, say), in bytes.
const UNASKED: u64 = 128;

/// A server may claim that any number of messages stands in a folder; for more than this the
/// allowance does not grow.
const MANY: u32 = 4_000_000;

/// Messages of less than a quarter of it are put side by side into memory of so many bytes. It is given back with the
/// last of them, and they travel together.
const TOGETHER: usize = 64 << 10;

/// Lines of a command's answer that are kept to be shown, as they cannot be read.
const MOST_ODD: usize = 20;

/// Receives the answers to a command before its end.
pub(super) type OnAnswer<'a> = &'a mut (dyn FnMut(Answer) -> Result<(), SourceError> + Send);

/// A connection on which one command at a time is running.
pub(super) struct Dialogue {
    pub host: String,
    responses: Responses,
    /// What of a response goes to the parser.
    letter: Vec<u8>,
    tag: u32,
    /// Messages in the opened folder, as the server last said.
    pub exists: u32,
    /// It said that there are more of them.
    pub grown: bool,
    /// It said that there are fewer of them, and not which went (RFC 9051, 7.4.1 wants EXPUNGE for each).
    pub shrunk: bool,
    /// What no error may repeat.
    pub hidden: Hidden,
    /// What of the running command's answer cannot be read, as it may be shown, and what it is about.
    odd: Vec<(Kind, String)>,
    /// A message stood in the running command's answer: what is no response behind it may be more of that.
    behind_message: bool,
    /// Where small messages are put.
    together: BytesMut,
}

impl Dialogue {
    pub fn new(host: &str, guard: Guard, hidden: Hidden) -> Self {
        let mut responses = Responses::new(host, guard);
        responses.allow(SMALL);
        Self {
            host: host.to_owned(),
            responses,
            letter: Vec::new(),
            tag: 0,
            exists: 0,
            grown: false,
            shrunk: false,
            hidden,
            odd: Vec::new(),
            behind_message: false,
            together: BytesMut::new(),
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
    ) -> Result<StatusText, SourceError> {
        let tag = self.begin(name, line, allowance).await?;
        self.finish(name, &tag, on).await
    }

    /// Sends a command, and returns its tag.
    pub async fn begin(&mut self, name: &str, line: &str, allowance: u64) -> Result<String, SourceError> {
        self.tag = self.tag.wrapping_add(1);
        let tag = format!("D{}", self.tag);
        self.responses.allow(allowance);
        self.odd.clear();
        self.behind_message = false;
        self.send(name, &format!("{tag} {line}\r\n")).await?;
        Ok(tag)
    }

    /// Lets one response to the running command have literals of so many bytes: bodies, which were asked for.
    pub fn allow_literals(&mut self, most: u64) {
        self.responses.allow_literals(most);
    }

    /// Lets the server be silent for so long beyond its time-out, until the next command.
    pub fn be_patient(&mut self, beyond: Duration) {
        self.responses.guard().be_patient(beyond);
    }

    /// From here on both sides deflate what they send: the server has just said OK to that.
    pub fn deflate(&mut self) {
        self.responses.guard().deflate();
    }

    /// Sends a line as it is.
    pub async fn send(&mut self, name: &str, line: &str) -> Result<(), SourceError> {
        self.responses.send(name, line).await
    }

    /// Lines of the last command's answer that are about this, and of which nothing can be read.
    pub fn odd(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let about = self.odd.iter().filter(move |(about, _)| *about == kind);
        about.map(|(_, line)| line.as_str())
    }

    /// Whether some of the last command's answer cannot be read.
    pub fn is_odd(&self) -> bool {
        !self.odd.is_empty()
    }

    /// An answer that came to its end, and lacks what is needed: the session goes on. Where some of it could not be
    /// read, the error says so.
    pub fn unclear(&self, command: &str, detail: &str) -> SourceError {
        let detail = match self.odd.first() {
            Some((_, line)) => format!("{detail}, and it has a line that cannot be read: {line}"),
            None => detail.to_owned(),
        };
        SourceError::Unclear {
            command: command.to_owned(),
            detail,
        }
    }

    /// Whether each line of the last answer could be read.
    pub fn could_read_all(&self) -> bool {
        self.odd.is_empty()
    }

    /// Reads answers until the one with this tag.
    pub async fn finish(&mut self, name: &str, tag: &str, on: OnAnswer<'_>) -> Result<StatusText, SourceError> {
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
    pub async fn step(&mut self, name: &str, tag: &str, on: OnAnswer<'_>) -> Result<Option<StatusText>, SourceError> {
        match self.read(name).await? {
            Answer::Tagged { tag: ended, ok, said } if ended == tag => match ok {
                true => Ok(Some(said)),
                false => Err(SourceError::Refused {
                    command: name.to_owned(),
                    words: self.hidden.plain(&said.words),
                }),
            },
            // Nobody waits for the end of another command. Behind a message it may be more of that.
            Answer::Tagged { tag, .. } if !self.behind_message => {
                tracing::debug!(host = self.host, tag, "the end of a command that nobody waits for");
                Ok(None)
            }
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

    /// Reads up to the next response that is waited for. What nobody needs is passed over.
    ///
    /// # Errors
    /// The connection is lost or silent, sends what the command does not allow for, or is out of step: nobody knows
    /// what would be a response, and what mail.
    pub async fn read(&mut self, name: &str) -> Result<Answer, SourceError> {
        loop {
            let (taken, verdict) = self.screened(name).await?;
            let out_of_step = |detail| Err(out_of_step(name, detail, &self.hidden.line(&shown(&taken))));
            match verdict {
                Verdict::Fetch { read, odd } => return Ok(Answer::Fetch(self.fetched(read, taken, odd))),
                Verdict::Letter { odd } => match parse(&self.letter) {
                    Some(answer) => return Ok(self.answer(answer, &taken, odd)),
                    // Nothing more would come.
                    None if !self.letter.starts_with(b"*") => return out_of_step("it cannot be read"),
                    None => _ = self.note(Kind::Other, &taken),
                },
                Verdict::Odd(Kind::Tagged) => return out_of_step("the line that ends it cannot be read"),
                Verdict::Odd(kind) => _ = self.note(kind, &taken),
                Verdict::Passed => {}
                Verdict::Stray if self.behind_message => {
                    return out_of_step("a line between the messages is no answer");
                }
                Verdict::Stray => _ = self.note(Kind::Other, &taken),
                Verdict::Adrift => return out_of_step("a message does not end where it was said to"),
            }
        }
    }

    /// Reads the greeting, which is the first line.
    ///
    /// # Errors
    /// As [`read`](Self::read), and it is none.
    pub async fn greeting(&mut self, name: &str) -> Result<Answer, SourceError> {
        loop {
            let (taken, verdict) = self.screened(name).await?;
            if verdict == Verdict::Passed {
                continue;
            }
            match (verdict, parse(&self.letter)) {
                (Verdict::Letter { .. }, Some(answer @ (Answer::Note(_) | Answer::Preauth(_) | Answer::Bye(_)))) => {
                    return Ok(answer);
                }
                _ => {
                    let line = self.hidden.line(&shown(&taken));
                    return Err(out_of_step(name, "this is no IMAP greeting", &line));
                }
            }
        }
    }

    async fn screened(&mut self, name: &str) -> Result<(Taken, Verdict), SourceError> {
        let taken = self.responses.next(name).await?;
        let verdict = screen(taken.framed(), &mut self.letter);
        Ok((taken, verdict))
    }

    fn answer(&mut self, answer: Answer, taken: &Taken, odd: bool) -> Answer {
        if odd {
            self.note(Kind::Other, taken);
        }
        match &answer {
            Answer::Exists(count) => {
                self.grown |= *count > self.exists;
                self.shrunk |= *count < self.exists;
                self.exists = *count;
            }
            // There is no such message, so none is gone.
            Answer::Expunge(number) if *number == 0 || *number > self.exists => {
                self.note(Kind::Expunge, taken);
                return Answer::Other;
            }
            Answer::Expunge(_) => self.exists -= 1,
            _ => {}
        }
        answer
    }

    fn fetched(&mut self, read: Attributes, taken: Taken, odd: bool) -> FetchLine {
        let odd = odd.then(|| self.note(Kind::Other, &taken));
        self.behind_message |= matches!(read.body, Some((_, Part::At(_))));
        let body = read.body.map(|(want, part)| {
            let bytes = match part {
                Part::Nil => None,
                Part::Quoted(bytes) => Some(bytes.into()),
                Part::At(place) if taken.block.len() < KEEP_BLOCK => Some(self.beside_others(&taken.block[place])),
                Part::At(place) => Some(taken.block.freeze().slice(place)),
            };
            (want, bytes)
        });
        FetchLine {
            number: read.number,
            uid: read.uid,
            size: read.size,
            date: read.date,
            flags: read.flags,
            body,
            odd,
        }
    }

    /// A message in memory that it shares with those that come before and after it, if it is small: it was allocated here,
    /// and given up by another thread, at the cost of as much again as copying it.
    fn beside_others(&mut self, message: &[u8]) -> Bytes {
        if message.len() >= TOGETHER / 4 {
            return Bytes::copy_from_slice(message);
        }
        if self.together.capacity() < message.len() {
            self.together = BytesMut::with_capacity(TOGETHER);
        }
        self.together.extend_from_slice(message);
        self.together.split().freeze()
    }

    /// Notes a line that cannot be read, and gives it as it may be shown.
    fn note(&mut self, kind: Kind, taken: &Taken) -> String {
        let line = self.hidden.line(&shown(taken));
        tracing::debug!(host = self.host, line, "a line of the server's cannot be read");
        if self.odd.len() < MOST_ODD {
            self.odd.push((kind, line.clone()));
        }
        line
    }
}

/// The text of a response: of literals in it, which may be mail, the length alone.
fn shown(taken: &Taken) -> Vec<u8> {
    let framed = taken.framed();
    let mut text = Vec::new();
    let mut at = 0;
    for literal in framed.literals {
        text.extend_from_slice(framed.bytes[at..literal.start].trim_ascii_end());
        text.extend_from_slice("…".as_bytes());
        at = literal.end;
    }
    text.extend_from_slice(&framed.bytes[at..]);
    text
}

fn out_of_step(command: &str, detail: &str, line: &str) -> SourceError {
    SourceError::Protocol {
        command: command.to_owned(),
        detail: format!("{detail}: {line}"),
    }
}
