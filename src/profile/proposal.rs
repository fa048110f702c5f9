//! Rules for a profile, proposed from what the headers of its newest messages show. Pure.
//!
//! What a sender could have written is never believed by it: where the envelope seems to stand below further Received
//! fields, or as the last field of all, that is a comment, for the one who knows whose servers they are.

mod at_end;
mod measure;
mod prefix;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use at_end::{AtEnd, names_others};
use measure::{GOOD_SHARE, LEAST, MOST, NEARLY_ALL, View, key};
use prefix::Written;

use super::evidence::{DEEPEST, Evidence, Handed, Shown, by_frequency};
use crate::{
    config::{self, EnvelopeAt, Journal},
    message::{self, Address, strict_domain},
};

/// A field below a further Received field must stand there on so many of a hundred.
const CONSISTENT: usize = 50;

/// Rules that fit what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Those that name others than the mailbox itself, the one on most messages first.
    pub envelope_headers: Vec<String>,
    /// The mailbox's own addresses, but for its user name, which counts as one anyway.
    pub own_addresses: Vec<String>,
    pub local_domains: Vec<String>,
    /// Where what names the recipients stands only below so many Received fields, or in the next one: right if those
    /// are our own servers'.
    pub trusted_received: Option<usize>,
    /// Where the envelope seems to stand as the last field of the header: "end", right if our own server appends it.
    pub envelope_at: Option<&'static str>,
    pub strip_prefix: Vec<String>,
    /// Those of the configuration, and what the envelope has in place of the domains that are meant.
    pub domain_aliases: BTreeMap<String, String>,
    /// What the profile does not have yet, to put in place of its keys of the same name; empty where the rules fit.
    pub toml: String,
    /// The keys of `recipients` in it, but for those in comments, which somebody has to judge.
    pub keys: BTreeMap<&'static str, Vec<String>>,
}

impl Proposal {
    /// Proposes rules in place of a profile's `recipients`; `None` where no header was seen. `swallowers` are addresses
    /// that were seen to swallow mail; `has_user` says of an address whether a user is known to have it: the mailbox's
    /// own it is not.
    pub fn new(
        evidence: &Evidence,
        recipients: &config::Recipients,
        username: &str,
        swallowers: &[Address],
        has_user: impl Fn(&Address) -> bool,
    ) -> Option<Self> {
        if evidence.messages.is_empty() {
            return None;
        }
        let written = Written::find(evidence, recipients, username);
        let (evidence, as_it_is) = (&written.applied(evidence), evidence);
        let mut view = View {
            evidence,
            recipients,
            own: recipients
                .own_addresses
                .iter()
                .map(String::as_str)
                .chain([username])
                .filter_map(Address::parse)
                .collect(),
        };
        let found_own = view.find_own(swallowers, has_user);
        view.own.extend(found_own.iter().cloned());
        let mut headers = view.usable_headers();
        let mut deeper = if headers.is_empty() { view.deeper_header() } else { None };
        headers.extend(deeper.as_ref().and_then(|deeper| deeper.name));
        let at_end = if headers.is_empty() { AtEnd::find(&view) } else { None };
        headers.extend(at_end.as_ref().map(|at_end| at_end.name));
        if headers.is_empty() {
            deeper = view.deeper_received();
        }
        let domains = view.domains(&headers, deeper.as_ref(), at_end.is_some());
        let mut toml = Vec::new();
        let mut keys = BTreeMap::new();
        let envelope_headers: Vec<String> = headers.iter().map(|name| evidence.names[*name].clone()).collect();
        if !view.fit(&headers) {
            toml.push(key("envelope_headers", envelope_headers.iter().map(String::as_str)));
            keys.insert("envelope_headers", envelope_headers.clone());
        }
        if let Some(deeper) = &deeper {
            toml.push(deeper.comment(&evidence.names));
        }
        toml.extend(at_end.as_ref().map(|at_end| at_end.comment(&evidence.names)));
        let prefix_line = written.prefix_line(recipients);
        let strip_prefix: Vec<String> = recipients
            .strip_prefix
            .iter()
            .cloned()
            .chain(written.prefix.clone())
            .collect();
        if prefix_line.is_some() {
            keys.insert("strip_prefix", strip_prefix.clone());
        }
        toml.extend(prefix_line);
        let own: Vec<String> = recipients
            .own_addresses
            .iter()
            .cloned()
            .chain(found_own.iter().map(ToString::to_string))
            .collect();
        if !found_own.is_empty() {
            toml.push(key("own_addresses", own.iter().map(String::as_str)));
            keys.insert("own_addresses", own.clone());
        }
        let configured: Vec<String> = recipients
            .local_domains
            .iter()
            .map(|one| message::domain(one))
            .collect();
        let local_fit = domains.iter().all(|domain| configured.contains(domain));
        let kept: Vec<_> = configured.into_iter().filter(|one| !domains.contains(one)).collect();
        let domains: Vec<String> = domains.into_iter().chain(kept).collect();
        if !local_fit {
            toml.push(key("local_domains", domains.iter().map(String::as_str)));
            keys.insert("local_domains", domains.clone());
        }
        toml.extend(view.journal());
        if !toml.is_empty() {
            toml.insert(0, "[profile.recipients]\n".to_owned());
        }
        toml.extend(written.alias_table(as_it_is));
        Some(Self {
            envelope_headers,
            own_addresses: own,
            local_domains: domains,
            trusted_received: deeper.map(|deeper| deeper.below),
            envelope_at: at_end.map(|_| "end"),
            strip_prefix,
            domain_aliases: evidence.aliases.clone(),
            toml: toml.concat(),
            keys,
        })
    }

