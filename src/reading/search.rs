//! Searches: what the index finds, with what the store says of it. The index says which messages are looked at; whether
//! whoever asks may see one is asked of the store once more.

use std::time::{Duration, Instant};

use roaring::RoaringTreemap;

use super::{
    rows::Rows,
    tell::{End, Tell},
    users::{find_user, readable},
    view,
};
use crate::{
    access::Archives,
    api::{Code, Counted, Exit, FacetsLine, Failure, FoundLine, HitLine, IndexLine, Reply, Searched, Wrong},
    archive::{GroupNumber, MessageId, Readable, Retrieval, Store, StoreError, User, UserId},
    clock,
    config::nearest,
    extract,
    identify::Listed,
    message::CATCHALL,
    patience::Patience,
    report::metrics,
    search::{
        Criterion, Facets, Hit, Index, Marks, Query, QueryError, Search, SearchError, Stage, Wanted, find, find_all,
        named, parse, unread,
    },
};

/// Users of a message that are named.
const USERS: usize = 100;
/// Bytes of a message that is read for a stretch of its text, and of all of a page; of a longer one only the beginning.
const READ: u64 = 4 << 20;
const READ_OF_PAGE: u64 = 128 << 20;
const BEGINNING: usize = 256 << 10;
/// How long it is waited for an index that is opened, or takes up what came last.
const TAKES_UP: Duration = Duration::from_secs(10);

/// Answers a search: a line for each message, then how many there are.
pub fn search(
    store: &Store,
    search: &Search,
    archives: &Archives,
    asked: &Searched,
    tell: &mut Tell,
) -> Result<(), End> {
    let began = Instant::now();
    let query = understood(&asked.query)?;
    let of = match &asked.user {
        Some(name) => Some(find_user(store, archives, name)?.0),
        None => None,
    };
    let after = asked.after.as_deref().map(str::parse).transpose()?;
    let names = names(&query);
    // There may be very many users, and few queries name one.
    let users = match asked.facets || !names.is_empty() {
        true => users(store, archives)?,
        false => Vec::new(),
    };
    let index = index(search)?;
    let wanted = Wanted {
        users: &users,
        of,
        order: asked.order,
        most: asked.limit,
        after,
        facets: asked.facets,
        ..Wanted::all(&query, archives, clock::now())
    };
    let (found, mut unread) = search.sound(&index, || {
        let view = index.view()?;
        let found = find(&view, &wanted)?;
        let unread = unread(&view, found.page.iter().map(|hit| hit.id))?;
        Ok((found, unread))
    })?;
    let mut shown = Shown {
        rows: Rows::new(store),
        marks: asked.snippets.then(|| Marks::of(&query)),
        may_read: READ_OF_PAGE,
    };
    let mut ids: Vec<MessageId> = found.page.iter().map(|hit| hit.id).collect();
    ids.sort_unstable();
    let mut messages = store.messages_for(archives, &ids, USERS)?;
    let rows = store.listed(found.page.iter().map(|hit| hit.id))?;
    for (hit, row) in found.page.iter().zip(rows) {
        // What is damaged, or what the archive does not have for whoever asks, is not shown.
        let Some(readable) = messages.remove(&hit.id) else {
            continue;
        };
        if let Some(line) = shown.line(hit, row, readable)? {
            let line = HitLine {
                unread: unread.remove(&hit.id).unwrap_or_default(),
                ..line
            };
            tell(Reply::Hit(Box::new(line)))?;
        }
    }
    let line = FoundLine {
        total: found.total,
        next: found.next.map(|next| next.to_string()),
        facets: found.facets.map(facets),
        notes: names.iter().filter_map(|name| nobody(&users, name)).collect(),
        index: standing(search)?,
    };
    metrics::searched(began.elapsed());
    tell(Reply::Found(Box::new(line)))?;
    Ok(shown.rows.said()?)
}

/// The numbers of all messages that a query finds, of whomever they are, as the archive is now. Waits a moment for the
/// index where that is behind.
///
/// # Errors
/// The query cannot be understood, or the index does not have all of the archive.
pub fn all_found(store: &Store, search: &Search, query: &str) -> Result<RoaringTreemap, Failure> {
    found_of(store, search, &Archives::All, query, None)
}

/// The same of those that these archives have, or one user of them.
pub fn found_of(
    store: &Store,
    search: &Search,
    archives: &Archives,
    query: &str,
    of: Option<&str>,
) -> Result<RoaringTreemap, Failure> {
    let of = of.map(|name| find_user(store, archives, name)).transpose()?;
    let query = understood(query)?;
    let wanted = store.last_group()?.map_or(GroupNumber(0), |(number, _)| number);
    let patience = Patience::of(TAKES_UP);
    let index = loop {
        let index = index(search)?;
        let reach = index.reach()?.and_then(|reach| reach.mark(&store.id()));
        if reach.is_some_and(|mark| mark.group >= wanted) {
            index.reload()?;
            break index;
        }
        if !patience.again_here() {
            let error = "the search index does not have all of the archive yet: `dropkeep index` says how far it is";
            return Err(Failure::new(Exit::Errors, error));
        }
    };
    let users = match names(&query).is_empty() {
        true => Vec::new(),
        false => users(store, archives)?,
    };
    let wanted = Wanted {
        users: &users,
        of: of.map(|(user, ..)| user),
        ..Wanted::all(&query, archives, clock::now())
    };
    Ok(search.sound(&index, || find_all(&index.view()?, &wanted))?)
}

