//! mbox, written: of its kinds mboxrd, the only one whose quoting can be undone.
//!
//! A message has a line `From SENDER DATE` before it and an empty line after it. Each of its lines that begins with any
//! number of `>` and then `From ` gets one more `>`. A message whose last line has no end gets one; whoever knows the
//! message's size takes that many of the unquoted bytes, and has it exactly.

use std::io::{self, Write};

use memchr::memmem::Finder;

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
pub fn write(out: &mut impl Write, message: &[u8], date: Seconds) -> io::Result<u64> {
    let mut out = Counting { out, written: 0 };
    out.put(b"From ")?;
    out.put(sender(message).as_bytes())?;
    // As asctime writes it, in UTC.
    out.put(utc(date).strftime(" %a %b %e %H:%M:%S %Y\n").to_string().as_bytes())?;
    quoted(&mut out, message)?;
    let unended = !message.ends_with(b"\n");
    out.put(if unended { b"\n\n" } else { b"\n" })?;
    Ok(out.written)
}

/// Writes the message with its quoting. Linear: of a run of `>`, only what directly precedes a `From ` is read.
fn quoted<W: Write>(out: &mut Counting<W>, message: &[u8]) -> io::Result<()> {
    let mut written = 0;
    for found in Finder::new(b"From ").find_iter(message) {
        let marks = message[..found].iter().rev().take_while(|byte| **byte == b'>').count();
        let line = found - marks;
        if line == 0 || message[line - 1] == b'\n' {
            out.put(&message[written..line])?;
            out.put(b">")?;
            written = line;
        }
    }
    out.put(&message[written..])
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

impl<W: Write> Counting<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
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
        }
    }
}
