//! Reads a query, by hand: in linear time, with a bound on how deep it nests. What cannot be understood is an error that
//! knows where it stands. The grammar is in docs/search.md.

use std::ops::Range;

use super::{
    criteria::{FIELDS, criterion, field, no_field},
    query::{Criterion, Place, Query, Text},
    terms::NoWords,
};
use crate::api::{Code, LONGEST_QUERY, Wrong};

/// What a query may ask for at most, and how deep parentheses may stand in each other.
const MOST: usize = 500;
const DEEPEST: usize = 50;

/// What is wrong with a query, and where, in bytes.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{why}")]
pub struct QueryError {
    pub why: String,
    /// The same, for whoever says it in other words.
    pub wrong: Wrong,
    pub at: Range<usize>,
}

/// Understands a query.
///
/// # Errors
/// It cannot be understood, asks for nothing, or for too much.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if text.len() > LONGEST_QUERY {
        return Err(QueryError {
            why: format!("the query is longer than {LONGEST_QUERY} bytes"),
            wrong: Wrong::new(Code::QueryTooLong, &[&LONGEST_QUERY]),
            at: 0..text.len(),
        });
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        asked: 0,
        place: None,
    };
    let query = parser.any()?;
    if parser.peek().is_some() {
        return Err(parser.error(
            parser.at..parser.at + 1,
            Code::ClosesNone,
            "this parenthesis closes none",
        ));
    }
    query.ok_or_else(|| {
        parser.error(
            0..text.len(),
            Code::AsksForNothing,
            "the query asks for nothing; * finds all messages",
        )
    })
}

struct Parser<'q> {
    text: &'q str,
    at: usize,
    depth: usize,
    asked: usize,
    /// Where the words between these parentheses are looked for, if that is said before them.
    place: Option<Place>,
}

type Parsed<T> = Result<T, QueryError>;

impl<'q> Parser<'q> {
    fn error(&self, at: Range<usize>, wrong: impl Into<Wrong>, why: impl Into<String>) -> QueryError {
        let (wrong, why) = (wrong.into(), why.into());
        QueryError { why, wrong, at }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at = self.text.len() - rest.trim_start().len();
    }

    /// Takes `word` where it stands here by itself.
    fn take(&mut self, word: &str) -> bool {
        let is_here = self.word() == word;
        self.at += if is_here { word.len() } else { 0 };
        is_here
    }

    /// What stands here up to a space, a parenthesis or a quotation mark.
    fn word(&self) -> &'q str {
        let rest = &self.text[self.at..];
        let ends = |char: char| char.is_whitespace() || matches!(char, '(' | ')') || is_quote(char);
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    /// `all OR all …`
    fn any(&mut self) -> Parsed<Option<Query>> {
        let mut queries = Vec::new();
        let mut or: Option<Range<usize>> = None;
        loop {
            let query = self.all()?;
            let is_empty = query.is_none();
            queries.extend(query);
            let begins = self.at;
            let goes_on = self.take("OR");
            if is_empty && let Some(at) = or.or(goes_on.then_some(begins..self.at)) {
                return Err(self.error(
                    at,
                    Code::OrBetween,
                    "OR stands between two things to look for; quote it to look for the word",
                ));
            }
            if !goes_on {
                return Ok(Query::any(queries));
            }
            or = Some(begins..self.at);
        }
    }

    /// `item item …`, with or without AND between them.
    fn all(&mut self) -> Parsed<Option<Query>> {
        const WHY: &str = "AND stands between two things to look for; quote it to look for the word";
        let mut queries: Vec<Query> = Vec::new();
        let mut and: Option<Range<usize>> = None;
        loop {
            self.skip_spaces();
            if matches!(self.peek(), None | Some(')')) || self.word() == "OR" {
                break;
            }
            let begins = self.at;
            if self.take("AND") {
                if and.is_some() || queries.is_empty() {
                    return Err(self.error(begins..self.at, Code::AndBetween, WHY));
                }
                and = Some(begins..self.at);
            } else if let Some(item) = self.item()? {
                queries.push(item);
                and = None;
            }
        }
        match and {
            Some(at) => Err(self.error(at, Code::AndBetween, WHY)),
            None => Ok(Query::all(queries)),
        }
    }

