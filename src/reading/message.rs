//! One message: its bytes, and how people read it.

use std::{
    io::{self, Write},
    ops::ControlFlow,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    safe_html::safe,
    tell::{End, Tell},
    view,
};
use crate::{
    access::Archives,
    api::{Code, Failure, Reply, ShownJournal, ShownUser, Wrong},
    archive::{Message, MessageId, Retrieval, Store, StoreError, give_back},
    formats::names_out,
    held::{Held, Holding},
    identify::{Header, JournalReport, Layout, Summary, undeclared},
};

/// Bytes of a message in one line.
const STRETCH: usize = 48 << 10;
/// Users of a message that are shown.
const SHOWN_USERS: usize = 10_000;
/// Journal reports of a message that are shown, and bytes of each one's envelope.
const SHOWN_JOURNALS: usize = 100;
const SHOWN_ENVELOPE: usize = 64 << 10;

/// Bytes that are worth giving back to the system.
const LARGE: usize = 1 << 20;
/// Bytes of messages that are held whole at once, by all who ask.
static HELD: Held = Held::new(64 << 20);

/// What is wanted of a message that is shown.
#[derive(Clone, Copy)]
pub struct How {
    pub envelopes: bool,
    pub full: bool,
    pub images: bool,
}

/// Message `id`, where one of `archives` has it.
///
/// # Errors
/// There is none, or none that these archives have, which is answered alike; or the store cannot be read.
pub fn message(store: &Store, archives: &Archives, id: MessageId) -> Result<Message, Failure> {
    let message = store.message_for(archives, id)?;
    message.ok_or_else(|| {
        let wrong = Wrong::new(Code::NoMessage, &[&id]);
        Failure::unknown(format!("there is no message {id}; `list` shows the ids")).for_that(wrong)
    })
}

pub fn raw(store: &Store, archives: &Archives, id: MessageId, named: bool, tell: &mut Tell) -> Result<(), End> {
    let message = message(store, archives, id)?;
    let mut stretches = Stretches::new(tell);
    let mut is_named = !named;
    Retrieval::new(store).stream(id, &message, &mut |piece| {
        if !std::mem::replace(&mut is_named, true) {
            let path = names_out::eml(message.date, &Summary::of(piece).subject, id);
            // Without its folders.
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            if stretches.say(Reply::FileName(name)).is_break() {
                return ControlFlow::Break(());
            }
        }
        stretches.add(piece)
    })?;
    stretches.end()
}

