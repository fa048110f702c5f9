//! Addresses that nobody has, as a protocol lists them: most frequent first, and how many more there were.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use super::heavy::Heavy;
use crate::message::Address;

/// Addresses that are counted at a time; as long as there are no more, all is exact.
const COUNTED: usize = 10_000;
/// Addresses that a protocol lists.
const LISTED: usize = 200;
/// Bytes of one that are kept: more than an address can have (RFC 5321, 4.5.3.1).
const LONGEST: usize = 320;

/// Addresses that nobody has, and in how many messages each is named.
#[derive(Clone, Debug)]
pub struct UnknownAddresses {
    counts: Heavy<String>,
    /// Of a protocol that was read: what it does not list.
    omitted: Omitted,
    /// Those of the listed that a retired user has, and whose they are.
    retired: BTreeMap<String, String>,
}

/// Addresses that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    pub addresses: u64,
    /// The messages in which each of them is named, added up: one that names two counts twice.
    pub messages: u64,
}

impl Default for UnknownAddresses {
    fn default() -> Self {
        Self {
            counts: Heavy::new(COUNTED),
            omitted: Omitted::default(),
            retired: BTreeMap::new(),
        }
    }
}

impl UnknownAddresses {
    /// A message names it.
    pub fn count(&mut self, address: &str) {
        self.add(address, 1);
    }

    pub fn add(&mut self, address: &str, messages: u64) {
        let end = address.floor_char_boundary(LONGEST.min(address.len()));
        self.counts.add_as(&address[..end], str::to_owned, messages);
    }

    /// Adds what another protocol says.
    pub fn add_all(&mut self, other: &Self) {
        other
            .listed()
            .into_iter()
            .for_each(|(address, messages)| self.add(address, messages));
        self.retired.extend(other.retired.clone());
        let omitted = other.omitted();
        self.omitted.addresses += omitted.addresses;
        self.omitted.messages += omitted.messages;
    }

    /// Notes which of the listed addresses are those of retired users, who come with their names.
    pub fn note_retired<'u>(&mut self, retired: impl Iterator<Item = (&'u str, &'u [Address])>) {
        let listed: BTreeSet<String> = self
            .listed()
            .into_iter()
            .map(|(address, _)| address.to_owned())
            .collect();
        if listed.is_empty() {
            return;
        }
        for (name, addresses) in retired {
            let theirs = addresses.iter().filter(|address| listed.contains(address.as_str()));
            self.retired
                .extend(theirs.map(|address| (address.to_string(), name.to_owned())));
        }
    }

    /// The retired user who has this address.
    pub fn retired_user(&self, address: &str) -> Option<&str> {
        self.retired.get(address).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.addresses() == 0
    }

    /// How many there are.
    pub fn addresses(&self) -> u64 {
        self.counts.things() + self.omitted.addresses
    }

    /// Whether the number of addresses is exact.
    pub fn is_exact(&self) -> bool {
        self.counts.is_exact()
    }

    /// The most frequent so many, then by the alphabet; and what is left out of them.
    pub fn most_frequent(&self, most: usize) -> (Vec<(&str, u64)>, Omitted) {
        let all = self.counts.most_frequent().into_iter();
        let listed: Vec<_> = all
            .take(most)
            .map(|(address, count)| (address.as_str(), count))
            .collect();
        let named: u64 = listed.iter().map(|(_, count)| count).sum();
        let omitted = Omitted {
            addresses: self.addresses().saturating_sub(listed.len() as u64),
            messages: self.omitted.messages + self.counts.named().saturating_sub(named),
        };
        (listed, omitted)
    }

    /// As JSON has it.
    pub fn as_listed(&self) -> (Vec<(&str, u64)>, Omitted) {
        self.most_frequent(LISTED)
    }

    fn listed(&self) -> Vec<(&str, u64)> {
        self.most_frequent(LISTED).0
    }

    fn omitted(&self) -> Omitted {
        self.most_frequent(LISTED).1
    }
}

/// Two are the same where they say the same.
impl PartialEq for UnknownAddresses {
    fn eq(&self, other: &Self) -> bool {
        self.listed() == other.listed() && self.omitted() == other.omitted() && self.retired == other.retired
    }
}

impl Eq for UnknownAddresses {}

