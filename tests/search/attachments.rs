//! Attachments of each kind give exactly their words.

use std::path::PathBuf;

use dropkeep::{
    config::Extract,
    extract::{Extractor, Kind, Mail, Outcome},
};

use super::files::{docx, odt, page, pdf, pptx, xlsx, zip};

pub fn extractor(settings: &Extract) -> Extractor {
    Extractor::with_program(settings, PathBuf::from(env!("CARGO_BIN_EXE_dropkeep")))
}

/// Files of each kind, and the lines of their text.
pub fn good() -> Vec<(&'static str, Kind, Vec<u8>, &'static str)> {
    let letter = "<w:p><w:r><w:t>Dear </w:t></w:r><w:r><w:t xml:space='preserve'>Ms Gr&#252;n</w:t><w:tab/><w:t>x</w:t></w:r></w:p>\
        <mc:AlternateContent xmlns:mc='m'><mc:Choice><w:p><w:t>box</w:t></w:p></mc:Choice><mc:Fallback><w:p><w:t>box</w:t></w:p></mc:Fallback></mc:AlternateContent>\
        <w:tbl><w:tr><w:tc><w:p><w:t>cell</w:t></w:p></w:tc><w:tc><w:p><w:t>A&amp;B</w:t></w:p></w:tc></w:tr></w:tbl>\
        <w:p><w:del><w:delText>gone</w:delText></w:del><w:instrText>PAGE</w:instrText></w:p>";
    let shared = "<si><t>Total</t></si><si><r><t>Net </t></r><r><t>sum</t></r><rPh><t>kana</t></rPh></si>";
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1'><v>1234.5</v></c><c r='C1' t='b'><v>1</v></c></row>\
        <row r='2'><c r='XFD1048576' t='inlineStr'><is><t>inline</t></is></c><c t='str'><f>A1&amp;B1</f><v>formula</v></c></row>";
    let text = "<text:h>Head</text:h><text:p>one<text:s/>two<text:span>three</text:span><text:tab/>four<text:line-break/>five</text:p>\
        <text:tracked-changes><text:p>old</text:p></text:tracked-changes>";
    let inner = "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nFrom: Ada <ada@example.com>\nContent-Type: multipart/mixed; boundary=b\n\n\
        --b\n\nthe body\n--b\nContent-Type: text/html; name=page.html\n\n<p>a page\n--b--\n";
    vec![
        (
            "a.docx",
            Kind::Word,
            docx(letter),
            "Dear Ms Grün x\nbox\ncell\nA&B\nof the footer",
        ),
        (
            "a.xlsx",
            Kind::Sheet,
            xlsx(shared, rows),
            "The & sheet\nTotal\nNet sum\n1234.5\ninline formula",
        ),
        (
            "a.pptx",
            Kind::Slides,
            pptx(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]),
            "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk",
        ),
        ("a.odt", Kind::OpenDocument, odt(text), "Head\none twothree four five"),
        (
            "a.pdf",
            Kind::Pdf,
            pdf(&page(&["Invoice INV-2024/0815", "for M\\374ller \\(Berlin\\)"])),
            "Invoice INV-2024/0815\nfor Müller (Berlin)",
        ),
        (
            "a.rtf",
            Kind::Rtf,
            br"{\rtf1\ansi Gr\'fc\'dfe \b and\b0  more\par}".to_vec(),
            "Grüße and more",
        ),
        (
            "a.eml",
            Kind::Message,
            inner.into(),
            "Grüße\nAda <ada@example.com>\nthe body\npage.html\na page",
        ),
        (
            "a.zip",
            Kind::Zip,
            zip(&[
                ("notes/a.txt", "Zeile für Zeile".as_bytes()),
                ("b.pdf", &pdf(&page(&["inside"]))),
                ("c.docx", &docx("<w:p><w:t>document</w:t></w:p>")),
                ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\r"),
            ]),
            "notes/a.txt\nZeile für Zeile\nb.pdf\ninside\nc.docx\ndocument\nof the footer\npicture.png",
        ),
        ("a.txt", Kind::Text, b"Gr\xfc\xdfe".to_vec(), "Grüße"),
        ("a.csv", Kind::Text, b"\xff\xfea\0;\0b\0".to_vec(), "a;b"),
        ("a.html", Kind::Html, b"<p>a<script>x</script><p>b".to_vec(), "a\nb"),
        (
            "a.ics",
            Kind::Calendar,
            b"BEGIN:VCALENDAR\nSUMMARY:meet\nEND:VCALENDAR".to_vec(),
            "meet",
        ),
        (
            "a.vcf",
            Kind::Card,
            b"BEGIN:VCARD\nFN:Ada L\nEND:VCARD".to_vec(),
            "Ada L",
        ),
    ]
}

