//! Searches: what the index finds, with what the store says of it. The index says which messages are looked at; whether
//! whoever asks may see one is asked of the store once more.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

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
    archive::{GroupNumber, Message, MessageId, Readable, Retrieval, Store, StoreError, User, UserId},
    clock,
    config::nearest,
    extract,
    identify::Listed,
    message::CATCHALL,
    patience::Patience,
    report::metrics,
    search::{
        Criterion, Facets, Hit, Index, Marks, Query, QueryError, Search, SearchError, Snippet, Stage, Wanted, each_of,
        find, find_all, named, parse, unread,
    },
};

/// Users of a message that are named.
const USERS: usize = 100;
/// Bytes of a message that is read for a stretch of its text, and of all of a page; of a longer one only the beginning.
const READ: u64 = 4 << 20;
const READ_OF_PAGE: u64 = 128 << 20;
const BEGINNING: usize = 256 << 10;
/// Messages of which a thread reads stretches of text before it takes others.
const TOGETHER: usize = 5;
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
    let mut rows = Rows::new(store);
    let mut ids: Vec<MessageId> = found.page.iter().map(|hit| hit.id).collect();
    ids.sort_unstable();
    let mut messages = store.messages_for(archives, &ids, USERS)?;
    let listed = store.listed(found.page.iter().map(|hit| hit.id))?;
    // What is damaged, or what the archive does not have for whoever asks, is not shown.
    let page = found.page.iter().zip(listed);
    let page: Vec<_> = page
        .filter_map(|(hit, row)| Some((hit, row, messages.remove(&hit.id)?)))
        .collect();
    let marks = Marks::of(&query);
    let mut snippets = match asked.snippets {
        true => snippets(
            store,
            &marks,
            page.iter().map(|(hit, _, readable)| (hit.id, &readable.message)),
        ),
        false => Vec::new(),
    }
    .into_iter();
    for (hit, row, readable) in page {
        if let Some(line) = line(&mut rows, hit, row, readable, snippets.next())? {
            let line = HitLine {
                unread: unread.remove(&hit.id).unwrap_or_default(),
                subject_marks: match asked.snippets {
                    true => pairs(&marks.of_subject(&line.subject)),
                    false => Vec::new(),
                },
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
    Ok(rows.said()?)
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

/// A stretch of the text of each message, with the words of the query. Each message stands in another block of the archive,
/// so that putting them together takes longer than finding them.
fn snippets<'m>(
    store: &Store,
    marks: &Marks,
    messages: impl Iterator<Item = (MessageId, &'m Message)>,
) -> Vec<Result<Snippet, StoreError>> {
    let mut may_read = READ_OF_PAGE;
    let messages: Vec<_> = messages
        .map(|(id, message)| {
            let is_whole = message.size <= READ.min(may_read);
            may_read = may_read.saturating_sub(message.size.min(READ));
            (id, message, is_whole)
        })
        .collect();
    let some: Vec<_> = messages.chunks(TOGETHER).collect();
    let made = each_of(&some, |some| {
        let mut retrieval = Retrieval::new(store);
        let snippet = |(id, message, is_whole): &(MessageId, &Message, bool)| {
            let bytes = match is_whole {
                true => retrieval.raw(*id, message),
                false => retrieval.beginning(*id, message, BEGINNING),
            };
            Ok(marks.snippet(&extract::body(&bytes?)))
        };
        some.iter().map(snippet).collect::<Vec<_>>()
    });
    made.into_iter().flatten().collect()
}

fn pairs(marks: &[Range<usize>]) -> Vec<[usize; 2]> {
    marks.iter().map(|mark| [mark.start, mark.end]).collect()
}

/// The line of a message; `None` of one that is damaged.
fn line(
    rows: &mut Rows,
    hit: &Hit,
    row: Option<Listed>,
    readable: Readable,
    snippet: Option<Result<Snippet, StoreError>>,
) -> Result<Option<HitLine>, StoreError> {
    let Readable { message, users, more } = readable;
    let id = hit.id;
    let attachments = row.as_ref().map_or(0, |row| row.attachments);
    let Some(summary) = rows.said_of(id, &message, row, false)? else {
        return Ok(None);
    };
    let Some(snippet) = rows.kept(id, snippet.transpose())? else {
        return Ok(None);
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
            .as_ref()
            .map(|snippet| pairs(&snippet.marks))
            .unwrap_or_default(),
        subject_marks: Vec::new(),
        snippet: snippet.map(|snippet| snippet.text),
        score: hit.score,
        unread: Vec::new(),
    }))
}
