//! Whether what was fetched for a copy can be given back: asked before the copy is deleted on its server.

use super::{
    Retrieval, Store, StoreError,
    rows::{Copy, CopyKey, Message, MessageId, Sha256},
};
use crate::identify::{HeaderDigest, header_digests};

/// Journal reports of one message that are looked through.
const REPORTS: usize = 1000;

/// What the archive has of a copy; read back and found to be whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vouched {
    /// SHA-256 of the bytes that were fetched.
    pub fetched: Sha256,
    /// How many they were; `None` where the archive has the message in other bytes, which its users had before.
    pub size: Option<u64>,
    /// Of their header, as [`header_digests`]; `None` as with the size.
    pub headers: Option<[HeaderDigest; 2]>,
}

impl Store {
    /// What the copies with these keys were found to be; `None` for each that is not done.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn copies(&self, keys: &[CopyKey]) -> Result<Vec<Option<Copy>>, StoreError> {
        self.reading(|txn| self.catalog.copies.get_all(txn, keys))
    }
}

impl Retrieval<'_> {
    /// Reads back what is kept of a copy that is done. In words, why it must not be deleted, where it must not.
    ///
    /// # Errors
    /// The catalog cannot be read; what is damaged is in the words.
    pub fn vouch(&mut self, store: &Store, copy: &Copy) -> Result<Result<Vouched, String>, StoreError> {
        let Some(message) = store.message(copy.message)? else {
            return Ok(Err(format!(
                "message {}, as which it was archived, is missing",
                copy.message
            )));
        };
        if !store.is_held(message.identity)? {
            return Ok(Err(format!("message {} is in nobody's archive", copy.message)));
        }
        let raw = match self.read(copy.message, &message) {
            Ok(raw) => raw,
            Err(why) => return Ok(Err(why)),
        };
        let Some(fetched) = copy.fetched else {
            return Ok(Ok(Vouched {
                fetched: message.sha256,
                size: Some(message.size),
                headers: Some(header_digests(&raw)),
            }));
        };
        if let Some((report, row)) = self.report(store, copy.message, &fetched)? {
            let size = Some(row.size);
            return Ok(self.read(report, &row).map(|raw| Vouched {
                fetched,
                size,
                headers: Some(header_digests(&raw)),
            }));
        }
        // Its users had the message: under this very identity, or the catalog is not to be trusted.
        match store.identity_number(&store.catalog.identity_of(copy.message, &raw))? == Some(message.identity) {
            true => Ok(Ok(Vouched {
                fetched,
                size: None,
                headers: None,
            })),
            false => Ok(Err(format!(
                "message {} has another identity than the one on record",
                copy.message
            ))),
        }
    }

    /// The bytes, whose SHA-256 is the one noted; in words, why there are none.
    fn read(&mut self, id: MessageId, message: &Message) -> Result<Vec<u8>, String> {
        self.raw(id, message).map_err(|error| error.to_string())
    }

    /// The journal report with these bytes in which a message came.
    fn report(
        &self,
        store: &Store,
        message: MessageId,
        sha256: &Sha256,
    ) -> Result<Option<(MessageId, Message)>, StoreError> {
        let mut behind = MessageId(0);
        loop {
            let page = store.journals(message, behind, REPORTS)?;
            let Some((last, ..)) = page.last() else { return Ok(None) };
            behind = *last;
            if let Some((id, _, row)) = page.into_iter().find(|(.., row)| row.sha256 == *sha256) {
                return Ok(Some((id, row)));
            }
        }
    }
}
