//! The door by which a fuzz target comes to the screen. Only `cfg(fuzzing)` builds it. What it asserts are findings.

use super::{
    answer::parse,
    framing::Framing,
    screen::{Attributes, Framed, Part, Verdict, screen},
};

/// What the literals of one response may have here, in bytes.
const MOST: u64 = 8 << 10;

/// Frames and screens a stream that comes in pieces of this length, and has parsed what is to be parsed.
pub fn stream(said: &[u8], piece: usize) {
    let (mut framing, mut letter) = (Framing::default(), Vec::new());
    let (mut start, mut come) = (0, 0);
    while come < said.len() {
        come = (come + piece.max(1)).min(said.len());
        loop {
            let Ok(frame) = framing.look(&said[start..come], MOST, (said.len() - come) as u64 + MOST) else {
                return;
            };
            let Some(frame) = frame else { break };
            let bytes = &said[start..start + frame.end];
            start += frame.end;
            let literals: usize = frame.literals.iter().map(|literal| literal.len()).sum();
            assert!(literals as u64 <= MOST && bytes.ends_with(b"\n"));
            assert!(frame.literals.is_sorted_by_key(|literal| literal.start));
            let response = Framed {
                bytes,
                literals: &frame.literals,
            };
            one(response, bytes.len() - literals, &mut letter);
        }
    }
}

/// A response with so many bytes outside of its literals.
fn one(response: Framed<'_>, text: usize, letter: &mut Vec<u8>) {
    match screen(response, letter) {
        Verdict::Letter { .. } => {}
        Verdict::Fetch { read, .. } => return fetched(&read, response),
        _ => return,
    }
    // A folder's name may come as a literal.
    let most = 2 * (text + response.literals.first().map_or(0, |literal| literal.len())) + 64;
    assert!(letter.len() <= most, "{} bytes of {text}", letter.len());
    assert!(
        memchr::memchr(b'\n', letter) == Some(letter.len() - 1),
        "it is one line"
    );
    assert!(
        parse(letter).is_some(),
        "the parser does not take it: {}",
        letter.escape_ascii()
    );
}

fn fetched(read: &Attributes, response: Framed<'_>) {
    let flags = read.flags.iter().flatten();
    assert!(
        flags.map(String::len).sum::<usize>() <= response.bytes.len(),
        "flags of nowhere"
    );
    if let Some((_, Part::At(place))) = &read.body {
        assert!(response.literals.contains(place), "no literal is there");
    }
}
