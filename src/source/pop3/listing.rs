//! Which copies stand in the mailbox, and how large they are: UIDL and LIST.

use std::{borrow::Cow, sync::Arc};

use super::{Mailbox, Pop3Session, mailbox, number};
use crate::{
    said::said,
    source::{Announced, CopyRef, Listing, OpenFolder, SourceError},
};

/// What a listing may say about one message, in bytes.
const PER_MESSAGE: u64 = 256;

/// So many messages that STAT counts and the listings leave out are asked for one by one.
const LEFT_OUT: usize = 1_000;

impl Pop3Session {
    /// Asks what the mailbox holds.
    pub(in crate::source) async fn open(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        const STAT: &str = "STAT";
        if !folder.eq_ignore_ascii_case("INBOX") {
            return Err(SourceError::Refused {
                command: STAT.to_owned(),
                words: format!("POP3 has one folder, INBOX, and none called {folder}"),
            });
        }
        let words = self.dialogue.command(STAT, STAT).await?;
        let count = words
            .split_ascii_whitespace()
            .next()
            .and_then(|count| count.parse().ok());
        let count: u32 = count.ok_or_else(|| SourceError::Protocol {
            command: STAT.to_owned(),
            detail: "it has no count of messages".to_owned(),
        })?;
        if count as usize > mailbox::MOST {
            return Err(SourceError::TooLarge(said!(
                MailboxHas,
                "the mailbox has {0} messages, and dropkeep takes {1} over POP3: move mail into other mailboxes, or use IMAP",
                count,
                mailbox::MOST
            )));
        }
        let allowance = (1 << 20) + PER_MESSAGE * u64::from(count);

        let mut mailbox = Mailbox::default();
        let mut on = |line: &[u8]| {
            if let Some((number, rest)) = numbered(line) {
                let size = first_word(rest).and_then(|size| size.parse().ok());
                if size.is_some() {
                    mailbox.add(number, size);
                }
            }
        };
        self.dialogue.list("LIST", allowance, &mut on).await?;
        mailbox.put_in_order();

        // What LIST leaves out; the names for later, when all have their places.
        let mut more: Vec<(u32, String)> = Vec::new();
        let mut too_many = false;
        let mut on = |line: &[u8]| {
            if let Some((number, uidl)) = numbered(line)
                && !mailbox.name(number, &readable(uidl))
            {
                too_many |= more.len() >= LEFT_OUT;
                if !too_many {
                    more.push((number, readable(uidl).into_owned()));
                }
            }
        };
        match self.dialogue.list("UIDL", allowance, &mut on).await {
            // A server that says it has UIDL refuses it for now: without it, all would be fetched again.
            Err(SourceError::Refused { .. }) if !self.offers("UIDL") => {}
            listed => listed?,
        }
        if mailbox.overflowed() {
            return Err(SourceError::TooLarge(said!(
                MailboxListsMore,
                "the mailbox lists more messages, or longer unique ids, and dropkeep takes {0} over POP3: move mail into \
                 other mailboxes, or use IMAP",
                mailbox::MOST
            )));
        }
        more.iter().for_each(|(number, _)| mailbox.add(*number, None));
        mailbox.put_in_order();
        for (number, uidl) in more {
            mailbox.name(number, &uidl);
        }
        let left_out = (1..=count).filter(|number| mailbox.place(*number).is_none());
        let left_out: Vec<u32> = left_out.take(LEFT_OUT + 1).collect();
        if too_many || left_out.len() > LEFT_OUT {
            return Err(SourceError::Protocol {
                command: "STAT".to_owned(),
                detail: format!("it counts {count} messages, and LIST leaves out more than {LEFT_OUT} of them"),
            });
        }
        self.ask_for(left_out, &mut mailbox).await?;
        self.mailbox = Arc::new(mailbox);
        self.fetched.clear();
        Ok(OpenFolder {
            name: "INBOX".to_owned(),
            uidvalidity: None,
            uidnext: None,
            exists: count,
        })
    }

    /// Adds the messages that STAT counts, and neither LIST nor UIDL names. Whether they stand there is seen when their
    /// sizes are asked for; that they are missing there must not pass for their absence.
    async fn ask_for(&mut self, left_out: Vec<u32>, mailbox: &mut Mailbox) -> Result<(), SourceError> {
        left_out.iter().for_each(|number| mailbox.add(*number, None));
        mailbox.put_in_order();
        for number in left_out {
            match self.dialogue.command("UIDL", &format!("UIDL {number}")).await {
                Ok(words) => {
                    if let Some((answered, uidl)) = numbered(words.as_bytes())
                        && answered == number
                    {
                        mailbox.name(number, &readable(uidl));
                    }
                }
                Err(SourceError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The copies in the mailbox, by their numbers: with their unique ids where the server has
    /// such. They are those from when it was opened; more appear in a new session only.
    pub(in crate::source) async fn listing(&mut self) -> Result<Listing, SourceError> {
        Ok(Listing::Pop3(self.mailbox.clone()))
    }

    /// The sizes of copies, in the order asked.
    pub(in crate::source) async fn sizes(&mut self, copies: &[CopyRef]) -> Result<Vec<Announced>, SourceError> {
        let mut announced = Vec::with_capacity(copies.len());
        for copy in copies {
            let Some(number) = number(copy) else { continue };
            let size = match self.mailbox.place(number).and_then(|at| self.mailbox.size(at)) {
                Some(size) => Some(size),
                None => self.size(number).await?,
            };
            if let Some(size) = size {
                let copy = copy.clone();
                announced.push(Announced {
                    copy,
                    size,
                    facts: None,
                });
            }
        }
        Ok(announced)
    }

    /// The size of a message that the listing left out.
    async fn size(&mut self, number: u32) -> Result<Option<u64>, SourceError> {
        match self.dialogue.command("LIST", &format!("LIST {number}")).await {
            Ok(words) => Ok(words.split_ascii_whitespace().nth(1).and_then(|size| size.parse().ok())),
            Err(SourceError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A listing's line: a message number, and the rest.
fn numbered(line: &[u8]) -> Option<(u32, &[u8])> {
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (number, rest) = line.split_at(end);
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((number, rest.trim_ascii()))
}

fn first_word(text: &[u8]) -> Option<&str> {
    let word = text.split(u8::is_ascii_whitespace).next()?;
    std::str::from_utf8(word).ok()
}

/// A unique id as text. Two that differ stay different.
fn readable(uidl: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(uidl) {
        Ok(text) => text.into(),
        Err(_) => uidl.escape_ascii().to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_lines_are_read() {
        assert_eq!(numbered(b"1 abc"), Some((1, &b"abc"[..])));
        assert_eq!(numbered(b" 2   a b \t"), Some((2, &b"a b"[..])));
        assert_eq!(numbered(b"3"), Some((3, &b""[..])));
        assert_eq!(numbered(b"abc 1"), None);
        assert_eq!(numbered(b"-1 abc"), None);
        assert_eq!(numbered(b"4294967296 abc"), None);
        assert_eq!(readable(b"a\xff"), "a\\xff");
    }
}
