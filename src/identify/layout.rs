//! The parts of a message as a person sees them. Their number and depth are bounded; what is beyond the bounds is only
//! counted.

use std::{borrow::Cow, ops::Range};

use memchr::memrchr;

use super::{
    charset::{Charset, decoded, printable},
    header::Header,
    mime::{self, Body, Encoding, Entity},
    parameters::Content,
    values::from_html,
};

/// Parts that are looked at, and multiparts around one.
const MOST: usize = 500;
const DEEPEST: usize = 20;
/// Bytes of a body in which its text is looked for.
const TEXT: usize = 1 << 20;
/// Bytes that are decoded at once to see how long they are.
const STRETCH: usize = 1 << 20;

/// A part that is no multipart. A message that is enclosed is one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// In lower case, `text/plain` where nothing is said.
    pub kind: String,
    pub name: Option<String>,
    pub is_attachment: bool,
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
        Self {
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

/// The characters of a text, or of a page, of the charset that is `declared` for it.
pub fn text_of(bytes: &[u8], declared: Option<Charset>, is_page: bool) -> String {
    let in_page = || is_page.then(|| charset_of_page(bytes)).flatten();
    decoded(bytes, declared.or_else(in_page), None)
}
