//! Where the bytes of a group go: laid one behind the other into blocks.

use std::{borrow::Cow, cell::RefCell, ops::Range, sync::Arc};

use super::{StoreError, block, deposit::Content, part, rows::Place};

/// Stretches up to this size are never cut at a block's end, so that reading them takes one block.
const WHOLE: usize = block::BLOCK_SIZE / 4;

thread_local! {
    /// Where a block is put together: memory that was used just now costs half of what fresh memory does.
    static TOGETHER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that are to be laid down.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Of a message, as they came.
    Message(Arc<Content>, Range<usize>),
    /// Of one of its parts, by its number.
    Part(Arc<Content>, usize, Range<usize>),
    /// Given as they are.
    Bytes(bytes::Bytes),
}

impl Source {
    fn length(&self) -> usize {
        match self {
            Self::Message(_, range) | Self::Part(_, _, range) => range.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Cuts off the first `length` bytes.
    fn split_to(&mut self, length: usize) -> Self {
        let cut = |range: &mut Range<usize>| {
            let head = range.start..range.start + length;
            range.start = head.end;
            head
        };
        match self {
            Self::Message(content, range) => Self::Message(content.clone(), cut(range)),
            Self::Part(content, number, range) => Self::Part(content.clone(), *number, cut(range)),
            Self::Bytes(bytes) => Self::Bytes(bytes.split_to(length)),
        }
    }

    fn bytes(&self) -> Result<Cow<'_, [u8]>, String> {
        match self {
            Self::Message(content, range) => Ok(Cow::Borrowed(&content.bytes[range.clone()])),
            Self::Part(content, number, range) => content.parts[*number].bytes(&content.bytes, range.clone()),
            Self::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        }
    }
}

/// The blocks of a group.
#[derive(Debug)]
pub(super) struct Layout {
    volume: u32,
    /// The number of the first.
    first: u64,
    blocks: Vec<Vec<Source>>,
    /// Bytes in the last of them.
    filled: usize,
}

impl Layout {
    pub fn new(volume: u32, first: u64) -> Self {
        Self {
            volume,
            first,
            blocks: Vec::new(),
            filled: block::BLOCK_SIZE,
        }
    }

    /// Lays `sources` down, one behind the other, and says where. What is large goes on in the blocks that follow.
    pub fn add(&mut self, sources: Vec<Source>) -> Place {
        let length: usize = sources.iter().map(Source::length).sum();
        let room = block::BLOCK_SIZE - self.filled;
        // A part is cut between groups of three bytes, so it needs room for one.
        if room < 3 || (length > room && length <= WHOLE) {
            self.begin();
        }
        let place = Place {
            volume: self.volume,
            block: self.first + self.blocks.len() as u64 - 1,
            offset: self.filled as u64,
            length: length as u64,
        };
        for mut source in sources {
            while source.length() > block::BLOCK_SIZE - self.filled {
                let now = (block::BLOCK_SIZE - self.filled) / 3 * 3;
                let head = source.split_to(now);
                self.push(head);
                self.begin();
            }
            self.push(source);
        }
        place
    }

    /// The inline bytes of a message.
    pub fn add_inline(&mut self, content: &Arc<Content>) -> Place {
        let stretches = part::inline(content.bytes.len(), &content.parts);
        self.add(
            stretches
                .into_iter()
                .map(|range| Source::Message(content.clone(), range))
                .collect(),
        )
    }

    /// One of a message's parts.
    pub fn add_part(&mut self, content: &Arc<Content>, number: usize) -> Place {
        let stored = content.parts[number].stored;
        self.add(vec![Source::Part(content.clone(), number, 0..stored)])
    }

    fn begin(&mut self) {
        self.blocks.push(Vec::new());
        self.filled = 0;
    }

    fn push(&mut self, source: Source) {
        self.filled += source.length();
        if let (Some(block), false) = (self.blocks.last_mut(), source.length() == 0) {
            block.push(source);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many blocks there are.
    pub fn len(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// The number of the first block.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Compresses some of the blocks, by their place in the group.
    ///
    /// # Errors
    /// zstd has no memory, or a part is not what it was measured as.
    pub fn pack(&self, which: Range<usize>, level: i32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        use rayon::prelude::*;
        let pack = |index: usize| {
            let number = self.first + index as u64;
            let pieces = self.blocks[index]
                .iter()
                .map(Source::bytes)
                .collect::<Result<Vec<_>, _>>();
            let pieces = pieces.map_err(|detail| StoreError::Fault { detail })?;
            let packed = match pieces.as_slice() {
                [one] => block::pack(number, one, level),
                many => TOGETHER.with_borrow_mut(|together| {
                    together.clear();
                    many.iter().for_each(|piece| together.extend_from_slice(piece));
                    block::pack(number, together, level)
                }),
            };
            packed
                .map(|block| (number, block))
                .map_err(StoreError::io("compressing for", "the volume"))
        };
        which.into_par_iter().map(pack).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Vec<Source> {
        vec![Source::Bytes(bytes::Bytes::from(vec![b'x'; length]))]
    }

    #[test]
    fn what_is_small_lies_in_one_block_and_what_is_large_goes_on_in_the_next() {
        let mut layout = Layout::new(3, 10);
        let at = |place: Place| (place.volume, place.block, place.offset, place.length);
        assert_eq!(at(layout.add(bytes(0))), (3, 10, 0, 0));
        assert_eq!(
            at(layout.add(bytes(block::BLOCK_SIZE - 100))),
            (3, 10, 0, (block::BLOCK_SIZE - 100) as u64)
        );
        assert_eq!(at(layout.add(bytes(101))), (3, 11, 0, 101), "small and whole");
        let large = 2 * block::BLOCK_SIZE;
        assert_eq!(at(layout.add(bytes(large))), (3, 11, 101, large as u64));
        assert_eq!(layout.len(), 4);
        let next = layout.add(bytes(5));
        assert_eq!((next.block, next.length), (13, 5));
        // Every block but the last is full but for what a group of three does not fill.
        let blocks = layout.pack(0..4, 1).unwrap();
        let lengths: Vec<_> = blocks
            .iter()
            .map(|(number, packed)| block::unpack(*number, packed, usize::MAX).unwrap().len())
            .collect();
        let total: usize = lengths.iter().sum();
        assert_eq!(total, block::BLOCK_SIZE - 100 + 101 + large + 5);
        assert!(lengths[1..3].iter().all(|length| *length > block::BLOCK_SIZE - 3));
    }
}
