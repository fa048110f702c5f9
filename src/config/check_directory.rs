//! What contradicts itself in the directory of the configuration: users, domain aliases, lists.

use std::collections::{HashMap, HashSet};

use super::{Config, document::Document, error::ConfigError, forms::domain_fault};
use crate::message::{self, Address, EntryError};

pub(super) fn check(config: &Config, document: &Document) -> Result<(), ConfigError> {
    let owners = check_users(config, document)?;
    check_aliases(config, document)?;
    check_lists(config, &owners, document)
}

/// Gives whose the addresses are; those of disabled users are anyone's.
fn check_users<'c>(config: &'c Config, document: &Document) -> Result<HashMap<Address, &'c str>, ConfigError> {
    let mut names = HashSet::new();
    let mut owners: HashMap<Address, &str> = HashMap::new();
    for (index, user) in config.user.iter().enumerate() {
        let index = index.to_string();
        let at = ["user", &index, "name"];
        message::check_name(&user.name).map_err(|detail| document.error(&at, detail))?;
        if !names.insert(user.name.as_str()) {
            return Err(document.error(&at, format!("two users are named {:?}", user.name)));
        }
        for (position, text) in user.addresses.iter().enumerate() {
            let at = ["user", &index, "addresses", &position.to_string()];
            let address = Address::parse_entry(text).map_err(|error| document.error(&at, error.to_string()))?;
            if user.disabled {
                continue;
            }
            match owners.insert(address, &user.name) {
                Some(other) if other != user.name => {
                    let detail = format!(
                        "{text:?} is an address of both {other:?} and {:?}; leave it to one of them, or make a [[list]] of it",
                        user.name
                    );
                    return Err(document.error(&at, detail));
                }
                _ => {}
            }
        }
    }
    Ok(owners)
}

/// One step and no more: what an alias leads to is none itself.
fn check_aliases(config: &Config, document: &Document) -> Result<(), ConfigError> {
    let mut aliases = HashMap::new();
    for (from, to) in &config.domain_aliases {
        let at = ["domain_aliases", from];
        let domain = |text: &str| {
            let bad = || document.error(&at, domain_fault(text).unwrap_or_default());
            message::strict_domain(text).ok_or_else(bad)
        };
        let (domain, target) = (domain(from)?, domain(to.as_str())?);
        if domain == target {
            return Err(document.error(&at, "is an alias of itself"));
        }
        if aliases.insert(domain, (from, target)).is_some() {
            return Err(document.error(&at, "stands there twice"));
        }
    }
    for (from, target) in aliases.values() {
        if let Some((_, further)) = aliases.get(target) {
            let detail = format!("leads to {target:?}, which is an alias itself; write {further:?} here");
            return Err(document.error(&["domain_aliases", from], detail));
        }
    }
    Ok(())
}

/// Whether the users exist is not known here: they may be in the store alone.
fn check_lists(config: &Config, owners: &HashMap<Address, &str>, document: &Document) -> Result<(), ConfigError> {
    let mut addresses = HashSet::new();
    for (index, list) in config.list.iter().enumerate() {
        let index = index.to_string();
        let at = ["list", &index, "address"];
        let text = &list.address;
        let address = Address::parse_strict(text).filter(|_| !text.contains('*'));
        let address = address.ok_or_else(|| document.error(&at, EntryError::NoAddress(text.clone()).to_string()))?;
        if let Some(owner) = owners.get(&address) {
            let detail = format!("{text:?} is an address of {owner:?}; a list needs an address of its own");
            return Err(document.error(&at, detail));
        }
        if !addresses.insert(address) {
            return Err(document.error(&at, format!("two lists have the address {text:?}")));
        }
        let at = ["list", &index, "users"];
        if list.users.is_empty() {
            return Err(document.error(&at, "is empty; name the users who get this mail: users = [\"jane\"]"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = list.users.iter().find(|name| !names.insert(*name)) {
            return Err(document.error(&at, format!("names {twice:?} twice")));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "check_directory_tests.rs"]
mod tests;
