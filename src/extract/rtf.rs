//! The text of RTF (Rich Text Format, version 1.9.1 of its specification): what stands in it but for tables of fonts and
//! colours, styles, pictures and orders. Read in one pass, without calling itself; depth is a counter.

use std::collections::HashMap;

use super::output::{Output, Stop};
use crate::identify::{Charset, text_of};

/// Groups within groups.
const DEEPEST: usize = 10_000;
/// Fonts whose charset is kept.
const FONTS: usize = 4_000;
/// Destinations that are no text of the document.
const NOT_TEXT: [&str; 25] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "pict",
    "object",
    "objdata",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "generator",
    "xmlnstbl",
    "fldinst",
    "info",
    "bkmkstart",
    "bkmkend",
    "pgptbl",
    "mmathPr",
    "filetbl",
    "template",
    "panose",
];

/// What holds within a group.
#[derive(Clone, Copy)]
struct Group {
    /// Its text is none of the document.
    is_hidden: bool,
    /// It is the table of fonts.
    is_fonts: bool,
    /// The charset of its bytes.
    charset: Option<Charset>,
    /// Characters that stand behind one of Unicode for those who do not know it.
    instead: usize,
}

struct Reading<'o> {
    out: &'o mut Output,
    /// Those around the one that is open.
    groups: Vec<Group>,
    open: Group,
    /// The charset of the document, and of its fonts.
    document: Option<Charset>,
    fonts: HashMap<i32, Option<Charset>>,
    /// The font whose charset is said next.
    font: i32,
    /// Bytes that are not decoded yet: a character can be several.
    bytes: Vec<u8>,
    /// The first half of a character of Unicode.
    half: Option<u16>,
    /// Characters that are passed over.
    passed_over: usize,
    /// The next order says what the group is, and may be passed over with it.
    is_ignorable: bool,
}

/// Reads a document. Linear.
pub(super) fn read(document: &[u8], out: &mut Output) -> Result<(), Stop> {
    let windows = Charset::named(b"windows-1252");
    let open = Group {
        is_hidden: false,
        is_fonts: false,
        charset: windows,
        instead: 1,
    };
    let mut reading = Reading {
        out,
        groups: Vec::new(),
        open,
        document: windows,
        fonts: HashMap::new(),
        font: 0,
        bytes: Vec::new(),
        half: None,
        passed_over: 0,
        is_ignorable: false,
    };
    let mut rest = document;
    while let [first, others @ ..] = rest {
        rest = others;
        match first {
            b'{' => reading.begin()?,
            b'}' => {
                reading.end()?;
                // What stands behind the document is none of it.
                if reading.groups.is_empty() {
                    break;
                }
            }
            b'\\' => rest = reading.order(others)?,
            b'\r' | b'\n' | 0 => {}
            byte => reading.byte(*byte),
        }
    }
    reading.flush()
}

