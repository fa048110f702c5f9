//! The words that a text of a query asks for, one behind the other. Pure.
//!
//! They are those of [`words`], so that a query finds what the index has. What is different: `*` and `?` stand for letters,
//! where they are allowed; and where a script without spaces ends a row, its last character asks for every pair that
//! begins with it, unless it is in the pair before already.

use super::words::{is_without_spaces, words};

/// A word that is asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Asked {
    /// This word, folded.
    Word(String),
    /// Each word that [`fits`] this one, folded, in which `*` stands for any letters or none, and `?` for one.
    Wild(String),
}

/// Why a text asks for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoWords {
    /// It has neither letters nor digits.
    Empty,
    /// A `*` or `?` has no letter beside it.
    WildAlone,
}

/// What a text is made of, and where it begins and ends.
struct Piece {
    kind: Kind,
    from: usize,
    to: usize,
}

enum Kind {
    /// A word, which a sign beside it makes a longer one.
    Letters(String),
    /// `*` or `?`.
    Sign(char),
    /// Of a script without spaces, where a sign says nothing.
    Spaceless(String, Place),
}

/// Where in a run without spaces a word stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is a pair.
    Pair,
    /// It is the last character, behind a pair that has it, too.
    Last,
    /// It is the only character.
    Only,
}

/// The words that `text` asks for, in a row; `wild` says whether `*` and `?` stand for letters.
///
/// # Errors
/// It asks for none.
pub fn asked(text: &str, wild: bool) -> Result<Vec<Asked>, NoWords> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, sign) in text.char_indices().filter(|(_, char)| wild && is_wild(*char)) {
        take(&mut pieces, text, from, at);
        from = at + sign.len_utf8();
        pieces.push(Piece {
            kind: Kind::Sign(sign),
            from: at,
            to: from,
        });
    }
    take(&mut pieces, text, from, text.len());
    let row = join(&pieces)?;
    match row.is_empty() {
        true => Err(NoWords::Empty),
        false => Ok(row),
    }
}

/// Whether a character may stand for letters.
pub fn is_wild(char: char) -> bool {
    matches!(char, '*' | '?')
}

/// Takes the words of a stretch without signs.
fn take(pieces: &mut Vec<Piece>, text: &str, from: usize, to: usize) {
    let stretch = &text[from..to];
    let mut found = words(stretch).peekable();
    // Where the pair before ends.
    let mut paired = 0;
    while let Some(word) = found.next() {
        let is_spaceless = stretch[word.from..].chars().next().is_some_and(is_without_spaces);
        let overlaps = found.peek().is_some_and(|next| next.from < word.to);
        let is_in_pair = word.from < paired;
        paired = word.to;
        let kind = match (is_spaceless, overlaps, is_in_pair) {
            (false, ..) => Kind::Letters(word.folded),
            (true, true, _) => Kind::Spaceless(word.folded, Place::Pair),
            (true, false, true) => Kind::Spaceless(word.folded, Place::Last),
            (true, false, false) => Kind::Spaceless(word.folded, Place::Only),
        };
        // Of marks alone nothing is left.
        if matches!(&kind, Kind::Letters(letters) if letters.is_empty()) {
            continue;
        }
        pieces.push(Piece {
            kind,
            from: from + word.from,
            to: from + word.to,
        });
    }
}

/// Joins signs with the letters beside them.
fn join(pieces: &[Piece]) -> Result<Vec<Asked>, NoWords> {
    let mut row = Vec::new();
    let mut begin = 0;
    // Of the last word of the row, if it is of a script without spaces.
    let mut place = None;
    while let Some(piece) = pieces.get(begin) {
        if let Kind::Spaceless(word, at) = &piece.kind {
            row.push(Asked::Word(word.clone()));
            place = Some(*at);
            begin += 1;
            continue;
        }
        let rest = &pieces[begin..];
        let goes_on = |two: &&[Piece]| two[0].to == two[1].from && !matches!(two[1].kind, Kind::Spaceless(..));
        let together = &rest[..=rest.windows(2).take_while(goes_on).count()];
        begin += together.len();
        let is_beside_pair = |other: Option<&Piece>, at: usize| {
            other.is_some_and(|other| matches!(other.kind, Kind::Spaceless(..)) && (other.from == at || other.to == at))
        };
        let is_word = |piece: &Piece| matches!(piece.kind, Kind::Letters(_));
        if together.iter().any(is_word) {
            row.push(joined(together));
            place = None;
            continue;
        }
        let (from, to) = (together[0].from, together[together.len() - 1].to);
        let before = (begin - together.len()).checked_sub(1).and_then(|nth| pieces.get(nth));
        if !is_beside_pair(before, from) && !is_beside_pair(pieces.get(begin), to) {
            return Err(NoWords::WildAlone);
        }
    }
    // In the text, the row may end within a run. Before that it cannot: there, the character alone is a word.
    match (place, row.pop()) {
        (Some(Place::Last), _) => {}
        (Some(Place::Only), Some(Asked::Word(word))) => row.push(Asked::Wild(word + "*")),
        (_, last) => row.extend(last),
    }
    Ok(row)
}

