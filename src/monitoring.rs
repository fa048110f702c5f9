//! Metrics and health, as a guest of the HTTP server: `/`, `/metrics`, `/healthz` and `/readyz`. None of it shows what
//! is archived.

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    HttpResponse,
    http::{Method, StatusCode},
    web,
};
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::{
    http::{self, Asked, LetIn, Route},
    report::recorder::before_scrape,
};

/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

const HTML: &str = "text/html; charset=utf-8";
/// Pages of metrics that are made at once, each of which is in memory.
const PAGES: usize = 2;

/// Whether the appliance is ready: the store open, the supervisors up, nothing closed for writing. At first it is not.
#[derive(Clone)]
pub struct Readiness(Arc<Mutex<Option<Cow<'static, str>>>>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some("starting".into()))))
    }
}

impl Readiness {
    pub fn ready(&self) {
        self.set(None);
    }

    /// Not ready, for a reason that anybody who asks is shown: a few words, with nothing in them that is a secret.
    pub fn not_ready(&self, why: impl Into<Cow<'static, str>>) {
        self.set(Some(why.into()));
    }

    pub fn is_ready(&self) -> bool {
        self.why_not().is_none()
    }

    /// Why it is not ready; `None` if it is.
    pub fn why_not(&self) -> Option<Cow<'static, str>> {
        // Nothing panics while it holds the lock.
        self.0.lock().clone()
    }

    fn set(&self, why_not: Option<Cow<'static, str>>) {
        *self.0.lock() = why_not;
    }
}

/// The pages, in the order in which `/` lists them.
pub fn routes(metrics: PrometheusHandle, readiness: Readiness) -> Vec<Route> {
    let pages = Arc::new(Semaphore::new(PAGES));
    vec![
        Route::new(Method::GET, "/", LetIn::Anyone, async |asked| links(&asked)),
        Route::new(Method::GET, "/metrics", LetIn::Token, move |_| {
            page(metrics.clone(), pages.clone())
        }),
        Route::new(Method::GET, "/healthz", LetIn::Anyone, async |_| {
            http::answer(StatusCode::OK).body("ok\n")
        }),
        Route::new(Method::GET, "/readyz", LetIn::Anyone, move |_| {
            let readiness = readiness.clone();
            async move {
                match readiness.why_not() {
                    None => http::answer(StatusCode::OK).body("ready\n"),
                    Some(why) => http::answer(StatusCode::SERVICE_UNAVAILABLE).body(format!("not ready: {why}\n")),
                }
            }
        }),
    ]
}

/// The first page, for people with a browser: links to the others, which work behind a proxy, too. Only those who may
/// read the metrics get the version.
fn links(asked: &Asked) -> HttpResponse {
    let version = match asked.knows_token {
        true => concat!(" ", env!("CARGO_PKG_VERSION")),
        false => "",
    };
    let token = match asked.has_token {
        true => " This page asks for a token: <code>Authorization: Bearer …</code>",
        false => "",
    };
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>dropkeep</title>\n</head>\n<body>\n\
         <h1>dropkeep{version}</h1>\n\
         <p>Metrics and health of this appliance. The mail is not on these pages: <code>dropkeep help</code> on its machine lists \
         the commands that show it; people with an account read it in <a href=\"console\">the console</a>, and programs by <a \
         href=\"api/v1/openapi.json\">the API</a>.</p>\n<ul>\n\
         <li><a href=\"metrics\">metrics</a>: figures for Prometheus.{token}</li>\n\
         <li><a href=\"healthz\">healthz</a>: whether the appliance answers.</li>\n\
         <li><a href=\"readyz\">readyz</a>: whether mail can be archived, and if not, why.</li>\n\
         </ul>\n</body>\n</html>\n"
    );
    http::answer(StatusCode::OK).content_type(HTML).body(page)
}

async fn page(metrics: PrometheusHandle, pages: Arc<Semaphore>) -> HttpResponse {
    // It is never closed.
    let _one_of_them = pages.acquire_owned().await;
    // Thousands of series take milliseconds, in which others would wait.
    let render = move || {
        before_scrape();
        metrics.render()
    };
    match web::block(render).await {
        Ok(page) => http::answer(StatusCode::OK).content_type(METRICS).body(page),
        Err(_) => http::refusal(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
