//! Messages that are made while they are sent.

use std::io::{self, Write};

/// A message of one piece, over and over.
#[derive(Clone)]
pub struct Mail {
    head: String,
    piece: Piece,
    count: usize,
    tail: String,
}

#[derive(Clone, Copy)]
enum Piece {
    Same(&'static str),
    /// A number of eight digits between these.
    Numbered(&'static str, &'static str),
}

const DIGITS: usize = 8;

impl Piece {
    fn len(self) -> usize {
        match self {
            Self::Same(text) => text.len(),
            Self::Numbered(before, behind) => before.len() + DIGITS + behind.len(),
        }
    }
}

impl Mail {
    /// An ordinary one.
    pub fn plain(number: usize) -> Self {
        Self {
            head: format!("From: a@sender.example\r\nTo: jane@example.com\r\nSubject: {number}\r\n\r\nx\r\n"),
            piece: Piece::Same(""),
            count: 0,
            tail: String::new(),
        }
    }

    /// About `size` bytes of `piece`.
    pub fn of(size: usize, head: &str, piece: &'static str, tail: &str) -> Self {
        Self::filled(size, head, Piece::Same(piece), tail)
    }

    /// About `size` bytes of pieces that are all different.
    pub fn numbered(size: usize, head: &str, (before, behind): (&'static str, &'static str), tail: &str) -> Self {
        Self::filled(size, head, Piece::Numbered(before, behind), tail)
    }

    fn filled(size: usize, head: &str, piece: Piece, tail: &str) -> Self {
        Self {
            head: head.to_owned(),
            piece,
            count: size / piece.len(),
            tail: tail.to_owned(),
        }
    }

    pub fn len(&self) -> usize {
        self.head.len() + self.piece.len() * self.count + self.tail.len()
    }

    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.head.as_bytes())?;
        for number in 0..self.count {
            match self.piece {
                Piece::Same(text) => to.write_all(text.as_bytes())?,
                Piece::Numbered(before, behind) => write!(to, "{before}{number:0DIGITS$}{behind}")?,
            }
        }
        to.write_all(self.tail.as_bytes())
    }
}

const HEAD: &str = "From: a@sender.example\r\nTo: jane@example.com\r\nSubject: many\r\n";
const END: &str = "\r\n\r\nx\r\n";

/// What a line of the table is called, and the message.
pub fn messages(scale: f64) -> Vec<(&'static str, Mail)> {
    let large = (149e6 * scale) as usize;
    let report = "From: a@sender.example\r\nX-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
                  --b\r\nContent-Type: text/plain\r\n\r\nSender: a@sender.example\r\n";
    let enclosed =
        "Bcc: jane@example.com\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: many\r\n\r\nx\r\n--b--\r\n";
    let to = ("u", "@b.example,");
    vec![
        ("149 MB of To fields", Mail::of(large, HEAD, "To:a@b\n", END)),
        ("149 MB in one Cc", Mail::of(large, &format!("{HEAD}Cc: "), "a@b,", END)),
        ("149 MB of fields of three bytes", Mail::of(large, HEAD, "X:\n", END)),
        (
            "149 MB of addresses, all different",
            Mail::numbered(
                large,
                "From: a@b.example\r\nTo: ",
                to,
                &format!("jane@example.com{END}"),
            ),
        ),
        (
            "a report with 100 MB of addresses",
            Mail::numbered((100e6 * scale) as usize, report, ("To: u", "@b.example\r\n"), enclosed),
        ),
        ("149 MB of words", Mail::of(large, &format!("{HEAD}Cc: "), "a ", END)),
        (
            "149 MB of delimiters",
            Mail::of(
                large,
                &format!("{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n"),
                "--b\n\n",
                "",
            ),
        ),
    ]
}
