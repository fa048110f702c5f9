//! The parts of a message as a person sees them. Their number and depth are bounded; what is beyond the bounds is only
//! counted.

use std::{borrow::Cow, ops::Range};

use memchr::memrchr;

use super::{
    charset::{Charset, decoded, printable},
    header::Header,
    mime::{self, Body, Encoding, Entity},
    parameters::Content,
    values::{LegibleBase64, from_html, whole_groups},
};

/// Parts that are looked at, and multiparts around one.
const MOST: usize = 500;
const DEEPEST: usize = 20;
/// Bytes of a Content-ID.
const LONGEST_ID: usize = 1000;
/// Bytes of a body in which its text is looked for.
const TEXT: usize = 1 << 20;
/// Bytes that are decoded at once to see how long they are.
const STRETCH: usize = 1 << 20;
/// The same where they come piece by piece, and many wait for some.
const PIECE: usize = 64 << 10;

/// A part that is no multipart. A message that is enclosed is one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// In lower case, `text/plain` where nothing is said.
    pub kind: String,
    pub name: Option<String>,
    pub is_attachment: bool,
    /// By which a page of the message names it, without its brackets (RFC 2392).
    pub content_id: Option<String>,
    /// The one that it names.
    pub charset: Option<Charset>,
    encoding: Encoding,
    /// Where its body is in the message.
    body: Range<usize>,
    /// Which multipart/alternative it is in.
    alternative: Option<usize>,
}

/// The parts of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// In their order.
    pub parts: Vec<Part>,
    /// There are more.
    pub has_more: bool,
    /// Some multiparts are nested deeper than is looked at, and are taken for one part each.
    pub is_deeper: bool,
}

impl Layout {
    /// Reads a message. Linear in its length; never fails.
    pub fn read(message: &[u8]) -> Self {
        Self::with(message, &Header::scan(message))
    }

    /// The same where the header is read already.
    pub fn with(message: &[u8], header: &Header) -> Self {
        let mut layout = Self::default();
        let mut alternatives = 0;
        // What is still to be read, the last first: where, how deep, and in which alternative.
        let mut open = vec![(0..message.len(), 0, None)];
        while let Some((range, depth, alternative)) = open.pop() {
            let entity = match depth {
                0 => Entity::new(message, Cow::Borrowed(header), range),
                _ => Entity::read(message, range),
            };
            let kind = Body::of(&entity.header);
            if let Body::Multipart(boundary) = kind {
                if depth == DEEPEST {
                    layout.is_deeper = true;
                } else {
                    let parts = mime::parts(message, entity.body.clone(), boundary, MOST + 1, |_| true);
                    let is_alternative = Part::content(&entity).kind == "multipart/alternative";
                    alternatives += usize::from(is_alternative);
                    let alternative = if is_alternative {
                        Some(alternatives)
                    } else {
                        alternative
                    };
                    let is_empty = parts.is_empty();
                    open.extend(parts.into_iter().rev().map(|part| (part, depth + 1, alternative)));
                    if !is_empty {
                        continue;
                    }
                }
            }
            if layout.parts.len() == MOST {
                layout.has_more = true;
                break;
            }
            layout.parts.push(Part::new(&entity, alternative));
        }
        layout
    }

    /// The charset that the first text names which does so: what a header that names none is likely in.
    pub fn charset(&self) -> Option<Charset> {
        self.parts
            .iter()
            .filter(|part| part.is_text())
            .find_map(|part| part.charset)
    }

    /// The text that somebody reads first; of a very long one the beginning.
    pub fn text(&self, message: &[u8]) -> String {
        let is_text = |part: &&Part| !part.is_attachment && part.is_text();
        let Some(first) = self.parts.iter().find(is_text) else {
            return String::new();
        };
        let mut others = self.parts.iter().filter(is_text);
        let plain = others.find(|part| part.alternative == first.alternative && !part.is_html());
        let part = match first.alternative {
            Some(_) => plain.unwrap_or(first),
            None => first,
        };
        let text = part.text(message, TEXT);
        if part.is_html() {
            printable(from_html(&text))
        } else {
            text
        }
    }
}

const HTML: &str = "text/html";

