//! What leads from one address to others: domain aliases and lists, as the configuration has them. Pure.

use std::{borrow::Cow, collections::HashMap};

use super::rule::Rule;
use crate::{
    api::{Code, Wrong},
    archive::{StoreError, User},
    config::Config,
    message::{self, Address},
};

/// A longer domain cannot be one (RFC 1035, 2.3.4), so none of its suffixes is looked up.
const LONGEST_DOMAIN: usize = 253;

/// Domain aliases and lists.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// From a domain to the one that its addresses are looked up in.
    aliases: HashMap<String, String>,
    /// The names of the users who get what is for a list.
    lists: HashMap<Address, Vec<String>>,
}

impl Signs {
    /// Those of a configuration that was checked; what is no domain or address leads nowhere.
    pub fn new(config: &Config) -> Self {
        let domain = |text: &str| message::strict_domain(text);
        let aliases = config.domain_aliases.iter();
        let lists = config.list.iter();
        Self {
            aliases: aliases
                .filter_map(|(from, to)| Some((domain(from)?, domain(to.as_str())?)))
                .collect(),
            lists: lists
                .filter_map(|list| Some((Address::parse_strict(&list.address)?, list.users.clone())))
                .collect(),
        }
    }

    pub fn alias(&self, domain: &str) -> Option<&str> {
        self.aliases.get(domain).map(String::as_str)
    }

    /// The names in the list that has this address.
    pub fn list(&self, address: &str) -> Option<&[String]> {
        self.lists.get(address).map(Vec::as_slice)
    }

    /// What is wrong with a user who has the address of a list.
    pub fn contradiction(&self, user: &User) -> Option<StoreError> {
        let mut addresses = user.addresses.iter().filter(|_| !user.retired);
        let taken = addresses.find(|address| self.lists.contains_key(*address))?;
        Some(StoreError::User {
            name: user.name.clone(),
            detail: format!(
                "cannot have {taken}: it is the address of a list, in the configuration or kept in the catalog"
            ),
            wrong: Wrong::new(Code::AddressOfList, &[taken]).into(),
        })
    }

    pub fn lists(&self) -> impl Iterator<Item = (&Address, &[String])> {
        self.lists.iter().map(|(address, names)| (address, names.as_slice()))
    }
}

/// What an address is looked up as, in this order; the first that is known decides. How many these are depends on the
/// address alone: two forms of it, the same at its domain's alias, and with `patterns` one for each label of either
/// domain.
pub fn forms<'a>(
    address: &'a Address,
    plus_addressing: bool,
    alias: Option<&'a str>,
    patterns: bool,
) -> impl Iterator<Item = (Cow<'a, str>, Rule)> {
    let plain = address.without_tag().filter(|_| plus_addressing);
    let at_alias = |address: &Address| alias.map(|domain| (Cow::Owned(address.at(domain).into_string()), Rule::Alias));
    let aliased = [at_alias(address), plain.as_ref().and_then(at_alias)];
    // An address in the mail that looks like a pattern is no way round the order.
    let exact = (!address.is_pattern()).then(|| (Cow::Borrowed(address.as_str()), Rule::Exact));
    let plain = plain.map(|plain| (Cow::Owned(plain.into_string()), Rule::Plus));
    let domains = [Some(address.domain()), alias].into_iter().flatten();
    let covering = domains.filter(move |_| patterns).flat_map(patterns_of);
    let covering = covering.map(|pattern| (Cow::Owned(pattern), Rule::Pattern));
    [exact, plain].into_iter().chain(aliased).flatten().chain(covering)
}

/// The patterns that an address at `domain` can match: the domain's own, then its suffixes', longest first.
fn patterns_of(domain: &str) -> impl Iterator<Item = String> {
    let domain = Some(domain).filter(|domain| domain.len() <= LONGEST_DOMAIN);
    let own = domain.map(|domain| format!("*@{domain}"));
    let parents = std::iter::successors(domain.and_then(parent), |domain| parent(domain));
    own.into_iter().chain(parents.map(|parent| format!("*@*.{parent}")))
}

fn parent(domain: &str) -> Option<&str> {
    domain.split_once('.').map(|(_, parent)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn looked_up(address: &str, plus: bool, alias: Option<&str>) -> Vec<String> {
        let address = parse(address);
        let forms = forms(&address, plus, alias, true);
        forms.map(|(form, rule)| format!("{} {form}", rule.as_str())).collect()
    }

    #[test]
    fn the_order_of_a_look_up() {
        assert_eq!(
            looked_up("Jane+x@a.b.example.net", true, Some("example.com")),
            [
                "exact jane+x@a.b.example.net",
                "plus jane@a.b.example.net",
                "alias jane+x@example.com",
                "alias jane@example.com",
                "pattern *@a.b.example.net",
                "pattern *@*.b.example.net",
                "pattern *@*.example.net",
                "pattern *@*.net",
                "pattern *@example.com",
                "pattern *@*.com",
            ]
        );
        assert_eq!(looked_up("jane+x@x", false, None), ["exact jane+x@x", "pattern *@x"]);
        assert_eq!(looked_up("*@x.example.com", false, None)[0], "pattern *@x.example.com");
    }

    /// Each form is one look-up in a hash map, and there are as many of them whatever the directory holds.
    #[test]
    fn a_domain_of_a_million_labels_took_a_million_look_ups() {
        let address = parse(&format!("jane@{}x", "a.".repeat(1_000_000)));
        assert_eq!(forms(&address, true, None, true).count(), 1);
        let longest = parse(&format!("jane@{}x", "a.".repeat(LONGEST_DOMAIN / 2)));
        assert_eq!(forms(&longest, true, None, true).count(), 1 + 1 + LONGEST_DOMAIN / 2);
        assert_eq!(forms(&longest, true, None, false).count(), 1);
    }
}
