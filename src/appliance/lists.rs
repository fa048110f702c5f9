//! Lists that are kept in the catalog: shown and changed while mail goes on.

use tokio::sync::mpsc;

use super::{state::Appliance, users::unfit};
use crate::{
    api::{AddressListLine, Code, Failure, Origin, Reply, Wrong},
    kept,
    message::Address,
    panics::blocking,
};

impl Appliance {
    /// The lists that are in force, and behind them those that are kept and are not.
    pub(super) async fn address_lists(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let in_force: Vec<_> = self
            .config()
            .list
            .iter()
            .filter_map(|list| {
                Some(AddressListLine {
                    address: Address::parse_strict(&list.address)?,
                    users: list.users.clone(),
                    origin: list.origin,
                    in_force: true,
                })
            })
            .collect();
        let is_in_force = |address: &Address| {
            let mut kept = in_force.iter().filter(|line| line.origin == Origin::Catalog);
            kept.any(|line| line.address == *address)
        };
        let kept = self.store.kept_lists()?.into_iter();
        let others: Vec<_> = kept
            .filter(|(address, _)| !is_in_force(address))
            .map(|(address, users)| AddressListLine {
                address,
                users,
                origin: Origin::Catalog,
                in_force: false,
            })
            .collect();
        for line in in_force.into_iter().chain(others) {
            // Whoever asked may be gone.
            let _ = replies.send(Reply::AddressList(line)).await;
        }
        Ok(())
    }

    /// Has these users get the mail to an address; with none, its list goes.
    pub(super) async fn change_list(&self, address: &str, users: &[String]) -> Result<(), Failure> {
        let address = Address::parse_entry(address).map_err(unfit)?;
        if address.is_pattern() {
            let error = format!("{address} is a pattern; a list has a single address");
            return Err(Failure::usage(error).for_that(Wrong::new(Code::NoAddress, &[&address])));
        }
        // One after the other: each is checked against what those before it left.
        let alone = self.reloading.lock().await;
        let (config, store, of, users) = (self.config(), self.store.clone(), address.clone(), users.to_vec());
        let plan = move || kept::changed_lists(&config, &store, of, &users);
        let lists = blocking("checking a list", plan).await??;
        self.committer.put_lists(&lists).await?;
        self.take_kept(&[]).await?;
        drop(alone);
        self.ignore_no_longer(&address).await
    }

    /// Lists that are kept name a user by the new name.
    pub(super) async fn rename_in_lists(&self, name: &str, to: &str) -> Result<(), Failure> {
        let _alone = self.reloading.lock().await;
        match kept::renamed_in_lists(&self.store, name, to)? {
            Some(lists) => {
                self.committer.put_lists(&lists).await?;
                self.take_kept(&[]).await
            }
            None => Ok(()),
        }
    }
}
