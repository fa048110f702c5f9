//! One message: its bytes, and how people read it.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    tell::{End, Tell},
    view,
};
use crate::{
    access::Archives,
    api::{Failure, Reply, ShownJournal, ShownUser},
    archive::{Message, MessageId, Retrieval, Store},
    identify::{Header, JournalReport, undeclared},
};

/// Bytes of a message in one line.
const STRETCH: usize = 48 << 10;
/// Users of a message that are shown.
const SHOWN_USERS: usize = 10_000;
/// Journal reports of a message that are shown, and bytes of each one's envelope.
const SHOWN_JOURNALS: usize = 100;
const SHOWN_ENVELOPE: usize = 64 << 10;

/// Message `id`, where one of `archives` has it.
///
/// # Errors
/// There is none, or none that these archives have, which is answered alike; or the store cannot be read.
pub fn message(store: &Store, archives: &Archives, id: MessageId) -> Result<Message, Failure> {
    let message = store.message_for(archives, id)?;
    message.ok_or_else(|| Failure::usage(format!("there is no message {id}; `list` shows the ids")))
}

pub fn raw(store: &Store, archives: &Archives, id: MessageId, tell: &mut Tell) -> Result<(), End> {
    let bytes = Retrieval::new(store).raw(id, &message(store, archives, id)?)?;
    bytes
        .chunks(STRETCH)
        .try_for_each(|stretch| tell(Reply::Bytes(STANDARD.encode(stretch))))
}

pub fn show(store: &Store, archives: &Archives, id: MessageId, journal: bool, tell: &mut Tell) -> Result<(), End> {
    let message = message(store, archives, id)?;
    let mut retrieval = Retrieval::new(store);
    let bytes = retrieval.raw(id, &message)?;
    let mut shown = view::shown(id, &message, &bytes);
    drop(bytes);
    let filings = store.filings_for(archives, id, &message)?;
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
    // They say who else got the message, in Bcc too.
    let journals = match archives {
        Archives::All => store.journals(id, MessageId(0), SHOWN_JOURNALS)?,
        Archives::Of(_) => Vec::new(),
    };
    for (report, journal_row, row) in journals {
        let envelope = match journal {
            true => {
                let bytes = retrieval.raw(report, &row)?;
                let report = JournalReport::read(&bytes, &Header::scan(&bytes));
                report.map(|report| undeclared(&report.envelope[..report.envelope.len().min(SHOWN_ENVELOPE)], None))
            }
            false => None,
        };
        shown.journals.push(ShownJournal {
            id: report,
            archived_at: view::time(journal_row.archived_at),
            run: journal_row.run,
            size: row.size,
            sha256: view::hex(row.sha256),
            envelope,
        });
    }
    tell(Reply::Shown(Box::new(shown)))
}
