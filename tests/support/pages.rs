//! Where in an LMDB file the blocks are, for tests that damage them.

pub const PAGE: usize = 4096;
/// What LMDB notes of a page behind its number (8 bytes) and two more: what it is.
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// What it notes of a leaf's entry: its value is on pages of its own, or is a table.
const ELSEWHERE: u16 = 0x01;
const TABLE: u16 = 0x02;

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Bytes of a block's number, which is its key. The keys of the volume's other table are words of other lengths.
const NUMBER: usize = 8;

/// Where the leaves of the volume's blocks are, as the newest of its two meta pages leads to them. Pages of
/// earlier transactions lie about in the file too; what is done to those is done to nobody.
fn leaves(file: &[u8]) -> Vec<usize> {
    let transaction = |meta: usize| u64_at(file, meta + 144);
    let meta = if transaction(0) > transaction(PAGE) { 0 } else { PAGE };
    let mut leaves = Vec::new();
    // The root of the table of tables.
    let mut open = vec![u64_at(file, meta + 128)];
    while let Some(number) = open.pop() {
        let page = number as usize * PAGE;
        let flags = u16_at(file, page + 10) as u16;
        for entry in entries(file, page) {
            let (low, high, node_flags) = (u16_at(file, entry), u16_at(file, entry + 2), u16_at(file, entry + 4));
            if flags & BRANCH != 0 {
                open.push((low | high << 16 | node_flags << 32) as u64);
            } else if node_flags as u16 & TABLE != 0 {
                let value = entry + 8 + u16_at(file, entry + 6);
                open.push(u64_at(file, value + 40));
            }
        }
        let of_blocks = || {
            entries(file, page)
                .iter()
                .all(|entry| u16_at(file, entry + 6) == NUMBER)
        };
        if flags & LEAF != 0 && number != u64_at(file, meta + 128) && of_blocks() {
            leaves.push(page);
        }
    }
    leaves
}

/// Where the entries of a page are.
fn entries(file: &[u8], page: usize) -> Vec<usize> {
    let count = (u16_at(file, page + 12) - 16) / 2;
    (0..count)
        .map(|entry| page + u16_at(file, page + 16 + 2 * entry))
        .collect()
}

/// Where the leaf with the most entries is, and where on it the entries are.
pub fn fullest_leaf(file: &[u8]) -> (usize, Vec<usize>) {
    let leaves = leaves(file).into_iter().map(|page| (page, entries(file, page)));
    leaves.max_by_key(|(_, entries)| entries.len()).expect("a leaf")
}

/// Where the first page of the largest block is, which is too large for its leaf.
pub fn largest_block(file: &[u8]) -> usize {
    let (_, entries) = fullest_leaf(file);
    let size = |entry: &usize| u16_at(file, *entry) | u16_at(file, entry + 2) << 16;
    let entry = entries.into_iter().max_by_key(size).expect("a block");
    assert!(u16_at(file, entry + 4) as u16 & ELSEWHERE != 0);
    u64_at(file, entry + 8 + u16_at(file, entry + 6)) as usize * PAGE
}
