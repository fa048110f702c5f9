//! The addresses of the console, and what answers them.

use std::{future::Future, sync::Arc};

use actix_web::{
    HttpResponse,
    http::{Method, StatusCode},
};

use super::{
    account, accounts,
    answers::{see, trouble},
    assets, assign, audit, body, browse,
    documents::HANDBOOK,
    first::{self, FirstAccount},
    form::{Form, link},
    frame::{CODES, Face, Who},
    handbook, import, lists, log_in,
    look::{Look, local},
    message, overview, people, runs, search, store,
    visitor::{Answered, Handler, Visitor, bears, form_token, handler},
    wizard,
};
use crate::{
    http::{Asked, LetIn, Route},
    report::metrics,
    web::{Door, Refused, refuse_other_sites},
};

/// Where one begins.
const START: &str = "/console";
/// Below it everything is ours: also what is not there, and what only takes forms.
const NOT_THERE: &str = "/console/";

/// Bytes of a form at most.
const BODY: usize = 64 << 10;
/// The same of one with a table, whose letters may take three bytes each.
const TABLE: usize = 3 << 20;
/// The same of one with a list that somebody else made: of folders, say.
const LONG_BODY: usize = 512 << 10;

/// What somebody with a browser can ask for.
pub fn routes(door: &Door, first: &FirstAccount) -> Vec<Route> {
    let get = |path, handler: Handler| visited(door, Method::GET, path, handler);
    let post = |path, handler: Handler| visited(door, Method::POST, path, handler).with_body(BODY);
    let (one, other) = ((door.clone(), first.clone()), (door.clone(), first.clone()));
    let (ask, log_in) = (door.clone(), door.clone());
    let routes = vec![
        Route::new(Method::GET, "/console/static/{file}", LetIn::Anyone, assets::asset),
        open(Method::GET, "/console/log-in", move |asked, face| {
            log_in::ask(ask.clone(), asked, face)
        }),
        open(Method::POST, "/console/log-in", move |asked, face| {
            log_in::log_in(log_in.clone(), asked, face)
        })
        .with_body(BODY),
        open(Method::POST, "/console/look", log_in::look).with_body(BODY),
        open(Method::GET, "/console/first/{token}", move |asked, face| {
            first::ask(one.clone(), asked, face)
        }),
        open(Method::POST, "/console/first/{token}", move |asked, face| {
            first::make(other.clone(), asked, face)
        })
        .with_body(BODY),
        get("/console", handler(log_in::start)),
        post("/console/log-out", handler(log_in::log_out)),
        get("/console/mail", handler(search::page)),
        post("/console/mail/reason", handler(search::reason)),
        get("/console/export", handler(search::take)),
        get("/console/archives", handler(browse::archives)),
        get("/console/archives/{name}", handler(browse::archive)),
        get("/console/mail/{id}", handler(message::page)),
        get("/console/mail/{id}/body", handler(body::page)),
        get("/console/mail/{id}/print", handler(body::print)),
        get("/console/mail/{id}/headers", handler(message::headers)),
        get("/console/mail/{id}/journal", handler(message::journal)),
        get("/console/mail/{id}/source", handler(message::source)),
        get("/console/mail/{id}/download", handler(message::download)),
        get("/console/mail/{id}/parts/{n}", handler(message::part)),
        get("/console/mail/{id}/nested/{n}", handler(message::nested)),
        get("/console/overview", handler(overview::page)),
        get("/console/runs", handler(runs::list)),
        get("/console/runs/{run}", handler(runs::run)),
        get("/console/lists", handler(lists::open)),
        get("/console/unknown", handler(assign::list)),
        get("/console/unknown/{address}", handler(assign::page)),
        post("/console/unknown/{address}/give", handler(assign::give)),
        post("/console/unknown/{address}/make", handler(assign::make)),
        post("/console/unknown/{address}/list", handler(assign::list_of)),
        post("/console/unknown/{address}/ignore", handler(assign::ignore)),
        get(assign::MAIL, handler(assign::mail)),
        post("/console/reroute/count", handler(assign::recount)),
        post("/console/reroute/file", handler(assign::file)),
        post("/console/reroute/stop", handler(assign::interrupt)),
        post("/console/profiles/{name}/run", handler(runs::begin)),
        post("/console/profiles/{name}/interrupt", handler(runs::interrupt)),
        get("/console/account", handler(account::page)),
        post("/console/account/password", handler(account::password)),
        get(CODES, handler(account::codes)),
        post("/console/account/codes/begin", handler(account::begin_codes)),
        post("/console/account/codes/confirm", handler(account::confirm_codes)),
        post("/console/account/codes/off", handler(account::codes_off)),
        post("/console/account/applications", handler(account::add_application)),
        post(
            "/console/account/applications/remove",
            handler(account::remove_application),
        ),
        post("/console/account/sessions/end", handler(account::end_session)),
        get("/console/people", handler(people::page)),
        get("/console/people/import", handler(import::page)),
        post("/console/people/import", handler(import::preview)).with_body(TABLE),
        post("/console/people/import/now", handler(import::now)).with_body(TABLE),
        post("/console/people/users", handler(people::add_user)),
        post("/console/people/users/{name}/rename", handler(people::rename)),
        post("/console/people/users/{name}/retire", handler(people::retire)),
        post("/console/people/accounts", handler(accounts::add)),
        get("/console/people/accounts/{name}", handler(accounts::page)),
        get("/console/people/accounts/{name}/{change}", handler(accounts::ask)),
        post("/console/people/accounts/{name}/{change}", handler(accounts::change)),
        get(HANDBOOK, handler(handbook::contents)),
        get("/console/handbook/{name}", handler(handbook::document)),
        get("/console/audit", handler(audit::page)),
        get("/console/audit.csv", handler(audit::csv)),
        get("/console/store", handler(store::page)),
        post("/console/store/index", handler(store::rebuild_index)),
        post("/console/store/compact", handler(store::compact)),
        post("/console/store/compact/stop", handler(store::stop_compaction)),
        post("/console/store/verify", handler(store::verify)),
        post("/console/store/verify/stop", handler(store::stop_verification)),
    ];
    let of_wizard = wizard::pages().into_iter().map(|(method, path, handler)| {
        let most = if method == Method::POST { LONG_BODY } else { 0 };
        visited(door, method, path, handler).with_body(most)
    });
    let not_there = visited(door, Method::GET, NOT_THERE, handler(not_there)).fallback();
    let routes = routes.into_iter().chain(of_wizard);
    routes.map(Route::unlisted).chain([not_there]).collect()
}

