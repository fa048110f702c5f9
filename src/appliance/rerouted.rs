//! How far a rerouting is, or how the last one ended, for whoever did not ask for it.

use std::sync::Arc;

use crate::{
    api::{Exit, Reply},
    ids::RunId,
    report::Run,
};

/// A rerouting: one that is going on, or the last one.
#[derive(Default)]
pub struct Rerouted {
    /// 0 of one that files nothing, and before it has a number.
    run: RunId,
    done: u64,
    expected: u64,
    bytes: u64,
    ended: Option<(Arc<Run>, Exit)>,
}

impl Rerouted {
    /// Notes what it says of itself.
    pub fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::Progress {
                run,
                done,
                expected,
                bytes,
            } => (self.run, self.done, self.expected, self.bytes) = (*run, *done, *expected, *bytes),
            Reply::Finished { run, exit } => self.ended = Some((run.clone(), *exit)),
            _ => {}
        }
    }

    /// How far it is; how it ended, where it has.
    pub fn reply(&self) -> Reply {
        match &self.ended {
            Some((run, exit)) => Reply::Finished {
                run: run.clone(),
                exit: *exit,
            },
            None => Reply::Progress {
                run: self.run,
                done: self.done,
                expected: self.expected,
                bytes: self.bytes,
            },
        }
    }

    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// How far it is, where it is this run and goes on.
    pub fn progress_of(&self, run: RunId) -> Option<Reply> {
        (self.run == run && !self.is_over()).then(|| self.reply())
    }

    /// The run that was stored when it began, as far as it is counted now.
    pub fn counted(&self, mut stored: Run) -> Run {
        if self.progress_of(stored.run).is_some() {
            (stored.counts.seen, stored.counts.bytes) = (self.done, self.bytes);
        }
        stored
    }
}

#[test]
fn a_rerouting_is_known_while_it_goes_on_and_when_it_has_ended() {
    let mut rerouted = Rerouted::default();
    let progress = |run, done| Reply::Progress {
        run: RunId(run),
        done,
        expected: 9,
        bytes: 100,
    };
    rerouted.note(&progress(7, 3));
    assert!(rerouted.progress_of(RunId(7)).is_some() && rerouted.progress_of(RunId(6)).is_none());
    let stored = |run| Run {
        run: RunId(run),
        ..Run::default()
    };
    let counted = [7, 6].map(|run| rerouted.counted(stored(run)).counts.seen);
    assert_eq!(counted, [3, 0]);
    rerouted.note(&Reply::Finished {
        run: Arc::new(stored(7)),
        exit: Exit::Done,
    });
    assert!(rerouted.is_over() && rerouted.progress_of(RunId(7)).is_none());
    assert!(matches!(rerouted.reply(), Reply::Finished { .. }));
}
