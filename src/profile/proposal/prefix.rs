//! What a server puts around each address when it delivers a whole domain into one mailbox: Courier's `@example.com:
//! all` writes `Delivered-To: all-jane@mx.example.com`, qmail's virtual domains write `example.com-jane@example.com`.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::measure::{GOOD_SHARE, LEAST, MOST, NEARLY_ALL, key};
use crate::{
    config,
    message::{Address, strict_domain},
    profile::evidence::{Evidence, Shown, by_frequency},
};

/// What ends a prefix.
const DELIMITER: char = '-';
/// So many messages name in To or Cc the address as it is meant.
const CONFIRMING: usize = 3;
/// At the domain that is meant stand so many times more of them than at the one that the envelope has.
const FAR_MORE: usize = 4;

/// A prefix and domain aliases by which the envelope names whom the header does.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub prefix: Option<String>,
    /// From the domain that the envelope has to the one that is meant.
    pub aliases: BTreeMap<String, String>,
}

/// An address in the trusted envelope of a message.
type Named<'e> = (&'e Shown, &'e Address);

impl Written {
    /// What the newest messages show, beyond what the profile has.
    pub fn find(evidence: &Evidence, recipients: &config::Recipients, username: &str) -> Self {
        let messages = evidence.messages.iter().filter(|message| message.report.is_none());
        let named: Vec<Named> = messages
            .flat_map(|message| {
                let zone = evidence.zone(message);
                let fields = message
                    .envelope
                    .iter()
                    .filter(move |field| zone.is_some_and(|zone| field.depth <= zone));
                fields
                    .flat_map(|field| &field.addresses)
                    .map(move |address| (message, address))
            })
            .collect();
        let own = recipients.own_addresses.iter().map(String::as_str).chain([username]);
        let own: BTreeSet<&str> = own
            .map(|own| own.split_once('@').map_or(own, |(local, _)| local))
            .collect();
        let prefix = prefix(&named, &own);
        let meant = |address: &Address| prefix.as_deref().and_then(|prefix| address.without_prefix(prefix));
        let named: Vec<_> = named
            .iter()
            .map(|(message, address)| (*message, meant(address).unwrap_or_else(|| (*address).clone())))
            .collect();
        let aliases = aliases(&named, evidence);
        Self { prefix, aliases }
    }

    /// The evidence as the profile would see it with this.
    pub fn applied(&self, evidence: &Evidence) -> Evidence {
        let mut evidence = evidence.clone();
        evidence.aliases.extend(self.aliases.clone());
        if let Some(prefix) = &self.prefix {
            let fields = evidence.messages.iter_mut().flat_map(|message| &mut message.envelope);
            for address in fields.flat_map(|field| &mut field.addresses) {
                if let Some(left) = address.without_prefix(prefix) {
                    *address = left;
                }
            }
        }
        evidence
    }

    /// `strip_prefix` as a line of TOML.
    pub fn prefix_line(&self, recipients: &config::Recipients) -> Option<String> {
        let prefix = self.prefix.as_deref()?;
        let all = recipients.strip_prefix.iter().map(String::as_str).chain([prefix]);
        Some(key("strip_prefix", all))
    }

    /// The table of domain aliases, with those that the configuration has; it stands beside profiles, behind all else.
    pub fn alias_table(&self, evidence: &Evidence) -> Option<String> {
        if self.aliases.is_empty() {
            return None;
        }
        let all = evidence.aliases.iter().chain(&self.aliases);
        let lines = all.map(|(from, to)| {
            let quoted = |text: &str| toml_edit::Value::from(text).to_string();
            format!("{} = {}\n", quoted(from), quoted(to))
        });
        Some(format!("[domain_aliases]\n{}", lines.collect::<String>()))
    }
}

/// What stands before nearly every address: the mailbox's own name, or what the header's addresses do not have.
fn prefix(named: &[Named], own: &BTreeSet<&str>) -> Option<String> {
    if named.len() < LEAST {
        return None;
    }
    let prefixes = named.iter().flat_map(|(_, address)| prefixes_of(address));
    let mut common: Vec<String> = by_frequency(prefixes)
        .into_iter()
        .filter(|(_, count)| count * 100 >= named.len() * NEARLY_ALL)
        .map(|(prefix, _)| prefix)
        .collect();
    common.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    common.into_iter().find(|prefix| {
        let left: BTreeSet<_> = named
            .iter()
            .filter_map(|(_, address)| address.without_prefix(prefix))
            .collect();
        let in_header = |message: &Shown, address: Option<Address>| {
            let text = address.map(|address| address.local_text().into_owned());
            let mut there = message.addressees.iter();
            text.is_some_and(|text| there.any(|addressee| addressee.local_text() == text))
        };
        let with = named
            .iter()
            .filter(|(message, address)| in_header(message, Some((*address).clone())));
        let without = named
            .iter()
            .filter(|(message, address)| in_header(message, address.without_prefix(prefix)));
        let (with, without) = (with.count(), without.count());
        let is_own = own.contains(prefix.trim_end_matches(DELIMITER));
        left.len() > 1 && with <= without && (is_own || without >= CONFIRMING)
    })
}

/// What an address may begin with that is no part of it.
fn prefixes_of(address: &Address) -> Vec<String> {
    let text = address.local_text();
    let ends = text.match_indices(DELIMITER).map(|(at, _)| at + DELIMITER.len_utf8());
    ends.take(MOST).map(|end| text[..end].to_owned()).collect()
}

/// Domains that the envelope has in place of those of the header's own addresses.
fn aliases(named: &[(&Shown, Address)], evidence: &Evidence) -> BTreeMap<String, String> {
    let domains = by_frequency(named.iter().map(|(_, address)| address.domain()));
    let often = domains
        .iter()
        .filter(|(_, count)| count * 100 >= named.len() * GOOD_SHARE);
    let mut found = BTreeMap::new();
    for (domain, _) in often.take(MOST) {
        if evidence.aliases.contains_key(*domain) || strict_domain(domain).as_deref() != Some(domain) {
            continue;
        }
        let at = named.iter().filter(|(_, address)| address.domain() == *domain);
        let written = at.flat_map(|(message, address)| {
            let same = |addressee: &&Address| addressee.local_text() == address.local_text();
            let there: BTreeSet<&str> = message.addressees.iter().filter(same).map(Address::domain).collect();
            there
        });
        let written = by_frequency(written);
        let count = |wanted: &str| {
            written
                .iter()
                .find(|(other, _)| *other == wanted)
                .map_or(0, |(_, count)| *count)
        };
        let Some((meant, often)) = written.first().filter(|(meant, _)| *meant != *domain) else {
            continue;
        };
        let all: usize = written.iter().map(|(_, count)| count).sum();
        // One step is all that there is: what is meant can be no alias itself.
        let plain = strict_domain(meant).as_deref() == Some(*meant) && !evidence.aliases.contains_key(*meant);
        if plain && *often >= CONFIRMING && *often * 2 > all && *often > FAR_MORE * count(domain) {
            found.insert((*domain).to_owned(), (*meant).to_owned());
        }
    }
    let meant: BTreeSet<String> = found.values().cloned().collect();
    found.retain(|from, _| !meant.contains(from));
    found
}
