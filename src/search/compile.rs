//! Turns a query into a [plan](super::plan) of what is looked for in the index, for somebody who may read certain archives. What others have is left out
//! here, and nowhere else: whatever is found, counted or shown goes through [`Compiler::compile`].

use std::{collections::BTreeSet, ops::Bound};

use jiff::Timestamp;
use tantivy::{
    Searcher, Term,
    query::{Query as Search, RangeQuery, RegexPhraseQuery},
    schema::Field,
};

use super::{
    FindError, SearchError,
    addresses::{domain, local, whole},
    plan::{Plan, unscored},
    query::{Criterion, Place, Query, Text},
    schema::{Fields, folder_word, message_id},
    terms::{Asked, fits, is_wild},
    words::fold_all,
};
use crate::{
    access::Archives,
    archive::{Seconds, User, UserId},
};

/// Words of a field at most that a word with `*` or `?` may stand for.
pub const MOST_WORDS: usize = 10_000;
/// Words of the index that are compared with those of one query.
const MOST_COMPARED: u64 = 50_000_000;
/// Words for which all of a query may stand, in all fields: they are held until it is answered. One word never stands for more.
const MOST_IN_ALL: u64 = 10 * MOST_WORDS as u64;
/// Bytes of the sets of documents that the library makes at once where the best come first.
const MOST_SETS: u64 = 64 << 20;
/// Sets that it makes of a pattern in a phrase, and words of each further one.
const OF_PATTERN: u64 = 5;
const OF_FURTHER: u64 = 512;
/// How much more a word in the subject counts than one elsewhere.
const OF_SUBJECT: f32 = 2.0;

/// Turns queries into searches.
pub struct Compiler<'c> {
    pub searcher: &'c Searcher,
    pub fields: &'c Fields,
    /// What may be found.
    pub archives: &'c Archives,
    /// The users whose archives these are.
    pub users: &'c [(UserId, User)],
    pub now: Timestamp,
    /// Whether the best come first.
    pub by_score: bool,
    pub spent: Spent,
}

/// What a query has taken up to now.
#[derive(Default)]
pub struct Spent {
    compared: u64,
    /// That are held.
    words: u64,
    sets: u64,
}

type Compiled = Result<Plan, FindError>;

