//! The role of a user archive is to say, for one user, whether a message is new to them, and to
//! settle the user's share in its deposit. The router starts it with the first message for its user; it
//! stops when nobody has its address any more.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, ResponseFuture};

use super::{
    Committer, Store, StoreError,
    deposit::{Deposit, Settled, Shared, Verdict},
    former::Candidates,
    rows::{UserId, Why},
};
use crate::panics::{Panicked, survived, survived_async};

/// Messages waiting for one archive; behind them, the router waits.
const MAILBOX: usize = 64;
/// In the words of an error.
const DOING: &str = "a user's archive";

pub struct UserArchive {
    user: UserId,
    store: Arc<Store>,
    committer: Committer,
}

impl UserArchive {
    pub fn new(user: UserId, store: Arc<Store>, committer: Committer) -> Self {
        Self { user, store, committer }
    }

    /// The verdict; where it takes reading, what is to be read.
    fn verdict(&self, deposit: &Deposit) -> Result<Result<Verdict, Candidates>, StoreError> {
        StoreError::point("settling")?;
        let content = &deposit.content;
        for identity in [Some(content.identity), content.former].into_iter().flatten() {
            if let Some(message) = self.store.held(&identity, self.user)? {
                return Ok(Ok(Verdict::Held(message)));
            }
        }
        let candidates = self.store.candidates(self.user, deposit)?;
        Ok(if candidates.is_empty() {
            Ok(Verdict::New)
        } else {
            Err(candidates)
        })
    }
}

impl Actor for UserArchive {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

/// From the router, once for each of a copy's users. Answered when the share is settled; not answered
/// when the archive stopped meanwhile: then it is sent again to one started anew. After a panic the share is not settled,
/// or nobody knows whether it is; the copy fails.
#[derive(Message, Clone)]
#[rtype(result = "Result<(), Panicked>")]
pub struct File {
    pub shared: Arc<Shared>,
    pub why: Why,
}

impl Handler<File> for UserArchive {
    type Result = ResponseFuture<Result<(), Panicked>>;

    fn handle(&mut self, file: File, _: &mut Self::Context) -> Self::Result {
        let File { shared, why } = file;
        let verdict = survived(DOING, || self.verdict(&shared.deposit));
        let (user, store, committer) = (self.user, self.store.clone(), self.committer.clone());
        let settle = async move {
            let verdict = match verdict? {
                Ok(Err(candidates)) => Ok(read(store, candidates, shared.clone()).await?),
                Ok(Ok(verdict)) => Ok(verdict),
                Err(error) => Err(error),
            };
            match verdict {
                Ok(verdict) => shared.clone().settle(Settled { user, why, verdict }, &committer).await,
                Err(error) => shared.answer(Err(error)),
            }
            if let Err(error) = StoreError::point("settled") {
                shared.answer(Err(error));
            }
            Ok(())
        };
        Box::pin(async { survived_async(DOING, settle).await.and_then(|settled| settled) })
    }
}

/// The verdict where messages have to be read for it.
async fn read(store: Arc<Store>, candidates: Candidates, shared: Arc<Shared>) -> Result<Verdict, Panicked> {
    let same = move || store.same_among(candidates, &shared.deposit.content);
    let same = actix_rt::task::spawn_blocking(|| survived(DOING, same)).await;
    let same = same.unwrap_or(Err(Panicked(DOING)))?;
    Ok(same.map_or(Verdict::New, Verdict::Held))
}
