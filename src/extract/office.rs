//! The text of documents of offices: Office Open XML (ECMA-376: DOCX, XLSX, PPTX) and OpenDocument (ISO 26300). All are
//! ZIPs of XML, which is read element by element, so that a long document takes no more memory than a short one.
//!
//! Numbers of a sheet are read as they are stored, formulas by the values that were stored with them.

use std::io::BufRead;

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use super::{
    kind::Kind,
    output::{Output, Stop},
    zipped::{Allowance, Zipped},
};

/// Elements within elements.
const DEEPEST: usize = 1000;
/// Attributes of one that are looked at.
const ATTRIBUTES: usize = 100;

/// Reads a document of this kind.
pub(super) fn read(kind: Kind, bytes: &[u8], allowance: &mut Allowance, out: &mut Output) -> Result<(), Stop> {
    let mut document = Zipped::open(bytes)?;
    let names = document.names();
    let mut parts: Vec<_> = names
        .iter()
        .enumerate()
        .filter(|(_, name)| is_part(kind, name))
        .collect();
    // Slides and sheets in their order: 2 comes before 10.
    parts.sort_by_key(|(_, name)| (order(kind, name), name.len(), name.as_str()));
    if parts.is_empty() {
        return Err(Stop::broken("it has none of the parts of its kind of document"));
    }
    for (place, name) in parts {
        if document.is_long(place) {
            out.fault("a part of it is longer than what is read of one".into());
        }
        let read = match document.file(place, allowance) {
            Ok(file) => elements(file, Rules::of(kind, name), out),
            Err(stop) => Err(stop),
        };
        match read {
            Ok(()) => out.line()?,
            // The other parts may be whole.
            Err(Stop::Broken(why)) => out.fault(why),
            Err(Stop::Full) => return Err(Stop::Full),
        }
    }
    Ok(())
}

/// Whether a file of the document has text in it.
fn is_part(kind: Kind, name: &str) -> bool {
    let Some(name) = name.strip_suffix(".xml") else {
        return false;
    };
    let begins = |names: &[&str]| names.iter().any(|one| name.starts_with(one));
    match kind {
        Kind::Word => begins(&[
            "word/document",
            "word/header",
            "word/footer",
            "word/footnotes",
            "word/endnotes",
            "word/comments",
        ]),
        Kind::Sheet => begins(&[
            "xl/workbook",
            "xl/sharedStrings",
            "xl/worksheets/sheet",
            "xl/comments",
            "xl/drawings/drawing",
        ]),
        Kind::Slides => begins(&["ppt/slides/slide", "ppt/notesSlides/notesSlide", "ppt/comments/"]),
        Kind::OpenDocument => name == "content" || name == "styles",
        _ => false,
    }
}

/// What comes first is what somebody reads first.
fn order(kind: Kind, name: &str) -> usize {
    let first = match kind {
        Kind::Word => "word/document",
        Kind::Sheet => "xl/workbook",
        Kind::Slides => "ppt/slides/",
        _ => "content",
    };
    usize::from(!name.starts_with(first))
}

/// Which elements of a part have text, and what parts it.
struct Rules {
    text: &'static [&'static str],
    hidden: &'static [&'static str],
    lines: &'static [&'static str],
    spaces: &'static [&'static str],
    /// It is a sheet, whose cells have values of their own and numbers of those that are shared.
    is_sheet: bool,
    /// It has the names of sheets.
    is_book: bool,
}

impl Rules {
    fn of(kind: Kind, name: &str) -> Self {
        let (is_sheet, is_book) = (name.starts_with("xl/worksheets/"), name.starts_with("xl/workbook"));
        match kind {
            Kind::OpenDocument => Self {
                text: &["p", "h"],
                hidden: &["tracked-changes", "ruby-text", "binary-data"],
                lines: &["p", "h"],
                spaces: &["s", "tab", "line-break", "table-cell"],
                is_sheet,
                is_book,
            },
            Kind::Sheet => Self {
                text: if is_sheet { &["v", "t"] } else { &["t"] },
                // How Japanese is read aloud.
                hidden: &["rPh"],
                lines: &["si", "row", "comment", "p", "sheet"],
                spaces: &["c"],
                is_sheet,
                is_book,
            },
            _ => Self {
                text: &["t"],
                // The same once more, for programs that do not know what stands beside it.
                hidden: &["Fallback"],
                lines: &["p", "tr", "comment"],
                spaces: &["tab", "br", "cr", "tc"],
                is_sheet,
                is_book,
            },
        }
    }
}

/// Reads a part of a document. Linear.
fn elements(part: impl BufRead, rules: Rules, out: &mut Output) -> Result<(), Stop> {
    let mut reader = Reader::from_reader(part);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_dangling_amp = true;
    // How many elements are open, in the outermost of those with text, and in a hidden one.
    let (mut depth, mut text, mut hidden) = (0_usize, None, None);
    let mut is_shared = false;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|_| Stop::broken("it has broken XML"))? {
            Event::Start(element) => {
                let name = element.local_name().into_inner();
                depth += 1;
                if depth > DEEPEST {
                    return Err(Stop::broken("its elements are nested too deep"));
                }
                if text.is_none() && rules.text.contains(&name) {
                    text = Some(depth);
                }
                if hidden.is_none() && rules.hidden.contains(&name) {
                    hidden = Some(depth);
                }
                if rules.is_sheet && name == "c" {
                    is_shared = matches!(attribute(&element, "t").as_deref(), Some("s" | "b" | "e"));
                }
                alone(&rules, &element, out)?;
            }
            Event::Empty(element) => {
                alone(&rules, &element, out)?;
                if rules.spaces.contains(&element.local_name().into_inner()) {
                    out.space()?;
                }
            }
            Event::End(element) => {
                let name = element.local_name().into_inner();
                if text == Some(depth) {
                    text = None;
                }
                if hidden == Some(depth) {
                    hidden = None;
                }
                depth = depth.saturating_sub(1);
                if rules.lines.contains(&name) {
                    out.line()?;
                } else if rules.spaces.contains(&name) {
                    out.space()?;
                }
            }
            Event::Eof => return Ok(()),
            _ if text.is_none() || hidden.is_some() || is_shared => {}
            Event::Text(said) => out.push(&said.xml10_content())?,
            Event::CData(said) => out.push(&said.xml10_content())?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(char)) => out.push(char.encode_utf8(&mut [0; 4]))?,
                _ => out.push(resolve_predefined_entity(&reference).unwrap_or_default())?,
            },
            _ => {}
        }
    }
}

/// What an element says by itself.
fn alone(rules: &Rules, element: &BytesStart, out: &mut Output) -> Result<(), Stop> {
    match element.local_name().into_inner() {
        "sheet" if rules.is_book => {
            out.push(&attribute(element, "name").unwrap_or_default())?;
            out.line()
        }
        "noBreakHyphen" => out.push("-"),
        _ => Ok(()),
    }
}

fn attribute(element: &BytesStart, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    // It would compare each with all before it.
    let attributes = attributes.with_checks(false).flatten().take(ATTRIBUTES);
    let mut found = attributes.filter(|attribute| attribute.key.local_name().into_inner() == name);
    let value = found
        .next()?
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()?;
    Some(value.into_owned())
}
