//! How a search is narrowed down: by what was found, and by what was chosen of that before, which can be taken off again.

use maud::{Markup, html};

use super::{asked::Asked, visitor::Visitor, words};
use crate::api::{Counted, FacetsLine};

/// What a search can be narrowed down to, and what it is narrowed down to already.
pub fn facets(visitor: &Visitor, asked: &Asked, facets: Option<&FacetsLine>) -> Markup {
    let t = visitor.t();
    let narrowed = |term: String| {
        let q = if asked.q.is_empty() {
            term
        } else {
            format!("{} {term}", in_one(&asked.q))
        };
        asked.address(&q, &asked.user)
    };
    let set = filters(&asked.q);
    let is_set = |term: &str| set.iter().any(|(known, _)| *known == term);
    let by_year = |name: &str| format!("date:{name}");
    let by_sender = |name: &str| format!("from:{}", quoted(name));
    let offered = |term: String| (!is_set(&term)).then(|| narrowed(term));
    html! {
        aside.facets aria-label=(t.narrow_down) {
            @if !set.is_empty() {
                h2 { (t.narrowed_to) }
                ul.set {
                    @for (term, rest) in &set {
                        li { bdi { (term) } " " a href=(asked.address(rest, &asked.user)) aria-label={ (t.take_off) ": " (term) } { (t.take_off) } }
                    }
                }
            }
            @if let Some(facets) = facets {
                (facet(visitor, t.years, &facets.years, |name| offered(by_year(name))))
                (facet(visitor, t.senders, &facets.senders, |name| offered(by_sender(name))))
                @if asked.user.is_empty() && facets.users.len() > 1 {
                    (facet(visitor, t.archives, &facets.users, |name| Some(asked.address(&asked.q, name))))
                }
            }
            p { a href="/console/archives" { (t.browse_archives) } }
        }
    }
}

/// Counts by something, each with the address that narrows the search down to it, unless that is done already.
fn facet(visitor: &Visitor, title: &str, counted: &[Counted], address: impl Fn(&str) -> Option<String>) -> Markup {
    let language = visitor.face.look.language;
    html! {
        @if !counted.is_empty() {
            h2 { (title) }
            ul {
                @for one in counted {
                    li { a href=[address(&one.name)] { bdi { (one.name) } } " " span.many { (words::number(language, one.messages)) } }
                }
            }
        }
    }
}

/// The filters of a query that stand for themselves, each with the query without it.
fn filters(query: &str) -> Vec<(&str, String)> {
    const OPERATORS: [&str; 3] = ["AND", "OR", "NOT"];
    let terms = terms(query);
    if terms.iter().any(|term| OPERATORS.contains(term)) {
        return Vec::new();
    }
    let is_filter = |term: &str| ["date:", "from:"].iter().any(|field| term.starts_with(field));
    let without = |at: usize| [&terms[..at], &terms[at + 1..]].concat().join(" ");
    let set = terms.iter().enumerate().filter(|(_, term)| is_filter(term));
    set.map(|(at, term)| (*term, without(at))).collect()
}

/// What spaces part of a query that stand neither in quotation marks nor in parentheses.
fn terms(query: &str) -> Vec<&str> {
    let (mut terms, mut from, mut depth, mut is_quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, letter) in query.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            _ if letter.is_whitespace() && !is_quoted && depth == 0 => {
                terms.push(&query[from..at]);
                from = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    terms.push(&query[from..]);
    terms.retain(|term| !term.is_empty());
    terms
}

/// A query to which something is added has all of it together first.
fn in_one(query: &str) -> String {
    match query.contains(" OR ") {
        true => format!("({query})"),
        false => query.to_owned(),
    }
}

/// A word of a query that means nothing but itself.
fn quoted(word: &str) -> String {
    match word.chars().all(|c| c.is_alphanumeric() || "@._-+".contains(c)) {
        true => word.to_owned(),
        false => format!("\"{}\"", word.replace(['"', '\\'], " ")),
    }
}

#[test]
fn what_is_put_into_a_query_means_nothing_but_itself() {
    assert_eq!(quoted("a@b.example"), "a@b.example");
    assert_eq!(quoted("a\" OR b"), "\"a  OR b\"");
}

#[test]
fn a_filter_is_taken_off_only_where_all_else_of_the_query_stays() {
    let set = |query: &str| {
        filters(query)
            .into_iter()
            .map(|(term, rest)| format!("{term} {rest}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        set("offer date:2025 from:a@b.example"),
        ["date:2025 offer from:a@b.example", "from:a@b.example offer date:2025"]
    );
    assert_eq!(set("(a OR date:2024) from:\"x y\""), ["from:\"x y\" (a OR date:2024)"]);
    assert_eq!(set("date:2025"), ["date:2025 "]);
    for query in [
        "",
        "a",
        "a OR date:2025",
        "NOT date:2025",
        "a AND date:2025",
        "\"x date:2025 y\"",
        "-date:2025",
    ] {
        assert_eq!(set(query), Vec::<String>::new(), "{query}");
    }
}
