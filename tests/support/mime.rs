//! Strategies for property tests: any MIME structure there may be, well made, badly made, or cut off.
//!
//! Stands alone, so that unit tests can include it with `#[path]` as well. What is generated is a tree of
//! [`Node`]s, so that a failing message shrinks part by part; [`message`] gives it as bytes. `contents` has the
//! bodies of leaves.

#![allow(dead_code)]

// Where it is looked for otherwise depends on who includes this file.
#[path = "mime/contents.rs"]
mod contents;

use proptest::{collection::vec, prelude::*, sample::select};

use contents::{Content, content};

/// Multiparts and messages inside one another, at most.
pub const DEPTH: u32 = 6;
/// Leaves and multiparts in one message, and parts of one multipart, about.
const NODES: u32 = 48;
const PARTS: u32 = 2;

/// Any message: one of any structure, or any bytes at all.
pub fn any_message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => message(), 1 => bytes(), 1 => noise()]
}

/// A message of any MIME structure: half of them well made, half with all that goes wrong in real mail. Where
/// something is wrong at every turn, nothing is nested any more.
pub fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![message_made(Made::Well), message_made(Made::Badly)]
}

/// How a message is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Made {
    Well,
    Badly,
}

fn message_made(made: Made) -> impl Strategy<Value = Vec<u8>> {
    let ending = prop_oneof![
        6 => Just(Ending::AsItIs),
        2 => Just(Ending::NoLineEnd),
        1 => any::<prop::sample::Index>().prop_map(Ending::Cut),
        1 => vec(any::<u8>(), 1..40).prop_map(Ending::Garbage),
    ];
    (node(made), eol(made), vec(field(made), 0..5), ending).prop_map(|(node, eol, fields, ending)| {
        let mut out = Writer::new(eol);
        fields.iter().for_each(|field| out.field(field));
        node.write(&mut out);
        let mut bytes = out.bytes;
        match ending {
            Ending::AsItIs => {}
            Ending::NoLineEnd => {
                let end = bytes.iter().rposition(|byte| !b"\r\n".contains(byte));
                bytes.truncate(end.map_or(0, |at| at + 1));
            }
            Ending::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Ending::Garbage(more) => bytes.extend(more),
        }
        bytes
    })
}

/// Any bytes at all.
pub fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..2_000)
}

/// Bytes of which most mean something to a parser of mail.
pub fn noise() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => select(&contents::LINES[..]).prop_map(<[u8]>::to_vec),
        2 => select(&b"\r\n- \t=:;\"'/\0"[..]).prop_map(|byte| vec![byte]),
        2 => select(&["\n", "\r\n", "\n\n", "\r\n\r\n", "\n--a\n", "\r\n--a\r\n", "--a--"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => boundary(Made::Badly).prop_map(|boundary| boundary.declared),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

/// How a message ends.
#[derive(Clone, Debug)]
enum Ending {
    AsItIs,
    NoLineEnd,
    /// Somewhere in the middle, as a lost connection ends it.
    Cut(prop::sample::Index),
    Garbage(Vec<u8>),
}

/// A part, or the message itself.
#[derive(Clone, Debug)]
enum Node {
    Leaf {
        kind: &'static [u8],
        encoding: &'static [u8],
        content: Content,
    },
    Multipart(Multipart),
    /// A message inside of a message.
    Enclosed {
        kind: &'static [u8],
        fields: Vec<&'static [u8]>,
        node: Box<Node>,
    },
    /// A header without an empty line after it, and so without a body.
    OnlyHeader {
        kind: &'static [u8],
    },
    /// No bytes.
    Nothing,
}

#[derive(Clone, Debug)]
struct Multipart {
    subtype: &'static str,
    boundary: Boundary,
    preamble: Vec<&'static [u8]>,
    parts: Vec<(Delimiter, Node)>,
    close: Close,
    epilogue: Vec<&'static [u8]>,
    /// The field Content-Type twice, the second one naming another boundary.
    twice: bool,
}

/// A boundary as the header declares it and as the body uses it.
#[derive(Clone, Debug)]
struct Boundary {
    declared: Vec<u8>,
    used: Vec<u8>,
}

/// What stands in front of a part.
#[derive(Clone, Copy, Debug)]
enum Delimiter {
    Plain,
    /// White space behind it, which belongs to it.
    Padded,
    /// It begins with the boundary, and goes on.
    Longer,
    /// It does not stand at the beginning of the line.
    Indented,
    Missing,
    /// No line end in front of it.
    Glued,
    /// An end, though more follows.
    Close,
}

/// How a multipart ends.
#[derive(Clone, Copy, Debug)]
enum Close {
    Plain,
    Padded,
    Missing,
    /// No line end behind it.
    Open,
    Twice,
}

impl Node {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Leaf {
                kind,
                encoding,
                content,
            } => {
                out.field(kind);
                out.field(encoding);
                out.end();
                content.write(out);
            }
            Self::Multipart(multipart) => multipart.write(out),
            Self::Enclosed { kind, fields, node } => {
                out.field(kind);
                out.end();
                fields.iter().for_each(|field| out.field(field));
                node.write(out);
            }
            Self::OnlyHeader { kind } => out.field(kind),
            Self::Nothing => {}
        }
    }
}