    /// A profile's rules with what is proposed in place of its own, but for what has to be judged.
    pub fn with_keys(&self, recipients: &config::Recipients) -> config::Recipients {
        let proposed = |key: &str, ours: &Vec<String>| self.keys.get(key).unwrap_or(ours).clone();
        config::Recipients {
            envelope_headers: proposed("envelope_headers", &recipients.envelope_headers),
            strip_prefix: proposed("strip_prefix", &recipients.strip_prefix),
            own_addresses: proposed("own_addresses", &recipients.own_addresses),
            local_domains: proposed("local_domains", &recipients.local_domains),
            ..recipients.clone()
        }
    }

    /// A profile's rules with what is proposed in place of its own, and what is proposed in comments too.
    pub fn applied(&self, recipients: &config::Recipients) -> config::Recipients {
        config::Recipients {
            envelope_headers: match self.envelope_headers.is_empty() {
                true => recipients.envelope_headers.clone(),
                false => self.envelope_headers.clone(),
            },
            own_addresses: self.own_addresses.clone(),
            trusted_received: self.trusted_received.unwrap_or(recipients.trusted_received),
            envelope_at: match self.envelope_at {
                Some(_) => EnvelopeAt::End,
                None => recipients.envelope_at,
            },
            strip_prefix: self.strip_prefix.clone(),
            ..recipients.clone()
        }
    }
}

/// An envelope field that stands only below further Received fields, or one of those that alone names the recipient.
struct Deeper {
    /// Which of the names; `None` for the Received field.
    name: Option<usize>,
    below: usize,
    /// Who wrote the Received field above it, on most messages.
    by: Option<String>,
}

impl Deeper {
    fn comment(&self, names: &[String]) -> String {
        let Self { name, below, by } = self;
        let Some(name) = name else {
            let which = if *below == 1 { "second" } else { "third" };
            let by = by.as_ref().map_or(String::new(), |host| format!(" (by {host})"));
            return format!(
                "# trusted_received = {below}   # only if the {which} Received field is your own server's{by}: it names the recipient\n"
            );
        };
        let fields = match below {
            1 => "the Received field".to_owned(),
            many => format!("each of the {many} Received fields"),
        };
        let by = by.as_ref().map(|host| format!(" (the last one: by {host})"));
        let by = by.map(|by| {
            if *below == 1 {
                by.replace("the last one: ", "")
            } else {
                by
            }
        });
        let name = &names[*name];
        format!(
            "# trusted_received = {below}   # only if {fields} above {name} is your own server's{}\n",
            by.unwrap_or_default()
        )
    }
}

