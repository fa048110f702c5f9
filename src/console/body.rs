//! The page of a message, as the frame in a page of ours shows it. `reading` has written it anew from what is harmless, with
//! the images only named: those of the message itself are put in here, those from outside where somebody asks for them.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, PreEscaped, html};

use super::{
    answers::shut_in,
    assets::MAIL,
    message::{content, id, shown},
    visitor::{Answered, Visitor},
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
    let images = images(&visitor, shown.id, page).await?;
    let outside = !visitor.query.get("outside").is_empty();
    let page = with_images(page, &images, outside);
    let whole = html! {
        (DOCTYPE)
        html {
            head {
                meta charset="utf-8";
                meta name="referrer" content="no-referrer";
                title { (shown.subject) }
                link rel="stylesheet" href=(MAIL.path);
            }
            // Nothing in it is markup but what `reading` wrote.
            body { (PreEscaped(page)) }
        }
    };
    Ok(shut_in(whole, if outside { "data: https: http:" } else { "data:" }))
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
