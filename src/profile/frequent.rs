//! Whether nearly every message names one and the same address that nobody has: that is the mailbox's own, and so are
//! those that swallow mail; and what is said of them, by a run and by its rehearsal. Pure.

use super::{
    own::{Common, Own},
    strangers::Strangers,
    swallowing::{Swallower, Swallowing, local_part},
};
use crate::{
    config,
    message::Address,
    report::Heavy,
    route::{Passed, Stranger},
    said::{Said, said},
};

/// Addresses counted. An address of nine messages in ten stays among them, where each names no more than
/// [`crate::route::decide`] notes.
const COUNTED: usize = 64;
/// From so many messages on, and for so many of a hundred, an address is taken for the mailbox's own.
const LEAST: u64 = 20;
const PERCENT: u64 = 90;
/// Addresses that swallow mail, and are told.
const MOST_TOLD: usize = 5;

#[derive(Clone, Debug)]
pub struct Frequent {
    messages: u64,
    counts: Heavy<Address>,
    pub(super) strangers: Strangers,
    swallowing: Swallowing,
}

impl Default for Frequent {
    fn default() -> Self {
        Self {
            messages: 0,
            counts: Heavy::new(COUNTED),
            strangers: Strangers::default(),
            swallowing: Swallowing::default(),
        }
    }
}

impl Frequent {
    /// Counts a message, which names each of these addresses once, and says this besides; `strangers` are at domains
    /// that are not ours, `unknown` is whether nobody is known in it, `username` the mailbox's.
    pub fn message(
        &mut self,
        addresses: Vec<Address>,
        strangers: &[Stranger],
        passed: &Passed,
        unknown: bool,
        username: &str,
    ) {
        self.strangers.message(strangers, unknown);
        self.swallowing.message(&addresses, passed, &local_part(username));
        self.messages += 1;
        for address in addresses {
            self.counts.add(address, 1);
        }
    }

    /// What looks like the mailbox's own.
    pub fn own(&self, username: &str) -> Own {
        let common = self.common();
        let is_common = |one: &Swallower| common.as_ref().is_some_and(|common| common.address == one.address);
        let mut swallowers = self.swallowing.swallowers(&local_part(username));
        swallowers.retain(|one| !is_common(one));
        swallowers.truncate(MOST_TOLD);
        Own {
            messages: self.messages,
            common,
            swallowers,
        }
    }

    /// The address that nearly every message names, if any.
    fn common(&self) -> Option<Common> {
        let (address, named) = self.counts.most_frequent().into_iter().next()?;
        let is_common = self.messages >= LEAST && named * 100 >= self.messages * PERCENT;
        is_common.then(|| Common {
            address: address.clone(),
            named,
            messages: self.messages,
        })
    }
}

