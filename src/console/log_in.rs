//! Coming in and going out, and how the pages look.

use actix_web::{
    HttpResponse,
    http::{Method, StatusCode},
};
use maud::{DOCTYPE, html};

use super::{
    answers::{cookie, html as page_of, see},
    filled::Filled,
    form::Form,
    frame::{Face, Place, Who},
    look::{LANGUAGE, Language, THEME, Theme, local},
    parts::notice,
    texts::wrongs,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{Code, Failure, Request, Spoken},
    gate::{Credentials, LogInError},
    http::Asked,
    web::{self, Door, Refused, address},
};

/// How long a browser keeps how the pages look, in seconds: a year.
const YEAR: u64 = 365 * 24 * 60 * 60;
/// The address of the console as such.
const START: &str = "/console";

/// Where somebody begins.
pub async fn start(visitor: Visitor) -> Answered {
    let start = visitor.face.who.as_ref().map_or(Place::Mail, Who::start);
    if start == Place::Overview
        && visitor
            .ask(Request::Profiles {
                name: None,
                secrets: false,
            })
            .await?
            .is_empty()
    {
        // There is nothing yet to look at.
        return Ok(see(Place::Profiles.address()));
    }
    Ok(see(start.address()))
}

/// The page that asks who somebody is.
pub async fn ask(door: Door, asked: Asked, face: Face) -> Answered {
    let (query, t) = (Form::of_query(&asked), face.t());
    let failed = |error| Refused::failed(&Method::GET, Failure::from(error));
    let note = if !door.appliance()?.gate().has_accounts().map_err(failed)? {
        Some(t.no_account_yet)
    } else {
        // Whoever comes to the console as such was nowhere before.
        let was_somewhere = local(query.get("to")).is_some_and(|to| to != START);
        (!query.get("over").is_empty() && was_somewhere).then_some(t.log_in_first)
    };
    Ok(form(&face, StatusCode::OK, query.get("to"), "", note, false))
}

fn form(face: &Face, status: StatusCode, to: &str, name: &str, wrong: Option<&str>, needs_code: bool) -> HttpResponse {
    let t = face.t();
    let kind = if status == StatusCode::OK { "note" } else { "bad" };
    let fields = Filled::default();
    let body = html! {
        @if let Some(wrong) = wrong { (notice(kind, html! { p { (wrong) } })) }
        form.card.narrow method="post" action="/console/log-in" {
            input type="hidden" name="to" value=(local(to).unwrap_or_default());
            (fields.field("name", t.account_name, "text", name, "username"))
            (fields.field("password", t.password, "password", "", "current-password"))
            div.field {
                label for="code" { (t.one_time_code) }
                input #code name="code" inputmode="text" autocomplete="one-time-code" aria-describedby="code-hint"
                    autofocus[needs_code];
                p.hint #code-hint { (t.one_time_code_hint) }
            }
            button.main type="submit" { (t.log_in) }
        }
    };
    page_of(status, face.page_of("plain", Place::Nowhere, t.log_in, body))
}

pub async fn log_in(door: Door, asked: Asked, face: Face) -> Answered {
    let sent = Form::of_body(&asked)?;
    let name = sent.get("name").to_owned();
    let shown = Credentials {
        name: name.clone(),
        password: Spoken::new(sent.as_typed("password")),
        code: sent.some("code").map(Spoken::new),
    };
    let logged_in = match door.appliance()?.gate().log_in(&shown, &address(&asked.request)).await {
        Ok(logged_in) => logged_in,
        Err(error) => {
            let t = face.t();
            let why = match &error {
                LogInError::Wrong => t.wrong_log_in.to_owned(),
                LogInError::NeedsCode => t.needs_code.to_owned(),
                LogInError::WrongCode => t.wrong_code.to_owned(),
                LogInError::Busy => wrongs::words(face.look.language, &Code::Busy.into()),
                LogInError::Slowed(wait) => {
                    let wait = words::seconds(face.look.language, wait.as_secs() + 1);
                    format!("{} {wait}.", t.slowed)
                }
                // Why is for its administrator, who finds it in the log.
                LogInError::NotNoted(_) | LogInError::Store(_) => {
                    tracing::error!(%error, "nobody can log in");
                    t.no_log_in_now.to_owned()
                }
            };
            let needs_code = matches!(error, LogInError::NeedsCode | LogInError::WrongCode);
            let status = Refused::from(error).status();
            return Ok(form(&face, status, sent.get("to"), &name, Some(&why), needs_code));
        }
    };
    let mut response = see(local(sent.get("to")).unwrap_or(START));
    web::set_cookie(&mut response, &asked, logged_in.token.reveal(), "")?;
    // Somebody else may have said why they read, by the same browser.
    cookie(response.headers_mut(), web::REASON, "", asked.over_tls, Some(0));
    Ok(response)
}

pub async fn log_out(visitor: Visitor) -> Answered {
    let visit = &visitor.visit;
    if let Some(token) = &visit.token {
        let ended = visit.appliance().gate().log_out(token, &visit.account.address).await;
        ended.map_err(|failure| visit.failed(failure))?;
    }
    let mut response = see("/console/log-in");
    web::set_cookie(&mut response, &visit.asked, "", "; Max-Age=0")?;
    cookie(response.headers_mut(), web::REASON, "", visit.asked.over_tls, Some(0));
    Ok(response)
}

/// Keeps language and theme. It is no matter of an account.
pub async fn look(asked: Asked, _: Face) -> Answered {
    let form = Form::of_body(&asked)?;
    let mut response = see(local(form.get("here")).unwrap_or(START));
    let headers = response.headers_mut();
    if let Some(language) = Language::of_tag(form.get("language")) {
        cookie(headers, LANGUAGE, language.tag(), asked.over_tls, Some(YEAR));
    }
    if let Some(theme) = Theme::of_word(form.get("theme")) {
        cookie(headers, THEME, theme.word(), asked.over_tls, Some(YEAR));
    }
    Ok(response)
}

/// For somebody who comes by a link of another site: goes on to the same page by one of ours.
pub fn from_elsewhere(face: &Face) -> HttpResponse {
    let here = local(&face.look.here).unwrap_or(START);
    let page = html! {
        (DOCTYPE)
        html lang=(face.look.language.tag()) {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content={ "0;url=" (here) };
                title { "dropkeep" }
            }
            body { p { a href=(here) { "dropkeep" } } }
        }
    };
    page_of(StatusCode::OK, page)
}
