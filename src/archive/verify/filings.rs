//! What must hold for filings: what they name is there, and where not all of them are added up, their messages and who
//! holds these are as they say.

use heed::{RoTxn, types::Bytes};

use super::{
    damage::{Damage, Kind},
    tables::{Check, knows},
    uneven,
    words::Desk,
};
use crate::archive::{
    Seconds,
    rows::{Filing, MessageId, UserId},
};

impl Check<'_> {
    /// Whether a filing is compared with what there was at the beginning.
    pub(super) fn counts(&self, user: UserId, id: MessageId) -> bool {
        self.context.request.selection.has_all_tables() && self.was_there(id) && !self.late.has(user, id)
    }

    /// A message that there was at the beginning.
    fn was_there(&self, id: MessageId) -> bool {
        let began = self.context.extent.counters.as_ref();
        began.is_some_and(|counters| id < counters.message)
    }

    pub(super) fn filing(
        &mut self,
        txn: &RoTxn,
        (user, date, id): (UserId, Seconds, MessageId),
        filing: &Filing,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        let counts = self.counts(user, id);
        if counts {
            self.seen.balance.in_table(user, id, date);
        }
        if !self.context.follows(id) {
            self.not_summed();
        } else if self.waits(desk) {
            self.waiting.filing((user, date, id));
        } else if !(counts && self.adds_up()) {
            self.looked_up(txn, (user, date, id), desk)?;
        }
        let context = self.context;
        let wrong = |detail: String| {
            let detail = format!("the filing of message {id} for user {user} refers to {detail}");
            Damage::new(Kind::Filing, detail).message(id).user(context.name(user))
        };
        if filing.run >= self.counters.run {
            desk.damage(wrong(format!("run {}, which never existed", filing.run)));
        }
        if !knows(&mut self.known.folders, filing.folder.0, || {
            let folders = self.catalog.folders.remap_data_type::<Bytes>();
            Ok(folders.get(txn, &filing.folder)?.is_some())
        })? {
            desk.damage(wrong(format!("folder {}, which does not exist", filing.folder)));
        }
        if !self.knows_user(txn, user)? {
            desk.damage(
                self.found(format!("message {id} is filed for user {user}, who does not exist"))
                    .message(id),
            );
        }
        if self.was_there(id) {
            self.seen.filed.insert(id.0);
        }
        Ok(())
    }

    /// Looks up the message of a filing, and who holds it.
    fn looked_up(&mut self, txn: &RoTxn, key: (UserId, Seconds, MessageId), desk: &mut Desk) -> heed::Result<()> {
        let (context, catalog) = (self.context, self.catalog);
        let message = self.message(txn, key.2)?;
        if let Some(damage) = uneven::of_filing(context, catalog, txn, key, message.as_ref())? {
            desk.damage(damage);
        }
        if self.adds_up() {
            return Ok(());
        }
        match message {
            Some(message) => self.usage.add(catalog, txn, key.0, message.size, desk),
            // Nobody knows how large it was.
            None => {
                self.usage.skipped();
                Ok(())
            }
        }
    }
}
