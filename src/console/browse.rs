//! The archives that somebody may read, and what is in one, newest first.

use actix_web::http::StatusCode;
use maud::html;

use super::{
    answers::html as page_of,
    beside::beside,
    form::{link, path},
    frame::Place,
    parts::{next_page, notice},
    rows::{Row, address, rows},
    said::failed,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    access::Archives,
    api::{Reply, Request, Role},
    web::{self, cut},
};

/// Messages of a page.
const PAGE: usize = 50;

pub async fn archives(visitor: Visitor) -> Answered {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let mut users = visitor.users().await?;
    // An administrator looks after all users, though not after their mail.
    if visitor.visit.account.role == Role::Administrator {
        let given = given(&visitor).await?;
        users.retain(|user| given.contains(&user.name));
    }
    let body = html! {
        @if users.is_empty() { p.nothing { (t.no_archives) } }
        ul.cards {
            @for user in &users {
                li.card {
                    h2 { a href=(path(&["archives", &user.name])) { bdi { (user.name) } } }
                    p {
                        (words::messages(language, user.messages)) " · " (words::bytes(language, user.bytes))
                        @if user.retired { " · " (t.retired) }
                    }
                    p.hint {
                        a href=(link("/console/mail", &[("user", &user.name)])) { (t.search_in_it) }
                    }
                }
            }
        }
    };
    Ok(visitor.page(Place::Mail, t.archives, body))
}

/// The names of the users whose archives were given to the account.
async fn given(visitor: &Visitor) -> Result<Vec<String>, crate::web::Refused> {
    if visitor.visit.account.archives() == Archives::Of(Default::default()) {
        return Ok(Vec::new());
    }
    let replies = visitor.ask(Request::Account { name: visitor.name() }).await?;
    let line = replies.into_iter().find_map(|reply| match reply {
        Reply::Account(line) => Some(line.archives),
        _ => None,
    });
    line.ok_or_else(cut)
}

pub async fn archive(visitor: Visitor) -> Answered {
    let t = visitor.t();
    let user = visitor.visit.named("name").to_owned();
    let request = Request::Page {
        user: user.clone(),
        after: visitor.query.some("cursor"),
        limit: PAGE,
    };
    let (entries, next, unread) = web::page(&visitor.visit, request).await?;
    let here = path(&["archives", &user]);
    let list = [("cursor", visitor.query.get("cursor"))];
    let beside = beside(&visitor, &here, &list).await?;
    let entries = entries.iter().map(|entry| Row {
        id: entry.id,
        from: &entry.from,
        subject: &entry.subject,
        subject_marks: &[],
        date: entry.date,
        size: entry.size,
        attachments: 0,
        users: 0,
        folder: &entry.folder,
        snippet: None,
    });
    let is_empty = entries.len() == 0;
    let body = html! {
        p { a href="/console/archives" { (t.archives) } " · " a href=(link("/console/mail", &[("user", &user)])) { (t.search_in_it) } }
        @if let Some(failure) = unread { (notice("warn", html! { p { (failed(&visitor.face, &failure)) } })) }
        @if is_empty { p.nothing { (t.archive_empty) } } @else {
            div.lists.beside[beside.is_some()] {
                section.results aria-label=(t.messages_title) {
                    (rows(&visitor, &[("user", &user)], entries, |id| address(&here, &list, &[("open", &id.to_string())])))
                    (next_page(t.older, next.map(|next| link(&here, &[("cursor", &next)]))))
                }
                @if let Some(beside) = &beside { (beside.pane) }
            }
        }
    };
    let status = beside.as_ref().map_or(StatusCode::OK, |beside| beside.status);
    let class = if beside.is_some() { "wide" } else { "" };
    Ok(page_of(status, visitor.face.page_of(class, Place::Mail, &user, body)))
}
