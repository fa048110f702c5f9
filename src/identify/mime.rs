//! How a message is put together (MIME, RFC 2045 and 2046), read generously and in linear time: entities, the parts
//! of a multipart, what an entity's Content-Type and Content-Transfer-Encoding say.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memmem, memrchr};

use super::{
    charset::Charset,
    header::Header,
    parameters::Content,
    values::{from_base64, from_quoted_printable, legible_base64, legible_quoted_printable},
};

/// A message, or a part of a multipart: a header and a body.
pub(super) struct Entity<'a> {
    pub header: Cow<'a, Header<'a>>,
    /// Where its body is in the message.
    pub body: Range<usize>,
}

impl<'a> Entity<'a> {
    /// Reads what stands in `range` of `message`.
    pub fn read(message: &'a [u8], range: Range<usize>) -> Self {
        let header = match range == (0..message.len()) {
            true => Header::scan(message),
            false => Header::of_part(&message[range.clone()]),
        };
        Self::new(message, Cow::Owned(header), range)
    }

    /// The same with the header that stands there.
    pub fn new(message: &[u8], header: Cow<'a, Header<'a>>, range: Range<usize>) -> Self {
        let mut start = range.start + header.end;
        if header.ended {
            // The empty line ends the header, and is no part of the body.
            start = next_line(message, start, range.end);
        }
        Self {
            header,
            body: start..range.end,
        }
    }

    /// The body without its transfer encoding; as it stands where that cannot be undone.
    pub fn decoded(&self, message: &'a [u8]) -> Cow<'a, [u8]> {
        let body = &message[self.body.clone()];
        self.encoding().decoded(body).unwrap_or(Cow::Borrowed(body))
    }

    /// The charset that its Content-Type names.
    pub fn charset(&self) -> Option<Charset> {
        let field = self.header.all("Content-Type").next()?;
        Content::read(field.value, None)?.charset
    }

    /// What its Content-Transfer-Encoding says.
    pub fn encoding(&self) -> Encoding {
        let encoding = self.header.all("Content-Transfer-Encoding").next();
        let encoding = encoding.map_or(&[][..], |field| field.value.trim_ascii());
        // Without what some put behind it.
        let end = encoding
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
        let encoding = &encoding[..end.unwrap_or(encoding.len())];
        if encoding.eq_ignore_ascii_case(b"base64") {
            Encoding::Base64
        } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
            Encoding::QuotedPrintable
        } else {
            Encoding::None
        }
    }
}

/// A transfer encoding (RFC 2045, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    /// `body` without it; `None` where it cannot be undone.
    pub fn decoded(self, body: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::None => Some(Cow::Borrowed(body)),
            Self::Base64 => from_base64(body).map(Cow::Owned),
            Self::QuotedPrintable => from_quoted_printable(body).map(Cow::Owned),
        }
    }

    /// `body` without it as far as it can be undone, for whoever reads it: what cannot be undone is left as it stands.
    pub fn legible(self, body: &[u8]) -> Cow<'_, [u8]> {
        self.decoded(body).unwrap_or_else(|| {
            Cow::Owned(match self {
                Self::None => body.to_vec(),
                Self::Base64 => legible_base64(body),
                Self::QuotedPrintable => legible_quoted_printable(body),
            })
        })
    }

    /// The beginning of `body`, of about so many bytes, that can be decoded by itself.
    pub fn whole(self, body: &[u8], length: usize) -> &[u8] {
        let Some(beginning) = body.get(..length) else {
            return body;
        };
        match self {
            Self::None => body,
            // Lines are of whole groups of letters, wherever anybody writes lines.
            Self::Base64 | Self::QuotedPrintable => {
                let end = memrchr(b'\n', beginning).or_else(|| memchr(b'\n', body));
                end.map_or(body, |end| &body[..=end])
            }
        }
    }
}

/// What an entity's Content-Type says of its body.
pub(super) enum Body<'a> {
    Text,
    Html,
    Multipart(&'a [u8]),
    Message,
    /// The header of a message, as some reports of failure enclose it (RFC 6522, 4).
    Headers,
    Other,
}

impl<'a> Body<'a> {
    pub fn of(header: &Header<'a>) -> Self {
        let Some(field) = header.all("Content-Type").next() else {
            return Self::Text;
        };
        let value = field.value.trim_ascii();
        let begins = |kind: &[u8]| value.get(..kind.len()).is_some_and(|it| it.eq_ignore_ascii_case(kind));
        if begins(b"multipart/") {
            boundary(value).map_or(Self::Other, Self::Multipart)
        } else if begins(b"text/rfc822-headers") || begins(b"message/global-headers") {
            Self::Headers
        } else if begins(b"message/rfc822") || begins(b"message/global") {
            Self::Message
        } else if begins(b"text/plain") {
            Self::Text
        } else if begins(b"text/html") {
            Self::Html
        } else {
            Self::Other
        }
    }
}

/// Longer boundaries are none: RFC 2046 has 70 bytes (5.1.1).
const LONGEST_BOUNDARY: usize = 1000;

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
        return Some(text.trim_ascii_end()).filter(|text| (1..=LONGEST_BOUNDARY).contains(&text.len()));
    }
    None
}

/// The parts between the delimiter lines for which `wanted` holds, at most `most`, each without the line end that
/// belongs to its delimiter (RFC 2046, 5.1.1).
pub(super) fn parts(
    message: &[u8],
    body: Range<usize>,
    boundary: &[u8],
    most: usize,
    wanted: impl Fn(&Range<usize>) -> bool,
) -> Vec<Range<usize>> {
    let delimiter = [b"--", boundary].concat();
    let mut parts = Vec::new();
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
            parts.extend(Some(start..without_line_end(message, start, at)).filter(&wanted));
        }
        if !rest.is_empty() || parts.len() >= most {
            return parts;
        }
        begun = Some(end);
    }
    // Cut short, as mail is that lost its end.
    if let Some(start) = begun {
        parts.extend(Some(start..body.end).filter(&wanted));
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