impl Compiler<'_> {
    /// The plan for what a query wants, as far as it is in one of the archives, and `of` has it, if that is a user.
    ///
    /// # Errors
    /// A `*` or `?` in it stands for too many words, or the index cannot be read.
    pub fn compile(&mut self, query: &Query, of: Option<UserId>) -> Compiled {
        let mut all = vec![self.of(query)?];
        all.extend(self.readable()?);
        if let Some(user) = of {
            all.push(self.held_by([user])?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Plan::All(all, Vec::new()),
        })
    }

    /// What finds all that may be read; `None` where that is everything.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn readable(&self) -> Result<Option<Plan>, FindError> {
        match self.archives {
            Archives::All => Ok(None),
            Archives::Of(users) => self.held_by(users.iter().copied()).map(Some),
        }
    }

    fn of(&mut self, query: &Query) -> Compiled {
        let clauses = match query {
            Query::Everything => return Ok(Plan::Everything),
            Query::One(criterion) => return self.criterion(criterion),
            Query::Any(queries) => {
                let queries = queries.iter().map(|query| self.of(query));
                return queries.collect::<Result<_, _>>().map(Plan::any);
            }
            Query::All(queries) => queries.as_slice(),
            Query::Not(_) => std::slice::from_ref(query),
        };
        let (mut all, mut none) = (Vec::new(), Vec::new());
        for query in clauses {
            match query {
                Query::Not(query) => none.push(self.of(query)?),
                query => all.push(self.of(query)?),
            }
        }
        // Something has to be there from which to take away.
        if all.is_empty() {
            all.push(Plan::Everything);
        }
        Ok(Plan::All(all, none))
    }

    fn criterion(&mut self, criterion: &Criterion) -> Compiled {
        let fields = self.fields;
        let size = fields.size;
        let plain = |term| Plan::OneOf(vec![term]);
        let sent = |first, behind| self.sent(first, behind);
        let of_size = |least: Option<u64>, most: Option<u64>| match least.zip(most) {
            Some((least, most)) => Plan::OfSize(size, least..=most),
            None => Plan::Nothing,
        };
        Ok(match criterion {
            Criterion::Text(text) => return self.text(text),
            Criterion::Unread(word) => plain(Term::from_field_text(fields.unread, word)),
            Criterion::HasAttachment => plain(Term::from_field_u64(fields.has_attachment, 1)),
            Criterion::Date(first, last) => sent(first.map(|day| day.begins()), last.map(|day| day.ends())),
            Criterion::Before(day) => sent(None, Some(day.begins())),
            Criterion::After(day) => sent(Some(day.begins()), None),
            Criterion::Newer(ago) => sent(Some(ago.before(self.now)), None),
            Criterion::Older(ago) => sent(None, Some(ago.before(self.now))),
            Criterion::Larger(bytes) => of_size(bytes.checked_add(1), Some(u64::MAX)),
            Criterion::Smaller(bytes) => of_size(Some(0), bytes.checked_sub(1)),
            Criterion::Id(number) => plain(Term::from_field_u64(fields.id, *number)),
            Criterion::MessageId(text) => {
                self.spend(0, 1)?;
                let number = || Bound::Included(Term::from_field_u64(fields.message_id, message_id(text)));
                return self.library(unscored(Box::new(RangeQuery::new(number(), number()))));
            }
            Criterion::User(name) => return self.held_by(named(self.users, name)),
        })
    }

    /// Sent from one second on, and before another.
    fn sent(&self, first: Option<Seconds>, behind: Option<Seconds>) -> Plan {
        let last = match behind {
            Some(behind) => behind.checked_sub(1),
            None => Some(Seconds::MAX),
        };
        last.map_or(Plan::Nothing, |last| {
            Plan::Sent(self.fields.date, first.unwrap_or(Seconds::MIN)..=last)
        })
    }

    /// Counts words that are held, and sets of documents.
    fn spend(&mut self, words: u64, sets: u64) -> Result<(), FindError> {
        self.spent.words += words;
        self.spent.sets += if self.by_score { sets } else { 0 };
        let documents = self.searcher.segment_readers().iter().map(|part| part.max_doc());
        let bytes_of_set = u64::from(documents.max().unwrap_or_default()) / 8;
        match self.spent.words > MOST_IN_ALL || self.spent.sets * bytes_of_set > MOST_SETS {
            true => Err(FindError::WildInAll),
            false => Ok(()),
        }
    }

    fn held_by(&self, users: impl IntoIterator<Item = UserId>) -> Compiled {
        let terms = users
            .into_iter()
            .map(|user| Term::from_field_u64(self.fields.users, user.0.into()));
        self.one_of(terms.collect())
    }

    fn one_of(&self, terms: Vec<Term>) -> Compiled {
        self.searched(Plan::one_of(terms, self.searcher))
    }

    fn library(&self, search: Box<dyn Search>) -> Compiled {
        self.searched(Plan::of(search, self.searcher))
    }

    fn searched(&self, plan: tantivy::Result<Plan>) -> Compiled {
        Ok(plan.map_err(SearchError::of("searching", "the search index"))?)
    }

    fn text(&mut self, text: &Text) -> Compiled {
        // The query was parsed, so there are some.
        let Ok(asked) = text.asked() else {
            return Ok(Plan::Nothing);
        };
        if text.place == Place::Folder
            && let Archives::Of(users) = self.archives
        {
            let theirs = users
                .iter()
                .map(|user| self.row(self.fields.folder_of, Some(*user), &asked, text));
            return theirs.collect::<Result<_, _>>().map(Plan::any);
        }
        let (of_text, of_addresses) = self.places(text.place);
        let tokens = match text.is_quoted {
            true => Vec::new(),
            false => tokens(&text.text),
        };
        let mut anywhere = Vec::new();
        for field in of_text {
            let row = self.row(field, None, &asked, text)?;
            anywhere.push(match field == self.fields.subject {
                true => Plan::Boosted(Box::new(row), OF_SUBJECT),
                false => row,
            });
        }
        for field in of_addresses {
            match tokens.as_slice() {
                [] => anywhere.push(self.row(field, None, &asked, text)?),
                tokens => {
                    for token in tokens {
                        anywhere.extend(self.address(field, token)?);
                    }
                }
            }
        }
        Ok(Plan::any(anywhere))
    }

    /// The fields of text and those of addresses in which it is looked. Who may read all archives may know whom journal
    /// reports name.
    fn places(&self, place: Place) -> (Vec<Field>, Vec<Field>) {
        let fields = self.fields;
        let mut recipients = vec![fields.to, fields.cc, fields.bcc, fields.recipient];
        if matches!(self.archives, Archives::All) {
            recipients.push(fields.journal);
        }
        let text = |field| (vec![field], Vec::new());
        let addresses = |field| (Vec::new(), vec![field]);
        match place {
            Place::Anywhere => (
                vec![fields.subject, fields.body, fields.filename, fields.attachment],
                [vec![fields.from], recipients].concat(),
            ),
            Place::Recipient => (Vec::new(), recipients),
            Place::Subject => text(fields.subject),
            Place::Body => text(fields.body),
            Place::Filename => text(fields.filename),
            Place::Attachment => text(fields.attachment),
            Place::Folder => text(fields.folder),
            Place::From => addresses(fields.from),
            Place::To => addresses(fields.to),
            Place::Cc => addresses(fields.cc),
            Place::Bcc => addresses(fields.bcc),
            Place::List => addresses(fields.list),
        }
    }

    /// Words in a row, within a field; of a user where it has each user's.
    fn row(&mut self, field: Field, user: Option<UserId>, asked: &[Asked], text: &Text) -> Compiled {
        let of_user = |word: &str| user.map_or_else(|| word.to_owned(), |user| folder_word(user.0, word));
        let term = |word: &str| Term::from_field_text(field, &of_user(word));
        match asked {
            [Asked::Word(word)] => return Ok(Plan::Term(term(word))),
            [Asked::Wild(pattern)] => {
                let words = self.matching(field, &of_user(""), pattern, text)?;
                self.spend(words.len() as u64, 1)?;
                let terms = words.iter().map(|word| Term::from_field_text(field, word));
                return self.one_of(terms.collect());
            }
            _ => {}
        }
        let plain = asked.iter().map(|asked| match asked {
            Asked::Word(word) => Some(term(word)),
            Asked::Wild(_) => None,
        });
        if let Some(terms) = plain.collect() {
            return self.searched(Plan::phrase(terms, self.searcher));
        }
        let mut patterns = Vec::with_capacity(asked.len());
        for asked in asked {
            patterns.push(match asked {
                // Words have letters and digits only, and so has a user's number.
                Asked::Word(word) => of_user(word),
                Asked::Wild(pattern) => {
                    let words = self.matching(field, &of_user(""), pattern, text)?.len() as u64;
                    if words == 0 {
                        return Ok(Plan::Nothing);
                    }
                    self.spend(words, OF_PATTERN + words / OF_FURTHER)?;
                    let letters = pattern.replace('?', "[^@ ]").replace('*', "[^@ ]*");
                    of_user(&letters)
                }
            });
        }
        let most = (MOST_WORDS * asked.len()).try_into().unwrap_or(u32::MAX);
        let mut row = RegexPhraseQuery::new(field, patterns);
        row.set_max_expansions(most);
        // Too many signs in one word.
        row.regexes().map_err(|_| too_wild(text))?;
        self.library(Box::new(row))
    }

    /// Addresses of a field by a term for one of them or for a domain, or by the beginning of those for a local part;
    /// `None` where no address begins so, which would take time to look for.
    fn address(&mut self, field: Field, token: &str) -> Result<Option<Plan>, FindError> {
        let term = |text: &str| Term::from_field_text(field, text);
        let Some(local) = token.strip_suffix('@') else {
            return Ok(Some(Plan::Term(term(token))));
        };
        for segment in self.searcher.segment_readers() {
            let failed = SearchError::of("reading the search index", "");
            let index = segment.inverted_index(field).map_err(failed)?;
            let begins = index.terms().range().ge(token.as_bytes()).into_stream();
            let mut begins = begins.map_err(|error| SearchError::of("reading the search index", "")(error.into()))?;
            if begins.advance() && begins.key().starts_with(token.as_bytes()) {
                self.spend(0, 1)?;
                // The letter behind the @ in the order of terms.
                let behind = term(&format!("{local}A"));
                let between = RangeQuery::new(Bound::Included(term(token)), Bound::Excluded(behind));
                return self.library(unscored(Box::new(between))).map(Some);
            }
        }
        Ok(None)
    }

    /// The words of a field behind `prefix` that a pattern stands for, with the prefix. Terms for whole addresses are
    /// none.
    fn matching(
        &mut self,
        field: Field,
        prefix: &str,
        pattern: &str,
        text: &Text,
    ) -> Result<BTreeSet<String>, FindError> {
        let failed =
            |error: std::io::Error| FindError::Index(SearchError::of("reading the search index", "")(error.into()));
        let begins = prefix.to_owned() + &pattern[..pattern.find(is_wild).unwrap_or(pattern.len())];
        let mut words = BTreeSet::new();
        for segment in self.searcher.segment_readers() {
            let index = segment
                .inverted_index(field)
                .map_err(SearchError::of("reading the search index", ""))?;
            let mut stream = index
                .terms()
                .range()
                .ge(begins.as_bytes())
                .into_stream()
                .map_err(failed)?;
            while stream.advance() {
                self.spent.compared += 1;
                if !stream.key().starts_with(begins.as_bytes()) {
                    break;
                }
                if self.spent.compared > MOST_COMPARED {
                    return Err(too_wild(text));
                }
                let Ok(word) = std::str::from_utf8(stream.key()) else {
                    continue;
                };
                let plain = &word[prefix.len()..];
                if !plain.contains('@')
                    && fits(pattern, plain)
                    && words.insert(word.to_owned())
                    && words.len() > MOST_WORDS
                {
                    return Err(too_wild(text));
                }
            }
        }
        Ok(words)
    }
}