impl Reading<'_> {
    fn begin(&mut self) -> Result<(), Stop> {
        self.flush()?;
        if self.groups.len() == DEEPEST {
            return Err(Stop::broken("its groups are nested too deep"));
        }
        self.groups.push(self.open);
        self.passed_over = 0;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        self.flush()?;
        if let Some(around) = self.groups.pop() {
            self.open = around;
        }
        self.passed_over = 0;
        self.is_ignorable = false;
        Ok(())
    }

    fn byte(&mut self, byte: u8) {
        if self.passed_over > 0 {
            self.passed_over -= 1;
        } else if !self.open.is_hidden {
            self.bytes.push(byte);
        }
    }

    /// Writes the bytes that are there as characters.
    fn flush(&mut self) -> Result<(), Stop> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        self.half = None;
        let text = text_of(&self.bytes, self.open.charset, false);
        self.bytes.clear();
        self.out.push(&text)
    }

    /// Carries out the order that stands at the beginning of `rest`, behind its backslash; gives what is behind it.
    fn order<'d>(&mut self, rest: &'d [u8]) -> Result<&'d [u8], Stop> {
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .take(32)
            .count();
        if length == 0 {
            return self.symbol(rest);
        }
        let (word, mut rest) = rest.split_at(length);
        let word = std::str::from_utf8(word).unwrap_or_default();
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .take(10)
            .count();
        let number = (digits > 0).then(|| {
            let (number, behind) = rest.split_at(sign + digits);
            rest = behind;
            std::str::from_utf8(number)
                .ok()
                .and_then(|number| number.parse::<i32>().ok())
                .unwrap_or(0)
        });
        rest = rest.strip_prefix(b" ").unwrap_or(rest);
        self.word(word, number)?;
        if word == "bin" {
            let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(rest)
    }

    fn symbol<'d>(&mut self, rest: &'d [u8]) -> Result<&'d [u8], Stop> {
        let [symbol, behind @ ..] = rest else { return Ok(rest) };
        match symbol {
            b'\'' => {
                let [high, low, behind @ ..] = behind else {
                    return Ok(behind);
                };
                let digit = |digit: &u8| {
                    char::from(*digit)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                    self.byte(high << 4 | low);
                }
                return Ok(behind);
            }
            b'*' => self.is_ignorable = true,
            b'~' => self.byte(b' '),
            b'_' => self.byte(b'-'),
            b'\r' | b'\n' => self.line()?,
            b'\t' => self.byte(b' '),
            b'{' | b'}' | b'\\' => self.byte(*symbol),
            _ => {}
        }
        Ok(behind)
    }

    fn word(&mut self, word: &str, number: Option<i32>) -> Result<(), Stop> {
        let is_ignorable = std::mem::take(&mut self.is_ignorable);
        match word {
            "par" | "line" | "row" | "sect" | "page" => return self.line(),
            "tab" | "cell" | "nestcell" | "emspace" | "enspace" | "qmspace" => self.byte(b' '),
            "u" => return self.unicode(number.unwrap_or(0)),
            "uc" => self.open.instead = usize::try_from(number.unwrap_or(1)).unwrap_or(1),
            "ansicpg" => {
                self.document = self.charset_of(number.unwrap_or(1252)).or(self.document);
                self.open.charset = self.document;
            }
            "mac" => self.open.charset = Charset::named(b"macintosh"),
            "pc" => self.open.charset = Charset::named(b"cp437"),
            "f" => {
                self.flush()?;
                self.font = number.unwrap_or(0);
                if !self.open.is_fonts {
                    let font = self.fonts.get(&self.font).copied().flatten();
                    self.open.charset = font.or(self.document);
                }
            }
            "fcharset" if self.open.is_fonts && self.fonts.len() < FONTS => {
                let charset = of_font(number.unwrap_or(0)).and_then(|page| self.charset_of(page));
                self.fonts.insert(self.font, charset);
            }
            "bullet" => self.character('•')?,
            "emdash" => self.character('—')?,
            "endash" => self.character('–')?,
            "lquote" => self.character('‘')?,
            "rquote" => self.character('’')?,
            "ldblquote" => self.character('“')?,
            "rdblquote" => self.character('”')?,
            "fonttbl" => (self.open.is_hidden, self.open.is_fonts) = (true, true),
            // What Word puts aside for programs that do not know what stands beside it.
            "nonshppict" | "nonesttables" => self.open.is_hidden = true,
            // Text, though it may be passed over.
            "shpinst" | "shptxt" | "shppict" | "background" | "footnote" | "annotation" | "nesttableprops"
                if is_ignorable => {}
            word => self.open.is_hidden |= is_ignorable || NOT_TEXT.contains(&word),
        }
        Ok(())
    }

    fn line(&mut self) -> Result<(), Stop> {
        self.flush()?;
        match self.open.is_hidden {
            true => Ok(()),
            false => self.out.line(),
        }
    }

    fn character(&mut self, char: char) -> Result<(), Stop> {
        self.flush()?;
        match self.open.is_hidden || char.is_control() {
            true => Ok(()),
            false => self.out.push(char.encode_utf8(&mut [0; 4])),
        }
    }

    /// A unit of UTF-16, as a number that may have a sign.
    fn unicode(&mut self, number: i32) -> Result<(), Stop> {
        let unit = number as u16;
        let half = self.half.take().filter(|_| self.bytes.is_empty());
        let char = match (half, unit) {
            (_, 0xd800..=0xdbff) => None,
            (Some(high), 0xdc00..=0xdfff) => char::decode_utf16([high, unit]).next().and_then(Result::ok),
            (_, unit) => char::from_u32(u32::from(unit)),
        };
        if let Some(char) = char {
            self.character(char)?;
        } else {
            self.flush()?;
            self.half = Some(unit);
        }
        self.passed_over = self.open.instead;
        Ok(())
    }

    fn charset_of(&self, page: i32) -> Option<Charset> {
        Charset::named(format!("cp{page}").as_bytes())
    }
}

/// The code page of a font's charset.
fn of_font(charset: i32) -> Option<i32> {
    Some(match charset {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        130 => 1361,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(document: &[u8]) -> String {
        let mut out = Output::new(100_000);
        let ended = read(document, &mut out);
        out.end(ended).0
    }

    #[test]
    fn a_document_is_its_text() {
        for (document, expected) in [
            (
                &br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss\fcharset0 Helvetica;}{\f1\fcharset204 Arial;}}{\colortbl;\red1;}
{\*\generator Riched20;}{\info{\title A Title}}\pard\f0 Gr\'fc\'dfe {\b bo}ld\par next\tab cell\f1 \'cf\'f0\'e8\'e2\'e5\'f2\f0 !\line\{x\}\\}"[..],
                "Grüße bold\nnext cellПривет!\n{x}\\",
            ),
            (br"{\rtf1\u8364?\uc0\u20320\u22909 \uc2\u-10179??\u-8704??x}", "€你好😀x"),
            (br"{\rtf1\ansi\ansicpg932 \'93\'fa\'96\'7b}", "日本"),
            (br"{\rtf1 a{\pict\bin5 }}}{{b}c{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}behind", "aclink"),
            (br"{\rtf1 a\~b\_c\ldblquote d\rdblquote", "a b-c“d”"),
            (br"{\rtf1 \'zz\'", ""),
            (b"{\\rtf1 \\", ""),
            (b"{\\rtf1 a\\u", "a"),
        ] {
            assert_eq!(text(document), expected, "{}", String::from_utf8_lossy(document));
        }
    }

    #[test]
    fn no_document_takes_long_or_deep() {
        for piece in [
            "{",
            "\\b ",
            "{\\f0\\fcharset1 ",
            "\\'e4",
            "\\u1 ",
            "}",
            "\\bin9999999999 ",
            "{\\fonttbl\\f1\\fcharset0",
        ] {
            text(["{\\rtf1 ", &piece.repeat(200_000)].concat().as_bytes());
        }
    }
}
