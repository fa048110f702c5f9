//! Guessing is slowed down: after some failures whoever tries again has to wait, longer each time, up to a limit, and
//! nobody is locked out for ever. Counted for each account and for each network that log-ins come from, in so much
//! memory and no more.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use lru::LruCache;
use parking_lot::Mutex;

use super::words::{Digest, digest};

/// Failures after which there is a wait.
const FREE_OF_ACCOUNT: u32 = 5;
const FREE_OF_NETWORK: u32 = 10;
/// The first wait; each is twice the one before, up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Without a failure for this time, all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Tries at once from a network where nobody guesses; there are no more on their way than fit into memory anyway.
const AT_ONCE: usize = 128;
/// Accounts, networks, and pairs of both that are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// What failed how often.
#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// What is counted.
#[derive(Clone, Copy, Hash, PartialEq, Eq)]
struct Key(Digest);

impl Key {
    fn account(name: &str) -> Self {
        Self(digest("dropkeep slowing account 1", name.as_bytes()))
    }

    fn application(name: &str) -> Self {
        Self(digest("dropkeep slowing application 1", name.as_bytes()))
    }

    /// An IPv6 customer has at least a /64.
    fn network(address: &str) -> Self {
        let network = match address.parse() {
            Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(mapped) => mapped.to_string(),
                None => Ipv6Addr::from(u128::from(address) >> 64 << 64).to_string(),
            },
            _ => address.to_owned(),
        };
        Self(digest("dropkeep slowing network 1", network.as_bytes()))
    }

    fn both(account: Self, network: Self) -> Self {
        Self(digest("dropkeep slowing both 1", &[account.0, network.0].concat()))
    }
}

struct Tables {
    accounts: LruCache<Key, Failures>,
    networks: LruCache<Key, Failures>,
    /// Tries that go on, by network.
    going_on: HashMap<Key, usize>,
    /// Where an account was logged in to before: strangers who guess do not slow these down.
    known: LruCache<Key, ()>,
    /// Failures of accounts at networks that are known.
    at_known: LruCache<Key, Failures>,
}

/// Counts failures.
pub struct Slowing(Mutex<Tables>);

impl Default for Slowing {
    fn default() -> Self {
        Self(Mutex::new(Tables {
            accounts: LruCache::new(KEPT),
            networks: LruCache::new(KEPT),
            going_on: HashMap::new(),
            known: LruCache::new(KEPT),
            at_known: LruCache::new(KEPT),
        }))
    }
}

/// A log-in that goes on. Unless it is said otherwise, it failed.
pub struct Try<'s> {
    slowing: &'s Slowing,
    account: Key,
    network: Key,
}

impl Slowing {
    /// Begins a log-in to the account of this name.
    ///
    /// # Errors
    /// How long to wait before that.
    pub fn begin(&self, name: &str, address: &str, now: Instant) -> Result<Try<'_>, Duration> {
        self.begin_of(Key::account(name), address, now)
    }

    /// The same by an application password. That one is right says nothing of those who guess at the account's own password:
    /// both are counted apart.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_application(&self, name: &str, address: &str, now: Instant) -> Result<Try<'_>, Duration> {
        self.begin_of(Key::application(name), address, now)
    }

    fn begin_of(&self, account: Key, address: &str, now: Instant) -> Result<Try<'_>, Duration> {
        let network = Key::network(address);
        let tables = &mut *self.0.lock();
        let (of_account, key, wait) = tables.of_account(account, network, now);
        if let Some(wait) = wait {
            return Err(wait);
        }
        // Of many tries at once each counts, until it is known to be none.
        note(of_account, key, now);
        let going_on = tables.going_on.entry(network).or_default();
        *going_on += 1;
        Ok(Try {
            slowing: self,
            account,
            network,
        })
    }
}