fn joined(pieces: &[Piece]) -> Asked {
    let mut word = String::new();
    let mut is_wild = false;
    for piece in pieces {
        match &piece.kind {
            Kind::Letters(letters) => word.push_str(letters),
            // Two asterisks are one.
            Kind::Sign('*') if word.ends_with('*') => {}
            Kind::Sign(sign) => {
                word.push(*sign);
                is_wild = true;
            }
            Kind::Spaceless(..) => {}
        }
    }
    match is_wild {
        true => Asked::Wild(word),
        false => Asked::Word(word),
    }
}

impl Asked {
    /// Whether a folded word is one that is asked for.
    pub fn has(&self, word: &str) -> bool {
        match self {
            Self::Word(asked) => asked == word,
            Self::Wild(pattern) => fits(pattern, word),
        }
    }
}

/// Whether `word` fits `pattern`. It takes at most the product of their lengths in steps, which are short.
pub fn fits(pattern: &str, word: &str) -> bool {
    let (mut pattern, mut word) = (pattern.chars(), word.chars());
    // What is tried again, one letter further on, where what stands behind the last asterisk does not fit.
    let mut again = None;
    loop {
        let mut rest = (pattern.clone(), word.clone());
        match (rest.0.next(), rest.1.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = rest.0;
                again = Some((pattern.clone(), word.clone()));
                continue;
            }
            (Some(asked), Some(letter)) if asked == '?' || asked == letter => {
                (pattern, word) = rest;
                continue;
            }
            _ => {}
        }
        let Some((behind, mut from)) = again.take() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        (pattern, word) = (behind.clone(), from.clone());
        again = Some((behind, from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<String> {
        let row = asked(text, true).unwrap();
        row.into_iter()
            .map(|asked| match asked {
                Asked::Word(word) => word,
                Asked::Wild(word) => format!("~{word}"),
            })
            .collect()
    }

    #[test]
    fn signs_belong_to_the_letters_beside_them() {
        for (text, expected) in [
            ("auto*", &["~auto*"][..]),
            ("Straß*", &["~strass*"]),
            ("INV-20??/08*15", &["inv", "~20??", "~08*15"]),
            ("*ing", &["~*ing"]),
            ("a**b", &["~a*b"]),
            ("a*?*b", &["~a*?*b"]),
            ("O'Brien*", &["o", "~brien*"]),
            ("ada*@example.com", &["~ada*", "example", "com"]),
            ("北京大学", &["北京", "京大", "大学"]),
            ("北京", &["北京"]),
            ("北京*", &["北京"]),
            ("北", &["~北*"]),
            ("A北", &["a", "~北*"]),
            ("A北京B京", &["a", "北京", "京", "b", "~京*"]),
            ("*北?x*", &["北", "~?x*"]),
            ("北京*", &["北京"]),
        ] {
            assert_eq!(row(text), expected, "{text}");
        }
        assert_eq!(asked("a*", false), Ok(vec![Asked::Word("a".into())]));
        for alone in ["*", "foo-*-bar", "a ? b"] {
            assert_eq!(asked(alone, true), Err(NoWords::WildAlone), "{alone}");
        }
        for nothing in ["", "&", "-–,"] {
            assert_eq!(asked(nothing, true), Err(NoWords::Empty), "{nothing}");
        }
    }

    #[test]
    fn a_row_that_went_on_behind_a_script_without_spaces_was_never_found() {
        for (query, text) in [
            ("Grüße aus Köln, 東京 und", "Viele Grüße aus Köln, 東京 und Wien"),
            ("京 und", "東京 und"),
            ("Köln, 東", "Köln, 東京"),
            ("東京、京都", "東京、京都市"),
            ("제목: 안녕 hello*", "제목: 안녕 helloworld"),
        ] {
            let (row, words): (_, Vec<_>) = (asked(query, true).unwrap(), words(text).collect());
            let fits =
                |words: &[crate::search::words::Word]| row.iter().zip(words).all(|(one, word)| one.has(&word.folded));
            assert!(words.windows(row.len()).any(fits), "{query}: {row:?}");
        }
    }

    #[test]
    fn words_fit_a_pattern_whole() {
        for (pattern, word, does) in [
            ("auto*", "automobile", true),
            ("auto*", "auto", true),
            ("auto*", "aut", false),
            ("fo?", "foo", true),
            ("fo?", "fo", false),
            ("fo?", "fooo", false),
            ("f?t", "füt", true),
            ("*ing", "singing", true),
            ("*ing", "singings", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXc", false),
            ("a*?", "a", false),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, word), does, "{pattern}: {word}");
        }
        let (pattern, word) = ("*a".repeat(40) + "b", "a".repeat(96));
        assert!(!fits(&pattern, &word));
    }
}
