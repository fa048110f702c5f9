//! The role of a user archive is to say, for one user, whether a message is new to them, and to
//! settle the user's share in its deposit. The router starts it with the first message for its user; it
//! stops when nobody has its address any more.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, ResponseFuture};

use super::{
    Committer, Store, StoreError,
    deposit::{Settled, Shared, Verdict},
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

    fn verdict(&self, identity: &[u8; 32]) -> Result<Verdict, StoreError> {
        StoreError::point("settling")?;
        Ok(match self.store.held(identity, self.user)? {
            Some(message) => Verdict::Held(message),
            None => Verdict::New,
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
        let verdict = survived(DOING, || self.verdict(&shared.deposit.content.identity));
        let (user, committer) = (self.user, self.committer.clone());
        let settle = async move {
            match verdict? {
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
