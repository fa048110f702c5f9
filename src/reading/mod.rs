//! Answers that the store alone can give. Blocking: for a thread that may wait for the disk.

use std::ops::ControlFlow;

use base64::{Engine, engine::general_purpose::STANDARD};

mod list;
pub mod view;

use crate::{
    api::{Failure, Reply, Request, ShownJournal, ShownUser, UserLine},
    archive::{Message, Retrieval, Store, Usage, UserId},
    identify::{Header, Report, undeclared},
    message::{Address, CATCHALL},
    report::{Run, RunFilter},
};

/// Where replies go; `Break` when nobody reads them any more.
pub type Emit<'e> = dyn FnMut(Reply) -> ControlFlow<()> + 'e;

/// Protocols read at once.
const RUNS: usize = 100;
/// Bytes of a message in one line.
const STRETCH: usize = 48 << 10;

/// Journal reports of a message that are shown, and bytes of each one's envelope.
const SHOWN_JOURNALS: usize = 100;
/// Users of a message that are shown.
const SHOWN_USERS: usize = 10_000;
const SHOWN_ENVELOPE: usize = 64 << 10;

/// Why reading ended early.
pub(super) enum End {
    Failed(Failure),
    NobodyReads,
}

impl<E: Into<Failure>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Answers `request` from the store.
///
/// # Errors
/// It names what there is not, or the store cannot be read.
pub fn answer(store: &Store, request: &Request, emit: &mut Emit) -> Result<(), Failure> {
    let mut tell = |reply| match emit(reply) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(End::NobodyReads),
    };
    let answered = match request {
        Request::Protocols { newest, filter } => protocols(store, *newest, filter, &mut tell),
        Request::Protocol { run } => protocol(store, *run, &mut tell),
        Request::Users => users(store, &mut tell),
        Request::List { user, newest, filter } => list::list(store, user.as_deref(), *newest, filter, &mut tell),
        Request::Raw { id } => raw(store, *id, &mut tell),
        Request::Show { id, journal } => show(store, *id, *journal, &mut tell),
        _ => Err(Failure::usage("this request needs a running appliance").into()),
    };
    match answered {
        Ok(()) | Err(End::NobodyReads) => Ok(()),
        Err(End::Failed(failure)) => Err(failure),
    }
}

pub(super) type Tell<'t> = dyn FnMut(Reply) -> Result<(), End> + 't;

fn protocols(store: &Store, newest: Option<usize>, filter: &RunFilter, tell: &mut Tell) -> Result<(), End> {
    let mut left = newest.unwrap_or(usize::MAX);
    let mut before = None;
    while left > 0 {
        let page = store.runs_where(filter, before, left.min(RUNS))?;
        left -= page.runs.len();
        for (number, json) in page.runs {
            tell(Reply::Run(Box::new(parse_run(number, &json)?)))?;
        }
        if page.before.is_none() {
            break;
        }
        before = page.before;
    }
    Ok(())
}

fn protocol(store: &Store, run: u64, tell: &mut Tell) -> Result<(), End> {
    let Some(json) = store.run(run)? else {
        let why = match store.was_run(run)? {
            true => format!(
                "the protocol of run {run} was removed: it is older than [protocols] keeps them (keep, keep_idle)"
            ),
            false => format!("there is no run {run}"),
        };
        return Err(Failure::usage(why).into());
    };
    tell(Reply::Run(Box::new(parse_run(run, &json)?)))
}

fn parse_run(run: u64, json: &str) -> Result<Run, Failure> {
    let damaged = |error| crate::archive::StoreError::Damaged {
        detail: format!("the protocol of run {run}: {error}"),
    };
    serde_json::from_str(json).map_err(damaged).map_err(Failure::from)
}

fn users(store: &Store, tell: &mut Tell) -> Result<(), End> {
    for (_, user, usage) in store.users()? {
        tell(Reply::User(UserLine {
            name: user.name,
            addresses: user.addresses,
            managed: user.managed,
            retired: user.retired,
            messages: usage.messages,
            bytes: usage.bytes,
        }))?;
    }
    Ok(())
}

