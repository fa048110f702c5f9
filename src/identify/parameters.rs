//! The parameters of a field (RFC 2045, 5.1; RFC 2231), read generously.

use super::{
    charset::{Charset, decoded},
    words::{said, unescaped},
};

/// Bytes of a value that are read, and parameters of it.
const LONGEST: usize = 4 << 10;
const MOST: usize = 100;

/// A Content-Type or a Content-Disposition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// In lower case: `text/plain`, `attachment`.
    pub kind: String,
    pub name: Option<String>,
    pub charset: Option<Charset>,
}

/// A parameter, or a section of one.
struct Parameter {
    /// In lower case, without what RFC 2231 puts behind it.
    name: String,
    /// Which section it is.
    section: Option<u32>,
    /// `%XX` in it are bytes.
    is_escaped: bool,
    /// Without its quotes.
    value: Vec<u8>,
}

impl Content {
    /// Reads a value; `None` where there is nothing to be read. What is beyond ASCII in it without a label is of the
    /// charset that it names, or else of `likely`, where it is no UTF-8.
    pub fn read(value: &[u8], likely: Option<Charset>) -> Option<Self> {
        let mut rest = Rest(value[..value.len().min(LONGEST)].trim_ascii());
        // Some leave out the semicolon.
        let kind = rest.until(b"; \t\r\n").to_ascii_lowercase();
        let kind = String::from_utf8_lossy(&kind).into_owned();
        let parameters = rest.parameters();
        if kind.is_empty() && parameters.is_empty() {
            return None;
        }
        let charset = text_of(&parameters, "charset", None).and_then(|label| Charset::named(label.as_bytes()));
        let likely = charset.or(likely);
        let name = ["filename", "name"]
            .iter()
            .find_map(|name| text_of(&parameters, name, likely));
        Some(Self { kind, name, charset })
    }
}