impl Tables {
    /// Where failures of an account from this network are counted, and how long to wait.
    fn of_account(
        &mut self,
        account: Key,
        network: Key,
        now: Instant,
    ) -> (&mut LruCache<Key, Failures>, Key, Option<Duration>) {
        let both = Key::both(account, network);
        if self.known.contains(&both) {
            let wait = left(self.at_known.get(&both), FREE_OF_ACCOUNT, now);
            return (&mut self.at_known, both, wait);
        }
        let failures = self.networks.get(&network);
        // A whole company may come from one network, as long as nobody guesses there.
        let most = match failures.is_some_and(|failures| failures.count >= FREE_OF_NETWORK) {
            true => 1,
            false => AT_ONCE,
        };
        let is_full = self.going_on.get(&network).is_some_and(|going_on| *going_on >= most);
        let waits = [
            left(failures, FREE_OF_NETWORK, now),
            left(self.accounts.get(&account), FREE_OF_ACCOUNT, now),
            is_full.then_some(FIRST),
        ];
        (&mut self.accounts, account, waits.into_iter().flatten().max())
    }
}

impl Try<'_> {
    /// It succeeded.
    pub fn succeeded(self) {
        let both = Key::both(self.account, self.network);
        let tables = &mut *self.slowing.0.lock();
        tables.accounts.pop(&self.account);
        tables.known.put(both, ());
        tables.at_known.pop(&both);
        self.ended(tables);
    }

    /// It was no guess, and has not succeeded yet: it alone is taken back.
    pub fn no_guess(self) {
        let tables = &mut *self.slowing.0.lock();
        let (of_account, key, _) = tables.of_account(self.account, self.network, Instant::now());
        if let Some(failures) = of_account.get_mut(&key) {
            failures.count = failures.count.saturating_sub(1);
        }
        self.ended(tables);
    }

    /// Without a failure of its network.
    fn ended(self, tables: &mut Tables) {
        tables.ended(self.network);
        std::mem::forget(self);
    }
}

impl Tables {
    fn ended(&mut self, network: Key) {
        if let Some(going_on) = self.going_on.get_mut(&network) {
            *going_on -= 1;
            if *going_on == 0 {
                self.going_on.remove(&network);
            }
        }
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        let tables = &mut *self.slowing.0.lock();
        tables.ended(self.network);
        note(&mut tables.networks, self.network, Instant::now());
    }
}

fn note(failures: &mut LruCache<Key, Failures>, key: Key, now: Instant) {
    let before = failures
        .get(&key)
        .filter(|before| now.duration_since(before.last) < FORGOTTEN);
    let count = before.map_or(0, |before| before.count).saturating_add(1);
    failures.put(key, Failures { count, last: now });
}

