//! `/search` and `/users/{name}/messages`: what is found, and what somebody has.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    door::{Answered, Part, Visit},
    refused::Refused,
};
use crate::api::{
    EntryLine, FacetsLine, Failure, FoundLine, HitLine, IndexLine, Reply, Request, SearchOrder, Searched,
};

/// Messages of a page, where nobody says how many.
const LIMIT: usize = 50;
/// A query that finds all.
const ALL: &str = "*";
/// Messages of a page at most.
const MOST: usize = 1000;

/// A page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Messages that are wanted, 1,000 at most.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// What the page before had as `next`.
    cursor: Option<String>,
}

/// What is searched for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// In the language of docs/search.md; all messages where it is empty.
    #[serde(default)]
    q: String,
    /// Only what this user has.
    user: Option<String>,
    /// Messages that are wanted, 1,000 at most. With 0 they are only counted.
    #[param(minimum = 0, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// What the page before had as `next`.
    cursor: Option<String>,
    /// What comes first.
    #[serde(default)]
    sort: Sort,
}

#[derive(Deserialize, ToSchema, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// What was sent last.
    #[default]
    Date,
    /// What fits best.
    Relevance,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub struct Found {
    /// On all pages.
    total: u64,
    results: Vec<HitLine>,
    /// The most frequent users, years and senders of all that was found; on the first page.
    facets: Option<FacetsLine>,
    /// What to ask for as `cursor` to get the next page; `null` where there is none.
    next: Option<String>,
    /// What is to be said of the query, or of messages that cannot be read.
    notes: Vec<String>,
    /// What the index does not have yet is not found.
    index: IndexLine,
}

/// Messages of a user.
#[derive(Serialize, ToSchema)]
pub struct Listed {
    messages: Vec<EntryLine>,
    /// What to ask for as `cursor` to get the next page; `null` where there is none.
    next: Option<String>,
    /// What is to be said of messages that cannot be read.
    notes: Vec<String>,
}

/// Search for messages. Somebody finds only what they may read; totals and facets count nothing else.
#[utoipa::path(get, path = "/api/v1/search", tag = "mail", params(SearchQuery),
    responses((status = 200, body = Found)))]
pub async fn search(visit: Visit) -> Answered {
    let asked: SearchQuery = visit.query()?;
    let limit = within(asked.limit, 0)?;
    let request = Searched {
        query: or_all(asked.q),
        user: asked.user,
        order: match asked.sort {
            Sort::Date => SearchOrder::Newest,
            Sort::Relevance => SearchOrder::Relevance,
        },
        limit,
        facets: asked.cursor.is_none(),
        after: asked.cursor,
        snippets: true,
    };
    let (results, found, more) = hits(&visit, request).await?;
    Ok(HttpResponse::Ok().json(Found {
        total: found.total,
        results,
        facets: found.facets,
        next: found.next,
        notes: found
            .notes
            .into_iter()
            .chain(more.map(|failure| failure.error))
            .collect(),
        index: found.index,
    }))
}

/// The messages of a user, newest first. A page takes as long wherever it is, and stays right while mail comes in.
#[utoipa::path(get, path = "/api/v1/users/{name}/messages", tag = "mail", params(("name" = String, Path), PageQuery),
    responses((status = 200, body = Listed)))]
pub async fn messages(visit: Visit) -> Answered {
    let asked: PageQuery = visit.query()?;
    let request = Request::Page {
        user: visit.named("name").to_owned(),
        after: asked.cursor,
        limit: within(asked.limit, 1)?,
    };
    let (messages, next, more) = page(&visit, request).await?;
    Ok(HttpResponse::Ok().json(Listed {
        messages,
        next,
        notes: more.into_iter().map(|failure| failure.error).collect(),
    }))
}

/// What is found, how many in all, and which of them cannot be read.
///
/// # Errors
/// It may not be searched, or cannot be.
pub async fn hits(visit: &Visit, searched: Searched) -> Result<(Vec<HitLine>, FoundLine, Option<Failure>), Refused> {
    let part = |reply| match reply {
        Reply::Hit(line) => Some(Part::Line(*line)),
        Reply::Found(line) => Some(Part::End(*line)),
        _ => None,
    };
    visit.list(Request::Search(searched), part).await
}

/// A page of somebody's messages, where the next one begins, and which of them cannot be read.
///
/// # Errors
/// It may not be read, or cannot be.
pub async fn page(
    visit: &Visit,
    request: Request,
) -> Result<(Vec<EntryLine>, Option<String>, Option<Failure>), Refused> {
    let part = |reply| match reply {
        Reply::Entry(line) => Some(Part::Line(line)),
        Reply::Next(place) => Some(Part::End(place)),
        _ => None,
    };
    visit.list(request, part).await
}

/// What an empty query finds is everything.
pub fn or_all(query: String) -> String {
    match query.trim().is_empty() {
        true => ALL.to_owned(),
        false => query,
    }
}

/// How many are wanted.
pub fn within(limit: Option<usize>, least: usize) -> Result<usize, Refused> {
    let limit = limit.unwrap_or(LIMIT);
    match (least..=MOST).contains(&limit) {
        true => Ok(limit),
        false => Err(Refused::bad(format!("limit must be from {least} to {MOST}"))),
    }
}

/// The number at which a page before ended.
pub fn place(cursor: Option<String>) -> Result<Option<u64>, Refused> {
    let place = cursor.map(|cursor| cursor.parse()).transpose();
    place.map_err(|_| Refused::bad("the cursor is not one that a page before had as `next`"))
}
