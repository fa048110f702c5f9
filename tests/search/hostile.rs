//! Attachments that are made to do harm: whatever they are, the one that follows is read, and the process that reads
//! takes no more memory than it may.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use dropkeep::{
    config::{ByteSize, Extract, Span},
    extract::{Kind, Outcome},
};

use super::{
    attachments::{extractor, good},
    files::{docx, flate, odt, page, pdf, pdf_of, stream, xlsx, zip},
};

const MEMORY: u64 = 96 << 20;

fn settings() -> Extract {
    Extract {
        memory: ByteSize(MEMORY),
        time: Span(Duration::from_secs(2)),
        text: ByteSize::mib(1),
        ..Extract::default()
    }
}

/// Numbers without rule, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

fn repeated(piece: &str, count: usize) -> Vec<u8> {
    piece.as_bytes().repeat(count)
}

/// Files that were thought out.
fn made() -> Vec<(String, Vec<u8>)> {
    let spaces = vec![b' '; 300 << 20];
    let bomb = zip(&[("a.txt", &spaces)]);
    let xml_bomb = |name: &str| zip(&[("[Content_Types].xml", b""), (name, &spaces)]);
    let nested = |open: &str, count: usize| {
        let open = open.repeat(count);
        docx(&open)
    };
    let mut many_files: Vec<(String, Vec<u8>)> = (0..5000).map(|n| (format!("{n}"), vec![b'x'; 10])).collect();
    many_files.push(("z".into(), vec![]));
    let many_files: Vec<_> = many_files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let attributes: String = (0..500_000).map(|n| format!(" a{n}='1'")).collect();
    let entities = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]><x>&b;&b;</x>";
    let mut zip_in_zip = b"end".to_vec();
    for _ in 0..100 {
        zip_in_zip = zip(&[("a.zip", &zip_in_zip)]);
    }
    let mut mail = b"Subject: inner\n\nend".to_vec();
    for _ in 0..200 {
        mail = [b"Content-Type: message/rfc822\n\n".to_vec(), mail].concat();
    }
    let many_mails = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n".repeat(5000)
    );
    let catalog = || b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    let pages = |of: &str| format!("<< /Type /Pages {of} >>").into_bytes();
    let content = page(&["x"]);
    let page_of =
        |more: &str| format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R {more} >>").into_bytes();
    let kids = || pages("/Kids [3 0 R] /Count 1");
    let deep_array = [repeated("[", 1_000_000), repeated("]", 1_000_000)].concat();
    let many_characters = format!("BT /F1 12 Tf {} ET", "(word word) Tj ".repeat(500_000));
    vec![
        ("zip that unpacks to much".into(), bomb.clone()),
        (
            "zip of itself, nearly".into(),
            zip(&[("a.zip", &bomb), ("b.zip", &bomb)]),
        ),
        ("zip in zip in zip".into(), zip_in_zip),
        ("zip of many files".into(), zip(&many_files)),
        ("zip whose files lie upon each other".into(), overlapping(&bomb)),
        ("docx that unpacks to much".into(), xml_bomb("word/document.xml")),
        ("xlsx that unpacks to much".into(), xml_bomb("xl/workbook.xml")),
        (
            "odt that unpacks to much".into(),
            odt(&"<text:p>x</text:p>".repeat(2_000_000)),
        ),
        ("docx that nests".into(), nested("<w:p>", 1_000_000)),
        (
            "docx of one long text".into(),
            docx(&format!("<w:t>{}", "x".repeat(60 << 20))),
        ),
        (
            "docx of one long tag".into(),
            docx(&format!("<w:{}", "x".repeat(60 << 20))),
        ),
        (
            "docx with attributes".into(),
            docx(&format!("<w:t{attributes}>x</w:t>")),
        ),
        ("docx with entities".into(), docx(entities)),
        ("docx that closes".into(), docx(&"</w:p>".repeat(1_000_000))),
        (
            "xlsx with a far cell".into(),
            xlsx("", "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"),
        ),
        (
            "xlsx with a huge cell".into(),
            xlsx(
                "",
                &format!("<row><c t='str'><v>{}</v></c></row>", "9".repeat(40 << 20)),
            ),
        ),
        (
            "xlsx with cells".into(),
            xlsx("", &"<row><c><v>1</v></c></row>".repeat(1_000_000)),
        ),
        (
            "pdf whose pages are their own".into(),
            pdf_of(&[catalog(), pages("/Kids [2 0 R 2 0 R] /Count 2")]),
        ),
        (
            "pdf whose page has itself above it".into(),
            pdf_of(&[catalog(), kids(), page_of("/Parent 3 0 R")]),
        ),
        (
            "pdf without a place above".into(),
            pdf_of(&[
                catalog(),
                pages("/Kids [3 0 R] /Parent 2 0 R"),
                b"<< /Type /Page /Parent 2 0 R >>".to_vec(),
            ]),
        ),
        (
            "pdf that nests".into(),
            pdf_of(&[catalog(), pages("/Kids [3 0 R]"), deep_array.clone()]),
        ),
        (
            "pdf of nested dictionaries".into(),
            pdf_of(&[catalog(), repeated("<</A ", 1_000_000)]),
        ),
        (
            "pdf of nested brackets".into(),
            pdf_of(&[catalog(), repeated("(", 1_000_000)]),
        ),
        (
            "pdf whose content nests".into(),
            pdf_of(&[catalog(), kids(), page_of(""), stream("", &deep_array)]),
        ),
        (
            "pdf that unpacks to much".into(),
            pdf_of(&[
                catalog(),
                kids(),
                page_of(""),
                stream("/Filter /FlateDecode", &flate(&spaces)),
            ]),
        ),
        (
            "pdf packed over and over".into(),
            pdf_of(&[
                catalog(),
                kids(),
                page_of(""),
                stream("/Filter [/FlateDecode /FlateDecode]", &flate(&flate(&spaces))),
            ]),
        ),
        ("pdf whose form draws itself".into(), pdf(&format!("{content} /X Do"))),
        ("pdf with much text".into(), pdf(&many_characters)),
        ("pdf of open states".into(), pdf(&"q ".repeat(2_000_000))),
        ("pdf whose stream has no length".into(), {
            let mut file = pdf(&content);
            let at = file.windows(8).position(|bytes| bytes == b"/Length ").unwrap();
            file[at + 8] = b'9';
            file
        }),
        ("pdf whose table leads to itself".into(), pdf_that_leads_back()),
        ("pdf of numbers".into(), pdf(&"9".repeat(5_000_000))),
        (
            "rtf that nests".into(),
            [b"{\\rtf1 ".to_vec(), repeated("{", 10_000_000)].concat(),
        ),
        (
            "rtf of fonts".into(),
            [
                b"{\\rtf1{\\fonttbl".to_vec(),
                repeated("\\f1\\fcharset1 \\f0", 1_000_000),
            ]
            .concat(),
        ),
        (
            "rtf of fonts that change".into(),
            [b"{\\rtf1".to_vec(), repeated("\\f0 a\\f1 b", 1_000_000)].concat(),
        ),
        ("rtf that jumps".into(), b"{\\rtf1\\bin2147483647 x}".to_vec()),
        ("mail in mail".into(), mail),
        ("mail of mails".into(), many_mails.into_bytes()),
        ("mail of fields".into(), repeated("Subject: x\n", 1_000_000)),
        (
            "calendar that folds".into(),
            [b"BEGIN:VCALENDAR\nA:".to_vec(), repeated("\n x", 3_000_000)].concat(),
        ),
        (
            "page of tags".into(),
            [b"<html>".to_vec(), repeated("<p><a b=c>", 1_000_000)].concat(),
        ),
    ]
}

