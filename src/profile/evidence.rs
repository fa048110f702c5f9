//! What headers show of how mail gets into a mailbox: which envelope fields stand where, whom Received fields name, who
//! handed journal reports over. Pure.

use std::collections::{BTreeMap, HashSet};

use crate::{
    config::{self, AliasTarget, Hosts, Wrapping},
    identify::{Client, Field, Header, JournalReport, at_end, first_addresses, received_for},
    message::{Address, host_name, strict_domain},
};

/// Envelope fields that mail systems write, beyond those of the defaults: Google Workspace, MDaemon, Fastmail,
/// CommuniGate Pro, Gmail's forwarding, Yahoo, and those that follow RFC 8098.
const KNOWN: [&str; 7] = [
    "X-Gm-Original-To",
    "X-MDaemon-Deliver-To",
    "X-Resolved-To",
    "X-Real-To",
    "X-Forwarded-To",
    "X-Apparently-To",
    "Original-Recipient",
];
const RECEIVED: &str = "Received";
/// So many Received fields below the top are looked at.
pub const DEEPEST: usize = 2;
/// Addresses that are kept of one field, and fields of one message.
const MOST: usize = 100;
/// Bytes of a Received field that are looked at.
const LONGEST: usize = 16 << 10;

/// What the headers looked at so far show.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Envelope fields that are looked for: the profile's first.
    pub names: Vec<String>,
    strip_prefix: Vec<String>,
    unwrap: Vec<Wrapping>,
    trusted_received: usize,
    /// The configuration's domain aliases.
    pub aliases: BTreeMap<String, String>,
    pub messages: Vec<Shown>,
}

/// What one header shows.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Received fields that it has.
    pub received: usize,
    pub envelope: Vec<Envelope>,
    /// The last field of the header, where it is an envelope field.
    pub last: Option<Envelope>,
    /// Whom the topmost Received fields name, each with the number of those above it.
    pub received_for: Vec<(usize, Address)>,
    /// The hosts that wrote the topmost Received fields.
    pub by: Vec<Option<String>>,
    pub addressees: Vec<Address>,
    pub report: Option<Handed>,
}

/// An envelope field.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Which of the names.
    pub name: usize,
    /// Received fields above it.
    pub depth: usize,
    pub addresses: Vec<Address>,
}

/// By whom a journal report was handed to our own server, as that saw it; `None` where it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed(pub Option<String>);

impl Evidence {
    pub fn new(recipients: &config::Recipients) -> Self {
        let defaults = config::Recipients::default().envelope_headers;
        let known = KNOWN.iter().map(|name| (*name).to_owned());
        let mut seen = HashSet::new();
        let names = recipients.envelope_headers.iter().cloned().chain(defaults).chain(known);
        Self {
            names: names.filter(|name| seen.insert(name.to_ascii_lowercase())).collect(),
            strip_prefix: recipients.strip_prefix.iter().map(|one| one.to_lowercase()).collect(),
            unwrap: recipients.unwrap.clone(),
            trusted_received: recipients.trusted_received,
            aliases: BTreeMap::new(),
            messages: Vec::new(),
        }
    }

    /// The same, where these are the configuration's domain aliases.
    pub fn with_aliases(self, aliases: &BTreeMap<String, AliasTarget>) -> Self {
        let normal = |(from, to): (&String, &AliasTarget)| Some((strict_domain(from)?, strict_domain(to.as_str())?));
        Self {
            aliases: aliases.iter().filter_map(normal).collect(),
            ..self
        }
    }

    /// The domain that an address at this one is looked up at.
    pub fn meant<'d>(&'d self, domain: &'d str) -> &'d str {
        self.aliases.get(domain).map_or(domain, String::as_str)
    }

    /// Looks at one more header.
    pub fn look(&mut self, header: &Header) {
        let mut shown = Shown::default();
        for field in header.fields() {
            if field.is(RECEIVED) {
                if shown.received <= DEEPEST.max(self.trusted_received) {
                    let named = received_for(field.value).map(|address| self.unwrapped(address));
                    shown
                        .received_for
                        .extend(named.map(|address| (shown.received, address)));
                    shown.by.push(by(field.value));
                }
                shown.received += 1;
            } else if ["To", "Cc"].iter().any(|name| field.is(name)) {
                let room = MOST.saturating_sub(shown.addressees.len());
                shown.addressees.extend(first_addresses(field.value, room));
            } else if let Some(name) = self.names.iter().position(|name| field.is(name))
                && shown.received <= DEEPEST.max(self.trusted_received)
                && shown.envelope.len() < MOST
            {
                shown.envelope.push(self.envelope(name, shown.received, &field));
            }
        }
        if let Some((_, last)) = at_end(header)
            && let Some(name) = self.names.iter().position(|name| last.is(name))
        {
            shown.last = Some(self.envelope(name, shown.received, &last));
        }
        if JournalReport::is_marked(header) {
            let border = header.all(RECEIVED).nth(self.trusted_received);
            shown.report = Some(Handed(border.and_then(|field| client(field.value))));
        }
        self.messages.push(shown);
    }

