//! What a list says of a message: whom it is from and to, its subject, and whether something is attached. Never fails:
//! what cannot be read is left empty.

use std::panic::catch_unwind;

use super::{
    charset::Charset,
    header::{Field, Header},
    layout::Layout,
    mailboxes::{is_cut, mailboxes},
    words::text_of,
};

/// Fields of one name whose addresses are shown.
const LISTS: usize = 100;
/// Lines that are not fields, below which a header is read on.
const BROKEN: usize = 100;
/// Bytes of a message in which [`Listed`] looks for the fields, and bytes of the fields of one name that it reads.
const BEGINNING: usize = 64 << 10;
const READ: usize = 8 << 10;
/// Bytes of each text that [`Listed`] keeps.
const KEPT: usize = 512;

/// The header fields of a message as a list shows them, of whatever length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub from: String,
    pub to: String,
    pub subject: String,
    /// Whom To, Cc and Bcc name.
    pub addressees: String,
}

impl Summary {
    /// Of a message, or of a beginning of it that [`suffices`]. Linear in its length.
    pub fn of(beginning: &[u8]) -> Self {
        let fields = Shown::of(&headers(beginning));
        let likely = if fields.are_labelled() {
            None
        } else {
            Layout::read(beginning).charset()
        };
        fields.read(likely)
    }
}

/// What is kept of a message for lists: of bounded length, so that lists need not read the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    pub summary: Summary,
    /// One of the texts is only the beginning of what the message says.
    pub is_cut: bool,
    /// Parts that the message calls an attachment, or gives a file name.
    pub attachments: u16,
    /// Some of them have a file name.
    pub are_named: bool,
}

impl Listed {
    /// Of a whole message, or of one without the bodies of its leaves. Linear in its length; `None` where reading it
    /// panicked, which is a fault of ours that must cost nobody the message.
    pub fn of(message: &[u8]) -> Option<Self> {
        catch_unwind(|| Self::read(message, &Header::scan(message))).ok()
    }

    /// The same where the header is read already.
    pub fn with(message: &[u8], header: &Header) -> Option<Self> {
        catch_unwind(|| Self::read(message, header)).ok()
    }

    fn read(message: &[u8], header: &Header) -> Self {
        let beginning = &message[..message.len().min(BEGINNING)];
        // A header that ends as it should, and soon, is all that there is to read.
        let (mut fields, mut is_cut) = match header.ended && header.end < beginning.len() {
            true => (Shown::of(std::slice::from_ref(header)), false),
            false => {
                let is_cut = beginning.len() < message.len() && !suffices(beginning, true);
                (Shown::of(&headers(beginning)), is_cut)
            }
        };
        is_cut |= fields.cut();
        let layout = Layout::with(message, header);
        let mut summary = fields.read(layout.charset());
        let texts = [
            &mut summary.from,
            &mut summary.to,
            &mut summary.subject,
            &mut summary.addressees,
        ];
        for text in texts {
            if text.len() > KEPT {
                text.truncate(text.floor_char_boundary(KEPT));
                is_cut = true;
            }
        }
        let attached = || layout.parts.iter().filter(|part| part.is_file());
        Self {
            summary,
            is_cut,
            attachments: attached().count().try_into().unwrap_or(u16::MAX),
            are_named: attached().any(|part| part.name.is_some()),
        }
    }
}

/// The fields that a list shows.
struct Shown<'m> {
    from: Vec<Field<'m>>,
    subject: Vec<Field<'m>>,
    to: Vec<Field<'m>>,
    /// Cc and Bcc.
    others: Vec<Field<'m>>,
}

