//! What a rehearsal counts: for whom each copy would be, and which addresses nobody has. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use serde::Serialize;

use super::{frequent::notice_of_unknown, heard::Heard, own::Own, strangers::MissingDomain};
use crate::{
    config::{self, Unknown},
    identify::{Found, Header, Mail, Reported, Rules, identity_of},
    message::Address,
    report::{CopyError, Counts, Heavy, Omitted, Outcome, ReportCounts, SIZE},
    route::{Directory, Known, Passed, Previewed, Routing, Rule, addressees, look_through, preview, twin},
    said::{Said, Say, said},
    source::CopyRef,
};

/// So many addresses are counted at a time. The counts are exact as long as there are no more.
const COUNTED: usize = 10_000;
/// So many unknown addresses are listed.
const MOST_TOLD: usize = 1_000;
/// So many errors of copies are listed.
const MOST_ERRORS: usize = 1_000;

/// An address that nobody has, and the copies that it is named in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownAddress {
    pub address: Address,
    pub copies: u64,
    /// It is at one of the profile's `local_domains`.
    pub local: bool,
    /// It is not, but at a domain that is perhaps missing there.
    pub candidate: bool,
    /// A retired user has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_user: Option<String>,
}

/// The counts so far, and what each further copy is judged by.
#[derive(Clone, Debug)]
pub struct Tally {
    directory: Directory,
    routing: Routing,
    /// A rehearsal does not know which copies are duplicates, so it counts none as archived.
    pub counts: Counts,
    pub reports: ReportCounts,
    pub users: BTreeMap<String, u64>,
    /// Users whom a run would make.
    pub created: u64,
    pub errors: Vec<CopyError>,
    pub errors_omitted: u64,
    unknown_addresses: Heavy<Address>,
    /// Users that a run may make.
    create_limit: u32,
    username: String,
    heard: Heard,
}

impl Tally {
    /// Judges by these users, and by the rules of a profile whose mailbox has this user name.
    pub fn new(directory: Directory, recipients: &config::Recipients, username: &str) -> Self {
        Self {
            directory,
            routing: Routing::new(recipients),
            counts: Counts::default(),
            reports: ReportCounts::default(),
            users: BTreeMap::new(),
            created: 0,
            errors: Vec::new(),
            errors_omitted: 0,
            unknown_addresses: Heavy::new(COUNTED),
            create_limit: recipients.create_limit,
            username: username.to_owned(),
            heard: Heard::default(),
        }
    }

    /// What was found in a copy, or its header, once all its addresses are looked up where it names very many.
    pub fn looked_through(&self, found: Found, rules: &Rules, fetched: &Bytes) -> Found {
        match found.more {
            0 => found,
            _ => look_through(&self.directory, &self.routing, rules, fetched),
        }
    }

    /// Counts a copy in which these addresses were found; `fetched` is all of it, or its header.
    pub fn copy(&mut self, found: &Found, reported: Reported, fetched: &[u8]) {
        self.counts.seen += 1;
        reported.count(&mut self.reports);
        self.heard.ends_with_envelope += u64::from(found.ends_with_envelope);
        let previewed = preview(&self.directory, &self.routing, found, &[]);
        let passed = self.passed(&previewed, fetched);
        self.create(&previewed);
        self.note_not_made(&previewed);
        self.counts.unknown += u64::from(previewed.unknown);
        self.counts.skipped += u64::from(previewed.users.is_empty());
        let unknown = self.unknown_in(&previewed);
        let username = &self.username;
        self.heard.unresolved.message(
            previewed.unresolved,
            &previewed.strangers,
            &passed,
            previewed.unknown,
            username,
        );
        unknown
            .into_iter()
            .for_each(|address| self.unknown_addresses.add(address, 1));
        // A user stands there once, whatever the number of addresses.
        for user in previewed.users {
            *self.users.entry(user.user).or_default() += 1;
        }
    }

    /// What To and Cc say of a copy in which no recipient is known.
    fn passed(&self, previewed: &Previewed, fetched: &[u8]) -> Passed {
        let header = Header::scan(fetched);
        let twin = twin(&identity_of(&fetched[..header.end]));
        if previewed.reached {
            return Passed::by(twin);
        }
        let plus = self.routing.plus_addressing;
        let addressees = match previewed.unresolved.is_empty() {
            true => Vec::new(),
            false => addressees(fetched),
        };
        Passed::over(twin, addressees, &previewed.unresolved, |address| {
            matches!(self.directory.look_up(address, plus), Known::Users(..))
        })
    }

    /// Counts a copy that is larger than a run takes.
    pub fn too_large(&mut self, folder: &str, copy: &CopyRef, error: Said) {
        self.counts.count(Outcome::TooLarge);
        self.error(folder, copy, SIZE, error);
    }

    /// Counts a copy that could not be looked at.
    pub fn failed(&mut self, folder: &str, copy: &CopyRef, stage: &str, error: impl Say) {
        self.counts.count(Outcome::Failed);
        self.error(folder, copy, stage, error.said());
    }

