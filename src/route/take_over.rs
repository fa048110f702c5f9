//! Users taken over: what changes of them goes into the store and then into the router's directory, while mail goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix::Addr;

use super::{
    Directory, Router, Signs,
    managed::ChangedUsers,
    swap::{BeginSwap, PutUsers, Swap},
};
use crate::{
    archive::{Committer, Store, StoreError, User, UserId, give_back},
    panics::blocking,
};

/// So many changed users the router puts into its directory within a few milliseconds.
const FEW: usize = 1000;

/// Takes users over, for whoever changes them while an appliance runs.
#[derive(Clone)]
pub struct TakeOver {
    store: Arc<Store>,
    committer: Committer,
    router: Addr<Router>,
    /// The store has users that the router was not given, or may have them.
    behind: Arc<AtomicBool>,
}

/// Changed users that the store has, if they are few.
pub struct Stored(Option<Vec<(UserId, User)>>);

impl TakeOver {
    pub fn new(store: Arc<Store>, committer: Committer, router: Addr<Router>) -> Self {
        Self {
            store,
            committer,
            router,
            behind: Arc::default(),
        }
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The router lacks users that the store has, until the next take-over.
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// Has users changed, in the store and then in the router's directory. `anew`: addresses are looked up by other
    /// signs than before.
    ///
    /// # Errors
    /// As [`put`](Self::put) and [`pass_on`](Self::pass_on).
    pub async fn take(&self, changed: ChangedUsers, signs: &Signs, anew: bool) -> Result<(), StoreError> {
        let stored = self.put(changed, anew).await?;
        self.pass_on(stored, signs).await
    }

    /// Has users changed in the store.
    ///
    /// # Errors
    /// With [`StoreError::User`], the users contradict each other, and nothing is changed. Otherwise it is not known how
    /// much is changed, and the next take-over makes good for it.
    pub async fn put(&self, (mut changed, news): ChangedUsers, anew: bool) -> Result<Stored, StoreError> {
        let new: Vec<_> = changed.iter_mut().map(|(id, _)| id).filter(|id| id.is_none()).collect();
        let numbers = u32::try_from(new.len()).unwrap_or(u32::MAX);
        // The router gives numbers to users whom mail makes, too; and from here on it notes what it changes itself.
        let first = self.router.send(BeginSwap(numbers)).await.map_err(gone)?;
        new.into_iter()
            .zip(first.0..)
            .for_each(|(id, number)| *id = Some(UserId(number)));
        let few = changed.len() <= FEW && !anew && !self.is_behind();
        let users = changed.iter();
        let users = few.then(|| users.filter_map(|(id, user)| Some(((*id)?, user.clone()))).collect());
        let put = put_users(&self.committer, (changed, news)).await;
        if !matches!(put, Err(StoreError::User { .. })) {
            self.behind.store(true, Ordering::Relaxed);
        }
        put.map(|()| Stored(users))
    }

    /// Gives the router what was stored: a few users for the directory that it has, otherwise another directory, which
    /// has addresses looked up by `signs`.
    ///
    /// # Errors
    /// The store cannot be read, or the router is gone. The next take-over makes good for it.
    pub async fn pass_on(&self, Stored(few): Stored, signs: &Signs) -> Result<(), StoreError> {
        match few {
            Some(users) => self.router.send(PutUsers(users)).await.map_err(gone)?,
            None => self.swap(signs.clone()).await?,
        }
        self.behind.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the directory of all the store's users beside the router, and gives it to the router.
    async fn swap(&self, signs: Signs) -> Result<(), StoreError> {
        let store = self.store.clone();
        let made = blocking("making the directory", move || directory_of(&store, signs)).await;
        let made = made.map_err(StoreError::panicked)??;
        let old = self.router.send(Swap(made)).await.map_err(gone)?;
        // It takes its time, and nobody waits for it.
        drop(tokio::task::spawn_blocking(move || {
            drop(old);
            give_back();
        }));
        Ok(())
    }
}

/// Has users changed in the store, and says who was retired: half a users file retires users in silence otherwise.
///
/// # Errors
/// As [`Committer::put_users`].
pub async fn put_users(committer: &Committer, (changed, news): ChangedUsers) -> Result<(), StoreError> {
    let retired = news.retired_words();
    if !changed.is_empty() {
        committer.put_users(changed, news).await?;
    }
    if let Some(words) = retired {
        tracing::warn!("{words}");
    }
    Ok(())
}

/// The directory of the store's users, which has addresses looked up by `signs`. Says which addresses two of them have.
///
/// # Errors
/// The store cannot be read.
pub fn directory_of(store: &Store, signs: Signs) -> Result<Directory, StoreError> {
    let mut users = Vec::new();
    store.each_user(|id, user| users.push((id, user)))?;
    let directory = Directory::new(users);
    for words in directory.shared() {
        tracing::warn!("{words}");
    }
    let mut directory = directory.with(signs);
    directory.ignore(store.ignored()?);
    Ok(directory)
}

fn gone(_: actix::MailboxError) -> StoreError {
    StoreError::Fault {
        detail: "the router stopped".into(),
    }
}
