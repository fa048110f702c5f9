//! Who asks: whoever shows the cookie of a session, or an application password; and what they ask for.
//!
//! A page of another site may have somebody's browser send requests here. They bear no cookie of ours, as it is
//! SameSite=Strict. And they are refused for what the browser says of them: each request that a page makes for another
//! site bears `Sec-Fetch-Site`, or, of an older browser and with any method but GET and HEAD, `Origin` (Fetch, 3.2), and
//! no page can leave these out or forge them. A request with neither is no page's. So no token of its own is needed in
//! each form; and a body that is not declared as JSON, as that of a form cannot be, is not read.

use std::{
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN},
    },
};
use lru::LruCache;
use parking_lot::Mutex;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;

use super::refused::Refused;
use crate::{
    access::{Account, Caller, Token, words},
    api::{Failure, Reply, Request, Spoken},
    appliance::{Answer, Appliance},
    archive::StoreError,
    config,
    gate::Gate,
    http::{Asked, Crowd, Entered},
};

/// What is answered.
pub type Answered = Result<HttpResponse, Refused>;

/// Characters of a reason at most.
const LONGEST_REASON: usize = 1000;
/// Application passwords that were proved lately, and how long that saves noting it again.
const PROVED: NonZeroUsize = NonZeroUsize::new(1000).unwrap();
const LATELY: Duration = Duration::from_secs(60);

/// Why somebody reads mail, where their role has to say it: a field of the header, or a cookie, as browsers send no field
/// of ours by themselves; percent signs in it are decoded.
pub const REASON: &str = "dropkeep-reason";

/// The appliance for those who come in over HTTP. Cloned, it is the same.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    /// None until it has started.
    appliance: OnceLock<Arc<Appliance>>,
    /// By account.
    crowd: Crowd,
    /// When an application password was noted, by its digest.
    proved: Mutex<LruCache<words::Digest, Instant>>,
}

impl Door {
    pub fn new(settings: &config::Web) -> Self {
        Self(Arc::new(Inner {
            appliance: OnceLock::new(),
            crowd: Crowd::new(settings.requests_per_second, settings.requests_at_once),
            proved: Mutex::new(LruCache::new(PROVED)),
        }))
    }

    /// From now on it leads somewhere.
    pub fn open(&self, appliance: Arc<Appliance>) {
        // It is opened once.
        let _ = self.0.appliance.set(appliance);
    }

    pub fn appliance(&self) -> Result<&Arc<Appliance>, Refused> {
        let starting = || {
            Refused::new(StatusCode::SERVICE_UNAVAILABLE)
                .because("dropkeep is starting")
                .again_after(1)
        };
        self.0.appliance.get().ok_or_else(starting)
    }

    /// Lets somebody in who proves who they are.
    ///
    /// # Errors
    /// They do not, another site had their browser ask, or they ask too much.
    pub async fn admit(&self, asked: Asked) -> Result<Visit, Refused> {
        refuse_other_sites(&asked.request)?;
        let appliance = self.appliance()?.clone();
        let (gate, address) = (appliance.gate(), address(&asked.request));
        let (mut account, token) = match asked.request.headers().get(AUTHORIZATION) {
            Some(given) => (self.by_application(gate, given.as_bytes(), &address).await?, None),
            None => {
                let token = token(&asked);
                let account = token.as_ref().map(|token| gate.account_of(token, &address)).transpose();
                let account = account.map_err(not_read)?.flatten().ok_or_else(not_logged_in)?;
                (account, token)
            }
        };
        if let Some(token) = &token {
            gate.used(token)
                .await
                .map_err(|error| Refused::failed(&Method::GET, error.into()))?;
        }
        account.reason = reason(&asked.request)?;
        let too_much = |wait: Duration| {
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS).again_after(wait.as_secs() + 1);
            refused.because(format!("too many requests of account {:?}", account.name))
        };
        Ok(Visit {
            entered: Some(self.0.crowd.enter(&account.name).map_err(too_much)?),
            caller: Caller::Account(account.clone()),
            account,
            token,
            appliance,
            asked,
        })
    }

    /// By `Bearer NAME:PASSWORD`. That it was shown is noted once in a while, that it is still right is asked each time.
    async fn by_application(&self, gate: &Gate, given: &[u8], address: &str) -> Result<Account, Refused> {
        let shown = std::str::from_utf8(given).ok().and_then(|given| {
            let (scheme, shown) = given.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(shown.trim())
        });
        let Some((name, password)) = shown.and_then(|shown| shown.rsplit_once(':')) else {
            let detail = "Authorization is not `Bearer NAME:APPLICATION-PASSWORD`";
            return Err(Refused::new(StatusCode::UNAUTHORIZED).because(detail));
        };
        let password = Spoken::new(password);
        let digest = words::digest("dropkeep proved 1", given);
        let lately = self
            .0
            .proved
            .lock()
            .get(&digest)
            .is_some_and(|proved| proved.elapsed() < LATELY);
        if lately && let Some(account) = gate.still_application(name, &password, address).map_err(not_read)? {
            return Ok(account);
        }
        let account = gate.log_in_application(name, &password, address).await?;
        self.0.proved.lock().put(digest, Instant::now());
        Ok(account)
    }
}

