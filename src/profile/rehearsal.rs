//! A rehearsal of a run, `archive --dry-run`: goes through the whole source and counts for whom each copy would be,
//! from the headers alone where they say it. Nothing is stored, and nothing changes on the server.

use std::{
    collections::{BTreeMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    collect_error::{CollectError, unless_cancelled},
    exclude::{Exclude, notice_of_all},
    run,
    run_error::RunError,
    survey::AMBIGUOUS,
    survey::may_not_be_read,
    tally::{Tally, UnknownAddress},
    windows::{HEADER_BYTES, SIZES, WINDOW_BYTES, windows},
    would_delete::Kept,
};
use crate::{
    api::Exit,
    clock,
    config::{ConfigError, DeleteWhen, Family, Profile},
    identify::{Found, Header, Identified, Mail, Reported, Rules},
    report::{CopyError, DeletedCopy, RunState, by_hand},
    route::Directory,
    source::{Announced, CopyRef, Fetched, Listing, Session, SourceError, Steps, Unfetched, UnfetchedWhy, Want},
    token::{Login, LoginError, TokenError},
};

/// What a rehearsal found, as `archive --dry-run --json` prints it.
#[derive(Serialize, Debug)]
pub struct Rehearsal {
    pub profile: String,
    pub dry_run: bool,
    pub state: RunState,
    /// Copies looked at, those too large and those that failed included.
    pub seen: u64,
    pub users: BTreeMap<String, u64>,
    pub unknown: u64,
    pub skipped: u64,
    pub excluded: u64,
    pub too_large: u64,
    pub failed: u64,
    /// Most frequent first.
    pub unknown_addresses: Vec<UnknownAddress>,
    /// Unknown addresses beyond those listed.
    pub unknown_addresses_omitted: u64,
    /// The messages in which each of those is named, added up.
    pub unknown_addresses_omitted_messages: u64,
    /// Addresses for which no user would be made, as `create_limit` would be reached.
    pub users_not_created: u64,
    pub journal_reports: u64,
    pub untrusted_reports: u64,
    pub unreadable_reports: u64,
    /// Copies that the next run would delete on the server.
    pub would_delete: u64,
    /// The first of them.
    pub would_delete_copies: Vec<DeletedCopy>,
    pub folders: Vec<RehearsedFolder>,
    pub notices: Vec<String>,
    pub errors: Vec<CopyError>,
    pub errors_omitted: u64,
    #[serde(skip)]
    pub exit: Exit,
}

/// Copies that would be deleted, and are listed.
const MOST_GOING: usize = 1000;

#[derive(Serialize, Debug)]
pub struct RehearsedFolder {
    pub name: String,
    /// Copies that stand in it.
    pub copies: u64,
}

/// Told after each copy: how many were looked at, of how many that are known of.
pub type Watch<'w> = &'w (dyn Fn(u64, u64) + Sync);

/// Rehearses a run of `profile` with these users. What was counted until the connection was lost, or `cancel` said to
/// end, is given all the same.
///
/// # Errors
/// The profile's password cannot be read, or what a token is asked for with.
pub async fn rehearse(
    profile: &Profile,
    login: &Login,
    directory: Directory,
    max_message_size: u64,
    kept: Option<&Kept>,
    cancel: &CancellationToken,
    watch: Watch<'_>,
) -> Result<Rehearsal, ConfigError> {
    let mut work = Work {
        profile,
        rules: Rules::new(&profile.recipients, &profile.server.username),
        max_message_size,
        kept,
        exclude: Exclude::new(&profile.exclude, clock::now().as_second()),
        excluded: 0,
        going: Vec::new(),
        cancel,
        watch,
        tally: Tally::new(directory, &profile.recipients, &profile.server.username),
        folders: Vec::new(),
        refused: Vec::new(),
        notices: Vec::new(),
        expected: 0,
        missing: Vec::new(),
    };
    let mut steps = Steps::default();
    let connected = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        connected = login.connect(&mut steps) => Some(connected),
    };
    let result = match connected {
        None => Err(RunError::Interrupted),
        Some(Ok(session)) => work.through_folders(session).await,
        Some(Err(LoginError::Config(error) | LoginError::Token(TokenError::Config(error)))) => return Err(error),
        Some(Err(LoginError::Source(error))) => Err(RunError::Unreachable(error)),
        Some(Err(error)) => Err(error.into()),
    };
    Ok(work.finish(result))
}

