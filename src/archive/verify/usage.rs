//! Whether what the archives are said to hold is what their filings add up to.

use heed::RoTxn;

use super::{
    damage::{Damage, Kind},
    words::Desk,
};
use crate::archive::{
    catalog::Catalog,
    rows::{Usage, UserId},
};

/// The sum of a user's filings, on the way through the table.
///
/// Filings may come while it is read. None goes, so the sum is between what `usage` says at the user's first
/// filing and what it says behind the last; where nothing came, both are one.
pub struct Sum {
    user: Option<(UserId, Usage, Usage)>,
    /// Filings of the present user, or of the next, were not seen.
    partial: bool,
}

impl Sum {
    /// `begins`: no filing was passed over before.
    pub fn new(begins: bool) -> Self {
        Self {
            user: None,
            partial: !begins,
        }
    }

    pub fn skipped(&mut self) {
        self.user = None;
        self.partial = true;
    }

    /// Adds a filing of `user`, of a message of `size` bytes.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn add(
        &mut self,
        catalog: &Catalog,
        txn: &RoTxn,
        user: UserId,
        size: u64,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        if self.user.as_ref().is_none_or(|(present, ..)| *present != user) {
            let begins = !(self.partial && self.user.is_none());
            self.close(catalog, txn, desk)?;
            self.partial = !begins;
            let before = catalog.usage.get(txn, &user)?.unwrap_or_default();
            self.user = Some((user, before, Usage::default()));
        }
        if let Some((_, _, sum)) = &mut self.user {
            sum.messages += 1;
            sum.bytes += size;
        }
        Ok(())
    }

    /// No filing follows. `selected`: the only user whose filings were read.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn end(
        &mut self,
        catalog: &Catalog,
        txn: &RoTxn,
        selected: Option<UserId>,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        if let (Some(user), None, false) = (selected, &self.user, self.partial) {
            self.user = Some((user, Usage::default(), Usage::default()));
        }
        self.close(catalog, txn, desk)
    }

    /// Compares the sum of a user all of whose filings were seen.
    fn close(&mut self, catalog: &Catalog, txn: &RoTxn, desk: &mut Desk) -> heed::Result<()> {
        let Some((user, before, sum)) = self.user.take() else {
            return Ok(());
        };
        if std::mem::take(&mut self.partial) {
            return Ok(());
        }
        let after = catalog.usage.get(txn, &user)?.unwrap_or_default();
        let between = |least: u64, value: u64, most: u64| least <= value && value <= most;
        let fits =
            between(before.messages, sum.messages, after.messages) && between(before.bytes, sum.bytes, after.bytes);
        if !fits {
            let detail = format!(
                "user {user} is said to have {} messages of {} bytes, and has {} of {} bytes; the figure can be \
                 rebuilt from the filings",
                after.messages, after.bytes, sum.messages, sum.bytes
            );
            let name = catalog.users.get(txn, &user)?.map(|user| user.name);
            desk.damage(Damage::new(Kind::Usage, detail).user(name));
        }
        Ok(())
    }
}
