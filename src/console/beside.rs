//! A message that is open beside the list in which it stands; in a narrow window it is shown alone.

use actix_web::http::StatusCode;
use maud::{Markup, html};

use super::{
    form::link,
    message::{Reading, shown},
    parts::notice,
    texts::wrongs,
    visitor::Visitor,
};
use crate::{ids::MessageId, web::Refused};

/// What stands beside the list.
pub struct Beside {
    pub pane: Markup,
    pub status: StatusCode,
}

/// The message that the address of a list has open, if it has one: that of the list is `path` with the parameters `list`.
///
/// # Errors
/// It cannot be read, for another reason than that there is none.
pub async fn beside(visitor: &Visitor, path: &str, list: &[(&str, &str)]) -> Result<Option<Beside>, Refused> {
    let open = visitor.query.get("open");
    if open.is_empty() {
        return Ok(None);
    }
    let t = visitor.t();
    let back = link(path, list);
    let Ok(id) = open.parse().map(MessageId) else {
        return Err(Refused::bad(t.wrong_place));
    };
    let (said, status) = match shown(visitor, id).await {
        Ok(shown) => {
            let reading = Reading {
                shown: &shown,
                list: &visitor.face.look.here,
                path,
                parameters: &[list, &[("open", open)]].concat(),
            };
            let subject = if shown.subject.is_empty() {
                t.no_subject
            } else {
                &shown.subject
            };
            let alone = link(&format!("/console/mail/{id}"), &[("list", &back)]);
            let said = html! {
                p.back { a #back href=(back) { "← " (t.close_message) } " · " a href=(alone) { (t.read_alone) } }
                h2 { bdi { (subject) } }
                (reading.body(visitor))
            };
            (said, StatusCode::OK)
        }
        Err(refused) if refused.status() == StatusCode::NOT_FOUND => {
            let why = wrongs::said(visitor.face.look.language, &refused);
            let said = html! {
                p.back { a #back href=(back) { "← " (t.close_message) } }
                (notice("bad", html! { p { (why.as_deref().unwrap_or(t.not_there)) } }))
            };
            (said, refused.status())
        }
        Err(refused) => return Err(refused),
    };
    Ok(Some(Beside {
        pane: html! { article.reading aria-label=(t.page_of_message) { (said) } },
        status,
    }))
}
