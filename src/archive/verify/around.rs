//! What must hold for the rows that say how a message came: copies, journal reports, addresses that nobody had.

use heed::{RoTxn, types::Bytes};

use super::{
    damage::{Damage, Kind},
    tables::{Check, knows},
    words::Desk,
};
use crate::archive::rows::{Copy, CopyKey, FolderNumber, Journal, MessageId, SourceNumber, Unclaimed};

impl Check<'_> {
    pub(super) fn journal(
        &mut self,
        txn: &RoTxn,
        (id, report): (MessageId, MessageId),
        journal: &Journal,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        let messages = self.catalog.messages.remap_data_type::<Bytes>();
        for (which, named) in [("a message", id), ("a journal report", report)] {
            if messages.get(txn, &named)?.is_none() {
                let detail =
                    format!("the row of message {id} and journal report {report} refers to {which} that is missing");
                desk.damage(self.found(detail).message(named));
            }
        }
        if journal.run >= self.counters.run {
            let detail = format!(
                "the row of message {id} and journal report {report} refers to run {}, which never existed",
                journal.run
            );
            desk.damage(self.found(detail).message(id));
        }
        let extent = self.context.extent.counters.as_ref();
        if extent.is_some_and(|counters| report < counters.message) {
            self.seen.filed.insert(report.0);
        }
        Ok(())
    }

    pub(super) fn copy(&mut self, txn: &RoTxn, key: CopyKey, copy: &Copy, desk: &mut Desk) -> heed::Result<()> {
        let id = copy.message;
        let mut wrong = |detail: &str| {
            let damage = Damage::new(Kind::Copy, format!("the row of {key:?} {detail}"));
            desk.damage(damage.message(id));
        };
        if self.near.get(self.catalog, txn, id)?.is_none() {
            wrong("refers to a message that is missing");
        }
        let (source, folder) = match key {
            CopyKey::Imap { source, folder, .. } => (source, Some(folder)),
            CopyKey::Pop3 { source, .. } => (source, None),
        };
        for nothing in self.unknown_places(txn, source, folder)? {
            wrong(nothing);
        }
        Ok(())
    }

    /// How a folder of a source looked is noted for those that exist.
    pub(super) fn sighting(
        &mut self,
        txn: &RoTxn,
        (source, folder): (SourceNumber, FolderNumber),
        desk: &mut Desk,
    ) -> heed::Result<()> {
        for nothing in self.unknown_places(txn, source, Some(folder))? {
            let detail = format!("the row of source {source} and folder {folder} {nothing}");
            desk.damage(self.found(detail));
        }
        Ok(())
    }

    /// In words, which of them a row refers to in vain.
    fn unknown_places(
        &mut self,
        txn: &RoTxn,
        source: SourceNumber,
        folder: Option<FolderNumber>,
    ) -> heed::Result<Vec<&'static str>> {
        let mut unknown = Vec::new();
        let sources = self.catalog.sources.remap_data_type::<Bytes>();
        if !knows(&mut self.known.sources, source.0, || {
            Ok(sources.get(txn, &source)?.is_some())
        })? {
            unknown.push("refers to a source that does not exist");
        }
        let folders = self.catalog.folders.remap_data_type::<Bytes>();
        if let Some(folder) = folder
            && !knows(&mut self.known.folders, folder.0, || {
                Ok(folders.get(txn, &folder)?.is_some())
            })?
        {
            unknown.push("refers to a folder that does not exist");
        }
        Ok(unknown)
    }

    pub(super) fn unclaimed(
        &mut self,
        txn: &RoTxn,
        (id, digest): (MessageId, [u8; 16]),
        unclaimed: &Unclaimed,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        let messages = self.catalog.messages.remap_data_type::<Bytes>();
        if messages.get(txn, &id)?.is_none() {
            let detail = format!("an address is noted for message {id}, which is missing");
            desk.damage(self.found(detail).message(id));
        }
        if unclaimed.digest() != digest {
            let detail = format!("an address noted for message {id} is stored under the wrong key");
            desk.damage(self.found(detail).message(id));
        }
        Ok(())
    }
}
