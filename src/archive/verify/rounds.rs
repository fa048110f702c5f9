//! Which portion of the archive is verified tonight, and what is remembered of the nights before. Pure.
//!
//! A round goes through all of the archive, in the order in which it came. What is left of it is divided by the nights
//! that are left, so a night that was missed is made up for by those that follow. If a portion is damaged, all is
//! verified in each night until nothing is damaged any more: so it is known how much is, and whether it was repaired.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::stretches::{Portion, Reached};
use crate::archive::rows::MessageId;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long after a portion the next one may come: less than a day, as nights do not begin at the same second.
const BETWEEN: SignedDuration = SignedDuration::from_hours(12);
/// How late a portion may be before somebody is told.
const GRACE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What is remembered; `meta`, "verified", as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rounds {
    /// Since when portions are verified.
    pub since: Option<Timestamp>,
    /// When the round began that goes on.
    began: Option<Timestamp>,
    reached: Reached,
    /// The nights of that round, and of the one before.
    nights: Vec<Night>,
    before: Vec<Night>,
    /// When the last portion was verified, and the last one of a round.
    pub last: Option<Timestamp>,
    pub all: Option<Timestamp>,
    /// Damages in the last portion.
    pub damages: u64,
}

/// The messages below this one were verified by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Night {
    below: MessageId,
    at: Timestamp,
}

impl Rounds {
    /// What is to be verified now, where all is to be within the time `every`; `None` where it was tonight.
    pub fn due(&self, every: Duration, now: Timestamp) -> Option<Portion> {
        // A clock that was set back puts nothing off.
        if self.last.is_some_and(|last| now.duration_since(last).abs() < BETWEEN) {
            return None;
        }
        if self.damages > 0 {
            return Some(Portion {
                reached: Reached::default(),
                nights: 1,
            });
        }
        let began = self.began.filter(|began| *began <= now).unwrap_or(now);
        let left = signed(every) - now.duration_since(began);
        // Half a day is none: the last night of a round would not be over when it ends.
        let nights = (left + BETWEEN).as_secs() / DAY.as_secs();
        Some(Portion {
            reached: self.reached.clone(),
            nights: nights.max(1).unsigned_abs(),
        })
    }

    /// This portion was verified from `began` to `now`, had so many damages, and the round came so far.
    pub fn verified(
        &mut self,
        portion: &Portion,
        reached: Reached,
        damages: u64,
        (began, now): (Timestamp, Timestamp),
    ) {
        self.since.get_or_insert(began);
        self.began = self.began.filter(|earlier| *earlier <= began).or(Some(began));
        if portion.reached == Reached::default() {
            self.nights.clear();
        }
        self.last = Some(now);
        self.damages = damages;
        self.nights.push(Night {
            below: reached.message,
            at: began,
        });
        self.reached = reached;
        if portion.nights <= 1 {
            self.all = Some(now);
            self.before = std::mem::take(&mut self.nights);
        }
        if portion.nights <= 1 || damages > 0 {
            (self.began, self.reached) = (None, Reached::default());
            self.nights.clear();
        }
    }

    /// When that was verified for the last time which is next in turn; where it never was, since when portions are
    /// verified.
    pub fn oldest(&self) -> Option<Timestamp> {
        let covers = |night: &&Night| night.below > self.reached.message;
        let night = self.before.iter().find(covers).or(self.before.last());
        night.map(|night| night.at).or(self.since)
    }

    /// Whether more time has gone by than `every`.
    pub fn is_late(&self, every: Duration, now: Timestamp) -> bool {
        let most = signed(every) + GRACE;
        self.oldest().is_some_and(|oldest| now.duration_since(oldest) > most)
    }
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::super::stretches::Stretches;
    use super::*;

    const EVERY: Duration = Duration::from_secs(30 * 86_400);
    const MESSAGES: u64 = 3000;

    /// A night at two o'clock, counted from one of them.
    fn night(number: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + number * 86_400).unwrap()
    }

    /// Verifies what is due, as a process would; gives how many messages that is.
    fn verify(rounds: &mut Rounds, number: i64, damages: u64) -> u64 {
        let portion = rounds.due(EVERY, night(number)).unwrap();
        let from = portion.reached.message.0.max(1);
        let to = from + (MESSAGES + 1 - from).div_ceil(portion.nights);
        let reached = Reached::behind(MessageId(to), &Stretches::default());
        let ended = night(number) + SignedDuration::from_mins(20);
        assert_eq!(rounds.due(EVERY, ended), Some(portion.clone()));
        rounds.verified(&portion, reached, damages, (night(number), ended));
        assert_eq!(rounds.due(EVERY, ended), None);
        let json = serde_json::to_string(rounds).unwrap();
        assert_eq!(&serde_json::from_str::<Rounds>(&json).unwrap(), rounds, "{json}");
        to - from
    }

    #[test]
    fn all_is_verified_in_the_nights_of_a_round_each_as_much() {
        let mut rounds = Rounds::default();
        for round in 0..3 {
            for number in 0..30 {
                assert_eq!(rounds.all.is_some(), round > 0);
                assert_eq!(verify(&mut rounds, round * 30 + number, 0), 100, "night {number}");
                let next = round * 30 + number + 1;
                let oldest = if next < 30 { 0 } else { next - 30 };
                assert_eq!(rounds.oldest(), Some(night(oldest)));
                assert!(!rounds.is_late(EVERY, night(next)));
            }
        }
        assert!(!rounds.is_late(EVERY, night(92)));
        assert!(rounds.is_late(EVERY, night(94)));
    }

    #[test]
    fn nights_that_were_missed_are_made_up_for() {
        let mut rounds = Rounds::default();
        let mut all = verify(&mut rounds, 0, 0);
        for number in 15..30 {
            all += verify(&mut rounds, number, 0);
        }
        assert_eq!((all, rounds.all.is_some()), (MESSAGES, true));
        verify(&mut rounds, 30, 0);
        assert_eq!(verify(&mut rounds, 90, 0), MESSAGES - 100);
    }

    #[test]
    fn as_long_as_something_is_damaged_all_is_verified_each_night() {
        let mut rounds = Rounds::default();
        verify(&mut rounds, 0, 0);
        assert_eq!(verify(&mut rounds, 1, 5), 100);
        assert_eq!((rounds.damages, rounds.all), (5, None));
        assert_eq!(verify(&mut rounds, 2, 7), MESSAGES);
        assert_eq!(rounds.damages, 7);
        assert_eq!(verify(&mut rounds, 3, 0), MESSAGES);
        assert_eq!((rounds.damages, rounds.oldest()), (0, Some(night(3))));
        assert_eq!(verify(&mut rounds, 4, 0), 100);
    }

    #[test]
    fn a_clock_that_was_set_back_puts_nothing_off() {
        let mut rounds = Rounds::default();
        verify(&mut rounds, 100, 0);
        assert_eq!(verify(&mut rounds, 0, 0), 97);
        assert_eq!(verify(&mut rounds, 1, 0), 97);
    }
}
