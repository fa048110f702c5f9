//! Plain text as people read it: what is quoted is folded, and addresses of the web can be followed.

use maud::{Markup, html};

use super::{look::Language, words};

/// Quoted lines behind one another that are folded.
const FOLDED: usize = 4;
/// What ends an address of the web in a text.
const ENDS: [char; 8] = ['<', '>', '"', '\'', ')', ']', '}', '|'];

/// A text, line by line.
pub fn folded(language: Language, text: &str) -> Markup {
    let t = language.texts();
    let lines: Vec<&str> = text.trim_end().trim_start_matches(['\r', '\n']).lines().collect();
    let stretches = lines.chunk_by(|one, other| is_quoted(one) == is_quoted(other));
    html! {
        @for stretch in stretches {
            @if is_quoted(stretch[0]) && stretch.len() >= FOLDED {
                details.quoted {
                    summary { (t.quoted) " (" (words::count(language, stretch.len() as u64, [t.line, t.lines])) ")" }
                    pre dir="auto" { (linked(stretch)) }
                }
            } @else {
                pre dir="auto" { (linked(stretch)) }
            }
        }
    }
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn linked(lines: &[&str]) -> Markup {
    html! {
        @for line in lines {
            @for (piece, is_link) in pieces(line) {
                @if is_link {
                    a href=(piece) target="_blank" rel="noopener noreferrer nofollow" { (piece) }
                } @else { (piece) }
            }
            "\n"
        }
    }
}

/// The pieces of a line, and whether each is an address of the web. Linear in the line.
fn pieces(line: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let (mut from, mut looked) = (0, 0);
    while let Some(found) = line[looked..].find("://").map(|at| at + looked) {
        looked = found + 3;
        let scheme = ["https", "http"]
            .into_iter()
            .find(|scheme| line[from..found].ends_with(scheme));
        let Some(scheme) = scheme else { continue };
        let begin = found - scheme.len();
        let rest = &line[found..];
        let end = rest.find(|c: char| c.is_whitespace() || c.is_control() || ENDS.contains(&c));
        let address = line[begin..found + end.unwrap_or(rest.len())].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        if address.len() > scheme.len() + 3 {
            pieces.push((&line[from..begin], false));
            pieces.push((address, true));
            from = begin + address.len();
            looked = looked.max(from);
        }
    }
    pieces.push((&line[from..], false));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_are_found() {
        for (line, links) in [
            (
                "see https://example.com/a?b=c&d, or http://x.",
                vec!["https://example.com/a?b=c&d", "http://x"],
            ),
            ("(https://example.com/)", vec!["https://example.com/"]),
            ("ftp://x javascript://y http:// ://", vec![]),
            ("http://a\" onclick=\"x", vec!["http://a"]),
            ("http://http://x", vec!["http://http://x"]),
            ("ähttps://ä.example/ü ü", vec!["https://ä.example/ü"]),
        ] {
            let found: Vec<_> = pieces(line)
                .into_iter()
                .filter_map(|(piece, is_link)| is_link.then_some(piece))
                .collect();
            assert_eq!(found, links, "{line}");
            let whole: String = pieces(line).into_iter().map(|(piece, _)| piece).collect();
            assert_eq!(whole, line);
        }
    }

    #[test]
    fn what_is_quoted_is_folded_and_nothing_is_markup() {
        let text = "Hello <b>\n> 1\n>2\n > 3\n>> 4\nBye\n> short\n";
        let shown = folded(Language::English, text).into_string();
        assert!(shown.contains("Hello &lt;b&gt;"), "{shown}");
        assert_eq!(shown.matches("<details").count(), 1, "{shown}");
        assert!(
            shown.contains("(4 lines)") && shown.ends_with("&gt; short\n</pre>"),
            "{shown}"
        );
    }
}