/// The charset that a page names itself, near its beginning.
fn charset_of_page(page: &[u8]) -> Option<Charset> {
    const NAME: &[u8] = b"charset=";
    let beginning = page[..page.len().min(1 << 10)].to_ascii_lowercase();
    let at = memchr::memmem::find(&beginning, NAME)? + NAME.len();
    let label = beginning[at..].trim_ascii_start();
    let label = label
        .strip_prefix(b"\"")
        .or_else(|| label.strip_prefix(b"'"))
        .unwrap_or(label);
    let end = label
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
    // A page that says so itself is not of two bytes a letter, whatever it says.
    Charset::named(&label[..end.unwrap_or(label.len())]).filter(|charset| !charset.is_wide())
}

impl Part {
    fn content(entity: &Entity) -> Content {
        let field = entity.header.all("Content-Type").next();
        field
            .and_then(|field| Content::read(field.value, None))
            .unwrap_or_default()
    }

    fn new(entity: &Entity, alternative: Option<usize>) -> Self {
        let content = Self::content(entity);
        let disposition = entity.header.all("Content-Disposition").next();
        let disposition = disposition
            .and_then(|field| Content::read(field.value, content.charset))
            .unwrap_or_default();
        let id = entity
            .header
            .all("Content-ID")
            .next()
            .map(|field| field.value.trim_ascii());
        let id = id.and_then(|id| id.strip_prefix(b"<")?.strip_suffix(b">"));
        Self {
            content_id: id
                .filter(|id| id.len() <= LONGEST_ID)
                .and_then(|id| String::from_utf8(id.to_vec()).ok()),
            kind: match content.kind.as_str() {
                "" => "text/plain".to_owned(),
                _ => content.kind,
            },
            name: disposition.name.or(content.name),
            is_attachment: disposition.kind == "attachment",
            charset: content.charset,
            encoding: entity.encoding(),
            body: entity.body.clone(),
            alternative,
        }
    }

    /// Whether it is a file to whoever looks for messages with attachments: the message calls it one, or names it.
    pub fn is_file(&self) -> bool {
        self.is_attachment || self.name.is_some()
    }

    /// Whether it is shown as text: what is a multipart that has no parts is, too.
    pub fn is_text(&self) -> bool {
        self.kind == "text/plain" || self.kind == HTML || self.kind.starts_with("multipart/")
    }

    pub fn is_html(&self) -> bool {
        self.kind == HTML
    }

    /// Its body without the transfer encoding, as far as that can be undone.
    pub fn bytes<'m>(&self, message: &'m [u8]) -> Cow<'m, [u8]> {
        self.encoding.legible(&message[self.body.clone()])
    }

    /// Bytes of its body without the transfer encoding. Linear in its length.
    pub fn size(&self, message: &[u8]) -> u64 {
        let mut rest = &message[self.body.clone()];
        let mut size = 0;
        while !rest.is_empty() {
            let stretch = self.encoding.whole(rest, STRETCH);
            match self.encoding.decoded(stretch) {
                Some(decoded) => size += decoded.len(),
                None => return self.bytes(message).len() as u64,
            }
            rest = &rest[stretch.len()..];
        }
        size as u64
    }

    /// What decodes its body where that comes piece by piece. Linear in its length.
    pub fn decoding(&self, message: &[u8]) -> Decoding {
        let body = &message[self.body.clone()];
        let (mut rest, mut is_sound) = (body, true);
        while is_sound && !rest.is_empty() {
            let stretch = self.encoding.whole(rest, STRETCH);
            is_sound = self.encoding.decoded(stretch).is_some();
            rest = &rest[stretch.len()..];
        }
        let is_broken = !is_sound && self.encoding.decoded(body).is_none();
        Decoding {
            encoding: self.encoding,
            broken: (is_broken && self.encoding == Encoding::Base64).then(LegibleBase64::default),
            body: self.body.clone(),
            at: 0,
            pending: Vec::new(),
        }
    }

    /// Its text, of a body of more than `most` bytes the beginning.
    pub fn text(&self, message: &[u8], most: usize) -> String {
        let body = &message[self.body.clone()];
        let beginning = match body.get(..most) {
            Some(beginning) => &beginning[..memrchr(b'\n', beginning).map_or(most, |end| end + 1)],
            None => body,
        };
        text_of(&self.encoding.legible(beginning), self.charset, self.is_html())
    }
}

/// Gives the body of a part without its transfer encoding, while the bytes of the message pass.
#[derive(Debug)]
pub struct Decoding {
    encoding: Encoding,
    /// What reads base64 that is broken somewhere.
    broken: Option<LegibleBase64>,
    body: Range<usize>,
    /// How far the message has passed.
    at: usize,
    /// What of the body is not decoded yet.
    pending: Vec<u8>,
}

