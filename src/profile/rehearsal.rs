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
    fetcher::{Fetcher, Missing},
    list_folder::{ambiguous, may_not_be_read},
    run,
    run_error::RunError,
    tally::{Tally, UnknownAddress, by_header},
    windows::{HEADER_BYTES, SIZES, WINDOW_BYTES, windows},
    would_delete::{DoneHere, Kept},
};
use crate::{
    api::Exit,
    clock,
    config::{ConfigError, DeleteWhen, Family, Profile},
    identify::{Found, Header, Identified, Reported, Rules},
    report::{CopyError, Counts, DeletedCopy, Outcome, ReportCounts, RunState},
    route::Directory,
    said::{Said, Saying, said},
    source::{Announced, CopyRef, Fetched, Listing, Session, SourceError, Steps, Unfetched, Want},
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
    /// Those of them that the archive has already.
    pub archived_before: u64,
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
    #[serde(flatten)]
    pub reports: ReportCounts,
    /// Copies that the next run would delete on the server.
    pub would_delete: u64,
    /// The first of them.
    pub would_delete_copies: Vec<DeletedCopy>,
    pub folders: Vec<RehearsedFolder>,
    pub notices: Vec<Said>,
    /// Which sentences those are, for whoever words them in another language.
    pub notices_said: Vec<Saying>,
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

/// How far a rehearsal is: copies looked at, how many there are as far as is known, and for whom those looked at are.
pub struct SoFar<'t> {
    pub done: u64,
    pub expected: u64,
    pub users: &'t BTreeMap<String, u64>,
}

/// Called after each copy.
pub type HowFar<'w> = &'w (dyn Fn(SoFar<'_>) + Sync);

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
    watch: HowFar<'_>,
) -> Result<Rehearsal, ConfigError> {
    let mut rehearsing = Rehearsing {
        profile,
        rules: Rules::new(&profile.recipients, &profile.server.username),
        max_message_size,
        kept,
        exclude: Exclude::new(&profile.exclude, clock::now().as_second()),
        going: Vec::new(),
        archived_before: 0,
        cancel,
        watch,
        tally: Tally::new(directory, &profile.recipients, &profile.server.username),
        folders: Vec::new(),
        refused: Vec::new(),
        notices: Vec::new(),
        expected: 0,
    };
    let mut steps = Steps::default();
    let connected = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        connected = login.connect(&mut steps) => Some(connected),
    };
    let result = match connected {
        None => Err(RunError::Interrupted),
        Some(Ok(session)) => rehearsing.through_folders(session).await,
        Some(Err(LoginError::Config(error) | LoginError::Token(TokenError::Config(error)))) => return Err(error),
        Some(Err(LoginError::Source(error))) => Err(RunError::Unreachable(error)),
        Some(Err(error)) => Err(error.into()),
    };
    Ok(rehearsing.finish(result))
}

struct Rehearsing<'p> {
    profile: &'p Profile,
    rules: Rules,
    /// Bytes; a run leaves larger messages on the server.
    max_message_size: u64,
    /// The archive, where there is one.
    kept: Option<&'p Kept>,
    exclude: Exclude,
    /// Copies that would be deleted.
    going: Vec<DeletedCopy>,
    archived_before: u64,
    cancel: &'p CancellationToken,
    watch: HowFar<'p>,
    tally: Tally,
    folders: Vec<RehearsedFolder>,
    /// Folders that could not be read through.
    refused: Vec<CopyError>,
    notices: Vec<Said>,
    expected: u64,
}

