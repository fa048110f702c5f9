//! The text of a page: what a person reads of it, and where its links lead.
//!
//! A page is cut into tags and text by html5gum, which does as browsers do (WHATWG) and makes no tree; so it takes time
//! and memory in proportion to the page, whatever the page does.

use std::{borrow::Cow, collections::HashSet, convert::Infallible};

use html5gum::{
    Emitter, ForwardingEmitter, Span, State, Tokenizer,
    emitters::callback::{Callback, CallbackEmitter, CallbackEvent},
};

/// Bytes of a link at most; of a longer one, the rest is left out.
const LINK: usize = 1000;

/// The text of `page`: a block a line, white space as one space, and behind all of it each link once. Linear.
pub fn text(page: &str) -> String {
    let mut reading = Reading {
        emitter: CallbackEmitter::new(Writer {
            text: String::with_capacity(page.len() / 4),
            ..Writer::default()
        }),
    };
    let Ok(()) = Tokenizer::new_with_emitter(page, &mut reading).finish();
    let writer = std::mem::take(reading.emitter.callback_mut());
    writer.end()
}

/// Tells the tokenizer how to go on behind a tag.
struct Reading {
    emitter: CallbackEmitter<Writer>,
}

impl ForwardingEmitter for &mut Reading {
    type Token = Infallible;

    fn inner(&mut self) -> &mut impl Emitter<Token = Infallible> {
        &mut self.emitter
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        // What it would go on with is what it was told once for all, which is nothing.
        let _ = self.emitter.emit_current_tag();
        self.emitter.callback_mut().behind_tag.take()
    }
}

/// What becomes of the value of the attribute whose name was just read.
#[derive(Clone, Copy, Default, PartialEq)]
enum Use {
    #[default]
    None,
    Text,
    Link,
}

#[derive(Default)]
struct Writer {
    text: String,
    links: Vec<String>,
    /// The tag that is open has links.
    leads: bool,
    attribute: Use,
    /// What the tag that is open holds is no text: not to be read as tags, or not at all.
    raw: Option<(State, bool)>,
    behind_tag: Option<State>,
    is_hidden: bool,
    /// White space was met that is written before the next letter.
    has_space: bool,
}

impl Callback<Infallible, ()> for Writer {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        match event {
            CallbackEvent::String { value } if !self.is_hidden => self.write(&String::from_utf8_lossy(value)),
            CallbackEvent::OpenStartTag { name } => self.open(name),
            CallbackEvent::AttributeName { name } => {
                self.attribute = match name {
                    b"alt" => Use::Text,
                    b"href" if self.leads => Use::Link,
                    _ => Use::None,
                }
            }
            CallbackEvent::AttributeValue { value } if !self.is_hidden => match self.attribute {
                Use::None => {}
                Use::Text => {
                    self.has_space = true;
                    self.write(&String::from_utf8_lossy(value));
                    self.has_space = true;
                }
                Use::Link => self.links.extend(link(&String::from_utf8_lossy(value))),
            },
            CallbackEvent::CloseStartTag { .. } => {
                self.attribute = Use::None;
                if let Some((state, is_hidden)) = self.raw.take() {
                    self.behind_tag = Some(state);
                    self.is_hidden = is_hidden;
                }
            }
            CallbackEvent::EndTag { name } => {
                self.is_hidden = false;
                self.attribute = Use::None;
                self.separate(name);
            }
            _ => {}
        }
        None
    }
}

impl Writer {
    fn open(&mut self, name: &[u8]) {
        self.leads = matches!(name, b"a" | b"area");
        self.attribute = Use::None;
        self.raw = match name {
            b"script" => Some((State::ScriptData, true)),
            b"style" | b"iframe" | b"noembed" | b"noframes" => Some((State::RawText, true)),
            b"title" | b"textarea" => Some((State::RcData, false)),
            b"xmp" => Some((State::RawText, false)),
            b"plaintext" => Some((State::PlainText, false)),
            _ => None,
        };
        self.separate(name);
    }

