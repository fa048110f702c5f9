//! What is wrong with a server, and when.

use std::{sync::Arc, time::Duration};

use super::Mailbox;

/// A command as it came in.
pub(super) struct Heard<'a> {
    /// Its name; `FETCH BODY` and `FETCH SIZE` are told apart, and `greeting` is one too.
    pub command: &'a str,
    /// The messages it names, by [`super::Message::id`].
    pub messages: &'a [u32],
}

#[derive(Clone)]
pub(super) enum Effect {
    /// The connection is closed after this many bytes.
    Cut(usize),
    /// After this many bytes nothing more comes.
    Hang(usize),
    /// These bytes come without end.
    Endless(Vec<u8>),
    /// The bytes become others.
    Change(Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>),
    /// These bytes come before the others. `{tag}` is the command's tag.
    Ahead(Vec<u8>),
    Instead(Vec<u8>),
    /// One byte at a time, with this pause behind each.
    Drip(Duration),
    /// Something happens to the mailbox before the command is answered.
    Meanwhile(Arc<dyn Fn(&mut Mailbox) + Send + Sync>),
}

/// One fault of a server.
#[derive(Clone)]
pub struct Fault {
    command: &'static str,
    message: Option<u32>,
    /// Whether the whole answer is meant, and not the message's part.
    whole: bool,
    /// Whether it may be that nobody sets it off.
    optional: bool,
    /// Which of the commands that fit, counted from 1: from and to.
    from: u32,
    to: u32,
    seen: u32,
    played: bool,
    effect: Option<Effect>,
}

/// A fault at each command of this name; the methods say at which of them, and the last one says what happens.
pub fn at(command: &'static str) -> Fault {
    Fault {
        command,
        message: None,
        whole: false,
        optional: false,
        from: 1,
        to: u32::MAX,
        seen: 0,
        played: false,
        effect: None,
    }
}

impl Fault {
    /// Only where the command names this message; what happens, happens to its part of the answer.
    pub fn message(mut self, id: u32) -> Self {
        self.message = Some(id);
        self
    }

    /// Only where the command names this message; what happens, happens to the whole answer.
    pub fn naming(mut self, id: u32) -> Self {
        self.message = Some(id);
        self.whole = true;
        self
    }

    /// Some clients never get there.
    pub fn perhaps(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Only the command with this number, counted from 1, among those that fit.
    pub fn nth(mut self, number: u32) -> Self {
        (self.from, self.to) = (number, number);
        self
    }

    pub fn once(self) -> Self {
        self.nth(1)
    }

    pub fn cut(self, after: usize) -> Self {
        self.with(Effect::Cut(after))
    }

    pub fn hang(self, after: usize) -> Self {
        self.with(Effect::Hang(after))
    }

    pub fn endless(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.with(Effect::Endless(bytes.into()))
    }

    pub fn change(self, change: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.with(Effect::Change(Arc::new(change)))
    }

    /// Each occurrence of a text becomes another.
    pub fn replace(self, from: &'static str, to: &'static str) -> Self {
        self.change(move |bytes| replaced(&bytes, from.as_bytes(), to.as_bytes()))
    }

    pub fn ahead(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.with(Effect::Ahead(bytes.into()))
    }

    pub fn instead(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.with(Effect::Instead(bytes.into()))
    }

    pub fn drip(self, pause: Duration) -> Self {
        self.with(Effect::Drip(pause))
    }

    pub fn meanwhile(self, work: impl Fn(&mut Mailbox) + Send + Sync + 'static) -> Self {
        self.with(Effect::Meanwhile(Arc::new(work)))
    }

    fn with(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    pub(super) fn was_played(&self) -> bool {
        self.played || self.optional
    }

    /// What a command sets off, and at which message.
    pub(super) fn due(&mut self, heard: &Heard<'_>) -> Option<(Option<u32>, Effect)> {
        let fits = self.command == heard.command && self.message.is_none_or(|id| heard.messages.contains(&id));
        if !fits {
            return None;
        }
        self.seen += 1;
        if !(self.from..=self.to).contains(&self.seen) {
            return None;
        }
        self.played = true;
        let message = self.message.filter(|_| !self.whole);
        Some((message, self.effect.clone()?))
    }
}

/// Each occurrence of `from` as `to`.
pub fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
