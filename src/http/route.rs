//! What a guest of the server brings: its pages, who is let in, and what answers.

use std::future::Future;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    },
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

const TEXT: &str = "text/plain; charset=utf-8";

/// Who may ask for a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LetIn {
    Anyone,
    /// Clients that send the token, if the configuration has one.
    Token,
    /// Clients on this machine. A proxy on it is such a client, whoever asks through it.
    Loopback,
}

/// A page, or another thing that can be asked for, by one method. HEAD is answered wherever GET is.
pub struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) let_in: LetIn,
    /// The most bytes that a request's body may have.
    pub(super) most: usize,
    pub(super) handler: Box<dyn Fn(Asked) -> LocalBoxFuture<'static, HttpResponse> + Send + Sync>,
}

/// A request that was let in, with all of its body.
pub struct Asked {
    pub request: HttpRequest,
    pub body: Bytes,
    /// Whether the configuration has a token.
    pub has_token: bool,
    /// Whether the client sent the token, or needs none.
    pub knows_token: bool,
}

impl Route {
    /// `path` is compared with what was asked for as it is, without decoding. The request may have no body. The client
    /// must have taken all of the answer 30 seconds after its request began.
    pub fn new<H, A>(method: Method, path: &'static str, let_in: LetIn, handler: H) -> Self
    where
        H: Fn(Asked) -> A + Send + Sync + 'static,
        A: Future<Output = HttpResponse> + 'static,
    {
        Self {
            method,
            path,
            let_in,
            most: 0,
            handler: Box::new(move |asked| Box::pin(handler(asked))),
        }
    }

    /// Takes a body of so many bytes, all of which are in memory before the handler is called.
    pub fn with_body(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    pub(super) fn takes(&self, method: &Method) -> bool {
        self.method == method || (self.method == Method::GET && method == Method::HEAD)
    }
}

/// An answer in plain text that nobody keeps.
pub fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .content_type(TEXT)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer
}

/// A status, with its own words as the text.
pub fn refusal(status: StatusCode) -> HttpResponse {
    let words = status.canonical_reason().unwrap_or("refused").to_ascii_lowercase();
    answer(status).body(words + "\n")
}
