//! Archiving what is open in one folder: list, size, fetch in windows, judge.

use std::{collections::HashMap, sync::Arc};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Judged, Progress, Task},
    cursor::{Cursor, Done},
    judge::{copy_error, judge},
};
use crate::{
    archive::{Change, StoreError},
    config::Unknown,
    identify::{Header, Mail, Report, Reported},
    report::{CopyError, Outcome, SIZE},
    route::Preview,
    source::{Announced, CopyRef, Disposition, Fetched, Session, SourceError, Unfetched, UnfetchedWhy, Want},
};

/// Outcomes told at once.
const TOLD: usize = 500;
/// Copies whose sizes are asked for at once.
pub const SIZES: usize = 10_000;
/// Announced bytes, and copies, of one window. Each costs a round trip, and servers a look at the whole folder:
/// Dovecot 2.3 reads a Maildir's folder anew for every command, 0.3 s at 200,000 messages.
pub const WINDOW_BYTES: u64 = 8 << 20;
const WINDOW_COPIES: usize = 4000;
/// Bytes that the headers of one copy are taken to have, for the budget.
pub const HEADER_BYTES: u64 = 8 << 10;

/// A folder was gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected;

#[derive(thiserror::Error, Debug)]
pub enum CollectError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("interrupted")]
    Cancelled,
    #[error("the profile stopped; this is a fault of dropkeep")]
    Profile,
}

impl CollectError {
    /// Whether the session can go on with another folder.
    pub fn session_is_usable(&self) -> bool {
        matches!(self, Self::Source(error) if error.disposition() == Disposition::Report)
    }
}

/// Gives up waiting for a server when the run is interrupted.
pub async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, CollectError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CollectError::Cancelled),
        result = work => result.map_err(CollectError::from),
    }
}

/// Goes through what is open in `folder`. What was fetched has its outcome when this returns, also
/// when it returns an error.
pub async fn folder(task: &Arc<Task>, session: &mut Session, folder: &str) -> Result<Collected, CollectError> {
    let number = task.stages.committer.change(Change::Folder(folder.to_owned())).await? as u32;
    let mut work = Work {
        task,
        folder: folder.to_owned(),
        number,
        judging: JoinSet::new(),
        progress: Progress::default(),
        missing: Vec::new(),
    };
    let collected = work.collect(session).await;
    // Whatever happened to the source: what is on its way is committed and counted. What was asked for, not
    // answered, and could not be looked for again has failed.
    for (copy, why) in std::mem::take(&mut work.missing) {
        work.judged(Outcome::Failed, &copy, Some(("fetch", why.into())));
    }
    let judged = work.judge_all().await;
    let flushed = work.flush().await;
    collected.and(judged).and(flushed)?;
    Ok(Collected)
}

struct Work<'t> {
    task: &'t Arc<Task>,
    folder: String,
    number: u32,
    /// Copies on their way, as many as the budget lets in.
    judging: JoinSet<Result<Judged, StoreError>>,
    progress: Progress,
    /// Asked for, and not answered.
    missing: Vec<(CopyRef, &'static str)>,
}

