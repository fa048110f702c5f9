//! What a profile's rules make of the newest messages: which step finds their recipients, which envelope fields count,
//! and what cannot be known of this mailbox. Pure.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;

use super::{
    evidence::by_frequency,
    mta::{Blind, Path, remedy},
    proposal::Proposal,
    swallowing::Swallower,
    tally::{Tally, by_header},
    tried::Tried,
};
use crate::{
    config::{self, Unknown},
    identify::{Header, Rules, Step},
    message::{Address, CATCHALL},
    route::Directory,
    said::{Said, Saying, said},
};

/// Of a hundred messages whose recipients To and Cc alone name, so many are worth a word where an envelope names the
/// others'.
const MANY: usize = 20;
/// Of so many messages one with an envelope shows nothing of the others.
const FEW: usize = 20;
/// Bytes of a header that are kept.
const LONGEST: usize = 64 << 10;

/// For whom the newest messages are, by the profile's rules.
pub struct Outlook<'p> {
    profile: &'p config::Profile,
    rules: Rules,
    tally: Tally,
    headers: Vec<Bytes>,
}

/// What rules make of the messages.
#[derive(Debug, Default)]
struct Made {
    /// How many messages each step decides; "" where none does.
    steps: BTreeMap<&'static str, usize>,
    without_received: usize,
    counting: BTreeMap<String, usize>,
    barred: BTreeMap<String, NotCounted>,
    /// The servers that wrote the newest fields, and whether no envelope names the recipients.
    paths: Vec<(Path, bool)>,
    blind: Blind,
}

/// An envelope field that stands where it does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCounted {
    pub messages: usize,
    pub why: &'static str,
}

/// How the recipients of the newest messages are found, as `dropkeep test --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Knowledge {
    /// Messages looked at, and by what each one's recipients are found: a journal report, an envelope field, `for` in a
    /// Received field, To and Cc alone, or nothing.
    pub messages: usize,
    pub journal: usize,
    pub envelope: usize,
    pub received: usize,
    pub addressees: usize,
    pub none: usize,
    /// Messages in which nobody known is named.
    pub unknown: u64,
    /// Messages without any Received field.
    pub without_received: usize,
    /// Whether recipients whom To and Cc do not name are known.
    pub bcc: Bcc,
    /// The server that wrote the newest Received field of those messages whose recipients are not known, as it seems.
    pub server: Option<Said>,
    /// How that server is made to write the recipients.
    pub remedy: Option<Said>,
    /// Which sentence that is, for whoever words it in another language.
    pub remedy_said: Option<Saying>,
    /// Of the profile's envelope fields, on how many messages each counts and names somebody.
    #[serde(skip)]
    pub counting: BTreeMap<String, usize>,
    /// On how many it stands and does not count, and why.
    #[serde(skip)]
    pub barred: BTreeMap<String, NotCounted>,
    /// Messages that have `for` in a Received field alone, by the rules that are proposed.
    #[serde(skip)]
    single: usize,
}

/// Whether recipients in Bcc are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bcc {
    Known,
    /// Of some messages.
    Some,
    Unknown,
}

/// Unknown addresses that are named.
const NAMED: usize = 3;

impl<'p> Outlook<'p> {
    pub fn new(profile: &'p config::Profile, directory: Directory) -> Self {
        let username = &profile.server.username;
        Self {
            profile,
            rules: Rules::new(&profile.recipients, username),
            tally: Tally::new(directory, &profile.recipients, username),
            headers: Vec::new(),
        }
    }

    /// Looks at one more message by its header.
    pub fn look(&mut self, bytes: &Bytes) {
        let header = Header::scan(bytes);
        self.headers
            .push(Bytes::copy_from_slice(&bytes[..bytes.len().min(LONGEST)]));
        // For whom a report is, its body says.
        let Some((found, reported)) = by_header(&self.rules, &header) else {
            return;
        };
        let found = self.tally.looked_through(found, &self.rules, bytes);
        self.tally.copy(&found, reported, bytes);
    }

