//! Words, as texts are cut into for the index and as queries ask for them: one rule for both.
//!
//! A word is a run of letters and digits; whatever else there is separates, and what is invisible does not. So
//! `INV-2024/0815` and `O'Brien` are several words in a row, and a term of a query that is several words asks for them
//! in a row. Words are the same whatever their case and accents ([`fold`]). Where a script does not put spaces between
//! words, each pair of neighbouring characters is a word, and the last character of a run one more. A character that was
//! put together from several is one, as が is, whether one code or two stand for it.

use std::ops::Range;

use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed, properties::CanonicalCompositionBorrowed,
};
use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};

/// Bytes of a word at most; of a longer one, the rest is left out.
pub const LONGEST: usize = 96;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is compared.
    pub folded: String,
    /// Where it stands in the text, in bytes.
    pub from: usize,
    pub to: usize,
}

/// The words of a text, in their order. The number of each is its position.
pub fn words(text: &str) -> Words<'_> {
    Words {
        text,
        at: 0,
        pair: None,
    }
}

/// See [`words`].
pub struct Words<'t> {
    text: &'t str,
    at: usize,
    /// Within a run of a script without spaces: where the character begins that comes next.
    pair: Option<usize>,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let mut folded = String::new();
        let Range { start: from, end: to } = self.next_into(&mut folded)?;
        Some(Word { folded, from, to })
    }
}

impl Words<'_> {
    /// Puts the next word into `folded`, as it is compared, and says where it stands.
    pub fn next_into(&mut self, folded: &mut String) -> Option<Range<usize>> {
        let stands = match self.pair {
            Some(from) => self.pair_from(from),
            None => self.next_run()?,
        };
        folded.clear();
        let word = &self.text[stands.clone()];
        if word.is_ascii() {
            folded.push_str(&word[..word.len().min(LONGEST)]);
            folded.make_ascii_lowercase();
        } else {
            folded.push_str(&fold(word));
        }
        Some(stands)
    }

    /// The next run of letters and digits, or the first pair of one without spaces. Most characters are ASCII, which is
    /// told by a byte.
    fn next_run(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let char_at = |at: usize| self.text[at..].chars().next();
        let mut from = self.at;
        loop {
            let byte = bytes.get(from)?;
            if byte.is_ascii_alphanumeric() {
                break;
            }
            let char = if byte.is_ascii() { None } else { char_at(from) };
            match char {
                Some(char) if is_without_spaces(char) => return Some(self.pair_from(from)),
                Some(char) if is_of_word(char) => break,
                Some(char) => from += char.len_utf8(),
                None => from += 1,
            }
        }
        let mut to = from;
        while let Some(byte) = bytes.get(to) {
            if byte.is_ascii_alphanumeric() {
                to += 1;
                continue;
            }
            let char = if byte.is_ascii() { None } else { char_at(to) };
            match char {
                Some(char) if !is_without_spaces(char) && (is_of_word(char) || goes_on(char)) => to += char.len_utf8(),
                _ => break,
            }
        }
        self.at = to;
        Some(from..to)
    }

    /// The pair that begins here, or the character alone where the run ends with it.
    fn pair_from(&mut self, from: usize) -> Range<usize> {
        let second = self.character(from);
        if self.text[second..].chars().next().is_some_and(is_without_spaces) {
            self.pair = Some(second);
            return from..self.character(second);
        }
        (self.pair, self.at) = (None, second);
        from..second
    }

    /// Where the character ends that begins here: behind all that makes one with it, and what cannot be seen.
    fn character(&self, from: usize) -> usize {
        let composition = CanonicalCompositionBorrowed::new();
        let mut chars = self.text[from..].char_indices();
        let mut one = chars.next().map(|(_, first)| first);
        for (at, next) in chars {
            let composed = one.and_then(|one| composition.compose(one, next));
            let belongs = is_voicing(next) || goes_on(next) && !is_without_spaces(next);
            if composed.is_none() && !belongs {
                return from + at;
            }
            one = composed.or(one);
        }
        self.text.len()
    }
}

/// A letter or digit.
pub(super) fn is_of_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || is_without_spaces(char) || char.is_alphanumeric() && !is_mark(char)
}

/// What may stand within a word, and does not begin one: marks on letters, and what cannot be seen.
pub(super) fn goes_on(char: char) -> bool {
    is_mark(char) || is_invisible(char)
}

/// What is joined with the letter before it, as accents are, the vowels of Indian scripts, and what takes a vowel away.
fn is_mark(char: char) -> bool {
    const CATEGORIES: icu_properties::CodePointMapDataBorrowed<GeneralCategory> = CodePointMapData::new();
    char >= '\u{300}' && GeneralCategoryGroup::Mark.contains(CATEGORIES.get(char))
}

/// The marks of Japanese that make another letter of the one before.
fn is_voicing(char: char) -> bool {
    matches!(char, '\u{3099}' | '\u{309a}' | '\u{ff9e}' | '\u{ff9f}')
}

/// Marks without which a letter is taken for the same: accents, and the points of Hebrew and Arabic.
fn is_accent(char: char) -> bool {
    matches!(char,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' |
        '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' |
        '\u{6d6}'..='\u{6ed}')
}

/// Hyphens for the end of a line, joiners, marks of direction, and what chooses a variant of a character.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' |
        '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

