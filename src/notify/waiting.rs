//! Mails about runs that could not be sent yet: bounded, each with the time of its next attempt.

use std::{future, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{NotifyError, queue::Busy, troubles::Occasion};
use crate::report::{Run, RunState};

/// Pauses between the attempts for one mail: some servers ask strangers to come again in minutes.
pub const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(600),
];

/// A mail about a run, from the first attempt to the last.
pub struct PendingMail {
    pub run: Arc<Run>,
    pub occasion: Occasion,
    /// The newest run of the profile that ended meanwhile. It is judged when it is known whether this one was told.
    pub later: Option<Arc<Run>>,
    /// Until then there is something to wait for.
    pub busy: Busy,
    failed: usize,
    due: Instant,
}

impl PendingMail {
    pub fn new(run: Arc<Run>, occasion: Occasion, busy: Busy) -> Self {
        Self {
            run,
            occasion,
            later: None,
            busy,
            failed: 0,
            due: Instant::now(),
        }
    }

    /// An attempt failed: how long it is until the next one, if there will be one.
    pub fn failed(&mut self, error: &NotifyError) -> Option<Duration> {
        let pause = *PAUSES.get(self.failed).filter(|_| !error.is_final())?;
        self.failed += 1;
        self.due = Instant::now() + pause;
        Some(pause)
    }

    fn is_of(&self, run: &Run) -> bool {
        self.run.profile == run.profile && self.run.import.is_empty() && run.import.is_empty()
    }
}

pub struct Waiting {
    most: usize,
    /// In the order of their runs.
    entries: Vec<PendingMail>,
}

impl Waiting {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            entries: Vec::new(),
        }
    }

    /// Lets a run wait for the mail about an earlier one of its profile; whether one waits. Of several the last counts.
    pub fn hold(&mut self, run: &Arc<Run>) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.is_of(run)) else {
            return false;
        };
        // An interrupted run says nothing of whether the profile works.
        if entry.later.is_none() || run.state != RunState::Interrupted {
            entry.later = Some(run.clone());
        }
        true
    }

    /// Puts one that failed behind the others. Gives the one that goes for it: the oldest that says nothing new, else
    /// the oldest.
    pub fn put(&mut self, entry: PendingMail) -> Option<PendingMail> {
        self.entries.push(entry);
        if self.entries.len() <= self.most {
            return None;
        }
        let nothing_new = |entry: &PendingMail| entry.occasion == Occasion::Always;
        let dropped = self.entries.iter().position(nothing_new).unwrap_or_default();
        Some(self.entries.remove(dropped))
    }

    /// The next one, when it is due; never where there is none. Dropped while it waits, nothing is lost.
    pub async fn due(&mut self) -> PendingMail {
        let first = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.due);
        let Some((first, due)) = first.map(|(place, entry)| (place, entry.due)) else {
            return future::pending().await;
        };
        sleep_until(due).await;
        self.entries.remove(first)
    }

    /// All are due now, and have all attempts before them: the settings are others.
    pub fn anew(&mut self) {
        for entry in &mut self.entries {
            (entry.failed, entry.due) = (0, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::notify::queue::Queue;

    fn entry(queue: &Queue<()>, profile: &str, occasion: Occasion) -> PendingMail {
        let run = Run::begin(profile, Timestamp::UNIX_EPOCH);
        PendingMail::new(Arc::new(run), occasion, queue.busy())
    }

    fn passes() -> NotifyError {
        NotifyError::Smtp {
            host: "mail.example.com".into(),
            during: "greeting",
            words: "421 not now".into(),
            is_final: false,
        }
    }

    #[tokio::test]
    async fn one_that_cannot_be_sent_holds_up_none_that_is_due_earlier() {
        let (queue, mut waiting) = (Queue::new(1), Waiting::new(2));
        let (mut stuck, mut first) = (
            entry(&queue, "stuck", Occasion::Begins),
            entry(&queue, "first", Occasion::Begins),
        );
        let pauses: Vec<_> = std::iter::from_fn(|| stuck.failed(&passes())).collect();
        assert_eq!(pauses, PAUSES);
        assert_eq!(first.failed(&passes()), Some(PAUSES[0]));
        assert!(waiting.put(stuck).is_none() && waiting.put(first).is_none());
        assert_eq!(waiting.due().await.run.profile, "first");
        let due = tokio::time::timeout(Duration::from_millis(20), waiting.due());
        assert!(due.await.is_err());
        waiting.anew();
        assert_eq!(waiting.due().await.run.profile, "stuck");
    }

    #[test]
    fn of_too_many_the_one_that_says_nothing_new_goes() {
        let (queue, mut waiting) = (Queue::new(1), Waiting::new(2));
        let dropped = [
            ("a", Occasion::Begins),
            ("b", Occasion::Always),
            ("c", Occasion::Begins),
            ("d", Occasion::Begins),
        ]
        .map(|(profile, occasion)| waiting.put(entry(&queue, profile, occasion)));
        let dropped = dropped.map(|entry| entry.map(|entry| entry.run.profile.clone()));
        assert_eq!(dropped, [None, None, Some("b".into()), Some("a".into())]);
    }

    #[test]
    fn of_the_runs_that_end_while_a_mail_waits_the_last_is_kept() {
        let (queue, mut waiting) = (Queue::new(1), Waiting::new(2));
        assert!(waiting.put(entry(&queue, "a", Occasion::Begins)).is_none());
        let run = |profile: &str, state| {
            let mut run = Run::begin(profile, Timestamp::UNIX_EPOCH);
            run.state = state;
            Arc::new(run)
        };
        assert!(!waiting.hold(&run("b", RunState::Failed)));
        for state in [RunState::Failed, RunState::Completed, RunState::Interrupted] {
            assert!(waiting.hold(&run("a", state)));
        }
        let later = waiting.entries[0].later.clone().unwrap();
        assert_eq!(later.state, RunState::Completed);
    }
}
