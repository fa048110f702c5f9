//! Whether what the archives are said to hold is what their filings add up to.
//!
//! Filings may come while they are read. None goes, so a user's sum is between what `usage` says before the first filing
//! is read and what it says behind the last; where nothing came, both are one.

use std::collections::HashMap;

use heed::RoTxn;
use roaring::RoaringBitmap;

use super::{
    damage::{Damage, Kind},
    words::Desk,
};
use crate::archive::{
    catalog::Catalog,
    rows::{Usage, UserId},
};

/// The sum of a user's filings, on the way through the table `filings`.
pub struct Sum {
    /// What `usage` said at the first one, and the sum.
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
            add(sum, size);
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
        let said = catalog.usage.get(txn, &user)?.unwrap_or_default();
        if !is_between(before, sum, said) {
            let name = catalog.users.get(txn, &user)?.map(|user| user.name);
            desk.damage(Misfit { user, said, sum }.damage(name));
        }
        Ok(())
    }
}

fn add(sum: &mut Usage, size: u64) {
    sum.messages += 1;
    sum.bytes += size;
}

fn is_between(least: Usage, sum: Usage, most: Usage) -> bool {
    let between = |least: u64, value: u64, most: u64| least <= value && value <= most;
    between(least.messages, sum.messages, most.messages) && between(least.bytes, sum.bytes, most.bytes)
}

/// A user of whom `usage` says what is not the sum.
#[derive(Clone, Copy)]
pub struct Misfit {
    pub user: UserId,
    said: Usage,
    sum: Usage,
}

impl Misfit {
    pub fn damage(&self, name: Option<String>) -> Damage {
        let Self { user, said, sum } = self;
        let detail = format!(
            "user {user} is said to have {} messages of {} bytes, and has {} of {} bytes; the figure can be \
             rebuilt from the filings",
            said.messages, said.bytes, sum.messages, sum.bytes
        );
        Damage::new(Kind::Usage, detail).user(name)
    }
}

/// The sums of all users, on the way through the table `held`, in which they come in no order. It takes some bytes of
/// memory for each user.
#[derive(Default)]
pub struct Sums {
    /// What `usage` said at the beginning; `None` before.
    before: Option<HashMap<UserId, Usage>>,
    sums: HashMap<UserId, Usage>,
    /// Users of whom something could not be read.
    partial: RoaringBitmap,
}

impl Sums {
    /// Rows are about to be read. What cannot be read of `usage` is said where that is looked at.
    ///
    /// # Errors
    /// The table cannot be read at all.
    pub fn begin(&mut self, catalog: &Catalog, txn: &RoTxn) -> heed::Result<()> {
        if self.before.is_none() {
            self.before = Some(catalog.usage.iter(txn)?.filter_map(Result::ok).collect());
        }
        Ok(())
    }

    /// Adds a message of `size` bytes that `user` has, or of a size that nobody knows.
    pub fn add(&mut self, user: UserId, size: Option<u64>) {
        match size {
            Some(size) => add(self.sums.entry(user).or_default(), size),
            None => drop(self.partial.insert(user.0)),
        }
    }

    /// No row follows: which users' sums are not what `usage` says.
    pub fn end(&mut self, catalog: &Catalog, txn: &RoTxn) -> Vec<Misfit> {
        let before = self.before.take().unwrap_or_default();
        let sums = std::mem::take(&mut self.sums);
        let misfits = sums.into_iter().filter_map(|(user, sum)| {
            let said = catalog.usage.get(txn, &user).ok()?.unwrap_or_default();
            let least = before.get(&user).copied().unwrap_or_default();
            let is_wrong = !self.partial.contains(user.0) && !is_between(least, sum, said);
            is_wrong.then_some(Misfit { user, said, sum })
        });
        let mut misfits: Vec<_> = misfits.collect();
        misfits.sort_unstable_by_key(|misfit| misfit.user);
        misfits
    }
}
