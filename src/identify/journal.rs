//! Journal reports of Exchange (2007 to 2019) and Microsoft 365: a message that says for whom another one, which it
//! encloses, was delivered.
//!
//! The first part is the envelope as text, a line an address: `Sender:`, `To: member@…, Expanded: list@…`,
//! `Bcc: new@…, Forwarded: old@…`, `Recipient:`. A `message/rfc822` part behind it is the enclosed message. A report
//! in a report is not opened: anyone can send one to a user, and Exchange will journal it like other mail.

use std::{
    borrow::Cow,
    ops::{ControlFlow, Range},
};

use bytes::Bytes;
use memchr::memchr;

use super::{
    address::each_address,
    found::Named,
    header::Header,
    mime::{self, Body, Entity},
};

/// The field that marks a report.
pub const MARK: &str = "X-MS-Journal-Report";

/// Parts of a report that are looked at: the envelope, and behind it what it encloses.
const PARTS: usize = 8;
/// Multiparts around the envelope's text.
const DEEPEST: usize = 3;

/// The lines that name a recipient, and those that name a sender; and how a filing names each.
const RECIPIENTS: [(&str, &str); 4] = [
    ("To", "Journal-To"),
    ("Cc", "Journal-Cc"),
    ("Bcc", "Journal-Bcc"),
    ("Recipient", "Journal-Recipient"),
];
const SENDERS: [(&str, &str); 2] = [("Sender", "Journal-Sender"), ("On-Behalf-Of", "Journal-On-Behalf-Of")];
/// What follows an address: the list that it was a member of, or the address that was forwarded.
const ORIGINS: [(&str, &str); 2] = [("Expanded", "Journal-Expanded"), ("Forwarded", "Journal-Forwarded")];

/// A report, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<'m> {
    /// The envelope as it stands, without its transfer encoding.
    pub envelope: Cow<'m, [u8]>,
    pub enclosed: Option<Enclosed>,
}

/// The message in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enclosed {
    /// It stands there in the report.
    At(Range<usize>),
    /// It stood there encoded.
    Decoded(Bytes),
}

/// Hands on whom an envelope names, one by one.
type EachNamed<'e> = dyn FnMut(Named) -> ControlFlow<()> + 'e;

impl<'m> Report<'m> {
    /// Whether `header` says that it is a report's.
    pub fn is_marked(header: &Header) -> bool {
        header.all(MARK).next().is_some()
    }

    /// Reads `message`, whose header is `header`; `None` where it is no report. Linear in its length; never fails.
    pub fn read(message: &'m [u8], header: &Header) -> Option<Self> {
        if !Self::is_marked(header) {
            return None;
        }
        let Body::Multipart(boundary) = Body::of(header) else {
            return None;
        };
        let parts = multipart(message, 0..message.len(), boundary);
        let (first, others) = parts.split_first()?;
        let mut report = Self {
            envelope: text(message, first.clone(), 0)?,
            enclosed: None,
        };
        if !report.names_anybody() {
            return None;
        }
        report.enclosed = others.iter().find_map(|part| enclosed(message, part.clone()));
        Some(report)
    }

    fn names_anybody(&self) -> bool {
        let mut found = |_| ControlFlow::Break(());
        self.each_recipient(&mut found).is_break() || self.each_sender(&mut found).is_break()
    }

    /// Hands on the recipients, in the order in which the envelope names them.
    pub fn each_recipient(&self, found: &mut EachNamed) -> ControlFlow<()> {
        self.each(&RECIPIENTS, &mut |field, value| with_origins(field, value, found))
    }

    /// Hands on the senders, in the order in which the envelope names them.
    pub fn each_sender(&self, found: &mut EachNamed) -> ControlFlow<()> {
        self.each(&SENDERS, &mut |field, value| name(field, value, found))
    }

