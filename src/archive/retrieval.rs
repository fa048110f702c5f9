//! Giving messages their bytes back: out of blocks, parts put where they stood.

use std::{
    borrow::Cow,
    ops::{ControlFlow, Deref},
    sync::Arc,
};

use roaring::RoaringTreemap;
use sha2::{Digest, Sha256};

use super::{
    Store, StoreError,
    base64_lines::Encoder,
    block,
    blocks::{self, Blocks, Unpacked},
    resident,
    rows::{Message, MessageId, PartForm, PartPlace, Place},
};

/// A larger block is one large message of schema 1, which is read once, and of which a list needs the beginning only.
const LARGE: u64 = 2 * block::BLOCK_SIZE as u64;

/// Bytes that are encoded at once.
const ENCODED: usize = 48 << 10;

/// Which blocks are at hand.
enum AtHand<'s> {
    /// Those that the readers of the store used last.
    Shared(&'s Blocks),
    /// Those that this one read itself.
    Own(Box<Blocks>),
}

impl Deref for AtHand<'_> {
    type Target = Blocks;

    fn deref(&self) -> &Blocks {
        match self {
            Self::Shared(blocks) => blocks,
            Self::Own(blocks) => blocks,
        }
    }
}

/// Gives messages their bytes back, with the blocks last used at hand.
pub struct Retrieval<'s> {
    store: &'s Store,
    blocks: AtHand<'s>,
    checking: Option<Checking<'s>>,
}

/// Who is asked before a block is read.
pub(super) trait Gate: Sync {
    /// # Errors
    /// In words, why this block of this volume must not be read.
    fn pass(&self, volume: u32, block: u64) -> Result<(), String>;
}

/// What is done beside reading where the archive is verified.
struct Checking<'s> {
    gate: &'s dyn Gate,
    /// Blocks found whole since these were last taken.
    read: RoaringTreemap,
    /// The volume of a block that could not be read since this was last taken.
    failed: Option<u32>,
}

/// Takes a stretch of bytes, and says whether it wants more.
type Each<'e> = dyn FnMut(&[u8]) -> ControlFlow<()> + 'e;

/// How far a place has been read.
struct Position {
    volume: u32,
    block: u64,
    offset: u64,
}

impl From<&Place> for Position {
    fn from(place: &Place) -> Self {
        Self {
            volume: place.volume,
            block: place.block,
            offset: place.offset,
        }
    }
}

impl<'s> Retrieval<'s> {
    pub fn new(store: &'s Store) -> Self {
        Self {
            store,
            blocks: AtHand::Shared(&store.blocks),
            checking: None,
        }
    }

    /// One that reads each block from its volume, and takes none that another reader has at hand: to see that the bytes
    /// are on disk.
    pub fn anew(store: &'s Store) -> Self {
        Self {
            blocks: AtHand::Own(Box::new(Blocks::new(blocks::AT_HAND_ALONE))),
            ..Self::new(store)
        }
    }

    /// One that checks parts against their digests too, and remembers which blocks it found whole.
    pub(super) fn checking(store: &'s Store, gate: &'s dyn Gate) -> Self {
        let read = RoaringTreemap::new();
        Self {
            checking: Some(Checking {
                gate,
                read,
                failed: None,
            }),
            ..Self::anew(store)
        }
    }

    /// Has the system begin to read a block, so that it is there when it is unpacked.
    pub(super) fn announce(&self, volume: u32, block: u64) {
        // Where it is not there, whoever wants it finds out.
        let _ = self
            .store
            .volumes
            .get(volume)
            .and_then(|volume| volume.with_block(block, |block| block.map(resident::will_need)));
    }

    /// The blocks found whole since this was asked last.
    pub(super) fn take_read(&mut self) -> RoaringTreemap {
        let checking = self.checking.as_mut();
        checking
            .map(|checking| std::mem::take(&mut checking.read))
            .unwrap_or_default()
    }

    /// The volume of the block that could not be read since this was asked last, if there was one.
    pub(super) fn take_failed(&mut self) -> Option<u32> {
        self.checking.as_mut().and_then(|checking| checking.failed.take())
    }

    /// The exact bytes of message `id`. Beside them, no more than a few blocks are held.
    ///
    /// # Errors
    /// They cannot be read, or are no longer those whose SHA-256 was noted.
    pub fn raw(&mut self, id: MessageId, message: &Message) -> Result<Vec<u8>, StoreError> {
        self.again_if_moved(id, message, |retrieval, message| {
            let mut raw = Vec::new();
            let size = usize::try_from(message.size).unwrap_or(usize::MAX);
            raw.try_reserve_exact(size)
                .map_err(|_| damaged(id, &format!("not enough memory for its {size} bytes")))?;
            retrieval.rebuild(id, message, &mut |piece| {
                raw.extend_from_slice(piece);
                ControlFlow::Continue(())
            })?;
            if Sha256::digest(&raw)[..] == message.sha256 {
                Ok(raw)
            } else {
                Err(damaged(id, "its SHA-256 is not the one it had when it was archived"))
            }
        })
    }

