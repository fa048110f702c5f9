//! The pages of the documents: whoever reads the name of one on another page reads it here.

use actix_web::http::StatusCode;
use maud::{PreEscaped, html};

use super::{
    documents::{CONTENTS, HANDBOOK, in_html, text_of},
    frame::Place,
    visitor::{Answered, Visitor},
};
use crate::web::Refused;

pub async fn contents(visitor: Visitor) -> Answered {
    page(&visitor, CONTENTS)
}

pub async fn document(visitor: Visitor) -> Answered {
    page(&visitor, visitor.visit.named("name"))
}

fn page(visitor: &Visitor, name: &str) -> Answered {
    let text = text_of(name).ok_or_else(|| Refused::new(StatusCode::NOT_FOUND))?;
    let (title, text) = in_html(text);
    let body = html! {
        @if name != CONTENTS { p { a href=(HANDBOOK) { (visitor.t().handbook) } } }
        article.document lang="en" { (PreEscaped(text)) }
    };
    Ok(visitor.page(Place::Nowhere, &title, body))
}
