//! Fetching the bytes of copies.

use std::mem;

use super::{
    ImapSession,
    answer::{Answer, FetchLine},
    by_uid::ByUid,
    listing::uid_sets,
    screen::Kind,
    uid,
};
use crate::source::{Announced, CopyRef, Fetched, SourceError, Unfetched, UnfetchedWhy, Want, fetch_allowance};

const FETCH: &str = "FETCH";

/// What has become of a copy that was asked for.
#[derive(PartialEq)]
enum State {
    Asked,
    NoBody,
    /// What came of it cannot be read: the line.
    Odd(String),
    Delivered,
}

impl ImapSession {
    /// Fetches a window of copies without marking them as seen.
    pub(in crate::source) async fn fetch(
        &mut self,
        window: &[Announced],
        want: Want,
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Vec<Unfetched>, SourceError> {
        let sizes = ByUid::new(window.iter().filter_map(|one| Some((uid(&one.copy)?, one.size))));
        let uids: Vec<u32> = window.iter().filter_map(|one| uid(&one.copy)).collect();
        let mut states = ByUid::new(uids.iter().map(|uid| (*uid, State::Asked)));
        for set in uid_sets(&uids) {
            let announced = || set.uids.iter().filter_map(|uid| sizes.get(*uid).copied());
            let bodies = fetch_allowance(announced());
            let allowance = self.dialogue.small().saturating_add(bodies);
            let section = match want {
                Want::Whole => "BODY.PEEK[]",
                Want::Header => "BODY.PEEK[HEADER]",
            };
            let line = format!("UID FETCH {} (UID INTERNALDATE {section})", set.text);
            // A line that lacks the UID or the body, which may come behind its end.
            let mut short = FetchLine::default();
            let mut on = |answer| {
                if let Answer::Fetch(mut line) = answer {
                    if line.number == 0 {
                        line = mem::take(&mut short).and(line);
                    }
                    if line.uid.is_some() && line.body.is_some() {
                        short = FetchLine::default();
                        judge(line, want, &mut states).map(&mut *sink);
                    } else {
                        note_odd(&line, &mut states);
                        short = line;
                    }
                }
                Ok(())
            };
            let tag = self.dialogue.begin(FETCH, &line, allowance).await?;
            self.dialogue
                .allow_literals(fetch_allowance(announced().max().into_iter()));
            self.dialogue.finish(FETCH, &tag, &mut on).await?;
            // It may have been one of those that were not answered otherwise.
            if let Some(odd) = self.dialogue.odd(Kind::Fetch).next() {
                for uid in set.uids {
                    if let Some(state @ State::Asked) = states.get_mut(*uid) {
                        *state = State::Odd(odd.to_owned());
                    }
                }
            }
        }
        let unfetched = |one: &Announced| {
            let why = match uid(&one.copy).and_then(|uid| states.get(uid)) {
                Some(State::Delivered) => return None,
                Some(State::NoBody) => UnfetchedWhy::NoBody,
                Some(State::Odd(line)) => UnfetchedWhy::NotUnderstood(line.clone()),
                Some(State::Asked) | None => UnfetchedWhy::NotAnswered,
            };
            let copy = one.copy.clone();
            Some(Unfetched { copy, why })
        };
        Ok(window.iter().filter_map(unfetched).collect())
    }
}

/// The copy that a line brings, if it was asked for and did not come before. Servers also send
/// lines of their own accord, with new flags say (RFC 9051, 7.5.2).
fn judge(line: FetchLine, want: Want, states: &mut ByUid<State>) -> Option<Fetched> {
    let uid = line.uid?;
    let state = states.get_mut(uid)?;
    let (brought, body) = line.body?;
    if brought != want || *state == State::Delivered {
        return None;
    }
    match body {
        Some(bytes) => {
            *state = State::Delivered;
            Some(Fetched {
                copy: CopyRef::Uid(uid),
                bytes,
                internal_date: line.date,
                aside: None,
            })
        }
        None => {
            *state = State::NoBody;
            None
        }
    }
}

/// Keeps the line of a copy that was to come in it, and cannot be read.
fn note_odd(line: &FetchLine, states: &mut ByUid<State>) {
    if let Some(odd) = &line.odd
        && let Some(state) = line.uid.and_then(|uid| states.get_mut(uid))
        && *state != State::Delivered
    {
        *state = State::Odd(odd.clone());
    }
}

impl FetchLine {
    /// With what else was said of the same message.
    fn and(self, more: Self) -> Self {
        Self {
            number: self.number,
            uid: self.uid.or(more.uid),
            size: self.size.or(more.size),
            date: self.date.or(more.date),
            flags: self.flags.or(more.flags),
            body: self.body.or(more.body),
            odd: self.odd.or(more.odd),
        }
    }
}