/// A ZIP whose list of files names the first one over and over.
fn overlapping(bomb: &[u8]) -> Vec<u8> {
    let list = bomb.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    let end = bomb.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").unwrap();
    let entry = &bomb[list..end];
    let mut file = bomb[..list].to_vec();
    let count = 2000_u16;
    for number in 0..count {
        let mut entry = entry.to_vec();
        // Its name, so that all are told apart.
        let name = format!("{number:05}");
        entry[46..51].copy_from_slice(name.as_bytes());
        file.extend_from_slice(&entry);
    }
    let length = u32::try_from(file.len() - list).unwrap();
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&u32::try_from(list).unwrap().to_le_bytes());
    file.extend_from_slice(b"\0\0");
    file
}

fn pdf_that_leads_back() -> Vec<u8> {
    let mut file = pdf(&page(&["x"]));
    let table = file.windows(5).position(|bytes| bytes == b"xref\n").unwrap();
    let trailer = file.windows(6).position(|bytes| bytes == b"/Root ").unwrap();
    let mut more = Vec::new();
    write!(more, "/Prev {table} /XRefStm {table} ").unwrap();
    file.splice(trailer..trailer, more);
    file
}

/// Files that were whole: cut off, with bytes of another value, with pieces of them doubled; and bytes without sense.
fn broken(random: &mut Random, count: usize) -> Vec<(String, Vec<u8>)> {
    let good = good();
    let mut files = Vec::new();
    for number in 0..count {
        let (name, _, bytes, _) = &good[number % good.len()];
        let mut bytes = bytes.clone();
        let how = match (number / good.len()) % 4 {
            0 => {
                bytes.truncate(random.below(bytes.len()));
                "cut"
            }
            1 => {
                for _ in 0..=random.below(8) {
                    let at = random.below(bytes.len());
                    bytes[at] = random.below(256) as u8;
                }
                "flipped"
            }
            2 => {
                let (from, at) = (random.below(bytes.len()), random.below(bytes.len()));
                let piece = bytes[from..(from + 1 + random.below(200)).min(bytes.len())].repeat(1 + random.below(50));
                bytes.splice(at..at, piece);
                "doubled"
            }
            _ => {
                let kept = bytes.len().min(8);
                bytes.truncate(kept);
                bytes.extend((0..2000).map(|_| random.below(256) as u8));
                "without sense"
            }
        };
        files.push((format!("{name}, {how} ({number})"), bytes));
    }
    files
}

