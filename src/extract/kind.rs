//! Which kind of file an attachment is: by how it begins where that says so, else by what the mail says of it, else by
//! its name.

use memchr::memmem;

/// Bytes in which a file shows what it is.
const BEGINNING: usize = 4 << 10;
/// Bytes at the end of a ZIP in which the names of its files are looked for.
const NAMES: usize = 64 << 10;

/// Kinds of files that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Text,
    Html,
    /// iCalendar (RFC 5545).
    Calendar,
    /// vCard (RFC 6350, and those before).
    Card,
    /// A message that is enclosed in another one.
    Message,
    Rtf,
    Pdf,
    /// DOCX.
    Word,
    /// XLSX.
    Sheet,
    /// PPTX.
    Slides,
    /// ODT, ODS, ODP and what is like them.
    OpenDocument,
    Zip,
    /// winmail.dat.
    Tnef,
    /// DOC, XLS, PPT, MSG: what Microsoft Office wrote before 2007.
    OldOffice,
    /// All others.
    Other,
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::Text,
        Self::Html,
        Self::Calendar,
        Self::Card,
        Self::Message,
        Self::Rtf,
        Self::Pdf,
        Self::Word,
        Self::Sheet,
        Self::Slides,
        Self::OpenDocument,
        Self::Zip,
        Self::Tnef,
        Self::OldOffice,
        Self::Other,
    ];

    /// The word that metrics and lists have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Calendar => "calendar",
            Self::Card => "vcard",
            Self::Message => "message",
            Self::Rtf => "rtf",
            Self::Pdf => "pdf",
            Self::Word => "docx",
            Self::Sheet => "xlsx",
            Self::Slides => "pptx",
            Self::OpenDocument => "odf",
            Self::Zip => "zip",
            Self::Tnef => "tnef",
            Self::OldOffice => "office97",
            Self::Other => "other",
        }
    }

    /// The kind of a file of this `name`, of which the mail says that it is of `content_type` (`text/plain`; in lower
    /// case, without parameters).
    pub fn of(name: Option<&str>, content_type: &str, bytes: &[u8]) -> Self {
        if let Some(kind) = Self::by_bytes(bytes) {
            return kind;
        }
        let kind =
            Self::by_type(content_type)
                .or_else(|| Self::by_name(name?))
                .unwrap_or(if says_nothing(content_type) {
                    Self::Text
                } else {
                    Self::Other
                });
        match kind {
            Self::Message => Self::Message,
            _ if is_binary(bytes) => Self::Other,
            kind => kind,
        }
    }

    fn by_bytes(bytes: &[u8]) -> Option<Self> {
        let beginning = &bytes[..bytes.len().min(1 << 10)];
        Some(match bytes {
            [b'P', b'K', 3, 4, ..] => Self::of_zip(bytes),
            // An empty one.
            [b'P', b'K', 5, 6, ..] => Self::Zip,
            [b'{', b'\\', b'r', b't', b'f', ..] => Self::Rtf,
            [0x78, 0x9f, 0x3e, 0x22, ..] => Self::Tnef,
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Self::OldOffice,
            _ if memmem::find(beginning, b"%PDF-").is_some() => Self::Pdf,
            _ => return None,
        })
    }

    fn of_zip(bytes: &[u8]) -> Self {
        // Its first file says so, and is not compressed.
        let mimetype = bytes.get(30..).unwrap_or_default();
        if mimetype.starts_with(b"mimetypeapplication/vnd.oasis.opendocument.") {
            return Self::OpenDocument;
        }
        let names = &bytes[bytes.len().saturating_sub(NAMES)..];
        let has = |name: &[u8]| memmem::find(names, name).is_some();
        match () {
            () if !has(b"[Content_Types].xml") => Self::Zip,
            () if has(b"word/document") => Self::Word,
            () if has(b"xl/workbook") => Self::Sheet,
            () if has(b"ppt/presentation") => Self::Slides,
            () => Self::Zip,
        }
    }

    fn by_type(content_type: &str) -> Option<Self> {
        Some(match content_type {
            "text/html" | "application/xhtml+xml" | "image/svg+xml" => Self::Html,
            "text/calendar" | "application/ics" => Self::Calendar,
            "text/vcard" | "text/x-vcard" | "text/directory" => Self::Card,
            "message/rfc822" | "message/global" => Self::Message,
            "application/json"
            | "application/xml"
            | "application/javascript"
            | "application/x-sh"
            | "application/csv" => Self::Text,
            // The text of a signature or key is no words.
            "application/pgp-signature" | "application/pgp-encrypted" | "application/pgp-keys" => Self::Other,
            // What sends them may say so of anything.
            "text/plain" => return None,
            other => match other.split_once('/') {
                Some(("text" | "message", _)) => Self::Text,
                Some(("image" | "audio" | "video" | "font", _)) => Self::Other,
                _ if other.ends_with("+xml") || other.ends_with("+json") => Self::Text,
                _ => return None,
            },
        })
    }

    fn by_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(extension));
        Some(match () {
            () if is(&["html", "htm", "xhtml", "svg"]) => Self::Html,
            () if is(&["ics", "ical", "ifb", "vcs"]) => Self::Calendar,
            () if is(&["vcf", "vcard"]) => Self::Card,
            () if is(&["eml"]) => Self::Message,
            () if is(&["asc", "sig", "gpg", "pgp", "p7s", "p7m", "pem", "crt", "key"]) => Self::Other,
            () if is(&[
                "txt", "text", "csv", "tsv", "log", "md", "json", "xml", "ini", "cfg", "conf", "diff", "patch", "yaml",
                "yml", "toml", "tex", "bib", "sql", "sh", "py", "c", "h", "cpp", "java", "js", "css", "rs", "go", "pl",
                "php", "rb", "bat", "ps1", "srt",
            ]) =>
            {
                Self::Text
            }
            () => return None,
        })
    }
}