impl View<'_> {
    fn is_own(&self, address: &Address) -> bool {
        let tagged = || address.without_tag().filter(|_| self.recipients.plus_addressing);
        self.own.contains(address) || tagged().is_some_and(|plain| self.own.contains(&plain))
    }

    /// Messages that are no journal reports: for whom those are, their bodies say.
    fn plain(&self) -> impl Iterator<Item = &Shown> {
        self.evidence.messages.iter().filter(|message| message.report.is_none())
    }

    /// Addresses that our own servers name on nearly every message, most frequent first; and those that swallow mail.
    fn find_own(&self, swallowers: &[Address], has_user: impl Fn(&Address) -> bool) -> Vec<Address> {
        let messages = &self.evidence.messages;
        let plain = |address: &Address| {
            let untagged = address.without_tag().filter(|_| self.recipients.plus_addressing);
            untagged.unwrap_or_else(|| address.clone())
        };
        let named = messages.iter().filter(|_| messages.len() >= LEAST);
        let named = named.flat_map(|message| self.evidence.trusted(message).map(plain).collect::<BTreeSet<Address>>());
        let mut own: Vec<Address> = by_frequency(named)
            .into_iter()
            .filter(|(_, count)| count * 100 >= messages.len() * NEARLY_ALL)
            .map(|(address, _)| address)
            .collect();
        own.extend(
            swallowers
                .iter()
                .filter(|one| !own.contains(one))
                .cloned()
                .collect::<Vec<_>>(),
        );
        own.into_iter()
            .filter(|address| !self.is_own(address) && !has_user(address))
            .filter(|address| Address::parse_strict(address.as_str()).as_ref() == Some(address))
            .collect()
    }

    /// The names of fields in the message's trusted zone that name others than the mailbox.
    fn usable(&self, message: &Shown) -> BTreeSet<usize> {
        if self.recipients.envelope_at == EnvelopeAt::End {
            let last = message.last.iter().filter(|field| names_others(self, field));
            return last.map(|field| field.name).collect();
        }
        let Some(zone) = self.evidence.zone(message) else {
            return BTreeSet::new();
        };
        let fields = message.envelope.iter().filter(|field| field.depth <= zone);
        let naming = fields.filter(|field| field.addresses.iter().any(|address| !self.is_own(address)));
        naming.map(|field| field.name).collect()
    }

    /// The names of fields that tell for whom a message is. One that the profile has already is right wherever it
    /// tells it: only our own server writes there.
    fn usable_headers(&self) -> Vec<usize> {
        let messages = self.plain().count();
        let has = |name: usize| self.position(name).is_some();
        by_frequency(self.plain().flat_map(|message| self.usable(message)))
            .into_iter()
            .filter(|(name, count)| has(*name) || count * 100 >= messages * GOOD_SHARE)
            .map(|(name, _)| name)
            .collect()
    }

    /// Where a name stands in the profile's list.
    fn position(&self, name: usize) -> Option<usize> {
        let name = &self.evidence.names[name];
        let mut listed = self.recipients.envelope_headers.iter();
        listed.position(|one| one.eq_ignore_ascii_case(name))
    }

    /// Whether the profile's list does as well: it has them all, and in this order those that stand on one message.
    fn fit(&self, headers: &[usize]) -> bool {
        let Some(positions) = headers
            .iter()
            .map(|name| self.position(*name))
            .collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        let meet = |one: &usize, other: &usize| {
            self.plain()
                .map(|message| self.usable(message))
                .any(|usable| usable.contains(one) && usable.contains(other))
        };
        let pairs = (0..headers.len()).flat_map(|one| (one + 1..headers.len()).map(move |other| (one, other)));
        pairs
            .into_iter()
            .filter(|(one, other)| positions[*one] > positions[*other])
            .all(|(one, other)| !meet(&headers[one], &headers[other]))
    }

    /// A field that stands consistently below a further Received field or two, and never above.
    fn deeper_header(&self) -> Option<Deeper> {
        let messages = self.plain().count();
        // For each message the field's highest place.
        let highest = |message: &Shown| {
            let naming = message.envelope.iter();
            let naming = naming.filter(|field| field.addresses.iter().any(|address| !self.is_own(address)));
            let mut places = std::collections::BTreeMap::new();
            for field in naming.filter(|field| field.depth < message.received) {
                places.entry(field.name).or_insert(field.depth);
            }
            places
        };
        let places = by_frequency(self.plain().flat_map(highest));
        let above = |name: usize, depth: usize| places.iter().any(|((other, at), _)| *other == name && *at < depth);
        let ((name, below), _) = *places.iter().find(|((name, depth), count)| {
            let further = (self.recipients.trusted_received + 1..=DEEPEST).contains(depth);
            further && count * 100 >= messages * CONSISTENT && !above(*name, *depth)
        })?;
        let there = self
            .plain()
            .filter(|message| highest(message).get(&name) == Some(&below));
        let by = by_frequency(there.filter_map(|message| message.by.get(below - 1)?.clone()));
        Some(Deeper {
            name: Some(name),
            below,
            by: by.into_iter().next().map(|(host, _)| host),
        })
    }

    /// A Received field below the trusted ones that names the recipient on a good share, where none of those does, and
    /// that one and the same host wrote: strangers' are of many.
    fn deeper_received(&self) -> Option<Deeper> {
        let messages = self.plain().count();
        let trusted = self.recipients.trusted_received;
        let names = |message: &&Shown, depth: usize| {
            let mut named = message.received_for.iter();
            named.any(|(at, address)| *at == depth && !self.is_own(address))
        };
        let share = |depth: usize| self.plain().filter(|message| names(message, depth)).count() * 100;
        if (0..=trusted).any(|depth| share(depth) >= messages * GOOD_SHARE) {
            return None;
        }
        let depth = (trusted + 1..=DEEPEST).find(|depth| share(*depth) >= messages * GOOD_SHARE)?;
        let hosts = by_frequency(self.plain().filter_map(|message| message.by.get(depth)?.clone()));
        let (host, count) = hosts.into_iter().next()?;
        (count * 100 >= messages * NEARLY_ALL).then_some(Deeper {
            name: None,
            below: depth,
            by: Some(host),
        })
    }

    /// Domains of the recipients whom the envelope names; of To and Cc, where there is none.
    fn domains(&self, headers: &[usize], deeper: Option<&Deeper>, at_end: bool) -> Vec<String> {
        let at_end = at_end || self.recipients.envelope_at == EnvelopeAt::End;
        let trusted = deeper.map_or(self.recipients.trusted_received, |deeper| deeper.below);
        let others = |addresses: Vec<&Address>| {
            let others = addresses.into_iter().filter(|address| !self.is_own(address));
            others
                .map(|address| self.evidence.meant(address.domain()).to_owned())
                .collect::<BTreeSet<_>>()
        };
        let envelope = |message: &Shown| {
            let fields = message.envelope.iter();
            let fields = fields.filter(|field| !at_end && field.depth <= trusted);
            let last = message.last.iter().filter(|_| at_end);
            let fields = fields.chain(last).filter(|field| headers.contains(&field.name));
            let named = others(fields.flat_map(|field| &field.addresses).collect());
            if !named.is_empty() {
                return named;
            }
            let received = message.received_for.iter().filter(|(depth, _)| *depth <= trusted);
            others(received.map(|(_, address)| address).collect())
        };
        let messages = self.plain().count();
        let mut told: Vec<_> = self
            .plain()
            .map(envelope)
            .filter(|domains| !domains.is_empty())
            .collect();
        if told.len() * 100 < messages * GOOD_SHARE {
            told = self
                .plain()
                .map(|message| others(message.addressees.iter().collect()))
                .collect();
        }
        let of = told.len();
        by_frequency(told.into_iter().flatten())
            .into_iter()
            .filter(|(domain, count)| count * 100 >= of * GOOD_SHARE && strict_domain(domain).as_ref() == Some(domain))
            .take(MOST)
            .map(|(domain, _)| domain)
            .collect()
    }

    /// How to believe the journal reports that were seen, where the profile believes none: a comment, because who hands
    /// them over may be anybody.
    fn journal(&self) -> Option<String> {
        let reports: Vec<&Handed> = self
            .evidence
            .messages
            .iter()
            .filter_map(|message| message.report.as_ref())
            .collect();
        if reports.is_empty() || self.recipients.journal != Journal::Never {
            return None;
        }
        let hosts = by_frequency(reports.iter().filter_map(|Handed(host)| host.as_deref()));
        let count = format!("{} of {} messages", reports.len(), self.evidence.messages.len());
        if hosts.is_empty() {
            return Some(format!(
                "# {count} are journal reports; if nobody but your own server can write to this mailbox:\n\
                 # journal = \"always\"\n"
            ));
        }
        let hosts = hosts.into_iter().take(MOST).map(|(host, _)| host);
        Some(format!(
            "# {count} are journal reports, handed over by these hosts; if they are your own servers:\n\
             # journal = \"from\"\n# {}",
            key("journal_from", hosts)
        ))
    }
}

#[cfg(test)]
#[path = "proposal_tests.rs"]
mod tests;