/// The parameter of this name: the sections of it in their order, else the first one that is whole.
fn text_of(parameters: &[Parameter], name: &str, likely: Option<Charset>) -> Option<String> {
    let mut sections: Vec<_> = parameters
        .iter()
        .filter(|one| one.name == name && (one.section.is_some() || one.is_escaped))
        .collect();
    sections.sort_by_key(|one| one.section);
    let Some(first) = sections.first() else {
        let whole = parameters.iter().find(|one| one.name == name)?;
        return Some(said(&whole.value, likely)).filter(|text| !text.is_empty());
    };
    // The first one says the charset, and in which language it is.
    let mut parts = first.value.splitn(3, |byte| *byte == b'\'');
    let (label, text) = match (first.is_escaped, parts.next(), parts.next(), parts.next()) {
        (true, Some(label), Some(_), Some(text)) => (Some(label), text),
        _ => (None, first.value.as_slice()),
    };
    let mut bytes = Vec::new();
    let values = std::iter::once(text).chain(sections[1..].iter().map(|one| one.value.as_slice()));
    // A whole one and the sections of one may both be given.
    let are_sections = first.section.is_some();
    for (value, section) in values.zip(&sections).take(if are_sections { usize::MAX } else { 1 }) {
        match section.is_escaped {
            true => unescaped(value, b'%', &mut bytes),
            false => bytes.extend_from_slice(value),
        }
    }
    let text = match label {
        Some(label) => decoded(&bytes, Charset::named(label), likely),
        None => said(&bytes, likely),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// What stands before the first of these bytes, without quotes and what is blank outside of them; that byte is
    /// passed over.
    fn until(&mut self, ends: &[u8]) -> Vec<u8> {
        // Up to the first byte that ends it, or means something else than itself: nearly always all of it.
        let stands_out = |byte: &u8| ends.contains(byte) || matches!(byte, b'"' | b'\\' | b'\r' | b'\n');
        let at = self.0.iter().position(stands_out).unwrap_or(self.0.len());
        let (plain, behind) = self.0.split_at(at);
        if behind.first().is_none_or(|byte| ends.contains(byte)) {
            self.0 = behind.get(1..).unwrap_or_default();
            let begin = plain.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
            return plain[begin.unwrap_or(plain.len())..].trim_ascii_end().to_vec();
        }
        self.until_by_byte(ends)
    }

    fn until_by_byte(&mut self, ends: &[u8]) -> Vec<u8> {
        let (mut text, mut is_quoted, mut quoted) = (Vec::new(), false, 0);
        while let [first, others @ ..] = self.0 {
            self.0 = others;
            match (first, others) {
                // Not of what nobody escaped: a file of Windows with its folders.
                (b'\\', [next @ (b'"' | b'\\'), others @ ..]) if is_quoted => {
                    text.push(*next);
                    self.0 = others;
                }
                (b'"', _) => {
                    is_quoted = !is_quoted;
                    quoted = text.len();
                }
                (byte, _) if !is_quoted && ends.contains(byte) => break,
                (b'\r' | b'\n', _) => {}
                (b' ' | b'\t', _) if text.is_empty() && !is_quoted => {}
                (byte, _) => text.push(*byte),
            }
        }
        let end = text.trim_ascii_end().len().max(quoted);
        text.truncate(end);
        text
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        while !self.0.is_empty() && parameters.len() < MOST {
            let before = self.0;
            let name = self.until(b"=;");
            if !before[..before.len() - self.0.len()].ends_with(b"=") {
                continue;
            }
            let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
            let mut pieces = name.split('*').map(str::trim);
            let base = pieces.next().unwrap_or_default().rsplit(char::is_whitespace).next();
            parameters.push(Parameter {
                name: base.unwrap_or_default().to_owned(),
                section: pieces.next().and_then(|section| section.parse().ok()),
                is_escaped: name.trim_end().ends_with('*'),
                value: self.until(b";"),
            });
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The short way gives what the long one gives, and goes as far.
        #[test]
        fn what_is_plain_is_read_as_anything_else(text in "[ab; =\t\r\n\"\\\\\u{c}]{0,12}", kind in proptest::prelude::any::<bool>()) {
            let ends: &[u8] = if kind { b"; \t\r\n" } else { b"=;" };
            let (mut short, mut long) = (Rest(text.as_bytes()), Rest(text.as_bytes()));
            proptest::prop_assert_eq!(short.until(ends), long.until_by_byte(ends));
            proptest::prop_assert_eq!(short.0, long.0);
        }
    }

    fn name(value: &[u8]) -> String {
        Content::read(value, None).unwrap().name.unwrap_or_default()
    }

    #[test]
    fn a_kind_and_what_belongs_to_it_are_read_however_they_are_written() {
        for value in [
            "text/html; charset=latin1; name=x",
            " Text/HTML;\r\n\tcharset=\"iso-8859-1\";name=\"x\"\r\n",
            "text/html charset=iso8859_1; name=x;",
            "text/html; foo; ; (a comment) charset = 'ISO-8859-1' ; name= x",
            "text/html; CHARSET*=us-ascii'en'latin1; name*=''x",
        ] {
            let content = Content::read(value.as_bytes(), None).unwrap();
            assert_eq!(
                (content.kind.as_str(), content.name.as_deref()),
                ("text/html", Some("x")),
                "{value}"
            );
            assert_eq!(content.charset, Charset::named(b"latin1"), "{value}");
        }
        assert_eq!(Content::read(b" \r\n", None), None);
    }

    #[test]
    fn names_of_files_were_not_read_in_the_charset_that_they_name() {
        for (value, text) in [
            (&b"x; filename=\"a b.pdf\""[..], "a b.pdf"),
            (b"x; filename=report (1).pdf", "report (1).pdf"),
            (b"x; filename=\"C:\\temp\\a.txt\"", "C:\\temp\\a.txt"),
            (b"x; filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"),
            (b"x; filename*=cp949''%BE%C8%B3%E7.txt", "안녕.txt"),
            (b"x; filename*=iso-2022-kr'ko'%1B$)C%0E>H3g%0F.txt", "안녕.txt"),
            // The character is cut between the sections, which stand in another order.
            (
                b"x; filename*1*=%AA.txt; filename*0*=utf-8'ja'%E6%97%A5%E6%9C%AC%E8%AA%9E%E6%9C",
                "日本語\u{672a}.txt",
            ),
            (
                b"x; filename*0=\"one \"; filename*1=two; filename*2*=%20three",
                "one two three",
            ),
            (b"x; filename=\"=?ks_c_5601-1987?B?vsiz5w==?=.txt\"", "안녕.txt"),
            (b"x; filename==?cp437?Q?Gr=81=E1e?=", "Grüße"),
            (
                b"x; filename=plain.txt; filename*=utf-8''gr%c3%bc%c3%9fe.txt",
                "grüße.txt",
            ),
            (b"x; filename*=utf-8''a.txt; filename*0=b", "a.txt"),
            (b"text/plain; charset=euc-kr; name=\"\xbe\xc8\xb3\xe7\"", "안녕"),
            (b"x; name=\"Gr\xfc\xdfe\"", "Grüße"),
            (b"x; filename*=''Gr%C3%BC%C3%9Fe", "Grüße"),
            (b"x; filename*=no%20label", "no label"),
        ] {
            assert_eq!(name(value), text, "{}", String::from_utf8_lossy(value));
        }
    }
}
