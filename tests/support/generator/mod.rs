//! A multidrop mailbox as a company has it: made up, varied, and the same for the same seed.
//!
//! [`Mailbox`] yields one message after the other, so that a mailbox of any size needs no memory.
//! `company` says whose mail it is, `mail` how one message is written down and delivered, `kinds`
//! which sorts of messages there are, `text` what they are filled with, `strange` what is broken.
//! `business` is another mailbox, of larger messages, and `everyday` one that looks as people know theirs.

mod business;
mod company;
mod everyday;
mod kinds;
mod mail;
mod strange;
mod text;

use std::collections::VecDeque;

pub use business::{Business, Tally};
pub use company::{Person, company, company_of, user_tables};
pub use everyday::Everyday;
pub use strange::{many_recipients, sized, strange};
pub use text::plain;

/// The seed of every test; another one makes another mailbox.
pub const SEED: u64 = 20_020_822;

/// Which mailbox is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub messages: usize,
    pub seed: u64,
    /// About how many bytes a message has, on average.
    pub average_size: usize,
    /// How many users the company has.
    pub people: usize,
}

impl Settings {
    pub fn messages(messages: usize) -> Self {
        Self {
            messages,
            seed: SEED,
            average_size: 5_000,
            people: 25,
        }
    }
}

/// The messages of one mailbox, in the order in which they arrived.
pub struct Mailbox {
    settings: Settings,
    random: Random,
    company: Vec<Person>,
    made: usize,
    /// Seconds since 1970 of the next message.
    clock: i64,
    /// Copies that arrive after the message they belong to.
    waiting: VecDeque<Vec<u8>>,
    recent: VecDeque<Vec<u8>>,
    threads: Vec<Thread>,
    /// Files that more than one message carries.
    shared_files: Vec<Vec<u8>>,
    broken: Vec<(&'static str, Vec<u8>)>,
}

/// A conversation that goes on.
struct Thread {
    subject: String,
    ids: Vec<String>,
}

impl Mailbox {
    pub fn new(settings: Settings) -> Self {
        let mut random = Random(settings.seed);
        let shared_files = (0..12)
            .map(|_| {
                let size = random.around(settings.average_size * 2);
                text::file(&mut random, size)
            })
            .collect();
        Self {
            settings,
            random,
            company: company_of(settings.people),
            made: 0,
            clock: 1_000_000_000,
            waiting: VecDeque::new(),
            recent: VecDeque::new(),
            threads: Vec::new(),
            shared_files,
            broken: strange(),
        }
    }

    /// The same messages, but from another second on, since 1970.
    pub fn dated(mut self, second: i64) -> Self {
        self.clock = second;
        self
    }
}

impl Iterator for Mailbox {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.made == self.settings.messages {
            return None;
        }
        self.made += 1;
        self.clock += self.random.below(4_000) as i64;
        if !self.waiting.is_empty() && self.random.chance(40) {
            return self.waiting.pop_front();
        }
        let message = self.make();
        self.recent.push_back(message.clone());
        if self.recent.len() > 50 {
            self.recent.pop_front();
        }
        Some(message)
    }
}

/// SplitMix64: tiny, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit` - 1.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A size whose mean is `mean`: mostly small, sometimes several times as large.
    pub fn around(&mut self, mean: usize) -> usize {
        let uniform = (self.below(1_000_000) + 1) as f64 / 1_000_000.0;
        (-(uniform.ln()) * mean as f64) as usize + 1
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}