/// What is left of the wait after these failures.
fn left(failures: Option<&Failures>, free: u32, now: Instant) -> Option<Duration> {
    let failures = failures.filter(|failures| failures.count >= free)?;
    let doublings = (failures.count - free).min(16);
    let wait = (FIRST * (1 << doublings)).min(LONGEST);
    let since = now.duration_since(failures.last);
    wait.checked_sub(since).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "192.0.2.1";
    const AWAY: &str = "198.51.100.7";

    /// Tries as often as it may at `now`; how often that was, and how long to wait then.
    fn guess(slowing: &Slowing, name: &str, address: &str, now: Instant) -> (u32, Duration) {
        let mut tries = 0;
        loop {
            match slowing.begin(name, address, now) {
                Err(wait) => return (tries, wait),
                Ok(_) => tries += 1,
            }
        }
    }

    #[test]
    fn who_guesses_waits_longer_each_time_and_never_for_ever() {
        let (slowing, mut now) = (Slowing::default(), Instant::now());
        let (tries, first) = guess(&slowing, "jane", AWAY, now);
        assert_eq!((tries, first), (FREE_OF_ACCOUNT, FIRST));
        let mut waits = vec![first];
        for _ in 0..20 {
            now += *waits.last().unwrap();
            let (tries, wait) = guess(&slowing, "jane", HOME, now);
            assert!(tries <= 1);
            waits.push(wait);
        }
        assert!(waits.is_sorted(), "{waits:?}");
        assert_eq!(*waits.last().unwrap(), LONGEST);
        now += FORGOTTEN;
        assert_eq!(guess(&slowing, "jane", "203.0.113.9", now).0, FREE_OF_ACCOUNT);
    }

    #[test]
    fn who_was_there_before_is_not_slowed_down_by_strangers() {
        let (slowing, now) = (Slowing::default(), Instant::now());
        slowing.begin("jane", HOME, now).unwrap().succeeded();
        for stranger in 0..50 {
            let address = format!("203.0.113.{stranger}");
            let _ = guess(&slowing, "jane", &address, now);
            // Nor by those who guess in the same network.
            let _ = guess(&slowing, &stranger.to_string(), HOME, now);
        }
        assert!(slowing.begin("jane", AWAY, now).is_err());
        assert!(slowing.begin("joan", HOME, now).is_err());
        slowing.begin("jane", HOME, now).unwrap().succeeded();
        assert_eq!(guess(&slowing, "jane", HOME, now).0, FREE_OF_ACCOUNT);
    }

    #[test]
    fn who_knows_the_password_could_guess_codes_without_waiting() {
        let (slowing, now) = (Slowing::default(), Instant::now());
        let mut guesses = 0;
        for _ in 0..50 {
            // The password alone, which asks for a code, and then a wrong one.
            if let Ok(one) = slowing.begin("jane", AWAY, now) {
                one.no_guess();
            }
            guesses += u32::from(slowing.begin("jane", AWAY, now).is_ok());
        }
        assert_eq!(guesses, FREE_OF_ACCOUNT);
    }

    #[test]
    fn an_application_password_had_guesses_at_the_password_forgotten() {
        let (slowing, now) = (Slowing::default(), Instant::now());
        assert_eq!(guess(&slowing, "jane", AWAY, now).0, FREE_OF_ACCOUNT);
        slowing.begin_application("jane", AWAY, now).unwrap().succeeded();
        assert!(slowing.begin("jane", AWAY, now).is_err());
    }

    #[test]
    fn a_network_that_guesses_at_many_accounts_waits_and_a_customer_is_one_network() {
        let (slowing, now) = (Slowing::default(), Instant::now());
        let mut tries = 0;
        for account in 0..100 {
            let address = format!("2001:db8:0:1::{account:x}");
            tries += u32::from(slowing.begin(&account.to_string(), &address, now).is_ok());
        }
        assert_eq!(tries, FREE_OF_NETWORK);
        assert!(slowing.begin("x", "2001:db8:0:2::1", now).is_ok());
        assert!(slowing.begin("x", "2001:db8:0:1::ffff", now).is_err());
    }

    #[test]
    fn a_company_that_logs_in_at_once_waits_for_nobody() {
        let (slowing, now) = (Slowing::default(), Instant::now());
        let tries: Vec<_> = (0..200)
            .map(|number| slowing.begin(&number.to_string(), HOME, now))
            .collect();
        assert_eq!(tries.iter().filter(|one| one.is_ok()).count(), AT_ONCE);
        tries.into_iter().flatten().for_each(Try::succeeded);
        assert!(slowing.0.lock().going_on.is_empty());
        // Where somebody guesses, one at a time is tried.
        let _ = guess(&slowing, "jane", HOME, now);
        let _ = guess(&slowing, "joan", HOME, now);
        let later = now + LONGEST;
        let first = slowing.begin("rita", HOME, later);
        assert!(first.is_ok() && slowing.begin("bob", HOME, later).is_err());
    }

    #[test]
    fn memory_does_not_grow_with_what_strangers_try() {
        let (slowing, now) = (Slowing::default(), Instant::now());
        for stranger in 0..20_000_u32 {
            let address = Ipv6Addr::from(u128::from(stranger) << 64).to_string();
            drop(slowing.begin(&stranger.to_string(), &address, now));
        }
        let tables = slowing.0.lock();
        assert_eq!(tables.accounts.len(), KEPT.get());
        assert_eq!(tables.networks.len(), KEPT.get());
        assert!(tables.going_on.is_empty());
    }
}
