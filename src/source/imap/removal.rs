//! Deleting and moving copies of the opened folder.
//!
//! Mail is evidence, so when in doubt nothing is deleted: what is \Flagged stays, nothing is expunged but what was
//! asked for, and what is gone is what neither a search nor FETCH finds any longer. A mark \Deleted that a lost session
//! leaves behind does no harm: the next removal of that copy takes it as its own.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    ImapSession,
    answer::{Answer, FetchLine, StatusText},
    listing::{PER_MESSAGE, UidSet, uid_sets},
    names, uid,
};
use crate::source::{CopyRef, Disposition, Kept, Removal, Removed, SourceError};

/// Copies that go through all steps together. So a lost session leaves no more than these half done.
const AT_ONCE: usize = 500;

const SEARCH: &str = "SEARCH";
const STORE: &str = "STORE";
const EXPUNGE: &str = "EXPUNGE";
const MOVE: &str = "MOVE";
const COPY: &str = "COPY";

enum Fate {
    Gone,
    Kept(Kept),
}

type Fates = BTreeMap<u32, Fate>;

/// What this server lets us do. Names of folders are quoted.
enum Way {
    /// UID EXPUNGE (RFC 4315).
    Expunge,
    /// EXPUNGE, which takes all that is marked.
    ExpungeAlone,
    /// UID MOVE (RFC 6851).
    Move(String),
    CopyAndExpunge(String),
}

impl ImapSession {
    pub(in crate::source) fn has_uidplus(&self) -> bool {
        self.offers("UIDPLUS")
    }

    /// Removes copies of the folder that was opened for it.
    ///
    /// # Errors
    /// Nothing was removed where the server refuses ([`SourceError::Refused`]). Where the session is lost, earlier
    /// batches may be gone, and up to [`AT_ONCE`] copies marked \Deleted.
    pub(in crate::source) async fn remove(
        &mut self,
        copies: &[CopyRef],
        how: Removal<'_>,
    ) -> Result<Removed, SourceError> {
        let way = self.way(how)?;
        let uids: BTreeSet<u32> = copies.iter().filter_map(uid).collect();
        let uids: Vec<u32> = uids.into_iter().collect();
        let mut fates = Fates::new();
        for batch in uids.chunks(AT_ONCE) {
            let refusal = match self.remove_batch(batch, &way, &mut fates).await {
                Ok(None) => continue,
                Ok(Some(refusal)) | Err(refusal @ (SourceError::Refused { .. } | SourceError::Unclear { .. })) => {
                    refusal
                }
                Err(error) => return Err(error),
            };
            if !fates.values().any(|fate| matches!(fate, Fate::Gone)) {
                return Err(refusal);
            }
            for uid in &uids {
                fates
                    .entry(*uid)
                    .or_insert_with(|| Fate::Kept(Kept::Refused(words(&refusal))));
            }
            break;
        }
        Ok(told(copies, fates))
    }

    fn way(&self, how: Removal<'_>) -> Result<Way, SourceError> {
        let Some(opened) = &self.writable else {
            return Err(refused(STORE, "no folder is open for it"));
        };
        let folder = match how {
            Removal::Delete if self.has_uidplus() => return Ok(Way::Expunge),
            Removal::Delete => return Ok(Way::ExpungeAlone),
            Removal::Move(folder) => folder,
        };
        if folder == opened {
            return Err(refused(MOVE, "the folder to move to is the one to move from"));
        }
        let Some(target) = names::quoted(&self.raw_name(folder)) else {
            return Err(refused(MOVE, "a folder name with a line end in it cannot be sent"));
        };
        match (self.offers(MOVE), self.has_uidplus()) {
            (true, _) => Ok(Way::Move(target)),
            (false, true) => Ok(Way::CopyAndExpunge(target)),
            (false, false) => Err(refused(
                MOVE,
                "it offers neither MOVE nor UIDPLUS, without which messages cannot be moved safely",
            )),
        }
    }

