//! What the bytes of text mean: which charset the label that a message puts on them stands for, however it is spelt,
//! and what is made of text without one, or with a wrong one.
//!
//! Decoding is left to `encoding_rs` (the charsets of the web), `charset` (those of mail beside them) and `oem_cp`
//! (those of DOS). What none of them knows is here or in `iso2022`.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_MAC_CYRILLIC,
    X_USER_DEFINED,
};
use oem_cp::{code_table::DECODING_TABLE_CP_MAP, code_table_type::TableType};

use super::iso2022;

/// Bytes of a label that are read; the longest known one is shorter.
const LABEL: usize = 64;

/// How the bytes of a text become characters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Charset(Kind);

impl Eq for Charset {}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Of the web, or UTF-7.
    Known(charset::Charset),
    /// ISO 2022 in 7 bits, and what a text of 8 bits is that says so.
    Iso2022(&'static Encoding),
    Hz,
    /// A code page of DOS.
    Dos(u16),
    /// Of the Macintosh: the upper half, and the places in it that are another character.
    Mac(&'static str, &'static [(u8, char)]),
}

impl Charset {
    /// The charset that a label stands for; `None` where it says nothing of what bytes beyond ASCII are.
    pub fn named(label: &[u8]) -> Option<Self> {
        let label = cleaned(label);
        let label = label.as_str();
        let bare: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let bare = bare.strip_prefix('x').unwrap_or(&bare);
        if says_nothing(bare) {
            return None;
        }
        let special = special(bare);
        let known = || charset::Charset::for_label_no_replacement(label.as_bytes()).map(Kind::Known);
        let kind = special
            .or_else(known)
            .or_else(|| by_kin(bare))
            .or_else(|| numbered(label))?;
        (kind != web(X_USER_DEFINED)).then_some(Self(kind))
    }

    /// Puts a text behind another one, to be decoded as one: letters may have been cut between them.
    pub fn join(charset: Option<Self>, text: &mut Vec<u8>, next: &[u8]) {
        let is_utf_7 = matches!(charset, Some(Self(Kind::Known(charset))) if charset.name() == "UTF-7");
        // What begins anew there ends what was open.
        let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'/';
        if is_utf_7
            && next.starts_with(b"+")
            && text.iter().rev().take(LABEL).find(|byte| !is_letter(byte)) == Some(&b'+')
        {
            text.push(b'-');
        }
        text.extend_from_slice(next);
    }

    pub fn is_utf_8(self) -> bool {
        self.0 == web(encoding_rs::UTF_8)
    }

    /// Whether each byte is a character, and those of ASCII are themselves.
    pub fn is_single_byte(self) -> bool {
        match self.0 {
            Kind::Known(charset) => {
                Encoding::for_label(charset.name().as_bytes()).is_some_and(Encoding::is_single_byte)
            }
            Kind::Dos(_) | Kind::Mac(..) => true,
            Kind::Iso2022(_) | Kind::Hz => false,
        }
    }

    /// Whether it is UTF-16.
    pub fn is_wide(self) -> bool {
        self.0 == web(UTF_16LE) || self.0 == web(UTF_16BE)
    }

    /// Whether all of a text can be decoded.
    pub fn reads(self, text: &[u8]) -> bool {
        !self.decode(text).1
    }

    /// Decodes a text; says whether anything in it could not be.
    fn decode(self, text: &[u8]) -> (Cow<'_, str>, bool) {
        match self.0 {
            Kind::Known(charset) => {
                let (decoded, _, bad) = with_order(charset, text).decode(text);
                (decoded, bad)
            }
            Kind::Iso2022(encoding) => {
                let plain = !text.contains(&0x1b) && !text.is_ascii();
                let other = plain.then(|| encoding.decode_without_bom_handling(text));
                match other.filter(|(_, bad)| !bad) {
                    Some(decoded) => decoded,
                    None => owned(iso2022::decode(text)),
                }
            }
            Kind::Hz => owned(iso2022::decode_hz(text)),
            Kind::Dos(page) => owned(by_bytes(text, |byte| match DECODING_TABLE_CP_MAP.get(&page)? {
                TableType::Complete(upper) => upper.get(usize::from(byte - 128)).copied(),
                TableType::Incomplete(upper) => upper.get(usize::from(byte - 128)).copied().flatten(),
            })),
            Kind::Mac(upper, others) => owned(by_bytes(text, |byte| {
                let other = others.iter().find(|(place, _)| *place == byte);
                other
                    .map(|(_, other)| *other)
                    .or_else(|| upper.chars().nth(usize::from(byte - 128)))
            })),
        }
    }
}

fn owned((text, bad): (String, bool)) -> (Cow<'static, str>, bool) {
    (Cow::Owned(text), bad)
}

