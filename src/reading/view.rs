//! A readable view of a message's bytes. Never fails: what cannot be read is left empty. It takes time in proportion to
//! the message, and is itself of bounded length: what is beyond a bound is named and not shown.

use std::collections::{BTreeSet, HashMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use crate::{
    api::{OF_PART, Shown, ShownHeader, ShownPart},
    archive::{Message, MessageId, Seconds},
    identify::{
        Charset, Header, Layout, Notes, Part,
        summary::{addresses, all, first, headers, line, one_line, say_more},
        undeclared,
    },
};

/// Digests as people see them: in lower case.
pub use hex::encode as hex;

/// Characters of the text that a view shows.
const TEXT: usize = 4000;
/// The same where all of it is wanted, and bytes of a page.
const FULL_TEXT: usize = 1 << 20;
const PAGE: usize = 1 << 20;
/// Fields of the header that are shown, bytes of one, and of all of them.
const FIELDS: usize = 1000;
const FIELD: usize = 16 << 10;
const HEADER: usize = 1 << 20;
/// Bytes of the images of a message in its page.
const IMAGES: u64 = 8 << 20;
/// What is shown as an image; others can have pages of their own in them.
const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// The view of message `id`, without its users.
pub fn shown(id: MessageId, message: &Message, bytes: &[u8]) -> Shown {
    let headers = headers(bytes);
    let (from, to, cc) = (first(&headers, "From"), all(&headers, "To"), all(&headers, "Cc"));
    let layout = Layout::read(bytes);
    let likely = layout.charset();
    let (fields, not_shown) = fields(&headers, likely);
    let parts = layout.parts.iter().map(|listed| part(listed, bytes));
    let mut notes: Vec<_> = Notes(message.notes).words().into_iter().map(String::from).collect();
    let lists = [("From", from.as_slice()), ("To", &to), ("Cc", &cc)];
    let longer = lists.iter().filter(|(_, fields)| say_more(fields));
    notes.extend(longer.map(|(name, _)| format!("{name} is longer than what is shown here")));
    notes.extend(not_shown);
    if layout.has_more {
        notes.push(format!(
            "it has more than {} parts; the others are not shown",
            layout.parts.len()
        ));
    }
    if layout.is_deeper {
        notes.push("parts that are nested deeper than this are shown as one".into());
    }
    let text = layout.text(bytes);
    Shown {
        id,
        date: time(message.date),
        archived_at: time(message.archived_at),
        size: message.size,
        sha256: hex(message.sha256),
        from: addresses(from.as_slice(), likely),
        to: addresses(&to, likely),
        cc: addresses(&cc, likely),
        subject: line(first(&headers, "Subject"), likely),
        headers: fields,
        parts: parts.collect(),
        users: Vec::new(),
        journals: Vec::new(),
        notes,
        text_is_cut: text.chars().nth(TEXT).is_some(),
        text: readable(&text, TEXT),
        html: None,
        images: HashMap::new(),
    }
}

/// The images that the page of a message names, each once, as far as there is room; what is none, or is too large, is not
/// even decoded. The parts that are listed bound how many there are.
pub fn images(shown: &Shown, message: &[u8]) -> HashMap<usize, String> {
    let layout = Layout::read(message);
    let named = shown.html.iter().flat_map(|page| page.split(OF_PART).skip(1));
    let numbers: BTreeSet<usize> = named.filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
    let mut left = IMAGES;
    let mut image = |number: usize| {
        let at = number.checked_sub(1)?;
        let (said, part) = (shown.parts.get(at)?, layout.parts.get(at)?);
        if !KINDS.contains(&said.kind.as_str()) || said.size > left {
            return None;
        }
        left -= said.size;
        let address = format!("data:{};base64,{}", said.kind, STANDARD.encode(part.bytes(message)));
        Some((number, address))
    };
    numbers.into_iter().filter_map(&mut image).collect()
}

/// What is said of a part.
pub fn part(part: &Part, message: &[u8]) -> ShownPart {
    ShownPart {
        kind: one_line(&part.kind),
        name: part.name.as_deref().map(one_line),
        size: part.size(message),
    }
}

/// A text, and whether it is cut.
type Text = (String, bool);

/// The text of a message, up to a bound, its page, where it has one, and its parts that a page can name, by their Content-ID.
pub fn full(bytes: &[u8]) -> (Text, Option<String>, HashMap<String, usize>) {
    let layout = Layout::read(bytes);
    let text = layout.text(bytes);
    let is_cut = text.chars().nth(FULL_TEXT).is_some();
    let page = layout.parts.iter().find(|part| part.is_html() && !part.is_attachment);
    let page = page.map(|page| page.text(bytes, PAGE));
    let named = layout.parts.iter().enumerate();
    let named = named.filter_map(|(at, part)| Some((part.content_id.clone()?, at + 1)));
    ((readable(&text, FULL_TEXT), is_cut), page, named.collect())
}

/// The header as it stands in the message, unfolded, and what is to be said of what is not shown of it.
fn fields(headers: &[Header], likely: Option<Charset>) -> (Vec<ShownHeader>, Vec<String>) {
    let (mut shown, mut bytes, mut more, mut cut) = (Vec::new(), 0, 0, false);
    for field in headers.iter().flat_map(Header::fields) {
        if shown.len() == FIELDS || bytes > HEADER {
            more += 1;
            continue;
        }
        let beginning = |text: &[u8]| one_line(&undeclared(&text[..text.len().min(FIELD)], likely));
        cut |= field.value.len() > FIELD || field.name.len() > FIELD;
        let (name, value) = (beginning(field.name), beginning(field.value));
        bytes += name.len() + value.len();
        shown.push(ShownHeader { name, value });
    }
    let mut notes = Vec::new();
    if cut {
        notes.push(format!("header fields longer than {FIELD} bytes are cut"));
    }
    if more > 0 {
        notes.push(format!("{more} more fields of the header are not shown"));
    }
    (shown, notes)
}

/// The beginning of a text, its lines as they are, without orders to a terminal.
fn readable(text: &str, most: usize) -> String {
    let mut rest = text.chars().take(most).peekable();
    let mut readable = String::new();
    while let Some(c) = rest.next() {
        readable.push(match c {
            '\r' if rest.peek() != Some(&'\n') => '\n',
            '\r' | '\n' | '\t' => c,
            c if c.is_control() => ' ',
            c => c,
        });
    }
    readable
}

pub fn time(seconds: Seconds) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{archive::IdentityNumber, identify::Summary};

    fn show(bytes: &[u8]) -> Shown {
        let inline = crate::archive::Place {
            volume: 0,
            block: 0,
            offset: 0,
            length: bytes.len() as u64,
        };
        let message = Message {
            inline,
            parts: Vec::new(),
            size: bytes.len() as u64,
            date: 0,
            archived_at: 0,
            identity: IdentityNumber(1),
            sha256: [0; 32],
            notes: 0,
        };
        Summary::of(bytes);
        shown(MessageId(1), &message, bytes)
    }

    /// A parser lost count of its parts in it.
    #[test]
    fn a_message_in_a_message_in_a_multipart_is_shown() {
        let nested = show(
            b"From: a@b.example\nTo: c@d.example\nSubject: outer\nContent-Type: multipart/mixed; boundary=a\n\n\
              --a\nContent-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nSubject: inner\n\nx\n--a--\n",
        );
        assert_eq!(
            (nested.from.as_str(), nested.to.as_str(), nested.subject.as_str()),
            ("a@b.example", "c@d.example", "outer")
        );
        assert_eq!(nested.headers.len(), 4);
        assert_eq!(
            (nested.parts.len(), nested.parts[0].kind.as_str()),
            (1, "message/rfc822")
        );
    }

    #[test]
    fn what_people_read_of_a_message_is_shown() {
        let inner = "--in\nContent-Type: text/html; charset=latin1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Gr=FC=DFe</p>\n\
                     --in\nContent-Type: text/plain; charset=latin1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n--in--\n";
        let message = format!(
            "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.com>\nTo: a@example.com\nTo: b@example.com\nno field\nSubject: below\n\
             Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/alternative; boundary=in\n\n{inner}\n\
             --out\nContent-Type: application/pdf; name=x\nContent-Disposition: attachment; filename=\"a b.pdf\"\n\
             Content-Transfer-Encoding: base64\n\nYWJjZA==\n--out--\n"
        );
        let whole = show(message.replace("no field\n", "").as_bytes());
        assert_eq!(whole.text.trim_end(), "Grüße");
        let parts = whole
            .parts
            .iter()
            .map(|part| (part.kind.as_str(), part.name.as_deref(), part.size));
        assert_eq!(
            parts.collect::<Vec<_>>(),
            [
                ("text/html", None, 12),
                ("text/plain", None, 5),
                ("application/pdf", Some("a b.pdf"), 4)
            ]
        );
        let broken = show(message.as_bytes());
        for shown in [whole, broken] {
            assert_eq!(
                (shown.from.as_str(), shown.to.as_str(), shown.subject.as_str()),
                ("Jürgen <j@example.com>", "a@example.com, b@example.com", "below")
            );
            assert_eq!((shown.headers.len(), shown.notes.len()), (5, 0));
        }
    }

    #[test]
    fn of_fields_that_stand_twice_the_first_is_shown_and_all_of_to() {
        let message =
            b"From: Jane <jane@example.com>\nFrom: eve@example.com\nTo: a@example.com b@example.com\nSubject: first\n\
            TO: c@example.com\nSubject: last\nCc: d@example.com\nCc: e@example.com\n\nx\n";
        let (shown, summary) = (show(message), Summary::of(message));
        assert_eq!(
            (shown.from.as_str(), shown.subject.as_str()),
            ("Jane <jane@example.com>", "first")
        );
        assert_eq!((summary.from, summary.subject), (shown.from, shown.subject));
        assert_eq!(
            (shown.to.as_str(), shown.cc.as_str()),
            (
                "a@example.com, b@example.com, c@example.com",
                "d@example.com, e@example.com"
            )
        );
    }

    #[test]
    fn a_header_without_labels_was_not_read_in_the_charset_of_its_body() {
        let begin = b"From: \xbe\xc8\xb3\xe7 <k@example.com>\nSubject: \xbe\xc8\xb3\xe7\nX-Name: \xbe\xc8\xb3\xe7\n";
        let alone = &b"Content-Type: text/plain; charset=\"cp949\"\n\n\xbe\xc8\xb3\xe7\x8c\x63\n"[..];
        let in_parts = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=euc-kr\n\n<p>\xbe\xc8\n--b--\n";
        let in_page =
            b"Content-Type: text/html\n\n<meta http-equiv=x content=\"text/html; charset=euc-kr\"><p>\xbe\xc8\n";
        for (body, text, is_said) in [(alone, "안녕똠", true), (in_parts, "안", true), (in_page, "안", false)] {
            let message = [begin, body].concat();
            let shown = show(&message);
            assert_eq!(shown.text.trim(), text);
            if is_said {
                assert_eq!(
                    (shown.from.as_str(), shown.subject.as_str()),
                    ("안녕 <k@example.com>", "안녕")
                );
                assert_eq!(shown.headers[2].value, "안녕");
                assert_eq!(Summary::of(&message).subject, "안녕");
            }
        }
        let western = [begin, &b"\n\n"[..]].concat();
        assert_eq!(show(&western).subject, "¾È³ç");
    }

    #[test]
    fn a_text_without_letters_that_can_be_shown_was_full_of_what_stands_for_them() {
        let plain =
            show(b"Subject: s\nContent-Type: text/plain; charset=iso-8859-15\n\n\x93a\x94\x0c\x01\tb\r\nc\rd\n");
        assert_eq!(plain.text, "“a”  \tb\r\nc\nd\n");
        let page = show(b"Subject: s\nContent-Type: text/html\n\n<p>You&#146;ve&#x93;\n");
        assert_eq!(page.text.trim(), "You’ve“");
    }

    #[test]
    fn a_view_of_endless_mail_was_endless() {
        let begin = "From: a@b.example\nSubject: s\n";
        let multipart = "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
        let nested = |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}b\n\n--b{n}b\n");
        let nested: String = (0..1_000).map(nested).collect();
        for (what, message, note) in [
            (
                "fields",
                format!("{begin}{}\nx\n", "X: y\n".repeat(200_000)),
                "more fields",
            ),
            (
                "a field",
                format!("{begin}X: {}\n\nx\n", "y".repeat(2_000_000)),
                "are cut",
            ),
            (
                "To",
                format!("{begin}{}\nx\n", "To: a@b.example\n".repeat(200_000)),
                "To is longer",
            ),
            (
                "one Cc",
                format!("{begin}Cc: {}\n\nx\n", "a@b.example, ".repeat(200_000)),
                "Cc is longer",
            ),
            (
                "parts",
                format!("{begin}{multipart}{}", "\nx\n--b\n".repeat(100_000)),
                "more than 500 parts",
            ),
            ("nested", begin.to_owned() + &nested, "nested deeper"),
            ("a text", format!("{begin}\n{}", "ü".repeat(2_000_000)), ""),
            ("no line ends", "x".repeat(2_000_000), ""),
        ] {
            let shown = show(message.as_bytes());
            assert!(serde_json::to_vec(&shown).unwrap().len() < 4 << 20, "{what}");
            let notes = shown.notes.join("\n");
            assert!(notes.contains(note), "{what}: {notes}");
            assert!(what == "no line ends" || shown.subject == "s", "{what}");
        }
    }

    /// Weighed so that parts nest, begin and end at the wrong places, often.
    const LINES: [&str; 20] = [
        "Content-Type: message/rfc822\n",
        "Content-Type: multipart/mixed; boundary=a\n\n--a",
        "Subject: s",
        "From: a@b.example",
        "Content-Type: multipart/mixed; boundary=a",
        "Content-Type: multipart/alternative; boundary=b",
        "Content-Type: multipart/digest; boundary=\"\"",
        "Content-Type: message/rfc822",
        "Content-Type: text/html; charset=utf-7",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "",
        "--a",
        "--a--",
        "--b",
        "--b--",
        "--",
        "<p>=3D&amp;",
        "\u{9b}\x1b",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_mime_keeps_a_message_from_being_shown(lines in prop::collection::vec(0..LINES.len(), 0..40)) {
            let text: Vec<_> = lines.iter().map(|line| LINES[*line]).collect();
            show(text.join("\n").as_bytes());
        }
    }
}
