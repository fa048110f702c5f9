//! What an opened mailbox holds: numbers, sizes and unique ids, laid close together. A server may list millions of
//! messages, so what is taken of its listing is bounded in number and in bytes.

use crate::source::CopyRef;

/// Messages that are taken. No real mailbox that is read over POP3 has nearly as many.
pub(super) const MOST: usize = 2_000_000;
/// Bytes that their unique ids may have together.
const MOST_NAMES: usize = 64 << 20;

/// Stands for a size that the server did not tell.
const NOT_TOLD: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct Message {
    number: u32,
    /// Where its unique id lies in `names`; nowhere, of no bytes, where it has none.
    name: u32,
    length: u32,
    /// As announced, in bytes.
    size: u64,
}

/// Messages in ascending order of their numbers, each number once.
#[derive(Debug, Default)]
pub struct Mailbox {
    messages: Vec<Message>,
    names: String,
    /// More was listed than is taken.
    overflowed: bool,
}

impl Mailbox {
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether the server gave each message a unique id.
    pub fn are_all_named(&self) -> bool {
        self.messages.iter().all(|message| message.length > 0)
    }

    /// Whether more was listed than is taken.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Adds what LIST says of a message: its size in bytes. [`put_in_order`](Self::put_in_order) follows the last.
    pub(super) fn add(&mut self, number: u32, size: Option<u64>) {
        if self.messages.len() >= MOST {
            self.overflowed = true;
            return;
        }
        self.messages.push(Message {
            number,
            name: 0,
            length: 0,
            size: size.unwrap_or(NOT_TOLD),
        });
    }

    /// Sorts what was added; of what was said of a number twice, the first counts.
    pub(super) fn put_in_order(&mut self) {
        self.messages.sort_by_key(|message| message.number);
        self.messages.dedup_by_key(|message| message.number);
    }

    /// Notes the unique id of a message; false where no such message was added. RFC 1939 has 1 to 70 visible ASCII
    /// characters; servers differ, and any are taken.
    pub(super) fn name(&mut self, number: u32, uidl: &str) -> bool {
        let Some(at) = self.place(number) else { return false };
        if self.names.len() + uidl.len() > MOST_NAMES {
            self.overflowed = true;
            return true;
        }
        let message = &mut self.messages[at];
        // Both are below MOST_NAMES.
        (message.name, message.length) = (self.names.len() as u32, uidl.len() as u32);
        self.names.push_str(uidl);
        true
    }

    /// The copy at a place.
    pub fn copy(&self, at: usize) -> Option<CopyRef> {
        let number = self.messages.get(at)?.number;
        Some(match self.uidl(at) {
            Some(uidl) => CopyRef::Uidl {
                number,
                uidl: uidl.into(),
            },
            None => CopyRef::Number(number),
        })
    }

    /// The unique id of the message at a place.
    pub fn uidl(&self, at: usize) -> Option<&str> {
        let message = self.messages.get(at)?;
        let begin = message.name as usize;
        self.names
            .get(begin..begin + message.length as usize)
            .filter(|uidl| !uidl.is_empty())
    }

    /// The size announced for the message at a place, in bytes.
    pub fn size(&self, at: usize) -> Option<u64> {
        let size = self.messages.get(at)?.size;
        (size != NOT_TOLD).then_some(size)
    }

    /// The place of the message with this number.
    pub(super) fn place(&self, number: u32) -> Option<usize> {
        self.messages
            .binary_search_by_key(&number, |message| message.number)
            .ok()
    }

    /// The numbers, ascending.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.messages.iter().map(|message| message.number)
    }

    /// Whether the unique ids are just the messages' numbers: in another session they may be other messages'.
    pub fn ids_are_numbers(&self) -> bool {
        let counts = |at: usize| {
            self.uidl(at)
                .is_some_and(|uidl| uidl.parse() == Ok(self.messages[at].number))
        };
        !self.is_empty() && (0..self.len()).all(counts)
    }

    /// A mailbox of messages with these unique ids and sizes.
    #[cfg(test)]
    pub fn sized(messages: &[(&str, u64)]) -> Self {
        let mut mailbox = Self::default();
        (1..)
            .zip(messages)
            .for_each(|(number, (_, size))| mailbox.add(number, Some(*size)));
        for (number, (uidl, _)) in (1..).zip(messages) {
            mailbox.name(number, uidl);
        }
        mailbox
    }

    /// A mailbox that holds these copies.
    #[cfg(test)]
    pub fn of(copies: &[CopyRef]) -> Self {
        let mut mailbox = Self::default();
        let numbered = || copies.iter().filter_map(|copy| Some((super::number(copy)?, copy)));
        numbered().for_each(|(number, _)| mailbox.add(number, None));
        mailbox.put_in_order();
        for (number, copy) in numbered() {
            if let CopyRef::Uidl { uidl, .. } = copy {
                mailbox.name(number, uidl);
            }
        }
        mailbox
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uidl(number: u32, uidl: &str) -> CopyRef {
        let uidl = uidl.into();
        CopyRef::Uidl { number, uidl }
    }

    #[test]
    fn what_comes_in_any_order_stands_in_that_of_the_numbers() {
        let copies = [uidl(3, "c"), CopyRef::Number(2), uidl(1, "a")];
        let mailbox = Mailbox::of(&copies);
        let listed: Vec<_> = (0..4).map(|at| mailbox.copy(at)).collect();
        let [third, second, first] = copies.map(Some);
        assert_eq!(listed, [first, second, third, None]);
    }

    #[test]
    fn more_than_a_mailbox_takes_is_noticed_and_not_kept() {
        let mut mailbox = Mailbox::default();
        (1..=MOST as u32 + 10).for_each(|number| mailbox.add(number, Some(1)));
        assert!(mailbox.overflowed() && mailbox.len() == MOST);
        let mut mailbox = Mailbox::default();
        (1..=100).for_each(|number| mailbox.add(number, Some(1)));
        let long = "x".repeat(1 << 20);
        for number in 1..=100 {
            mailbox.name(number, &long);
        }
        assert!(mailbox.overflowed() && mailbox.names.len() <= MOST_NAMES);
    }

    #[test]
    fn unique_ids_that_are_the_numbers_are_told_from_others() {
        assert!(Mailbox::of(&[uidl(1, "1"), uidl(2, "2")]).ids_are_numbers());
        assert!(!Mailbox::of(&[uidl(1, "1"), uidl(2, "3")]).ids_are_numbers());
        assert!(!Mailbox::of(&[uidl(1, "1"), CopyRef::Number(2)]).ids_are_numbers());
        assert!(!Mailbox::default().ids_are_numbers());
    }
}
