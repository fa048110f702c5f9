//! The files that people attach. A [`File`] is described by a few numbers and made anew wherever it is
//! attached, so that a file which comes back years later costs no memory in between.

use super::super::{Random, text};

/// No file is larger than this; most mail servers refuse more.
const LARGEST: usize = 4 << 20;

/// What sort of file. Percentages and mean sizes (decoded) are in [`File::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A document of an office program: a zip of members that are compressed already.
    Document,
    Sheet,
    Slides,
    /// Compressed streams, and between them a few percent of text.
    Pdf,
    Photo,
    /// Rows of names, dates and amounts.
    Table,
    /// Lines of a machine.
    Log,
    /// A zip of anything.
    Zip,
    /// The picture in a signature.
    Logo,
}

/// A file, the same bytes each time it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    kind: Kind,
    seed: u64,
    size: usize,
}

impl File {
    /// A file as people attach them.
    pub fn new(random: &mut Random) -> Self {
        let (kind, mean) = match random.below(100) {
            0..26 => (Kind::Document, 55_000),
            26..42 => (Kind::Sheet, 35_000),
            42..46 => (Kind::Slides, 250_000),
            46..76 => (Kind::Pdf, 95_000),
            76..86 => (Kind::Photo, 160_000),
            86..92 => (Kind::Table, 40_000),
            92..94 => (Kind::Log, 60_000),
            _ => (Kind::Zip, 100_000),
        };
        Self::of(kind, mean, random)
    }