    fn error(&mut self, folder: &str, copy: &CopyRef, stage: &str, error: Said) {
        if self.errors.len() >= MOST_ERRORS {
            self.errors_omitted += 1;
            return;
        }
        self.errors.push(CopyError::new(folder, copy, stage, error));
    }

    /// Makes the users that the run would make, so that the next copies find them, and no more than a run may make.
    fn create(&mut self, previewed: &Previewed) {
        let made = previewed.users.iter().filter(|user| user.rule == Rule::Create);
        for address in made.filter_map(|user| user.address.as_ref()) {
            let plain = self.directory.plain(address, self.routing.plus_addressing);
            if let Some(newcomer) = self.directory.newcomer(&plain) {
                self.directory.put(self.directory.next_id(), newcomer);
                self.routing.create_limit = self.routing.create_limit.saturating_sub(1);
                self.created += 1;
            }
        }
    }

    /// The addresses to report of one copy, each once: those of ours, and where nobody known is named also the
    /// other recipients'.
    fn unknown_in(&self, previewed: &Previewed) -> HashSet<Address> {
        let mut unknown: HashSet<Address> = previewed.unknown_addresses.iter().cloned().collect();
        if !previewed.unknown {
            return unknown;
        }
        let plus = self.routing.plus_addressing;
        for address in &previewed.unresolved {
            let plain = self.directory.plain(address, plus);
            // Who was made for it just now has it.
            if self.directory.newcomer(&plain).is_some() || address.is_pattern() {
                unknown.insert(plain);
            }
        }
        unknown
    }

    /// The addresses that nobody has, most frequent first, and how many more there are.
    pub fn unknown_addresses(&self) -> (Vec<UnknownAddress>, Omitted) {
        let candidate = self.missing_domain().map(|missing| missing.domain);
        let all = self.unknown_addresses.most_frequent().into_iter().take(MOST_TOLD);
        let told = all.map(|(address, copies)| UnknownAddress {
            address: address.clone(),
            copies,
            local: self.routing.is_local(address),
            candidate: candidate.as_deref() == Some(address.domain()),
            retired_user: None,
        });
        let mut told: Vec<_> = told.collect();
        let at: HashMap<Address, usize> = told
            .iter()
            .enumerate()
            .map(|(at, one)| (one.address.clone(), at))
            .collect();
        for (_, user) in self.directory.iter().filter(|(_, user)| user.retired) {
            for at in user.addresses.iter().filter_map(|address| at.get(address)) {
                told[*at].retired_user = Some(user.name.clone());
            }
        }
        let named: u64 = told.iter().map(|one| one.copies).sum();
        let omitted = Omitted {
            addresses: self.unknown_addresses.things() - told.len() as u64,
            messages: self.unknown_addresses.named() - named,
        };
        (told, omitted)
    }

    fn missing_domain(&self) -> Option<MissingDomain> {
        self.heard
            .missing_domain(&self.username, &self.routing, Some(&self.directory))
    }

    /// Counts the addresses for which a run would make no user any more.
    fn note_not_made(&mut self, previewed: &Previewed) {
        if !matches!(self.routing.unknown, Unknown::Create) || self.routing.create_limit > 0 {
            return;
        }
        for address in &previewed.unknown_addresses {
            // A retired user's address gets nobody, whatever the limit; and who was made just now has theirs.
            if self.directory.look_up(address, false) == Known::No && !address.is_pattern() {
                self.heard.not_made.count(address, self.create_limit);
            }
        }
    }

    /// The addresses that look like the mailbox's own.
    pub fn own(&self) -> Own {
        self.heard.unresolved.own(&self.username)
    }

    pub fn has_users(&self) -> bool {
        !self.directory.is_empty()
    }

    /// The notices about mail that belongs to nobody.
    pub fn notice_of_unknown(&self, profile: &config::Profile) -> Option<Said> {
        notice_of_unknown(self.counts.judged(), self.counts.unknown, &self.own(), profile)
    }

    /// How many users a run would not make any more.
    pub fn not_made(&self) -> u64 {
        self.heard.not_made.addresses()
    }

    /// The notices about the counts as a whole.
    pub fn notices(&self, profile: &config::Profile) -> Vec<Said> {
        let (messages, unknown) = (self.counts.judged(), self.counts.unknown);
        let heard = self
            .heard
            .notices(messages, unknown, &self.reports, profile, Some(&self.directory));
        let made = (self.created > 0).then(|| said!(WouldMakeUsers, "{0} users would be made", self.created));
        made.into_iter().chain(heard).collect()
    }
}

/// What a header alone says; `None` where it takes the body.
pub(super) fn by_header(rules: &Rules, header: &Header) -> Option<(Found, Reported)> {
    if rules.need_body(header) {
        return None;
    }
    Some((rules.find(&Mail::plain(header)), Reported::by_header(header)))
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
