//! What must hold for the rows that say how a message came: copies, journal reports, addresses that nobody had.

use heed::{RoTxn, types::Bytes};

use super::{
    damage::{Damage, Kind},
    protocol::Desk,
    tables::{Check, knows},
};
use crate::archive::rows::{Copy, CopyKey, Journal, MessageId, Unclaimed};

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
        if copy.key != key.check() {
            wrong("belongs to another copy");
        }
        let messages = self.catalog.messages.remap_data_type::<Bytes>();
        if messages.get(txn, &id)?.is_none() {
            wrong("refers to a message that is missing");
        }
        let (source, folder) = match key {
            CopyKey::Imap { source, folder, .. } => (source, Some(folder)),
            CopyKey::Pop3 { source, .. } => (source, None),
        };
        let sources = self.catalog.sources.remap_data_type::<Bytes>();
        if !knows(&mut self.known.sources, source.0, || {
            Ok(sources.get(txn, &source)?.is_some())
        })? {
            wrong("refers to a source that does not exist");
        }
        let folders = self.catalog.folders.remap_data_type::<Bytes>();
        if let Some(folder) = folder
            && !knows(&mut self.known.folders, folder.0, || {
                Ok(folders.get(txn, &folder)?.is_some())
            })?
        {
            wrong("refers to a folder that does not exist");
        }
        Ok(())
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