/// What part `number` of a message holds, without its transfer encoding. The parts are counted from 1 on.
pub fn part(store: &Store, archives: &Archives, id: MessageId, number: usize, tell: &mut Tell) -> Result<(), End> {
    let message = message(store, archives, id)?;
    let held = Held::take(&HELD, message.size);
    let bytes = Retrieval::new(store).raw(id, &message)?;
    let layout = Layout::read(&bytes);
    let Some(part) = number.checked_sub(1).and_then(|number| layout.parts.get(number)) else {
        return Err(Failure::unknown(format!("message {id} has no part {number}; `show {id}` lists them")).into());
    };
    tell(Reply::Part(view::part(part, &bytes)))?;
    let mut decoding = part.decoding(&bytes);
    // Whoever takes it slowly takes no memory.
    let_go(held, bytes);
    let mut stretches = Stretches::new(tell);
    Retrieval::new(store).stream(id, &message, &mut |piece| {
        for piece in piece.chunks(STRETCH) {
            let more = stretches.add(&decoding.push(piece));
            if more.is_break() || decoding.is_behind() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    stretches.end()
}

/// Lets go of a message that was held; of one that is large, the allocator keeps nothing either.
fn let_go(held: Holding<&Held>, bytes: Vec<u8>) {
    let is_large = bytes.len() > LARGE;
    drop((bytes, held));
    if is_large {
        give_back();
    }
}

/// Tells bytes in stretches of about the same length.
pub struct Stretches<'t, 'f> {
    tell: &'t mut Tell<'f>,
    pending: Vec<u8>,
    ended: Option<End>,
}

/// What is written is told. Nothing fails once nobody takes it any more: it is for whoever writes to ask.
impl Write for Stretches<'_, '_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let _ = self.add(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'t, 'f> Stretches<'t, 'f> {
    pub fn new(tell: &'t mut Tell<'f>) -> Self {
        Self {
            tell,
            pending: Vec::with_capacity(STRETCH),
            ended: None,
        }
    }

    pub fn add(&mut self, mut piece: &[u8]) -> ControlFlow<()> {
        while self.pending.len() + piece.len() >= STRETCH && self.ended.is_none() {
            let (now, rest) = piece.split_at(STRETCH - self.pending.len());
            self.pending.extend_from_slice(now);
            piece = rest;
            self.tell();
        }
        if self.ended.is_some() {
            return ControlFlow::Break(());
        }
        self.pending.extend_from_slice(piece);
        ControlFlow::Continue(())
    }

    /// Says something else than bytes, behind those that were added.
    fn say(&mut self, reply: Reply) -> ControlFlow<()> {
        self.tell();
        if self.ended.is_none() {
            self.ended = (self.tell)(reply).err();
        }
        match self.ended {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn tell(&mut self) {
        if !self.pending.is_empty() {
            self.ended = (self.tell)(Reply::Bytes(STANDARD.encode(&self.pending))).err();
            self.pending.clear();
        }
    }

    /// Whether nobody takes it any more.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    pub fn end(mut self) -> Result<(), End> {
        if self.ended.is_none() {
            self.tell();
        }
        self.ended.map_or(Ok(()), Err)
    }
}

pub fn show(store: &Store, archives: &Archives, id: MessageId, how: How, tell: &mut Tell) -> Result<(), End> {
    let message = message(store, archives, id)?;
    let mut retrieval = Retrieval::new(store);
    let held = Held::take(&HELD, message.size);
    let bytes = retrieval.raw(id, &message)?;
    let mut shown = view::shown(id, &message, &bytes);
    if how.full {
        let (text, page, parts) = view::full(&bytes);
        (shown.text, shown.text_is_cut) = text;
        shown.html = page.map(|page| safe(&page, parts));
        if how.images {
            shown.images = view::images(&shown, &bytes);
        }
    }
    let_go(held, bytes);
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
    if *archives == Archives::All {
        each_journal(store, id, how.envelopes, &mut |journal| {
            shown.journals.push(journal);
            Ok(())
        })?;
    }
    tell(Reply::Shown(Box::new(shown)))
}

/// The journal reports in which a message came.
pub fn journals(store: &Store, archives: &Archives, id: MessageId, tell: &mut Tell) -> Result<(), End> {
    message(store, archives, id)?;
    each_journal(store, id, true, &mut |journal| tell(Reply::Journal(Box::new(journal))))
}

fn each_journal(
    store: &Store,
    id: MessageId,
    envelopes: bool,
    each: &mut dyn FnMut(ShownJournal) -> Result<(), End>,
) -> Result<(), End> {
    for (report, journal, row) in store.journals(id, MessageId(0), SHOWN_JOURNALS)? {
        let envelope = if envelopes {
            envelope(store, report, &row)?
        } else {
            None
        };
        each(ShownJournal {
            id: report,
            archived_at: view::time(journal.archived_at),
            run: journal.run,
            size: row.size,
            sha256: view::hex(row.sha256),
            envelope,
        })?;
    }
    Ok(())
}

fn envelope(store: &Store, report: MessageId, row: &Message) -> Result<Option<String>, StoreError> {
    let _held = Held::take(&HELD, row.size);
    let bytes = Retrieval::new(store).raw(report, row)?;
    let report = JournalReport::read(&bytes, &Header::scan(&bytes));
    Ok(report.map(|report| undeclared(&report.envelope[..report.envelope.len().min(SHOWN_ENVELOPE)], None)))
}