    /// Takes some copies through all steps. Returns the refusal that ended it early, if one did.
    async fn remove_batch(
        &mut self,
        batch: &[u32],
        way: &Way,
        fates: &mut Fates,
    ) -> Result<Option<SourceError>, SourceError> {
        let standing = self.among(batch, "").await?;
        let flagged = self.among(batch, " FLAGGED").await?;
        for uid in batch {
            if !standing.contains(uid) {
                fates.insert(*uid, Fate::Kept(Kept::Vanished));
            } else if flagged.contains(uid) {
                fates.insert(*uid, Fate::Kept(Kept::Flagged));
            }
        }
        let mut ours: Vec<u32> = standing.difference(&flagged).copied().collect();
        if ours.is_empty() {
            return Ok(None);
        }
        let done = match way {
            Way::Expunge => self.delete(&ours, true, fates).await,
            Way::ExpungeAlone => self.delete(&ours, false, fates).await,
            Way::Move(target) => self.transfer(MOVE, &ours, target).await.map(|_| ()),
            Way::CopyAndExpunge(target) => match self.transfer(COPY, &ours, target).await {
                Ok(copied) => {
                    let not_copied = ours.extract_if(.., |uid| !copied.contains(uid));
                    let kept = Kept::Refused("the server did not copy it".to_owned());
                    fates.extend(not_copied.map(|uid| (uid, Fate::Kept(kept.clone()))));
                    self.delete(&ours, true, fates).await
                }
                Err(error) => Err(error),
            },
        };
        let refusal = match done {
            Ok(()) => None,
            Err(refusal @ (SourceError::Refused { .. } | SourceError::Unclear { .. })) => Some(refusal),
            Err(error) => return Err(error),
        };
        // What a refused command did halfway is found too.
        let open: Vec<u32> = ours.into_iter().filter(|uid| !fates.contains_key(uid)).collect();
        let left = match self.among(&open, "").await {
            Err(SourceError::Refused { .. }) => {
                let mut left = BTreeSet::new();
                for set in uid_sets(&open) {
                    left.extend(self.by_flags(set, "").await?);
                }
                left
            }
            left => left?,
        };
        for uid in open {
            let fate = match (left.contains(&uid), &refusal) {
                (false, _) => Fate::Gone,
                (true, None) => Fate::Kept(Kept::Standing),
                (true, Some(refusal)) => Fate::Kept(Kept::Refused(words(refusal))),
            };
            fates.insert(uid, fate);
        }
        Ok(refusal)
    }

