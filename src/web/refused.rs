//! Why somebody gets no answer: a problem document.

use actix_web::{
    HttpResponse,
    http::{
        Method, StatusCode,
        header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};

use crate::{
    api::{Code, Exit, Failure, Kind, Wrong},
    appliance::Unanswered,
    gate::LogInError,
    http::problem_at,
};

/// An answer that says what is wrong.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    detail: Option<String>,
    what_to_do: Option<String>,
    /// The value of the body that is wrong: `#/server/port`.
    pointer: Option<String>,
    /// Seconds after which it may be tried again.
    after: Option<u64>,
    /// The same as `detail`, for whoever shows it in other words.
    wrong: Option<Box<Wrong>>,
}

impl Refused {
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            what_to_do: None,
            pointer: None,
            after: None,
            wrong: None,
        }
    }

    /// What failed, with which input.
    pub fn because(self, detail: impl ToString) -> Self {
        Self {
            detail: Some(detail.to_string()),
            ..self
        }
    }

    pub fn do_so(self, what_to_do: &str) -> Self {
        Self {
            what_to_do: Some(what_to_do.to_owned()),
            ..self
        }
    }

    pub fn again_after(self, seconds: u64) -> Self {
        Self {
            after: Some(seconds),
            ..self
        }
    }

    /// Which value of the body is wrong.
    pub fn at(self, pointer: Option<String>) -> Self {
        Self { pointer, ..self }
    }

    /// The same where what was asked stands below a key of the body.
    pub fn below(self, key: &str) -> Self {
        let pointer = self
            .pointer
            .as_ref()
            .map(|pointer| pointer.replacen('#', &format!("#/{key}"), 1));
        Self { pointer, ..self }
    }

    pub fn bad(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST).because(detail)
    }

    /// The request failed that `method` asked for.
    pub fn failed(method: &Method, failure: Failure) -> Self {
        let reads = [Method::GET, Method::HEAD].contains(method);
        let status = match (failure.kind, failure.exit) {
            (Kind::Unknown, _) => StatusCode::NOT_FOUND,
            (Kind::Conflict, _) => StatusCode::CONFLICT,
            (Kind::Other, Exit::Usage) => StatusCode::BAD_REQUEST,
            (Kind::Other, Exit::Store) => StatusCode::SERVICE_UNAVAILABLE,
            // Something of the kind is going on; what is only read is not there yet.
            (Kind::Other, _) if reads => StatusCode::SERVICE_UNAVAILABLE,
            (Kind::Other, _) => StatusCode::CONFLICT,
        };
        let wait = failure.wrong.as_ref().filter(|wrong| wrong.code == Code::Slowed);
        let wait = wait.and_then(|wrong| wrong.about.first()?.parse().ok());
        let refused = match wait {
            Some(wait) => Self::new(StatusCode::TOO_MANY_REQUESTS).again_after(wait),
            None => Self::new(status),
        };
        let pointer = failure.key.as_deref().map(pointer);
        let refused = refused.because(failure.error).at(pointer);
        refused.for_that(failure.wrong)
    }

    fn for_that(self, wrong: Option<Box<Wrong>>) -> Self {
        Self { wrong, ..self }
    }

    pub fn wrong(&self) -> Option<&Wrong> {
        self.wrong.as_deref()
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub fn what_to_do(&self) -> Option<&str> {
        self.what_to_do.as_deref()
    }

    pub fn answer(self) -> HttpResponse {
        let mut response = problem_at(self.status, self.detail, self.what_to_do, self.pointer);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A key as a JSON pointer (RFC 6901) in a URI fragment: `recipients.own_addresses[1]` is
/// `#/recipients/own_addresses/0`.
fn pointer(key: &str) -> String {
    let mut pointer = "#".to_owned();
    for part in key.split(['.', '[']) {
        match part.strip_suffix(']').and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => pointer.push_str(&format!("/{}", number.saturating_sub(1))),
            None => pointer.push_str(&format!("/{}", part.replace('~', "~0").replace('/', "~1"))),
        }
    }
    pointer
}

#[test]
fn a_key_is_found_in_the_body() {
    assert_eq!(pointer("server.port"), "#/server/port");
    assert_eq!(pointer("recipients.own_addresses[2]"), "#/recipients/own_addresses/1");
}

impl From<Unanswered> for Refused {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Refused(failure) if failure.exit == Exit::Usage => Self::new(StatusCode::FORBIDDEN)
                .because(failure.error)
                .for_that(failure.wrong),
            unanswered => Self::new(StatusCode::SERVICE_UNAVAILABLE).because(Failure::from(unanswered)),
        }
    }
}

impl From<LogInError> for Refused {
    fn from(error: LogInError) -> Self {
        let refused = match &error {
            LogInError::Wrong | LogInError::WrongCode => Self::new(StatusCode::UNAUTHORIZED),
            LogInError::NeedsCode => {
                Self::new(StatusCode::UNAUTHORIZED).do_so("Send the one-time code as `code`, too.")
            }
            LogInError::Slowed(wait) => Self::new(StatusCode::TOO_MANY_REQUESTS).again_after(wait.as_secs() + 1),
            LogInError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE).again_after(1),
            LogInError::NotNoted(_) | LogInError::Store(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE),
        };
        refused.because(error)
    }
}
