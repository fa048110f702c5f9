//! Parts: the large bodies of messages, stored once whatever message they come in.

use std::{borrow::Cow, ops::Range};

use super::{
    base64_lines,
    rows::{PartForm, PartPlace},
};
use crate::identify::{LARGE, large_leaves};

/// Stored bytes read at once for a digest: whole groups of base64.
const AT_ONCE: usize = 768 << 10;

/// A stretch of a message that is to be stored as a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where it stands in the message.
    pub range: Range<usize>,
    pub form: PartForm,
    /// Bytes to store for it.
    pub stored: usize,
    /// BLAKE3 of the bytes to store.
    pub digest: [u8; 32],
}

/// What of `message` is worth storing as parts, in its order. Linear in its length; never fails.
pub fn cut(message: &[u8]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for leaf in large_leaves(message) {
        let mut rest = leaf;
        if let Some(regular) = base64_lines::measure(&message[rest.clone()])
            && regular.encoded >= LARGE
        {
            let end = rest.start + regular.encoded;
            let form = PartForm::Base64(regular.lines);
            cuts.extend(Cut::new(message, rest.start..end, form, regular.decoded));
            rest.start = end;
        }
        if rest.len() >= LARGE {
            let stored = rest.len();
            cuts.extend(Cut::new(message, rest, PartForm::Verbatim, stored));
        }
    }
    cuts
}

impl Cut {
    /// `None` where the bytes are not in this form after all; then they stay where they are.
    fn new(message: &[u8], range: Range<usize>, form: PartForm, stored: usize) -> Option<Self> {
        let mut cut = Self {
            range,
            form,
            stored,
            digest: [0; 32],
        };
        let mut hasher = blake3::Hasher::new();
        for from in (0..stored).step_by(AT_ONCE) {
            let to = (from + AT_ONCE).min(stored);
            hasher.update(&cut.bytes(message, from..to).ok()?);
        }
        cut.digest = *hasher.finalize().as_bytes();
        Some(cut)
    }

    /// A stretch of the bytes to store. It begins, and unless it reaches the end also ends, at a multiple of three.
    ///
    /// # Errors
    /// In words: `message` is not the one that was cut.
    pub fn bytes<'m>(&self, message: &'m [u8], stretch: Range<usize>) -> Result<Cow<'m, [u8]>, String> {
        let text = message
            .get(self.range.clone())
            .ok_or("a part reaches beyond its message")?;
        match &self.form {
            PartForm::Verbatim => Ok(Cow::Borrowed(&text[stretch])),
            PartForm::Base64(lines) => lines
                .decode(text, stretch.start, stretch.end)
                .map(Cow::Owned)
                .map_err(|error| format!("a part is not the base64 it was measured as: {error}")),
        }
    }
}

/// The stretches of `message` that are in no part.
pub(super) fn inline(length: usize, cuts: &[Cut]) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(cuts.iter().map(|cut| cut.range.end));
    let ends = cuts.iter().map(|cut| cut.range.start).chain(std::iter::once(length));
    starts
        .zip(ends)
        .filter(|(start, end)| start < end)
        .map(|(start, end)| start..end)
        .collect()
}

/// How a message names its parts.
pub(super) fn places(cuts: &[Cut]) -> Vec<PartPlace> {
    let mut inside = 0;
    let place = |cut: &Cut| {
        let after = (cut.range.start - inside) as u64;
        inside += cut.range.len();
        PartPlace {
            after,
            digest: cut.digest,
            form: cut.form.clone(),
        }
    };
    cuts.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::STANDARD};

    #[test]
    fn an_attachment_is_the_same_part_in_whatever_lines() {
        let file: Vec<u8> = (0..40_000u32).flat_map(|n| n.to_le_bytes()).collect();
        let text = STANDARD.encode(&file);
        let lines = |length: usize, end: &str| {
            let lines: Vec<_> = text.as_bytes().chunks(length).map(String::from_utf8_lossy).collect();
            format!("Subject: x\n\n{}{end}{end}trailer", lines.join(end))
        };
        let [one, other] = [lines(76, "\r\n"), lines(60, "\n")].map(|message| {
            let mut cuts = cut(message.as_bytes());
            assert_eq!(cuts.len(), 1);
            let inline = inline(message.len(), &cuts);
            assert!(message[inline[1].clone()].ends_with("trailer"));
            cuts.remove(0)
        });
        assert_eq!((one.digest, one.stored), (other.digest, file.len()));
        assert_eq!(one.digest, other.digest);
        assert_eq!(one.digest, *blake3::hash(&file).as_bytes());
    }
}