/// Somebody who was let in, and what they ask for.
pub struct Visit {
    pub asked: Asked,
    pub account: Account,
    /// Of their session, where they come by one.
    pub token: Option<Token>,
    caller: Caller,
    appliance: Arc<Appliance>,
    entered: Option<Entered>,
}

impl Visit {
    pub fn appliance(&self) -> &Arc<Appliance> {
        &self.appliance
    }

    pub fn named(&self, name: &str) -> &str {
        self.asked.named(name)
    }

    /// A number in the path.
    ///
    /// # Errors
    /// It is none, so that there can be nothing of it.
    pub fn number<T: std::str::FromStr>(&self, name: &str, what: &str) -> Result<T, Refused> {
        let text = self.named(name);
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let number = if digits { text.parse().ok() } else { None };
        number.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND).because(format!("there is no {what} {text:?}")))
    }

    /// # Errors
    /// The parameters behind the path are not those that are asked for.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        self.asked.query().map_err(Refused::bad)
    }

    /// # Errors
    /// The body is not the JSON that is asked for.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        body(&self.asked)
    }

    /// What of the request goes on while an answer is streamed.
    pub fn take_entered(&mut self) -> Option<Entered> {
        self.entered.take()
    }

    /// Begins a request in the name of whoever asks.
    ///
    /// # Errors
    /// They may not make it, or the appliance ends.
    pub async fn begin(&self, request: Request) -> Result<Answer, Refused> {
        Ok(self.appliance.answer(&self.caller, request).await?)
    }

    /// All replies to a request that takes moments.
    ///
    /// # Errors
    /// They may not make it, or it failed.
    pub async fn ask(&self, request: Request) -> Result<Vec<Reply>, Refused> {
        let (replies, failure) = self.ask_for_what_there_is(request).await?;
        failure.map_or(Ok(replies), |failure| Err(self.failed(failure)))
    }

    /// All replies to a request, and how it failed behind them.
    ///
    /// # Errors
    /// They may not make it.
    pub async fn ask_for_what_there_is(&self, request: Request) -> Result<(Vec<Reply>, Option<Failure>), Refused> {
        let mut answer = self.begin(request).await?;
        let mut replies = Vec::new();
        while let Some(reply) = answer.next().await {
            match reply {
                Reply::Done => return Ok((replies, None)),
                Reply::Failed(failure) => return Ok((replies, Some(failure))),
                reply => replies.push(reply),
            }
        }
        Err(cut())
    }

    /// The lines of a list, its end, and what failed behind them: what cannot be read keeps nobody from the rest. `part` says
    /// what a reply is of it.
    ///
    /// # Errors
    /// They may not have it, or it has no end.
    pub async fn list<L, E>(
        &self,
        request: Request,
        part: impl Fn(Reply) -> Option<Part<L, E>>,
    ) -> Result<(Vec<L>, E, Option<Failure>), Refused> {
        let (replies, failure) = self.ask_for_what_there_is(request).await?;
        let (mut lines, mut end) = (Vec::new(), None);
        for reply in replies {
            match part(reply) {
                Some(Part::Line(line)) => lines.push(line),
                Some(Part::End(last)) => end = Some(last),
                None => {}
            }
        }
        match (end, failure) {
            (Some(end), failure) => Ok((lines, end, failure)),
            (None, Some(failure)) => Err(self.failed(failure)),
            (None, None) => Err(cut()),
        }
    }

    pub fn failed(&self, failure: Failure) -> Refused {
        Refused::failed(self.asked.request.method(), failure)
    }
}

