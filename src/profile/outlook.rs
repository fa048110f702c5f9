//! What a profile's rules make of the newest messages: which step finds their recipients, which envelope fields count, and
//! what cannot be known of this mailbox. Pure.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;

use super::{
    evidence::by_frequency,
    mta::{Blind, Path, remedy},
    proposal::Proposal,
    swallowing::Swallower,
    tally::Tally,
};
use crate::{
    config::{self, Unknown},
    identify::{Header, Report, Reported, Rules, Step},
    message::{Address, CATCHALL},
    route::Directory,
};

/// Of a hundred messages whose recipients To and Cc alone name, so many are worth a word where an envelope names the others'.
const MANY: usize = 20;

/// For whom the newest messages are, by the profile's rules.
pub struct Outlook<'p> {
    profile: &'p config::Profile,
    rules: Rules,
    tally: Tally,
    steps: BTreeMap<&'static str, usize>,
    without_received: usize,
    /// Of the profile's envelope fields, on how many messages each counts and names somebody.
    pub counting: BTreeMap<String, usize>,
    /// On how many it stands and does not count, and why.
    pub barred: BTreeMap<String, NotCounted>,
    blind: Blind,
    /// The servers that wrote the newest fields, of all messages, and of those whose recipients no envelope names.
    paths: Vec<(Path, bool)>,
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
    pub server: Option<String>,
    /// How that server is made to write the recipients.
    pub remedy: Option<String>,
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

impl<'p> Outlook<'p> {
    pub fn new(profile: &'p config::Profile, directory: Directory) -> Self {
        let username = &profile.server.username;
        Self {
            profile,
            rules: Rules::new(&profile.recipients, username),
            tally: Tally::new(directory, &profile.recipients, username),
            steps: BTreeMap::new(),
            without_received: 0,
            counting: BTreeMap::new(),
            barred: BTreeMap::new(),
            blind: Blind::default(),
            paths: Vec::new(),
        }
    }

    /// Looks at one more message by its header.
    pub fn look(&mut self, bytes: &Bytes) {
        let header = Header::scan(bytes);
        if self.rules.need_body(&header) {
            *self.steps.entry(Step::Journal.as_str()).or_default() += 1;
            return;
        }
        let survey = self.rules.survey(bytes, &mut |_, _| false);
        let (mut counting, mut barred) = (BTreeSet::new(), BTreeMap::new());
        for one in survey.addresses.iter().filter(|one| one.step == Step::Envelope) {
            match (one.trusted, one.why) {
                (false, Some(why)) => drop(barred.insert(&one.field, why)),
                (true, _) if !self.rules.is_own(&one.address) => drop(counting.insert(&one.field)),
                _ => {}
            }
        }
        for name in &counting {
            *self.counting.entry((*name).clone()).or_default() += 1;
        }
        // A field that stands in both places is no news where it counts.
        for (name, why) in barred.into_iter().filter(|(name, _)| !counting.contains(name)) {
            let seen = self.barred.entry(name.clone()).or_insert(NotCounted { messages: 0, why });
            seen.messages += 1;
        }
        let decided = survey.addresses.iter().find(|one| one.counts && one.step != Step::Senders);
        let decided = decided.map_or("", |one| one.step.as_str());
        *self.steps.entry(decided).or_default() += 1;
        let is_blind = decided.is_empty() || decided == Step::Addressees.as_str();
        let received = || header.all("Received").map(|field| field.value);
        self.without_received += usize::from(received().next().is_none());
        self.paths.push((Path::of(received()), is_blind));
        if is_blind {
            self.blind.look(&header);
        }
        let reported = match Report::is_marked(&header) {
            true => Reported::Untrusted,
            false => Reported::No,
        };
        let found = self.tally.looked_through(survey.found, &self.rules, bytes);
        self.tally.copy(&found, reported, bytes);
    }

    /// Messages looked at.
    pub fn messages(&self) -> usize {
        self.steps.values().sum()
    }

    /// The addresses that swallow mail, as the mailbox's own do.
    pub fn swallowers(&self) -> Vec<Address> {
        let own = self.tally.own();
        own.swallowers.into_iter().map(|Swallower { address, .. }| address).collect()
    }

    /// Messages that a run would file for nobody known, or leave alone.
    fn nobodys(&self) -> u64 {
        match self.profile.recipients.unknown {
            Unknown::Skip => self.tally.skipped,
            // Whom the administrator has said is known.
            Unknown::User(_) => 0,
            Unknown::Catchall | Unknown::Create => self.tally.users.get(CATCHALL).copied().unwrap_or_default(),
        }
    }

