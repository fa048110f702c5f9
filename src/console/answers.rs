//! How pages are sent: with what the browser has to refuse in them.

use std::{convert::Infallible, future::ready};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{
            CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE, X_FRAME_OPTIONS,
        },
    },
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use maud::Markup;

use super::{
    frame::{Face, Place},
    parts::notice,
    texts::wrongs,
};
use crate::web::Refused;

pub const HTML: &str = "text/html; charset=utf-8";

/// Style and script come from here, and nothing else does; no other page embeds this one.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A form says from which page it comes, or browsers name no origin; other sites are told nothing.
const REFERRER: &str = "same-origin";

pub fn html(status: StatusCode, page: Markup) -> HttpResponse {
    page_of(status).body(page.into_string())
}

/// A page whose beginning is sent at once, and the rest when it is there.
pub fn in_two(beginning: String, rest: impl Future<Output = String> + 'static) -> HttpResponse {
    let sent = |text: String| Ok::<_, Infallible>(Bytes::from(text));
    let parts = stream::once(ready(beginning)).chain(stream::once(rest)).map(sent);
    page_of(StatusCode::OK).streaming(parts)
}

fn page_of(status: StatusCode) -> HttpResponseBuilder {
    let mut page = HttpResponse::build(status);
    page.content_type(HTML)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, REFERRER));
    page
}

/// A page of mail, which is somebody else's: it is shown within one of ours, runs nothing, and loads images where `images`
/// says.
pub fn shut_in(page: Markup, images: &str) -> HttpResponse {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src {images}; base-uri 'none'; form-action 'none'; frame-ancestors \
         'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    );
    HttpResponse::Ok()
        .content_type(HTML)
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((X_FRAME_OPTIONS, "SAMEORIGIN"))
        .body(page.into_string())
}

/// Sends the browser to another page, which it asks for with GET.
pub fn see(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .insert_header((REFERRER_POLICY, REFERRER))
        .finish()
}

/// What went wrong, as a page, with what to do.
pub fn trouble(face: &Face, refused: &Refused) -> HttpResponse {
    let t = face.look.t();
    let (title, what_to_do) = match refused.status() {
        StatusCode::BAD_REQUEST => (t.wrong_request, t.do_mend_request),
        StatusCode::FORBIDDEN => (t.not_allowed, t.do_ask_administrator),
        StatusCode::NOT_FOUND => (t.not_there, t.do_look_at_lists),
        StatusCode::CONFLICT => (t.in_the_way, t.do_look_again),
        StatusCode::TOO_MANY_REQUESTS => (t.too_much, t.do_wait),
        StatusCode::SERVICE_UNAVAILABLE => (t.not_now, t.do_try_later),
        _ => (t.went_wrong, t.do_look_at_log),
    };
    let body = maud::html! {
        (notice("bad", maud::html! {
            @if let Some(why) = wrongs::said(face.look.language, refused) { p { (why) } }
            p { (refused.what_to_do().unwrap_or(what_to_do)) }
        }))
        p { a href="/console" { (t.to_the_start) } }
    };
    html(refused.status(), face.page(Place::Nowhere, title, body))
}

/// Sets a cookie that no script reads and no other site sends.
pub fn cookie(headers: &mut HeaderMap, name: &str, value: &str, over_tls: bool, lasts: Option<u64>) {
    let secure = if over_tls { "; Secure" } else { "" };
    let lasts = lasts.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{lasts}");
    // What we set is in ASCII.
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll, Waker},
    };

    use actix_web::body::MessageBody;

    use super::*;

    #[test]
    fn a_page_begins_before_the_rest_of_it_is_there() {
        let (say, said) = tokio::sync::oneshot::channel::<String>();
        let page = in_two("<p>first".into(), async { said.await.unwrap_or_default() });
        assert!(page.headers().contains_key(CONTENT_SECURITY_POLICY));
        let mut body = page.into_body();
        let mut next = || {
            let polled = Pin::new(&mut body).poll_next(&mut Context::from_waker(Waker::noop()));
            polled.map(|part| part.map(|part| String::from_utf8(part.unwrap_or_default().into()).unwrap_or_default()))
        };
        assert_eq!(next(), Poll::Ready(Some("<p>first".into())));
        assert_eq!(next(), Poll::Pending);
        say.send("</p>".into()).unwrap();
        assert_eq!(next(), Poll::Ready(Some("</p>".into())));
        assert_eq!(next(), Poll::Ready(None));
    }
}
