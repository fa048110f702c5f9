//! Fetching copies in windows, as a run and its rehearsal do: one bad message must not stop the others, and what did not
//! come is accounted for.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;

use super::collect_error::{CollectError, is_refusal, unless_cancelled};
use crate::said::{Said, Say, said};
use crate::source::{Announced, CopyRef, Fetched, Session, SourceError, Unfetched, UnfetchedWhy, Want};

/// Sizes of single copies that are refused in a row, before the folder is taken to be at fault.
const MOST_REFUSED: u32 = 20;

/// Copies that were asked for and not answered, and why they count as failed if they are still there.
pub(super) type Missing = Vec<(CopyRef, Said)>;

/// Fetches headers. A refusal is no error: it says nothing yet about the whole messages.
pub(super) async fn fetch_headers(
    cancel: &CancellationToken,
    session: &mut Session,
    window: &[Announced],
    keep: &mut (dyn FnMut(Fetched) + Send),
) -> Result<(), CollectError> {
    match unless_cancelled(cancel, session.fetch(window, Want::Header, keep)).await {
        Ok(_) => Ok(()),
        Err(CollectError::Source(error)) if is_refusal(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whoever fetches the copies of one folder.
pub(super) trait Fetcher {
    fn cancel(&self) -> CancellationToken;

    /// Asks for the sizes of these copies.
    async fn ask_sizes(&mut self, session: &mut Session, copies: &[CopyRef]) -> Result<Vec<Announced>, CollectError>;

    /// Fetches these copies at once; what comes is counted, or set on its way. On error also gives those that did not come.
    async fn fetch_once(
        &mut self,
        session: &mut Session,
        window: &[Announced],
    ) -> Result<Vec<Unfetched>, (CollectError, Vec<Announced>)>;

    /// A copy failed.
    fn failed(&mut self, copy: CopyRef, stage: &'static str, error: Said);

    /// The server refused a copy.
    fn refused(&mut self, copy: CopyRef, error: Said);

    /// A copy is not in the folder any more.
    fn gone(&mut self, copy: CopyRef);

    /// The server's answer was not understood as a whole.
    fn unclear(&mut self, error: SourceError);

    /// Says in the log that something went wrong, where, and what is done about it.
    fn log(&self, words: &str);

    /// What was asked for in the folder and not answered, until [`find_missing`](Self::find_missing).
    fn missing(&mut self) -> &mut Missing;

    /// The sizes of copies. Where the server refuses them, of ever fewer at once.
    async fn sizes_of(&mut self, session: &mut Session, copies: &[CopyRef]) -> Result<Vec<Announced>, CollectError> {
        let mut announced = Vec::with_capacity(copies.len());
        let (mut asked, mut refused) = (vec![copies], 0);
        while let Some(some) = asked.pop() {
            match self.ask_sizes(session, some).await {
                Ok(more) => {
                    if more.len() < some.len() {
                        let answered: HashSet<&CopyRef> = more.iter().map(|one| &one.copy).collect();
                        let silent = some.iter().filter(|copy| !answered.contains(copy)).cloned();
                        self.missing()
                            .extend(silent.map(|copy| (copy, said!(SizeNotSaid, "the server does not say its size"))));
                        if let Some(error) = session.take_unclear() {
                            self.unclear(error);
                        }
                    }
                    announced.extend(more);
                    refused = 0;
                }
                Err(CollectError::Source(error)) if is_refusal(&error) => match some {
                    // That is not one message.
                    [_] if refused >= MOST_REFUSED => return Err(error.into()),
                    [only] => {
                        refused += 1;
                        self.failed(only.clone(), "fetch", error.said());
                    }
                    many => {
                        let (first, second) = many.split_at(many.len() / 2);
                        asked.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(announced)
    }

    /// Fetches a window. Where the server refuses it, each copy by itself.
    async fn fetch(&mut self, session: &mut Session, window: &[Announced]) -> Result<(), CollectError> {
        let refuses = |error: &CollectError| error.session_is_usable() && !error.asks_to_wait();
        let unfetched = match self.fetch_once(session, window).await {
            Ok(unfetched) => unfetched,
            Err((error, left)) if refuses(&error) && window.len() > 1 => {
                self.log(&format!(
                    "the server refused a batch; fetching its copies one by one: {error}"
                ));
                let mut unfetched = Vec::new();
                for one in left {
                    match self.fetch_once(session, std::slice::from_ref(&one)).await {
                        Ok(more) => unfetched.extend(more),
                        Err((error, _)) if refuses(&error) => self.refused(one.copy, error.said()),
                        Err((error, _)) => return Err(error),
                    }
                }
                unfetched
            }
            Err((error, left)) if refuses(&error) => {
                left.into_iter().for_each(|one| self.refused(one.copy, error.said()));
                Vec::new()
            }
            Err((error, _)) => return Err(error),
        };
        for Unfetched { copy, why } in unfetched {
            match why {
                UnfetchedWhy::NotAnswered => self
                    .missing()
                    .push((copy, said!(NotSent, "the server did not send it"))),
                UnfetchedWhy::NoBody => self
                    .missing()
                    .push((copy, said!(NoBody, "the server sent no body (NIL)"))),
                UnfetchedWhy::Refused(words) => {
                    let words = Said::quoted(words);
                    self.refused(copy, said!(CopyRefused, "the server refused it: {0}", words));
                }
                UnfetchedWhy::NotUnderstood(line) => {
                    let error = said!(AnswerUnreadable, "the server's answer cannot be read: {0}", line);
                    self.failed(copy, "fetch", error);
                }
                UnfetchedWhy::Unreadable(words) => self.failed(copy, "read", words.into()),
                UnfetchedWhy::NoMail(words) => {
                    self.failed(copy, "format", said!(NoMail, "no mail: {0}", Said::from(words)));
                }
            }
        }
        Ok(())
    }

    /// Finds out what became of copies that were not answered. One is gone only if a later listing that succeeds lacks
    /// it; otherwise it stays open.
    async fn find_missing(&mut self, session: &mut Session) -> Result<(), CollectError> {
        if self.missing().is_empty() {
            return Ok(());
        }
        // A POP3 session shows the mailbox as it was when it began, so there nothing vanishes.
        let listing = unless_cancelled(&self.cancel(), session.listing()).await?;
        let unclear = session.take_unclear();
        let missing = std::mem::take(self.missing());
        let standing = listing.among(&missing.iter().map(|(copy, _)| copy.clone()).collect());
        for (copy, why) in missing {
            match standing.contains(&copy) || unclear.is_some() {
                true => self.failed(copy, "fetch", why),
                false => self.gone(copy),
            }
        }
        if let Some(error) = unclear {
            self.unclear(error);
        }
        Ok(())
    }
}
