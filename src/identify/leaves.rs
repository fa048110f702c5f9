//! The large bodies in a message: where its attachments are, and nothing about what they mean.
//!
//! This decides how bytes are stored, never which: a body that is missed costs room, not mail.

use std::ops::Range;

use super::mime::{self, Body, Entity};

/// Encoded bytes from which on a leaf body is worth finding.
pub const LARGE: usize = 16 << 10;

/// Structures nested deeper are taken as they stand.
const DEEPEST: usize = 16;

/// The leaf bodies of [`LARGE`] bytes or more, in their order. They do not overlap.
pub fn large_leaves(message: &[u8]) -> Vec<Range<usize>> {
    let mut leaves = Vec::new();
    entity(message, 0..message.len(), 0, &mut leaves);
    leaves
}

fn entity(message: &[u8], range: Range<usize>, depth: usize, leaves: &mut Vec<Range<usize>>) {
    if range.len() < LARGE {
        return;
    }
    let Entity { header, body } = Entity::read(message, range);
    match Body::of(&header) {
        Body::Multipart(boundary) if depth < DEEPEST => {
            // Only a part that is large can hold a large body.
            for part in mime::parts(message, body, boundary, usize::MAX, |part| part.len() >= LARGE) {
                entity(message, part, depth + 1, leaves);
            }
        }
        Body::Message if depth < DEEPEST => entity(message, body, depth + 1, leaves),
        _ if body.len() >= LARGE => leaves.push(body),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(letter: char) -> String {
        letter.to_string().repeat(LARGE)
    }

    fn found(message: &str) -> Vec<String> {
        let leaves = large_leaves(message.as_bytes());
        leaves.into_iter().map(|range| message[range].to_owned()).collect()
    }

    #[test]
    fn leaves_are_found_wherever_they_are_nested() {
        let (a, b, c) = (body('a'), body('b'), body('c'));
        let inner =
            format!("Content-Type: multipart/mixed; charset=x; boundary=in\r\n\r\n--in\r\n\r\n{b}\r\n--in--\r\n");
        let message = format!(
            "Subject: x\nContent-Type: Multipart/Mixed;\n\tBOUNDARY=\"o u t \"\n\npreamble\n--o u t\n\n{a}\n--o u t  \n\
             Content-Type: message/rfc822\n\n{inner}\n--o u t\nX: small\n\nsmall\n--o u tx\n--o u t\n\n{c}"
        );
        assert_eq!(found(&message), [a, b, c]);
    }

    #[test]
    fn what_is_no_multipart_is_one_body() {
        let a = body('a');
        assert_eq!(found(&format!("Subject: x\n\n{a}")), [a.as_str()]);
        assert_eq!(found(&format!("Content-Type: multipart/mixed\n\n{a}")), [a.as_str()]);
        assert_eq!(found(&a), [a.as_str()], "no header at all");
        assert_eq!(found(&format!("X: 1\n\n{}", &a[1..])), [""; 0], "too small");
        assert_eq!(found(""), [""; 0]);
    }

    #[test]
    fn one_long_line_of_delimiters_is_read_once() {
        let message = format!("Content-Type: multipart/mixed; boundary=a\n\n{}", "--a".repeat(4 << 20));
        assert_eq!(large_leaves(message.as_bytes()), [] as [Range<usize>; 0]);
        let message = format!(
            "Content-Type: multipart/mixed; boundary=a\n\n{}",
            "--a\n".repeat(1 << 20)
        );
        assert_eq!(large_leaves(message.as_bytes()), [] as [Range<usize>; 0]);
    }

    #[test]
    fn hostile_nesting_ends() {
        let header = "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
        let message = header.repeat(20_000);
        assert!(large_leaves(message.as_bytes()).len() <= 1 + DEEPEST);
    }
}
