//! The large bodies in a message: where its attachments are, and nothing about what they mean.
//!
//! MIME (RFC 2045, 2046) read generously and in linear time. What is found decides how bytes are laid
//! down, never what they are: a body that is missed costs room, not mail.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::header::Header;

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

/// What an entity's Content-Type says of its body.
enum Body<'a> {
    Leaf,
    Multipart(&'a [u8]),
    Message,
}

fn entity(message: &[u8], range: Range<usize>, depth: usize, leaves: &mut Vec<Range<usize>>) {
    if range.len() < LARGE {
        return;
    }
    let header = Header::scan(&message[range.clone()]);
    let mut start = range.start + header.end;
    if header.well_ended {
        // The empty line ends the header, and is no part of the body.
        start = next_line(message, start, range.end);
    }
    let body = start..range.end;
    match content(&header) {
        Body::Multipart(boundary) if depth < DEEPEST => {
            for part in multipart(message, body, boundary) {
                entity(message, part, depth + 1, leaves);
            }
        }
        Body::Message if depth < DEEPEST => entity(message, body, depth + 1, leaves),
        _ if body.len() >= LARGE => leaves.push(body),
        _ => {}
    }
}

fn content<'a>(header: &Header<'a>) -> Body<'a> {
    let Some(field) = header.all("Content-Type").next() else {
        return Body::Leaf;
    };
    let value = field.value.trim_ascii();
    let begins = |kind: &[u8]| value.get(..kind.len()).is_some_and(|it| it.eq_ignore_ascii_case(kind));
    if begins(b"multipart/") {
        boundary(value).map_or(Body::Leaf, Body::Multipart)
    } else if begins(b"message/rfc822") || begins(b"message/global") {
        Body::Message
    } else {
        Body::Leaf
    }
}

/// The `boundary` parameter, without its quotes.
fn boundary(value: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"boundary";
    let mut rest = value;
    while let Some(at) = memchr(b';', rest) {
        rest = rest[at + 1..].trim_ascii_start();
        let Some(name) = rest.get(..NAME.len()).filter(|name| name.eq_ignore_ascii_case(NAME)) else {
            continue;
        };
        let Some(value) = rest[name.len()..].trim_ascii_start().strip_prefix(b"=") else {
            continue;
        };
        let value = value.trim_ascii_start();
        let text = match value.strip_prefix(b"\"") {
            Some(quoted) => &quoted[..memchr(b'"', quoted)?],
            None => {
                let end = value
                    .iter()
                    .position(|byte| byte.is_ascii_whitespace() || *byte == b';');
                &value[..end.unwrap_or(value.len())]
            }
        };
        return Some(text.trim_ascii_end()).filter(|text| !text.is_empty());
    }
    None
}

/// The parts between the delimiter lines that can hold a large body, without the line end that belongs to the
/// delimiter (RFC 2046, 5.1.1).
fn multipart(message: &[u8], body: Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    let delimiter = [b"--", boundary].concat();
    let mut parts = Vec::new();
    let mut add = |part: Range<usize>| parts.extend((part.len() >= LARGE).then_some(part));
    let mut begun = None;
    for at in memmem::find_iter(&message[body.clone()], &delimiter).map(|at| body.start + at) {
        // Asked first: one line can be all the body, and full of what looks like a delimiter.
        if at > body.start && message[at - 1] != b'\n' {
            continue;
        }
        let behind = at + delimiter.len();
        let end = next_line(message, behind, body.end);
        let rest = message[behind..end].trim_ascii();
        if !matches!(rest, b"" | b"--") {
            continue;
        }
        if let Some(start) = begun.take() {
            add(start..without_line_end(message, start, at));
        }
        if rest.is_empty() {
            begun = Some(end);
        } else {
            return parts;
        }
    }
    // Cut short, as mail is that lost its end.
    if let Some(start) = begun {
        add(start..body.end);
    }
    parts
}

fn without_line_end(message: &[u8], start: usize, end: usize) -> usize {
    match &message[start.min(end)..end] {
        [.., b'\r', b'\n'] => end - 2,
        [.., b'\n'] => end - 1,
        _ => end.max(start),
    }
}

fn next_line(message: &[u8], at: usize, end: usize) -> usize {
    memchr(b'\n', &message[at..end]).map_or(end, |newline| at + newline + 1)
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
