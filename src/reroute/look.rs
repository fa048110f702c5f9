//! Looking through the archive: for whom each message is by the current users and rules, and which of them lack it.
//! Reads one message after the other, mostly no more than its header, and changes nothing.

use std::{
    collections::HashSet,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use roaring::RoaringTreemap;

use super::{
    book::{Book, Ruled},
    judged::{By, Fault, Judged, put_all},
    supposed::Supposed,
};
use crate::{
    archive::{
        CATCHALL_ID, Direction, Entry, FolderNumber, Holders, Message, MessageId, Page, Retrieval, Store, StoreError,
        UserId,
    },
    explain::{fetched, unclaimed, united},
    identify::{Found, Header, Identified, Mail, Reported},
    route::{Directory, Known, Previewed, Rule, look_through, preview},
    said::{Say, said},
};

/// A header that is longer is read with the whole message.
const HEADER: usize = 256 << 10;

/// A message that was looked at.
pub(super) struct Looked {
    pub id: MessageId,
    pub message: Message,
    /// A folder in which it was found.
    pub folder: FolderNumber,
    pub judged: Result<Judged, Fault>,
}

pub(super) struct Looker<'s> {
    store: &'s Store,
    directory: Arc<Directory>,
    book: Book,
    retrieval: Retrieval<'s>,
    /// Whose archive alone is looked through.
    from: Option<UserId>,
    /// The messages that alone are looked at.
    only: Option<RoaringTreemap>,
    /// Nothing is filed: what would have been.
    supposed: Option<Supposed>,
}

/// Why no more messages are handed out.
enum End {
    NobodyTakes,
    Store(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'s> Looker<'s> {
    /// Looks by these users: whoever changes meanwhile, counts the next time.
    pub fn new(store: &'s Store, directory: Arc<Directory>, book: Book, from: Option<UserId>) -> Self {
        Self {
            store,
            directory,
            book,
            retrieval: Retrieval::new(store),
            from,
            only: None,
            supposed: None,
        }
    }

    /// Looks at these messages alone, where they are given.
    pub fn only(self, only: Option<RoaringTreemap>) -> Self {
        Self { only, ..self }
    }

    /// Supposes that what is lacking is filed, as nobody does it.
    pub fn supposing(self) -> Self {
        Self {
            supposed: Some(Supposed::default()),
            ..self
        }
    }

    /// Hands out each message once, until nobody takes them; `None` for what is in nobody's archive, as journal reports
    /// are.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn through(mut self, mut each: impl FnMut(Option<Looked>) -> ControlFlow<()>) -> Result<(), StoreError> {
        let mut each = |looked| match each(looked) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(End::NobodyTakes),
        };
        let ended = match self.from {
            Some(user) => {
                let mut all = self.store.all_filings(user, Page::first(Direction::Up));
                all.try_for_each(|entry| {
                    let Entry { id, message, .. } = entry?;
                    match self.is_wanted(id) {
                        true => each(self.look(id, message)?),
                        false => Ok(()),
                    }
                })
            }
            None => self.through_all(&mut each),
        };
        match ended {
            Ok(()) | Err(End::NobodyTakes) => Ok(()),
            Err(End::Store(error)) => Err(error),
        }
    }

    fn through_all(&mut self, each: &mut dyn FnMut(Option<Looked>) -> Result<(), End>) -> Result<(), End> {
        let mut behind = MessageId(0);
        loop {
            let page = self.store.messages_behind(behind)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            behind = *last;
            for (id, message) in page {
                if self.is_wanted(id) {
                    each(self.look(id, message)?)?;
                }
            }
        }
    }