    /// Marks and expunges. Those that are to be kept after all get their fate.
    ///
    /// # Errors
    /// Our marks are taken back where the session goes on; else the error says that they may be there.
    async fn delete(&mut self, ours: &[u32], by_uid: bool, fates: &mut Fates) -> Result<(), SourceError> {
        // What somebody else marked stays marked, whatever comes.
        let before = self.among(ours, " DELETED").await?;
        let marked: Vec<u32> = ours.iter().copied().filter(|uid| !before.contains(uid)).collect();
        let done = self.mark_and_expunge(ours, &marked, by_uid, fates).await;
        let failed = match done {
            // Where some stand all the same, their marks go.
            Ok(()) => None,
            Err(error) if error.disposition() == Disposition::Report => Some(error),
            Err(error) => return Err(with_marks(error)),
        };
        let left: Vec<u32> = self
            .among(&marked, " DELETED")
            .await
            .map_err(with_marks)?
            .into_iter()
            .collect();
        match (self.unmark(&left).await, failed) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(failed)) => Err(failed),
            (Err(error), _) => Err(with_marks(error)),
        }
    }

    async fn mark_and_expunge(
        &mut self,
        ours: &[u32],
        marked: &[u32],
        by_uid: bool,
        fates: &mut Fates,
    ) -> Result<(), SourceError> {
        let mut flagged = self.mark(ours).await?;
        flagged.retain(|uid| ours.binary_search(uid).is_ok());
        let unmarked: Vec<u32> = flagged
            .iter()
            .copied()
            .filter(|uid| marked.binary_search(uid).is_ok())
            .collect();
        self.unmark(&unmarked).await?;
        fates.extend(flagged.iter().map(|uid| (*uid, Fate::Kept(Kept::Flagged))));
        let ours: Vec<u32> = ours.iter().copied().filter(|uid| !flagged.contains(uid)).collect();
        if ours.is_empty() {
            return Ok(());
        }
        let allowance = self.dialogue.small();
        if by_uid {
            for set in uid_sets(&ours) {
                let line = format!("UID EXPUNGE {}", set.text);
                self.dialogue
                    .command(EXPUNGE, &line, allowance, &mut |_| Ok(()))
                    .await?;
            }
            return Ok(());
        }
        let mut deleted = BTreeSet::new();
        // Ours are marked, so it finds some.
        let answered = self.found("UID SEARCH DELETED", &mut deleted).await?;
        if !answered {
            return Err(self.dialogue.unclear(SEARCH, "it does not find what was just marked"));
        }
        if !deleted.iter().eq(&ours) {
            fates.extend(ours.iter().map(|uid| (*uid, Fate::Kept(Kept::NotAlone))));
            return Ok(());
        }
        self.dialogue
            .command(EXPUNGE, EXPUNGE, allowance, &mut |_| Ok(()))
            .await?;
        Ok(())
    }

    /// Marks copies as \Deleted, and returns those that turn out to be \Flagged.
    async fn mark(&mut self, uids: &[u32]) -> Result<BTreeSet<u32>, SourceError> {
        let mut flagged = BTreeSet::new();
        let mut silent: BTreeSet<u32> = uids.iter().copied().collect();
        let mut on = |answer| {
            if let Answer::Fetch(FetchLine {
                uid: Some(uid),
                flags: Some(flags),
                ..
            }) = answer
            {
                silent.remove(&uid);
                if flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Flagged")) {
                    flagged.insert(uid);
                }
            }
            Ok(())
        };
        self.store("+FLAGS", uids, &mut on).await?;
        // Servers need not answer with the flags of each.
        let silent: Vec<u32> = silent.into_iter().collect();
        for set in uid_sets(&silent) {
            flagged.extend(self.by_flags(set, " FLAGGED").await?);
        }
        Ok(flagged)
    }

    async fn unmark(&mut self, uids: &[u32]) -> Result<(), SourceError> {
        self.store("-FLAGS", uids, &mut |_| Ok(())).await
    }

    async fn store(
        &mut self,
        change: &str,
        uids: &[u32],
        on: super::dialogue::OnAnswer<'_>,
    ) -> Result<(), SourceError> {
        for set in uid_sets(uids) {
            // Keywords may make an answer long.
            let allowance = self.dialogue.small() + 8 * PER_MESSAGE * set.uids.len() as u64;
            let line = format!("UID STORE {} {change} (\\Deleted)", set.text);
            self.dialogue.command(STORE, &line, allowance, on).await?;
        }
        Ok(())
    }

    /// Moves or copies, and returns what the server says it took. The folder is made where that is all that is missing.
    async fn transfer(&mut self, command: &str, uids: &[u32], target: &str) -> Result<HashSet<u32>, SourceError> {
        let allowance = self.dialogue.small() + PER_MESSAGE * uids.len() as u64;
        let mut taken = HashSet::new();
        for set in uid_sets(uids) {
            let line = format!("UID {command} {} {target}", set.text);
            let mut sent = self.dialogue.command(command, &line, allowance, &mut |_| Ok(())).await;
            if matches!(&sent, Err(SourceError::Refused { words, .. }) if words.starts_with("[TRYCREATE]")) {
                let create = format!("CREATE {target}");
                self.dialogue
                    .command("CREATE", &create, allowance, &mut |_| Ok(()))
                    .await?;
                sent = self.dialogue.command(command, &line, allowance, &mut |_| Ok(())).await;
            }
            match sent? {
                _ if self.dialogue.is_odd() => {
                    return Err(self.dialogue.unclear(command, "it does not say which messages it took"));
                }
                StatusText {
                    copied: Some(copied), ..
                } => {
                    let copied = |uid: &&u32| copied.iter().any(|range| range.contains(*uid));
                    taken.extend(set.uids.iter().filter(copied));
                }
                // A server may not say which (RFC 4315, 3, UIDNOTSTICKY); its OK means all of them (RFC 9051, 6.4.7).
                _ => taken.extend(set.uids),
            }
        }
        Ok(taken)
    }

    /// Which of these UIDs, ascending, stand in the folder and meet a further criterion.
    async fn among(&mut self, uids: &[u32], criterion: &str) -> Result<BTreeSet<u32>, SourceError> {
        let mut found = BTreeSet::new();
        for set in uid_sets(uids) {
            let line = format!("UID SEARCH UID {}{criterion}", set.text);
            if !self.found(&line, &mut found).await? {
                found.extend(self.by_flags(set, criterion).await?);
            } else if criterion.is_empty() {
                // A search may leave some out, and what it does not find would pass for gone.
                let left_out: Vec<u32> = set.uids.iter().copied().filter(|uid| !found.contains(uid)).collect();
                for set in uid_sets(&left_out) {
                    found.extend(self.by_flags(set, criterion).await?);
                }
            }
        }
        match found.iter().all(|uid| uids.binary_search(uid).is_ok()) {
            true => Ok(found),
            false => Err(not_understood("it finds messages that were not asked for")),
        }
    }

    /// What [`among`](Self::among) asks for, by the flags of each. Some servers answer a search that finds nothing with
    /// OK alone (iCloud), which a search that failed must not pass for.
    async fn by_flags(&mut self, set: UidSet<'_>, criterion: &str) -> Result<Vec<u32>, SourceError> {
        const FETCH: &str = "FETCH of flags";
        let mut known: BTreeMap<u32, Option<Vec<String>>> = BTreeMap::new();
        let mut on = |answer| {
            if let Answer::Fetch(FetchLine {
                uid: Some(uid), flags, ..
            }) = answer
                && set.uids.contains(&uid)
            {
                let before = known.entry(uid).or_default();
                if let Some(flags) = flags {
                    before.get_or_insert_default().extend(flags);
                }
            }
            Ok(())
        };
        let allowance = self.dialogue.small() + 8 * PER_MESSAGE * set.uids.len() as u64;
        let line = format!("UID FETCH {} (UID FLAGS)", set.text);
        self.dialogue.command(FETCH, &line, allowance, &mut on).await?;
        let wanted = match criterion.trim() {
            "" => return Ok(known.into_keys().collect()),
            flag => format!("\\{flag}"),
        };
        let mut found = Vec::new();
        for (uid, flags) in known {
            let flags = flags.ok_or_else(|| {
                self.dialogue
                    .unclear(FETCH, &format!("the flags of UID {uid} are not in it"))
            })?;
            if flags.iter().any(|flag| flag.eq_ignore_ascii_case(&wanted)) {
                found.push(uid);
            }
        }
        Ok(found)
    }

    /// Adds what a search finds. False where it was answered with OK alone.
    async fn found(&mut self, line: &str, found: &mut BTreeSet<u32>) -> Result<bool, SourceError> {
        let mut answered = false;
        let mut on = |answer| {
            if let Answer::Search(uids) = answer {
                answered = true;
                found.extend(uids);
            }
            Ok(())
        };
        let allowance = self.dialogue.small() + PER_MESSAGE * AT_ONCE as u64;
        self.dialogue.command(SEARCH, line, allowance, &mut on).await?;
        Ok(answered)
    }
}

