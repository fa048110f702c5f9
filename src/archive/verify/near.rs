//! What other rows are compared with of messages. Most tables have their rows in the order in which the messages came, so
//! those of neighbours are read together: looking up each of them took longer than all else that is done with a row.

use heed::{BytesDecode, RoTxn, types::Bytes};

use crate::archive::{
    Seconds,
    catalog::Catalog,
    codec::Row,
    resident,
    rows::{IdentityNumber, Message, MessageId, Sha256},
};

/// Messages that are read together, and how far from the one before another counts as its neighbour.
const TOGETHER: usize = 64;
const NEAR: u64 = 16;

/// What is compared of a message.
#[derive(Clone, Copy)]
pub struct Facts {
    pub identity: IdentityNumber,
    pub sha256: Sha256,
    pub date: Seconds,
    pub size: u64,
    /// The volume and block in which it begins.
    pub block: (u32, u64),
}

impl From<&Message> for Facts {
    fn from(message: &Message) -> Self {
        Self {
            identity: message.identity,
            sha256: message.sha256,
            date: message.date,
            size: message.size,
            block: (message.inline.volume, message.inline.block),
        }
    }
}

/// Messages that were read together, under one transaction.
#[derive(Default)]
pub struct Neighbours {
    first: MessageId,
    /// `None`: it is not there, or cannot be read.
    facts: Vec<Option<Facts>>,
    /// The message that was wanted last and was not among them.
    missed: MessageId,
}

impl Neighbours {
    /// Another transaction begins.
    pub fn forget(&mut self) {
        self.facts.clear();
    }

    /// What is known of a message.
    ///
    /// # Errors
    /// Its row cannot be read.
    pub fn get(&mut self, catalog: &Catalog, txn: &RoTxn, id: MessageId) -> heed::Result<Option<Facts>> {
        if let Some(facts) = self.known(id) {
            return Ok(Some(facts));
        }
        resident::touched();
        let is_near = id > self.missed && id.since(self.missed) <= NEAR;
        self.missed = id;
        if is_near {
            self.read(catalog, txn, id)?;
            if let Some(facts) = self.known(id) {
                return Ok(Some(facts));
            }
        }
        let message = catalog.messages.get(txn, &id)?;
        Ok(message.as_ref().map(Facts::from))
    }

    fn known(&self, id: MessageId) -> Option<Facts> {
        let at = usize::try_from(id.0.checked_sub(self.first.0)?).ok()?;
        *self.facts.get(at)?
    }

    /// Reads the messages from this one on. Whoever wants one that cannot be read finds out by its key.
    fn read(&mut self, catalog: &Catalog, txn: &RoTxn, first: MessageId) -> heed::Result<()> {
        self.first = first;
        self.facts.clear();
        let rows = catalog.messages.remap_data_type::<Bytes>().range(txn, &(first..))?;
        for row in rows.take(TOGETHER) {
            let Ok((id, row)) = row else { break };
            let at = id.since(first) as usize;
            if at < self.facts.len() || at >= TOGETHER {
                break;
            }
            self.facts.resize(at, None);
            let message = <Row<Message> as BytesDecode>::bytes_decode(row);
            self.facts.push(message.ok().as_ref().map(Facts::from));
        }
        Ok(())
    }
}