/// Of a script that puts no spaces between words, or none that are reliable: Thai, Lao, Burmese, Khmer, Chinese, Japanese,
/// Korean.
pub fn is_without_spaces(char: char) -> bool {
    let is_of_script = matches!(char,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1100}'..='\u{11ff}' |
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3040}'..='\u{30ff}' |
        '\u{3105}'..='\u{312f}' | '\u{3131}'..='\u{318e}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' |
        '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' |
        '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}');
    // Signs of these scripts divide. Radicals are no letters by their category, and stand for letters in PDF files.
    is_of_script
        && !matches!(char, '\u{3099}' | '\u{309a}')
        && (char.is_alphanumeric() || is_mark(char) || matches!(char, '\u{2f00}'..='\u{2fd5}'))
}

/// A word as it is compared: in the form of compatibility (NFKC), without accents, in small letters, with one letter for
/// those that people type in different ways (ø and o, ß and ss). Of a longer one than [`LONGEST`], the beginning.
pub fn fold(word: &str) -> String {
    let mut folded = fold_all(word);
    if folded.len() > LONGEST {
        let end = (0..=LONGEST)
            .rev()
            .find(|at| folded.is_char_boundary(*at))
            .unwrap_or_default();
        folded.truncate(end);
    }
    folded
}

/// [`fold`], whatever the length.
pub(super) fn fold_all(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
        return folded;
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd();
    let kept = text.chars().filter(|char| !is_invisible(*char));
    let letters = decomposed.normalize_iter(kept).filter(|char| !is_accent(*char));
    // Lower case first makes İ an i with a dot, which is dropped; ẞ becomes ß.
    let lower = letters.flat_map(char::to_lowercase).filter(|char| !is_accent(*char));
    for char in ComposingNormalizerBorrowed::new_nfc().normalize_iter(lower) {
        match plain(char) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(char),
        }
    }
    folded
}

/// Letters that do not come apart into a letter and a mark.
fn plain(char: char) -> Option<&'static str> {
    Some(match char {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ŧ' => "t",
        'þ' => "th",
        'ŋ' => "n",
        'ĸ' => "k",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(
            folded("INV-2024/0815 O'Brien_x"),
            ["inv", "2024", "0815", "o", "brien", "x"]
        );
        assert_eq!(folded("ada@mail.example.com"), ["ada", "mail", "example", "com"]);
        assert_eq!(folded(" \n,"), [""; 0]);
    }

    #[test]
    fn case_and_accents_do_not_matter() {
        for (one, other) in [
            ("Éclair", "eclair"),
            ("STRASSE", "straße"),
            ("STRAẞE", "strasse"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "ısparta"),
            ("Ørsted", "orsted"),
            ("e\u{301}te\u{301}", "été"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("ＡＢＣ１", "abc1"),
            ("ΟΔΟΣ", "οδος"),
            ("Œuvre", "oeuvre"),
        ] {
            assert_eq!(folded(one), folded(other));
            assert_eq!(folded(one).len(), 1, "{one}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_pairs() {
        assert_eq!(folded("北京大学 x"), ["北京", "京大", "大学", "学", "x"]);
        assert_eq!(folded("A北B"), ["a", "北", "b"]);
        assert_eq!(folded("が"), ["が"]);
        assert_ne!(folded("が"), folded("か"));
    }

    #[test]
    fn names_of_files_from_a_mac_were_other_words_than_what_people_type() {
        for (composed, apart) in [
            ("がく", "か\u{3099}く"),
            ("ぱピ", "は\u{309a}ヒ\u{309a}"),
            (
                "한글은",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}\u{110b}\u{1173}\u{11ab}",
            ),
            ("ガス", "ｶﾞｽ"),
            ("葛城", "葛\u{e0100}城"),
        ] {
            assert_eq!(folded(composed), folded(apart), "{composed}");
        }
        let text = "か\u{3099}く x";
        let found: Vec<_> = words(text).map(|word| &text[word.from..word.to]).collect();
        assert_eq!(found, ["か\u{3099}く", "く", "x"]);
        assert_eq!(folded("é北\u{301}京"), ["e", "北京", "京"]);
    }

    #[test]
    fn words_of_indian_scripts_were_split_at_each_virama() {
        for word in ["हिन्दी", "ক্রম", "தமிழ்", "മലയാളം", "क\u{93c}लम", "ਪੰਜਾਬੀ"]
        {
            assert_eq!(folded(word).len(), 1, "{word}: {:?}", folded(word));
        }
        assert_ne!(folded("कल"), folded("काल"));
        // A mark begins no word.
        assert_eq!(folded("\u{94d}क \u{301}"), ["क"]);
    }

    #[test]
    fn signs_of_scripts_without_spaces_were_taken_for_letters() {
        for (text, expected) in [
            ("ア・イ", &["ア", "イ"][..]),
            ("ゼロ゠イチ", &["ゼロ", "ロ", "イチ", "チ"]),
            ("ราคา฿๕", &["รา", "าค", "คา", "า", "๕"]),
            ("ខ្មែរ។", &["ខ្", "្ម", "មែ", "ែរ", "រ"]),
            ("ラーメン", &["ラー", "ーメ", "メン", "ン"]),
            ("⼈々", &["人々", "々"]),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn words_know_where_they_stand() {
        let text = "«Ärger» 北京";
        let found: Vec<_> = words(text).map(|word| &text[word.from..word.to]).collect();
        assert_eq!(found, ["Ärger", "北京", "京"]);
    }

    #[test]
    fn long_words_are_cut_at_a_letter() {
        let long = "é".repeat(500);
        assert_eq!(fold(&long), "e".repeat(LONGEST));
        assert!(fold(&"北".repeat(500)).len() <= LONGEST);
    }
}