    /// Hands out the exact bytes of message `id`, a stretch after the other, as long as `each` wants more: once all of
    /// them were read and found to be those whose SHA-256 was noted. No more than a few blocks are held, however large
    /// the message is.
    ///
    /// # Errors
    /// They cannot be read, or are no longer those that came.
    pub fn stream(&mut self, id: MessageId, message: &Message, each: &mut Each) -> Result<(), StoreError> {
        let mut hasher = Sha256::new();
        self.pieces(id, message, &mut |piece| {
            hasher.update(piece);
            ControlFlow::Continue(())
        })?;
        if hasher.finalize()[..] != message.sha256 {
            return Err(damaged(id, "its SHA-256 is not the one it had when it was archived"));
        }
        if message.size > LARGE {
            // Each heap of the allocator would keep as much as all blocks at hand have, as long as a client takes it slowly.
            resident::give_back();
        }
        self.pieces(id, message, each)
    }

    /// Hands out the bytes of a message. Where they are moved meanwhile, it goes on behind those that were handed out.
    fn pieces(&mut self, id: MessageId, message: &Message, each: &mut Each) -> Result<(), StoreError> {
        let mut handed_out = 0_u64;
        self.again_if_moved(id, message, |retrieval, message| {
            let mut skip = handed_out;
            retrieval.rebuild(id, message, &mut |piece| {
                let known = usize::try_from(skip).unwrap_or(usize::MAX).min(piece.len());
                skip -= known as u64;
                let new = &piece[known..];
                handed_out += new.len() as u64;
                if new.is_empty() {
                    ControlFlow::Continue(())
                } else {
                    each(new)
                }
            })
        })
    }

