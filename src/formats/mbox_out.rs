//! mbox, written: of its kinds mboxrd, the only one whose quoting can be undone.
//!
//! A message has a line `From SENDER DATE` before it and an empty line after it. Each of its lines that begins with any
//! number of `>` and then `From ` gets one more `>`. A message whose last line has no end gets one; whoever knows the
//! message's size takes that many of the unquoted bytes, and has it exactly.

use std::io::{self, Write};

use memchr::memchr;

use super::names_out::utc;
use crate::{
    identify::{Header, addresses},
    ids::Seconds,
};

/// The beginning of a message in which its sender is looked for.
const BEGINNING: usize = 64 << 10;
/// Who is named where no sender can be.
const NOBODY: &str = "MAILER-DAEMON";
/// A longer sender is none.
const LONGEST: usize = 320;

/// Writes a message as it stands in an mbox, separators included; answers the bytes written.
///
/// # Errors
/// `out` takes no more.
pub fn write(out: impl Write, message: &[u8], date: Seconds) -> io::Result<u64> {
    let mut out = Counting { out, written: 0 };
    let mut quoting = Quoting::begin(&mut out, message, date)?;
    quoting.push(&mut out, message)?;
    quoting.end(&mut out)?;
    Ok(out.written)
}

/// Writes a message that comes piece by piece. Linear in its length.
#[derive(Default)]
pub struct Quoting {
    /// Bytes of a line's beginning that may come to `From `, as [`FROM`] has them; `None` within a line.
    matched: Option<usize>,
    ends_line: bool,
}

const FROM: &[u8] = b"From ";

impl Quoting {
    /// Writes the line before it. Who sent it stands in its `first` bytes.
    ///
    /// # Errors
    /// `out` takes no more.
    pub fn begin(mut out: impl Write, first: &[u8], date: Seconds) -> io::Result<Self> {
        // As asctime writes it, in UTC.
        let date = utc(date).strftime("%a %b %e %H:%M:%S %Y");
        writeln!(out, "From {} {date}", sender(first))?;
        Ok(Self {
            matched: Some(0),
            ends_line: false,
        })
    }

    /// Writes its next bytes, quoted. One more `>` is written behind those of a line, where all are alike.
    ///
    /// # Errors
    /// `out` takes no more.
    pub fn push(&mut self, mut out: impl Write, piece: &[u8]) -> io::Result<()> {
        let (mut written, mut at) = (0, 0);
        while at < piece.len() {
            let Some(matched) = self.matched else {
                let Some(end) = memchr(b'\n', &piece[at..]) else { break };
                self.matched = Some(0);
                at += end + 1;
                continue;
            };
            let byte = piece[at];
            if byte == FROM[matched] {
                // It is put aside, and in none of the pieces that are written.
                out.write_all(&piece[written..at])?;
                written = at + 1;
                self.matched = Some(matched + 1);
                if matched + 1 == FROM.len() {
                    out.write_all(b">From ")?;
                    self.matched = None;
                }
                at += 1;
            } else {
                out.write_all(&FROM[..matched])?;
                self.matched = (byte == b'>' && matched == 0).then_some(0);
                at += usize::from(self.matched.is_some());
            }
        }
        out.write_all(&piece[written..])?;
        self.ends_line = piece.last().map_or(self.ends_line, |last| *last == b'\n');
        Ok(())
    }

    /// Writes what stands behind it.
    ///
    /// # Errors
    /// `out` takes no more.
    pub fn end(self, mut out: impl Write) -> io::Result<()> {
        out.write_all(&FROM[..self.matched.unwrap_or_default()])?;
        out.write_all(if self.ends_line { b"\n" } else { b"\n\n" })
    }
}

/// The address that the message came from: of Return-Path, else From.
fn sender(message: &[u8]) -> String {
    let header = Header::scan(&message[..message.len().min(BEGINNING)]);
    let mut found = ["Return-Path", "From"].into_iter().filter_map(|name| {
        header
            .all(name)
            .find_map(|field| addresses(field.value).into_iter().next())
    });
    // In this line nothing is quoted, and the sender ends with the first space.
    let is_plain = |address: &str| address.len() <= LONGEST && address.bytes().all(|byte| byte.is_ascii_graphic());
    match found.next() {
        Some(address) if is_plain(address.as_str()) => address.as_str().to_owned(),
        _ => NOBODY.to_owned(),
    }
}

struct Counting<W> {
    out: W,
    written: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert_eq!(write(&mut out, message, 1_769_903_999).unwrap(), out.len() as u64);
        out
    }

    /// As a program reads it that knows the message's size.
    fn read(mbox: &[u8], size: usize) -> Vec<u8> {
        let lines: Vec<_> = mbox.split_inclusive(|byte| *byte == b'\n').collect();
        let unquoted = lines[1..].iter().flat_map(|line| {
            let bare = line.iter().position(|byte| *byte != b'>').unwrap_or(line.len());
            let is_quoted = bare > 0 && line[bare..].starts_with(b"From ");
            line[usize::from(is_quoted)..].to_vec()
        });
        unquoted.take(size).collect()
    }

    #[test]
    fn a_message_is_quoted_between_its_separators() {
        let message = b"From x\r\nReturn-Path: <Eve@sender.example>\r\nFrom: a@b.example\r\n\r\nFrom here\r\n>>From x\n> From\nno From ";
        let quoted = b"From eve@sender.example Sat Jan 31 23:59:59 2026\n\
            >From x\r\nReturn-Path: <Eve@sender.example>\r\nFrom: a@b.example\r\n\r\n>From here\r\n>>>From x\n> From\nno From \n\n";
        assert_eq!(
            String::from_utf8_lossy(&written(message)),
            String::from_utf8_lossy(quoted)
        );
    }

    #[test]
    fn a_sender_that_cannot_stand_there_is_nobody() {
        for message in [
            "",
            "Return-Path: <>\n\n",
            "From: \"a b\"@c.example\n\n",
            "From: ä@c.example\n\n",
        ] {
            assert!(
                written(message.as_bytes()).starts_with(b"From MAILER-DAEMON Sat Jan"),
                "{message}"
            );
        }
        let both = "Return-Path: <>\nFrom: x <a@b.example>\n\n";
        assert!(written(both.as_bytes()).starts_with(b"From a@b.example Sat "));
    }

    const PIECES: [&str; 9] = ["From ", ">", ">>From ", "\n", "\r\n", " ", "x", "From", "\0"];

    proptest! {
        #[test]
        fn every_message_is_read_back_exactly(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
            let message = pieces.concat().into_bytes();
            let mbox = written(&message);
            prop_assert_eq!(read(&mbox, message.len()), &message[..]);
            let separators = mbox.split_inclusive(|byte| *byte == b'\n').filter(|line| line.starts_with(b"From "));
            prop_assert_eq!(separators.count(), 1);
            prop_assert!(mbox.ends_with(b"\n\n"));
            let mut by_bytes = Vec::new();
            let mut quoting = Quoting::begin(&mut by_bytes, &message, 1_769_903_999).unwrap();
            for byte in message.chunks(1) {
                quoting.push(&mut by_bytes, byte).unwrap();
            }
            quoting.end(&mut by_bytes).unwrap();
            prop_assert_eq!(by_bytes, mbox);
        }
    }
}