impl<'m> Shown<'m> {
    fn of(headers: &[Header<'m>]) -> Self {
        let first = |name| first(headers, name).into_iter().collect();
        Self {
            from: first("From"),
            subject: first("Subject"),
            to: all(headers, "To"),
            others: ["Cc", "Bcc"].iter().flat_map(|name| all(headers, name)).collect(),
        }
    }

    /// Whether no charset has to be guessed.
    fn are_labelled(&self) -> bool {
        let mut fields = [&self.from, &self.subject, &self.to, &self.others]
            .into_iter()
            .flatten();
        fields.all(|field| std::str::from_utf8(field.value).is_ok())
    }

    /// Leaves away what is longer than is read for a row; whether there was any.
    fn cut(&mut self) -> bool {
        let mut is_cut = false;
        for fields in [&mut self.from, &mut self.subject, &mut self.to, &mut self.others] {
            let mut left = READ;
            for field in fields {
                is_cut |= field.value.len() > left;
                field.value = &field.value[..field.value.len().min(left)];
                left -= field.value.len();
            }
        }
        is_cut
    }

    fn read(&self, likely: Option<Charset>) -> Summary {
        // A group of nobody has its name alone: `undisclosed-recipients:;`.
        let or_the_group = |named: String, field: &Field<'m>| match named.is_empty() {
            true => line(Some(*field), likely),
            false => named,
        };
        let named = |field| or_the_group(addresses(std::slice::from_ref(field), likely), field);
        let to = addresses(&self.to, likely);
        let addressees: Vec<_> = match &self.to[..] {
            // Nearly all mail has it once, and it need not be read twice.
            [field] => {
                let first = or_the_group(to.clone(), field);
                std::iter::once(first).chain(self.others.iter().map(named)).collect()
            }
            fields => fields.iter().chain(&self.others).map(named).collect(),
        };
        Summary {
            from: addresses(&self.from, likely),
            to,
            subject: line(self.subject.first().copied(), likely),
            addressees: addressees.join(", "),
        }
    }
}

/// Whether a beginning of a message has all that is shown of its header, or all of the header, which `whole` demands.
pub fn suffices(beginning: &[u8], whole: bool) -> bool {
    let (headers, ends) = headers_and_end(beginning);
    let is_whole = |name| first(&headers, name).is_some_and(|field| field.end < beginning.len());
    ends || (!whole && headers.len() == 1 && ["From", "To", "Subject"].into_iter().all(is_whole))
}

/// The header, and what stands of it below lines that are not fields, as other programs read it.
pub fn headers(message: &[u8]) -> Vec<Header<'_>> {
    headers_and_end(message).0
}

/// The same, and whether what ends it stands there: a message that breaks off has no end of its header.
fn headers_and_end(message: &[u8]) -> (Vec<Header<'_>>, bool) {
    let mut headers = Vec::new();
    let mut rest = message;
    loop {
        let header = Header::scan(rest);
        let (end, ended) = (header.end, header.ended);
        headers.push(header);
        let is_broken = headers.len() > BROKEN;
        if ended || is_broken {
            return (headers, is_broken || end < rest.len());
        }
        let line_end = memchr::memchr(b'\n', &rest[end..]);
        rest = line_end.map_or(&[], |line_end| &rest[end + line_end + 1..]);
    }
}

pub fn first<'m>(headers: &[Header<'m>], name: &str) -> Option<Field<'m>> {
    headers.iter().find_map(|header| header.all(name).next())
}

/// The fields of a name; of very many, one more than are shown.
pub fn all<'m>(headers: &[Header<'m>], name: &str) -> Vec<Field<'m>> {
    let fields = headers.iter().flat_map(|header| header.all(name));
    fields.take(LISTS + 1).collect()
}

/// Whether fields of one name say more than [`addresses`] shows.
pub fn say_more(fields: &[Field]) -> bool {
    fields.len() > LISTS || fields.iter().any(|field| is_cut(field.value))
}

/// What a field says, in one line.
pub fn line(field: Option<Field>, likely: Option<Charset>) -> String {
    field.map_or_else(String::new, |field| one_line(&text_of(field.value, likely)))
}

/// Whom fields of one name name.
pub fn addresses(fields: &[Field], likely: Option<Charset>) -> String {
    let all: Vec<_> = fields
        .iter()
        .take(LISTS)
        .flat_map(|field| mailboxes(field.value, likely))
        .collect();
    one_line(&all.join(", "))
}

