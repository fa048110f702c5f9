//! Where every request arrives: what cannot be answered is refused here, everything else goes to the guest whose it is.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        ConnectionType, Method, StatusCode,
        header::{
            ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName,
            HeaderValue, REFERRER_POLICY, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    web,
};
use bytes::Bytes;
use tokio::time::timeout;

use super::{
    access::Access,
    connection::{Answering, Turn},
    crowd::Crowd,
    host::Hosts,
    problem::problem,
    route::{Asked, LetIn, Named, Route, answer, refusal},
};

/// Bytes of a request's path and header fields. What asks for metrics needs a few hundred.
const HEADER: usize = 16 << 10;
/// How long the body of a request may take.
const BODY: Duration = Duration::from_secs(10);

/// Below it, refusals are problem documents.
const API: &str = "/api/";

/// What every answer says that does not say otherwise: nobody keeps it, guesses what it is, embeds it, loads anything for
/// it, or is told from where somebody came.
const HEADERS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const MISDIRECTED: &str = "this machine does not answer to that host name; ask for localhost, 127.0.0.1 or [::1], or add the \
                           name to `hosts` in [http]\n";

pub(super) struct Reception {
    pub routes: Vec<Route>,
    /// `None` over TLS.
    pub hosts: Option<Hosts>,
    pub access: Arc<Access>,
    /// Whom requests come from.
    pub crowd: Crowd,
}

/// The answer to a request that no guest gets to see.
type Refused = Box<HttpResponse>;

/// Answers every request. The server leaves out the body of an answer to HEAD.
pub(super) async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    reception: web::Data<Reception>,
) -> HttpResponse<Answering> {
    let turn = Turn::of(&request);
    let from = request.peer_addr().map_or_else(String::new, |from| network(from.ip()));
    let entered = reception.crowd.enter(&from);
    let answered = match &entered {
        _ if turn.is_early() => {
            turn.end().await;
            Err(refusal(StatusCode::BAD_REQUEST).into())
        }
        Err(wait) => Err(answer(StatusCode::TOO_MANY_REQUESTS)
            .insert_header((RETRY_AFTER, wait.as_secs() + 1))
            .body("too many requests from this address: try again later\n")
            .into()),
        Ok(_) => reception.answer(&request, payload, &turn).await,
    };
    let is_whole = answered.is_ok() || !has_body(&request);
    let mut response = answered.unwrap_or_else(|refused| in_its_form(&request, *refused));
    for (name, value) in HEADERS {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    if !is_whole {
        // What is left of the body is of no interest.
        turn.end_soon();
    }
    if !is_whole || turn.is_last() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response.map_body(|_, body| turn.with(body, entered.ok()))
}

/// A refusal as those expect it who asked.
fn in_its_form(request: &HttpRequest, refused: HttpResponse) -> HttpResponse {
    if !request.path().starts_with(API) {
        return refused;
    }
    let mut document = problem(refused.status(), None, None);
    let kept = [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE];
    let of_refusal: &HeaderMap = refused.headers();
    for name in kept {
        if let Some(value) = of_refusal.get(&name) {
            document.headers_mut().insert(name, value.clone());
        }
    }
    document
}

/// Who counts as one: an IPv6 customer has at least a /64.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).to_string(),
    }
}

