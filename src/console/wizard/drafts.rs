//! The drafts of all who set up a profile. They are in memory alone, as they have secrets: few, for a session each, and
//! for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::draft::Draft;
use crate::access::words::{NoRandom, random};

/// Drafts at most; another one takes the place of the one that was not used for the longest time.
const MOST: usize = 16;
/// How long one is kept that nobody uses, and how often it is looked for such.
const LASTS: Duration = Duration::from_secs(3600);
const OFTEN: Duration = Duration::from_secs(60);

/// Cloned, they are the same.
#[derive(Clone, Default)]
pub struct Drafts(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    kept: Vec<Kept>,
    /// Those that became profiles, the newest last.
    finished: Vec<Finished>,
    /// Whether somebody looks for those that nobody uses.
    is_watched: bool,
}

struct Finished {
    number: String,
    session: String,
    /// The name of the profile.
    name: String,
}

struct Kept {
    number: String,
    /// Whose it is: what the forms of the session bear.
    session: String,
    used: Instant,
    draft: Draft,
}

impl Drafts {
    /// Keeps a new draft; gives its number.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn begin(&self, session: &str, draft: Draft) -> Result<String, NoRandom> {
        let number = hex::encode(random::<8>()?);
        let kept = Kept {
            number: number.clone(),
            session: session.to_owned(),
            used: Instant::now(),
            draft,
        };
        let mut inner = self.0.lock();
        inner.add(kept);
        if !std::mem::replace(&mut inner.is_watched, true) {
            actix_rt::spawn(self.clone().watch());
        }
        Ok(number)
    }

    /// What is done with a draft; nothing where the session has none of this number.
    pub fn with<T>(&self, session: &str, number: &str, done: impl FnOnce(&mut Draft) -> T) -> Option<T> {
        let mut inner = self.0.lock();
        let now = Instant::now();
        inner.forget(now);
        let kept = inner
            .kept
            .iter_mut()
            .find(|kept| kept.number == number && kept.session == session && !session.is_empty())?;
        kept.used = now;
        Some(done(&mut kept.draft))
    }

    /// Those of a session, with their numbers.
    pub fn of(&self, session: &str) -> Vec<(String, Draft)> {
        let mut inner = self.0.lock();
        inner.forget(Instant::now());
        let own = inner
            .kept
            .iter()
            .filter(|kept| kept.session == session && !session.is_empty());
        own.map(|kept| (kept.number.clone(), kept.draft.clone())).collect()
    }

    pub fn end(&self, session: &str, number: &str) {
        let is_it = |kept: &Kept| kept.number == number && kept.session == session;
        self.0.lock().kept.retain(|kept| !is_it(kept));
    }

    /// Ends a draft that became a profile of this name.
    pub fn finish(&self, session: &str, number: &str, name: &str) {
        self.end(session, number);
        let mut inner = self.0.lock();
        if inner.finished.len() >= MOST {
            inner.finished.remove(0);
        }
        inner.finished.push(Finished {
            number: number.to_owned(),
            session: session.to_owned(),
            name: name.to_owned(),
        });
    }

    /// The profile that a draft of the session became.
    pub fn became(&self, session: &str, number: &str) -> Option<String> {
        let inner = self.0.lock();
        let mut finished = inner.finished.iter();
        let is_it = |one: &&Finished| one.number == number && one.session == session && !session.is_empty();
        finished.find(is_it).map(|one| one.name.clone())
    }

    /// Forgets those that nobody uses, until there are none.
    async fn watch(self) {
        loop {
            actix_rt::time::sleep(OFTEN).await;
            let mut inner = self.0.lock();
            inner.forget(Instant::now());
            if inner.kept.is_empty() {
                inner.is_watched = false;
                return;
            }
        }
    }
}

impl Inner {
    fn add(&mut self, kept: Kept) {
        self.forget(kept.used);
        while self.kept.len() >= MOST {
            let oldest = self.kept.iter().enumerate().min_by_key(|(_, kept)| kept.used);
            let Some((at, _)) = oldest else { break };
            self.kept.swap_remove(at);
        }
        self.kept.push(kept);
    }

    fn forget(&mut self, now: Instant) {
        self.kept.retain(|kept| now.duration_since(kept.used) < LASTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(number: usize, used: Instant) -> Kept {
        Kept {
            number: number.to_string(),
            session: "one".into(),
            used,
            draft: Draft::new(&[]),
        }
    }

    #[test]
    fn drafts_are_few_for_a_while_and_for_their_session() {
        let (drafts, now) = (Drafts::default(), Instant::now());
        for number in 0..MOST + 3 {
            let used = now + Duration::from_millis(number as u64);
            drafts.0.lock().add(kept(number, used));
        }
        let numbers = |inner: &Inner| {
            let mut numbers: Vec<usize> = inner.kept.iter().map(|kept| kept.number.parse().unwrap()).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(numbers(&drafts.0.lock()), (3..MOST + 3).collect::<Vec<_>>());
        assert!(drafts.with("one", "5", |_| ()).is_some());
        assert_eq!(
            [drafts.of("one").len(), drafts.of("two").len(), drafts.of("").len()],
            [MOST, 0, 0]
        );
        for (session, number) in [("two", "5"), ("", "5"), ("one", "1")] {
            assert!(drafts.with(session, number, |_| ()).is_none(), "{session} {number}");
        }
        drafts.end("two", "5");
        assert!(drafts.with("one", "5", |_| ()).is_some());
        drafts.end("one", "5");
        assert!(drafts.with("one", "5", |_| ()).is_none());
        drafts.0.lock().forget(now + LASTS + Duration::from_millis(10));
        assert_eq!(numbers(&drafts.0.lock())[0], 11);
        drafts.0.lock().forget(now + LASTS * 2);
        assert!(drafts.0.lock().kept.is_empty());
    }
}
