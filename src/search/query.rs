//! A query, as it is understood: plain values, which `parse` makes of a text and `compile` turns into a search. As text
//! again it is a query that means the same.

use std::fmt::{self, Write};

use super::{
    terms::{Asked, NoWords, asked},
    times::{Ago, Day},
};

/// Which messages are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// All there are.
    Everything,
    /// Those that each of these wants, which are two or more, and none of which is an `All`.
    All(Vec<Query>),
    /// Those that one of these wants, which are two or more, and none of which is an `Any`.
    Any(Vec<Query>),
    /// Those that this does not want, which is no `Not`.
    Not(Box<Query>),
    One(Criterion),
}

/// What a message must be or have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Criterion {
    Text(Text),
    HasAttachment,
    /// Has an attachment that was not read whole: of this kind, or for this reason, or any (`*`).
    Unread(String),
    /// Sent from the beginning of the one to the end of the other; one of them may be left out.
    Date(Option<Day>, Option<Day>),
    /// Sent before it begins.
    Before(Day),
    /// Sent when it begins, or later.
    After(Day),
    Newer(Ago),
    Older(Ago),
    /// Of more bytes.
    Larger(u64),
    /// Of fewer bytes.
    Smaller(u64),
    Id(u64),
    /// Without the angle brackets around it.
    MessageId(String),
    /// A user has it who has this name or address.
    User(String),
}

/// Words that a message must have in a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    pub place: Place,
    /// As it was written. It asks for at least one word.
    pub text: String,
    /// Between quotation marks, where `*` and `?` are no letters.
    pub is_quoted: bool,
}

/// Where words are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the subject, the addresses, the text, and in names and text of attachments.
    Anywhere,
    Subject,
    From,
    To,
    Cc,
    Bcc,
    Recipient,
    List,
    Body,
    Filename,
    Attachment,
    Folder,
}

impl Place {
    pub const NAMED: [(&str, Self); 11] = [
        ("from", Self::From),
        ("to", Self::To),
        ("cc", Self::Cc),
        ("bcc", Self::Bcc),
        ("recipient", Self::Recipient),
        ("list", Self::List),
        ("subject", Self::Subject),
        ("body", Self::Body),
        ("filename", Self::Filename),
        ("attachment", Self::Attachment),
        ("folder", Self::Folder),
    ];
}

impl Text {
    /// The words that it asks for.
    ///
    /// # Errors
    /// There are none.
    pub fn asked(&self) -> Result<Vec<Asked>, NoWords> {
        // What looks like a `?` there begins the last part of an address on the web.
        asked(&self.text, !self.is_quoted && !self.text.contains("://"))
    }
}

impl Query {
    /// What each of several queries wants; `None` of none.
    pub fn all(queries: Vec<Self>) -> Option<Self> {
        let flat = queries.into_iter().flat_map(|query| match query {
            Self::All(inner) => inner,
            query => vec![query],
        });
        several(flat.collect(), Self::All)
    }

    /// What one of several queries wants; `None` of none.
    pub fn any(queries: Vec<Self>) -> Option<Self> {
        let flat = queries.into_iter().flat_map(|query| match query {
            Self::Any(inner) => inner,
            query => vec![query],
        });
        several(flat.collect(), Self::Any)
    }

    /// What this one does not want.
    pub fn negated(self) -> Self {
        match self {
            Self::Not(query) => *query,
            query => Self::Not(Box::new(query)),
        }
    }

    /// Hands out all that a message must be or have, with whether it must not.
    pub fn each(&self, each: &mut dyn FnMut(&Criterion, bool)) {
        self.each_within(false, each);
    }

    fn each_within(&self, is_negated: bool, each: &mut dyn FnMut(&Criterion, bool)) {
        match self {
            Self::Everything => {}
            Self::All(queries) | Self::Any(queries) => {
                queries.iter().for_each(|query| query.each_within(is_negated, each));
            }
            Self::Not(query) => query.each_within(!is_negated, each),
            Self::One(criterion) => each(criterion, is_negated),
        }
    }
}

fn several(mut queries: Vec<Query>, join: fn(Vec<Query>) -> Query) -> Option<Query> {
    match queries.len() {
        0 | 1 => queries.pop(),
        _ => Some(join(queries)),
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |f: &mut fmt::Formatter<'_>, query: &Self, is_loose: bool| match is_loose {
            true => write!(f, "({query})"),
            false => write!(f, "{query}"),
        };
        match self {
            Self::Everything => f.write_char('*'),
            Self::One(criterion) => write!(f, "{criterion}"),
            Self::Not(query) => {
                f.write_str("NOT ")?;
                within(f, query, matches!(**query, Self::All(_) | Self::Any(_)))
            }
            Self::All(queries) => queries.iter().enumerate().try_for_each(|(nth, query)| {
                f.write_str(if nth > 0 { " " } else { "" })?;
                within(f, query, matches!(query, Self::Any(_)))
            }),
            Self::Any(queries) => queries.iter().enumerate().try_for_each(|(nth, query)| {
                f.write_str(if nth > 0 { " OR " } else { "" })?;
                within(f, query, false)
            }),
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text}"),
            Self::HasAttachment => f.write_str("has:attachment"),
            Self::Unread(word) => write!(f, "unread:{word}"),
            Self::Date(first, last) if first == last => write!(f, "date:{}", first.map_or("..".into(), shown)),
            Self::Date(first, last) => {
                let shown = |day: &Option<Day>| day.map(shown).unwrap_or_default();
                write!(f, "date:{}..{}", shown(first), shown(last))
            }
            Self::Before(day) => write!(f, "before:{day}"),
            Self::After(day) => write!(f, "after:{day}"),
            Self::Newer(ago) => write!(f, "newer:{ago}"),
            Self::Older(ago) => write!(f, "older:{ago}"),
            Self::Larger(bytes) => write!(f, "larger:{bytes}"),
            Self::Smaller(bytes) => write!(f, "smaller:{bytes}"),
            Self::Id(id) => write!(f, "id:{id}"),
            Self::MessageId(id) => write!(f, "message-id:\"{id}\""),
            Self::User(name) => write!(f, "user:\"{name}\""),
        }
    }
}

fn shown(day: Day) -> String {
    day.to_string()
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Place::NAMED.iter().find(|(_, place)| *place == self.place) {
            write!(f, "{name}:")?;
            if !self.is_quoted && self.text.starts_with("//") {
                // Right behind the name it would be taken for a URL.
                return write!(f, "({})", self.text);
            }
        }
        match self.is_quoted {
            true => write!(f, "\"{}\"", self.text),
            false => f.write_str(&self.text),
        }
    }
}
