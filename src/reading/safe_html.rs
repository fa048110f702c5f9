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
#[path = "safe_html_tests.rs"]
mod tests;