    fn envelope(&self, name: usize, depth: usize, field: &Field) -> Envelope {
        let named = first_addresses(field.value, MOST).into_iter();
        Envelope {
            name,
            depth,
            addresses: named.map(|address| self.stripped(address)).collect(),
        }
    }

    /// The address that another holds, where the profile says so.
    fn unwrapped(&self, address: Address) -> Address {
        let held = self.unwrap.iter().find_map(|wrapping| wrapping.unwrap(&address));
        held.unwrap_or(address)
    }

    /// Without what qmail puts before the local part, where the profile says so.
    fn stripped(&self, address: Address) -> Address {
        let mut prefixes = self.strip_prefix.iter();
        let without = prefixes.find_map(|prefix| address.without_prefix(prefix));
        self.unwrapped(without.unwrap_or(address))
    }

    /// The number of Received fields above the end of a message's trusted zone, by the profile's rules; `None` where it
    /// has none. With fewer hops than promised, what is above the topmost is ours all the same.
    pub fn zone(&self, message: &Shown) -> Option<usize> {
        match message.received {
            0 => None,
            received if received > self.trusted_received => Some(self.trusted_received),
            _ => Some(0),
        }
    }

    /// Whom the fields in a message's trusted zone name, and the Received fields of which the last is at its edge.
    pub fn trusted<'m>(&self, message: &'m Shown) -> impl Iterator<Item = &'m Address> {
        let zone = self.zone(message);
        let envelope = message.envelope.iter();
        let envelope = envelope.filter(move |field| zone.is_some_and(|zone| field.depth <= zone));
        let ours = self.trusted_received;
        let received = message.received_for.iter().filter(move |(depth, _)| *depth <= ours);
        let envelope = envelope.flat_map(|field| &field.addresses);
        envelope.chain(received.map(|(_, address)| address))
    }
}

/// What journal_from can name a client by.
fn client(value: &[u8]) -> Option<String> {
    /// All customers of Microsoft 365 send from these, and each message from another.
    const OUTLOOK: &str = ".outbound.protection.outlook.com";
    let Client { name, ip } = Client::read(value);
    let named = match name {
        Some(name) if name.ends_with(OUTLOOK) => Some(format!("*{OUTLOOK}")),
        Some(name) => Some(name),
        None => ip.map(|ip| ip.to_string()),
    };
    named.filter(|host| Hosts::parse(host).is_some())
}

/// The host behind `by` in a Received field, outside of comments.
fn by(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&value[..value.len().min(LONGEST)]);
    let mut depth = 0usize;
    let plain: String = text
        .chars()
        .map(|c| {
            depth = match c {
                '(' => depth + 1,
                ')' => depth.saturating_sub(1),
                _ => depth,
            };
            if depth > 0 || c == ')' { ' ' } else { c }
        })
        .collect();
    let mut words = plain.split_ascii_whitespace();
    words.by_ref().find(|word| word.eq_ignore_ascii_case("by"))?;
    words.next().and_then(|word| host_name(word.trim_end_matches(';')))
}

/// Counts each thing; most frequent first, then by its order.
pub fn by_frequency<T: Ord>(things: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts = BTreeMap::new();
    things.for_each(|thing| *counts.entry(thing).or_default() += 1);
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

#[test]
fn the_host_that_wrote_a_received_field_is_found() {
    for (value, host) in [
        (
            " from a (by b.example.org) by mx.example.com (Postfix) with ESMTP; Mon",
            Some("mx.example.com"),
        ),
        (" by MX.example.com with SMTP id 1; Mon", Some("mx.example.com")),
        (" (qmail 1 invoked by uid 89); Mon", None),
        (" by 2001:db8::1 with SMTP id x; Mon", None),
        (" from a by", None),
        (" from a by evil\"\n[x] with", None),
        ("", None),
    ] {
        assert_eq!(by(value.as_bytes()).as_deref(), host, "{value}");
    }
}
