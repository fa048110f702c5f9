//! Which copies stand in the mailbox, and how large they are: UIDL and LIST.

use std::collections::BTreeMap;

use super::{Pop3Session, number};
use crate::source::{Announced, CopyRef, OpenFolder, SourceError};

/// What a listing may say about one message, in bytes.
const PER_MESSAGE: u64 = 256;

/// A server may claim any number of messages; for more than this the allowance does not grow.
const MANY: u32 = 4_000_000;

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
        let allowance = (1 << 20) + PER_MESSAGE * u64::from(count.min(MANY));

        let sizes = &mut self.sizes;
        sizes.clear();
        let mut on = |line: &[u8]| {
            if let Some((number, rest)) = numbered(line)
                && let Some(size) = first_word(rest).and_then(|size| size.parse().ok())
            {
                sizes.insert(number, size);
            }
        };
        self.dialogue.list("LIST", allowance, &mut on).await?;

        let mut copies: BTreeMap<u32, CopyRef> = self
            .sizes
            .keys()
            .map(|number| (*number, CopyRef::Number(*number)))
            .collect();
        let mut on = |line: &[u8]| {
            if let Some((number, rest)) = numbered(line) {
                copies.insert(number, identified(number, rest));
            }
        };
        match self.dialogue.list("UIDL", allowance, &mut on).await {
            // A server that says it has UIDL refuses it for now: without it, all would be fetched again.
            Err(SourceError::Refused { .. }) if !self.offers("UIDL") => {}
            listed => listed?,
        }
        if copies.len() < count as usize {
            self.find_left_out(count, &mut copies).await?;
        }
        self.copies = copies.into_values().collect();
        self.fetched.clear();
        Ok(OpenFolder {
            name: "INBOX".to_owned(),
            uidvalidity: None,
            exists: count,
            uidnext: None,
        })
    }

    /// Adds the messages that STAT counts, and neither LIST nor UIDL names. Whether they stand there is seen when their
    /// sizes are asked for; that they are missing from both must not pass for their absence.
    async fn find_left_out(&mut self, count: u32, copies: &mut BTreeMap<u32, CopyRef>) -> Result<(), SourceError> {
        let missing = count as usize - copies.len();
        if missing > LEFT_OUT {
            return Err(SourceError::Protocol {
                command: "STAT".to_owned(),
                detail: format!("it counts {count} messages, and LIST and UIDL leave out {missing} of them"),
            });
        }
        let left_out: Vec<u32> = (1..=count).filter(|number| !copies.contains_key(number)).collect();
        for number in left_out {
            let copy = match self.dialogue.command("UIDL", &format!("UIDL {number}")).await {
                Ok(words) => match numbered(words.as_bytes()) {
                    Some((answered, uidl)) if answered == number => identified(number, uidl),
                    _ => CopyRef::Number(number),
                },
                Err(SourceError::Refused { .. }) => CopyRef::Number(number),
                Err(error) => return Err(error),
            };
            copies.insert(number, copy);
        }
        Ok(())
    }

    /// The copies in the mailbox, by their numbers: with their unique ids where the server has
    /// such. They are those from when it was opened; more appear in a new session only.
    pub(in crate::source) async fn listing(&mut self) -> Result<Vec<CopyRef>, SourceError> {
        Ok(self.copies.clone())
    }

    /// The sizes of copies, in the order asked.
    pub(in crate::source) async fn sizes(&mut self, copies: &[CopyRef]) -> Result<Vec<Announced>, SourceError> {
        let mut announced = Vec::with_capacity(copies.len());
        for copy in copies {
            let Some(number) = number(copy) else { continue };
            let size = match self.sizes.get(&number) {
                Some(size) => Some(*size),
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

/// RFC 1939 has a unique id of 1 to 70 visible ASCII characters. Servers differ: any bytes are
/// taken, and none at all is a message without one.
fn identified(number: u32, uidl: &[u8]) -> CopyRef {
    if uidl.is_empty() {
        return CopyRef::Number(number);
    }
    let uidl = match std::str::from_utf8(uidl) {
        Ok(text) => text.into(),
        // Two ids that differ must stay different.
        Err(_) => uidl.escape_ascii().to_string().into(),
    };
    CopyRef::Uidl { number, uidl }
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
        assert_eq!(identified(3, b""), CopyRef::Number(3));
        let uidl = "a\\xff".into();
        assert_eq!(identified(4, b"a\xff"), CopyRef::Uidl { number: 4, uidl });
    }
}
