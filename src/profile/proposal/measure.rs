//! What proposals are made of: how many messages count, and what is seen of them.

use std::collections::HashSet;

use crate::{config, message::Address, profile::evidence::Evidence};

/// Of a hundred messages: so many are a good share, so many nearly all, and from so many messages on.
pub(super) const GOOD_SHARE: usize = 20;
pub(super) const NEARLY_ALL: usize = 90;
pub(super) const LEAST: usize = 20;
/// Domains, and hosts, that are proposed.
pub(super) const MOST: usize = 8;

/// A key with a list, as a line of TOML.
pub(super) fn key<'t>(name: &str, values: impl Iterator<Item = &'t str>) -> String {
    format!("{name} = {}\n", toml_edit::Array::from_iter(values))
}

/// The evidence, as the profile's rules and what is known of the mailbox's own addresses let one see it.
pub(super) struct View<'e> {
    pub evidence: &'e Evidence,
    pub recipients: &'e config::Recipients,
    pub own: HashSet<Address>,
}
