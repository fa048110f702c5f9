//! The role of a user archive is to say, for one user, which messages of a window are new to them. The router starts it
//! with the first message for its user; it stops when nobody has its address any more.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, ResponseFuture};
use heed::RoTxn;

use super::{
    Store, StoreError,
    deposit::{Content, Verdict},
    former::Candidates,
    rows::{Seconds, UserId},
};
use crate::panics::{Panicked, blocking, survived, survived_async};

/// Windows waiting for one archive; behind them, the router waits.
const MAILBOX: usize = 64;
/// In the words of an error.
const DOING: &str = "a user's archive";

pub struct UserArchive {
    user: UserId,
    store: Arc<Store>,
}

/// What the catalog says of a message.
enum Known {
    Verdict(Verdict),
    /// These have to be read first.
    Perhaps(Candidates),
}

impl UserArchive {
    pub fn new(user: UserId, store: Arc<Store>) -> Self {
        Self { user, store }
    }

    fn look_up(&self, txn: &RoTxn, share: &Share) -> Result<Known, StoreError> {
        StoreError::point("settling")?;
        let Share { content, date } = share;
        for identity in [Some(content.identity), content.former].into_iter().flatten() {
            if let Some(message) = self.store.held_in(txn, &identity, self.user)? {
                return Ok(Known::Verdict(Verdict::Held(message)));
            }
        }
        let candidates = self.store.candidates(self.user, *date, content)?;
        Ok(match candidates.is_empty() {
            true => Known::Verdict(Verdict::New),
            false => Known::Perhaps(candidates),
        })
    }
}

impl Actor for UserArchive {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

/// From the router, once for each of a window's users: all messages of the window that are for this user. Answered with
/// a word on each, in their order. Not answered when the archive stopped meanwhile: then it is sent again to one
/// started anew.
#[derive(Message, Clone)]
#[rtype(result = "Vec<Word>")]
pub struct Settle(pub Arc<[Share]>);

/// A message that is for a user.
#[derive(Clone, Debug)]
pub struct Share {
    pub content: Arc<Content>,
    pub date: Seconds,
}

/// What an archive says of one message. After a panic the copy fails, and no other.
pub type Word = Result<Result<Verdict, StoreError>, Panicked>;

impl Handler<Settle> for UserArchive {
    type Result = ResponseFuture<Vec<Word>>;

    fn handle(&mut self, Settle(shares): Settle, _: &mut Self::Context) -> Self::Result {
        let look_up = |txn: &RoTxn| {
            let known = shares.iter().map(|share| survived(DOING, || self.look_up(txn, share)));
            Ok(known.collect())
        };
        let known: Vec<_> = match self.store.reading(look_up) {
            Ok(known) => known,
            Err(error) => shares.iter().map(|_| Ok(Err(error.clone()))).collect(),
        };
        let store = self.store.clone();
        Box::pin(async move {
            let mut words = Vec::with_capacity(known.len());
            for (known, share) in known.into_iter().zip(&*shares) {
                let settled = survived_async(DOING, settle(&store, known, share)).await;
                words.push(settled.and_then(|word| word));
            }
            words
        })
    }
}

async fn settle(store: &Arc<Store>, known: Result<Result<Known, StoreError>, Panicked>, share: &Share) -> Word {
    let verdict = match known? {
        Err(error) => return Ok(Err(error)),
        Ok(Known::Verdict(verdict)) => verdict,
        Ok(Known::Perhaps(candidates)) => read(store.clone(), candidates, share.content.clone()).await?,
    };
    Ok(StoreError::point("settled").map(|()| verdict))
}

/// The verdict where messages have to be read for it.
async fn read(store: Arc<Store>, candidates: Candidates, content: Arc<Content>) -> Result<Verdict, Panicked> {
    let same = move || store.same_among(candidates, &content);
    let same = blocking(DOING, same).await?;
    Ok(same.map_or(Verdict::New, Verdict::Held))
}