/// The name of a file that was thought out: by those of its kind that do not show what they are.
fn name_of(what: &str) -> &str {
    match what.split_once(' ') {
        Some(("mail", _)) => "a.eml",
        Some(("calendar", _)) => "a.ics",
        Some(("page", _)) => "a.html",
        _ => what,
    }
}

/// Ends the one that watches, however the test ends.
struct Stops<'s>(&'s AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The most memory that a process which reads attachments had, in bytes: of those that this one started.
fn watched(stop: &AtomicBool) -> u64 {
    let mut most = 0;
    while !stop.load(Ordering::Acquire) {
        for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace() {
                let of = |file: &str| fs::read_to_string(Path::new("/proc").join(child).join(file)).unwrap_or_default();
                if of("cmdline").contains("\0extract\0") {
                    let status = of("status");
                    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
                    most = most.max(peak.unwrap_or(0) << 10);
                }
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    most
}

#[test]
fn no_attachment_stops_the_next_one_from_being_read() {
    let (mut extractor, stop) = (extractor(&settings()), AtomicBool::new(false));
    let whole = pdf(&page(&["still here"]));
    let mut files = made();
    files.extend(broken(&mut Random(16), 520));
    let mut outcomes = BTreeMap::new();
    let most = thread::scope(|scope| {
        let watched = scope.spawn(|| watched(&stop));
        let stops = Stops(&stop);
        for (what, bytes) in &files {
            let name = what.split_once(',').map_or_else(|| name_of(what), |(name, _)| name);
            let begun = Instant::now();
            let extracted = extractor.text(Some(name), "application/octet-stream", bytes);
            assert!(extracted.text.len() <= 1 << 20, "{what}");
            assert!(
                !matches!(extracted.outcome, Outcome::NotStarted(_)),
                "{what}: {:?}",
                extracted.outcome
            );
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{what}: {:?}",
                begun.elapsed()
            );
            if begun.elapsed() > Duration::from_millis(500) || !what.contains(',') {
                eprintln!("{what}: {:?} in {:?}", extracted.outcome, begun.elapsed());
            }
            *outcomes.entry(extracted.outcome.as_str()).or_insert(0) += 1;
            let next = extractor.text(None, "application/pdf", &whole);
            assert_eq!(
                (next.text.as_str(), next.outcome),
                ("still here", Outcome::Read),
                "behind {what}"
            );
        }
        drop(stops);
        watched.join().unwrap()
    });
    eprintln!(
        "{} files: {outcomes:?}; the most memory was {} MiB",
        files.len(),
        most >> 20
    );
    assert!(files.len() > 500);
    assert!(most > 0 && most < MEMORY + (64 << 20), "{} MiB", most >> 20);
    let counted: u64 = extractor
        .counts()
        .iter()
        .filter(|(kind, ..)| *kind != Kind::Other)
        .map(|(_, _, count)| count)
        .sum();
    assert!(counted > files.len() as u64);
}
