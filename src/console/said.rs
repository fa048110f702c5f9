//! What was said by whoever did the work, in the language of the page. What has no words of its own is shown as it was
//! said, and marked as English, for whoever reads it aloud.

use maud::{Markup, html};

use super::{
    documents::linked,
    frame::Face,
    language::Language,
    texts::{
        said::{BY_HAND, BY_ITSELF, VALUE, german},
        wrongs,
    },
    words,
};
use crate::{
    account::without_number,
    api::Failure,
    report::{CopyError, Run},
    said::{About, Said, Saying},
};

/// Sentences that stand within each other.
const DEPTH: usize = 12;

pub fn said(face: &Face, said: &Said) -> Markup {
    in_language(face.look.language, said, DEPTH)
}

/// Why something failed.
pub fn failed(face: &Face, failure: &Failure) -> Markup {
    let language = face.look.language;
    let said = failure.said();
    match &failure.wrong {
        Some(wrong) => html! { (wrongs::words(language, wrong)) },
        // What the checks of a profile say of a value has English words alone.
        None if failure.key.is_some() && said.saying().is_plain() && language == Language::German => {
            html! { (VALUE) " " (in_language(language, &said, DEPTH)) }
        }
        None => in_language(language, &said, DEPTH),
    }
}

/// A fault of a field, in words of the page.
pub fn of_field(key: &str, words: &str) -> Failure {
    Failure::of_key(key, words).saying(Said::quoted(words))
}

/// What somebody said in English.
pub fn english(face: &Face, text: &str) -> Markup {
    in_language(face.look.language, &text.into(), DEPTH)
}

fn in_language(language: Language, said: &Said, depth: usize) -> Markup {
    let depth = depth.checked_sub(1);
    match (language, depth) {
        (Language::English, _) => linked(said),
        (Language::German, Some(depth)) if !said.saying().is_plain() => in_german(said.saying(), depth),
        (Language::German, _) => html! { span lang="en" { (linked(&without_number(said))) } },
    }
}

fn in_german(saying: &Saying, depth: usize) -> Markup {
    let pieces = pieces(german(saying.code)).map(|piece| match piece {
        Piece::Text(text) => linked(text),
        Piece::Again => html! { (if saying.by_hand { BY_HAND } else { BY_ITSELF }) },
        Piece::About(at) => match saying.about.get(at) {
            Some(About::Number(number)) => html! { (words::number(Language::German, *number)) },
            Some(About::Seconds(seconds)) => html! { (words::seconds(Language::German, *seconds)) },
            Some(About::Text(text)) => html! { bdi { (text) } },
            Some(About::Said(said)) => in_language(Language::German, said, depth),
            None => html! {},
        },
        Piece::OneOr(at, one, others) => {
            let is_one = saying.about.get(at) == Some(&About::Number(1));
            html! { (if is_one { one } else { others }) }
        }
    });
    html! { @for piece in pieces { (piece) } }
}

/// A piece of a text with places for what it is about.
enum Piece {
    Text(&'static str),
    About(usize),
    OneOr(usize, &'static str, &'static str),
    Again,
}

impl Piece {
    fn of_place(place: &'static str) -> Option<Self> {
        if place == "again" {
            return Some(Self::Again);
        }
        match place.split_once('?') {
            None => place.parse().ok().map(Self::About),
            Some((at, either)) => {
                let (one, others) = either.split_once('|')?;
                Some(Self::OneOr(at.parse().ok()?, one, others))
            }
        }
    }
}

fn pieces(mut text: &'static str) -> impl Iterator<Item = Piece> {
    std::iter::from_fn(move || {
        if let Some((place, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}'))
            && let Some(piece) = Piece::of_place(place)
        {
            text = rest;
            return Some(piece);
        }
        // A brace that begins no place is text.
        let first = text.chars().next()?.len_utf8();
        let end = text[first..].find('{').map_or(text.len(), |at| first + at);
        let (piece, rest) = text.split_at(end);
        text = rest;
        Some(Piece::Text(piece))
    })
}

/// The errors of a protocol of the same stage, each stage once.
pub fn by_stage(run: &Run) -> Vec<(&str, Vec<&CopyError>)> {
    let mut stages: Vec<(&str, Vec<&CopyError>)> = Vec::new();
    for error in &run.errors {
        match stages.iter_mut().find(|(stage, _)| *stage == error.stage) {
            Some((_, errors)) => errors.push(error),
            None => stages.push((&error.stage, vec![error])),
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::{Code, said};

    fn shown(said: &Said) -> String {
        in_language(Language::German, said, DEPTH).into_string()
    }

    #[test]
    fn each_sentence_has_german_words_that_name_all_it_is_about() {
        for code in Code::ALL {
            let text = german(*code);
            assert!(!text.trim().is_empty(), "{code:?}");
            let mut named: Vec<usize> = pieces(text)
                .filter_map(|piece| match piece {
                    Piece::About(at) => Some(at),
                    Piece::OneOr(at, ..) => {
                        assert!(at < code.about(), "{code:?}");
                        None
                    }
                    Piece::Text(_) | Piece::Again => None,
                })
                .collect();
            named.sort_unstable();
            named.dedup();
            // The words for one and for several may stand for the number.
            let all: Vec<usize> = (0..code.about()).collect();
            assert_eq!(named, all, "{code:?}: {text}");
        }
    }

    #[test]
    fn what_it_is_about_stands_in_its_place_by_language() {
        let many = said!(Folders, "{0} folders, {1} messages", 2_u64, 12_345_u64);
        assert_eq!(shown(&many), "2 Ordner, 12.345 Nachrichten");
        assert_eq!(
            shown(&said!(Folders, "{0} folder, {1} message", 1_u64, 1_u64)),
            "1 Ordner, 1 Nachricht"
        );
        let inner = said!(ServerClosed, "the server closed the connection");
        let outer = said!(NotGreeted, "{0} did not greet: {1}", "<b>", inner);
        assert_eq!(
            shown(&outer),
            "<bdi>&lt;b&gt;</bdi> hat nicht begrüßt: der Server hat sie geschlossen"
        );
        let detail = said!(Unreadable, "cannot read {0}: {1}", "INBOX", Said::from("it is odd"));
        assert_eq!(
            shown(&detail),
            "<bdi>INBOX</bdi> ist nicht lesbar: <span lang=\"en\">it is odd</span>"
        );
        let english = in_language(Language::English, &outer, DEPTH).into_string();
        assert_eq!(english, "&lt;b&gt; did not greet: the server closed the connection");
    }

    #[test]
    fn a_document_that_is_named_can_be_read_from_there() {
        let advice = crate::report::remedy("token");
        for language in [Language::English, Language::German] {
            let shown = in_language(language, &advice, DEPTH).into_string();
            assert!(
                shown.contains("(<a href=\"/console/handbook/oauth2\">docs/oauth2.md</a>)"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_to_do_says_who_tries_again() {
        let advice = crate::report::remedy("connect");
        assert!(shown(&advice).ends_with(BY_ITSELF));
        assert!(shown(&advice.by_hand()).ends_with(BY_HAND));
        let brace = crate::said::Said::new(Code::NameCaFileOrPin, "", vec!["x".to_owned().into()]);
        assert!(shown(&brace).contains("tls = { ca_file = "));
    }

    #[test]
    fn what_earlier_versions_said_is_marked_as_english() {
        assert_eq!(
            shown(&"it was refused (os error 13)".into()),
            "<span lang=\"en\">it was refused</span>"
        );
    }
}