    /// One thing to look for, or not to. `None` of signs that stand alone, which say nothing.
    fn item(&mut self) -> Parsed<Option<Query>> {
        let (mut is_negated, mut not) = (false, None);
        loop {
            self.skip_spaces();
            let begins = self.at;
            if !self.take("NOT") {
                break;
            }
            is_negated = !is_negated;
            not = Some(begins..self.at);
        }
        let begins = self.at;
        let mut ahead = self.text[self.at..].chars();
        let is_sign = |char: char| char.is_whitespace() || matches!(char, '-' | ')');
        if ahead.next() == Some('-') && ahead.next().is_some_and(|next| !is_sign(next)) {
            self.at += 1;
            is_negated = !is_negated;
            if matches!(self.word(), "OR" | "AND" | "NOT") {
                let at = begins..self.at + self.word().len();
                return Err(self.error(
                    at,
                    Code::MinusBefore,
                    "a minus stands before what is not to be there; quote the word to look for it",
                ));
            }
        }
        let is_end = matches!(self.peek(), None | Some(')')) || matches!(self.word(), "OR" | "AND");
        let query = if is_end { None } else { self.one()? };
        match (query, not) {
            (None, Some(at)) => Err(self.error(
                at,
                Code::NotBefore,
                "NOT stands before what is not to be there; quote it to look for the word",
            )),
            (query, _) if is_negated => Ok(query.map(Query::negated)),
            (query, _) => Ok(query),
        }
    }

    fn one(&mut self) -> Parsed<Option<Query>> {
        let begins = self.at;
        match self.peek() {
            Some('(') => return self.group(self.place).map(Some),
            Some(quote) if is_quote(quote) => {
                let text = self.quoted()?;
                return self.words(begins, text, true).map(Some);
            }
            _ => {}
        }
        let word = self.word();
        if let Some((name, value)) = field(word) {
            return self.field(begins, name, value).map(Some);
        }
        self.at += word.len();
        if word == "*" && self.place.is_none() {
            return Ok(Some(Query::Everything));
        }
        match word.contains(|char: char| char.is_alphanumeric() || char == '*') {
            true => self.words(begins, word, false).map(Some),
            false => Ok(None),
        }
    }

    /// What stands between parentheses; its words are looked for in `place`.
    fn group(&mut self, place: Option<Place>) -> Parsed<Query> {
        let opens = self.at..self.at + 1;
        if self.depth == DEEPEST {
            let why = format!("more than {DEEPEST} parentheses stand in each other");
            return Err(self.error(opens, Wrong::new(Code::TooDeep, &[&DEEPEST]), why));
        }
        self.at += 1;
        self.depth += 1;
        let outside = std::mem::replace(&mut self.place, place);
        let query = self.any()?;
        self.place = outside;
        self.depth -= 1;
        if self.peek() != Some(')') {
            return Err(self.error(opens, Code::NotClosed, "this parenthesis is not closed"));
        }
        self.at += 1;
        let why = "these parentheses ask for nothing";
        query.ok_or_else(|| self.error(opens.start..self.at, Code::NothingInThem, why))
    }