/// What programs write that do not know what they send.
fn says_nothing(content_type: &str) -> bool {
    let words = [
        "",
        "text/plain",
        "application/octet-stream",
        "application/binary",
        "application/unknown",
    ];
    words.contains(&content_type) || content_type.starts_with("multipart/")
}

/// Whether bytes are no text of any charset: they have characters that no text has.
fn is_binary(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(BEGINNING)];
    if is_utf_16(beginning) {
        return false;
    }
    let is_odd = |byte: &&u8| matches!(byte, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    // One may have got into a text by accident.
    beginning.iter().filter(is_odd).count() > beginning.len() / 100
}

/// Whether a text begins with the mark of UTF-16.
pub(super) fn is_utf_16(text: &[u8]) -> bool {
    text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_says_the_file_then_the_mail_then_its_name() {
        for (name, content_type, bytes, kind) in [
            ("x.txt", "text/plain", &b"%PDF-1.4\n"[..], Kind::Pdf),
            ("x", "application/msword", b"{\\rtf1 a}", Kind::Rtf),
            ("x", "text/plain", b"\x78\x9f\x3e\x22ab", Kind::Tnef),
            (
                "x.doc",
                "application/msword",
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
                Kind::OldOffice,
            ),
            ("x.txt", "text/html", b"<p>", Kind::Html),
            ("x.htm", "application/octet-stream", b"<p>", Kind::Html),
            ("x.ics", "text/plain", b"BEGIN:VCALENDAR", Kind::Calendar),
            ("x", "text/x-vcard", b"BEGIN:VCARD", Kind::Card),
            ("x.eml", "application/octet-stream", b"From: a", Kind::Message),
            ("x", "application/octet-stream", b"words", Kind::Text),
            (
                "x",
                "application/octet-stream",
                b"\x7fELF\x02\x01\x01\0\0\0",
                Kind::Other,
            ),
            ("x.txt", "text/plain", b"\0\0\0\0\x01\x02", Kind::Other),
            ("x.txt", "text/plain", b"\xff\xfea\0", Kind::Text),
            ("x", "image/png", b"words", Kind::Other),
            ("signature.asc", "application/pgp-signature", b"-----BEGIN", Kind::Other),
            ("x", "message/delivery-status", b"Status: 5.0.0", Kind::Text),
            ("x", "application/x-new", b"words", Kind::Other),
            ("x.csv", "application/vnd.ms-excel", b"a;b", Kind::Text),
            ("x.zip", "application/zip", b"PK\x03\x04", Kind::Zip),
            ("x.zip", "application/zip", b"PK\x05\x06", Kind::Zip),
        ] {
            assert_eq!(Kind::of(Some(name), content_type, bytes), kind, "{name} {content_type}");
        }
    }
}