impl Decoding {
    /// The next bytes of the message; gives those of the body that can be decoded now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let of_body = |at: usize| at.saturating_sub(self.at).min(piece.len());
        let (from, to) = (of_body(self.body.start), of_body(self.body.end));
        self.pending.extend_from_slice(&piece[from..to]);
        self.at += piece.len();
        let mut decoded = Vec::new();
        if let Some(broken) = &mut self.broken {
            let taken = broken.push(&self.pending, self.at >= self.body.end, &mut decoded);
            self.pending.drain(..taken);
            return decoded;
        }
        while self.pending.len() > PIECE || (self.is_behind() && !self.pending.is_empty()) {
            let end = if self.is_behind() {
                self.pending.len()
            } else {
                self.whole()
            };
            if end == 0 {
                break;
            }
            let stretch: Vec<u8> = self.pending.drain(..end).collect();
            decoded.extend_from_slice(&self.encoding.legible(&stretch));
        }
        decoded
    }

    /// How much of what is pending can be decoded by itself, whatever comes behind it.
    fn whole(&self) -> usize {
        match self.encoding {
            Encoding::None => self.pending.len(),
            Encoding::QuotedPrintable => match memrchr(b'\n', &self.pending) {
                Some(end) => end + 1,
                // In a line without an end, behind a letter that stands for itself.
                None => {
                    let letter = |at: &usize| {
                        let before = &self.pending[at.saturating_sub(2)..=*at];
                        !before.contains(&b'=') && !self.pending[*at].is_ascii_whitespace()
                    };
                    (0..self.pending.len()).rev().find(letter).map_or(0, |at| at + 1)
                }
            },
            // Lines need not be of whole groups of four letters.
            Encoding::Base64 => whole_groups(&self.pending),
        }
    }

    /// Whether all of the body has passed.
    pub fn is_behind(&self) -> bool {
        self.at >= self.body.end
    }
}

/// The characters of a text, or of a page, of the charset that is `declared` for it.
pub fn text_of(bytes: &[u8], declared: Option<Charset>, is_page: bool) -> String {
    let in_page = || is_page.then(|| charset_of_page(bytes)).flatten();
    decoded(bytes, declared.or_else(in_page), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_comes_piece_by_piece_is_decoded_as_one_that_comes_whole() {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let plain: Vec<u8> = (0..3_000_000_u32).map(|number| (number * 7 % 251) as u8).collect();
        let letters = STANDARD.encode(&plain);
        let lines = |length: usize| {
            let lines = letters.as_bytes().chunks(length).map(|line| [line, b"\r\n"].concat());
            lines.collect::<Vec<_>>().concat()
        };
        let quoted: Vec<u8> = plain
            .iter()
            .flat_map(|byte| format!("={byte:02X}=\n").into_bytes())
            .collect();
        for (encoding, body, expected) in [
            ("base64", lines(76), plain.clone()),
            ("base64", lines(75), plain.clone()),
            ("base64", letters.clone().into_bytes(), plain.clone()),
            (
                "base64",
                [&lines(76)[..], b"\x01 this is no base64!"].concat(),
                Vec::new(),
            ),
            ("quoted-printable", quoted, plain.clone()),
            (
                "quoted-printable",
                [&b"x".repeat(300_000)[..], b"=3D =20 \nx"].concat(),
                Vec::new(),
            ),
            (
                "base64",
                [
                    &lines(75)[..2_000_010],
                    b"!",
                    &lines(75)[2_000_010..],
                    b"\r\nA line below it.\r\n",
                    &lines(76),
                ]
                .concat(),
                [&plain[..], b"A line below it.\r\n", &plain].concat(),
            ),
            ("base64", [&b"!?"[..], letters.as_bytes()].concat(), Vec::new()),
            ("8bit", plain.clone(), plain.clone()),
            ("base64", Vec::new(), Vec::new()),
        ] {
            let begin = format!("Content-Type: application/x\nContent-Transfer-Encoding: {encoding}\n\n");
            let message = [begin.as_bytes(), &body].concat();
            let layout = Layout::read(&message);
            let whole = layout.parts[0].bytes(&message);
            assert!(expected.is_empty() || expected == *whole, "{encoding}");
            for piece in [1_000_000, 4_097, message.len()] {
                let mut decoding = layout.parts[0].decoding(&message);
                let pieces = message.chunks(piece).flat_map(|piece| decoding.push(piece));
                assert!(
                    pieces.collect::<Vec<_>>() == *whole,
                    "{encoding}, {piece} bytes at once"
                );
                assert!(decoding.is_behind());
            }
        }
    }
}