fn lines(text: &str) -> Vec<String> {
    let words = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_file_of_each_kind_gives_its_words() {
    let mut extractor = extractor(&Extract::default());
    for (name, kind, bytes, expected) in good() {
        let extracted = extractor.text(Some(name), "application/octet-stream", &bytes);
        assert_eq!((extracted.kind, extracted.outcome), (kind, Outcome::Read), "{name}");
        assert_eq!(lines(&extracted.text), lines(expected), "{name}");
    }
    assert!(
        extractor
            .counts()
            .iter()
            .all(|(_, word, count)| word == "read" && count > 0)
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    let mut extractor = extractor(&Extract {
        largest: dropkeep::config::ByteSize(100_000),
        text: dropkeep::config::ByteSize(1000),
        ..Extract::default()
    });
    let long = page(&["word word word word word word"; 100]);
    let unreadable = |why: &str| Outcome::Unreadable(why.into());
    let too_long = Outcome::Partly("it is longer than what is indexed of an attachment".into());
    for (name, bytes, outcome) in [
        (
            "a.doc",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            unreadable("files of its kind are not read"),
        ),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\r".to_vec(), Outcome::NotText),
        (
            "a.pdf",
            b"%PDF-1.4 and no more".to_vec(),
            unreadable("it is a broken PDF file"),
        ),
        (
            "a.docx",
            docx("<w:p><w:t>x</w:t>")[..200].to_vec(),
            unreadable("it is a broken ZIP file"),
        ),
        (
            "a.pdf",
            [b"%PDF-".to_vec(), vec![0; 100_000]].concat(),
            Outcome::TooLarge,
        ),
        ("a.txt", b"words ".repeat(1000), too_long.clone()),
        ("a.pdf", pdf(&long), too_long),
        (
            "a.zip",
            zip(&[("b.zip", &zip(&[("c", b"c")])), ("d.txt", b"d")]),
            Outcome::Partly("a file in it cannot be read (zip): it is a ZIP file in a ZIP file".into()),
        ),
    ] {
        let extracted = extractor.text(Some(name), "application/octet-stream", &bytes);
        assert_eq!(extracted.outcome, outcome, "{name}");
        assert!(extracted.text.len() <= 1000, "{name}");
    }
}

#[test]
fn an_attachment_of_a_message_is_read_in_its_charset() {
    let mail = b"Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n\
        --b\nContent-Type: text/plain; charset=koi8-r; name=a.txt\nContent-Disposition: attachment\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n--b--\n";
    let mut extractor = extractor(&Extract::default());
    let mail = Mail::read(mail);
    let texts: Vec<_> = mail
        .attachments()
        .map(|file| extractor.attachment(&file).text)
        .collect();
    assert_eq!(texts, ["Привет"]);
}

#[test]
fn without_a_program_that_reads_nothing_is_said_of_the_attachment() {
    let mut extractor = Extractor::with_program(&Extract::default(), "/bin/true".into());
    let extracted = extractor.text(Some("a.pdf"), "application/pdf", &pdf(&page(&["x"])));
    assert!(matches!(extracted.outcome, Outcome::NotStarted(_)), "{extracted:?}");
}
