//! MIME as mail programs write it: parts, boundaries, encodings. Line ends are CRLF.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{super::Random, files::File, office::Program};

/// How a text is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// As it is.
    Plain,
    QuotedPrintable,
    Base64,
}

/// A part with its own header fields, each ended by CRLF, and its body.
pub struct Part {
    pub fields: String,
    pub body: Vec<u8>,
}

impl Part {
    /// A text, ended by CRLF.
    pub fn text(subtype: &str, text: &str, program: Program) -> Self {
        let (name, body) = match program.text {
            Encoding::Plain => ("8bit", text.as_bytes().to_vec()),
            Encoding::QuotedPrintable => ("quoted-printable", quoted_printable(text)),
            Encoding::Base64 => ("base64", base64(text.as_bytes(), program)),
        };
        Self {
            fields: format!("Content-Type: text/{subtype}; charset=\"utf-8\"\r\nContent-Transfer-Encoding: {name}\r\n"),
            body,
        }
    }

    /// A file in base64; with a content id it belongs to the text, else it is attached.
    pub fn file(file: &File, id: Option<&str>, program: Program) -> Self {
        let (kind, name) = file.label();
        let place = match id {
            Some(id) => format!("Content-Disposition: inline; filename=\"{name}\"\r\nContent-ID: <{id}>\r\n"),
            None => format!("Content-Disposition: attachment; filename=\"{name}\"\r\n"),
        };
        Self {
            fields: format!("Content-Type: {kind}; name=\"{name}\"\r\n{place}Content-Transfer-Encoding: base64\r\n"),
            body: base64(&file.bytes(), program),
        }
    }

    /// A whole message, attached.
    pub fn message(message: &[u8]) -> Self {
        Self {
            fields: "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n".into(),
            body: message.to_vec(),
        }
    }

    /// Several parts as one; a single one stays as it is.
    pub fn multipart(subtype: &str, mut parts: Vec<Self>, random: &mut Random) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let boundary = format!(
            "_{:03}_{:016X}{:08x}_",
            parts.len(),
            random.next(),
            random.next() as u32
        );
        let mut body = Vec::with_capacity(parts.iter().map(|part| part.body.len() + 400).sum());
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.fields).as_bytes());
            body.extend(part.body);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Self {
            fields: format!("Content-Type: multipart/{subtype};\r\n\tboundary=\"{boundary}\"\r\n"),
            body,
        }
    }
}

/// Base64 in lines as the program makes them; the last one is ended where an empty line is to follow it.
fn base64(bytes: &[u8], program: Program) -> Vec<u8> {
    let encoded = STANDARD.encode(bytes);
    let mut lines = Vec::with_capacity(encoded.len() + encoded.len() / program.line * 2 + 2);
    for line in encoded.as_bytes().chunks(program.line) {
        if !lines.is_empty() {
            lines.extend_from_slice(b"\r\n");
        }
        lines.extend_from_slice(line);
    }
    if program.empty_line {
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// Quoted-printable (RFC 2045, 6.7) of a text whose lines end with CRLF.
fn quoted_printable(text: &str) -> Vec<u8> {
    const LONGEST: usize = 75;
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive("\r\n") {
        let (line, end) = line
            .strip_suffix("\r\n")
            .map_or((line, &b""[..]), |line| (line, &b"\r\n"[..]));
        let mut column = 0;
        for (at, &byte) in line.as_bytes().iter().enumerate() {
            let last = at + 1 == line.len();
            let as_it_is = (b'!'..=b'~').contains(&byte) && byte != b'=' || byte == b' ' && !last;
            let width = if as_it_is { 1 } else { 3 };
            if column + width > LONGEST {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            column += width;
            match as_it_is {
                true => out.push(byte),
                false => out.extend_from_slice(format!("={byte:02X}").as_bytes()),
            }
        }
        out.extend_from_slice(end);
    }
    out
}
