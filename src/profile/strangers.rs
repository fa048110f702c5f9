//! Whether mail is for a domain that the profile does not know for one of ours. Pure.
//!
//! Two things say so: what a server wrote into an envelope field, and recipients who have the local part of a user.
//! Besides, mail in which nobody is known is for somebody of ours, or from one; so its recipients count, and its
//! senders half.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
};

use super::own::Own;
use crate::{
    config,
    message::{self, Address},
    report::Heavy,
    route::{Directory, Stranger, StrangerPlace},
    said::{Said, said},
};

/// Addresses, and domains, counted at a time.
const COUNTED: usize = 2000;
/// From so many messages on, if they are so many of a hundred that are for nobody known, and so many of a hundred of
/// all, a domain may be one of ours. That of the mailbox's own name is on fewer.
const LEAST: u64 = 2;
const PERCENT: u64 = 10;
const OF_ALL: u64 = 1;
/// So many users' local parts at a domain are no chance: `info` is everywhere.
const LOCAL_PARTS: usize = 2;
/// Addresses that are told.
const TOLD: usize = 10;
/// Domains of mail providers, which nobody has as a domain of their own; with a dot at the end, in all countries.
const EVERYBODYS: [&str; 27] = [
    "gmail.com",
    "googlemail.com",
    "outlook.",
    "hotmail.",
    "live.",
    "msn.com",
    "yahoo.",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "gmx.",
    "web.de",
    "t-online.de",
    "freenet.de",
    "mail.de",
    "posteo.de",
    "mailbox.org",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "mail.ru",
    "yandex.",
    "qq.com",
    "163.com",
    "orange.fr",
    "free.fr",
];

/// Recipients and senders at domains that are not ours, in how many messages each is named.
#[derive(Clone, Debug)]
pub struct Strangers {
    /// Messages in which nobody is known.
    unknown: u64,
    addresses: Heavy<Address>,
    /// Messages that name the domain at all; in an envelope field; before any other domain.
    named: Heavy<String>,
    enveloped: Heavy<String>,
    first: Heavy<String>,
    /// Messages in which nobody is known, and a recipient, or a sender, is there.
    receives: Heavy<String>,
    sends: Heavy<String>,
}

impl Default for Strangers {
    fn default() -> Self {
        let [named, enveloped, first, receives, sends] = std::array::from_fn(|_| Heavy::new(COUNTED));
        Self {
            unknown: 0,
            addresses: Heavy::new(COUNTED),
            named,
            enveloped,
            first,
            receives,
            sends,
        }
    }
}

/// A domain that looks like one of ours, and is none of the profile's `local_domains`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingDomain {
    pub domain: String,
    /// Messages that name it, at the least.
    messages: u64,
    /// Those of its addresses that are named most often, and in how many messages.
    addresses: Vec<(Address, u64)>,
    more: usize,
}

/// What speaks for a domain, in messages.
#[derive(Default)]
struct Domain<'a> {
    enveloped: u64,
    /// That name a user's local part there.
    of_users: u64,
    local_parts: HashSet<&'a str>,
    receives: u64,
    sends: u64,
    first: u64,
    addresses: Vec<(&'a Address, u64)>,
}

impl Domain<'_> {
    fn evidence(&self) -> u64 {
        self.enveloped.max(self.of_users).max(self.receives).max(self.sends)
    }
}