/// Text of one byte a character, of which the upper half is given.
fn by_bytes(text: &[u8], upper: impl Fn(u8) -> Option<char>) -> (String, bool) {
    let mut bad = false;
    let decoded = text.iter().map(|byte| match byte {
        0..=127 => char::from(*byte),
        _ => upper(*byte).unwrap_or_else(|| {
            bad = true;
            char::REPLACEMENT_CHARACTER
        }),
    });
    (decoded.collect(), bad)
}

/// Text with the label `declared`, where it has one; where that says nothing, or is wrong, what else it can be: UTF-8,
/// else `likely`, else windows-1252.
pub fn decoded(text: &[u8], declared: Option<Charset>, likely: Option<Charset>) -> String {
    printable(match declared {
        Some(charset) => labelled(text, charset, likely),
        None => undeclared(text, likely),
    })
}

/// Where a text has orders to terminals beyond ASCII, which mail does not write, what windows-1252 has in their places.
pub fn printable(text: String) -> String {
    let is_order = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    if !text.contains(is_order) {
        return text;
    }
    let meant = |c: char| match u8::try_from(c) {
        Ok(byte) if is_order(c) => WINDOWS_1252
            .decode_without_bom_handling(&[byte])
            .0
            .chars()
            .next()
            .unwrap_or(c),
        _ => c,
    };
    text.chars().map(meant).collect()
}

fn labelled(text: &[u8], charset: Charset, likely: Option<Charset>) -> String {
    match charset.decode(text) {
        (decoded, false) => decoded.into_owned(),
        (decoded, true) => match utf_8(text) {
            Some(text) => text.to_owned(),
            // Text of one byte a character, by a program that says UTF-8 of everything.
            None if charset.0 == web(UTF_8) && !decoded.contains(|c: char| !c.is_ascii() && c != '\u{fffd}') => {
                undeclared(text, likely)
            }
            None => decoded.into_owned(),
        },
    }
}

/// Text without a label, or with one that says nothing.
pub fn undeclared(text: &[u8], likely: Option<Charset>) -> String {
    if text.is_ascii() {
        let escapes = memchr::memmem::find(text, b"\x1b$").is_some();
        let decoded = escapes.then(|| iso2022::decode(text)).filter(|(_, bad)| !bad);
        return decoded.map_or_else(|| String::from_utf8_lossy(text).into_owned(), |(text, _)| text);
    }
    if let Some(text) = utf_8(text) {
        return text.to_owned();
    }
    let likely = likely.map(|charset| charset.decode(text)).filter(|(_, bad)| !bad);
    let (text, _) = likely.unwrap_or_else(|| WINDOWS_1252.decode_without_bom_handling(text));
    text.into_owned()
}

/// Text that is UTF-8, perhaps cut within its last character.
fn utf_8(text: &[u8]) -> Option<&str> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    match std::str::from_utf8(text) {
        Ok(text) => Some(text),
        Err(error) => {
            let whole = std::str::from_utf8(text.get(..error.valid_up_to())?).ok()?;
            // In other charsets a letter beyond ASCII can be the last byte, but hardly be behind such characters.
            (error.error_len().is_none() && !whole.is_ascii()).then_some(whole)
        }
    }
}

/// UTF-16 whose label does not say which byte comes first, and that does not begin with a mark that does: Latin letters
/// show it.
fn with_order(charset: charset::Charset, text: &[u8]) -> charset::Charset {
    let zeros = |odd: usize| {
        text.iter()
            .skip(odd)
            .step_by(2)
            .take(500)
            .filter(|byte| **byte == 0)
            .count()
    };
    match charset.name() == UTF_16LE.name() && zeros(0) > zeros(1) {
        true => charset::Charset::for_encoding(UTF_16BE),
        false => charset,
    }
}

/// A label in lower case, without what is put around and behind it: quotes, `charset=`, a language (RFC 2231, 5).
fn cleaned(label: &[u8]) -> String {
    let label = &label[..label.len().min(LABEL)];
    let label: String = label.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let around = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>()[]{}=".contains(c);
    let label = label.trim_matches(around);
    let label = label.strip_prefix("charset").unwrap_or(label).trim_matches(around);
    let end = label.find(|c: char| (around(c) && c != ' ') || ";,*?\\/".contains(c));
    label[..end.unwrap_or(label.len())].replace(' ', "-")
}

/// Whether a label is one that programs write who do not know, or who know of ASCII alone.
fn says_nothing(bare: &str) -> bool {
    let beginnings = ["ascii", "usascii", "ansix34", "iso646", "unknown", "default"];
    let whole = [
        "", "us", "646", "ansi", "7bit", "8bit", "binary", "none", "na", "cp20127", "20127",
    ];
    beginnings.iter().any(|beginning| bare.starts_with(beginning)) || whole.contains(&bare)
}