/// As it stands in JSON, among a protocol's fields.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(default)]
    unknown_addresses: Listed,
    #[serde(default)]
    unknown_addresses_omitted: u64,
    #[serde(default)]
    unknown_addresses_omitted_messages: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unknown_addresses_retired: BTreeMap<String, String>,
}

/// An object, in the order of the list.
#[derive(Default)]
struct Listed(Vec<(String, u64)>);

impl Serialize for UnknownAddresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (listed, omitted) = self.most_frequent(LISTED);
        let listed = listed.into_iter().map(|(address, count)| (address.to_owned(), count));
        let fields = Fields {
            unknown_addresses: Listed(listed.collect()),
            unknown_addresses_omitted: omitted.addresses,
            unknown_addresses_omitted_messages: omitted.messages,
            unknown_addresses_retired: self.retired.clone(),
        };
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for UnknownAddresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let mut read = Self {
            omitted: Omitted {
                addresses: fields.unknown_addresses_omitted,
                messages: fields.unknown_addresses_omitted_messages,
            },
            retired: fields.unknown_addresses_retired,
            ..Self::default()
        };
        fields
            .unknown_addresses
            .0
            .iter()
            .for_each(|(address, count)| read.add(address, *count));
        Ok(read)
    }
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (address, count) in &self.0 {
            map.serialize_entry(address, count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Listed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("addresses with counts")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
                let mut listed = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    listed.push(entry);
                }
                Ok(Listed(listed))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RunId;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Protocol {
        run: RunId,
        #[serde(flatten)]
        unknown: UnknownAddresses,
    }

    #[test]
    fn addresses_named_often_were_hidden_behind_those_early_in_the_alphabet() {
        let mut unknown = UnknownAddresses::default();
        for number in 0..300 {
            unknown.count(&format!("a{number:03}@example.com"));
        }
        for _ in 0..7 {
            unknown.count("zoe@example.com");
        }
        unknown.count("a299@example.com");
        let json = serde_json::to_string(&Protocol { run: RunId(1), unknown }).unwrap();
        let first = r#"{"run":1,"unknown_addresses":{"zoe@example.com":7,"a299@example.com":2,"a000@example.com":1,"#;
        assert!(json.starts_with(first), "{json}");
        let last = r#""a197@example.com":1},"unknown_addresses_omitted":101,"unknown_addresses_omitted_messages":101}"#;
        assert!(json.ends_with(last), "{json}");
        let read: Protocol = serde_json::from_str(&json).unwrap();
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            json,
            "what is read says the same"
        );
        assert_eq!(read.unknown.addresses(), 301);
        let (listed, omitted) = read.unknown.most_frequent(1);
        assert_eq!(listed, [("zoe@example.com", 7)]);
        assert_eq!((omitted.addresses, omitted.messages), (300, 301));
    }

    #[test]
    fn the_address_of_a_retired_user_was_called_nobodys() {
        let mut unknown = UnknownAddresses::default();
        unknown.count("ida@example.com");
        unknown.count("x@example.com");
        let hers = [Address::parse("ida@example.com").unwrap()];
        unknown.note_retired([("Ida Lang", &hers[..])].into_iter());
        let json = serde_json::to_string(&Protocol { run: RunId(1), unknown }).unwrap();
        let read: Protocol = serde_json::from_str(&json).unwrap();
        assert_eq!(read.unknown.retired_user("ida@example.com"), Some("Ida Lang"), "{json}");
        assert_eq!(read.unknown.retired_user("x@example.com"), None);
    }

    #[test]
    fn a_protocol_of_an_earlier_version_is_read() {
        let read: Protocol = serde_json::from_str(r#"{"run":1,"unknown_addresses":{"a@b.example":2}}"#).unwrap();
        assert_eq!(
            (read.unknown.addresses(), read.unknown.omitted()),
            (1, Omitted::default())
        );
        let read: Protocol = serde_json::from_str(r#"{"run":1}"#).unwrap();
        assert!(read.unknown.is_empty());
    }

    #[test]
    fn an_address_of_a_megabyte_was_kept_as_it_came() {
        let mut unknown = UnknownAddresses::default();
        unknown.count(&format!("{}@example.com", "ä".repeat(1 << 20)));
        assert!(unknown.listed()[0].0.len() <= LONGEST);
    }
}