impl Multipart {
    fn write(&self, out: &mut Writer) {
        let Boundary { declared, used } = &self.boundary;
        out.field(&[b"Content-Type: multipart/", self.subtype.as_bytes(), declared].concat());
        if self.twice {
            out.line(b"Content-Type: multipart/mixed; boundary=another");
        }
        out.end();
        self.preamble.iter().for_each(|line| out.line(line));
        for (delimiter, node) in &self.parts {
            let used = |before: &[u8], after: &[u8]| [before, used, after].concat();
            match delimiter {
                Delimiter::Plain => out.line(&used(b"--", b"")),
                Delimiter::Padded => out.line(&used(b"--", b" \t ")),
                Delimiter::Longer => out.line(&used(b"--", b"x")),
                Delimiter::Indented => out.line(&used(b" --", b"")),
                Delimiter::Missing => {}
                Delimiter::Glued => {
                    out.bytes.extend(used(b"--", b""));
                    out.end();
                }
                Delimiter::Close => out.line(&used(b"--", b"--")),
            }
            node.write(out);
            if !matches!(delimiter, Delimiter::Glued) {
                out.end();
            }
        }
        let close = [b"--", &used[..], b"--"].concat();
        match self.close {
            Close::Plain => out.line(&close),
            Close::Padded => out.line(&[&close[..], b"  "].concat()),
            Close::Missing => {}
            Close::Open => out.bytes.extend(&close),
            Close::Twice => [0; 2].iter().for_each(|_| out.line(&close)),
        }
        self.epilogue.iter().for_each(|line| out.line(line));
    }
}

/// How lines end.
#[derive(Clone, Copy, Debug)]
enum Eol {
    Crlf,
    Lf,
    /// Now so, now so, by this seed; sometimes with a bare CR.
    Mixed(u64),
}

/// Collects a message, and knows how the next line ends.
struct Writer {
    bytes: Vec<u8>,
    eol: Eol,
}

impl Writer {
    fn new(eol: Eol) -> Self {
        Self { bytes: Vec::new(), eol }
    }

    fn line(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.end();
    }

    /// A field, folded where it has line ends; they become those of the message.
    fn field(&mut self, field: &[u8]) {
        field.split(|&byte| byte == b'\n').for_each(|line| self.line(line));
    }

    /// Bytes that a line end takes, mostly.
    fn end_size(&self) -> usize {
        if matches!(self.eol, Eol::Crlf) { 2 } else { 1 }
    }

    fn end(&mut self) {
        let end: &[u8] = match &mut self.eol {
            Eol::Crlf => b"\r\n",
            Eol::Lf => b"\n",
            Eol::Mixed(seed) => match contents::next(seed) % 16 {
                0 => b"\r",
                1 => b"\r\r\n",
                2..9 => b"\r\n",
                _ => b"\n",
            },
        };
        self.bytes.extend_from_slice(end);
    }
}