    /// What stands between quotation marks.
    fn quoted(&mut self) -> Parsed<&'q str> {
        let opens = self.at;
        let begins = opens + self.peek().map_or(0, char::len_utf8);
        let rest = &self.text[begins..];
        let Some(length) = rest.find(is_quote) else {
            return Err(self.error(opens..begins, Code::QuoteNotClosed, "this quotation mark is not closed"));
        };
        let text = &rest[..length];
        self.at = begins + length;
        self.at += self.peek().map_or(0, char::len_utf8);
        Ok(text)
    }

    /// Words that stand where this group, or else nothing, says.
    fn words(&mut self, begins: usize, text: &str, is_quoted: bool) -> Parsed<Query> {
        self.text_in(self.place.unwrap_or(Place::Anywhere), begins, text, is_quoted)
    }

    fn text_in(&mut self, place: Place, begins: usize, text: &str, is_quoted: bool) -> Parsed<Query> {
        let text = Text {
            place,
            text: text.to_owned(),
            is_quoted,
        };
        match text.asked() {
            Ok(_) => self.asks(begins, Criterion::Text(text)),
            Err(NoWords::Empty) => Err(self.error(
                begins..self.at,
                Code::NoLetter,
                "there is no letter and no digit in this",
            )),
            Err(NoWords::WildAlone) => {
                let why = "* and ? stand for letters of a word: write some of its letters beside them, or quote the text \
                           if it has them";
                Err(self.error(begins..self.at, Code::WildAlone, why))
            }
        }
    }

    fn asks(&mut self, begins: usize, criterion: Criterion) -> Parsed<Query> {
        self.asked += 1;
        match self.asked > MOST {
            true => {
                let why = format!("the query asks for more than {MOST} things");
                Err(self.error(begins..self.at, Wrong::new(Code::AsksTooMuch, &[&MOST]), why))
            }
            false => Ok(Query::One(criterion)),
        }
    }

    /// `name:value`, of which the name stands here.
    fn field(&mut self, begins: usize, name: &str, value: &str) -> Parsed<Query> {
        let name_at = begins..begins + name.len();
        let folded = name.to_ascii_lowercase();
        let Some(known) = FIELDS.into_iter().find(|known| *known == folded) else {
            let (wrong, why) = no_field(&folded);
            return Err(self.error(name_at, wrong, why));
        };
        if self.place.is_some() {
            return Err(self.error(
                name_at,
                Code::FieldInParentheses,
                "the field before the parentheses holds for all that stands in them",
            ));
        }
        self.at += name.len() + 1;
        let place = Place::NAMED
            .into_iter()
            .find(|(name, _)| *name == known)
            .map(|(_, place)| place);
        let (value, is_quoted) = match (value, self.peek()) {
            ("", Some('(')) => {
                let why = "only fields of text may stand before parentheses";
                let place = place.ok_or_else(|| self.error(name_at, Code::NoFieldOfText, why))?;
                return self.group(Some(place));
            }
            ("", Some(quote)) if is_quote(quote) => (self.quoted()?, true),
            ("", _) => {
                let why = format!("what stands behind {known}: has no space before it; quote the word to look for it");
                return Err(self.error(begins..self.at, Wrong::new(Code::SpaceBehindField, &[&known]), why));
            }
            _ => {
                self.at += value.len();
                (value, false)
            }
        };
        match place {
            Some(place) => self.text_in(place, begins, value, is_quoted),
            None => match criterion(known, value.trim()) {
                Ok(criterion) => self.asks(begins, criterion),
                Err((wrong, why)) => Err(self.error(begins..self.at, wrong, why)),
            },
        }
    }
}

/// What a quotation mark is, on whatever keyboard.
fn is_quote(char: char) -> bool {
    matches!(char, '"' | '\u{201c}'..='\u{201f}' | '\u{ff02}')
}

impl QueryError {
    /// Where it stands in the query whose error it is, and why, in one line.
    pub fn in_words(&self, query: &str) -> String {
        const SHOWN: usize = 40;
        let at = query.get(self.at.clone()).unwrap_or_default();
        let mut shown: String = at.chars().take(SHOWN).collect();
        if shown.len() < at.len() {
            shown.push('…');
        }
        match shown.is_empty() {
            true => self.why.clone(),
            false => format!("{shown}: {}", self.why),
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