    /// The addresses that swallow mail, as the mailbox's own do.
    pub fn swallowers(&self) -> Vec<Address> {
        let own = self.tally.own();
        own.swallowers
            .into_iter()
            .map(|Swallower { address, .. }| address)
            .collect()
    }

    /// Messages that a run would file for nobody known, or leave alone.
    fn nobodys(&self) -> u64 {
        match self.profile.recipients.unknown {
            Unknown::Skip => self.tally.counts.skipped,
            // Whom the administrator has said is known.
            Unknown::User(_) => 0,
            Unknown::Catchall | Unknown::Create => self.tally.users.get(CATCHALL).copied().unwrap_or_default(),
        }
    }

    /// What these rules make of the messages.
    fn made(&self, recipients: &config::Recipients) -> Made {
        let rules = Rules::new(recipients, &self.profile.server.username);
        let mut made = Made::default();
        let trusted = recipients.trusted_received;
        self.headers.iter().for_each(|bytes| made.by(&rules, trusted, bytes));
        made
    }

    /// For whom the messages would be by the profile's rules, or by those that are proposed.
    pub fn tried(&self, directory: &Directory, proposal: Option<&Proposal>) -> Tried {
        let ours = &self.profile.recipients;
        let rules = proposal.map_or_else(|| ours.clone(), |proposal| proposal.with_keys(ours));
        Tried::new(&rules, &self.profile.server.username, directory, &self.headers)
    }

    /// How the recipients are found by the profile's rules, with the mailbox's own addresses put right, and what the
    /// proposed rules mend.
    pub fn knowledge(&self, proposal: Option<&Proposal>) -> Knowledge {
        let ours = &self.profile.recipients;
        let proposed = proposal.map_or_else(|| ours.clone(), |proposal| proposal.applied(ours));
        let now = self.made(&config::Recipients {
            own_addresses: proposed.own_addresses.clone(),
            ..ours.clone()
        });
        let then = self.made(&proposed);
        let is_mended = then.bcc() == Bcc::Known;
        let path = (!is_mended).then(|| then.path());
        let remedy = path.map(|path| remedy(path, then.blind));
        Knowledge {
            messages: self.headers.len(),
            journal: now.of(Step::Journal),
            envelope: now.of(Step::Envelope),
            received: now.of(Step::Received),
            addressees: now.of(Step::Addressees),
            none: now.steps.get("").copied().unwrap_or_default(),
            unknown: self.tally.counts.unknown,
            without_received: now.without_received,
            bcc: now.bcc(),
            server: path.and_then(Path::named),
            remedy_said: remedy.as_ref().map(|remedy| remedy.saying().clone()),
            remedy,
            single: then.of(Step::Received),
            counting: now.counting,
            barred: now.barred,
        }
    }

    /// Why it cannot be said that the rules fit; none where they do as far as the messages show it.
    pub fn doubts(&self, knowledge: &Knowledge) -> Vec<Said> {
        let mut doubts = Vec::new();
        if self.headers.is_empty() {
            doubts.push(said!(
                NoneReadable,
                "no message could be read, so the rules could not be tried"
            ));
            return doubts;
        }
        let own = self.tally.own();
        let has_own = own.common.is_some() || !own.swallowers.is_empty();
        let nobodys = self.nobody_known().filter(|_| !has_own);
        let nobodys = nobodys.or_else(|| self.tally.notice_of_unknown(self.profile));
        let many = self.nobodys() * 2 > self.tally.counts.seen;
        doubts.extend(nobodys.or_else(|| self.some_unknown().filter(|_| many)));
        doubts.extend(knowledge.of_bcc().filter(|_| knowledge.is_doubtful()));
        doubts
    }

    /// What is said where some messages would be for nobody; `None` where that is already a doubt.
    pub fn remark(&self) -> Option<Said> {
        self.some_unknown()
            .filter(|_| self.nobodys() * 2 <= self.tally.counts.seen)
    }