impl Reception {
    /// The guest's answer, or a refusal, before which the body may not have been read.
    async fn answer(&self, request: &HttpRequest, payload: web::Payload, turn: &Turn) -> Result<HttpResponse, Refused> {
        if header_length(request) > HEADER {
            return Err(refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).into());
        }
        let route = self.route(request);
        let most = route.as_ref().map_or(0, |(route, _)| route.most);
        // For programs it is more to know that there is no such address, or that it takes no such method.
        let of_api = request.path().starts_with(API);
        if may_be_longer(request, most) && (route.is_ok() || !of_api) {
            return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE).into());
        }
        match self.hosts.as_ref().and_then(|hosts| hosts.refuses(request)) {
            None => {}
            Some(StatusCode::MISDIRECTED_REQUEST) => {
                return Err(answer(StatusCode::MISDIRECTED_REQUEST).body(MISDIRECTED).into());
            }
            Some(status) => return Err(refusal(status).into()),
        }
        let (route, named, refused) = match route {
            Ok((route, named)) => (route, named, None),
            Err(refused) => match self
                .routes
                .iter()
                .find(|route| route.falls_back(request.method(), request.path()))
            {
                Some(route) => (route, Named::new(), Some(refused)),
                None => return Err(refused),
            },
        };
        self.let_in(route, request)?;
        let given = request.headers().get(AUTHORIZATION);
        let asked = Asked {
            body: body(payload, most).await.map_err(|status| Box::new(refusal(status)))?,
            has_token: self.access.has_token(),
            knows_token: self.access.knows_token(given),
            over_tls: self.hosts.is_none(),
            named,
            request: request.clone(),
        };
        turn.takes_our_time();
        let mut answered = (route.handler)(asked).await;
        // It may also ask for a log-in first.
        if let Some(refused) = refused.filter(|_| answered.status() == StatusCode::NOT_FOUND) {
            *answered.status_mut() = refused.status();
            let allowed = refused.headers().get(ALLOW).cloned();
            allowed.and_then(|allowed| answered.headers_mut().insert(ALLOW, allowed).next());
        }
        Ok(answered)
    }

    /// The route that a request is for, and what stands in its path where that has names; an error answers 404 or 405.
    fn route(&self, request: &HttpRequest) -> Result<(&Route, Named), Refused> {
        let (method, path) = (request.method(), request.path());
        let of_path = || self.routes.iter().filter_map(|route| Some((route, route.named(path)?)));
        if let Some(found) = of_path().find(|(route, _)| route.takes(method)) {
            return Ok(found);
        }
        let methods = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        // As a reader of the API's document finds the address: where one without names is this path, it is that one.
        let names = of_path().map(|(_, named)| named.len()).min();
        let is_taken =
            |method: &&Method| of_path().any(|(route, named)| Some(named.len()) == names && route.takes(method));
        let allowed: Vec<&str> = methods.iter().filter(is_taken).map(Method::as_str).collect();
        match HeaderValue::from_str(&allowed.join(", ")) {
            Ok(allowed) if !allowed.is_empty() => Err(answer(StatusCode::METHOD_NOT_ALLOWED)
                .insert_header((ALLOW, allowed))
                .body("method not allowed\n")
                .into()),
            _ => Err(answer(StatusCode::NOT_FOUND).body(self.there_are()).into()),
        }
    }

    fn there_are(&self) -> String {
        let mut paths: Vec<&str> = self
            .routes
            .iter()
            .filter(|route| route.is_listed)
            .map(|route| route.path)
            .collect();
        paths.dedup();
        match paths.split_last() {
            None => "not found\n".to_owned(),
            Some((only, [])) => format!("not found; there is {only}\n"),
            Some((last, others)) => format!("not found; there are {} and {last}\n", others.join(", ")),
        }
    }

    fn let_in(&self, route: &Route, request: &HttpRequest) -> Result<(), Refused> {
        let from = request.peer_addr();
        match route.let_in {
            LetIn::Anyone => Ok(()),
            LetIn::Token if self.access.permits(request.headers().get(AUTHORIZATION), from) => Ok(()),
            LetIn::Token => Err(answer(StatusCode::UNAUTHORIZED)
                .insert_header((WWW_AUTHENTICATE, "Bearer"))
                .body("this needs the token: Authorization: Bearer …\n")
                .into()),
            LetIn::Loopback if from.is_some_and(|from| from.ip().to_canonical().is_loopback()) => Ok(()),
            LetIn::Loopback => Err(answer(StatusCode::FORBIDDEN)
                .body("this is for clients on this machine only\n")
                .into()),
        }
    }
}

/// Reads the body of a request.
async fn body(payload: web::Payload, most: usize) -> Result<Bytes, StatusCode> {
    match timeout(BODY, payload.to_bytes_limited(most)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(StatusCode::BAD_REQUEST),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn has_body(request: &HttpRequest) -> bool {
    may_be_longer(request, 0)
}

/// Whether the header says that the body is longer than this, or, where a body of any length is too long, does not say.
fn may_be_longer(request: &HttpRequest, most: usize) -> bool {
    let headers = request.headers();
    let length = headers
        .get(CONTENT_LENGTH)
        .map(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) => length.is_none_or(|length| length > most as u64),
        None => most == 0 && headers.contains_key(TRANSFER_ENCODING),
    }
}

fn header_length(request: &HttpRequest) -> usize {
    let fields = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    fields.sum::<usize>() + request.uri().path_and_query().map_or(0, |target| target.as_str().len())
}