    /// Hands on the values of the lines with one of these labels, each with what a filing calls it.
    fn each(
        &self,
        labels: &[(&'static str, &'static str)],
        found: &mut dyn FnMut(&'static str, &[u8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for line in Lines(&self.envelope) {
            let line = without_marks(line);
            let Some(colon) = memchr(b':', line) else { continue };
            let (label, value) = (line[..colon].trim_ascii(), &line[colon + 1..]);
            let mut labels = labels.iter();
            let known = labels.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(label));
            if let Some((_, field)) = known {
                found(field, value)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Without the byte order marks that text may begin with.
fn without_marks(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix("\u{feff}".as_bytes()) {
        text = rest;
    }
    text
}

/// The lines of an envelope; one that begins with white space goes on with the one before it.
struct Lines<'e>(&'e [u8]);

impl<'e> Iterator for Lines<'e> {
    type Item = &'e [u8];

    fn next(&mut self) -> Option<&'e [u8]> {
        let mut end = 0;
        loop {
            let rest = &self.0[end..];
            if rest.is_empty() || (end > 0 && !matches!(rest[0], b' ' | b'\t')) {
                break;
            }
            end += memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        }
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        (end > 0).then_some(line)
    }
}

fn name(field: &'static str, value: &[u8], found: &mut EachNamed) -> ControlFlow<()> {
    each_address(value, &mut |address| {
        found(Named {
            address,
            field: Cow::Borrowed(field),
        })
    })
}

/// Hands on whom a line names: its value, cut before each `, Expanded:` and `, Forwarded:`, and what each piece is named.
/// What stands in quotes or angle brackets is not looked at.
fn with_origins(field: &'static str, value: &[u8], found: &mut EachNamed) -> ControlFlow<()> {
    let (mut named, mut start) = (field, 0);
    let (mut quoted, mut escaped, mut in_angle) = (false, false, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => in_angle = true,
            b'>' if !quoted => in_angle = false,
            b',' if !quoted && !in_angle => {
                if let Some((field, behind)) = origin(&value[at + 1..]) {
                    // A second one begins behind the first one's label.
                    if at >= start {
                        name(named, &value[start..at], found)?;
                        (named, start) = (field, value.len() - behind.len());
                    }
                }
            }
            _ => {}
        }
    }
    name(named, &value[start..], found)
}

/// What a label at the beginning of `text` names, and what stands behind it.
fn origin(text: &[u8]) -> Option<(&'static str, &[u8])> {
    let text = text.trim_ascii_start();
    ORIGINS.iter().find_map(|(label, field)| {
        let begins = text.get(..label.len())?.eq_ignore_ascii_case(label.as_bytes());
        let value = text.get(label.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        begins.then_some((*field, value))
    })
}

fn multipart(message: &[u8], body: Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    mime::parts(message, body, boundary, PARTS, |_| true)
}

/// The first plain text of the part in `range`.
fn text(message: &[u8], range: Range<usize>, depth: usize) -> Option<Cow<'_, [u8]>> {
    let entity = Entity::read(message, range);
    match Body::of(&entity.header) {
        Body::Text => Some(entity.decoded(message)),
        Body::Multipart(boundary) if depth < DEEPEST => multipart(message, entity.body, boundary)
            .into_iter()
            .find_map(|part| text(message, part, depth + 1)),
        _ => None,
    }
}

