//! What must hold for the audit log: its entries follow each other and are chained, from where the log begins to where it
//! ends.

use heed::RoTxn;

use super::{
    damage::{Damage, Kind},
    tables::Check,
    words::Desk,
};
use crate::access::{AuditRow, entry::chain};

fn damage(detail: String) -> Damage {
    Damage::new(Kind::Audit, detail)
}

impl Check<'_> {
    /// An appliance may add entries meanwhile, and remove the oldest.
    pub(super) fn begin_audit(&mut self, txn: &RoTxn) -> heed::Result<()> {
        self.audit = self.catalog.audit_mark(txn)?;
        self.next = self.next.map(|next| next.max(self.audit.first));
        Ok(())
    }

    pub(super) fn entry(&mut self, txn: &RoTxn, number: u64, row: &AuditRow, desk: &mut Desk) -> heed::Result<()> {
        if let Some(next) = self.next.filter(|next| *next < number) {
            self.missing(next, number, desk);
        }
        self.next = Some(number + 1);
        let mark = self.audit;
        if number < mark.first || number > mark.last {
            let (first, last) = (mark.first, mark.last);
            desk.damage(damage(format!(
                "there is entry {number}, but the log has those from {first} to {last}"
            )));
            return Ok(());
        }
        let before = match number == mark.first {
            true => Some(mark.before),
            // That one is missing or damaged is said of that one.
            false => self
                .catalog
                .audit
                .get(txn, &(number - 1))
                .ok()
                .flatten()
                .map(|row| row.chain),
        };
        let is_last = number == mark.last && row.chain != mark.chain;
        let is_other = before.is_some_and(|before| chain(&row.entry, &before, number).ok() != Some(row.chain));
        if is_other || is_last {
            desk.damage(damage(format!(
                "entry {number} is not what was written there, or not the one behind the entry before"
            )));
        }
        Ok(())
    }

    pub(super) fn end_audit(&mut self, txn: &RoTxn, desk: &mut Desk) -> heed::Result<()> {
        let mark = self.catalog.audit_mark(txn)?;
        if let Some(next) = self
            .next
            .map(|next| next.max(mark.first))
            .filter(|next| *next <= mark.last)
        {
            // Entries written since the last page was read are there.
            let missing =
                (next..=mark.last).take_while(|number| !matches!(self.catalog.audit.get(txn, number), Ok(Some(_))));
            let missing = missing.count() as u64;
            if missing > 0 {
                self.missing(next, next + missing, desk);
            }
        }
        Ok(())
    }
}
