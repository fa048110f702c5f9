//! Fetching the bytes of copies.

use std::collections::HashMap;

use super::{
    ImapSession,
    answer::{Answer, Body, FetchLine},
    listing::uid_sets,
    uid,
};
use crate::source::{Announced, CopyRef, Fetched, SourceError, Unfetched, UnfetchedWhy, Want, fetch_allowance};

const FETCH: &str = "FETCH";

/// What has become of a copy that was asked for.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Asked,
    NoBody,
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
        let sizes: HashMap<u32, u64> = window
            .iter()
            .filter_map(|one| Some((uid(&one.copy)?, one.size)))
            .collect();
        let mut states: HashMap<u32, State> = sizes.keys().map(|uid| (*uid, State::Asked)).collect();
        let uids: Vec<u32> = window.iter().filter_map(|one| uid(&one.copy)).collect();
        for set in uid_sets(&uids) {
            let announced = set.uids.iter().map(|uid| sizes[uid]);
            let bodies = fetch_allowance(announced);
            let allowance = self.dialogue.small().saturating_add(bodies);
            let section = match want {
                Want::Whole => "BODY.PEEK[]",
                Want::Header => "BODY.PEEK[HEADER]",
            };
            let line = format!("UID FETCH {} (UID INTERNALDATE {section})", set.text);
            let mut on = |answer| {
                if let Answer::Fetch(line) = answer
                    && let Some(fetched) = judge(line, want, &mut states)
                {
                    sink(fetched);
                }
                Ok(())
            };
            let tag = self.dialogue.begin(FETCH, &line, allowance).await?;
            self.dialogue.allow_literals(bodies);
            self.dialogue.finish(FETCH, &tag, &mut on).await?;
        }
        let unfetched = |one: &Announced| {
            let why = match uid(&one.copy).and_then(|uid| states.get(&uid)) {
                Some(State::Delivered) => return None,
                Some(State::NoBody) => UnfetchedWhy::NoBody,
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
fn judge(line: FetchLine, want: Want, states: &mut HashMap<u32, State>) -> Option<Fetched> {
    let uid = line.uid?;
    let state = states.get_mut(&uid)?;
    let (brought, body) = line.body?;
    if brought != want || *state == State::Delivered {
        return None;
    }
    match body {
        Body::Bytes(bytes) => {
            *state = State::Delivered;
            Some(Fetched {
                copy: CopyRef::Uid(uid),
                bytes,
                internal_date: line.date,
            })
        }
        Body::Nil | Body::At(_) => {
            *state = State::NoBody;
            None
        }
    }
}
