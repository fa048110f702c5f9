//! The lines of a page as a person sees them: for a journal report's envelope, in which each line is a value. White
//! space does not begin a new line; otherwise a wrapped page would let a stranger make lines by what they write into a
//! subject.

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 16] = [
    "p",
    "div",
    "tr",
    "table",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "pre",
    "body",
    "blockquote",
];
/// Elements whose text is not seen.
const HIDDEN: [&str; 4] = ["head", "style", "script", "title"];

/// The text of `page`, a line a line of it. Linear in its length.
pub(super) fn lines(page: &str) -> String {
    let mut lines = Writer::default();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        lines.write(&rest[..at]);
        rest = &rest[at..];
        let end = match rest.strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map(|end| end + "<!---->".len()),
            None => rest.find('>').map(|end| end + 1),
        };
        let Some(end) = end else { return lines.text };
        let tag = &rest[1..end - 1];
        rest = &rest[end..];
        let closes = tag.starts_with('/');
        let name = tag.trim_start_matches('/');
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        let is = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        if is(&["br", "hr"]) {
            lines.end();
        } else if is(&["pre"]) {
            lines.keeps_lines = !closes;
            lines.begin();
        } else if is(&BLOCKS) {
            lines.begin();
        } else if is(&["td", "th"]) {
            lines.write(" ");
        } else if is(&HIDDEN) {
            lines.is_hidden = !closes;
        }
    }
    lines.write(rest);
    lines.text
}

#[derive(Default)]
struct Writer {
    text: String,
    is_hidden: bool,
    /// Within `<pre>` a line end is one.
    keeps_lines: bool,
    /// White space was met that is written before the next letter.
    has_space: bool,
}

impl Writer {
    /// Ends the line, be it empty.
    fn end(&mut self) {
        self.text.push('\n');
        self.has_space = false;
    }

    /// Begins a line, where something stands on this one.
    fn begin(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.end();
        }
        self.has_space = false;
    }

    /// Writes what stands between two tags.
    fn write(&mut self, mut text: &str) {
        while !self.is_hidden && !text.is_empty() {
            let at = text.find('&').unwrap_or(text.len());
            text[..at].chars().for_each(|c| self.push(c));
            text = &text[at..];
            if let Some((c, length)) = entity(text) {
                match c.is_whitespace() {
                    true => self.push(' '),
                    false => self.push(c),
                }
                text = &text[length..];
            } else if !text.is_empty() {
                self.push('&');
                text = &text[1..];
            }
        }
    }

    fn push(&mut self, c: char) {
        if c == '\n' && self.keeps_lines {
            self.end();
        } else if c.is_whitespace() {
            self.has_space = true;
        } else {
            if self.has_space && !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push(' ');
            }
            self.has_space = false;
            self.text.push(c);
        }
    }
}

/// The character that an entity at the beginning of `text` stands for, and how long that is.
fn entity(text: &str) -> Option<(char, usize)> {
    /// Bytes of an entity: more is none.
    const LONGEST: usize = 12;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let c = match text.get(1..end)? {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "commat" => '@',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_somebody_sees() {
        for (page, expected) in [
            ("a<br>b<BR/>c", "a\nb\nc"),
            (
                "<html><head><title>x</title><style>p {}</style></head><body>\r\n<p class=x>a</p>\n<div>b</div>c</body>",
                "a\nb\nc\n",
            ),
            ("<pre>a\n b</pre>c\nd", "a\nb\nc d"),
            (
                "<table><tr><td>To:</td><td>a@b.c</td></tr><tr><td>x</td></tr></table>",
                "To: a@b.c\nx\n",
            ),
            (
                "<!-- <br> -->a&lt;b&gt; &amp;lt; &#64;&#x40;&nbsp;&copy;&#10;&",
                "a<b> &lt; @@ &copy; &",
            ),
            ("<b>T</b>o: a&#58;", "To: a:"),
            ("a<br", "a"),
            ("", ""),
        ] {
            assert_eq!(lines(page), expected, "{page}");
        }
    }

    #[test]
    fn a_subject_that_was_wrapped_was_a_line() {
        let page = "Subject: hello\r\nTo: boss@example.com &lt;br&gt;\r\nTo: x<br>\r\nTo: a@example.com";
        assert_eq!(
            lines(page),
            "Subject: hello To: boss@example.com <br> To: x\nTo: a@example.com"
        );
    }
}
