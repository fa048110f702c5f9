//! Marking messages as deleted: DELE, pipelined where the server allows it. QUIT is what deletes them.

use std::collections::{HashMap, HashSet};

use super::{Mailbox, PIPELINED, Pop3Session};
use crate::source::{CopyRef, Kept, OpenFolder, Removal, Removed, SourceError, lines::SMALL};

const DELE: &str = "DELE";

impl Pop3Session {
    /// As [`open`](Self::open): POP3 knows no other way.
    pub(in crate::source) async fn open_for_removal(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        self.open(folder).await
    }

    /// Marks copies of the opened mailbox as deleted.
    ///
    /// # Errors
    /// The copies are to be moved, or the connection is lost, and then nothing is deleted.
    pub(in crate::source) async fn remove(
        &mut self,
        copies: &[CopyRef],
        how: Removal<'_>,
    ) -> Result<Removed, SourceError> {
        if let Removal::Move(folder) = how {
            return Err(SourceError::Refused {
                command: "the move".to_owned(),
                words: format!("POP3 has no folders, so nothing can be moved to {folder}; delete it, or use IMAP"),
            });
        }
        let mut removed = Removed::default();
        let mut marked: Vec<(u32, &CopyRef)> = Vec::new();
        let mut taken = HashSet::new();
        let listed = Listed::new(&self.mailbox, copies);
        for copy in copies {
            match self.number_of(copy, &listed) {
                // One that was asked for twice is told once.
                Ok(number) if taken.insert(number) => marked.push((number, copy)),
                Ok(_) => {}
                Err(kept) => removed.kept.push((copy.clone(), kept)),
            }
        }
        self.dialogue.lines.allow(SMALL + PER_ANSWER * marked.len() as u64);
        let depth = if self.turns.are_pipelined() { PIPELINED } else { 1 };
        let mut sent = 0;
        for (answered, (_, copy)) in marked.iter().enumerate() {
            if sent - answered <= depth / 2 {
                let until = marked.len().min(answered + depth);
                let lines = marked[sent..until].iter();
                let lines: String = lines.map(|(number, _)| format!("{DELE} {number}\r\n")).collect();
                self.dialogue.lines.send(DELE, lines.as_bytes()).await?;
                sent = until;
            }
            let copy = (*copy).clone();
            match self.dialogue.status(DELE).await {
                Ok(_) => removed.gone.push(copy),
                Err(SourceError::Refused { words, .. }) => removed.kept.push((copy, Kept::Refused(words))),
                Err(error) => return Err(self.turns.failed(error, false, false)),
            }
        }
        Ok(removed)
    }

    /// The number by which this session knows a copy. Numbers are another message's in another session, so only what
    /// proves that it is this one counts: its unique id, or that it was fetched here.
    fn number_of(&self, copy: &CopyRef, listed: &Listed<'_>) -> Result<u32, Kept> {
        let refused = |words: &str| Err(Kept::Refused(words.to_owned()));
        match copy {
            CopyRef::Uidl { uidl, .. } => match listed.0.get(&**uidl) {
                Some(Some(number)) => Ok(*number),
                Some(None) => refused("its unique id (UIDL) stands twice in the listing"),
                None => Err(Kept::Vanished),
            },
            CopyRef::Number(number) if self.fetched.contains(*number) => Ok(*number),
            CopyRef::Number(_) => refused("it has no unique id (UIDL), and was not fetched in this session"),
            CopyRef::Uid(_) | CopyRef::File(_) => refused("it is not of a POP3 mailbox"),
        }
    }
}

/// What a server may say about one mark, in bytes.
const PER_ANSWER: u64 = 512;

/// The numbers of the unique ids; none for one that stands twice.
struct Listed<'a>(HashMap<&'a str, Option<u32>>);

impl<'a> Listed<'a> {
    /// Of the copies that are asked for.
    fn new(mailbox: &Mailbox, asked: &'a [CopyRef]) -> Self {
        let uidl = |copy: &'a CopyRef| match copy {
            CopyRef::Uidl { uidl, .. } => Some(&**uidl),
            _ => None,
        };
        let mut places: HashMap<&str, Vec<u32>> =
            asked.iter().filter_map(uidl).map(|uidl| (uidl, Vec::new())).collect();
        for (at, number) in mailbox.numbers().enumerate() {
            if let Some(places) = mailbox.uidl(at).and_then(|uidl| places.get_mut(uidl)) {
                places.push(number);
            }
        }
        let number = |numbers: Vec<u32>| match numbers[..] {
            [number] => Some(number),
            _ => None,
        };
        let listed = places.into_iter().filter(|(_, numbers)| !numbers.is_empty());
        Self(listed.map(|(uidl, numbers)| (uidl, number(numbers))).collect())
    }
}