    /// How the recipients are found, where these are the rules that fit.
    pub fn knowledge(&self, proposal: Option<&Proposal>) -> Knowledge {
        let of = |step: &str| self.steps.get(step).copied().unwrap_or_default();
        let (messages, blind) = (self.messages(), of("addressees") + of(""));
        // `for` stands in a Received field where the message came for one recipient alone.
        let has_envelope = proposal.is_some_and(|proposal| !proposal.envelope_headers.is_empty());
        let without_envelope = blind + if has_envelope { 0 } else { of("received") };
        let bcc = match () {
            () if messages == 0 => Bcc::Unknown,
            () if without_envelope == 0 || (has_envelope && blind * 100 < messages * MANY) => Bcc::Known,
            () if has_envelope || of("journal") > 0 => Bcc::Some,
            () => Bcc::Unknown,
        };
        let paths = self.paths.iter().filter(|(_, is_blind)| *is_blind || blind == 0);
        let path = by_frequency(paths.map(|(path, _)| *path)).into_iter().next();
        let path = path.map(|(path, _)| path).unwrap_or_default();
        let is_told = bcc != Bcc::Known && messages > 0;
        Knowledge {
            messages,
            journal: of("journal"),
            envelope: of("envelope"),
            received: of("received"),
            addressees: of("addressees"),
            none: of(""),
            unknown: self.tally.unknown,
            without_received: self.without_received,
            bcc,
            server: path.named().filter(|_| is_told),
            remedy: is_told.then(|| remedy(path, self.blind)),
        }
    }

    /// Why it cannot be said that the rules fit; none where they do as far as the messages show it.
    pub fn doubts(&self, knowledge: &Knowledge) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.messages() == 0 {
            doubts.push("no message was looked at, so nothing shows whether the rules fit".to_owned());
            return doubts;
        }
        doubts.extend(self.nobody_known());
        doubts.extend(knowledge.doubt());
        doubts.extend(self.tally.notice_of_unknown(self.profile));
        doubts
    }

    /// Where each message would be nobody's.
    fn nobody_known(&self) -> Option<String> {
        let (nobodys, seen) = (self.nobodys(), self.tally.seen);
        if seen == 0 || nobodys < seen {
            return None;
        }
        let becomes = match self.profile.recipients.unknown {
            Unknown::Skip => "a run would leave all of them where they are",
            _ => "a run would file all of them for @catchall",
        };
        let users = match self.tally.has_users() {
            true => "are the users' addresses complete?",
            false => "there are no users yet",
        };
        Some(format!("nobody known is named in any of the newest {seen} messages, and {becomes}: {users}"))
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

    fn doubt(&self) -> Option<String> {
        let (Some(remedy), bcc) = (&self.remedy, self.bcc) else {
            return None;
        };
        let blind = self.addressees + self.none;
        let mut words = match bcc {
            Bcc::Known => return None,
            Bcc::Some => format!(
                "recipients in Bcc cannot be known of {blind} of {} messages, in which no envelope names the recipients",
                self.messages
            ),
            Bcc::Unknown => "recipients in Bcc cannot be known here: no field of the envelope names the recipients".into(),
        };
        if bcc == Bcc::Unknown && self.received > 0 {
            words += &format!(
                "; {} of {} messages have `for` in a Received field, which servers write for a single recipient only",
                self.received, self.messages
            );
        }
        if self.without_received * 2 > self.messages {
            words += &format!(
                "; {} of {} messages have no Received field, below which nothing of your own server's could stand",
                self.without_received, self.messages
            );
        }
        let server = match &self.server {
            Some(server) => format!("The server seems to be {server}"),
            None => "Which server it is, no Received field tells".into(),
        };
        Some(format!("{words}. {server}; to have it write them: {remedy}; see docs/servers.md"))
    }
}

impl Blind {
    /// Looks at the header of a message whose recipients no envelope names. Above the topmost Received field alone is what
    /// the last server wrote.
    fn look(&mut self, header: &Header) {
        for field in header.fields().take_while(|field| !field.is("Received")) {
            self.x_original_to |= field.is("X-Original-To");
            self.delivered_to |= field.is("Delivered-To");
            self.envelope_to |= field.is("Envelope-To");
        }
    }
}

#[cfg(test)]
#[path = "outlook_tests.rs"]
mod tests;
