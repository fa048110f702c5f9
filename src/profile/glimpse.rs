//! What a test fetches: the headers of the newest messages, and one message whole.

use bytes::Bytes;

use super::shortfall::{Verdict, judge};
use crate::said::{Said, Say, said};
use crate::source::{Announced, Disposition, Fetched, Session, SourceError, Unfetched, UnfetchedWhy, Want};

/// Headers fetched at once.
const WINDOW: usize = 20;
/// Messages that are tried whole, and up to how many bytes one of them is rather taken.
const TRIED: usize = 3;
const SMALL: u64 = 1 << 20;

/// Fetches headers, each by itself where the server refuses several; gives why those that did not come did not.
pub async fn glimpse(
    session: &mut Session,
    newest: &[Announced],
    each: &mut (dyn FnMut(Bytes) + Send),
) -> Result<Vec<Said>, SourceError> {
    let mut missed = Vec::new();
    for window in newest.chunks(WINDOW) {
        let mut came = Vec::new();
        let mut take = |fetched: Fetched| {
            came.push(fetched.copy);
            each(fetched.bytes);
        };
        match session.fetch(window, Want::Header, &mut take).await {
            Ok(unfetched) => missed.extend(unfetched.iter().map(why)),
            Err(error) if error.disposition() == Disposition::Report => {
                for one in window.iter().filter(|one| !came.contains(&one.copy)) {
                    let mut take = |fetched: Fetched| each(fetched.bytes);
                    match session.fetch(std::slice::from_ref(one), Want::Header, &mut take).await {
                        Ok(unfetched) => missed.extend(unfetched.iter().map(why)),
                        Err(error) if error.disposition() == Disposition::Report => missed.push(error.said()),
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(missed)
}

/// Fetches one of these messages whole, as a run does, a small one and the newest first; `None` where there is none.
/// Fails where none of those tried comes as it must.
pub async fn whole(session: &mut Session, mut newest: Vec<Announced>) -> Option<Result<Said, Said>> {
    newest.reverse();
    newest.sort_by_key(|one| if one.size <= SMALL { 0 } else { one.size });
    let mut failed = None;
    for one in newest.iter().take(TRIED) {
        match message(session, one).await {
            Ok(detail) => return Some(Ok(detail)),
            Err((words, is_lost)) => {
                let first = failed.get_or_insert(words);
                if is_lost {
                    return Some(Err(first.clone()));
                }
            }
        }
    }
    let tried = newest.len().min(TRIED);
    failed.map(|words| {
        Err(said!(
            NoneCameWhole,
            "none of {0} messages came whole: {1}",
            tried,
            words
        ))
    })
}

/// Fetches a message, once more where it came short. An error says whether the connection is lost.
async fn message(session: &mut Session, one: &Announced) -> Result<Said, (Said, bool)> {
    let mut before = None;
    loop {
        let mut fetched: Option<Bytes> = None;
        let mut take = |one: Fetched| fetched = Some(one.bytes);
        let missed = session.fetch(std::slice::from_ref(one), Want::Whole, &mut take).await;
        let missed = missed.map_err(|error| (error.said(), error.disposition() != Disposition::Report))?;
        let Some(bytes) = fetched else {
            let words = missed.first().map_or_else(|| said!(NotGiven, "it was not given"), why);
            return Err((words, false));
        };
        match judge(&bytes, one.size, before.as_ref(), false) {
            Verdict::Message(_) => return Ok(said!(FetchedWhole, "fetched one whole, of {0} bytes", bytes.len())),
            Verdict::OnceMore(came) => before = Some(came),
            Verdict::None(words) => return Err((words, false)),
        }
    }
}

fn why(unfetched: &Unfetched) -> Said {
    let copy = unfetched.copy.to_string();
    match &unfetched.why {
        UnfetchedWhy::NotAnswered => said!(CopyNotSent, "the server did not send {0}", copy),
        UnfetchedWhy::NoBody => said!(CopyNoBody, "the server sent no body (NIL) for {0}", copy),
        UnfetchedWhy::NotUnderstood(line) => said!(
            CopyUnreadable,
            "the server's answer about {0} cannot be read: {1}",
            copy,
            line
        ),
        UnfetchedWhy::Refused(words) => said!(CopyRefusedOf, "the server refused {0}: {1}", copy, Said::quoted(words)),
        UnfetchedWhy::Unreadable(words) | UnfetchedWhy::NoMail(words) => {
            said!(InFolder, "{0}: {1}", copy, Said::from(words.as_str()))
        }
    }
}
