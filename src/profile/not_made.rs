//! Addresses for which a run makes no users any more, as it has made as many as it may. Pure.

use crate::{
    message::Address,
    report::UnknownAddresses,
    said::{Said, said},
};

/// Addresses that would have got a user.
#[derive(Clone, Debug, Default)]
pub struct NotMade {
    addresses: UnknownAddresses,
    limit: u32,
}

impl NotMade {
    /// A message names an address for which nobody is made; so many users is the limit.
    pub fn count(&mut self, address: &Address, limit: u32) {
        self.addresses.count(address.as_str());
        self.limit = limit;
    }

    /// How many addresses there are; of more than ten thousand, about.
    pub fn addresses(&self) -> u64 {
        self.addresses.addresses()
    }

    /// What is to be said of them, if there are any.
    pub fn notice(&self, profile: &str) -> Option<Said> {
        let (exact, more) = (self.addresses.is_exact(), self.addresses());
        let more = match (more, exact) {
            (0, _) => return None,
            (1, _) => said!(MoreAddresses, "{0} more address", more),
            (_, true) => said!(MoreAddresses, "{0} more addresses", more),
            (_, false) => said!(AboutMoreAddresses, "about {0} more addresses", more),
        };
        let (first, _) = self.addresses.most_frequent(3);
        let first: Vec<_> = first
            .into_iter()
            .map(|(address, count)| format!("{address} ({count})"))
            .collect();
        Some(said!(
            LimitReached,
            "create_limit is reached, {0} users in one run: {1} got no user, most often named {2}. Raise create_limit in \
             [profile.recipients] of profile {3:?}, or add the users with dropkeep users add; then run dropkeep reroute, \
             which files their mail",
            self.limit,
            more,
            first.join(", "),
            profile
        ))
    }
}

#[test]
fn the_limit_was_reached_in_silence() {
    let mut not_made = NotMade::default();
    assert_eq!(not_made.notice("company"), None);
    let address = |text: &str| Address::parse(text).unwrap();
    for text in ["b@example.com", "a@example.com", "b@example.com"] {
        not_made.count(&address(text), 100);
    }
    let notice = not_made.notice("company").unwrap();
    let first = "create_limit is reached, 100 users in one run: 2 more addresses got no user, most often named b@example.com (2), a@";
    assert!(notice.starts_with(first), "{notice}");
    assert!(
        notice.contains("\"company\"") && notice.contains("dropkeep reroute"),
        "{notice}"
    );
}