impl Strangers {
    /// Counts a message, each domain and each address once; `unknown` is whether nobody is known in it.
    pub fn message(&mut self, strangers: &[Stranger], unknown: bool) {
        self.unknown += u64::from(unknown);
        if let Some(first) = strangers.first() {
            self.first.add_as(first.address.domain(), str::to_owned, 1);
        }
        // What we send names others in To and Cc, and no server has written yet for whom it came.
        let is_at = |wanted| move |one: &Stranger| one.place == wanted;
        let may_be_sent = strangers.iter().any(is_at(StrangerPlace::Addressed))
            && !strangers.iter().any(is_at(StrangerPlace::Envelope));
        // They are few.
        for (at, Stranger { address, place }) in strangers.iter().enumerate() {
            let before = &strangers[..at];
            // Senders of mail for somebody known are strangers indeed.
            let counts = unknown || *place != StrangerPlace::Sender;
            if counts && before.iter().all(|other| other.address != *address) {
                self.addresses.add_as(address, Address::clone, 1);
            }
            let domain = address.domain();
            let is_new = |place: Option<StrangerPlace>| {
                let mut others = before.iter().filter(|other| other.address.domain() == domain);
                others.all(|other| place.is_some_and(|place| other.place != place))
            };
            if counts && is_new(None) {
                self.named.add_as(domain, str::to_owned, 1);
            }
            let sends = *place == StrangerPlace::Sender;
            if *place == StrangerPlace::Envelope && is_new(Some(StrangerPlace::Envelope)) {
                self.enveloped.add_as(domain, str::to_owned, 1);
            }
            if unknown && sends && may_be_sent && is_new(Some(StrangerPlace::Sender)) {
                self.sends.add_as(domain, str::to_owned, 1);
            }
            let receives = |other: &Stranger| other.place != StrangerPlace::Sender;
            let received = before
                .iter()
                .any(|other| receives(other) && other.address.domain() == domain);
            if unknown && !sends && !received {
                self.receives.add_as(domain, str::to_owned, 1);
            }
        }
    }

    /// The domain that most speaks for, where it is none of the profile's. Addresses that look like the mailbox's `own`
    /// say nothing of it. `local_parts`: of the users' addresses.
    pub fn missing_domain(
        &self,
        username: &str,
        own: &Own,
        is_local: impl Fn(&Address) -> bool,
        local_parts: &HashSet<&str>,
    ) -> Option<MissingDomain> {
        let common = own.common.as_ref().map(|common| &common.address);
        let is_own = |address: &Address| {
            common == Some(address) || own.swallowers.iter().any(|swallower| swallower.address == *address)
        };
        let mut domains: BTreeMap<&str, Domain> = BTreeMap::new();
        let mut owned: BTreeMap<&str, u64> = BTreeMap::new();
        for (address, messages) in self.addresses.most_frequent() {
            if is_own(address) {
                *owned.entry(address.domain()).or_default() += messages;
            } else if !(address.is_pattern() || is_local(address) || is_everybodys(address.domain())) {
                let domain = domains.entry(address.domain()).or_default();
                domain.addresses.push((address, messages));
                let local_part = local_part(address);
                if local_parts.contains(local_part) {
                    domain.local_parts.insert(local_part);
                    domain.of_users += messages;
                }
            }
        }
        let mut count = |counts: &Heavy<String>, put: fn(&mut Domain, u64)| {
            for (name, messages) in counts.most_frequent() {
                if let Some(domain) = domains.get_mut(name.as_str()) {
                    let own = owned.get(name.as_str()).copied().unwrap_or_default();
                    put(domain, messages.saturating_sub(own));
                }
            }
        };
        count(&self.enveloped, |domain, messages| domain.enveloped = messages);
        count(&self.receives, |domain, messages| domain.receives = messages);
        count(&self.sends, |domain, messages| domain.sends = messages);
        count(&self.first, |domain, messages| domain.first = messages);
        for domain in domains
            .values_mut()
            .filter(|domain| domain.local_parts.len() < LOCAL_PARTS)
        {
            domain.of_users = 0;
        }
        let mailbox = username.rsplit_once('@').map(|(_, domain)| message::domain(domain));
        let is_mailbox = |domain: &str| mailbox.as_deref() == Some(domain);
        let is_much = |domain: &Domain| {
            let evidence = domain.evidence();
            evidence >= LEAST.max(own.messages * OF_ALL / 100) && evidence * 100 >= self.unknown * PERCENT
        };
        let rank = |(name, domain): &(&str, Domain)| {
            let speaks = [
                domain.enveloped,
                domain.of_users,
                domain.receives.max(domain.sends / 2),
                domain.first,
            ];
            (!is_mailbox(name), Reverse(speaks))
        };
        let found = domains
            .into_iter()
            .filter(|(name, domain)| is_mailbox(name) || is_much(domain));
        let (domain, Domain { addresses, .. }) = found.min_by_key(rank)?;
        let most = addresses
            .iter()
            .map(|(_, messages)| *messages)
            .max()
            .unwrap_or_default();
        let named = self.named.most_frequent().into_iter().find(|(name, _)| *name == domain);
        let told = addresses.iter().take(TOLD).map(|(one, count)| ((*one).clone(), *count));
        Some(MissingDomain {
            domain: domain.to_owned(),
            messages: named
                .map_or(0, |(_, messages)| messages)
                .saturating_sub(owned.get(domain).copied().unwrap_or_default())
                .max(most),
            addresses: told.collect(),
            more: addresses.len().saturating_sub(TOLD),
        })
    }
}