/// Free of what would break a line or steer a terminal.
pub fn one_line(text: &str) -> String {
    if is_one_line(text.as_bytes()) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()) {
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Whether it is a line as nearly all are: of ASCII, with single spaces within.
fn is_one_line(text: &[u8]) -> bool {
    let mut before = b' ';
    let goes_on = |byte: &u8| {
        let is_plain = byte.is_ascii_graphic() || *byte == b' ' && before != b' ';
        before = *byte;
        is_plain
    };
    text.iter().all(goes_on) && text.last() != Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_single_spaces_and_nothing_that_breaks_it() {
        for (text, line) in [
            ("", ""),
            ("a b", "a b"),
            (" a b", "a b"),
            ("a b ", "a b"),
            ("a  b\tc\r\n d", "a b c d"),
            ("\u{fc}\u{85}x \u{1b}y", "\u{fc} x y"),
        ] {
            assert_eq!(one_line(text), line);
            assert_eq!(is_one_line(text.as_bytes()), text == line && text.is_ascii(), "{text}");
        }
    }

    #[test]
    fn a_group_of_nobody_was_not_found_by_its_name() {
        let summary = Summary::of(b"To: undisclosed-recipients:;\nCc: jane@example.com\n\nx\n");
        assert_eq!(summary.addressees, "undisclosed-recipients:;, jane@example.com");
    }

    #[test]
    fn a_beginning_is_enough_where_it_has_all_of_from_and_subject() {
        let whole = "From: a@example.com\nTo: b@example.com\nSubject: s\n";
        let long = format!("{whole}X: {}", "y".repeat(1000));
        for (beginning, is_enough) in [
            (&whole[..30], false),
            (whole, false),
            (&long[..200], true),
            (&format!("{}\n\nbody", &whole[..38])[..], true),
            ("no header at all\n\nx", true),
            ("", false),
            // It breaks off within the name of a field.
            ("From: a@example.com\nX-Bro", false),
            (&"From\n".repeat(200), true),
        ] {
            assert_eq!(suffices(beginning.as_bytes(), false), is_enough, "{beginning}");
        }
    }

    #[test]
    fn what_is_kept_for_lists_is_what_the_message_says() {
        let message = "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.com>\nTo: a@example.com\nCc: b@example.com\nSubject: s\n\
                       Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pdf; name=a.pdf\n\n\
                       x\n--b\nContent-Disposition: attachment\n\ny\n--b--\n";
        let listed = Listed::of(message.as_bytes()).unwrap();
        assert_eq!(listed.summary, Summary::of(message.as_bytes()));
        assert_eq!(listed.summary.from, "Jürgen <j@example.com>");
        assert_eq!(listed.summary.addressees, "a@example.com, b@example.com");
        assert_eq!((listed.attachments, listed.are_named, listed.is_cut), (2, true, false));
        let plain = Listed::of(b"Subject: s\n\nx\n").unwrap();
        assert_eq!((plain.attachments, plain.are_named, plain.is_cut), (0, false, false));
    }

    #[test]
    fn of_endless_mail_a_bounded_beginning_is_kept_and_said_to_be_cut() {
        let begin = "From: a@b.example\nSubject: s\n";
        for (what, message) in [
            (
                "a subject",
                format!("From: a@b.example\nSubject: {}\n\nx\n", "ü".repeat(300)),
            ),
            (
                "an endless subject",
                format!("Subject: {}\n\nx\n", "ü".repeat(2_000_000)),
            ),
            ("To", format!("{begin}{}\nx\n", "To: a@b.example\n".repeat(200_000))),
            (
                "one Cc",
                format!("{begin}Cc: {}\n\nx\n", "a@b.example, ".repeat(200_000)),
            ),
            (
                "a comment",
                format!("{begin}To: ({}) a@b.example\n\nx\n", "y".repeat(20_000)),
            ),
            ("fields above", format!("{}{begin}\nx\n", "X: y\n".repeat(200_000))),
        ] {
            let listed = Listed::of(message.as_bytes()).unwrap();
            assert!(listed.is_cut, "{what}");
            let Summary {
                from,
                to,
                subject,
                addressees,
            } = listed.summary;
            assert!(
                [from, to, subject, addressees].iter().all(|text| text.len() <= KEPT),
                "{what}"
            );
        }
        // What is long without being shown cuts nothing.
        let long = format!("{begin}X: {}\n\n{}", "y".repeat(20_000), "z".repeat(2_000_000));
        assert!(!Listed::of(long.as_bytes()).unwrap().is_cut);
    }
}
