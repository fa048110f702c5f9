//! Bytes that are noticed when they change: behind the content of a file stand checksums of its stretches, so that who
//! reads a little of it checks a little.
//!
//! The library checks a file only when it is asked to, and then all of it. A flipped bit must never make a search find
//! what is not there, nor a search wait until the whole index was read.

use std::{
    io,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

/// Bytes that have a checksum of their own.
const STRETCH: usize = 64 << 10;
/// The end of a file: the length of the content, the checksum of all checksums, and this.
const MAGIC: &[u8; 8] = b"dropkeep";
const END: usize = 8 + 4 + MAGIC.len();

/// Adds up what is written, to be sealed.
#[derive(Default)]
pub(super) struct Sealing {
    hasher: crc32fast::Hasher,
    length: u64,
    sums: Vec<u8>,
}

impl Sealing {
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = STRETCH - self.length as usize % STRETCH;
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.hasher.update(now);
            self.length += now.len() as u64;
            if now.len() == room {
                self.end_stretch();
            }
            bytes = rest;
        }
    }

    fn end_stretch(&mut self) {
        let sum = std::mem::take(&mut self.hasher).finalize();
        self.sums.extend_from_slice(&sum.to_le_bytes());
    }

    /// What is to stand behind the content.
    pub fn end(mut self) -> Vec<u8> {
        if !(self.length as usize).is_multiple_of(STRETCH) {
            self.end_stretch();
        }
        let mut end = self.sums;
        end.extend_from_slice(&self.length.to_le_bytes());
        let sum = crc32fast::hash(&end);
        end.extend_from_slice(&sum.to_le_bytes());
        end.extend_from_slice(MAGIC);
        end
    }
}

/// A small content with what stands behind it.
pub(super) fn sealed(content: &[u8]) -> Vec<u8> {
    let mut sealing = Sealing::default();
    sealing.update(content);
    [content, &sealing.end()].concat()
}

/// The seal of a file, and which of its stretches were found to be as they were written.
#[derive(Debug)]
pub(super) struct Seal {
    length: usize,
    sums: Vec<u32>,
    checked: Vec<AtomicU64>,
}

impl Seal {
    /// Reads it at the end of a file.
    ///
    /// # Errors
    /// It is broken: the file is cut off, longer, or not ours.
    pub fn read(file: &[u8]) -> io::Result<Self> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "it does not end as it was written");
        let end = file.len().checked_sub(END).ok_or_else(broken)?;
        let length = u64::from_le_bytes(array(&file[end..end + 8]));
        let sum = u32::from_le_bytes(array(&file[end + 8..end + 12]));
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= end)
            .ok_or_else(broken)?;
        let stretches = length.div_ceil(STRETCH);
        let is_whole = end - length == 4 * stretches && &file[end + 12..] == MAGIC;
        if !is_whole || crc32fast::hash(&file[length..end + 8]) != sum {
            return Err(broken());
        }
        let sums = file[length..end]
            .chunks_exact(4)
            .map(|sum| u32::from_le_bytes(array(sum)));
        Ok(Self {
            length,
            sums: sums.collect(),
            checked: (0..stretches.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
        })
    }

    /// Bytes of the content.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Checks what of `content` lies in the stretches of a range that were not checked yet.
    ///
    /// # Errors
    /// They are not as they were written.
    pub fn check(&self, content: &[u8], range: Range<usize>) -> io::Result<()> {
        for nth in range.start / STRETCH..range.end.div_ceil(STRETCH) {
            let (word, bit) = (&self.checked[nth / 64], 1 << (nth % 64));
            if word.load(Ordering::Relaxed) & bit != 0 {
                continue;
            }
            let from = nth * STRETCH;
            let stretch = &content[from..self.length.min(from + STRETCH)];
            if crc32fast::hash(stretch) != self.sums[nth] {
                let detail = format!("bytes {from} to {} are not as they were written", from + stretch.len());
                return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
            }
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_noticed_where_it_is_read() {
        let content: Vec<u8> = (0..3 * STRETCH + 7).map(|at| (at / 3) as u8).collect();
        let mut file = sealed(&content);
        let seal = Seal::read(&file).unwrap();
        assert_eq!(seal.length(), content.len());
        seal.check(&file, 0..seal.length()).unwrap();
        file[STRETCH + 1] ^= 1;
        // It was checked before, and is not again.
        seal.check(&file, 0..seal.length()).unwrap();
        let seal = Seal::read(&file).unwrap();
        seal.check(&file, 0..STRETCH).unwrap();
        seal.check(&file, 2 * STRETCH..seal.length()).unwrap();
        assert!(seal.check(&file, 10..STRETCH + 1).is_err());
    }

    #[test]
    fn each_flip_and_each_cut_is_noticed() {
        for content in [&b""[..], b"meta"] {
            let file = sealed(content);
            let is_whole = |file: &[u8]| {
                Seal::read(file)
                    .and_then(|seal| seal.check(file, 0..seal.length()))
                    .is_ok()
            };
            assert!(is_whole(&file));
            for at in 0..file.len() {
                let mut flipped = file.clone();
                flipped[at] ^= 0x10;
                assert!(!is_whole(&flipped) && !is_whole(&file[..at]), "{at}");
            }
            assert!(!is_whole(&[file, b"more".to_vec()].concat()));
        }
    }
}
