//! What a page of mail that was found is asked for: the query, and which page of it.

use super::{form::link, visitor::Visitor};

pub const HERE: &str = "/console/mail";
/// Messages of a page.
pub const PAGE: usize = 40;
/// A query that finds all.
const ALL: &str = "*";
/// How many of the pages before it the address of a page knows.
const MOST_BACK: usize = 50;

/// What is asked for, as the address says it.
pub struct Asked {
    pub q: String,
    pub user: String,
    sort: String,
    pub cursor: String,
    /// The number of the first message of this page, from 1, and the cursors of the pages before, with dots between them.
    first: String,
    back: String,
}

impl Asked {
    pub fn of(visitor: &Visitor) -> Self {
        let query = &visitor.query;
        Self {
            q: query.get("q").to_owned(),
            user: query.get("user").to_owned(),
            sort: query.get("sort").to_owned(),
            cursor: query.get("cursor").to_owned(),
            first: query.get("first").to_owned(),
            back: query.get("back").to_owned(),
        }
    }

    /// What is looked for: everything, where nothing is named.
    pub fn query(&self) -> &str {
        if self.q.is_empty() { ALL } else { &self.q }
    }

    pub fn by_relevance(&self) -> bool {
        self.sort == "relevance"
    }

    pub fn address(&self, q: &str, user: &str) -> String {
        link(HERE, &[("q", q), ("user", user), ("sort", &*self.sort)])
    }

    /// The number of the first message of this page.
    pub fn first(&self) -> u64 {
        let first = self.first.parse().ok().filter(|_| !self.cursor.is_empty());
        first.unwrap_or(1)
    }

    /// Another page of what is found.
    fn page(&self, cursor: &str, first: u64, back: &str) -> String {
        let first = if cursor.is_empty() {
            String::new()
        } else {
            first.to_string()
        };
        let list = [("q", &*self.q), ("user", &self.user), ("sort", &self.sort)];
        let place = [("cursor", cursor), ("first", &first), ("back", back)];
        link(HERE, &[list, place].concat())
    }

    /// The page behind this one, which begins at this cursor and shows so many messages.
    pub fn next(&self, cursor: &str, shown: usize) -> String {
        let before: Vec<&str> = self
            .back
            .split('.')
            .chain([&*self.cursor])
            .filter(|cursor| !cursor.is_empty())
            .collect();
        let kept = before.len().saturating_sub(MOST_BACK);
        self.page(
            cursor,
            self.first().saturating_add(shown as u64),
            &before[kept..].join("."),
        )
    }

    /// The page before this one, where this is not the first.
    pub fn previous(&self) -> Option<String> {
        let (back, cursor) = self.back.rsplit_once('.').unwrap_or(("", &self.back));
        let first = self.first().saturating_sub(PAGE as u64).max(1);
        (!self.cursor.is_empty()).then(|| self.page(cursor, first, back))
    }

    /// What leads to this list.
    pub fn list(&self) -> [(&str, &str); 6] {
        [
            ("q", &self.q),
            ("user", &self.user),
            ("sort", &*self.sort),
            ("cursor", &self.cursor),
            ("first", &self.first),
            ("back", &self.back),
        ]
    }
}
