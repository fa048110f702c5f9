//! The first account, which nobody with an account can make.

use super::{
    changes::{no_name, refused},
    state::Gate,
};
use crate::{
    access::{AccountChange, AccountName, Entry, Refusal, Role, StoredAccount},
    api::{Failure, Spoken},
    archive::{Deed, StoreError},
    clock,
};

impl Gate {
    /// Whether somebody can have an account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn has_accounts(&self) -> Result<bool, StoreError> {
        Ok(!self.0.store.accounts()?.is_empty())
    }

    /// Makes an administrator, for whoever showed what `serve` printed. `address` is where they come from. It is noted under
    /// the new account's name.
    ///
    /// # Errors
    /// There is an account already, name or password cannot be taken, or nothing can be written.
    pub async fn first_account(&self, name: &str, password: Spoken, address: &str) -> Result<(), Failure> {
        let account = AccountName::parse(name).ok_or_else(|| no_name(name))?;
        let kept = self.kept(name, password).await?;
        let new = StoredAccount::new(name, Role::Administrator, [].into(), kept, clock::now().as_second());
        if self.has_accounts()? {
            return Err(refused(name, Refusal::Exists));
        }
        let object = format!("account {}, role {}, by the link for the first one", new.name, new.role);
        let entry = Entry::new(&new.name, address, "account-add", &object);
        let deed = Deed {
            account: Some(account),
            changes: vec![AccountChange::Add(new.into())],
            ..Deed::noted(entry)
        };
        match self.0.notes.deed(deed).await {
            Ok(()) => Ok(()),
            Err(StoreError::Deed(refusal)) => Err(refused(name, refusal)),
            Err(error) => Err(super::NotNoted(error).into()),
        }
    }
}