impl Work<'_> {
    async fn collect(&mut self, session: &mut Session) -> Result<(), CollectError> {
        let cancel = &self.task.cancel;
        let opened = unless_cancelled(cancel, session.open(&self.folder)).await?;
        let listing = unless_cancelled(cancel, session.listing()).await?;
        let cursor = self.cursor(opened.uidvalidity, &listing).await?;
        let mut copies = listing;
        copies.retain(|copy| cursor.is_open(copy));
        self.progress.expected = copies.len() as u64;
        self.flush().await?;
        // While more is fetched the committer may wait for it, to make larger blocks.
        let _more = self.task.stages.committer.more_coming();
        for chunk in copies.chunks(SIZES) {
            let announced = unless_cancelled(cancel, session.sizes(chunk, false)).await?;
            if announced.len() < chunk.len() {
                let answered: std::collections::HashSet<&CopyRef> = announced.iter().map(|one| &one.copy).collect();
                let silent = chunk.iter().filter(|copy| !answered.contains(copy)).cloned();
                self.missing
                    .extend(silent.map(|copy| (copy, "the server does not tell its size")));
            }
            let fitting = self.put_aside_too_large(announced);
            let most_bytes = WINDOW_BYTES.min(self.task.stages.budget.bytes() / 4);
            for window in windows(fitting, most_bytes, |one| one.size) {
                let window = self.put_aside_skipped(session, window).await?;
                self.fetch(session, &cursor, window).await?;
                self.flush().await?;
            }
        }
        self.find_missing(session).await
    }

    /// What is done of the folder whose copies are in `listing`.
    async fn cursor(&mut self, uidvalidity: Option<u32>, listing: &[CopyRef]) -> Result<Cursor, CollectError> {
        let Some(source) = self.task.source else {
            return Ok(Cursor::new(Done::Nothing, listing));
        };
        let (store, folder) = (self.task.stages.store.clone(), self.number);
        let read = move || match uidvalidity {
            Some(uidvalidity) => {
                let uids = store.done_uids(source, folder, uidvalidity)?;
                Ok(Done::Imap {
                    source,
                    folder,
                    uidvalidity,
                    uids,
                })
            }
            None => Ok(Done::Pop3 {
                source,
                uidls: store.done_uidls(source)?,
            }),
        };
        let done = self.task.stages.pool.run(read).await;
        let done = done.map_err(|_| CollectError::Profile)?.map_err(CollectError::Store)?;
        let mut cursor = Cursor::new(done, listing);
        if let Some((source, standing)) = cursor.take_standing() {
            let forget = Change::Uidls { source, standing };
            self.task.stages.committer.change(forget).await?;
        }
        if listing.iter().any(|copy| matches!(copy, CopyRef::Number(_))) {
            let notice = "the server has no UIDL: every message is fetched in every run, and known ones are told by \
                          their content";
            self.progress.notices.push(notice.into());
        }
        Ok(cursor)
    }

    fn put_aside_too_large(&mut self, announced: Vec<Announced>) -> Vec<Announced> {
        let most = self.task.stages.max_message_size;
        let (fitting, too_large): (Vec<_>, Vec<_>) = announced.into_iter().partition(|one| one.size <= most);
        for Announced { copy, size, .. } in too_large {
            let error = format!("{size} bytes are more than max_message_size ({most} bytes); it stays where it is");
            self.judged(Outcome::TooLarge, &copy, Some((SIZE, error)));
        }
        fitting
    }

    /// Where unknown messages stay on the server, their headers are judged before their bodies are fetched.
    async fn put_aside_skipped(
        &mut self,
        session: &mut Session,
        window: Vec<Announced>,
    ) -> Result<Vec<Announced>, CollectError> {
        if self.task.routing.unknown != Unknown::Skip || !session.can_fetch_headers() {
            return Ok(window);
        }
        let _share = self
            .task
            .stages
            .budget
            .take(window.iter().map(|one| one.size.min(HEADER_BYTES)))
            .await;
        let mut headers = Vec::with_capacity(window.len());
        let mut keep = |fetched: Fetched| headers.push((fetched.copy, fetched.bytes));
        let fetching = session.fetch(&window, Want::Header, &mut keep);
        match unless_cancelled(&self.task.cancel, fetching).await {
            Ok(_) => {}
            // A refusal of headers says nothing yet about the bodies.
            Err(error) if error.session_is_usable() => {}
            Err(error) => return Err(error),
        }
        let mut skipped = std::collections::HashSet::new();
        for (copy, header) in headers {
            let header = Header::scan(&header);
            // For whom a journal report is, its body says.
            if self.task.rules.need_body(&header) {
                continue;
            }
            let found = self.task.rules.find(&Mail::plain(&header));
            let question = Preview {
                found,
                routing: self.task.routing.clone(),
                look_up: Vec::new(),
            };
            let previewed = self.task.stages.router.send(question).await;
            let previewed = previewed.map_err(|_| CollectError::Profile)?;
            if previewed.unknown {
                let reported = match Report::is_marked(&header) {
                    true => Reported::Untrusted,
                    false => Reported::No,
                };
                self.progress.judged.push(Judged::skipped(previewed, reported));
                skipped.insert(copy);
            }
        }
        Ok(window.into_iter().filter(|one| !skipped.contains(&one.copy)).collect())
    }

    /// Fetches a window. Where the server refuses it, each copy by itself: one bad message must not
    /// stop the others.
    async fn fetch(
        &mut self,
        session: &mut Session,
        cursor: &Cursor,
        window: Vec<Announced>,
    ) -> Result<(), CollectError> {
        if window.is_empty() {
            return Ok(());
        }
        let unfetched = match self.fetch_once(session, cursor, &window).await {
            Ok(unfetched) => unfetched,
            Err((error, left)) if error.session_is_usable() && window.len() > 1 => {
                tracing::warn!(%error, folder = self.folder, "a window is refused; its copies are fetched one by one");
                let mut unfetched = Vec::new();
                for one in left {
                    match self.fetch_once(session, cursor, std::slice::from_ref(&one)).await {
                        Ok(more) => unfetched.extend(more),
                        Err((error, _)) if error.session_is_usable() => {
                            self.judged(Outcome::Failed, &one.copy, Some(("fetch", error.to_string())));
                        }
                        Err((error, _)) => return Err(error),
                    }
                }
                unfetched
            }
            Err((error, left)) if error.session_is_usable() => {
                for one in left {
                    self.judged(Outcome::Failed, &one.copy, Some(("fetch", error.to_string())));
                }
                Vec::new()
            }
            Err((error, _)) => return Err(error),
        };
        for Unfetched { copy, why } in unfetched {
            match why {
                UnfetchedWhy::NotAnswered => self.missing.push((copy, "the server does not give it out")),
                UnfetchedWhy::NoBody => self.missing.push((copy, "the server gives no body (NIL)")),
                UnfetchedWhy::Refused(words) => {
                    self.judged(
                        Outcome::Failed,
                        &copy,
                        Some(("fetch", format!("the server refuses it: {words}"))),
                    );
                }
                UnfetchedWhy::Unreadable(words) => self.judged(Outcome::Failed, &copy, Some(("read", words))),
                UnfetchedWhy::NoMail(words) => {
                    self.judged(Outcome::Failed, &copy, Some(("format", format!("no mail: {words}"))));
                }
            }
        }
        Ok(())
    }

    /// One fetch. On error also gives what of the window did not come.
    async fn fetch_once(
        &mut self,
        session: &mut Session,
        cursor: &Cursor,
        window: &[Announced],
    ) -> Result<Vec<Unfetched>, (CollectError, Vec<Announced>)> {
        let mut share = self.task.stages.budget.take(window.iter().map(|one| one.size)).await;
        let sizes: HashMap<&CopyRef, u64> = window.iter().map(|one| (&one.copy, one.size)).collect();
        let mut came = std::collections::HashSet::new();
        let (task, number, folder) = (self.task, self.number, &self.folder);
        let judging = &mut self.judging;
        let mut sink = |fetched: Fetched| {
            let share = share.split(sizes.get(&fetched.copy).copied().unwrap_or_default());
            let key = cursor.key(&fetched.copy);
            came.insert(fetched.copy.clone());
            judging.spawn(judge(task.clone(), folder.clone(), number, key, fetched, share));
        };
        let result = unless_cancelled(&task.cancel, session.fetch(window, Want::Whole, &mut sink)).await;
        result.map_err(|error| {
            (
                error,
                window.iter().filter(|one| !came.contains(&one.copy)).cloned().collect(),
            )
        })
    }

    /// A copy is gone only when a later listing that succeeds lacks it; otherwise it stays open.
    async fn find_missing(&mut self, session: &mut Session) -> Result<(), CollectError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        // A POP3 session shows the mailbox as it was when it began, so there nothing vanishes.
        let listing = unless_cancelled(&self.task.cancel, session.listing()).await?;
        let standing: std::collections::HashSet<CopyRef> = listing.into_iter().collect();
        for (copy, why) in std::mem::take(&mut self.missing) {
            if standing.contains(&copy) {
                self.judged(Outcome::Failed, &copy, Some(("fetch", why.into())));
            } else {
                self.judged(Outcome::Vanished, &copy, None);
            }
        }
        Ok(())
    }

    fn judged(&mut self, outcome: Outcome, copy: &CopyRef, error: Option<(&str, String)>) {
        let error = error.map(|(stage, error)| copy_error(&self.folder, copy, stage, error));
        self.progress.judged.push(Judged {
            outcome,
            bytes: 0,
            routed: None,
            reported: Reported::No,
            error,
        });
    }

    /// Waits for all copies on their way.
    async fn judge_all(&mut self) -> Result<(), CollectError> {
        let mut first_error = None;
        while let Some(judged) = self.judging.join_next().await {
            self.take(judged, &mut first_error);
            if self.progress.judged.len() >= TOLD {
                self.tell().await?;
            }
        }
        first_error.map_or(Ok(()), |error| Err(CollectError::Store(error)))
    }

    /// Tells the profile what has been judged so far.
    async fn flush(&mut self) -> Result<(), CollectError> {
        let mut first_error = None;
        while let Some(judged) = self.judging.try_join_next() {
            self.take(judged, &mut first_error);
        }
        self.tell().await?;
        first_error.map_or(Ok(()), |error| Err(CollectError::Store(error)))
    }

    fn take(
        &mut self,
        judged: Result<Result<Judged, StoreError>, tokio::task::JoinError>,
        first_error: &mut Option<StoreError>,
    ) {
        match judged {
            Ok(Ok(judged)) => self.progress.judged.push(judged),
            Ok(Err(error)) => drop(first_error.get_or_insert(error)),
            Err(error) => {
                let error = CopyError {
                    folder: self.folder.clone(),
                    copy: String::new(),
                    stage: "identify".into(),
                    error: error.to_string(),
                };
                self.progress.judged.push(Judged {
                    outcome: Outcome::Failed,
                    bytes: 0,
                    routed: None,
                    reported: Reported::No,
                    error: Some(error),
                });
            }
        }
    }

    async fn tell(&mut self) -> Result<(), CollectError> {
        let progress = std::mem::take(&mut self.progress);
        if progress.expected == 0 && progress.judged.is_empty() && progress.notices.is_empty() {
            return Ok(());
        }
        self.task
            .progress
            .send(progress)
            .await
            .map_err(|_| CollectError::Profile)
    }
}

