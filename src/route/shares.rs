//! The shares of a deposit on their way: a limited number at a time, each to its user's archive.

use std::{sync::Arc, time::Instant};

use actix::{Addr, Handler, Message};
use futures_util::stream::{self, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    decision::Assigned,
    routed::RouteError,
    router::{DOING, Router},
};
use crate::{
    archive::{File, Filed, Shared, StoreError, UserArchive, UserId},
    panics::Answer,
    report::{NOTABLE, metrics},
};

/// A share that an archive did not answer is sent once more, to one started anew.
const TRIES: usize = 2;
/// Shares of deposits that are on their way to the disk at a time, over all copies: they, not its bytes, are
/// what a copy for thousands takes. One with more shares passes alone.
pub(super) const SHARES: usize = 20_000;
/// Archives that a copy asks for at once, and how many of them have its shares at a time.
const BATCH: usize = 256;
const AT_ONCE: usize = 16;

/// Waits until so many more shares may be on their way.
pub(super) async fn take_turn(shares: Arc<Semaphore>, wanted: usize) -> Option<OwnedSemaphorePermit> {
    let started = Instant::now();
    // The semaphore is never closed.
    let turn = shares.acquire_many_owned(wanted.min(SHARES) as u32).await.ok();
    let waited = started.elapsed();
    if waited >= NOTABLE {
        metrics::backpressure("shares", waited);
    }
    turn
}

/// What became of a deposit. An answer that does not come is the committer's end, and so the run's.
pub(super) async fn committed(answer: oneshot::Receiver<Result<Filed, StoreError>>) -> Result<Filed, StoreError> {
    answer.await.unwrap_or_else(|_| {
        Err(StoreError::Closed {
            why: "the committer has stopped".into(),
        })
    })
}

/// Gives each user's archive its share.
pub(super) async fn hand_out_all(
    router: &Addr<Router>,
    users: Vec<Assigned>,
    shared: &Arc<Shared>,
) -> Result<(), RouteError> {
    for batch in users.chunks(BATCH) {
        let ids = batch.iter().map(|assigned| assigned.user).collect();
        let archives = router.send(Archives(ids)).await.map_err(|_| RouteError::Router)?;
        let share = |(assigned, archive): (&Assigned, Addr<UserArchive>)| {
            let (shared, why) = (shared.clone(), assigned.why.clone());
            hand_out(router.clone(), assigned.user, archive, File { shared, why })
        };
        let shares: Vec<_> = batch.iter().zip(archives).map(share).collect();
        let mut handed = stream::iter(shares).buffer_unordered(AT_ONCE);
        while let Some(result) = handed.next().await {
            result?;
        }
    }
    Ok(())
}

/// Gives `archive` its share; one that stopped idle just now is started anew.
async fn hand_out(
    router: Addr<Router>,
    user: UserId,
    mut archive: Addr<UserArchive>,
    file: File,
) -> Result<(), RouteError> {
    for _ in 0..TRIES {
        if let Ok(settled) = archive.send(file.clone()).await {
            return Ok(settled?);
        }
        let started = router.send(Archives(vec![user])).await;
        archive = started
            .ok()
            .and_then(|mut started| started.pop())
            .ok_or(RouteError::Router)?;
    }
    let names = router.send(Names(vec![user])).await.map_err(|_| RouteError::Router)?;
    Err(RouteError::Archive { user: names.concat() })
}

/// From the router to itself: these users' archives, started where they are not running.
#[derive(Message)]
#[rtype(result = "Vec<Addr<UserArchive>>")]
struct Archives(Vec<UserId>);

impl Handler<Archives> for Router {
    type Result = Answer<Vec<Addr<UserArchive>>>;

    fn handle(&mut self, Archives(users): Archives, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || users.into_iter().map(|user| self.archive(user)).collect())
    }
}

/// From the router to itself: what these users are called.
#[derive(Message)]
#[rtype(result = "Vec<String>")]
struct Names(Vec<UserId>);

impl Handler<Names> for Router {
    type Result = Answer<Vec<String>>;

    fn handle(&mut self, Names(users): Names, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || self.names(&users))
    }
}