/// The message that the part in `range` encloses, if it is such a part.
fn enclosed(message: &[u8], range: Range<usize>) -> Option<Enclosed> {
    let entity = Entity::read(message, range);
    if !matches!(Body::of(&entity.header), Body::Message) {
        return None;
    }
    match entity.decoded(message) {
        // Nothing is enclosed; and all that is nothing would count as one message.
        bytes if bytes.is_empty() => None,
        Cow::Borrowed(_) => Some(Enclosed::At(entity.body)),
        Cow::Owned(decoded) => Some(Enclosed::Decoded(decoded.into())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OUTER: &str = "From: Exchange <exchange@example.com>\nTo: journal@example.com\nX-MS-Journal-Report:\n\
                         Content-Type: multipart/mixed; boundary=\"b\"\nReceived: x\n\n";

    /// Whom a report names, and what it encloses.
    #[derive(Debug, PartialEq)]
    struct Read {
        recipients: Vec<String>,
        senders: Vec<String>,
        enclosed: Option<Enclosed>,
    }

    fn report(body: &str) -> Option<Read> {
        let message = format!("{OUTER}{body}");
        let report = Report::read(message.as_bytes(), &Header::scan(message.as_bytes()))?;
        let (mut recipients, mut senders) = (Vec::new(), Vec::new());
        let push = |list: &mut Vec<String>, one: Named| {
            list.push(format!("{} {}", one.field, one.address));
            ControlFlow::Continue(())
        };
        assert!(
            report
                .each_recipient(&mut |one| push(&mut recipients, one))
                .is_continue()
        );
        assert!(report.each_sender(&mut |one| push(&mut senders, one)).is_continue());
        Some(Read {
            recipients,
            senders,
            enclosed: report.enclosed,
        })
    }

    #[test]
    fn the_envelope_names_recipients_and_senders_in_its_order() {
        let envelope = "Sender: jane@example.com\nOn-Behalf-Of: \"Boss, The\" <boss@example.com>\nSubject: To: x@example.org\n\
                        Message-ID: <1@example.com>\nTo: \"Doe, Jim\" <jim@example.com>, Expanded: Sales <sales@example.com>\n\
                        Bcc: new@example.com, Forwarded: old@example.com\nrecipient: r@example.com\nCc: c@example.com\n";
        let report = report(&format!("--b\nContent-Type: text/plain\n\n{envelope}\n--b--\n")).unwrap();
        assert_eq!(
            report.recipients,
            [
                "Journal-To jim@example.com",
                "Journal-Expanded sales@example.com",
                "Journal-Bcc new@example.com",
                "Journal-Forwarded old@example.com",
                "Journal-Recipient r@example.com",
                "Journal-Cc c@example.com",
            ]
        );
        assert_eq!(
            report.senders,
            [
                "Journal-Sender jane@example.com",
                "Journal-On-Behalf-Of boss@example.com"
            ]
        );
        assert_eq!(report.enclosed, None);
    }

    #[test]
    fn the_enclosed_message_is_given_out_exactly() {
        let envelope = "--b\nContent-Type: text/plain\n\nSender: a@example.com\n--b\n";
        let enclosed = |part: &str| {
            let message = format!("{OUTER}{envelope}{part}");
            let report = Report::read(message.as_bytes(), &Header::scan(message.as_bytes())).unwrap();
            match report.enclosed.unwrap() {
                Enclosed::At(range) => message[range].to_owned(),
                Enclosed::Decoded(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            }
        };
        let plain = "Content-Type: message/rfc822\n\nSubject: x\n\nhello\n\n--b--\n";
        assert_eq!(enclosed(plain), "Subject: x\n\nhello\n");
        let base64 = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaGk=\n--b--\n";
        assert_eq!(enclosed(base64), "Subject: x\n\nhi");
        let behind_another = "Content-Type: text/html\n\n<p>\n--b\nContent-Type: message/rfc822\n\nSubject: y\n--b--";
        assert_eq!(enclosed(behind_another), "Subject: y");
        let cut_short = "Content-Type: message/rfc822\n\nSubject: z\n\nhello";
        assert_eq!(enclosed(cut_short), "Subject: z\n\nhello");
    }

    #[test]
    fn a_name_or_a_folded_line_named_a_recipient() {
        let envelope = "Subject: hello\r\n To: boss@example.com\r\nTo: \"x, Expanded: boss@example.com, y\" <jim@example.com>,\r\n \
                        Expanded: sales@example.com\r\nCc: a@example.com,\r\n\tb@example.com\r\n";
        let report = report(&format!("--b\nContent-Type: text/plain\n\n{envelope}\n--b--\n")).unwrap();
        let expected = [
            "Journal-To jim@example.com",
            "Journal-Expanded sales@example.com",
            "Journal-Cc a@example.com",
            "Journal-Cc b@example.com",
        ];
        assert_eq!(report.recipients, expected);
    }

    #[test]
    fn all_empty_enclosures_were_one_message() {
        let envelope = "--b\nContent-Type: text/plain\n\nSender: a@example.com\n--b\n";
        let report = report(&format!("{envelope}Content-Type: message/rfc822\n\n\n--b--\n")).unwrap();
        assert_eq!(report.enclosed, None);
    }

    #[test]
    fn what_only_looks_like_a_report_is_none() {
        for body in [
            "",
            "--b\n\nnothing\n--b--\n",
            "--b\nContent-Type: text/html\n\nSender: a@example.com\n--b--\n",
            "--b\nContent-Type: text/plain\n\nSender: nobody\nTo:\n--b--\n",
            "--c\nContent-Type: text/plain\n\nSender: a@example.com\n--c--\n",
        ] {
            assert_eq!(report(body), None, "{body}");
        }
        let unmarked = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSender: a@example.com\n--b--\n";
        assert_eq!(
            Report::read(unmarked.as_bytes(), &Header::scan(unmarked.as_bytes())),
            None
        );
    }

    #[test]
    fn an_envelope_is_read_in_any_encoding() {
        let quoted = "--b\nContent-Type: multipart/alternative; boundary=i\n\n--i\nContent-Type: text/plain; charset=utf-8\n\
                      Content-Transfer-Encoding: quoted-printable\n\nTo: J=C3=BCrgen <jue=\nrgen@example.com>\n--i--\n--b--\n";
        assert_eq!(report(quoted).unwrap().recipients, ["Journal-To juergen@example.com"]);
        let base64 = "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: BASE64\n\n77u/VG86IGFAZXhhbXBsZS5jb20NCg==\n--b--\n";
        assert_eq!(report(base64).unwrap().recipients, ["Journal-To a@example.com"]);
    }

    proptest! {
        #[test]
        fn any_report_is_read(lines in prop::collection::vec(0..LINES.len(), 0..30)) {
            let body: Vec<_> = lines.iter().map(|line| LINES[*line]).collect();
            let message = format!("{OUTER}{}", body.join("\n"));
            if let Some(report) = Report::read(message.as_bytes(), &Header::scan(message.as_bytes()))
                && let Some(Enclosed::At(range)) = report.enclosed
            {
                prop_assert!(range.start <= range.end && range.end <= message.len());
            }
        }
    }

    const LINES: [&str; 12] = [
        "--b",
        "--b--",
        "",
        "Content-Type: text/plain",
        "Content-Type: message/rfc822",
        "Content-Type: multipart/mixed; boundary=b",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Sender: a@example.com",
        "To: b@example.com, Expanded: c@example.com, Forwarded:, Expanded",
        "=",
        "U3Vi",
    ];
}
