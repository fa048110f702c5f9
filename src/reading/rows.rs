//! What lists say of messages: what stands in a message is said by its row; where that is missing or cut, it is read from
//! the first bytes of the message.

use std::collections::BTreeSet;

use crate::{
    api::Failure,
    archive::{Message, MessageId, Retrieval, Store, StoreError},
    identify::{Listed, Summary, summary::suffices},
};

/// Bytes of a message in which its header is looked for; where it is longer, so many times as many.
const BEGINNING: usize = 64 << 10;
const MORE: usize = 8;
/// Of messages that cannot be read so many are named.
const NAMED: usize = 20;

/// Reads what is said of messages, and notes those that cannot be read.
pub struct Rows<'s> {
    retrieval: Retrieval<'s>,
    damaged: BTreeSet<MessageId>,
    omitted: bool,
    why: Option<StoreError>,
}

impl<'s> Rows<'s> {
    pub fn new(store: &'s Store) -> Self {
        Self {
            retrieval: Retrieval::new(store),
            damaged: BTreeSet::new(),
            omitted: false,
            why: None,
        }
    }

    /// What is said of a message that has this row; `None` where it is damaged, which is noted. `all` says whether its
    /// addressees are wanted to the last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn said_of(
        &mut self,
        id: MessageId,
        message: &Message,
        row: Option<Listed>,
        all: bool,
    ) -> Result<Option<Summary>, StoreError> {
        let summary = match row.filter(|row| !row.is_cut) {
            Some(row) => Ok(row.summary),
            None => self.read(id, message, all),
        };
        self.kept(id, summary)
    }

    /// What was read of a message; `None` where it is damaged, which is noted.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn kept<T>(&mut self, id: MessageId, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Err(why @ StoreError::Damaged { .. }) => {
                self.note(id, why);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn read(&mut self, id: MessageId, message: &Message, all: bool) -> Result<Summary, StoreError> {
        let mut most = BEGINNING;
        let mut beginning = self.retrieval.beginning(id, message, most)?;
        while beginning.len() == most && !suffices(&beginning, all) {
            most = most.saturating_mul(MORE);
            beginning = self.retrieval.beginning(id, message, most)?;
        }
        Ok(Summary::of(&beginning))
    }

    fn note(&mut self, id: MessageId, why: StoreError) {
        match self.damaged.len() < NAMED {
            true => drop(self.damaged.insert(id)),
            false => self.omitted |= !self.damaged.contains(&id),
        }
        self.why.get_or_insert(why);
    }

    /// Says at the end what could not be read.
    ///
    /// # Errors
    /// There was something.
    pub fn said(self) -> Result<(), Failure> {
        let Some(why) = self.why else { return Ok(()) };
        let ids: Vec<_> = self.damaged.iter().map(MessageId::to_string).collect();
        let more = if self.omitted { " and more" } else { "" };
        let mut failure = Failure::from(why);
        failure.error = format!("not listed: {}{more}: {}", ids.join(", "), failure.error);
        Err(failure)
    }
}