/// Cuts copies into windows by the bytes that each brings. A larger copy is a window by itself.
pub fn windows(copies: Vec<Announced>, most_bytes: u64, bytes_of: impl Fn(&Announced) -> u64) -> Vec<Vec<Announced>> {
    let mut windows: Vec<Vec<Announced>> = Vec::new();
    let mut bytes = 0;
    for copy in copies {
        match windows.last_mut() {
            Some(window) if bytes + bytes_of(&copy) <= most_bytes && window.len() < WINDOW_COPIES => {
                bytes += bytes_of(&copy);
                window.push(copy);
            }
            _ => {
                bytes = bytes_of(&copy);
                windows.push(vec![copy]);
            }
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_bounded_in_bytes_and_copies() {
        let sizes = [1 << 20, 2 << 20, 2 << 20, 9 << 20, 1];
        let copies = sizes.iter().enumerate().map(|(n, size)| Announced {
            copy: CopyRef::Uid(n as u32),
            size: *size,
            facts: None,
        });
        let lengths: Vec<usize> = windows(copies.collect(), 4 << 20, |one| one.size)
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
        let many = (0..8001)
            .map(|n| Announced {
                copy: CopyRef::Uid(n),
                size: 1,
                facts: None,
            })
            .collect();
        assert_eq!(
            windows(many, 4 << 20, |one| one.size)
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>(),
            [4000, 4000, 1]
        );
    }
}
