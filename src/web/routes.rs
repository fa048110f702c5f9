//! The addresses of the API, and what answers them.

use std::future::Future;

use actix_web::{HttpResponse, http::Method};

use super::{
    accounts, audit,
    document::json,
    door::{Answered, Door, Visit},
    mail, message, notices, profiles, runs, session, take, upkeep, users,
};
use crate::{
    http::{Asked, LetIn, Route},
    report::metrics,
};

/// Bytes of a body at most: the names and addresses of a user, say.
const BODY: usize = 64 << 10;
/// The same of a table of users, or of profiles.
const TABLE: usize = 1 << 20;

/// What those with accounts can ask for, in the order of the document.
pub fn routes(door: &Door) -> Vec<Route> {
    let get = |path, handler: Handler| visited(door, Method::GET, path, handler);
    let put = |path, handler: Handler| visited(door, Method::PUT, path, handler).with_body(BODY);
    let post = |path, handler: Handler| visited(door, Method::POST, path, handler).with_body(BODY);
    let delete = |path, handler: Handler| visited(door, Method::DELETE, path, handler);
    let log_in = door.clone();
    let log_in = move |asked: Asked| {
        let door = log_in.clone();
        async move { answered("/api/v1/session", session::log_in(door, asked)).await }
    };
    let document = async |_| HttpResponse::Ok().content_type("application/json").body(json());
    vec![
        Route::new(Method::GET, "/api/v1/openapi.json", LetIn::Anyone, document).unlisted(),
        Route::new(Method::POST, "/api/v1/session", LetIn::Anyone, log_in)
            .with_body(BODY)
            .unlisted(),
        delete("/api/v1/session", handler(session::log_out)),
        get("/api/v1/me", handler(session::me)),
        get("/api/v1/search", handler(mail::search)),
        get("/api/v1/users/{name}/messages", handler(mail::messages)),
        get("/api/v1/messages/{id}", handler(message::show)),
        get("/api/v1/messages/{id}/raw", handler(message::raw)),
        get("/api/v1/messages/{id}/attachments/{n}", handler(message::attachment)),
        get("/api/v1/messages/{id}/journal", handler(message::journal)),
        get("/api/v1/export", handler(take::take)),
        get("/api/v1/users", handler(users::list)),
        post("/api/v1/users", handler(users::add)),
        post("/api/v1/users/import", handler(users::import)).with_body(TABLE),
        put("/api/v1/users/{name}", handler(users::change)),
        delete("/api/v1/users/{name}", handler(users::retire_so)),
        post("/api/v1/users/{name}/rename", handler(users::rename)),
        post("/api/v1/users/{name}/retire", handler(users::retire)),
        get("/api/v1/lists", handler(users::lists)),
        put("/api/v1/lists/{address}", handler(users::put_list)),
        delete("/api/v1/lists/{address}", handler(users::remove_list)),
        get("/api/v1/unknown", handler(users::unknown)),
        post("/api/v1/unknown/{address}/assign", handler(users::assign)),
        put("/api/v1/unknown/{address}/ignored", handler(users::ignore)),
        delete("/api/v1/unknown/{address}/ignored", handler(users::ignore_no_longer)),
        post("/api/v1/reroutes", handler(runs::reroute)),
        get("/api/v1/reroutes/events", handler(runs::reroute_events)),
        post("/api/v1/reroutes/interrupt", handler(runs::interrupt_reroute)),
        get("/api/v1/runs", handler(runs::runs)),
        get("/api/v1/runs/{run}", handler(runs::run)),
        get("/api/v1/runs/{run}/events", handler(runs::events)),
        get("/api/v1/profiles", handler(runs::profiles)),
        post("/api/v1/profiles", handler(profiles::add)),
        post("/api/v1/profiles/test", handler(profiles::test_unsaved)),
        post("/api/v1/profiles/dry-run", handler(profiles::dry_run_unsaved)),
        post("/api/v1/profiles/import", handler(profiles::import)).with_body(TABLE),
        get("/api/v1/profiles/{name}", handler(profiles::setup)),
        put("/api/v1/profiles/{name}", handler(profiles::replace)),
        delete("/api/v1/profiles/{name}", handler(profiles::remove)),
        post("/api/v1/profiles/{name}/test", handler(profiles::test)),
        post("/api/v1/profiles/{name}/propose", handler(profiles::propose)),
        post("/api/v1/profiles/{name}/dry-run", handler(profiles::dry_run)),
        post("/api/v1/profiles/{name}/runs", handler(runs::begin)),
        post("/api/v1/profiles/{name}/interrupt", handler(runs::interrupt)),
        post("/api/v1/notices/test", handler(notices::test)),
        post("/api/v1/verifications", handler(upkeep::verify)),
        get("/api/v1/verifications/last", handler(upkeep::last_verification)),
        get("/api/v1/verifications/events", handler(upkeep::verify_events)),
        post(
            "/api/v1/verifications/interrupt",
            handler(upkeep::interrupt_verification),
        ),
        post("/api/v1/compactions", handler(upkeep::compact)),
        get("/api/v1/compactions/events", handler(upkeep::compact_events)),
        post("/api/v1/compactions/interrupt", handler(upkeep::interrupt_compaction)),
        get("/api/v1/index", handler(upkeep::index)),
        post("/api/v1/index/rebuild", handler(upkeep::rebuild_index)),
        get("/api/v1/index/events", handler(upkeep::index_events)),
        get("/api/v1/status", handler(runs::status)),
        get("/api/v1/accounts", handler(accounts::list)),
        post("/api/v1/accounts", handler(accounts::add)),
        get("/api/v1/accounts/{name}", handler(accounts::account)),
        delete("/api/v1/accounts/{name}", handler(accounts::remove)),
        post("/api/v1/accounts/{name}/disable", handler(accounts::disable)),
        post("/api/v1/accounts/{name}/enable", handler(accounts::enable)),
        put("/api/v1/accounts/{name}/role", handler(accounts::role)),
        put("/api/v1/accounts/{name}/archives/{user}", handler(accounts::give)),
        delete("/api/v1/accounts/{name}/archives/{user}", handler(accounts::take)),
        put("/api/v1/accounts/{name}/password", handler(accounts::password)),
        post("/api/v1/accounts/{name}/totp", handler(accounts::totp)),
        post("/api/v1/accounts/{name}/totp/confirm", handler(accounts::confirm_totp)),
        delete("/api/v1/accounts/{name}/totp", handler(accounts::no_totp)),
        get("/api/v1/accounts/{name}/applications", handler(accounts::applications)),
        post(
            "/api/v1/accounts/{name}/applications",
            handler(accounts::add_application),
        ),
        delete(
            "/api/v1/accounts/{name}/applications/{application}",
            handler(accounts::remove_application),
        ),
        get("/api/v1/sessions", handler(accounts::all_sessions)),
        get("/api/v1/accounts/{name}/sessions", handler(accounts::sessions)),
        delete("/api/v1/accounts/{name}/sessions", handler(accounts::end_sessions)),
        delete(
            "/api/v1/accounts/{name}/sessions/{session}",
            handler(accounts::end_session),
        ),
        get("/api/v1/audit", handler(audit::audit)),
    ]
}

