//! What is answered to whom.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{
            ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, REFERRER_POLICY,
            TRANSFER_ENCODING, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    web,
};
use metrics_exporter_prometheus::PrometheusHandle;

use super::{access::Access, connection::Connection, host::Hosts, readiness::Readiness};
use crate::report::recorder::before_scrape;

/// Bytes of a request's path and header fields. What asks for metrics needs a few hundred.
const HEADER: usize = 16 << 10;

/// What there is.
const PATHS: [&str; 4] = ["/", "/metrics", "/healthz", "/readyz"];
const NOT_FOUND: &str = "not found; there are /, /metrics, /healthz and /readyz\n";

const TEXT: &str = "text/plain; charset=utf-8";
/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

const HTML: &str = "text/html; charset=utf-8";
/// The page has nothing but links.
const LINKS_ONLY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const MISDIRECTED: &str = "this machine does not answer to that host name; ask for localhost, 127.0.0.1 or [::1], or add the \
                           name to `hosts` in [http]\n";

pub(super) struct Pages {
    pub metrics: PrometheusHandle,
    pub readiness: Readiness,
    /// Where clear text is spoken.
    pub hosts: Option<Hosts>,
    pub access: Arc<Access>,
}

/// Answers every request. The body of an answer to HEAD is left out by the server.
pub(super) async fn answer(request: HttpRequest, pages: web::Data<Pages>) -> HttpResponse {
    if !Connection::is_first(&request).await {
        return plain(StatusCode::BAD_REQUEST);
    }
    if let Some(status) = unfit(&request) {
        return plain(status);
    }
    match pages.hosts.as_ref().and_then(|hosts| hosts.refuses(&request)) {
        None => {}
        Some(StatusCode::MISDIRECTED_REQUEST) => return with(StatusCode::MISDIRECTED_REQUEST).body(MISDIRECTED),
        Some(status) => return plain(status),
    }
    let path = request.path();
    if !PATHS.contains(&path) {
        return with(StatusCode::NOT_FOUND).body(NOT_FOUND);
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refusal = with(StatusCode::METHOD_NOT_ALLOWED);
        return refusal.insert_header((ALLOW, "GET, HEAD")).body("method not allowed\n");
    }
    match path {
        "/" => links(&request, &pages),
        "/metrics" => metrics(&request, &pages).await,
        "/healthz" => with(StatusCode::OK).body("ok\n"),
        _ => match pages.readiness.why_not() {
            None => with(StatusCode::OK).body("ready\n"),
            Some(why) => with(StatusCode::SERVICE_UNAVAILABLE).body(format!("not ready: {why}\n")),
        },
    }
}

/// The first page, for people with a browser: links to the others, which work behind a proxy, too. Only those who may read the
/// metrics get the version.
fn links(request: &HttpRequest, pages: &Pages) -> HttpResponse {
    let version = match pages.access.knows_token(request.headers().get(AUTHORIZATION)) {
        true => concat!(" ", env!("CARGO_PKG_VERSION")),
        false => "",
    };
    let token = match pages.access.has_token() {
        true => " This page asks for a token: <code>Authorization: Bearer …</code>",
        false => "",
    };
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>dropkeep</title>\n</head>\n<body>\n\
         <h1>dropkeep{version}</h1>\n\
         <p>Metrics and health of this appliance. The mail is not here: <code>dropkeep help</code> on its machine lists the \
         commands that show it.</p>\n<ul>\n\
         <li><a href=\"metrics\">metrics</a>: figures for Prometheus.{token}</li>\n\
         <li><a href=\"healthz\">healthz</a>: whether the appliance answers.</li>\n\
         <li><a href=\"readyz\">readyz</a>: whether mail can be archived, and if not, why.</li>\n\
         </ul>\n</body>\n</html>\n"
    );
    with(StatusCode::OK)
        .content_type(HTML)
        .insert_header((CONTENT_SECURITY_POLICY, LINKS_ONLY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(page)
}

async fn metrics(request: &HttpRequest, pages: &Pages) -> HttpResponse {
    let given = request.headers().get(AUTHORIZATION);
    if !pages.access.permits(given, request.peer_addr()) {
        let mut refusal = with(StatusCode::UNAUTHORIZED);
        return refusal
            .insert_header((WWW_AUTHENTICATE, "Bearer"))
            .body("this needs the token: Authorization: Bearer …\n");
    }
    let handle = pages.metrics.clone();
    // Thousands of series take milliseconds, in which others would wait.
    let render = move || {
        before_scrape();
        handle.render()
    };
    match web::block(render).await {
        Ok(page) => with(StatusCode::OK).content_type(METRICS).body(page),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Requests have no body and a small header.
fn unfit(request: &HttpRequest) -> Option<StatusCode> {
    let headers = request.headers();
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length.as_bytes() != b"0");
    if has_body {
        return Some(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    let length = fields.sum::<usize>() + request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    (length > HEADER).then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}

/// A status in words.
fn plain(status: StatusCode) -> HttpResponse {
    let words = status.canonical_reason().unwrap_or("refused").to_ascii_lowercase();
    with(status).body(words + "\n")
}

fn with(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .content_type(TEXT)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer
}