    /// What a machine sends to those who watch it.
    pub fn report(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::of(Kind::Log, 40_000, random),
            _ => Self::of(Kind::Table, 40_000, random),
        }
    }

    /// What a scanner or an accounting program sends.
    pub fn scan(random: &mut Random) -> Self {
        Self::of(Kind::Pdf, 80_000, random)
    }

    /// A company's logo; small ones fit beside the text, larger ones are worth storing apart.
    pub fn logo(random: &mut Random) -> Self {
        Self {
            size: 2_000 + random.below(14_000),
            ..Self::of(Kind::Logo, 1, random)
        }
    }

    /// Sizes spread widely: many small files, a few that are many times the mean.
    fn of(kind: Kind, mean: usize, random: &mut Random) -> Self {
        let size = random.around(1_000) * random.around(1_000) / 1_000 * mean / 1_000;
        Self {
            kind,
            seed: random.next(),
            size: size.clamp(400, LARGEST),
        }
    }

    /// Media type and name.
    pub fn label(&self) -> (&'static str, String) {
        let number = self.seed % 10_000;
        match self.kind {
            Kind::Document => (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                format!("Contract_{number}.docx"),
            ),
            Kind::Sheet => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                format!("Budget {number}.xlsx"),
            ),
            Kind::Slides => (
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                format!("Review-{number}.pptx"),
            ),
            Kind::Pdf => ("application/pdf", format!("Invoice-{number}.pdf")),
            Kind::Photo => ("image/jpeg", format!("IMG_{number}.jpg")),
            Kind::Table => ("text/csv", format!("export_{number}.csv")),
            Kind::Log => ("text/plain", format!("service-{number}.log")),
            Kind::Zip => ("application/zip", format!("files-{number}.zip")),
            Kind::Logo => ("image/png", format!("image{:03}.png", number % 10)),
        }
    }

    /// The file itself.
    pub fn bytes(&self) -> Vec<u8> {
        let mut random = Random(self.seed);
        let mut bytes = Vec::with_capacity(self.size + 4_096);
        match self.kind {
            Kind::Document => zip(&mut bytes, &mut random, self.size, "word/document.xml"),
            Kind::Sheet => zip(&mut bytes, &mut random, self.size, "xl/worksheets/sheet1.xml"),
            Kind::Slides => zip(&mut bytes, &mut random, self.size, "ppt/slides/slide1.xml"),
            Kind::Zip => zip(&mut bytes, &mut random, self.size, "files/1.dat"),
            Kind::Pdf => pdf(&mut bytes, &mut random, self.size),
            Kind::Photo => {
                bytes.extend_from_slice(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00");
                bytes.extend(random.bytes(self.size));
                bytes.extend_from_slice(b"\xff\xd9");
            }
            Kind::Logo => {
                bytes.extend_from_slice(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x80\x00\x00\x00\x40\x08\x06");
                bytes.extend(random.bytes(self.size));
                bytes.extend_from_slice(b"\x00\x00\x00\x00IEND\xaeB`\x82");
            }
            Kind::Table => table(&mut bytes, &mut random, self.size),
            Kind::Log => log(&mut bytes, &mut random, self.size),
        }
        bytes
    }
}

/// Local headers, what is compressed already (random bytes), and a directory at the end.
fn zip(out: &mut Vec<u8>, random: &mut Random, size: usize, main: &str) {
    let members = ["[Content_Types].xml", "_rels/.rels", "docProps/app.xml", main];
    let mut directory = Vec::new();
    for (number, name) in members.into_iter().enumerate() {
        // The last one is the document; what stands beside it is small.
        let data = match number + 1 == members.len() {
            true => random.bytes(size),
            false => random.bytes(300),
        };
        let mut fixed = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
        fixed.extend(random.bytes(4));
        fixed.extend((data.len() as u32).to_le_bytes());
        fixed.extend((data.len() as u32 * 4).to_le_bytes());
        fixed.extend((name.len() as u16).to_le_bytes());
        fixed.extend([0, 0]);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&fixed);
        directory.extend_from_slice(&[0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&fixed);
        out.extend_from_slice(name.as_bytes());
        out.extend(data);
    }
    let (at, length, count) = (out.len() as u32, directory.len() as u32, members.len() as u16);
    out.extend(directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    [count, count].iter().for_each(|n| out.extend(n.to_le_bytes()));
    [length, at].iter().for_each(|n| out.extend(n.to_le_bytes()));
    out.extend([0, 0]);
}

/// Objects with compressed streams of some kilobytes each, their dictionaries, and a table of where they are.
fn pdf(out: &mut Vec<u8>, random: &mut Random, size: usize) {
    out.extend_from_slice(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n");
    let mut places = Vec::new();
    while out.len() < size {
        places.push(out.len());
        let stream = random.around(2_500).min(size);
        let number = places.len();
        let dictionary = match number % 3 {
            0 => "/Type /XObject /Subtype /Image /Width 640 /Height 480 /ColorSpace /DeviceRGB /BitsPerComponent 8",
            1 => "/Type /Page /Parent 2 0 R /MediaBox [0 0 595.28 841.89] /Resources 3 0 R /Group 4 0 R",
            _ => "/Type /Font /Subtype /TrueType /BaseFont /ABCDEE+Calibri /FirstChar 32 /LastChar 122 /Widths 18 0 R",
        };
        let head = format!("{number} 0 obj\n<< {dictionary} /Filter /FlateDecode /Length {stream} >>\nstream\n");
        out.extend_from_slice(head.as_bytes());
        out.extend(random.bytes(stream));
        out.extend_from_slice(b"\nendstream\nendobj\n");
    }
    let start = out.len();
    out.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).as_bytes());
    for place in &places {
        out.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    let id = random.next();
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R /ID [<{id:032X}> <{id:032X}>] >>\nstartxref\n{start}\n%%EOF\n",
        places.len() + 1
    );
    out.extend_from_slice(trailer.as_bytes());
}

fn table(out: &mut Vec<u8>, random: &mut Random, size: usize) {
    out.extend_from_slice(b"date;order;customer;article;quantity;price;currency;state\r\n");
    while out.len() < size {
        let (day, month) = (1 + random.below(28), 1 + random.below(12));
        let row = format!(
            "2024-{month:02}-{day:02};{};{};{};{};{}.{:02};EUR;{}\r\n",
            100_000 + random.below(900_000),
            text::word(random),
            text::word(random),
            1 + random.below(50),
            random.below(5_000),
            random.below(100),
            random.pick(&["open", "paid", "sent", "cancelled"])
        );
        out.extend_from_slice(row.as_bytes());
    }
}

fn log(out: &mut Vec<u8>, random: &mut Random, size: usize) {
    let mut millis = 0;
    while out.len() < size {
        millis += random.below(4_000);
        let (hour, minute, second) = (millis / 3_600_000 % 24, millis / 60_000 % 60, millis / 1_000 % 60);
        let level = random.pick(&["INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"]);
        let row = format!(
            "2024-05-14 {hour:02}:{minute:02}:{second:02},{:03} {level} [worker-{}] job {} of {} took {} ms\n",
            millis % 1_000,
            random.below(8),
            random.below(100_000),
            text::word(random),
            random.below(900)
        );
        out.extend_from_slice(row.as_bytes());
    }
}
