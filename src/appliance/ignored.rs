//! Addresses that nobody has, and that are reported no more.

use std::collections::BTreeSet;

use super::{
    state::Appliance,
    users::{router_stopped, unfit},
};
use crate::{
    api::{Code, Failure, Wrong},
    message::Address,
    route::PutIgnored,
};

/// Addresses that are ignored at most.
const MOST: usize = 10_000;

impl Appliance {
    /// Has an address reported no more, or reported again. Where it is so already, nothing changes.
    pub(super) async fn ignore(&self, address: &str, ignored: bool) -> Result<(), Failure> {
        let address = Address::parse_entry(address).map_err(unfit)?;
        if address.is_pattern() {
            let error = format!("{address} is a pattern; only single addresses can be ignored");
            return Err(Failure::usage(error).for_that(Wrong::new(Code::NoAddress, &[&address])));
        }
        if !ignored {
            return self.ignore_no_longer(&address).await;
        }
        let _alone = self.ignoring.lock().await;
        let mut all = self.store.ignored()?;
        if all.len() >= MOST && !all.contains(&address) {
            let error = format!("{MOST} addresses are ignored already; take some of them back");
            return Err(Failure::usage(error).for_that(Wrong::new(Code::TooManyIgnored, &[&MOST])));
        }
        match all.insert(address) {
            true => self.put_ignored(all).await,
            false => Ok(()),
        }
    }

    /// Has an address reported again.
    pub(super) async fn ignore_no_longer(&self, address: &Address) -> Result<(), Failure> {
        let _alone = self.ignoring.lock().await;
        let mut all = self.store.ignored()?;
        match all.remove(address) {
            true => self.put_ignored(all).await,
            false => Ok(()),
        }
    }

    async fn put_ignored(&self, all: BTreeSet<Address>) -> Result<(), Failure> {
        self.committer.put_ignored(&all).await?;
        self.router.send(PutIgnored(all)).await.map_err(|_| router_stopped())
    }
}
