//! How much is fetched at once, and how much of it travels on together.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    budget::{Budget, Share},
    jobs::{ListedFolder, Told},
};
use crate::{
    report::CopyError,
    source::{Announced, Fetched},
};

/// Copies whose sizes are asked for at once.
pub const SIZES: usize = 10_000;
/// Announced bytes, and copies, of one window. Each costs a round trip, and servers a look at the whole folder:
/// Dovecot 2.3 reads a Maildir's folder anew for every command, 0.3 s at 200,000 messages.
pub const WINDOW_BYTES: u64 = 16 << 20;
pub const WINDOW_COPIES: usize = 4000;
/// Bytes, and copies, that travel together at most: enough that a message between the stages costs next to nothing for
/// each of them, and little enough that the stages work side by side.
const TOGETHER_BYTES: usize = 1 << 20;
const TOGETHER_COPIES: usize = 256;
/// How long the first of them waits for others, where a server is slow.
const TOGETHER_WITHIN: Duration = Duration::from_millis(100);
/// Bytes that the headers of one copy are taken to have, for the budget.
pub const HEADER_BYTES: u64 = 8 << 10;

/// Cuts copies into windows by the bytes that each brings. A larger copy is a window by itself.
pub fn windows(copies: Vec<Announced>, most_bytes: u64, bytes_of: impl Fn(&Announced) -> u64) -> Vec<Vec<Announced>> {
    let mut windows = Vec::new();
    let mut rest = std::collections::VecDeque::from(copies);
    while !rest.is_empty() {
        windows.push(window(&mut rest, most_bytes, WINDOW_COPIES, &bytes_of));
    }
    windows
}

/// The next window: so many bytes and copies at most, and one copy at least.
pub fn window(
    copies: &mut std::collections::VecDeque<Announced>,
    most_bytes: u64,
    most_copies: usize,
    bytes_of: impl Fn(&Announced) -> u64,
) -> Vec<Announced> {
    let mut window = Vec::new();
    let mut bytes = 0u64;
    while let Some(next) = copies.front() {
        bytes = bytes.saturating_add(bytes_of(next));
        if !window.is_empty() && (bytes > most_bytes || window.len() >= most_copies) {
            break;
        }
        window.extend(copies.pop_front());
    }
    window
}

/// Whether copies fill a window.
pub fn fill_a_window(copies: &std::collections::VecDeque<Announced>, most_bytes: u64, most_copies: usize) -> bool {
    copies.len() >= most_copies || copies.iter().map(|one| one.size).sum::<u64>() >= most_bytes
}

/// A copy as it was fetched.
pub struct Arrived {
    /// Its place among the copies of its unit.
    pub place: usize,
    pub fetched: Fetched,
    /// Its size in bytes, as the server announced it.
    pub announced: u64,
    /// Something to be said of it, though nothing failed.
    pub remark: Option<CopyError>,
}

/// Copies of one folder that travel together, from the fetch to their outcomes, with their share of the budget.
pub struct Together {
    pub folder: Arc<ListedFolder>,
    /// Where it is noted which of them have their outcomes.
    pub told: Told,
    pub copies: Vec<Arrived>,
    pub share: Share,
    bytes: usize,
    since: Instant,
}

impl Together {
    pub fn new(folder: Arc<ListedFolder>, told: Told, budget: &Budget) -> Self {
        Self {
            folder,
            told,
            copies: Vec::new(),
            share: Share::none(budget),
            bytes: 0,
            since: Instant::now(),
        }
    }

    /// Takes one more in. Gives those that are to set off now, if any.
    pub fn add(&mut self, arrived: Arrived, share: Share) -> Option<Self> {
        if self.copies.is_empty() {
            self.since = Instant::now();
        }
        self.bytes += arrived.fetched.bytes.len();
        self.copies.push(arrived);
        self.share.add(share);
        let is_full = self.bytes >= TOGETHER_BYTES || self.copies.len() >= TOGETHER_COPIES;
        (is_full || self.since.elapsed() >= TOGETHER_WITHIN).then(|| self.take())
    }

    /// All that is there; what comes next is another window.
    pub fn take(&mut self) -> Self {
        let next = Self {
            folder: self.folder.clone(),
            told: self.told.clone(),
            copies: Vec::new(),
            share: self.share.empty(),
            bytes: 0,
            since: self.since,
        };
        std::mem::replace(self, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CopyRef;

    #[test]
    fn what_is_too_little_for_a_window_waits_for_more() {
        let copies = (0..5).map(|n| Announced {
            copy: CopyRef::Uid(n),
            size: 10,
            facts: None,
        });
        let copies = copies.collect();
        for (most_bytes, most_copies, fills) in [(50, 6, true), (51, 6, false), (51, 5, true)] {
            assert_eq!(fill_a_window(&copies, most_bytes, most_copies), fills);
        }
    }

    #[test]
    fn windows_are_bounded_in_bytes_and_copies() {
        let sizes = [1 << 20, 2 << 20, 2 << 20, 9 << 20, 1];
        let copies = sizes.iter().enumerate().map(|(n, size)| Announced {
            copy: CopyRef::Uid(n as u32),
            size: *size,
            facts: None,
        });
        let lengths: Vec<usize> = windows(copies.collect(), 4 << 20, |one| one.size)
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
        let many = (0..8001)
            .map(|n| Announced {
                copy: CopyRef::Uid(n),
                size: 1,
                facts: None,
            })
            .collect();
        assert_eq!(
            windows(many, 4 << 20, |one| one.size)
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>(),
            [4000, 4000, 1]
        );
    }
}
