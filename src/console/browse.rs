//! The archives that somebody may read, and what is in one, newest first.

use maud::html;

use super::{
    form::{link, path},
    frame::Place,
    parts::{moment, next_page, notice},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    access::Archives,
    api::{Reply, Request, Role, UserLine},
    web::{self, cut},
};

/// Messages of a page.
const PAGE: usize = 50;

pub async fn archives(visitor: Visitor) -> Answered {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let mut users: Vec<UserLine> = visitor
        .ask(Request::Users)
        .await?
        .into_iter()
        .filter_map(user_of)
        .collect();
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

fn user_of(reply: Reply) -> Option<UserLine> {
    match reply {
        Reply::User(line) => Some(line),
        _ => None,
    }
}

pub async fn archive(visitor: Visitor) -> Answered {
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let user = visitor.visit.named("name").to_owned();
    let request = Request::Page {
        user: user.clone(),
        after: visitor.query.some("cursor"),
        limit: PAGE,
    };
    let (entries, next, unread) = web::page(&visitor.visit, request).await?;
    let here = path(&["archives", &user]);
    let body = html! {
        p { a href="/console/archives" { (t.archives) } " · " a href=(link("/console/mail", &[("user", &user)])) { (t.search_in_it) } }
        @if let Some(failure) = unread { (notice("warn", html! { p { (failure.error) } })) }
        @if entries.is_empty() { p.nothing { (t.archive_empty) } }
        section.results {
            ol #rows {
                @for entry in &entries {
                    li {
                        a.row href=(link(&format!("/console/mail/{}", entry.id), &[("list", &visitor.face.look.here)])) data-row {
                            span.from { bdi { (if entry.from.is_empty() { t.no_sender } else { &entry.from }) } }
                            span.when { (moment(&visitor.face, entry.date)) }
                            span.subject { bdi { (if entry.subject.is_empty() { t.no_subject } else { &entry.subject }) } }
                            span.marks {
                                @if !entry.folder.is_empty() { span.badge { bdi { (entry.folder) } } }
                                span.size { (words::bytes(language, entry.size)) }
                            }
                        }
                    }
                }
            }
        }
        (next_page(t.older, next.map(|next| link(&here, &[("cursor", &next)]))))
    };
    Ok(visitor.page(Place::Mail, &user, body))
}