/// What is said where there is no such page.
async fn not_there(visitor: Visitor) -> Answered {
    Ok(trouble(&visitor.face, &Refused::new(StatusCode::NOT_FOUND)))
}

/// A page for whoever asks.
fn open<H, A>(method: Method, path: &'static str, handler: H) -> Route
where
    H: Fn(Asked, Face) -> A + Send + Sync + 'static,
    A: Future<Output = Answered> + 'static,
{
    let handler = Arc::new(handler);
    Route::new(method, path, LetIn::Anyone, move |asked: Asked| {
        let handler = handler.clone();
        async move {
            let face = Face {
                look: Look::of(&asked.request),
                who: None,
            };
            let answer = match refuse_other_sites(&asked.request) {
                Err(_) if is_followed_link(&asked) => Ok(log_in::from_elsewhere(&face)),
                Err(refused) => Err(refused),
                Ok(()) => handler(asked, face.clone()).await,
            };
            counted(path, answer.unwrap_or_else(|refused| trouble(&face, &refused)))
        }
    })
}

/// A page for those who are let in; others are asked to log in, and come back.
fn visited(door: &Door, method: Method, path: &'static str, handler: Handler) -> Route {
    let (door, handler) = (door.clone(), Arc::new(handler));
    Route::new(method, path, LetIn::Anyone, move |asked: Asked| {
        let (door, handler) = (door.clone(), handler.clone());
        async move {
            let mut face = Face {
                look: Look::of(&asked.request),
                who: None,
            };
            if path == NOT_THERE {
                // Nobody is sent back to where there is nothing.
                face.look.here = START.to_owned();
            }
            let answer = answer(&door, &handler, asked, &mut face).await;
            counted(path, answer.unwrap_or_else(|refused| trouble(&face, &refused)))
        }
    })
}

async fn answer(door: &Door, handler: &Handler, asked: Asked, face: &mut Face) -> Answered {
    let reads = asked.request.method() != Method::POST;
    if is_followed_link(&asked) {
        // The browser withholds the cookie from links of other sites, and sends it for one of ours.
        return Ok(log_in::from_elsewhere(face));
    }
    let query = Form::of_query(&asked);
    let form = if reads { Form::default() } else { Form::of_body(&asked)? };
    if !reads {
        // The page that has the form may itself be the answer to one, which no link leads to.
        face.look.here = local(form.get("here")).unwrap_or(START).to_owned();
    }
    let path = asked.request.path().to_owned();
    let visit = match door.admit(asked).await {
        Ok(visit) => visit,
        Err(refused) if refused.status() == StatusCode::UNAUTHORIZED => {
            let back = local(&face.look.here).unwrap_or_default();
            return Ok(see(&link("/console/log-in", &[("to", back), ("over", "1")])));
        }
        Err(refused) => return Err(refused),
    };
    let token = visit.token.as_ref().map(form_token).unwrap_or_default();
    let who = Who::new(&visit.account, token.clone());
    let enrols = who.enrols && reads && path != CODES;
    face.who = Some(who);
    if enrols {
        return Ok(see(CODES));
    }
    if !reads && !bears(&form, &token) {
        let t = face.t();
        return Err(Refused::new(StatusCode::FORBIDDEN)
            .because(t.no_form_token)
            .do_so(t.do_load_again));
    }
    handler(Visitor {
        visit,
        face: face.clone(),
        query,
        form,
        mistake: None,
    })
    .await
}

/// Whether somebody followed a link of another site to here, which asks for nothing to be done.
fn is_followed_link(asked: &Asked) -> bool {
    let field = |name: &str| {
        asked
            .request
            .headers()
            .get(name)
            .map_or(&b""[..], |value| value.as_bytes())
    };
    let elsewhere = [&b"cross-site"[..], b"same-site"].contains(&field("sec-fetch-site"));
    let opens = field("sec-fetch-mode") == b"navigate" && field("sec-fetch-dest") == b"document";
    elsewhere && opens && asked.request.method() == Method::GET
}

fn counted(path: &'static str, answer: HttpResponse) -> HttpResponse {
    metrics::http_request(path, answer.status().as_u16());
    answer
}