/// What a reply is of a list.
pub enum Part<L, E> {
    Line(L),
    End(E),
}

/// An answer that was cut, which only a panic does.
pub fn cut() -> Refused {
    Refused::new(StatusCode::INTERNAL_SERVER_ERROR).because("the answer was cut; this is a bug in dropkeep")
}

fn not_read(error: StoreError) -> Refused {
    Refused::failed(&Method::GET, error.into())
}

fn not_logged_in() -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED).because("nobody is logged in: there is no session, or it is over")
}

/// The body of a request, as JSON.
///
/// # Errors
/// It is declared as something else, or not what is asked for.
pub fn body<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refused> {
    let kind = asked
        .request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // A list of values would be taken for what has fields, too.
    if !asked.body.trim_ascii_start().starts_with(b"{") {
        return Err(Refused::bad("the body is not a JSON object"));
    }
    // What is wrong with a value may quote it, and it may be a password.
    let place = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => "is JSON, but not what is asked for",
            _ => "is no JSON",
        };
        Refused::bad(format!("the body {what}, at line {line}, column {column}"))
    };
    serde_json::from_slice(&asked.body).map_err(place)
}

/// # Errors
/// A page of another site had a browser make this request.
pub fn refuse_other_sites(request: &HttpRequest) -> Result<(), Refused> {
    let field = |name| {
        request
            .headers()
            .get(name)
            .map(|value: &actix_web::http::header::HeaderValue| value.as_bytes())
    };
    let site = field(actix_web::http::header::HeaderName::from_static("sec-fetch-site"));
    let by_site = site.is_none_or(|site| site == b"same-origin" || site == b"none");
    let by_origin = field(ORIGIN).is_none_or(|origin| {
        let host = field(HOST).unwrap_or_default();
        let named = [&b"https://"[..], b"http://"]
            .into_iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        named.is_some_and(|named| named.eq_ignore_ascii_case(host))
    });
    match by_site && by_origin {
        true => Ok(()),
        false => Err(Refused::new(StatusCode::FORBIDDEN)
            .because("another site asks for this")
            .do_so("Open dropkeep's own address.")),
    }
}

/// Where a request comes from.
pub fn address(request: &HttpRequest) -> String {
    let address = request.peer_addr().map(|address| address.ip().to_canonical());
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

/// The name of the cookie. Over TLS no other site below the same domain can set one of this name (RFC 6265bis, 4.1.3.2).
pub fn cookie(asked: &Asked) -> &'static str {
    if asked.over_tls { "__Host-dropkeep" } else { "dropkeep" }
}

/// The token of the session whose cookie is shown.
fn token(asked: &Asked) -> Option<Token> {
    shown_cookie(&asked.request, cookie(asked)).map(Token::shown)
}

/// The value of the cookie of this name.
pub fn shown_cookie<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    let fields = request
        .headers()
        .get_all(COOKIE)
        .filter_map(|field| field.to_str().ok());
    let mut cookies = fields.flat_map(|field| field.split(';'));
    cookies.find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Why they ask.
fn reason(request: &HttpRequest) -> Result<Option<String>, Refused> {
    let field = request
        .headers()
        .get(REASON)
        .map(actix_web::http::header::HeaderValue::as_bytes);
    let Some(given) = field.or_else(|| shown_cookie(request, REASON).map(str::as_bytes)) else {
        return Ok(None);
    };
    let reason = percent_decode(given).decode_utf8().ok();
    let fits = |reason: &str| reason.chars().count() <= LONGEST_REASON && !reason.contains(char::is_control);
    match reason.filter(|reason| fits(reason)) {
        Some(reason) => Ok(Some(reason.into_owned())),
        None => Err(Refused::bad(format!(
            "Dropkeep-Reason must be a line of up to {LONGEST_REASON} characters, in UTF-8, with percent signs encoded"
        ))),
    }
}
