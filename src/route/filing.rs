//! The way of decided copies to the disk: the archives of their users say what is new, and the committer files it. A
//! limited number of shares is on the way at a time.

use std::{sync::Arc, time::Instant};

use futures_util::stream::{self, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    archives::Archives,
    decision::Assigned,
    routed::{DOING, RouteError, Routed},
};
use crate::{
    archive::{
        Committer, Deposit, Filed, Settle, Settled, Share, Shared, StoreError, UserId, Verdict, Why, Word, give_back,
    },
    panics::{Panicked, survived},
    report::{NOTABLE, metrics},
};

/// A window that an archive did not answer is sent once more, to one started anew.
const TRIES: usize = 2;
/// Shares of deposits that are on their way to the disk at a time, over all copies: they, not its bytes, are
/// what a copy for thousands takes. One with more shares passes alone.
pub(super) const SHARES: usize = 20_000;
/// Shares of a copy that take much memory for a moment.
const MANY: usize = 5_000;
/// How many archives have a window's shares at a time.
const AT_ONCE: usize = 16;

/// A copy of which it is decided for whom it is.
pub(super) struct Decided {
    pub routed: Routed,
    /// `None` where it is left alone.
    pub deposit: Option<(Deposit, Vec<Assigned>)>,
}

/// A copy at the end of its way.
pub(super) struct Done {
    pub routed: Routed,
    /// Users who were not on disk before, and are now where it was filed.
    pub brought: Vec<UserId>,
    /// `None` where it was left alone.
    pub filed: Result<Option<Filed>, NotFiled>,
}

/// Why a copy was not filed.
pub(super) enum NotFiled {
    Error(RouteError),
    /// The archive of this user stopped twice on it.
    Archive(UserId),
}

impl From<StoreError> for NotFiled {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Panicked> for NotFiled {
    fn from(panicked: Panicked) -> Self {
        Self::Error(panicked.into())
    }
}

/// With what copies are filed.
#[derive(Clone)]
pub(super) struct Filing {
    pub archives: Archives,
    pub committer: Committer,
    /// [`SHARES`], less those on their way.
    pub shares: Arc<Semaphore>,
}

/// A copy on its way, by its place in its window.
struct UnderWay {
    at: usize,
    deposit: Deposit,
    users: Vec<Assigned>,
}

impl Filing {
    /// Files a window of copies, those of which it could be decided for whom they are; gives all of them in their
    /// order.
    pub async fn file(self, window: Vec<Result<Decided, RouteError>>) -> Vec<Done> {
        let mut done = Vec::with_capacity(window.len());
        let mut waiting = Vec::with_capacity(window.len());
        for (at, decided) in window.into_iter().enumerate() {
            let Decided { routed, deposit } = match decided {
                Ok(decided) => decided,
                Err(error) => {
                    done.push(Done {
                        routed: Routed::default(),
                        brought: Vec::new(),
                        filed: Err(NotFiled::Error(error)),
                    });
                    continue;
                }
            };
            let brought = deposit.iter().flat_map(|(deposit, _)| &deposit.new_users);
            done.push(Done {
                routed,
                brought: brought.map(|(id, _)| *id).collect(),
                filed: Ok(None),
            });
            waiting.extend(deposit.map(|(deposit, users)| UnderWay { at, deposit, users }));
        }
        let mut waiting = waiting.into_iter().peekable();
        while let Some(first) = waiting.next() {
            let mut shares = first.users.len();
            let has_many = shares >= MANY;
            let mut copies = vec![first];
            while let Some(next) = waiting.next_if(|next| shares + next.users.len() <= SHARES) {
                shares += next.users.len();
                copies.push(next);
            }
            let _turn = take_turn(self.shares.clone(), shares).await;
            for (at, filed) in self.file_at_once(copies).await {
                done[at].filed = filed.map(Some);
            }
            if has_many {
                give_back();
            }
        }
        done
    }

