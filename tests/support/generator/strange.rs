//! What is broken, and what is too large.

use super::{Random, company::DOMAIN, text};

/// Messages that no standard allows, or that only just pass, each with what is wrong with it.
/// Where there is an address, it is Jane's.
pub fn strange() -> Vec<(&'static str, Vec<u8>)> {
    let head = format!("From: someone@sender.example\nTo: jane@{DOMAIN}\n");
    let with = |rest: &[u8]| [head.as_bytes(), rest].concat();
    let long_line = [b"Subject: long\n\n".as_slice(), &vec![b'x'; 1 << 20], b"\nend\n"].concat();
    let long_field = [b"Subject: ".as_slice(), &vec![b'y'; 1 << 20], b"\n\nend\n"].concat();
    vec![
        ("no bytes", Vec::new()),
        ("one line end", b"\n".to_vec()),
        ("one byte", b"x".to_vec()),
        ("only a header, no line after it", head.trim_end().as_bytes().to_vec()),
        ("no header", b"\nThere is a body, and no header.\n".to_vec()),
        ("no header, not even an empty line", b"This is no header field\nand neither is this.\n".to_vec()),
        ("no separator between header and body", with(b"Subject: none\nand here the body begins\nat once.\n")),
        ("a NUL in the header", with(b"Subject: nul \0 here\n\nbody\n")),
        ("NULs in the body", with(b"Subject: nul\n\nbefore\0\0\0after\n\0\n")),
        ("8-bit bytes in the header", with(b"Subject: Gr\xfc\xdfe \xff\xfe\nX-\xe9: odd name\n\nbody\n")),
        (
            "8-bit bytes in an address's name",
            format!("From: someone@sender.example\nTo: J\u{f6}rg <jane@{DOMAIN}>\n\nbody\n").chars().map(|c| c as u8).collect(),
        ),
        ("a line of 1 MB in the body", with(&long_line)),
        ("a line of 1 MB in the header", with(&long_field)),
        ("no end boundary", with(
            b"Content-Type: multipart/mixed; boundary=abc\n\n--abc\n\npart one\n--abc\nContent-Type: text/html\n\n<p>cut",
        )),
        ("no boundary at all", with(b"Content-Type: multipart/mixed; boundary=abc\n\nnothing of the kind\n")),
        ("an empty boundary", with(b"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\npart\n----\n")),
        ("the same boundary twice over", with(
            b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n--a--\n",
        )),
        ("deep nesting", with(&nested(200))),
        ("broken base64", with(b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n!!!=A===\nQUJD\nQ\n")),
        ("an unknown encoding", with(b"Content-Transfer-Encoding: x-rot13\n\nuryyb\n")),
        ("bare LF and CRLF mixed", with(b"Subject: mixed\r\nX-One: 1\n\r\nline\r\nline\nline\r\n")),
        ("bare CR", with(b"Subject: bare\rCR: yes\n\na\rb\r\r\nc\n")),
        ("dots at the start of lines", with(b"Subject: dots\n\n.\n..\n.leading\n\n.\n")),
        ("trailing blank lines", with(b"Subject: blank\n\nbody\n\n\n\n")),
        ("fields without names and without values", with(b": no name\nX-Empty:\nX-Blank: \nSubject:\n\nbody\n")),
        ("a folded field that never ends", with(&[b"X-Fold: a\n".as_slice(), &b"\tb\n".repeat(5_000), b"\nbody\n"].concat())),
        ("the same field over and over", with(&[b"To: jane@example.com\n".repeat(500), b"\nbody\n".to_vec()].concat())),
        ("a date that is none", with(b"Date: yesterday, half past nine\n\nbody\n")),
        ("a date out of range", with(b"Date: Fri, 31 Feb 99999 25:61:61 +9999\n\nbody\n")),
        ("an mbox line in front", with(b"\nFrom nobody Mon Jan  1 00:00:00 2001\nbody\n")),
    ]
}

fn nested(depth: usize) -> Vec<u8> {
    let mut text = String::new();
    for level in 0..depth {
        text += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    text += "\ninnermost\n";
    (0..depth).rev().for_each(|level| text += &format!("--b{level}--\n"));
    text.into_bytes()
}

/// A message to so many people; the first and the last are ours.
pub fn many_recipients(count: usize) -> Vec<u8> {
    let mut to = format!("jane@{DOMAIN}");
    for number in 2..count {
        to += &format!(",\n\tguest-{number}@elsewhere.example");
    }
    format!("From: someone@sender.example\nTo: {to},\n\tjohn@{DOMAIN}\nSubject: to all\n\nhello\n").into_bytes()
}

/// A message to Jane of about `size` bytes, with one file in it that does not compress; `number`
/// tells it apart.
pub fn sized(size: usize, number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let file = random.bytes(size * 57 / 78);
    let boundary = "sized-boundary";
    format!(
        "From: someone@sender.example\nTo: jane@{DOMAIN}\nSubject: large {number}\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\nA file.\n--{boundary}\n\
         Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n{}--{boundary}--\n",
        text::base64_lines(&file)
    )
    .into_bytes()
}