    /// How many messages name no user, and whom they name most often.
    fn some_unknown(&self) -> Option<Said> {
        let (nobodys, seen) = (self.nobodys(), self.tally.counts.seen);
        if nobodys == 0 || nobodys >= seen {
            return None;
        }
        let named = self.tally.unknown_addresses().0.into_iter().take(NAMED);
        let named: Vec<_> = named.map(|one| format!("{} ({})", one.address, one.copies)).collect();
        Some(match named.is_empty() {
            true => said!(
                SomeNameNobody,
                "{0} of the newest {1} messages name no user",
                nobodys,
                seen
            ),
            false => said!(
                SomeNameNobodyOften,
                "{0} of the newest {1} messages name no user; most often {2}",
                nobodys,
                seen,
                named.join(", ")
            ),
        })
    }

    /// Where each message would be nobody's.
    fn nobody_known(&self) -> Option<Said> {
        let (nobodys, seen) = (self.nobodys(), self.tally.counts.seen);
        if seen == 0 || nobodys < seen {
            return None;
        }
        let becomes = match self.profile.recipients.unknown {
            Unknown::Skip => said!(WouldLeaveAll, "a run would leave all of them where they are"),
            _ => said!(WouldFileForCatchall, "a run would file all of them for @catchall"),
        };
        let users = match self.tally.has_users() {
            true => said!(AreAddressesComplete, "are the users' addresses complete?"),
            false => said!(NoUsersYet, "there are no users yet"),
        };
        Some(said!(
            NoneNamesUser,
            "none of the newest {0} messages names a known user; {1}: {2}",
            seen,
            becomes,
            users
        ))
    }
}

impl Knowledge {
    /// By what the recipients are found, in words.
    pub fn words(&self) -> String {
        let counts = [
            (self.journal, "by a journal report"),
            (self.envelope, "by an envelope field"),
            (self.received, "by `for` in a Received field"),
            (self.addressees, "by To and Cc alone"),
            (self.none, "by nothing"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, words)| format!("{count} {words}")).collect();
        format!("of the newest {} messages {}", self.messages, counts.join(", "))
    }

    /// Whether what is not known of recipients in Bcc is so much that it cannot be said that the rules fit.
    pub fn is_doubtful(&self) -> bool {
        match self.bcc {
            Bcc::Known => false,
            Bcc::Some => (self.addressees + self.none) * 2 >= self.messages,
            Bcc::Unknown => true,
        }
    }

    /// What is not known of recipients in Bcc; `None` where they are known.
    pub fn of_bcc(&self) -> Option<Said> {
        let (blind, told) = (self.addressees + self.none, self.envelope + self.journal);
        if self.bcc == Bcc::Known {
            return None;
        }
        let Some(remedy) = &self.remedy else {
            return Some(said!(
                ProposalMendsBcc,
                "with the profile's rules, the recipients of {0} of {1} messages are taken from To and Cc alone, so those \
                 in Bcc stay unknown; the proposed rules mend it",
                blind,
                self.messages
            ));
        };
        let mut words = match (self.bcc, told) {
            (Bcc::Unknown, 0) => said!(
                BccUnknown,
                "recipients in Bcc cannot be known here: no envelope field names the recipients"
            ),
            (Bcc::Unknown, _) => said!(
                BccFew,
                "Bcc recipients cannot be found here: only {0} of {1} messages have an envelope header that names them",
                told,
                self.messages
            ),
            (Bcc::Some | Bcc::Known, _) => said!(
                BccSome,
                "recipients in Bcc cannot be known for {0} of {1} messages: no envelope field names their recipients",
                blind,
                self.messages
            ),
        };
        if self.bcc == Bcc::Unknown && self.single > 0 {
            words = said!(
                AndSingles,
                "{0}; {1} of {2} messages have `for` in a Received header, which servers write only for a single recipient",
                words,
                self.single,
                self.messages
            );
        }
        if self.without_received * 2 > self.messages {
            words = said!(
                AndWithoutReceived,
                "{0}; {1} of {2} messages have no Received field, and without one nothing can be recognised as written by \
                 your own server",
                words,
                self.without_received,
                self.messages
            );
        }
        let server = match &self.server {
            Some(server) => said!(SeemsToBe, "The server seems to be {0}", server),
            None => said!(NoServerShown, "No Received field shows which server it is"),
        };
        Some(said!(
            BccAndServer,
            "{0}. {1}; to have it write them: {2}; see docs/servers.md",
            words,
            server,
            remedy
        ))
    }
}