    /// Asks the archive of each user about all that is for that user, and hands all of it to the committer. A copy over
    /// which something goes wrong is not filed; the others are.
    async fn file_at_once(&self, copies: Vec<UnderWay>) -> Vec<(usize, Result<Filed, NotFiled>)> {
        let mut filed = Vec::with_capacity(copies.len());
        let mut going = Vec::with_capacity(copies.len());
        let (mut settled, mut asked) = (Vec::with_capacity(copies.len()), Vec::new());
        for UnderWay { at, deposit, users } in copies {
            if let Err(error) = stage(|| StoreError::point("handing-out")) {
                filed.push((at, Err(error)));
                continue;
            }
            let number = going.len();
            settled.push(Ok(Vec::with_capacity(users.len())));
            asked.extend(users.into_iter().map(|Assigned { user, why, .. }| (user, number, why)));
            going.push((at, deposit));
        }
        asked.sort_unstable_by_key(|(user, number, _)| (*user, *number));
        let share = |number: usize| {
            let deposit: &Deposit = &going[number].1;
            Share {
                content: deposit.content.clone(),
                date: deposit.date,
            }
        };
        let of_users: Vec<_> = asked.chunk_by(|one, other| one.0 == other.0).collect();
        let asking = of_users.iter().map(|of_user| {
            let user = of_user[0].0;
            let shares: Arc<[Share]> = of_user.iter().map(|(_, number, _)| share(*number)).collect();
            self.ask(user, shares)
        });
        // In the order of the users, and so are the words of each copy.
        let mut answers = stream::iter(asking).buffered(AT_ONCE);
        let mut of_users = of_users.iter();
        while let Some(words) = answers.next().await {
            let Some(of_user) = of_users.next() else { break };
            let mut words = words.map(Vec::into_iter);
            for (user, number, why) in of_user.iter() {
                let word = match &mut words {
                    Ok(words) => words.next().unwrap_or(Err(Panicked(DOING))).map_err(NotFiled::from),
                    Err(NotAnswered) => Err(NotFiled::Archive(*user)),
                };
                let word = word.and_then(|verdict| Ok(verdict?));
                take(&mut settled[*number], *user, why, word);
            }
        }
        drop(answers);
        let (mut places, mut window) = (Vec::with_capacity(going.len()), Vec::with_capacity(going.len()));
        for ((at, deposit), settled) in going.into_iter().zip(settled) {
            let handing_over = || stage(|| StoreError::point("handing-over"));
            match settled.and_then(|settled| handing_over().map(|()| settled)) {
                Ok(settled) => {
                    places.push(at);
                    window.push(Shared { deposit, settled });
                }
                Err(error) => filed.push((at, Err(error))),
            }
        }
        let committed = self.committer.file(window).await;
        let committed = committed.into_iter().map(|filed| filed.map_err(NotFiled::from));
        filed.extend(places.into_iter().zip(committed));
        filed
    }

    /// Asks the archive of a user about these messages. One that stopped idle just now is started anew.
    async fn ask(&self, user: UserId, shares: Arc<[Share]>) -> Result<Vec<Word>, NotAnswered> {
        for _ in 0..TRIES {
            if let Ok(words) = self.archives.of(user).send(Settle(shares.clone())).await {
                return Ok(words);
            }
        }
        Err(NotAnswered)
    }
}

struct NotAnswered;

/// Adds a user's word to those on a copy; the first that goes wrong counts.
fn take(settled: &mut Result<Vec<Settled>, NotFiled>, user: UserId, why: &Why, word: Result<Verdict, NotFiled>) {
    match (&mut *settled, word) {
        (Ok(words), Ok(verdict)) => words.push(Settled {
            user,
            why: why.clone(),
            verdict,
        }),
        (Ok(_), Err(error)) => *settled = Err(error),
        (Err(_), _) => {}
    }
}

/// A step of one copy's way: its panic costs no other copy.
fn stage(step: impl FnOnce() -> Result<(), StoreError>) -> Result<(), NotFiled> {
    Ok(survived(DOING, step)??)
}

/// Waits until so many more shares may be on their way.
async fn take_turn(shares: Arc<Semaphore>, wanted: usize) -> Option<OwnedSemaphorePermit> {
    let started = Instant::now();
    // The semaphore is never closed.
    let turn = shares.acquire_many_owned(wanted.min(SHARES) as u32).await.ok();
    let waited = started.elapsed();
    if waited >= NOTABLE {
        metrics::backpressure("shares", waited);
    }
    turn
}