/// Whether it is a provider's domain, where anybody can have an address.
fn is_everybodys(domain: &str) -> bool {
    EVERYBODYS.iter().any(|one| match one.strip_suffix('.') {
        Some(name) => domain.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')),
        None => domain == *one,
    })
}

fn local_part(address: &Address) -> &str {
    address.as_str().rsplit_once('@').map_or("", |(local, _)| local)
}

/// The local parts of the addresses that users have.
pub fn local_parts_of(directory: &Directory) -> HashSet<&str> {
    let users = directory.iter().filter(|(_, user)| !user.retired);
    let addresses = users
        .flat_map(|(_, user)| &user.addresses)
        .filter(|address| !address.is_pattern());
    addresses.map(local_part).collect()
}

impl MissingDomain {
    /// What is to be said of it.
    pub fn notice(&self, profile: &config::Profile) -> Said {
        let count = |(address, messages): &(Address, u64)| format!("{address} ({messages})");
        let addresses: Vec<_> = self.addresses.iter().map(count).collect();
        let addresses = Said::quoted(addresses.join(", "));
        let addresses = match self.more {
            0 => addresses,
            more => said!(CommaMore, "{0}, {1} more", addresses, more),
        };
        let known = profile.recipients.local_domains.iter().map(String::as_str);
        let domains = known.chain([self.domain.as_str()]).map(|domain| format!("{domain:?}"));
        let domains: Vec<_> = domains.collect();
        let key = format!("local_domains = [{}]", domains.join(", "));
        let messages = match self.messages {
            1 => said!(MessagesNaming, "{0} message names", 1_u64),
            messages => said!(MessagesNaming, "{0} messages name", messages),
        };
        said!(
            DomainMissing,
            "perhaps missing from local_domains: {0}. {1} it, by {2}. If the domain is yours, write {3} in \
             [profile.recipients] of profile {4:?}",
            self.domain,
            messages,
            addresses,
            key,
            profile.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Access, Recipients, Server};

    fn stranger(text: &str, place: StrangerPlace) -> Stranger {
        let address = Address::parse(text).unwrap();
        Stranger { address, place }
    }

    /// Of so many messages each with one recipient.
    fn missing(addresses: &[(&str, u64)], username: &str) -> Option<MissingDomain> {
        let mut strangers = Strangers::default();
        for (text, messages) in addresses {
            let one = stranger(text, StrangerPlace::Addressed);
            let named = if text.ends_with("@example.com") {
                vec![]
            } else {
                vec![one]
            };
            (0..*messages).for_each(|_| strangers.message(&named, true));
        }
        found(&strangers, username, &[], 1000)
    }

    fn found(strangers: &Strangers, username: &str, local_parts: &[&str], messages: u64) -> Option<MissingDomain> {
        let is_local = |address: &Address| address.domain() == "example.com";
        let own = Own {
            messages,
            ..Own::default()
        };
        strangers.missing_domain(username, &own, is_local, &local_parts.iter().copied().collect())
    }

    /// Of messages that each name these, `n` being the message's number.
    fn of_each(messages: u64, unknown: bool, named: &[(&str, StrangerPlace)], local_parts: &[&str]) -> Option<String> {
        let mut strangers = Strangers::default();
        for number in 0..messages {
            let one = |(text, place): &(&str, _)| stranger(&text.replace("{n}", &number.to_string()), *place);
            strangers.message(&named.iter().map(one).collect::<Vec<_>>(), unknown);
        }
        found(&strangers, "all", local_parts, messages).map(|found| found.domain)
    }

    #[test]
    fn a_customers_domain_was_proposed_in_place_of_our_own() {
        use StrangerPlace::{Addressed, Envelope, Sender};
        let ours = Some("ours.example".to_owned());
        let to = ("u{n}@ours.example", Addressed);
        assert_eq!(of_each(30, true, &[to, ("b{n}@gmail.com", Addressed)], &[]), ours);
        assert_eq!(
            of_each(
                30,
                true,
                &[to, ("b{n}@gmx.ch", Addressed), ("c{n}@yahoo.co.uk", Addressed)],
                &[]
            ),
            ours
        );
        assert_eq!(
            of_each(30, true, &[to, ("b{n}@aaa.example", Addressed)], &[]),
            ours,
            "it is named first"
        );
        let outgoing = [("c{n}@customer{n}.example", Addressed), ("p@ours.example", Sender)];
        assert_eq!(of_each(30, true, &outgoing, &[]), ours);
        assert_eq!(
            of_each(
                30,
                true,
                &[("c{n}@gmail.com", Addressed), ("p@ours.example", Sender)],
                &[]
            ),
            ours
        );
        assert_eq!(
            of_each(30, true, &[to, ("x@shop.example", Sender)], &[]),
            ours,
            "from one shop"
        );
        assert_eq!(
            of_each(
                30,
                true,
                &[("b@aaa.example", Addressed), ("u@ours.example", Envelope)],
                &[]
            ),
            ours
        );
        assert_eq!(of_each(30, true, &[("c{n}@gmail.com", Addressed)], &[]), None);
    }

    #[test]
    fn a_domain_of_ours_was_overlooked_where_somebody_known_is_named_too() {
        use StrangerPlace::{Addressed, Sender};
        let named = [("u{n}@ours.example", Addressed), ("x@shop.example", Sender)];
        let ours = Some("ours.example".to_owned());
        assert_eq!(of_each(10, false, &named, &["u1", "u2", "u3"]), ours);
        assert_eq!(of_each(10, false, &named, &["u1"]), None, "one may be by chance");
        assert_eq!(of_each(10, false, &named, &[]), None, "a customer's colleagues");
    }

    #[test]
    fn each_message_counts_once_for_a_domain() {
        use StrangerPlace::Addressed;
        let mut strangers = Strangers::default();
        let named = ["a@example.org", "b@example.org", "a@example.org"].map(|text| stranger(text, Addressed));
        (0..9).for_each(|_| strangers.message(&named, true));
        strangers.message(&named, false);
        let found = found(&strangers, "all", &[], 10).unwrap();
        assert_eq!(found.messages, 10);
        assert_eq!(
            found.addresses.iter().map(|(_, count)| *count).collect::<Vec<_>>(),
            [10, 10]
        );
    }

    #[test]
    fn addresses_of_our_other_domain_were_called_those_of_another_domain() {
        let found = missing(
            &[
                ("x@example.com", 90),
                ("a@example.org", 20),
                ("b@example.org", 17),
                ("c@lists.example", 18),
            ],
            "all",
        );
        let found = found.unwrap();
        let profile = config::Profile {
            recipients: Recipients {
                local_domains: vec!["example.com".into()],
                ..Recipients::default()
            },
            ..config::Profile::new("company", Server::new(Access::Imap, "localhost", 143, "all"))
        };
        let notice = found.notice(&profile);
        for words in [
            "perhaps missing from local_domains: example.org",
            "37 messages name it, by a@example.org (20), b@example.org (17)",
            r#"local_domains = ["example.com", "example.org"]"#,
        ] {
            assert!(notice.contains(words), "{notice}");
        }
    }

    #[test]
    fn a_stray_message_makes_no_domain_of_ours_unless_the_mailbox_is_there() {
        let of = |addresses, username| missing(addresses, username).map(|found| found.domain);
        assert_eq!(of(&[("x@example.com", 90)], "all@example.com"), None);
        assert_eq!(
            of(&[("x@example.com", 90), ("a@gmail.example", 3)], "all@example.com"),
            None
        );
        assert_eq!(of(&[("a@gmail.example", 1)], "all"), None);
        assert_eq!(of(&[("a@gmail.example", 9)], "all"), None, "of a thousand messages");
        let both = [("a@gmail.example", 30), ("b@Firma.example", 1)];
        assert_eq!(of(&both, "all@firma.example"), Some("firma.example".into()));
        assert_eq!(of(&both, "all"), Some("gmail.example".into()));
    }
}