/// The users of this name; where there are none, those with this address.
pub fn named(users: &[(UserId, User)], name: &str) -> Vec<UserId> {
    let folded = fold_all(name);
    let having = |has: &dyn Fn(&User) -> bool| -> Vec<UserId> {
        users.iter().filter(|(_, user)| has(user)).map(|(id, _)| *id).collect()
    };
    let ways: [&dyn Fn(&User) -> bool; 3] = [
        &|user| user.name == name,
        &|user| fold_all(&user.name) == folded,
        &|user| {
            user.addresses
                .iter()
                .any(|address| fold_all(address.as_str()) == folded)
        },
    ];
    let found = ways.into_iter().map(having).find(|found| !found.is_empty());
    found.unwrap_or_default()
}

/// The terms that stand for a whole address or a domain, and the beginning of those for a local part, where a text is one;
/// else there are none.
fn tokens(text: &str) -> Vec<String> {
    let text = text.trim_matches(|char: char| !char.is_alphanumeric() && char != '@');
    if text.contains(is_wild) {
        return Vec::new();
    }
    match text.split_once('@') {
        Some(("", name)) => domain(name).into_iter().collect(),
        Some((name, "")) => local(name).into_iter().collect(),
        Some(_) => whole(text).into_iter().collect(),
        // Of a local part that has dots nobody can tell.
        None if is_domain(text) => domain(text).into_iter().chain(local(text)).collect(),
        None => Vec::new(),
    }
}

/// Whether a text is written as a domain is: labels with dots between them, the last one of two letters or more.
fn is_domain(text: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|char| char.is_alphanumeric() || "-_".contains(char));
    let Some((labels, last)) = text.rsplit_once('.') else {
        return false;
    };
    let is_last = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    labels.split('.').all(is_label) && is_label(last) && is_last
}

fn too_wild(text: &Text) -> FindError {
    FindError::TooWild {
        text: text.to_string(),
        most: MOST_WORDS,
    }
}