fn understood(query: &str) -> Result<Query, Failure> {
    parse(query)
        .map_err(|error: QueryError| Failure::usage(format!("cannot understand the query: {}", error.in_words(query))))
}

/// The index as it is now. Whoever follows the archive may only just have started, and is waited for.
fn index(search: &Search) -> Result<Index, Failure> {
    let patience = Patience::of(TAKES_UP);
    loop {
        match search.index() {
            Ok(Some(index)) => return Ok(index),
            Err(error) if !error.is_damage() => return Err(error.into()),
            _ => {}
        }
        let standing = standing(search)?;
        if standing.state != Stage::Waiting.as_str() || !patience.again_here() {
            return Err(none(&standing));
        }
    }
}

fn none(index: &IndexLine) -> Failure {
    match index.state.as_str() {
        "off" => Failure::usage("there is no search index: `enabled` in [search] is false")
            .for_that(Wrong::from(Code::IndexOff)),
        "building" => Failure::new(
            Exit::Errors,
            format!(
                "the search index is made anew, and has {} of {} messages: try again later",
                index.documents, index.messages
            ),
        )
        .for_that(Wrong::new(Code::IndexBuilding, &[&index.documents, &index.messages])),
        "failing" => Failure::new(
            Exit::Errors,
            format!("there is no search index: {}", index.why.as_deref().unwrap_or_default()),
        )
        .for_that(Wrong::new(
            Code::IndexFailing,
            &[&index.why.as_deref().unwrap_or_default()],
        )),
        _ => Failure::new(
            Exit::Errors,
            "there is no search index yet: `dropkeep index rebuild` makes it, and so does `dropkeep serve`",
        )
        .for_that(Wrong::from(Code::IndexMissing)),
    }
}

fn standing(search: &Search) -> Result<IndexLine, SearchError> {
    search.standing().map(IndexLine::from)
}

/// The users that a query names.
fn names(query: &Query) -> Vec<String> {
    let mut names = Vec::new();
    query.each(&mut |criterion, _| {
        if let Criterion::User(name) = criterion {
            names.push(name.clone());
        }
    });
    names
}

fn users(store: &Store, archives: &Archives) -> Result<Vec<(UserId, User)>, StoreError> {
    let users = readable(store, archives)?.into_iter();
    Ok(users.map(|(id, user, _)| (id, user)).collect())
}

/// That nobody has a name, or nobody whose mail whoever asks may read: these are one.
fn nobody(users: &[(UserId, User)], name: &str) -> Option<String> {
    if !named(users, name).is_empty() {
        return None;
    }
    let known = users.iter().map(|(_, user)| user.name.as_str());
    let near = nearest(name, known.filter(|known| *known != CATCHALL));
    let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Some(format!("no user is named {name:?}{near}"))
}

fn facets(facets: Facets) -> FacetsLine {
    fn counted<T: ToString>((name, messages): (T, u64)) -> Counted {
        Counted {
            name: name.to_string(),
            messages,
        }
    }
    FacetsLine {
        users: facets.users.into_iter().map(counted).collect(),
        years: facets.years.into_iter().map(counted).collect(),
        senders: facets.senders.into_iter().map(counted).collect(),
    }
}

/// Says of messages what is shown of them.
struct Shown<'s> {
    rows: Rows<'s>,
    /// The words that are marked, where stretches of text are wanted.
    marks: Option<Marks>,
    /// Bytes that may still be read for them.
    may_read: u64,
}

impl Shown<'_> {
    /// The line of a message; `None` of one that is damaged.
    fn line(&mut self, hit: &Hit, row: Option<Listed>, readable: Readable) -> Result<Option<HitLine>, StoreError> {
        let Readable { message, users, more } = readable;
        let id = hit.id;
        let attachments = row.as_ref().map_or(0, |row| row.attachments);
        let Some(summary) = self.rows.said_of(id, &message, row, false)? else {
            return Ok(None);
        };
        let snippet = match &self.marks {
            Some(marks) => {
                let whole = message.size <= READ.min(self.may_read);
                self.may_read = self.may_read.saturating_sub(message.size.min(READ));
                let retrieval: &mut Retrieval = self.rows.retrieval();
                let bytes = match whole {
                    true => retrieval.raw(id, &message),
                    false => retrieval.beginning(id, &message, BEGINNING),
                };
                let Some(bytes) = self.rows.kept(id, bytes)? else {
                    return Ok(None);
                };
                Some(marks.snippet(&extract::body(&bytes)))
            }
            None => None,
        };
        Ok(Some(HitLine {
            id,
            cursor: hit.cursor().to_string(),
            date: view::time(message.date),
            archived_at: view::time(message.archived_at),
            from: summary.from,
            to: summary.to,
            subject: summary.subject,
            size: message.size,
            attachments,
            users,
            more_users: more,
            sha256: view::hex(message.sha256),
            marks: snippet
                .iter()
                .flat_map(|snippet| &snippet.marks)
                .map(|mark| [mark.start, mark.end])
                .collect(),
            snippet: snippet.map(|snippet| snippet.text),
            score: hit.score,
            unread: Vec::new(),
        }))
    }
}
