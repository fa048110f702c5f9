//! Reads a file of any kind that has text, and what is packed into it: a ZIP one level deep, messages a few. This must
//! run in the child process alone, but for what is plain.

use std::borrow::Cow;

use super::{
    html,
    kind::{Kind, is_utf_16},
    lines,
    mail::Mail,
    office,
    outcome::Outcome,
    output::{Output, Stop},
    pdf, rtf,
    zipped::{Allowance, FILES, Zipped},
};
use crate::identify::{Charset, Header, summary::line, text_of};

/// Messages, and ZIPs, around a file.
const DEEPEST: usize = 5;
/// Header fields of an enclosed message that are read.
const FIELDS: [&str; 5] = ["Subject", "From", "To", "Cc", "Date"];
/// How many times as long as its text a page may be.
const PAGE: usize = 4;

/// Text, a page, a calendar or a card: what is read in any process. `None` where it is something else.
pub(super) fn plain(kind: Kind, charset: Option<Charset>, bytes: &[u8], most: usize) -> Option<(String, Outcome)> {
    let mut out = Output::new(most);
    let ended = simple(kind, charset, bytes, most, &mut out)?;
    Some(out.end(ended))
}

/// A file of any kind: at most `most` bytes of its text, and what came of it. May panic, and take long.
pub(super) fn read(kind: Kind, bytes: &[u8], most: usize) -> (String, Outcome) {
    let mut reading = Reading {
        out: Output::new(most),
        allowance: Allowance::default(),
        most,
    };
    let ended = reading.file(kind, None, bytes, 0, false);
    reading.out.end(ended)
}

struct Reading {
    out: Output,
    allowance: Allowance,
    most: usize,
}

impl Reading {
    /// Reads a file that is in so many others, perhaps in a ZIP.
    fn file(
        &mut self,
        kind: Kind,
        charset: Option<Charset>,
        bytes: &[u8],
        depth: usize,
        in_zip: bool,
    ) -> Result<(), Stop> {
        if let Some(read) = simple(kind, charset, bytes, self.most, &mut self.out) {
            return read;
        }
        match kind {
            Kind::Rtf => rtf::read(bytes, &mut self.out),
            // Its panics are survived, but not where fuzzing looks for panics.
            Kind::Pdf if cfg!(fuzzing) => Ok(()),
            Kind::Pdf => pdf::read(bytes, &mut self.out),
            Kind::Word | Kind::Sheet | Kind::Slides | Kind::OpenDocument => {
                office::read(kind, bytes, &mut self.allowance, &mut self.out)
            }
            Kind::Message | Kind::Zip if depth == DEEPEST => Err(Stop::broken("it is nested too deep")),
            Kind::Message => self.message(bytes, depth, in_zip),
            Kind::Zip if in_zip => Err(Stop::broken("it is a ZIP file in a ZIP file")),
            Kind::Zip => self.zip(bytes, depth),
            Kind::OldOffice | Kind::Tnef => Err(Stop::broken("files of its kind are not read")),
            // There is no text in it.
            _ => Ok(()),
        }
    }

    fn message(&mut self, bytes: &[u8], depth: usize, in_zip: bool) -> Result<(), Stop> {
        let header = Header::scan(bytes);
        let mail = Mail::with(bytes, &header);
        for name in FIELDS {
            for field in header.all(name).take(FILES) {
                self.out.push(&line(Some(field), mail.charset()))?;
                self.out.line()?;
            }
        }
        self.out.push(&mail.body())?;
        self.out.line()?;
        for attachment in mail.attachments() {
            let bytes = attachment.bytes();
            let kind = Kind::of(attachment.name(), attachment.content_type(), &bytes);
            self.inner(kind, attachment.name(), attachment.charset(), &bytes, depth, in_zip)?;
        }
        Ok(())
    }

    fn zip(&mut self, bytes: &[u8], depth: usize) -> Result<(), Stop> {
        let mut zip = Zipped::open(bytes)?;
        if zip.len() > FILES {
            self.out.fault(format!(
                "of the files that are packed into it, the first {FILES} are read"
            ));
        }
        for (place, name) in zip.names().iter().enumerate().filter(|(_, name)| !name.ends_with('/')) {
            match zip.bytes(place, &mut self.allowance) {
                Ok(bytes) => self.inner(Kind::of(Some(name), "", &bytes), Some(name), None, &bytes, depth, true)?,
                Err(Stop::Broken(why)) => {
                    self.name(name)?;
                    self.out.fault(why);
                }
                Err(Stop::Full) => return Err(Stop::Full),
            }
        }
        Ok(())
    }

    /// Reads a file within a file, and its name. Where it cannot be read, those beside it are.
    fn inner(
        &mut self,
        kind: Kind,
        name: Option<&str>,
        charset: Option<Charset>,
        bytes: &[u8],
        depth: usize,
        in_zip: bool,
    ) -> Result<(), Stop> {
        self.name(name.unwrap_or_default())?;
        match self.file(kind, charset, bytes, depth + 1, in_zip) {
            Ok(()) => self.out.line(),
            Err(Stop::Broken(why)) => {
                self.out
                    .fault(format!("a file in it cannot be read ({}): {why}", kind.as_str()));
                self.out.line()
            }
            Err(Stop::Full) => Err(Stop::Full),
        }
    }

    fn name(&mut self, name: &str) -> Result<(), Stop> {
        self.out.push(name)?;
        self.out.line()
    }
}

/// Reads a file that is text itself.
fn simple(
    kind: Kind,
    charset: Option<Charset>,
    bytes: &[u8],
    most: usize,
    out: &mut Output,
) -> Option<Result<(), Stop>> {
    let text = |most| characters(beginning(bytes, most), charset, kind == Kind::Html);
    let is_cut = |most| bytes.len() > most;
    let full = |is_cut| if is_cut { Err(Stop::Full) } else { Ok(()) };
    Some(match kind {
        Kind::Text => out.push(&text(most)).and_then(|()| full(is_cut(most))),
        Kind::Html => {
            let most = most.saturating_mul(PAGE);
            out.push(&html::text(&text(most))).and_then(|()| full(is_cut(most)))
        }
        Kind::Calendar | Kind::Card => lines::read(&text(most), out).and_then(|()| full(is_cut(most))),
        _ => return None,
    })
}

fn characters(bytes: &[u8], charset: Option<Charset>, is_page: bool) -> Cow<'_, str> {
    // Which nobody writes a label on.
    let marked = is_utf_16(bytes).then(|| Charset::named(b"utf-16")).flatten();
    Cow::Owned(text_of(bytes, marked.or(charset), is_page))
}

/// The beginning of a text, of no more than `most` bytes, cut where a line ends.
fn beginning(bytes: &[u8], most: usize) -> &[u8] {
    match bytes.get(..most) {
        Some(beginning) if bytes.len() > most => {
            &beginning[..memchr::memrchr(b'\n', beginning).map_or(most, |end| end + 1)]
        }
        _ => bytes,
    }
}
