//! The page of a message, as the frame in a page of ours shows it. `reading` has written it anew from what is harmless, with
//! the images only named: those of the message itself are put in here, those from outside where somebody asks for them.

use std::collections::HashMap;

use actix_web::HttpResponse;
use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    answers::shut_in,
    assets::MAIL,
    message::{content, id, is_file, named, shown},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{OF_PART, OUTSIDE},
    web::Refused,
};

/// Bytes of the images of a message in its page.
const IMAGES: usize = 8 << 20;
/// The same where one image stands in many places.
const IN_ALL: usize = 2 * IMAGES;
/// What is shown as an image; others can have pages of their own in them.
const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

pub async fn page(visitor: Visitor) -> Answered {
    let shown = shown(&visitor, id(&visitor)?).await?;
    let Some(page) = &shown.html else {
        return Err(Refused::new(actix_web::http::StatusCode::NOT_FOUND).because(visitor.t().has_no_page));
    };
    let body = with_its_images(&visitor, shown.id, page).await?;
    Ok(shut_in_with(&visitor, &shown.subject, body))
}

/// All of a message, to be printed: a frame has one height, whatever stands in it, and is cut on paper.
pub async fn print(visitor: Visitor) -> Answered {
    let shown = shown(&visitor, id(&visitor)?).await?;
    let (t, language) = (visitor.t(), visitor.face.look.language);
    let as_text = visitor.query.get("view") == "text";
    let text = match shown.html.as_ref().filter(|_| !as_text) {
        Some(page) => with_its_images(&visitor, shown.id, page).await?,
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
async fn with_its_images(visitor: &Visitor, id: crate::ids::MessageId, page: &str) -> Result<Markup, Refused> {
    let images = images(visitor, id, page).await?;
    Ok(PreEscaped(with_images(page, &images, is_from_outside(visitor))))
}

/// The images of the message that its page shows, by their parts, as addresses.
async fn images(visitor: &Visitor, id: crate::ids::MessageId, page: &str) -> Result<HashMap<usize, String>, Refused> {
    let (mut images, mut left) = (HashMap::new(), IMAGES);
    let named = page
        .split(OF_PART)
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.parse().ok());
    for number in named {
        if images.contains_key(&number) {
            continue;
        }
        let image = content(visitor, id, number, left).await?;
        let image = image.filter(|(part, _)| KINDS.contains(&part.kind.as_str()));
        left -= image.as_ref().map_or(0, |(_, bytes)| bytes.len());
        let address = image.map(|(part, bytes)| format!("data:{};base64,{}", part.kind, STANDARD.encode(bytes)));
        images.insert(number, address.unwrap_or_default());
    }
    Ok(images)
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
