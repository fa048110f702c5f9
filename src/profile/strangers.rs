//! Whether mail in which nobody is known is for a domain that the profile does not know for one of ours. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use super::frequent::Own;
use crate::{
    config,
    message::{self, Address},
    report::Heavy,
};

/// Addresses counted at a time.
const COUNTED: usize = 2000;
/// From so many messages on, if they are so many of a hundred that are for nobody known, and so many of a hundred of all, a
/// domain may be one of ours. That of the mailbox's own name is on fewer.
const LEAST: u64 = 2;
const PERCENT: u64 = 10;
const OF_ALL: u64 = 1;
/// Addresses that are told.
const TOLD: usize = 10;

/// The recipients of messages in which nobody is known.
#[derive(Clone, Debug)]
pub struct Strangers(Heavy<Address>);

impl Default for Strangers {
    fn default() -> Self {
        Self(Heavy::new(COUNTED))
    }
}

/// A domain that looks like one of ours, and is none of the profile's `local_domains`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingDomain {
    pub domain: String,
    /// Those of its addresses that are named most often, and in how many messages.
    addresses: Vec<(Address, u64)>,
    more: usize,
}

/// A domain's addresses, most frequent first, and how often they are named together.
#[derive(Default)]
struct Domain<'a> {
    messages: u64,
    addresses: Vec<(&'a Address, u64)>,
}

impl Strangers {
    pub fn add(&mut self, address: &Address) {
        self.0.add(address.clone(), 1);
    }

    /// The domain that most of them are at, where it is none of the profile's. Addresses that look like the mailbox's `own` say
    /// nothing of it.
    pub fn missing_domain(
        &self,
        username: &str,
        own: &Own,
        is_local: impl Fn(&Address) -> bool,
    ) -> Option<MissingDomain> {
        let common = own.common.as_ref().map(|common| &common.address);
        let is_own = |address: &Address| {
            common == Some(address) || own.swallowers.iter().any(|swallower| swallower.address == *address)
        };
        let mut domains: BTreeMap<&str, Domain> = BTreeMap::new();
        let mut named = 0;
        for (address, messages) in self.0.most_frequent() {
            if is_own(address) || address.is_pattern() {
                continue;
            }
            named += messages;
            if !is_local(address) {
                let domain = domains.entry(address.domain()).or_default();
                domain.messages += messages;
                domain.addresses.push((address, messages));
            }
        }
        let mailbox = username.rsplit_once('@').map(|(_, domain)| message::domain(domain));
        let is_mailbox = |domain: &str| mailbox.as_deref() == Some(domain);
        let rank = |(domain, counts): &(&str, Domain)| (!is_mailbox(domain), Reverse(counts.messages));
        let (domain, Domain { messages, addresses }) = domains.into_iter().min_by_key(rank)?;
        let is_much = messages >= LEAST.max(own.messages * OF_ALL / 100) && messages * 100 >= named * PERCENT;
        let told = addresses.iter().take(TOLD).map(|(one, count)| ((*one).clone(), *count));
        (is_much || is_mailbox(domain)).then(|| MissingDomain {
            domain: domain.to_owned(),
            addresses: told.collect(),
            more: addresses.len().saturating_sub(TOLD),
        })
    }
}

impl MissingDomain {
    /// What is to be said of it.
    pub fn notice(&self, profile: &config::Profile) -> String {
        let count = |(address, messages): &(Address, u64)| format!("{address} ({messages})");
        let mut addresses: Vec<_> = self.addresses.iter().map(count).collect();
        if self.more > 0 {
            addresses.push(format!("{} more", self.more));
        }
        let known = profile.recipients.local_domains.iter().map(String::as_str);
        let domains = known.chain([self.domain.as_str()]).map(|domain| format!("{domain:?}"));
        let domains: Vec<_> = domains.collect();
        format!(
            "perhaps missing from local_domains: {}. Mail that is for nobody known names {}. If the domain is yours, write \
             local_domains = [{}] in [profile.recipients] of profile {:?}",
            self.domain,
            addresses.join(", "),
            domains.join(", "),
            profile.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Access, Recipients, Server};

    fn missing(addresses: &[(&str, u64)], username: &str) -> Option<MissingDomain> {
        let mut strangers = Strangers::default();
        for (text, messages) in addresses {
            (0..*messages).for_each(|_| strangers.add(&Address::parse(text).unwrap()));
        }
        let is_local = |address: &Address| address.domain() == "example.com";
        strangers.missing_domain(
            username,
            &Own {
                messages: 1000,
                ..Own::default()
            },
            is_local,
        )
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
            "a@example.org (20), b@example.org (17)",
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