/// Nearly everything unknown hints at a directory or a rule that does not fit; an address that nobody has in nearly
/// everything, or in place of others, at the mailbox's own.
pub(super) fn notice_of_unknown(seen: u64, unknown: u64, own: &Own, profile: &config::Profile) -> Option<Said> {
    let mostly_unknown = unknown >= 20 && unknown * 10 >= seen * 9;
    let of_unknown = || {
        said!(
            NoKnownAddress,
            "{0} of {1} messages have no known address",
            unknown,
            seen
        )
    };
    let mut found = Vec::new();
    if let Some(Common { address, named, .. }) = &own.common {
        let words = said!(
            NamedInNearlyAll,
            "{0}, which was no user's, is named in {1}",
            address.as_str(),
            named
        );
        found.push((address, words));
    }
    for Swallower { address, swallowed } in &own.swallowers {
        let words = said!(
            NamedInPlace,
            "{0}, which was no user's, is named in place of the recipients in {1}",
            address.as_str(),
            swallowed
        );
        found.push((address, words));
    }
    let known = profile.recipients.own_addresses.iter().map(String::as_str);
    let addresses = known.chain(found.iter().map(|(address, _)| address.as_str()));
    let addresses: Vec<_> = addresses.map(|text| format!("{text:?}")).collect();
    let key = format!("own_addresses = [{}]", addresses.join(", "));
    let (is_one, words) = (
        found.len() == 1,
        found
            .into_iter()
            .map(|(_, words)| words)
            .reduce(|all, one| said!(And, "{0}; {1}", all, one)),
    );
    let Some(words) = words else {
        return mostly_unknown.then(|| said!(AreTheyComplete, "{0}: are the users' addresses complete?", of_unknown()));
    };
    let (messages, name) = (own.messages, &profile.name);
    let mut notice = match is_one {
        true => said!(
            LooksLikeOwn,
            "{0} of {1} messages: it looks like the mailbox's own. If it is, write {2} in [profile.recipients] of profile \
             {3:?}, and it counts for nobody",
            words,
            messages,
            key,
            name
        ),
        false => said!(
            LookLikeOwn,
            "{0} of {1} messages: they look like the mailbox's own. If they are, write {2} in [profile.recipients] of \
             profile {3:?}, and they count for nobody",
            words,
            messages,
            key,
            name
        ),
    };
    if !own.swallowers.is_empty() {
        notice = said!(
            AndRerouteThen,
            "{0}; what was archived without its recipients is filed by `dropkeep reroute` then",
            notice
        );
    }
    if mostly_unknown {
        notice = said!(And, "{0}; {1}", notice, of_unknown());
    }
    Some(notice)
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod notice_tests;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(local: &str) -> Address {
        Address::parse(&format!("{local}@example.com")).unwrap()
    }

    /// The one address of `named` of so many messages, each naming others as well that occur once.
    fn common(messages: u64, others: u64, named: impl Fn(u64) -> bool) -> Option<u64> {
        let mut frequent = Frequent::default();
        for number in 0..messages {
            let mut addresses: Vec<_> = (0..others)
                .map(|other| address(&format!("u{number}-{other}")))
                .collect();
            if named(number) {
                addresses.push(address("all"));
            }
            frequent.message(addresses, &[], &Passed::default(), true, "all");
        }
        assert!(frequent.counts.most_frequent().len() <= COUNTED);
        let common = frequent.common()?;
        assert_eq!((common.address, common.messages), (address("all"), messages));
        Some(common.named)
    }

    #[test]
    fn nine_messages_in_ten_are_nearly_every_one() {
        assert_eq!(common(20, 0, |_| true), Some(20));
        assert_eq!(common(19, 0, |_| true), None, "too few to say");
        assert_eq!(common(100, 0, |number| number % 10 != 0), Some(90));
        assert_eq!(common(100, 0, |number| number % 10 > 1), None);
        assert_eq!(common(1000, 31, |_| true), Some(1000));
        assert_eq!(common(1000, 31, |number| number >= 95), Some(905), "it came late");
        assert_eq!(common(1000, 31, |number| number % 4 != 0), None);
        assert_eq!(Frequent::default().common(), None);
    }

    #[test]
    fn what_took_the_place_of_others_was_taken_for_common() {
        assert_eq!(common(1000, 31, |_| false), None);
        assert_eq!(common(1000, 31, |number| number == 999), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// As a table of all of them would say, whatever else there is.
        #[test]
        fn an_address_of_ninety_percent_is_always_found(
            seen in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0u64..31), 20..400)
        ) {
            let named = |number: u64| {
                let (a, b, c, d, _) = seen[number as usize];
                a || b || c || d
            };
            let messages = seen.len() as u64;
            let exact = (0..messages).filter(|number| named(*number)).count() as u64;
            let found = common(messages, seen[0].4, named);
            if let Some(found) = found {
                prop_assert!(found <= exact && found * 10 >= messages * 9);
            }
            // Its first occurrences may be lost to others that were there before.
            if exact >= messages * 9 / 10 + 3 {
                prop_assert!(found.is_some());
            }
        }
    }
}
