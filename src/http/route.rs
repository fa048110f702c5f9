//! What a guest of the server brings: its pages, who is let in, and what answers.

use std::future::Future;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{Method, StatusCode},
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

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
    /// As it is given, with `{name}` for a segment that may be anything.
    pub(super) path: &'static str,
    /// Whether it stands, in place of a refusal, for all whose path begins with this one and that is not there.
    pub(super) is_fallback: bool,
    /// Whether it is named to whoever asks for a path that is not there.
    pub(super) is_listed: bool,
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
    /// Whether it came over TLS.
    pub over_tls: bool,
    pub(super) named: Named,
}

/// What stands in a path where its route has names.
pub(super) type Named = Vec<(&'static str, String)>;

/// Why the query of a request is not understood.
#[derive(thiserror::Error, Debug)]
pub enum BadQuery {
    #[error("its percent signs are not followed by two hexadecimal digits, or what they stand for is not UTF-8")]
    Encoding,
    #[error("{0}")]
    Parameter(String),
}

impl Asked {
    /// What stands in the path where its route has `{name}`; empty where it has no such name.
    pub fn named(&self, name: &str) -> &str {
        let named = self.named.iter().find(|(known, _)| *known == name);
        named.map_or("", |(_, value)| value)
    }

    /// The parameters behind the path.
    ///
    /// # Errors
    /// They are not encoded as they have to be, or not those that are asked for.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, BadQuery> {
        let query = self.request.query_string();
        if unescaped(query).is_none() {
            return Err(BadQuery::Encoding);
        }
        let query = actix_web::web::Query::<T>::from_query(query);
        query
            .map(actix_web::web::Query::into_inner)
            .map_err(|error| BadQuery::Parameter(error.to_string()))
    }
}

impl Route {
    /// `path` is compared with what was asked for as it is, without decoding; a segment `{name}` of it stands for any one
    /// segment, which is decoded. The request may have no body. The client must take something of the answer every 30
    /// seconds.
    pub fn new<H, A>(method: Method, path: &'static str, let_in: LetIn, handler: H) -> Self
    where
        H: Fn(Asked) -> A + Send + Sync + 'static,
        A: Future<Output = HttpResponse> + 'static,
    {
        Self {
            method,
            path,
            is_fallback: false,
            is_listed: true,
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

    /// It is not named to whoever asks for something else.
    pub fn unlisted(mut self) -> Self {
        self.is_listed = false;
        self
    }

    /// It is shown for whatever is asked for whose path begins with this one, to be read, that no other route has. The status stays that of the
    /// refusal in whose place it is.
    pub fn fallback(mut self) -> Self {
        self.is_fallback = true;
        self.unlisted()
    }

    /// Whether it stands for this request, which no other route takes.
    pub(super) fn falls_back(&self, method: &Method, path: &str) -> bool {
        self.is_fallback && self.takes(method) && path.starts_with(self.path)
    }

    pub fn path(&self) -> &'static str {
        self.path
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What stands in `path` where this route has names; `None` where it is another path.
    pub(super) fn named(&self, path: &str) -> Option<Named> {
        if self.is_fallback {
            return None;
        }
        let (mut named, mut given) = (Vec::new(), path.split('/'));
        for segment in self.path.split('/') {
            let given = given.next()?;
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => named.push((name, decoded(given).filter(|value| !value.is_empty())?)),
                None if segment == given => {}
                None => return None,
            }
        }
        given.next().is_none().then_some(named)
    }

    pub(super) fn takes(&self, method: &Method) -> bool {
        self.method == method || (self.method == Method::GET && method == Method::HEAD)
    }
}

/// The same of a segment of a path, where nothing may control anything.
fn decoded(text: &str) -> Option<String> {
    unescaped(text).filter(|text| !text.contains(char::is_control))
}

/// Text whose percent signs are all followed by two hexadecimal digits, decoded (RFC 3986, 2.1); `None` where one is not,
/// or what it stands for is not UTF-8.
fn unescaped(text: &str) -> Option<String> {
    let mut signs = text.bytes().enumerate().filter(|(_, byte)| *byte == b'%');
    let digits = |at: usize| text.as_bytes().get(at + 1..at + 3);
    if !signs.all(|(at, _)| digits(at).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))) {
        return None;
    }
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

/// An answer in plain text. Headers that all answers have are added to it.
pub fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.content_type(TEXT);
    answer
}

/// A status, with its own words as the text.
pub fn refusal(status: StatusCode) -> HttpResponse {
    let words = status.canonical_reason().unwrap_or("refused").to_ascii_lowercase();
    answer(status).body(words + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_reading() {
        let route = Route::new(Method::GET, "/messages/{id}/parts/{part}", LetIn::Anyone, async |_| {
            refusal(StatusCode::OK)
        });
        let named = |path: &str| {
            let named = route.named(path)?;
            Some(named.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(named("/messages/7/parts/1").as_deref(), Some("7 1"));
        assert_eq!(
            named("/messages/a%2Fb%C3%A4/parts/%40x").as_deref(),
            Some("a/b\u{e4} @x")
        );
        for other in [
            "/messages/7/parts",
            "/messages/7/parts/",
            "/messages//parts/1",
            "/messages/7/parts/1/",
            "//messages/7/parts/1",
            "/Messages/7/parts/1",
            "/message%73/7/parts/1",
            "/messages/%/parts/1",
            "/messages/%4/parts/1",
            "/messages/%zz/parts/1",
            "/messages/%+4/parts/1",
            "/messages/%ff/parts/1",
            "/messages/%00/parts/1",
            "/messages/a%0ab/parts/1",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