    /// The beginning of a message, for its header: at most `most` bytes of it, and nothing from its first part on.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn beginning(&mut self, id: MessageId, message: &Message, most: usize) -> Result<Vec<u8>, StoreError> {
        self.again_if_moved(id, message, |retrieval, message| {
            let inline = message.parts.first().map_or(message.inline.length, |part| part.after);
            let mut bytes = Vec::new();
            let mut position = Position::from(&message.inline);
            let _ = retrieval.copy(id, &mut position, inline.min(most as u64), &mut |piece| {
                bytes.extend_from_slice(piece);
                ControlFlow::Continue(())
            })?;
            Ok(bytes)
        })
    }

    /// A message without its parts: all of its headers, and bodies that are not large.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn inline(&mut self, id: MessageId, message: &Message) -> Result<Vec<u8>, StoreError> {
        self.again_if_moved(id, message, |retrieval, message| retrieval.stored(id, &message.inline))
    }

    /// Reads, and again from the new place where the bytes were moved since the row was read.
    fn again_if_moved<T>(
        &mut self,
        id: MessageId,
        message: &Message,
        mut read: impl FnMut(&mut Self, &Message) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut message = Cow::Borrowed(message);
        loop {
            let removals = self.store.removals();
            let error = match read(self, &message) {
                Ok(read) => return Ok(read),
                Err(error) => error,
            };
            // The caller may have read the row long ago; a part's row was read just now.
            match self.store.message(id)? {
                Some(now) if now.inline != message.inline || self.store.removals() != removals => {
                    message = Cow::Owned(now);
                }
                _ => return Err(error),
            }
        }
    }

    /// Puts a message together, as long as `each` wants more of it.
    fn rebuild(&mut self, id: MessageId, message: &Message, each: &mut Each) -> Result<(), StoreError> {
        let mut inline = Position::from(&message.inline);
        let mut copied = 0;
        let beyond = || damaged(id, "its parts reach beyond its end");
        for part in &message.parts {
            let before = part.after.checked_sub(copied).ok_or_else(beyond)?;
            if self.copy(id, &mut inline, before, each)?.is_break() || self.put_part(id, part, each)?.is_break() {
                return Ok(());
            }
            copied = part.after;
        }
        let rest = message.inline.length.checked_sub(copied).ok_or_else(beyond)?;
        self.copy(id, &mut inline, rest, each).map(|_| ())
    }

    fn put_part(&mut self, id: MessageId, part: &PartPlace, each: &mut Each) -> Result<ControlFlow<()>, StoreError> {
        let stored = self.store.part(&part.digest)?;
        let place = stored
            .ok_or_else(|| damaged(id, "one of its parts is missing from the catalog"))?
            .place;
        let mut position = Position::from(&place);
        let mut hasher = self.checking.is_some().then(blake3::Hasher::new);
        let mut hash = |piece: &[u8]| {
            if let Some(hasher) = &mut hasher {
                hasher.update(piece);
            }
        };
        let ended = match &part.form {
            PartForm::Verbatim => self.copy(id, &mut position, place.length, &mut |piece| {
                hash(piece);
                each(piece)
            })?,
            PartForm::Base64(lines) if lines.line == 0 => {
                return Err(damaged(id, "one of its parts has lines of length 0"));
            }
            PartForm::Base64(lines) => {
                let mut encoder = Encoder::new(*lines);
                let mut encoded = Vec::new();
                let ended = self.copy(id, &mut position, place.length, &mut |piece| {
                    hash(piece);
                    // Little at a time, as each of many readers holds it while a client takes it slowly.
                    for piece in piece.chunks(ENCODED) {
                        encoded.clear();
                        encoder.write(piece, &mut encoded);
                        if each(&encoded).is_break() {
                            return ControlFlow::Break(());
                        }
                    }
                    ControlFlow::Continue(())
                })?;
                encoded.clear();
                encoder.finish(&mut encoded);
                if ended.is_break() { ended } else { each(&encoded) }
            }
        };
        match hasher {
            Some(hasher) if ended.is_continue() && *hasher.finalize().as_bytes() != part.digest => {
                Err(damaged(id, "one of its parts does not match its digest"))
            }
            _ => Ok(ended),
        }
    }

    /// The stored bytes at `place`.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn stored(&mut self, id: MessageId, place: &Place) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let mut position = Position::from(place);
        let _ = self.copy(id, &mut position, place.length, &mut |piece| {
            bytes.extend_from_slice(piece);
            ControlFlow::Continue(())
        })?;
        Ok(bytes)
    }

    /// Hands the next `length` bytes from `position` on to `each`, as long as it wants more, and moves it behind them.
    fn copy(
        &mut self,
        id: MessageId,
        position: &mut Position,
        length: u64,
        each: &mut Each,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut left = length;
        while left > 0 {
            let block = self.block(id, position, position.offset.saturating_add(left))?;
            let from = usize::try_from(position.offset).unwrap_or(usize::MAX);
            let rest = block
                .get(from..)
                .ok_or_else(|| damaged(id, &format!("it should be beyond the end of {}", name(position))))?;
            let now = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if each(&rest[..now]).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            left -= now as u64;
            position.offset += now as u64;
            if now == rest.len() && left > 0 {
                position.block += 1;
                position.offset = 0;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The block at `position`, or at least the first `most` bytes of it.
    fn block(&mut self, id: MessageId, position: &Position, most: u64) -> Result<Arc<Vec<u8>>, StoreError> {
        let key = (position.volume, position.block);
        let (store, checking) = (self.store, &mut self.checking);
        let read = self.blocks.get(key, || {
            if let Some(checking) = checking {
                let refusal = checking.gate.pass(position.volume, position.block);
                refusal.map_err(|detail| damaged(id, &format!("{}: {detail}", name(position))))?;
            }
            let unpacked = unpack(store, position, most)?;
            let unpacked = unpacked.map_err(|detail| damaged(id, &format!("{}: {detail}", name(position))))?;
            if let Some(checking) = checking {
                checking.read.insert(position.block);
            }
            Ok(unpacked)
        });
        if let (Err(_), Some(checking)) = (&read, &mut self.checking) {
            checking.failed = Some(position.volume);
        }
        read
    }
}

/// The block at `position`, whole, or at least the first `most` bytes of one that is too large to be kept at hand; or,
/// in words, how it is damaged.
fn unpack(store: &Store, position: &Position, most: u64) -> Result<Result<Unpacked, String>, StoreError> {
    store.volumes.get(position.volume)?.with_block(position.block, |block| {
        let block = block.ok_or("it is missing")?;
        let is_large = block::raw_length(block) > LARGE;
        let most = match is_large {
            true => usize::try_from(most).unwrap_or(usize::MAX),
            false => usize::MAX,
        };
        let bytes = block::unpack(position.block, block, most)?;
        Ok(Unpacked {
            bytes: Arc::new(bytes),
            keep: !is_large,
        })
    })
}

#[cfg(test)]
impl Store {
    /// How many blocks were unpacked for readers so far.
    pub(crate) fn blocks_unpacked(&self) -> u64 {
        self.blocks.unpacked()
    }
}

fn name(position: &Position) -> String {
    format!("block {} of volume {:06}", position.block, position.volume)
}

fn damaged(id: MessageId, detail: &str) -> StoreError {
    StoreError::Damaged {
        detail: format!("message {id}: {detail}"),
    }
}
