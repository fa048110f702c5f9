//! How much of an answer is taken, by what the server announced.

/// What a fetch may be answered with, in bytes, for copies of these announced sizes. Servers
/// announce sizes that are off a little (line ends, quota rules), so there is room for that.
pub(super) fn fetch_allowance(sizes: impl Iterator<Item = u64>) -> u64 {
    const MARGIN: u64 = 1 << 20;
    const PER_MESSAGE: u64 = 512;
    let (count, sum) = sizes.fold((0u64, 0u64), |(count, sum), size| (count + 1, sum.saturating_add(size)));
    sum.saturating_add(sum / 4)
        .saturating_add(MARGIN)
        .saturating_add(count.saturating_mul(PER_MESSAGE))
}

/// Room to make for a message of this announced size, in bytes: a server may announce anything.
pub(super) fn plausible(announced: u64) -> usize {
    const MOST: u64 = 64 << 20;
    announced.min(MOST) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowances_do_not_overflow() {
        assert_eq!(fetch_allowance([u64::MAX, u64::MAX].into_iter()), u64::MAX);
        assert!(fetch_allowance([1000].into_iter()) > 1250);
    }
}