impl Rehearsing<'_> {
    async fn through_folders(&mut self, mut session: Session) -> Result<(), RunError> {
        if !session.can_fetch_headers() {
            self.notices.push(said!(
                HeadersNotAlone,
                "the server cannot send headers alone (it has no TOP), so whole messages are fetched"
            ));
        }
        let names = unless_cancelled(self.cancel, session.folders(&self.profile.folders)).await?;
        self.note_unclear(&mut session, "");
        for name in names {
            let gone_through = self.folder(&mut session, &name).await;
            match gone_through {
                Err(CollectError::Source(error))
                    if error.is_denial(&name) && !self.profile.folders.include.contains(&name) =>
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
                self.tally
                    .failed(folder, &CopyRef::Uid(uid), "fetch", self::ambiguous());
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
        let mut done = None;
        if let Some(kept) = self.kept {
            done = kept.done(&opened, &listing)?;
            let going = kept.would_delete(self.profile, session, &opened, &listing, clock::now());
            self.going.extend(going.await?);
        }
        self.expected += copies;
        (self.watch)(SoFar {
            done: self.tally.counts.seen,
            expected: self.expected,
            users: &self.tally.users,
        });
        let mut here = FolderFetcher {
            rehearsing: self,
            folder,
            done,
            want: Want::Whole,
            whole: HashSet::new(),
            missing: Missing::new(),
        };
        let gone_through = here.through(session, &listing).await;
        for (copy, why) in std::mem::take(&mut here.missing) {
            here.failed(copy, "fetch", why);
        }
        gone_through
    }

    fn finish(mut self, result: Result<(), RunError>) -> Rehearsal {
        let state = match &result {
            Err(error) => error.state(),
            Ok(()) if self.tally.counts.failed > 0 || !self.refused.is_empty() => RunState::CompletedWithErrors,
            Ok(()) => RunState::Completed,
        };
        self.notices.extend(self.tally.notices(self.profile));
        let Counts { seen, excluded, .. } = self.tally.counts;
        self.notices
            .extend(notice_of_all(&self.profile.exclude, seen, excluded));
        if self.profile.delete.when == DeleteWhen::Archived && self.profile.delete.after.is_none() {
            self.notices.push(said!(
                WouldDeleteMore,
                "[profile.delete] has no `after`, so a run also deletes what it archives itself; would_delete counts only \
                 copies archived before"
            ));
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
            errors.push(error.by_hand());
        }
        let tally = self.tally;
        let users_not_created = tally.not_made();
        Rehearsal {
            profile: self.profile.name.clone(),
            dry_run: true,
            state,
            seen: tally.counts.seen,
            archived_before: self.archived_before,
            users: tally.users,
            unknown: tally.counts.unknown,
            skipped: tally.counts.skipped,
            excluded: tally.counts.excluded,
            too_large: tally.counts.too_large,
            failed: tally.counts.failed,
            unknown_addresses,
            unknown_addresses_omitted: omitted.addresses,
            unknown_addresses_omitted_messages: omitted.messages,
            users_not_created,
            reports: tally.reports,
            would_delete: self.going.len() as u64,
            would_delete_copies: {
                self.going.truncate(MOST_GOING);
                self.going
            },
            folders: self.folders,
            notices_said: Saying::all(&self.notices),
            notices: self.notices,
            errors,
            errors_omitted: tally.errors_omitted,
            exit: run::exit(state, &result),
        }
    }
}

/// Goes through one folder.
struct FolderFetcher<'w, 'p> {
    rehearsing: &'w mut Rehearsing<'p>,
    folder: &'w str,
    /// The copies in it that are archived already.
    done: Option<DoneHere>,
    want: Want,
    /// Copies of which the header does not say enough.
    whole: HashSet<CopyRef>,
    missing: Missing,
}

impl FolderFetcher<'_, '_> {
    async fn through(&mut self, session: &mut Session, listing: &Listing) -> Result<(), CollectError> {
        for chunk in listing.chunks(SIZES) {
            let announced = self.sizes_of(session, &chunk).await?;
            let mut left = self.put_aside(announced);
            if session.can_fetch_headers() {
                self.want = Want::Header;
                for window in windows(std::mem::take(&mut left), WINDOW_BYTES, |one| {
                    one.size.min(HEADER_BYTES)
                }) {
                    self.fetch(session, &window).await?;
                    left.extend(window.into_iter().filter(|one| self.whole.remove(&one.copy)));
                }
            }
            self.want = Want::Whole;
            for window in windows(left, WINDOW_BYTES, |one| one.size) {
                self.fetch(session, &window).await?;
            }
        }
        self.find_missing(session).await
    }

    /// Puts aside what is too large, or excluded by what the server says of it.
    fn put_aside(&mut self, mut announced: Vec<Announced>) -> Vec<Announced> {
        let Rehearsing {
            max_message_size: most,
            exclude,
            tally,
            ..
        } = &mut *self.rehearsing;
        announced.retain(|one| {
            if one.size > *most {
                let error = said!(
                    WouldBeTooLarge,
                    "{0} bytes exceed max_message_size ({1} bytes); it would stay where it is",
                    one.size,
                    *most
                );
                tally.too_large(self.folder, &one.copy, error);
                return false;
            }
            let is_excluded = exclude.applies(one);
            if is_excluded {
                tally.counts.count(Outcome::Excluded);
            }
            !is_excluded
        });
        announced
    }
}

impl Fetcher for FolderFetcher<'_, '_> {
    fn cancel(&self) -> CancellationToken {
        self.rehearsing.cancel.clone()
    }

    async fn ask_sizes(&mut self, session: &mut Session, copies: &[CopyRef]) -> Result<Vec<Announced>, CollectError> {
        let facts = self.rehearsing.exclude.needs_facts();
        unless_cancelled(self.rehearsing.cancel, session.sizes(copies, facts)).await
    }

    /// What comes is counted at once, but for the headers of what has to be fetched whole.
    async fn fetch_once(
        &mut self,
        session: &mut Session,
        window: &[Announced],
    ) -> Result<Vec<Unfetched>, (CollectError, Vec<Announced>)> {
        let mut came = HashSet::new();
        let (want, whole, done) = (self.want, &mut self.whole, &self.done);
        let Rehearsing {
            archived_before,
            rules,
            exclude,
            tally,
            watch,
            expected,
            cancel,
            ..
        } = &mut *self.rehearsing;
        let mut sink = |fetched: Fetched| {
            let Fetched {
                copy,
                bytes,
                internal_date,
                aside: _,
            } = fetched;
            came.insert(copy.clone());
            if !exclude.is_empty() && exclude.applies_to(&Header::scan(&bytes), internal_date) {
                tally.counts.count(Outcome::Excluded);
                return;
            }
            let read = || {
                let (found, reported) = match want {
                    Want::Header => by_header(rules, &Header::scan(&bytes))?,
                    Want::Whole => {
                        let identified = Identified::new(bytes.clone(), internal_date, rules);
                        (identified.found, identified.journal.reported())
                    }
                };
                Some((tally.looked_through(found, rules, &bytes), reported))
            };
            let read = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
                tracing::error!(%copy, "reading a message panicked; a run would keep it unread");
                Some((Found::default(), Reported::No))
            });
            match read {
                Some((found, reported)) => {
                    *archived_before += u64::from(done.as_ref().is_some_and(|done| done.has(&copy)));
                    tally.copy(&found, reported, &bytes);
                    watch(SoFar {
                        done: tally.counts.seen,
                        expected: *expected,
                        users: &tally.users,
                    });
                }
                None => drop(whole.insert(copy)),
            }
        };
        let fetched = unless_cancelled(cancel, session.fetch(window, want, &mut sink)).await;
        let left = || window.iter().filter(|one| !came.contains(&one.copy)).cloned().collect();
        fetched.map_err(|error| (error, left()))
    }

    fn failed(&mut self, copy: CopyRef, stage: &'static str, error: Said) {
        self.rehearsing.tally.failed(self.folder, &copy, stage, error);
    }

    fn refused(&mut self, copy: CopyRef, error: Said) {
        match self.want {
            // That says nothing yet about the whole message.
            Want::Header => drop(self.whole.insert(copy)),
            Want::Whole => self.failed(copy, "fetch", error),
        }
    }

    /// What is gone meanwhile is not counted.
    fn gone(&mut self, _: CopyRef) {}

    fn unclear(&mut self, error: SourceError) {
        self.rehearsing
            .refused
            .push(CopyError::new(self.folder, "", "folder", error));
    }

    fn log(&self, words: &str) {
        tracing::warn!(profile = self.rehearsing.profile.name, folder = self.folder, "{words}");
    }

    fn missing(&mut self) -> &mut Missing {
        &mut self.missing
    }
}