fn web(encoding: &'static Encoding) -> Kind {
    Kind::Known(charset::Charset::for_encoding(encoding))
}

/// The charsets that are not of the web; some of them it knows by name, and refuses.
fn special(bare: &str) -> Option<Kind> {
    let iso_2022 = [
        ("iso2022kr", EUC_KR),
        ("iso2022cn", GB18030),
        ("iso2022", EUC_JP),
        ("csiso2022kr", EUC_KR),
        ("csiso2022", EUC_JP),
    ];
    if let Some((_, encoding)) = iso_2022.iter().find(|(name, _)| bare.starts_with(name)) {
        return Some(Kind::Iso2022(encoding));
    }
    if bare.starts_with("hzgb") || bare == "hz" {
        return Some(Kind::Hz);
    }
    let mac = bare.strip_prefix("mac").or_else(|| bare.strip_prefix("apple"))?;
    let names: [(&str, Kind); 13] = [
        ("cyr", web(X_MAC_CYRILLIC)),
        ("ukr", web(X_MAC_CYRILLIC)),
        ("ce", Kind::Mac(MAC_CE, &[])),
        ("latin2", Kind::Mac(MAC_CE, &[])),
        ("greek", Kind::Mac(MAC_GREEK, &[])),
        ("turk", Kind::Mac(MAC_ROMAN, &MAC_TURKISH)),
        ("croat", Kind::Mac(MAC_ROMAN, &MAC_CROATIAN)),
        ("romania", Kind::Mac(MAC_ROMAN, &MAC_ROMANIAN)),
        ("ice", Kind::Mac(MAC_ROMAN, &MAC_ICELANDIC)),
        ("japan", web(SHIFT_JIS)),
        ("korea", web(EUC_KR)),
        ("chinesesimp", web(GB18030)),
        ("chinesetrad", web(BIG5)),
    ];
    names
        .into_iter()
        .find(|(name, _)| mac.starts_with(name))
        .map(|(_, kind)| kind)
}

/// Spellings of which there are many.
fn by_kin(bare: &str) -> Option<Kind> {
    let kin: [(&str, &str); 26] = [
        ("utf8", "utf-8"),
        ("unicode11utf8", "utf-8"),
        ("utf7", "utf-7"),
        ("unicode20utf7", "utf-7"),
        ("utf16be", "utf-16be"),
        ("utf16", "utf-16le"),
        ("ucs2", "utf-16le"),
        ("gb", "gb18030"),
        ("euccn", "gb18030"),
        ("cngb", "gb18030"),
        ("eucgb", "gb18030"),
        ("big5", "big5"),
        ("cnbig5", "big5"),
        ("ksc", "euc-kr"),
        ("ksx", "euc-kr"),
        ("euckr", "euc-kr"),
        ("uhc", "euc-kr"),
        ("eucj", "euc-jp"),
        ("ujis", "euc-jp"),
        ("shiftjis", "shift_jis"),
        ("sjis", "shift_jis"),
        ("mskanji", "shift_jis"),
        ("koi8u", "koi8-u"),
        ("koi8", "koi8-r"),
        ("macroman", "macintosh"),
        ("tis620", "windows-874"),
    ];
    let (_, label) = kin.iter().find(|(beginning, _)| bare.starts_with(beginning))?;
    charset::Charset::for_label(label.as_bytes()).map(Kind::Known)
}

/// What is named by a number: a part of ISO 8859 or a code page, in any of the ways in which that is written.
fn numbered(label: &str) -> Option<Kind> {
    let label = label
        .strip_prefix("x-")
        .or(label.strip_prefix("cspc8codepage"))
        .unwrap_or(label);
    let start = label.find(|c: char| c.is_ascii_digit())?;
    let (family, number) = label.split_at(start);
    let family = family.trim_end_matches(['-', '_', '.']);
    let first = |text: &str| {
        let text = text.trim_start_matches(['-', '_', '.']);
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse::<u16>().ok()
    };
    let latin = match family {
        "iso" | "cs-iso" | "csiso" | "is" | "" => number.strip_prefix("8859").and_then(first),
        "latin" | "iso-latin" | "l" => first(number).map(|number| match number {
            5 => 9,
            6 => 10,
            7..=8 => number + 6,
            0 | 9 => 15,
            10 => 16,
            number => number,
        }),
        _ => None,
    };
    if let Some(part) = latin {
        return charset::Charset::for_label(format!("iso-8859-{part}").as_bytes()).map(Kind::Known);
    }
    let families = [
        "",
        "cp",
        "windows",
        "win",
        "ms",
        "ibm",
        "dos",
        "oem",
        "ansi",
        "pc",
        "cspc",
        "cspcp",
        "ccsid",
        "csibm",
        "cswindows",
        "codepage",
        "code-page",
    ];
    families
        .contains(&family)
        .then(|| first(number).and_then(code_page))
        .flatten()
}