fn eol(made: Made) -> impl Strategy<Value = Eol> {
    let mixed = if made == Made::Well { 0 } else { 2 };
    prop_oneof![4 => Just(Eol::Crlf), 4 => Just(Eol::Lf), mixed => any::<u64>().prop_map(Eol::Mixed)]
}

fn node(made: Made) -> impl Strategy<Value = Node> {
    leaf(made).prop_recursive(DEPTH, NODES, PARTS, move |inner| {
        prop_oneof![
            4 => multipart(made, inner.clone()).prop_map(Node::Multipart),
            1 => enclosed(made, inner),
        ]
    })
}

fn enclosed(made: Made, inner: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    let kinds = if made == Made::Well {
        &MESSAGE_KINDS[..2]
    } else {
        &MESSAGE_KINDS[..]
    };
    (select(kinds), vec(field(made), 0..4), inner).prop_map(|(kind, fields, node)| Node::Enclosed {
        kind: kind.as_bytes(),
        fields,
        node: Box::new(node),
    })
}

fn leaf(made: Made) -> BoxedStrategy<Node> {
    let kinds = if made == Made::Well {
        &KINDS[..GOOD_KINDS]
    } else {
        &KINDS[..]
    };
    let kind = move || select(kinds).prop_map(str::as_bytes);
    let leaf = |(kind, encoding, content): (&'static [u8], &'static str, Content)| Node::Leaf {
        kind,
        encoding: encoding.as_bytes(),
        content,
    };
    let good = (kind(), content()).prop_map(move |(kind, (label, content))| leaf((kind, label, content)));
    if made == Made::Well {
        return good.boxed();
    }
    let labels = select(&contents::LABELS[..]);
    // The label says something else than what it is.
    let mislabelled =
        (kind(), labels, content()).prop_map(move |(kind, label, (_, content))| leaf((kind, label, content)));
    prop_oneof![
        20 => good,
        6 => mislabelled,
        1 => kind().prop_map(|kind| Node::OnlyHeader { kind }),
        1 => Just(Node::Nothing),
    ]
    .boxed()
}

fn multipart(made: Made, inner: impl Strategy<Value = Node> + Clone) -> impl Strategy<Value = Multipart> {
    let flaw = if made == Made::Well { 0 } else { 1 };
    let delimiter = prop_oneof![
        24 => Just(Delimiter::Plain),
        2 => Just(Delimiter::Padded),
        flaw => Just(Delimiter::Longer),
        flaw => Just(Delimiter::Indented),
        flaw => Just(Delimiter::Missing),
        flaw => Just(Delimiter::Glued),
        flaw => Just(Delimiter::Close),
    ];
    let close = prop_oneof![
        10 => Just(Close::Plain),
        1 => Just(Close::Padded),
        flaw => Just(Close::Missing),
        1 => Just(Close::Open),
        flaw => Just(Close::Twice),
    ];
    let lines = || vec(select(&contents::LINES[..]), 0..3);
    let subtype = select(
        &[
            "mixed",
            "alternative",
            "related",
            "signed",
            "digest",
            "x-other",
            "MIXED",
        ][..],
    );
    let parts = vec((delimiter, inner), 0..=2 * PARTS as usize);
    let twice = prop::bool::weighted(0.04 * f64::from(flaw));
    (subtype, boundary(made), lines(), parts, close, lines(), twice).prop_map(
        |(subtype, boundary, preamble, parts, close, epilogue, twice)| Multipart {
            subtype,
            boundary,
            preamble,
            parts,
            close,
            epilogue,
            twice,
        },
    )
}

/// From this one on, the ways in which a boundary is declared are allowed.
const GOOD_BOUNDARIES: u8 = 15;

