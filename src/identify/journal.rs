//! Journal reports of Exchange (2007 to 2019) and Microsoft 365: a message that says for whom another one, which it
//! encloses, was delivered.
//!
//! The first part is the envelope as text, a line an address: `Sender:`, `To: member@…, Expanded: list@…`,
//! `Bcc: new@…, Forwarded: old@…`, `Recipient:`. A `message/rfc822` part behind it is the enclosed message. A report
//! in a report is not opened: anyone can send one to a user, and Exchange will journal it like other mail.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use super::{
    address::addresses,
    header::Header,
    mime::{self, Body, Entity},
    recipients::Named,
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
pub struct Report {
    /// In the order in which the envelope names them.
    pub recipients: Vec<Named>,
    pub senders: Vec<Named>,
    /// The envelope as it stands.
    pub envelope: String,
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

impl Report {
    /// Whether `header` says that it is a report's.
    pub fn is_marked(header: &Header) -> bool {
        header.all(MARK).next().is_some()
    }

    /// Reads `message`, whose header is `header`; `None` where it is no report. Linear in its length; never fails.
    pub fn read(message: &[u8], header: &Header) -> Option<Self> {
        if !Self::is_marked(header) {
            return None;
        }
        let Body::Multipart(boundary) = Body::of(header) else {
            return None;
        };
        let parts = multipart(message, 0..message.len(), boundary);
        let (first, others) = parts.split_first()?;
        let envelope = text(message, first.clone(), 0)?;
        let envelope = String::from_utf8_lossy(&envelope).into_owned();
        let mut report = Self {
            recipients: Vec::new(),
            senders: Vec::new(),
            envelope: String::new(),
            enclosed: None,
        };
        unfolded(&envelope).iter().for_each(|line| report.line(line));
        report.envelope = envelope;
        if report.recipients.is_empty() && report.senders.is_empty() {
            return None;
        }
        report.enclosed = others.iter().find_map(|part| enclosed(message, part.clone()));
        Some(report)
    }

    fn line(&mut self, line: &str) {
        let Some((label, value)) = line.trim_start_matches('\u{feff}').split_once(':') else {
            return;
        };
        let label = label.trim();
        let find = |known: &[(&'static str, &'static str)]| {
            let mut known = known.iter();
            known
                .find(|(name, _)| name.eq_ignore_ascii_case(label))
                .map(|(_, field)| *field)
        };
        if let Some(field) = find(&RECIPIENTS) {
            for (field, value) in with_origins(field, value) {
                name(value, field, &mut self.recipients);
            }
        } else if let Some(field) = find(&SENDERS) {
            name(value, field, &mut self.senders);
        }
    }
}

fn name(value: &str, field: &'static str, named: &mut Vec<Named>) {
    named.extend(addresses(value.as_bytes()).into_iter().map(|address| Named {
        address,
        field: Cow::Borrowed(field),
    }));
}

/// The lines of an envelope; one that begins with white space goes on with the one before it.
fn unfolded(envelope: &str) -> Vec<Cow<'_, str>> {
    let mut lines: Vec<Cow<str>> = Vec::new();
    for line in envelope.lines() {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.to_mut().push_str(line),
            _ => lines.push(Cow::Borrowed(line)),
        }
    }
    lines
}

/// A line's value, cut before each `, Expanded:` and `, Forwarded:`, and what each piece is named. What stands in quotes
/// or angle brackets is not looked at.
fn with_origins<'v>(field: &'static str, value: &'v str) -> Vec<(&'static str, &'v str)> {
    let mut pieces = Vec::new();
    let (mut named, mut start) = (field, 0);
    let (mut quoted, mut escaped, mut in_angle) = (false, false, false);
    for (at, byte) in value.bytes().enumerate() {
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
                        pieces.push((named, &value[start..at]));
                        (named, start) = (field, value.len() - behind.len());
                    }
                }
            }
            _ => {}
        }
    }
    pieces.push((named, &value[start..]));
    pieces
}

/// What a label at the beginning of `text` names, and what stands behind it.
fn origin(text: &str) -> Option<(&'static str, &str)> {
    let text = text.trim_start();
    ORIGINS.iter().find_map(|(label, field)| {
        let begins = text.get(..label.len())?.eq_ignore_ascii_case(label);
        let value = text.get(label.len()..)?.trim_start().strip_prefix(':')?;
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

    fn report(body: &str) -> Option<Report> {
        let message = format!("{OUTER}{body}");
        Report::read(message.as_bytes(), &Header::scan(message.as_bytes()))
    }

    fn named(list: &[Named]) -> Vec<String> {
        list.iter()
            .map(|one| format!("{} {}", one.field, one.address))
            .collect()
    }

    #[test]
    fn the_envelope_names_recipients_and_senders_in_its_order() {
        let envelope = "Sender: jane@example.com\nOn-Behalf-Of: \"Boss, The\" <boss@example.com>\nSubject: To: x@example.org\n\
                        Message-ID: <1@example.com>\nTo: \"Doe, Jim\" <jim@example.com>, Expanded: Sales <sales@example.com>\n\
                        Bcc: new@example.com, Forwarded: old@example.com\nrecipient: r@example.com\nCc: c@example.com\n";
        let report = report(&format!("--b\nContent-Type: text/plain\n\n{envelope}\n--b--\n")).unwrap();
        assert_eq!(
            named(&report.recipients),
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
            named(&report.senders),
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
        assert_eq!(named(&report.recipients), expected);
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
        assert_eq!(
            named(&report(quoted).unwrap().recipients),
            ["Journal-To juergen@example.com"]
        );
        let base64 = "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: BASE64\n\n77u/VG86IGFAZXhhbXBsZS5jb20NCg==\n--b--\n";
        assert_eq!(named(&report(base64).unwrap().recipients), ["Journal-To a@example.com"]);
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
