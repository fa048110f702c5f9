//! Files of the kinds that are attached to mail, made here: as small as their kinds allow.

use std::io::{Cursor, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A ZIP of these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // As OpenDocument wants it.
        let method = match *name {
            "mimetype" => CompressionMethod::Stored,
            _ => CompressionMethod::Deflated,
        };
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method))
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const TYPES: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");

pub fn docx(document: &str) -> Vec<u8> {
    let document = format!("<w:document xmlns:w='w'><w:body>{document}</w:body></w:document>");
    let footer = "<w:ftr xmlns:w='w'><w:p><w:r><w:t>of the footer</w:t></w:r></w:p></w:ftr>";
    zip(&[
        TYPES,
        ("word/footer1.xml", footer.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ])
}

/// A workbook with one sheet, of these shared strings and rows.
pub fn xlsx(shared: &str, rows: &str) -> Vec<u8> {
    let shared = format!("<sst>{shared}</sst>");
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    zip(&[
        TYPES,
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        (
            "xl/workbook.xml",
            b"<workbook><sheets><sheet name='The &amp; sheet' sheetId='1'/></sheets></workbook>",
        ),
    ])
}

/// A presentation of these slides.
pub fn pptx(slides: &[&str]) -> Vec<u8> {
    let slides: Vec<_> = (1..)
        .zip(slides)
        .map(|(number, slide)| {
            let slide = format!(
                "<p:sld xmlns:a='a' xmlns:p='p'><p:txBody><a:p><a:r><a:t>{slide}</a:t></a:r></a:p></p:txBody></p:sld>"
            );
            (format!("ppt/slides/slide{number}.xml"), slide)
        })
        .collect();
    let mut files = vec![TYPES, ("ppt/presentation.xml", &b"<p/>"[..])];
    // Their names, in the order of letters, would be the wrong one.
    files.extend(
        slides
            .iter()
            .rev()
            .map(|(name, slide)| (name.as_str(), slide.as_bytes())),
    );
    zip(&files)
}

pub fn odt(text: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office='o' xmlns:text='t'><office:automatic-styles><x>style</x></office:automatic-styles>\
         <office:body><office:text>{text}</office:text></office:body></office:document-content>"
    );
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content.as_bytes()),
    ])
}

/// A PDF of these objects, numbered from 1, of which the first is the catalog.
pub fn pdf_of(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(pdf.len());
        writeln!(pdf, "{number} 0 obj").unwrap();
        pdf.extend_from_slice(object);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let table = pdf.len();
    write!(pdf, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for place in places {
        writeln!(pdf, "{place:010} 00000 n ").unwrap();
    }
    write!(
        pdf,
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    )
    .unwrap();
    pdf
}

/// A stream with this dictionary.
pub fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let mut stream = format!("<< {dictionary} /Length {} >>\nstream\n", content.len()).into_bytes();
    stream.extend_from_slice(content);
    stream.extend_from_slice(b"\nendstream");
    stream
}

/// Packed as PDF packs streams.
pub fn flate(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

/// A PDF of a page with this content, packed.
pub fn pdf(content: &str) -> Vec<u8> {
    pdf_of(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>".to_vec(),
        stream("/Filter /FlateDecode", &flate(content.as_bytes())),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
        stream(
            "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
            b"/X Do /X Do",
        ),
    ])
}

/// Lines of text as a page of PDF has them.
pub fn page(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("({line}) Tj 0 -14 Td\n")).collect();
    format!("BT /F1 12 Tf 72 720 Td\n{lines}ET")
}
