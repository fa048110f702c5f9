//! MMDF: each message stands between two lines of four Control-A, often with a `From ` line at its beginning. Nothing
//! is quoted.

use std::{io, sync::atomic::Ordering};

use memchr::memmem::Finder;

use super::{
    index::{Index, Way, stretch},
    separator::from_line_end,
};
use crate::{
    formats::kind::{BEGINNING, MMDF, begins_as_mail, is_mmdf, without_preamble},
    identify::is_from_line,
};

/// Bytes read at once, and of these what a line is judged by.
const WINDOW: usize = 1 << 20;
const LOOKAHEAD: usize = 4096;
/// Bytes in which it is looked for a header: such a line may stand every few bytes.
const SHORT: usize = 512;

/// Whether a file is of this kind.
pub(super) fn is(way: Way) -> io::Result<bool> {
    let mut buffer = vec![0; BEGINNING];
    Ok(is_mmdf(without_preamble(way.text.fill(0, &mut buffer)?)))
}

/// Finds the messages. Such a line in a message, where it neither ends it nor begins another, is text that may be none.
pub(super) fn by_marks(way: Way) -> io::Result<Index> {
    let finder = Finder::new(MMDF);
    let mut index = Index::default();
    let mut begun: Option<u64> = None;
    let mut buffer = vec![0; WINDOW];
    let (mut base, mut next) = (0_u64, 0_u64);
    loop {
        if way.stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let window = way.text.fill(base, &mut buffer)?;
        let is_last = window.len() < WINDOW;
        let certain = if is_last { WINDOW } else { WINDOW - LOOKAHEAD };
        for start in finder.find_iter(window).take_while(|start| *start < certain) {
            let (offset, behind) = (base + start as u64, &window[start..]);
            // A byte order mark is before the first.
            let begins_line = index.messages.is_empty() && begun.is_none() || window[..start].ends_with(b"\n");
            if offset < next || !begins_line || !is_line(behind) {
                continue;
            }
            let line = line_end(behind);
            let rest = &behind[line..behind.len().min(LOOKAHEAD)];
            let at = |place: usize| offset + place as u64;
            let header = if is_from_line(rest) {
                line + from_line_end(rest)
            } else {
                line
            };
            let begins_another = is_from_line(rest) || begins_as_mail(&rest[..rest.len().min(SHORT)]);
            match begun {
                None => begun = Some(at(header)),
                Some(from) if rest.is_empty() || is_line(rest) => {
                    index.messages.push(stretch(from, offset));
                    begun = None;
                }
                Some(from) if begins_another => {
                    index.messages.push(stretch(from, offset));
                    begun = Some(at(header));
                }
                Some(_) => index.doubt(offset, false),
            }
            next = at(line);
        }
        if is_last {
            break;
        }
        base += certain as u64 - 1;
        next = next.max(base + 1);
    }
    if let Some(from) = begun {
        index.messages.push(stretch(from, way.text.len()?));
    }
    Ok(index)
}

fn is_line(text: &[u8]) -> bool {
    is_mmdf(text) || text == MMDF
}

fn line_end(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1)
}