/// What answers somebody who was let in.
type Handler = Box<dyn Fn(Visit) -> futures_util::future::LocalBoxFuture<'static, Answered> + Send + Sync>;

fn handler<A>(handler: fn(Visit) -> A) -> Handler
where
    A: Future<Output = Answered> + 'static,
{
    Box::new(move |visit| Box::pin(handler(visit)))
}

/// A route for those who are let in.
fn visited(door: &Door, method: Method, path: &'static str, handler: Handler) -> Route {
    let (door, handler) = (door.clone(), std::sync::Arc::new(handler));
    let visited = move |asked| {
        let (door, handler) = (door.clone(), handler.clone());
        async move { answered(path, async move { handler(door.admit(asked).await?).await }).await }
    };
    Route::new(method, path, LetIn::Anyone, visited).unlisted()
}

async fn answered(path: &'static str, answer: impl Future<Output = Answered>) -> HttpResponse {
    let answer = answer.await.unwrap_or_else(super::refused::Refused::answer);
    metrics::http_request(path, answer.status().as_u16());
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{config, web::document};

    #[test]
    fn each_address_is_in_the_document_and_the_document_has_no_other() {
        let served: BTreeSet<_> = routes(&Door::new(&config::Web::default()))
            .iter()
            .map(|route| (route.path().to_owned(), route.method().as_str().to_lowercase()))
            .filter(|(path, _)| path != "/api/v1/openapi.json")
            .collect();
        let document = serde_json::to_value(document()).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert((path.clone(), method.clone()));
            }
        }
        assert_eq!(served, described);
    }
}
