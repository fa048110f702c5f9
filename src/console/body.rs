//! The page of a message, as the frame in a page of ours shows it. `reading` has written it anew from what is harmless, with
//! the images only named: those of the message itself are put in here, those from outside where somebody asks for them.

use std::collections::HashMap;

use actix_web::HttpResponse;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    answers::shut_in,
    assets::MAIL,
    message::{id, is_file, named, shown_with},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{OF_PART, OUTSIDE, Shown},
    web::Refused,
};

/// Bytes of the addresses of images in a page, where one image stands in many places.
const IN_ALL: usize = 16 << 20;

pub async fn page(visitor: Visitor) -> Answered {
    let shown = shown_with(&visitor, id(&visitor)?, true).await?;
    let Some(page) = &shown.html else {
        return Err(Refused::new(actix_web::http::StatusCode::NOT_FOUND).because(visitor.t().has_no_page));
    };
    let body = with_its_images(&visitor, &shown, page);
    Ok(shut_in_with(&visitor, &shown.subject, body))
}

/// All of a message, to be printed: a frame has one height, whatever stands in it, and is cut on paper.
pub async fn print(visitor: Visitor) -> Answered {
    let as_text = visitor.query.get("view") == "text";
    let shown = shown_with(&visitor, id(&visitor)?, !as_text).await?;
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let text = match shown.html.as_ref().filter(|_| !as_text) {
        Some(page) => with_its_images(&visitor, &shown, page),
        None => html! {
            pre dir="auto" { (shown.text) }
            @if shown.text_is_cut { p { (t.text_is_cut) } }
        },
    };
    let files = shown.parts.iter().filter(|part| is_file(part));
    let body = html! {
        p.hint { (t.print_hint) }
        h1 dir="auto" { (if shown.subject.is_empty() { t.no_subject } else { &shown.subject }) }
        table.head {
            (said(t.from, &shown.from))
            (said(t.to, &shown.to))
            @if !shown.cc.is_empty() { (said(t.cc, &shown.cc)) }
            (said(t.sent, &words::moment(language, shown.date)))
            @for file in files {
                (said(t.attachment, &format!("{} ({})", named(file, t), words::bytes(language, file.size))))
            }
        }
        div { (text) }
    };
    Ok(shut_in_with(&visitor, &shown.subject, body))
}

fn said(name: &str, value: &str) -> Markup {
    html! { tr { th scope="row" { (name) } td dir="auto" { (value) } } }
}

/// A page of its own that runs nothing.
fn shut_in_with(visitor: &Visitor, subject: &str, body: Markup) -> HttpResponse {
    let whole = html! {
        (DOCTYPE)
        html {
            head {
                meta charset="utf-8";
                meta name="referrer" content="no-referrer";
                title { (subject) }
                link rel="stylesheet" href=(MAIL.path);
            }
            body { (body) }
        }
    };
    let images = if is_from_outside(visitor) {
        "data: https: http:"
    } else {
        "data:"
    };
    shut_in(whole, images)
}

fn is_from_outside(visitor: &Visitor) -> bool {
    !visitor.query.get("outside").is_empty()
}

/// The page of a message. Nothing in it is markup but what `reading` wrote.
fn with_its_images(visitor: &Visitor, shown: &Shown, page: &str) -> Markup {
    PreEscaped(with_images(page, &shown.images, is_from_outside(visitor)))
}

/// The page with those images in their places.
fn with_images(page: &str, images: &HashMap<usize, String>, outside: bool) -> String {
    let mut pieces = page.split(OF_PART);
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    let mut left = IN_ALL;
    for piece in pieces {
        let (number, rest) = piece.split_once('"').unwrap_or((piece, ""));
        let image = number.parse().ok().and_then(|number: usize| images.get(&number));
        let image = image.map_or("", String::as_str);
        let fits = image.len() <= left;
        left -= if fits { image.len() } else { 0 };
        whole.push_str(" src=\"");
        whole.push_str(if fits { image } else { "" });
        whole.push('"');
        whole.push_str(rest);
    }
    match outside {
        true => whole.replace(OUTSIDE, " src=\""),
        false => whole,
    }
}

#[test]
fn images_are_put_in_where_they_are_named() {
    let page = format!("<p>a<img{OF_PART}2\" alt=\"x\"><img{OUTSIDE}https://x/\"><img{OF_PART}7\">");
    let images = HashMap::from([(2, "data:image/png;base64,AA".to_owned())]);
    let shown = with_images(&page, &images, false);
    let first = "<p>a<img src=\"data:image/png;base64,AA\" alt=\"x\">";
    assert_eq!(shown, format!("{first}<img{OUTSIDE}https://x/\"><img src=\"\">"));
    let all = with_images(&page, &images, true);
    assert_eq!(all, format!("{first}<img src=\"https://x/\"><img src=\"\">"));
}