/// A code page of Windows, DOS or IBM.
fn code_page(number: u16) -> Option<Kind> {
    let encoding = match number {
        932 | 942 | 943 => SHIFT_JIS,
        936 | 1381 | 1383 | 1386 | 51936 | 54936 => GB18030,
        949 | 970 | 1363 | 51949 => EUC_KR,
        950 | 951 | 1370 | 1375 => BIG5,
        20932 | 33722 | 51932 => EUC_JP,
        819 => WINDOWS_1252,
        1200 => UTF_16LE,
        1201 => UTF_16BE,
        50220..=50222 => return Some(Kind::Iso2022(EUC_JP)),
        50225 => return Some(Kind::Iso2022(EUC_KR)),
        50227 | 50229 => return Some(Kind::Iso2022(GB18030)),
        52936 => return Some(Kind::Hz),
        10006 => return special("macgreek"),
        10010 => return special("macromania"),
        10029 => return special("macce"),
        10079 => return special("maciceland"),
        10081 => return special("macturkish"),
        10082 => return special("maccroatian"),
        _ => {
            let label = match number {
                874 | 1250..=1258 => format!("windows-{number}"),
                28591..=28606 => format!("iso-8859-{}", number - 28590),
                10000 => "macintosh".into(),
                10007 | 10017 => "x-mac-cyrillic".into(),
                20866 => "koi8-r".into(),
                21866 => "koi8-u".into(),
                65000 => "utf-7".into(),
                65001 => "utf-8".into(),
                _ => return DECODING_TABLE_CP_MAP.contains_key(&number).then_some(Kind::Dos(number)),
            };
            return charset::Charset::for_label(label.as_bytes()).map(Kind::Known);
        }
    };
    Some(web(encoding))
}

// The upper halves of charsets of the Macintosh, as Apple gave them to the Unicode Consortium (VENDORS/APPLE).
const MAC_ROMAN: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
const MAC_CE: &str = "ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅņŃ¬√ńŇ∆«»…\u{a0}ňŐÕőŌ–—“”‘’÷◊ōŔŕŘ‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ";
const MAC_GREEK: &str = "Ä¹²É³ÖÜ΅àâä΄¨çéèêë£™îï•½‰ôö¦€ùûü†ΓΔΘΛΞΠß®©ΣΪ§≠°·Α±≤≥¥ΒΕΖΗΙΚΜΦΫΨΩάΝ¬ΟΡ≈Τ«»…\u{a0}ΥΧΆΈœ–―“”‘’÷ΉΊΌΎέήίόΏύαβψδεφγηιξκλμνοπώρστθωςχυζϊϋΐΰ\u{ad}";
const MAC_TURKISH: [(u8, char); 7] = [
    (0xda, 'Ğ'),
    (0xdb, 'ğ'),
    (0xdc, 'İ'),
    (0xdd, 'ı'),
    (0xde, 'Ş'),
    (0xdf, 'ş'),
    (0xf5, '\u{f8a0}'),
];
const MAC_ROMANIAN: [(u8, char); 6] = [
    (0xae, 'Ă'),
    (0xaf, 'Ș'),
    (0xbe, 'ă'),
    (0xbf, 'ș'),
    (0xde, 'Ț'),
    (0xdf, 'ț'),
];
const MAC_ICELANDIC: [(u8, char); 6] = [
    (0xa0, 'Ý'),
    (0xdc, 'Ð'),
    (0xdd, 'ð'),
    (0xde, 'Þ'),
    (0xdf, 'þ'),
    (0xe0, 'ý'),
];
const MAC_CROATIAN: [(u8, char); 20] = [
    (0xa9, 'Š'),
    (0xae, 'Ž'),
    (0xb4, '∆'),
    (0xb9, 'š'),
    (0xbe, 'ž'),
    (0xc6, 'Ć'),
    (0xc8, 'Č'),
    (0xd0, 'Đ'),
    (0xd8, '\u{f8ff}'),
    (0xd9, '©'),
    (0xde, 'Æ'),
    (0xdf, '»'),
    (0xe0, '–'),
    (0xe6, 'ć'),
    (0xe8, 'č'),
    (0xf0, 'đ'),
    (0xf9, 'π'),
    (0xfa, 'Ë'),
    (0xfd, 'Ê'),
    (0xfe, 'æ'),
];

#[cfg(test)]
#[path = "charset_tests.rs"]
mod tests;