struct Work<'p> {
    profile: &'p Profile,
    rules: Rules,
    /// Bytes; a run leaves larger messages on the server.
    max_message_size: u64,
    /// The archive, where copies are deleted after archiving.
    kept: Option<&'p Kept>,
    exclude: Exclude,
    excluded: u64,
    /// Copies that would be deleted.
    going: Vec<DeletedCopy>,
    cancel: &'p CancellationToken,
    watch: Watch<'p>,
    tally: Tally,
    folders: Vec<RehearsedFolder>,
    /// Folders that could not be read through.
    refused: Vec<CopyError>,
    notices: Vec<String>,
    expected: u64,
    /// Asked for in the folder that is open, and not answered.
    missing: Vec<(CopyRef, &'static str)>,
}

impl Work<'_> {
    async fn through_folders(&mut self, mut session: Session) -> Result<(), RunError> {
        if !session.can_fetch_headers() {
            let notice = "the server cannot send headers alone (it has no TOP), so whole messages are fetched";
            self.notices.push(notice.into());
        }
        let names = unless_cancelled(self.cancel, session.folders(&self.profile.folders)).await?;
        self.note_unclear(&mut session, "");
        for name in names {
            let gone_through = self.folder(&mut session, &name).await;
            for (copy, why) in std::mem::take(&mut self.missing) {
                self.tally.failed(&name, &copy, "fetch", why);
            }
            match gone_through {
                Err(CollectError::Source(error))
                    if error.is_denial() && !self.profile.folders.include.contains(&name) =>
                {
                    self.notices.push(may_not_be_read(&name, &error));
                }
                Err(error) if error.session_is_usable() => {
                    let advice = error.what_to_do();
                    self.refused
                        .push(CopyError::new(name, "", "folder", error).with_advice(advice));
                }
                gone_through => gone_through?,
            }
        }
        // QUIT is when a POP3 server does what it has to do: marks what was read as seen, or deletes it where it is set
        // up so. A session that ends without never comes to that (RFC 1939, 6).
        if self.profile.server.access.family() == Family::Imap
            && let Err(error) = session.close().await
        {
            tracing::debug!(%error, "the session did not end cleanly");
        }
        Ok(())
    }

    /// Tells what was left out of what was listed.
    fn note_unclear(&mut self, session: &mut Session, folder: &str) {
        if let Some(error) = session.take_unclear() {
            self.refused.push(CopyError::new(folder, "", "folder", error));
        }
    }

    fn name_ambiguous(&mut self, folder: &str, listing: &Listing) {
        if let Listing::Uids { ambiguous, .. } = listing {
            for uid in ambiguous {
                self.tally.failed(folder, &CopyRef::Uid(uid), "fetch", AMBIGUOUS);
            }
        }
    }

    async fn folder(&mut self, session: &mut Session, folder: &str) -> Result<(), CollectError> {
        let opened = unless_cancelled(self.cancel, session.open(folder)).await?;
        let listing = unless_cancelled(self.cancel, session.listing()).await?;
        self.name_ambiguous(folder, &listing);
        let copies = listing.len();
        self.folders.push(RehearsedFolder {
            name: folder.to_owned(),
            copies,
        });
        if let Some(kept) = self.kept {
            let going = kept.would_delete(self.profile, session, &opened, &listing, clock::now());
            self.going.extend(going.await?);
        }
        self.expected += copies;
        (self.watch)(self.tally.seen, self.expected);
        for chunk in listing.chunks(SIZES) {
            let announced = unless_cancelled(self.cancel, session.sizes(&chunk, self.exclude.needs_facts())).await?;
            if announced.len() < chunk.len() {
                let answered: HashSet<&CopyRef> = announced.iter().map(|one| &one.copy).collect();
                let silent = chunk.iter().filter(|copy| !answered.contains(copy)).cloned();
                self.missing
                    .extend(silent.map(|copy| (copy, "the server does not say its size")));
            }
            let mut fitting = self.put_aside_too_large(folder, announced);
            let before = fitting.len();
            fitting.retain(|one| !self.exclude.applies(one));
            self.excluded += (before - fitting.len()) as u64;
            let whole = if session.can_fetch_headers() {
                let mut whole = Vec::new();
                for window in windows(fitting, WINDOW_BYTES, |one| one.size.min(HEADER_BYTES)) {
                    whole.extend(self.fetch(session, folder, window, Want::Header).await?);
                }
                whole
            } else {
                fitting
            };
            for window in windows(whole, WINDOW_BYTES, |one| one.size) {
                self.fetch(session, folder, window, Want::Whole).await?;
            }
        }
        self.find_missing(session, folder).await
    }

    fn put_aside_too_large(&mut self, folder: &str, announced: Vec<Announced>) -> Vec<Announced> {
        let most = self.max_message_size;
        let (fitting, too_large): (Vec<_>, Vec<_>) = announced.into_iter().partition(|one| one.size <= most);
        for Announced { copy, size, .. } in too_large {
            let error = format!("{size} bytes exceed max_message_size ({most} bytes); it would stay where it is");
            self.tally.too_large(folder, &copy, error);
        }
        fitting
    }

    /// Fetches a window, each copy by itself where the server refuses it. Of headers, gives those copies that have to
    /// be fetched whole.
    async fn fetch(
        &mut self,
        session: &mut Session,
        folder: &str,
        window: Vec<Announced>,
        want: Want,
    ) -> Result<Vec<Announced>, CollectError> {
        let mut whole = HashSet::new();
        let (left, fetched) = self.fetch_once(session, &window, want, &mut whole).await;
        let unfetched = match fetched {
            Ok(unfetched) => unfetched,
            Err(error) if error.session_is_usable() => self.one_by_one(session, left, want, &mut whole).await?,
            Err(error) => return Err(error),
        };
        for Unfetched { copy, why } in unfetched {
            match why {
                UnfetchedWhy::NotAnswered => self.missing.push((copy, "the server did not send it")),
                UnfetchedWhy::NoBody => self.missing.push((copy, "the server sent no body (NIL)")),
                // That says nothing yet about the whole message.
                UnfetchedWhy::Refused(_) if want == Want::Header => drop(whole.insert(copy)),
                UnfetchedWhy::NotUnderstood(line) => {
                    let error = format!("the server's answer cannot be read: {line}");
                    self.tally.failed(folder, &copy, "fetch", error);
                }
                UnfetchedWhy::Refused(words) => {
                    let error = format!("the server refused it: {words}");
                    self.tally.failed(folder, &copy, "fetch", error);
                }
                UnfetchedWhy::Unreadable(words) => self.tally.failed(folder, &copy, "read", words),
                UnfetchedWhy::NoMail(words) => self.tally.failed(folder, &copy, "format", words),
            }
        }
        Ok(window.into_iter().filter(|one| whole.contains(&one.copy)).collect())
    }

    async fn one_by_one(
        &mut self,
        session: &mut Session,
        copies: Vec<Announced>,
        want: Want,
        whole: &mut HashSet<CopyRef>,
    ) -> Result<Vec<Unfetched>, CollectError> {
        let mut unfetched = Vec::new();
        for one in copies {
            let (_, fetched) = self.fetch_once(session, std::slice::from_ref(&one), want, whole).await;
            match fetched {
                Ok(more) => unfetched.extend(more),
                Err(error) if error.session_is_usable() => {
                    let words = match error {
                        CollectError::Source(SourceError::Refused { words, .. }) => words,
                        other => other.to_string(),
                    };
                    let why = UnfetchedWhy::Refused(words);
                    unfetched.push(Unfetched { copy: one.copy, why });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(unfetched)
    }

    /// One fetch; what comes is counted at once, but for the headers of what has to be fetched whole. On error also
    /// gives what of the window did not come.
    async fn fetch_once(
        &mut self,
        session: &mut Session,
        window: &[Announced],
        want: Want,
        whole: &mut HashSet<CopyRef>,
    ) -> (Vec<Announced>, Result<Vec<Unfetched>, CollectError>) {
        let mut came = HashSet::new();
        let (rules, tally, watch, expected) = (&self.rules, &mut self.tally, self.watch, self.expected);
        let (exclude, excluded) = (&self.exclude, &mut self.excluded);
        let mut sink = |Fetched {
                            copy,
                            bytes,
                            internal_date,
                            aside: _,
                        }: Fetched| {
            came.insert(copy.clone());
            if !exclude.is_empty() && exclude.applies_to(&Header::scan(&bytes), internal_date) {
                *excluded += 1;
                return;
            }
            let read = || match want {
                Want::Header => by_header(rules, &Header::scan(&bytes)),
                Want::Whole => {
                    let identified = Identified::new(bytes.clone(), internal_date, rules);
                    Some((identified.found, identified.journal.reported()))
                }
            };
            let read = || {
                let (found, reported) = read()?;
                Some((tally.looked_through(found, rules, &bytes), reported))
            };
            let read = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
                tracing::error!(%copy, "reading a message panicked; a run would keep it unread");
                Some((Found::default(), Reported::No))
            });
            match read {
                Some((found, reported)) => {
                    tally.copy(&found, reported, &bytes);
                    watch(tally.seen, expected);
                }
                None => drop(whole.insert(copy)),
            }
        };
        let fetched = unless_cancelled(self.cancel, session.fetch(window, want, &mut sink)).await;
        let left = match fetched {
            Ok(_) => Vec::new(),
            Err(_) => window.iter().filter(|one| !came.contains(&one.copy)).cloned().collect(),
        };
        (left, fetched)
    }

    /// What is gone meanwhile is not counted; what stands there and was not given out has failed.
    async fn find_missing(&mut self, session: &mut Session, folder: &str) -> Result<(), CollectError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let listing = unless_cancelled(self.cancel, session.listing()).await?;
        let missing = std::mem::take(&mut self.missing);
        let standing = listing.among(&missing.iter().map(|(copy, _)| copy.clone()).collect());
        for (copy, why) in missing.into_iter().filter(|(copy, _)| standing.contains(copy)) {
            self.tally.failed(folder, &copy, "fetch", why);
        }
        Ok(())
    }

    fn finish(mut self, result: Result<(), RunError>) -> Rehearsal {
        let state = match &result {
            Err(error) => error.state(),
            Ok(()) if self.tally.failed > 0 || !self.refused.is_empty() => RunState::CompletedWithErrors,
            Ok(()) => RunState::Completed,
        };
        self.notices.extend(self.tally.notices(self.profile));
        let seen = self.tally.seen + self.excluded;
        self.notices
            .extend(notice_of_all(&self.profile.exclude, seen, self.excluded));
        if self.profile.delete.when == DeleteWhen::Archived && self.profile.delete.after.is_none() {
            let notice = "[profile.delete] has no `after`, so a run also deletes what it archives itself; \
                would_delete counts only copies archived before";
            self.notices.push(notice.into());
        }
        let (unknown_addresses, omitted) = self.tally.unknown_addresses();
        let mut found = std::mem::take(&mut self.tally.errors);
        found.append(&mut self.refused);
        match &result {
            Ok(()) | Err(RunError::Interrupted) => {}
            Err(error) => {
                let advice = Some(error.what_to_do());
                found.push(CopyError::new("", "", error.stage(), error).with_advice(advice));
            }
        }
        let mut errors = Vec::with_capacity(found.len());
        for mut error in found {
            error.advise(&errors);
            error.what_to_do = by_hand(&error.what_to_do);
            errors.push(error);
        }
        let tally = self.tally;
        let users_not_created = tally.not_made();
        Rehearsal {
            profile: self.profile.name.clone(),
            dry_run: true,
            state,
            seen: tally.seen + self.excluded,
            users: tally.users,
            unknown: tally.unknown,
            skipped: tally.skipped,
            excluded: self.excluded,
            too_large: tally.too_large,
            failed: tally.failed,
            unknown_addresses,
            unknown_addresses_omitted: omitted.addresses,
            unknown_addresses_omitted_messages: omitted.messages,
            users_not_created,
            journal_reports: tally.journal_reports,
            untrusted_reports: tally.untrusted_reports,
            unreadable_reports: tally.unreadable_reports,
            would_delete: self.going.len() as u64,
            would_delete_copies: {
                self.going.truncate(MOST_GOING);
                self.going
            },
            folders: self.folders,
            notices: self.notices,
            errors,
            errors_omitted: tally.errors_omitted,
            exit: run::exit(state, &result),
        }
    }
}

/// What a header alone says; `None` where it takes the body.
fn by_header(rules: &Rules, header: &Header) -> Option<(Found, Reported)> {
    if rules.need_body(header) {
        return None;
    }
    Some((rules.find(&Mail::plain(header)), Reported::by_header(header)))
}