/// The user of this name, and what the archive holds; of several of one name the one who is not retired.
///
/// # Errors
/// There is none; the nearest name is given.
pub fn find_user(store: &Store, name: &str) -> Result<(UserId, String, Usage), Failure> {
    let users = store.users()?;
    let named = users.iter().filter(|(_, user, _)| user.name == name);
    if let Some((id, _, usage)) = named.min_by_key(|(_, user, _)| user.retired) {
        return Ok((*id, name.to_owned(), *usage));
    }
    // An address says it as well, where it is one user's; of a retired user and another, it is the other's.
    if let Some(address) = Address::parse(name) {
        let having = |retired| {
            let has = users.iter().filter(move |(_, user, _)| user.retired == retired);
            let has: Vec<_> = has.filter(|(_, user, _)| user.addresses.contains(&address)).collect();
            has
        };
        let active = having(false);
        let having = if active.is_empty() { having(true) } else { active };
        if let [(id, user, usage)] = having.as_slice() {
            return Ok((*id, user.name.clone(), *usage));
        }
    }
    let (retired, active): (Vec<_>, Vec<_>) = users.iter().partition(|(_, user, _)| user.retired);
    let mut names = [active, retired].map(|users| users.into_iter().map(|(_, user, _)| user.name.as_str()));
    let nearest = names.iter_mut().find_map(|names| {
        let names = names.filter(|known| *known != CATCHALL);
        crate::config::nearest(name, names)
    });
    Err(no_user(name, nearest.as_deref().into_iter()))
}

/// That nobody has this name, and whose is the nearest of those that are `known`.
pub fn no_user<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Failure {
    let known = known.filter(|known| *known != CATCHALL);
    let hint = crate::config::nearest(name, known).map(|near| format!("; did you mean {near:?}?"));
    Failure::usage(format!("no user is named {name:?}{}", hint.unwrap_or_default()))
}

fn message(store: &Store, id: u64) -> Result<Message, End> {
    Ok(store
        .message(id)?
        .ok_or_else(|| Failure::usage(format!("there is no message {id}; `list` shows the ids")))?)
}

fn raw(store: &Store, id: u64, tell: &mut Tell) -> Result<(), End> {
    let bytes = Retrieval::new(store).raw(id, &message(store, id)?)?;
    bytes
        .chunks(STRETCH)
        .try_for_each(|stretch| tell(Reply::Bytes(STANDARD.encode(stretch))))
}

fn show(store: &Store, id: u64, journal: bool, tell: &mut Tell) -> Result<(), End> {
    let message = message(store, id)?;
    let mut retrieval = Retrieval::new(store);
    let bytes = retrieval.raw(id, &message)?;
    let mut shown = view::shown(id, &message, &bytes);
    drop(bytes);
    let filings = store.filings_of(id, &message)?;
    if filings.len() > SHOWN_USERS {
        let more = filings.len() - SHOWN_USERS;
        shown
            .notes
            .push(format!("{more} more users have it; `explain {id}` lists them all"));
    }
    for (user, filing) in filings.into_iter().take(SHOWN_USERS) {
        shown.users.push(ShownUser {
            user: user.name,
            folder: store.folder(filing.folder)?.unwrap_or_default(),
            why: filing.why.as_str().to_owned(),
            archived_at: view::time(filing.archived_at),
            run: filing.run,
        });
    }
    for (report, journal_row, row) in store.journals(id, 0, SHOWN_JOURNALS)? {
        let envelope = match journal {
            true => {
                let bytes = retrieval.raw(report, &row)?;
                let report = Report::read(&bytes, &Header::scan(&bytes));
                report.map(|report| undeclared(&report.envelope[..report.envelope.len().min(SHOWN_ENVELOPE)], None))
            }
            false => None,
        };
        shown.journals.push(ShownJournal {
            id: report,
            archived_at: view::time(journal_row.archived_at),
            run: journal_row.run,
            size: row.size,
            sha256: view::hex(&row.sha256),
            envelope,
        });
    }
    tell(Reply::Shown(Box::new(shown)))
}