    /// Separates what stands before a tag from what stands behind it, where it does that.
    fn separate(&mut self, name: &[u8]) {
        match name {
            b"a" | b"abbr" | b"acronym" | b"b" | b"bdo" | b"big" | b"cite" | b"code" | b"del" | b"dfn" | b"em"
            | b"font" | b"i" | b"ins" | b"kbd" | b"mark" | b"nobr" | b"q" | b"s" | b"samp" | b"small" | b"span"
            | b"strike" | b"strong" | b"sub" | b"sup" | b"tt" | b"u" | b"var" | b"wbr" => {}
            b"br" | b"hr" | b"p" | b"div" | b"tr" | b"table" | b"tbody" | b"thead" | b"tfoot" | b"caption" | b"ul"
            | b"ol" | b"li" | b"dl" | b"dt" | b"dd" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"pre"
            | b"body" | b"head" | b"html" | b"title" | b"blockquote" | b"address" | b"article" | b"aside"
            | b"center" | b"details" | b"summary" | b"dialog" | b"dir" | b"fieldset" | b"legend" | b"figure"
            | b"figcaption" | b"footer" | b"form" | b"header" | b"hgroup" | b"main" | b"menu" | b"nav" | b"section"
            | b"select" | b"textarea" | b"xmp" | b"listing" | b"plaintext" => self.begin_line(),
            // Of what is not known it is not known that it goes on.
            _ => self.has_space = true,
        }
    }

    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.has_space = false;
    }

    fn write(&mut self, text: &str) {
        let mut words = text.split(char::is_whitespace);
        // What stands before the first white space goes on with what is there.
        let first = words.next().unwrap_or_default();
        self.push(first);
        for word in words {
            self.has_space = true;
            self.push(word);
        }
    }

    fn push(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.has_space && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push(' ');
        }
        self.has_space = false;
        self.text.push_str(word);
    }

    fn end(mut self) -> String {
        let mut seen = HashSet::new();
        let links = std::mem::take(&mut self.links);
        for link in links.iter().filter(|link| seen.insert(link.as_str())) {
            self.begin_line();
            self.text.push_str(link);
        }
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

/// Where a link leads; `None` for places in the page itself, programs, and files within it.
fn link(value: &str) -> Option<String> {
    let value = value.trim();
    let (scheme, rest) = value.split_once(':')?;
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    let link = match () {
        () if is(&["http", "https", "ftp"]) => value,
        () if is(&["mailto", "tel"]) => rest,
        () => return None,
    };
    let link: Cow<str> = match link.char_indices().find(|(at, _)| *at >= LINK) {
        Some((end, _)) => link[..end].into(),
        None => link.into(),
    };
    // It is one line of the text.
    let link: String = link.chars().filter(|char| !char.is_control()).collect();
    (!link.is_empty()).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_somebody_reads() {
        for (page, expected) in [
            ("<b>T</b>o<br>a &amp; b&nbsp;&eacute;&#146;", "To\na & b é’"),
            ("<p>a</p>\n\n<p> b\n c<div>d", "a\nb c\nd"),
            ("<table><tr><td>a<td>b<tr><td>c</table>d", "a b\nc\nd"),
            ("a<!-- x <p> -->b<![if !mso]>c<![endif]>", "abc"),
            ("<style>x</style>a<SCRIPT>y<p>'</p>'</script >b<style>z", "a b"),
            ("<title>a &lt;b</title><noscript>c <b>d</b></noscript>", "a <b\nc d"),
            ("<textarea>a <b>c</textarea><xmp><i></xmp>", "a <b>c\n<i>"),
            ("a<img src=x.png alt='b c'>d<img alt=>e", "a b c d e"),
            (
                "<a href=' https://example.com/a?b=1&amp;c=2 '>x</a> y",
                "x y\nhttps://example.com/a?b=1&c=2",
            ),
            (
                "<a href=mailto:ada@example.com>a</a><a href=MAILTO:ada@example.com>b</a><a href=#top>c</a><a href='javascript:x'>d",
                "abcd\nada@example.com",
            ),
            (
                "<link href=https://example.com/x.css>a<base href=https://example.com>",
                "a",
            ),
            ("1 < 2 and a<b and <", "1 < 2 and a"),
            ("a&b&unknown;c&#xfffffff;", "a&b&unknown;c\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(text(page), expected, "{page}");
        }
    }

    #[test]
    fn no_page_takes_long() {
        for piece in [
            "<",
            "&",
            "<a ",
            "<a b",
            "<!--",
            "<p>",
            "</",
            "<script>",
            "&#",
            "<a href='https://a.example'",
            "</a b=c>",
            "\0",
            "<![CDATA[",
            "<title></",
            "&ampamp",
            "<!doctype ",
            "<b a=1 b=2",
            "<textarea><",
            "<a href=https://b.example>",
        ] {
            let page = piece.repeat(2_000_000 / piece.len());
            let begun = std::time::Instant::now();
            let text = text(&page);
            assert!(text.len() <= page.len() * 2, "{piece}");
            assert!(begun.elapsed().as_secs() < 20, "{piece}: {:?}", begun.elapsed());
        }
    }
}
