//! Which messages are looked at: all, or those of whole blocks that are in a sample.

use std::ops::Range;

use super::{
    context::{Context, Stop},
    near::Neighbours,
    plan::id_of,
    stretches::{SECTION, Sample},
    words::Desk,
};
use crate::archive::{catalog::Catalog, rows::MessageId};

/// Which of these messages are looked at: all, or those whose block begins in the sample.
pub fn selected(
    context: &Context,
    catalog: &Catalog,
    desk: &Desk,
    messages: Range<MessageId>,
) -> Result<Vec<Range<MessageId>>, Stop> {
    let Some(sample) = &context.request.selection.sample else {
        return Ok(vec![messages]);
    };
    let begin = id_of(&context.plan.start(desk.item, context.extent));
    let txn = catalog.read().map_err(Stop::Store)?;
    let mut near = Neighbours::default();
    let mut block = |id| {
        // Where a process died, no row is read before it is said which one.
        if desk.alone {
            return None;
        }
        // What cannot be read is looked at, so that this is said.
        let message = near.get(catalog, &txn, id).ok().flatten()?;
        Some(message.block)
    };
    let (mut ranges, mut section) = (Vec::new(), begin);
    while section < messages.end {
        let end = section.plus(SECTION).min(messages.end);
        ranges.extend(in_sample(sample, section..end, &mut block));
        section = end;
    }
    ranges.retain_mut(|range| {
        range.start = range.start.max(messages.start);
        range.start < range.end
    });
    Ok(ranges)
}

/// The messages of a section whose blocks begin in the sample. `block`: the volume and block in which a message begins.
fn in_sample(
    sample: &Sample,
    section: Range<MessageId>,
    block: &mut dyn FnMut(MessageId) -> Option<(u32, u64)>,
) -> Vec<Range<MessageId>> {
    let mut ranges: Vec<Range<MessageId>> = Vec::new();
    let mut id = section.start;
    while let Some(first) = sample.next_bucket(id, section.end) {
        id = first;
        let mut before = if id == section.start {
            None
        } else {
            block(id.previous())
        };
        let mut is_in = false;
        while id < section.end {
            let here = block(id);
            let begins = here.is_none() || here != before;
            if begins {
                is_in = sample.has_block_of(id);
            }
            match ranges.last_mut() {
                _ if !is_in => {}
                Some(last) if last.end == id => last.end = id.next(),
                _ => ranges.push(id..id.next()),
            }
            // Behind the bucket the block is followed to its end.
            if !is_in && !sample.has_block_of(id) {
                break;
            }
            (before, id) = (here, id.next());
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each message is in the sample with its block, and about so many are.
    #[test]
    fn a_sample_has_whole_blocks() {
        let sample = Sample { share: 0.1, seed: 3 };
        let (mut all, mut split) = (0, 0);
        for section in (0..200).map(|number| MessageId(1 + number * 4096)..MessageId(1 + (number + 1) * 4096)) {
            // Blocks of one, 50 and 350 messages, and a message that cannot be read.
            let mut block = |MessageId(id)| match id % 10_000 {
                9_999 => None,
                ..2_000 => Some((1, id)),
                2_000..5_000 => Some((2, id / 50)),
                _ => Some((3, id / 350)),
            };
            let ranges = in_sample(&sample, section.clone(), &mut block);
            let is_in = |id: MessageId| ranges.iter().any(|range| range.contains(&id));
            for pair in ranges.windows(2) {
                assert!(pair[0].end < pair[1].start, "{pair:?}");
            }
            for id in section.start.next().until(section.end) {
                split += u32::from(
                    block(id).is_some() && block(id) == block(id.previous()) && is_in(id) != is_in(id.previous()),
                );
            }
            all += ranges.iter().map(|range| range.end.since(range.start)).sum::<u64>();
        }
        assert_eq!(split, 0);
        assert!((65_000..100_000).contains(&all), "{all} of 819,200");
    }
}
