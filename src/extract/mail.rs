//! A message, parted into its body and its attachments. Parts are those that are shown of it
//! ([`Layout`]): their number and depth are bounded.

use std::{
    borrow::Cow,
    collections::HashSet,
    hash::{BuildHasher, Hasher, RandomState},
};

use super::html;
use crate::identify::{Charset, Header, Layout, Part};

/// Bytes of a message's body that are read, each of its texts and all of them.
pub const BODY: usize = 4 << 20;

/// A message that is read for its words.
pub struct Mail<'m> {
    message: &'m [u8],
    layout: Layout,
}

/// A part that is no text of the message itself.
#[derive(Clone, Copy)]
pub struct Attachment<'a> {
    message: &'a [u8],
    part: &'a Part,
}

/// The text of a message's body: see [`Mail::body`].
pub fn body(message: &[u8]) -> String {
    Mail::read(message).body()
}

impl<'m> Mail<'m> {
    /// Reads a message. Linear in its length; never fails.
    pub fn read(message: &'m [u8]) -> Self {
        Self {
            message,
            layout: Layout::read(message),
        }
    }

    /// The same where its header is read already.
    pub fn with(message: &'m [u8], header: &Header) -> Self {
        Self {
            message,
            layout: Layout::with(message, header),
        }
    }

    /// What charset a header that names none is likely in.
    pub fn charset(&self) -> Option<Charset> {
        self.layout.charset()
    }

    /// The text of the body: see [`Self::stretches`].
    pub fn body(&self) -> String {
        self.stretches().join("\n")
    }

    /// The text of the body: all plain texts, and behind them those lines of its pages that say something in other words.
    /// Words of two stretches are not in a row in the message.
    pub fn stretches(&self) -> Vec<String> {
        let mut stretches = Vec::new();
        let mut left = BODY;
        for is_html in [false, true] {
            for part in self.texts().filter(|part| part.is_html() == is_html) {
                let text = part.text(self.message, BODY);
                let more = match is_html {
                    false => vec![text],
                    true => new_stretches(&stretches, html::text(&text)),
                };
                for mut stretch in more.into_iter().filter(|stretch| !stretch.is_empty()) {
                    stretch.truncate(stretch.floor_char_boundary(left));
                    left -= stretch.len();
                    stretches.push(stretch);
                    if left < char::MAX.len_utf8() {
                        return stretches;
                    }
                }
            }
        }
        stretches
    }

    /// Whether it is one for somebody who looks for messages with attachments. Lists count the same parts.
    pub fn has_files(&self) -> bool {
        self.layout.parts.iter().any(Part::is_file)
    }

    /// The parts that are no body, in their order; an enclosed message is one.
    pub fn attachments(&self) -> impl Iterator<Item = Attachment<'_>> {
        let parts = self.layout.parts.iter().enumerate();
        parts
            .filter(|(place, part)| !is_body(*place, part))
            .map(|(_, part)| Attachment {
                message: self.message,
                part,
            })
    }

    fn texts(&self) -> impl Iterator<Item = &Part> {
        let parts = self.layout.parts.iter().enumerate();
        parts
            .filter(|(place, part)| is_body(*place, part))
            .map(|(_, part)| part)
    }
}

/// Whether a part is text of the message itself: not put aside, and no file unless the message begins with it.
fn is_body(place: usize, part: &Part) -> bool {
    part.is_text() && !part.is_attachment && (part.name.is_none() || place == 0)
}

impl<'a> Attachment<'a> {
    /// The name of the file.
    pub fn name(&self) -> Option<&'a str> {
        self.part.name.as_deref()
    }

    /// What the message says it is, in lower case: `application/pdf`.
    pub fn content_type(&self) -> &'a str {
        &self.part.kind
    }

    /// The charset that the message names for it.
    pub fn charset(&self) -> Option<Charset> {
        self.part.charset
    }

    /// Without the transfer encoding.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        self.part.bytes(self.message)
    }
}

/// Words in a row that are compared: so many that stand in a page alone are found as a phrase, and of longer phrases all
/// but those that are made of such rows from elsewhere.
const ROW: usize = 4;

/// The stretches of a page in which words stand otherwise than in `texts`: the lines of each row of words that is in none
/// of these.
fn new_stretches(texts: &[String], page: String) -> Vec<String> {
    if texts.is_empty() {
        return vec![page];
    }
    let state = RandomState::new();
    let mut known = HashSet::new();
    for text in texts {
        each_row(words(text).map(|word| hash(&state, word)), |_, row| {
            known.insert(state.hash_one(row));
        });
    }
    let lines: Vec<&str> = page.lines().filter(|line| words(line).next().is_some()).collect();
    let lines_of_words: Vec<usize> = (lines.iter().enumerate())
        .flat_map(|(nth, line)| words(line).map(move |_| nth))
        .collect();
    let all = lines.iter().flat_map(|line| words(line)).map(|word| hash(&state, word));
    // What is too short for a row is as good as new.
    let mut is_new = vec![lines_of_words.len() < ROW; lines.len()];
    each_row(all, |first, row| {
        if known.insert(state.hash_one(row)) {
            is_new[lines_of_words[first]..=lines_of_words[first + ROW - 1]].fill(true);
        }
    });
    let mut stretches: Vec<String> = Vec::new();
    for (nth, line) in lines.iter().enumerate().filter(|(nth, _)| is_new[*nth]) {
        match stretches.last_mut().filter(|_| nth > 0 && is_new[nth - 1]) {
            Some(stretch) => *stretch += &format!("\n{line}"),
            None => stretches.push((*line).to_owned()),
        }
    }
    stretches
}