/// Boundaries that repeat, that begin like one another, and that are declared in every way there is.
fn boundary(made: Made) -> impl Strategy<Value = Boundary> {
    let new = |declared: String, used: &str| Boundary {
        declared: declared.into_bytes(),
        used: used.as_bytes().to_vec(),
    };
    let (flaw, hows) = if made == Made::Well {
        (0, GOOD_BOUNDARIES..24)
    } else {
        (1, 0..24u8)
    };
    let name = prop_oneof![
        6 => any::<u32>().prop_map(|number| format!("=_{number:08x}")),
        // Outer and inner ones, and neighbours, meet with the same, or with the beginning of another.
        6 * flaw => select(&["a", "aa", "aaa", "a-", "a--", "-", "--", "b"][..]).prop_map(str::to_owned),
        flaw => select(&["a b", "a:b/c", "(a)", "a?=,b", "'a'", "a  b"][..]).prop_map(str::to_owned),
        flaw => (60..120usize).prop_map(|length| "x".repeat(length)),
    ];
    (name, hows).prop_map(move |(name, how)| match how {
        0 => new(String::new(), &name),
        1 => new("; boundary=".into(), &name),
        2 => new("; boundary=\"\"".into(), ""),
        3 => new(format!("; boundary={name}x"), &name),
        4 => new(format!("; boundary={name}"), &format!("{name}x")),
        5 => new(format!("; boundary=\"{name} \""), &name),
        6 => new(format!("; boundary=\"{name} \""), &format!("{name} ")),
        7 => new(format!("; boundary=\"{name}"), &name),
        8 => new(format!("; BOUNDARY={name}; charset=x"), &name),
        9 => new(format!("; boundary=one; boundary={name}"), &name),
        10 => new(format!("; boundary*={name}"), &name),
        11 => new(format!("; boundary*0=\"{name}\"; boundary*1=x"), &format!("{name}x")),
        12 => new(format!(";\n\tboundary = {name} (a comment)"), &name),
        13 => new(format!("; boundary=\"\\{name}\""), &name),
        14 => new(format!(" boundary={name}"), &name),
        15..20 => new(format!("; boundary={name}"), &name),
        _ => new(format!(";\n boundary=\"{name}\""), &name),
    })
}

/// A line of a header, mostly a field.
fn field(made: Made) -> impl Strategy<Value = &'static [u8]> {
    select(if made == Made::Well {
        &FIELDS[..GOOD_FIELDS]
    } else {
        &FIELDS[..]
    })
}

/// So many of the first ones are allowed.
const GOOD_FIELDS: usize = 11;
const GOOD_KINDS: usize = 6;

const FIELDS: [&[u8]; 19] = [
    b"From: someone@sender.example",
    b"To: jane@example.com",
    b"Subject: a subject",
    b"Subject: =?utf-8?B?R3LDvMOfZQ==?=",
    b"Subject: Gr\xfc\xdfe",
    b"Date: Thu, 1 Jan 2026 01:00:00 +0100",
    b"Message-ID: <1@sender.example>",
    b"MIME-Version: 1.0",
    b"Received: from a by b;\n\tThu, 1 Jan 2026 01:00:00 +0100",
    b"X-Folded: one\n two\n\tthree",
    b"X-Empty:",
    b"X-Nul: \0",
    b"X-Bare: a\rb",
    b"no field",
    b": no name",
    b"X Space In Name: x",
    b" folded, though nothing stands above it",
    b"Content-Transfer-Encoding: base64",
    b"Content-Type: text/plain",
];

const KINDS: [&str; 15] = [
    "Content-Type: text/plain",
    "Content-Type: text/plain; charset=utf-8; format=flowed",
    "Content-Type: text/html;\n\tcharset=\"iso-8859-1\"",
    "Content-Type: application/octet-stream; name=\"a;b.bin\"",
    "Content-Type: image/png\nContent-Disposition: inline; filename=a.png\nContent-ID: <1@x>",
    "Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''a%20b.pdf",
    "content-type:application/x-uuencode",
    "Content-Type: message/partial; number=1; total=2; id=x",
    "Content-Type: message/external-body",
    "Content-Type: multipart/mixed",
    "Content-Type: nonsense",
    "Content-Type:",
    "Content-Type: text/plain\nContent-Type: application/octet-stream",
    "Content-Disposition: attachment",
    "X-Not-Mime: x",
];

const MESSAGE_KINDS: [&str; 4] = [
    "Content-Type: message/rfc822",
    "Content-Type: message/rfc822; name=\"a.eml\"\nContent-Disposition: attachment",
    "Content-Type: MESSAGE/RFC822\nContent-Transfer-Encoding: base64",
    "Content-Type: message/global",
];