/// What became of each copy, in the order asked.
fn told(copies: &[CopyRef], mut fates: Fates) -> Removed {
    let mut removed = Removed::default();
    for copy in copies {
        let fate = match uid(copy) {
            // One that was asked for twice is told once.
            Some(uid) => fates.remove(&uid),
            None => Some(Fate::Kept(Kept::Refused("it is not in an IMAP folder".to_owned()))),
        };
        match fate {
            Some(Fate::Gone) => removed.gone.push(copy.clone()),
            Some(Fate::Kept(kept)) => removed.kept.push((copy.clone(), kept)),
            None => {}
        }
    }
    removed
}

/// The error of a session that ended between the marks and their removal.
fn with_marks(error: SourceError) -> SourceError {
    const MARKS: &str = "some copies may still be marked \\Deleted, the next removal takes them up";
    match error {
        SourceError::Lost { command, words } => SourceError::Lost {
            command,
            words: format!("{words}; {MARKS}"),
        },
        SourceError::Refused { command, words } => SourceError::Refused {
            command,
            words: format!("{words}; {MARKS}"),
        },
        SourceError::Protocol { command, detail } => SourceError::Protocol {
            command,
            detail: format!("{detail}; {MARKS}"),
        },
        SourceError::Unclear { command, detail } => SourceError::Unclear {
            command,
            detail: format!("{detail}; {MARKS}"),
        },
        SourceError::Timeout {
            host,
            during,
            after,
            step,
        } => SourceError::Timeout {
            host,
            during: format!("{during} ({MARKS})"),
            after,
            step,
        },
        error => error,
    }
}

fn words(refusal: &SourceError) -> String {
    match refusal {
        SourceError::Refused { words, .. } => words.clone(),
        other => other.to_string(),
    }
}

fn refused(command: &str, words: &str) -> SourceError {
    SourceError::Refused {
        command: command.to_owned(),
        words: words.to_owned(),
    }
}

fn not_understood(detail: &str) -> SourceError {
    SourceError::Protocol {
        command: SEARCH.to_owned(),
        detail: detail.to_owned(),
    }
}