/// Hands on each row of words, and which word it begins with.
fn each_row(words: impl Iterator<Item = u64>, mut each: impl FnMut(usize, [u64; ROW])) {
    let mut row = [0; ROW];
    for (nth, word) in words.enumerate() {
        row.rotate_left(1);
        row[ROW - 1] = word;
        if let Some(first) = (nth + 1).checked_sub(ROW) {
            each(first, row);
        }
    }
}

/// Runs of letters and digits. What they are compared by need not be what the index takes for words: where it is finer, a
/// line too many is added.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Of a word, whatever the case of its Latin letters.
fn hash(state: &RandomState, word: &str) -> u64 {
    let mut hasher = state.build_hasher();
    let mut lower = [0; 32];
    for bytes in word.as_bytes().chunks(lower.len()) {
        let lower = &mut lower[..bytes.len()];
        lower.copy_from_slice(bytes);
        lower.make_ascii_lowercase();
        hasher.write(lower);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parts: &[&str]) -> String {
        let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
        format!("Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
    }

    #[test]
    fn a_body_is_its_text_and_what_its_page_adds() {
        let alternative = "Content-Type: multipart/alternative; boundary=c\n\n\
            --c\nContent-Type: text/plain; charset=latin1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe from here\n\
            --c\nContent-Type: text/html; charset=utf-8\n\n<p>Grüße <b>FROM</b> here<p>and there <a href=https://example.com/>there</a>\n--c--";
        let footer = "Content-Type: text/plain\n\nlist footer\n";
        let file = "Content-Type: text/plain; name=a.txt\n\nof a file\n";
        let whole = message(&[alternative, footer, file]);
        let mail = Mail::read(whole.as_bytes());
        assert_eq!(
            mail.body(),
            "Grüße from here\nlist footer\n\nGrüße FROM here\nand there there\nhttps://example.com/"
        );
        let files: Vec<_> = mail.attachments().map(|file| file.name()).collect();
        assert_eq!((files, mail.has_files()), (vec![Some("a.txt")], true));
    }

    #[test]
    fn phrases_of_a_page_were_lost_whose_words_were_in_the_text() {
        let text = "the report of the year is here\nand the invoice of ada is there";
        for (page, expected) in [
            (
                "<p>The report of the year is here<p>And the invoice of Ada is there",
                vec![],
            ),
            ("<p>and the report is there", vec!["and the report is there"]),
            // Across lines, too.
            (
                "<p>the invoice of ada<p>the report of the year is here<p>and the invoice of ada is there",
                vec!["the invoice of ada\nthe report of the year is here"],
            ),
            (
                "<p>the report of the year is here<p>and the invoice of ada is there<p>of<p>the<p>year",
                vec!["and the invoice of ada is there\nof\nthe\nyear"],
            ),
            ("<p>ada is", vec!["ada is"]),
        ] {
            let both = message(&[&format!("\n{text}"), &format!("Content-Type: text/html\n\n{page}")]);
            let stretches = Mail::read(both.as_bytes()).stretches();
            assert_eq!(stretches[0], text);
            assert_eq!(stretches[1..], expected, "{page}");
        }
    }

    #[test]
    fn a_text_that_has_a_file_name_was_an_attachment_in_lists_alone() {
        let named = "Content-Type: text/html\nContent-Disposition: inline; filename=a.html\n\n<p>page";
        let mail = Mail::read(named.as_bytes());
        let listed = crate::identify::summary::Listed::of(named.as_bytes()).unwrap();
        assert_eq!(
            (mail.body().as_str(), mail.has_files(), listed.attachments),
            ("page", true, 1)
        );
    }

    #[test]
    fn a_message_that_is_a_file_is_its_body_unless_it_is_put_aside() {
        let inline = "Content-Type: text/html; name=mail.html\n\n<p>page";
        assert_eq!(body(inline.as_bytes()), "page");
        let aside = "Content-Type: text/plain\nContent-Disposition: attachment\n\nfile";
        let mail = Mail::read(aside.as_bytes());
        assert_eq!(mail.body(), "");
        let bytes: Vec<_> = mail.attachments().map(|file| file.bytes().into_owned()).collect();
        assert_eq!(bytes, [b"file"]);
    }

    #[test]
    fn an_enclosed_message_and_a_report_are_attachments() {
        let mail = message(&[
            "\nbody",
            "Content-Type: message/rfc822\n\nSubject: inner\n\nnot body",
            "Content-Type: message/delivery-status\n\nStatus: 5.0.0",
        ]);
        let mail = Mail::read(mail.as_bytes());
        assert_eq!(mail.body(), "body");
        let kinds: Vec<_> = mail.attachments().map(|file| file.content_type()).collect();
        assert_eq!(
            (kinds, mail.has_files()),
            (vec!["message/rfc822", "message/delivery-status"], false)
        );
    }

    #[test]
    fn a_body_without_end_is_cut() {
        let long = format!("Subject: s\n\n{}", "ü ".repeat(BODY));
        assert!((BODY - 2..=BODY).contains(&body(long.as_bytes()).len()));
        let many = message(&["\nwords and words"; 1000]);
        assert!(body(many.as_bytes()).len() < 16 * 500);
    }
}