    fn is_wanted(&self, id: MessageId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id.0))
    }

    fn look(&mut self, id: MessageId, message: Message) -> Result<Option<Looked>, StoreError> {
        let holders = self.store.holders_of(id, &message)?;
        let Some(folder) = holders.here.first().map(|(_, filing)| filing.folder) else {
            return Ok(None);
        };
        let rules = match self.book.rules(self.store, id, &holders.here)? {
            Ok(rules) => rules,
            Err(why) => {
                let judged = Err(Fault::NoRules(why));
                return Ok(Some(Looked {
                    id,
                    message,
                    folder,
                    judged,
                }));
            }
        };
        let judge = AssertUnwindSafe(|| self.judge(id, &message, rules, &holders));
        let judged = catch_unwind(judge).unwrap_or_else(|_| {
            let words = said!(ReadingPanicked, "reading it panicked; this is a bug in dropkeep");
            Err(Fault::Message("identify", words))
        });
        Ok(Some(Looked {
            id,
            message,
            folder,
            judged,
        }))
    }

    fn judge(
        &mut self,
        id: MessageId,
        message: &Message,
        rules: Vec<(Arc<Ruled>, FolderNumber)>,
        holders: &Holders,
    ) -> Result<Judged, Fault> {
        let unreadable = |error: StoreError| Fault::Message("read", error.said());
        let mut judged = Judged::default();
        let names: HashSet<&str> = holders.all.iter().map(|user| self.directory.name(*user)).collect();
        let has = |name: &String| names.contains(name.as_str());
        let others = unclaimed(self.store, id).map_err(unreadable)?;
        for (ruled, folder) in rules {
            let found = found(self.store, &mut self.retrieval, &self.directory, &ruled, id, message);
            let found = united([found.map_err(unreadable)?, others.clone()].iter());
            let Decided {
                found,
                mut previewed,
                kept_by,
                kept_from,
                retired,
            } = self.decide(&ruled, found, holders, &has);
            put_all(&mut judged.having, retired);
            if let Some(supposed) = &mut self.supposed {
                supposed.make(&self.directory, &ruled, &mut previewed, &mut judged);
            }
            put_all(&mut judged.unknown, previewed.unknown_addresses.clone());
            put_all(&mut judged.kept_by, kept_by);
            put_all(&mut judged.kept_from, kept_from);
            let (having, lacking): (Vec<_>, Vec<_>) = known(previewed).into_iter().partition(has);
            if !lacking.is_empty() {
                judged.by.push(By { ruled, folder, found });
            }
            put_all(&mut judged.having, having);
            put_all(&mut judged.lacking, lacking);
        }
        if let Some(supposed) = &mut self.supposed {
            let given = supposed.give(self.store, message.identity, &mut judged);
            given.map_err(unreadable)?;
        }
        Ok(judged)
    }

    /// Decides for whom a message is. What a retired user has stays with them: who was given their address later is no
    /// reader of the mail from before, unless it is the archive of the retired user that reroute was asked to read.
    fn decide(&self, ruled: &Ruled, found: Found, holders: &Holders, has: &impl Fn(&String) -> bool) -> Decided {
        let (directory, routing) = (&self.directory, &ruled.routing);
        let lacking = |previewed: &Previewed| -> Vec<String> {
            let mut names = known(previewed.clone());
            names.retain(|name| !has(name));
            names
        };
        let previewed = preview(directory, routing, &found, &[]);
        let retired = |user: &UserId| {
            *user != CATCHALL_ID && Some(*user) != self.from && directory.user(*user).is_some_and(|user| user.retired)
        };
        let retired: Vec<UserId> = holders.all.iter().copied().filter(retired).collect();
        let mut decided = Decided {
            found,
            previewed,
            kept_by: Vec::new(),
            kept_from: Vec::new(),
            retired: Vec::new(),
        };
        if retired.is_empty() {
            return decided;
        }
        let plus = routing.plus_addressing;
        let all = decided.found.recipients.iter().chain(&decided.found.senders);
        let all: Vec<_> = all
            .map(|named| (&named.address, directory.look_up(&named.address, plus)))
            .collect();
        // What is theirs by an address that nobody else was given, they have.
        let own = retired.iter().filter(|user| {
            let mut own = all.iter().filter(|(_, known)| *known == Known::Retired);
            own.any(|(address, _)| directory.is_of(**user, address, plus))
        });
        decided.retired = own.map(|user| directory.name(*user).to_owned()).collect();
        let mut kept_from = lacking(&decided.previewed);
        if kept_from.is_empty() {
            return decided;
        }
        let mut kept_by = Vec::new();
        let Decided {
            found, retired: own, ..
        } = decided;
        let mut rest = found;
        for list in [&mut rest.recipients, &mut rest.senders] {
            list.retain(|named| {
                if !matches!(directory.look_up(&named.address, plus), Known::Users(..)) {
                    return true;
                }
                let was = retired
                    .iter()
                    .find(|user| directory.is_of(**user, &named.address, plus));
                kept_by.extend(was.map(|user| directory.name(*user).to_owned()));
                was.is_none()
            });
        }
        let previewed = preview(directory, routing, &rest, &[]);
        let still = lacking(&previewed);
        kept_from.retain(|name| !still.contains(name));
        if kept_from.is_empty() {
            kept_by.clear();
        }
        Decided {
            found: rest,
            previewed,
            kept_by,
            kept_from,
            retired: own,
        }
    }
}

struct Decided {
    found: Found,
    previewed: Previewed,
    kept_by: Vec<String>,
    kept_from: Vec<String>,
    /// Retired users who have it by an address that is still theirs.
    retired: Vec<String>,
}

/// The users that addresses lead to, without whom `unknown` names.
fn known(previewed: Previewed) -> Vec<String> {
    let by_address = |rule| !matches!(rule, Rule::Catchall | Rule::User);
    let users = previewed.users.into_iter().filter(|user| by_address(user.rule));
    users.map(|user| user.user).collect()
}

/// The addresses in a stored message, or in the journal reports in which it came; of very many each is looked up as it
/// is read.
fn found(
    store: &Store,
    retrieval: &mut Retrieval,
    directory: &Directory,
    ruled: &Ruled,
    id: MessageId,
    message: &Message,
) -> Result<Found, StoreError> {
    let whole = |found: Found, bytes: &Bytes| match found.more {
        0 => found,
        _ => look_through(directory, &ruled.routing, &ruled.rules, bytes),
    };
    let came_in_reports = !store.journals(id, MessageId(0), 1)?.is_empty();
    if !came_in_reports {
        let bytes = Bytes::from(retrieval.beginning(id, message, HEADER)?);
        let header = Header::scan(&bytes);
        if has_all(&header, &bytes, message) && !ruled.rules.need_body(&header) {
            return Ok(whole(ruled.rules.find(&Mail::plain(&header)), &bytes));
        }
    }
    let mut all = Vec::new();
    fetched(store, id, message, came_in_reports, |bytes| {
        let identified = Identified::new(bytes.clone(), None, &ruled.rules);
        let reported = identified.journal.reported();
        // In its place the message itself is read.
        if reported != Reported::Untrusted || !came_in_reports {
            all.push(whole(identified.found, &bytes));
        }
        reported
    })?;
    Ok(united(all.iter()))
}

/// Whether the beginning of a message says of its header what the whole message says.
fn has_all(header: &Header, beginning: &[u8], message: &Message) -> bool {
    let ended = || header.end < beginning.len() || [&b"\n\n"[..], b"\n\r\n"].iter().any(|end| beginning.ends_with(end));
    beginning.len() as u64 == message.size || header.well_ended && ended()
}
