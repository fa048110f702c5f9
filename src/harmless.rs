//! What mail, servers and certificates say, as it may be shown: it must not steer a terminal, nor hide in what it says
//! or turn it around, so that one address or file passes for another.

use std::borrow::Cow;

/// What is shown in place of what is not.
const REPLACEMENT: &str = "\u{fffd}";

/// Whether a character is an order to a terminal, breaks a line, turns the writing around, or shows nothing. Tabs are
/// left.
pub fn steers(c: char) -> bool {
    (c.is_control() && c != '\t') || is_unseen(c)
}

/// Whether a character shows nothing of its own: those of Unicode 16 that are Default_Ignorable_Code_Point, those of
/// the category Format that no writing shows, Bidi_Control among them, blank letters, and separators of lines.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        // Soft hyphen, combining grapheme joiner, Arabic letter mark, Syriac abbreviation mark.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{70f}'
        // Fillers and vowels of Hangul and Khmer that show nothing, Mongolian selectors, the blank of Braille.
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        // Zero width, marks of direction, separators of lines, embeddings, invisible operators, isolates.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Variation selectors, byte order mark, interlinear annotations.
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        // Controls of hieroglyphs, shorthand and music.
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tags, and more variation selectors.
        | '\u{e0000}'..='\u{e0fff}')
}

/// `line` as it may reach a terminal.
pub fn harmless(line: &str) -> Cow<'_, str> {
    match line.contains(steers) {
        true => Cow::Owned(line.replace(steers, REPLACEMENT)),
        false => Cow::Borrowed(line),
    }
}

/// Foreign text as part of a line that more is put into: what steers a terminal is a space, and what shows nothing is
/// shown.
pub fn one_line(text: &str) -> String {
    let shown = |c: char| match c {
        c if c.is_control() => ' ',
        '\u{2028}' | '\u{2029}' => ' ',
        c if is_unseen(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

/// The most characters of a server's words that an error repeats.
const MAX_WORDS: usize = 400;

/// A server's words as an error may repeat them: in one line, and not endless.
pub fn plain(words: &str) -> String {
    let clean: String = one_line(words).chars().take(MAX_WORDS).collect();
    match clean.trim() {
        "" => "(no words)".to_owned(),
        clean => clean.to_owned(),
    }
}

/// A server's words as an error may repeat them, without secrets that they repeat.
pub fn without_secrets(words: &str, secrets: &[&str]) -> String {
    let hidden = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(words.to_owned(), |words, secret| words.replace(secret, "***"));
    plain(&hidden)
}

/// JSON that says the same. All that serde leaves as it is stands within strings there.
pub fn harmless_json(json: String) -> String {
    match json.contains(steers) {
        true => escaped(&json, steers),
        false => json,
    }
}

/// JSON with such characters, which stand within strings, escaped.
pub fn escaped(json: &str, is_such: fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match is_such(c) {
            true => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| escaped += &format!("\\u{unit:04x}")),
            false => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_harmless() {
        assert_eq!(harmless("a\tb ä € 日本 नमस्ते 👍"), "a\tb ä € 日本 नमस्ते 👍");
        assert_eq!(
            harmless("\x1b[2J\u{9b}1m\r\n\u{7f}\u{202e}x\u{2066}"),
            "\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}\u{fffd}\u{fffd}x\u{fffd}"
        );
    }

    #[test]
    fn what_shows_nothing_is_shown() {
        for unseen in [
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{61c}',
            '\u{2028}',
            '\u{2060}',
            '\u{2067}',
            '\u{feff}',
            '\u{ad}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{180e}',
            '\u{fffb}',
        ] {
            let (line, shown) = (format!("ja{unseen}ne"), "ja\u{fffd}ne");
            assert_eq!(harmless(&line), shown, "{unseen:?}");
            let safe = one_line(&line);
            assert!(safe == shown || safe == "ja ne", "{unseen:?}: {safe}");
        }
        assert_eq!(one_line("a\r\nb\u{1b}[1m"), "a  b [1m");
    }

    #[test]
    fn a_servers_words_are_made_harmless() {
        assert_eq!(plain("a\x1b[31m\r\nb"), "a [31m  b");
        assert_eq!(plain(&"x".repeat(5000)).len(), MAX_WORDS);
        assert_eq!(plain(" "), "(no words)");
        assert_eq!(without_secrets("bad: PASS hunter2", &["hunter2", ""]), "bad: PASS ***");
    }

    #[test]
    fn json_says_the_same_without_steering() {
        let text = "\x1b[2J\u{9b}1m\r\n\t\u{7f}\u{202e}x\u{2069}\"\\ ä\u{200b}\u{e0041}";
        let json = harmless_json(serde_json::to_string(text).unwrap());
        assert!(!json.contains(steers), "{json:?}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
