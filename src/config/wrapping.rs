//! Addresses that hold another one.

use serde::{Deserialize, Deserializer};

use super::values::from_text;
use crate::message::{Address, host_name, strict_domain};

const LOCAL: &str = "{local}";
const DOMAIN: &str = "{domain}";

/// How an address holds another: `journal+{local}={domain}@example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapping {
    /// What stands before, between and behind the two, in lower case; between is empty where there is only one.
    before: String,
    between: String,
    behind: String,
    what: What,
    /// The domain of the address that holds the other.
    at: String,
}

/// What of the other is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It is at the same domain.
    Local,
    LocalAndDomain,
    DomainAndLocal,
}

impl Wrapping {
    /// Reads what the local part begins with, `{local}`, a separator, `{domain}`, and `@` with the domain; `{domain}`
    /// may stand first, and may be left out, where it is that of the whole. `None` where it is no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        let (pattern, domain) = text.trim().rsplit_once('@')?;
        let at = strict_domain(domain)?;
        let pattern = pattern.to_lowercase();
        let (before, rest) = pattern.split_once(LOCAL)?;
        let (what, [before, between, behind]) = match (before.split_once(DOMAIN), rest.split_once(DOMAIN)) {
            (None, None) => (What::Local, [before, "", rest]),
            (None, Some((between, behind))) => (What::LocalAndDomain, [before, between, behind]),
            (Some((before, between)), None) => (What::DomainAndLocal, [before, between, rest]),
            (Some(_), Some(_)) => return None,
        };
        let plain = |text: &str| !text.contains(['{', '}', '@', '"', '\\']) && !text.contains(char::is_control);
        let told = match what {
            // Else every address at the domain would be one that holds itself.
            What::Local => !before.is_empty() || !behind.is_empty(),
            What::LocalAndDomain | What::DomainAndLocal => !between.is_empty(),
        };
        let whole = told && [before, between, behind].into_iter().all(plain);
        whole.then(|| Self {
            before: before.to_owned(),
            between: between.to_owned(),
            behind: behind.to_owned(),
            what,
            at,
        })
    }

    /// The address that this one holds; `None` where it holds none, or can be read in more than one way.
    pub fn unwrap(&self, address: &Address) -> Option<Address> {
        if address.domain() != self.at {
            return None;
        }
        let text = address.local_text();
        let inside = text.strip_prefix(self.before.as_str())?;
        let inside = inside.strip_suffix(self.behind.as_str())?;
        if self.what == What::Local {
            return Address::from_parts(inside, &self.at);
        }
        // A longer address is none, and is not to be cut at each of its separators.
        let short = Some(inside).filter(|inside| inside.len() <= LONGEST)?;
        let cuts = short.match_indices(self.between.as_str()).filter_map(|(at, between)| {
            let (first, second) = (&short[..at], &short[at + between.len()..]);
            let (local, domain) = match self.what {
                What::DomainAndLocal => (second, first),
                _ => (first, second),
            };
            Address::from_parts(local, domain).filter(|address| host_name(address.domain()).is_some())
        });
        let mut cuts = cuts.take(2);
        let only = cuts.next()?;
        cuts.next().is_none().then_some(only)
    }
}

/// Bytes of a local part (RFC 5321, 4.5.3.1 has 64; what holds an address has more).
const LONGEST: usize = 320;

impl<'de> Deserialize<'de> for Wrapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(
            deserializer,
            "how an address holds another, such as \"journal+{local}={domain}@example.com\"",
            Self::parse,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(wrapping: &str, address: &str) -> Option<String> {
        let wrapping = Wrapping::parse(wrapping).unwrap();
        let inner = wrapping.unwrap(&Address::parse(address).unwrap());
        inner.map(Address::into_string)
    }

    #[test]
    fn an_address_is_taken_out_of_the_one_that_holds_it() {
        for (wrapping, address, inner) in [
            (
                "journal+{local}={domain}@example.com",
                "Journal+Bob=example.net@Example.com",
                "bob@example.net",
            ),
            (
                "journal+{local}={domain}@example.com",
                "journal+a=b=example.net@example.com",
                "a=b@example.net",
            ),
            (
                "journal+{local}={domain}@example.com",
                "\"journal+a b=example.net\"@example.com",
                "\"a b\"@example.net",
            ),
            (
                "x-{local}={domain}@bücher.example",
                "x-bob=example.com@xn--bcher-kva.example",
                "bob@example.com",
            ),
            (
                "{domain}-{local}@example.com",
                "example.net-bob@example.com",
                "bob@example.net",
            ),
            (
                "{local}#{domain}@example.com",
                "bob#bücher.example@example.com",
                "bob@xn--bcher-kva.example",
            ),
            ("all-{local}@example.com", "all-bob@example.com", "bob@example.com"),
            (
                "list-bounces+{local}={domain}+v@example.com",
                "list-bounces+bob=example.net+v@example.com",
                "bob@example.net",
            ),
        ] {
            assert_eq!(unwrapped(wrapping, address).as_deref(), Some(inner), "{address}");
        }
    }

    #[test]
    fn what_holds_none_or_can_be_read_in_two_ways_is_left_as_it_is() {
        for (wrapping, address) in [
            ("journal+{local}={domain}@example.com", "journal@example.com"),
            ("journal+{local}={domain}@example.com", "journal+bob@example.com"),
            (
                "journal+{local}={domain}@example.com",
                "journal+bob=example.net@example.org",
            ),
            (
                "journal+{local}={domain}@example.com",
                "journal+=example.net@example.com",
            ),
            ("journal+{local}={domain}@example.com", "journal+bob=net@example.com"),
            (
                "journal+{local}={domain}@example.com",
                "journal+bob=x,example.net@example.com",
            ),
            ("{domain}-{local}@example.com", "a.example-b.example-bob@example.com"),
            ("all-{local}@example.com", "all-@example.com"),
        ] {
            assert_eq!(unwrapped(wrapping, address), None, "{address}");
        }
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for text in [
            "",
            "{local}",
            "{local}@example.com",
            "{local}{domain}@example.com",
            "x-{domain}@example.com",
            "x-{local}={domain}@",
            "x-{local}={local}@example.com",
            "{domain}-{local}-{domain}@example.com",
            "x-{name}@example.com",
            "x@{local}={domain}@example.com",
        ] {
            assert_eq!(Wrapping::parse(text), None, "{text}");
        }
    }
}