impl Made {
    /// Looks at a message by its header.
    fn by(&mut self, rules: &Rules, trusted_received: usize, bytes: &Bytes) {
        let header = Header::scan(bytes);
        let overview = rules.overview(bytes, &mut |_, _| false);
        let (mut counting, mut barred) = (BTreeSet::new(), BTreeMap::new());
        for one in overview.addresses.iter().filter(|one| one.step == Step::Envelope) {
            match (one.trusted, one.why) {
                (false, Some(why)) => drop(barred.insert(&one.field, why)),
                (true, _) if !rules.is_own(&one.address) => drop(counting.insert(&one.field)),
                _ => {}
            }
        }
        // A field that stands in both places is no news where it counts.
        for (name, why) in barred.into_iter().filter(|(name, _)| !counting.contains(name)) {
            let seen = self
                .barred
                .entry(name.clone())
                .or_insert(NotCounted { messages: 0, why });
            seen.messages += 1;
        }
        for name in counting {
            *self.counting.entry(name.clone()).or_default() += 1;
        }
        let decided = overview
            .addresses
            .iter()
            .find(|one| one.counts && one.step != Step::Senders);
        let decided = match decided {
            _ if rules.need_body(&header) => Step::Journal.as_str(),
            Some(one) => one.step.as_str(),
            None => "",
        };
        *self.steps.entry(decided).or_default() += 1;
        let is_blind = decided.is_empty() || decided == Step::Addressees.as_str();
        let received = || header.all("Received").map(|field| field.value);
        self.without_received += usize::from(received().next().is_none());
        self.paths.push((Path::of(received(), trusted_received), is_blind));
        if is_blind {
            self.blind.look(&header);
        }
    }

    fn of(&self, step: Step) -> usize {
        self.steps.get(step.as_str()).copied().unwrap_or_default()
    }

    /// Messages whose recipients no envelope names.
    fn blind(&self) -> usize {
        self.paths.iter().filter(|(_, is_blind)| *is_blind).count()
    }

    /// Whether recipients in Bcc are known. `for` stands in a Received field where a message came for one recipient
    /// alone, so by itself it shows nothing of the others.
    fn bcc(&self) -> Bcc {
        let (messages, blind) = (self.paths.len(), self.blind());
        let told = self.of(Step::Envelope) + self.of(Step::Journal);
        match () {
            () if told * FEW <= messages => Bcc::Unknown,
            () if blind * 100 < messages * MANY => Bcc::Known,
            () => Bcc::Some,
        }
    }

    /// The way that most messages came whose recipients no envelope names.
    fn path(&self) -> Path {
        let any = self.blind() == 0;
        let paths = self.paths.iter().filter(|(_, is_blind)| any || *is_blind);
        let path = by_frequency(paths.map(|(path, _)| *path)).into_iter().next();
        path.map(|(path, _)| path).unwrap_or_default()
    }
}

impl Blind {
    /// Looks at the header of a message whose recipients no envelope names. Above the topmost Received field alone is
    /// what the last server wrote.
    fn look(&mut self, header: &Header) {
        let above = || header.fields().take_while(|field| !field.is("Received"));
        let has = |name: &str| usize::from(above().any(|field| field.is(name)));
        self.messages += 1;
        self.x_original_to += has("X-Original-To");
        self.delivered_to += has("Delivered-To");
        self.envelope_to += has("Envelope-To");
    }
}

#[cfg(test)]
#[path = "outlook_tests.rs"]
mod tests;
