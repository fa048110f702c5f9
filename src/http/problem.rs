//! How programs are told what is wrong: problem documents (RFC 9457).

use actix_web::{HttpResponse, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const PROBLEM: &str = "application/problem+json";

/// What is wrong with a request, or with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The words of the status.
    pub title: String,
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What failed, with which input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub what_to_do: String,
    /// Which value of the body it is about, as a JSON pointer: `#/server/port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// An answer that says what is wrong. Where it is not said what to do, the status says it.
pub fn problem(status: StatusCode, detail: Option<String>, what_to_do: Option<String>) -> HttpResponse {
    problem_at(status, detail, what_to_do, None)
}

/// The same about a value of the body.
pub fn problem_at(
    status: StatusCode,
    detail: Option<String>,
    what_to_do: Option<String>,
    pointer: Option<String>,
) -> HttpResponse {
    HttpResponse::build(status).content_type(PROBLEM).json(Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Refused").to_owned(),
        status: status.as_u16(),
        detail,
        what_to_do: what_to_do.unwrap_or_else(|| remedy(status).to_owned()),
        pointer,
    })
}

fn remedy(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "Put the request right; /api/v1/openapi.json says what there is.",
        StatusCode::UNAUTHORIZED => "Log in: POST /api/v1/session, or show an application password.",
        StatusCode::FORBIDDEN => "Ask an administrator for the right, or use another account.",
        StatusCode::NOT_FOUND => "Look at the lists for what there is; /api/v1/openapi.json has the addresses.",
        StatusCode::METHOD_NOT_ALLOWED => "Use one of the methods that the field Allow names.",
        StatusCode::REQUEST_TIMEOUT => "Send the request faster.",
        StatusCode::CONFLICT => "Look at how things stand, and try again.",
        StatusCode::PAYLOAD_TOO_LARGE => "Send less.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Send the body as application/json.",
        StatusCode::MISDIRECTED_REQUEST => "Ask by a name of this machine, or add the name to `hosts` in [http].",
        StatusCode::TOO_MANY_REQUESTS => "Wait as long as the field Retry-After says.",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "Send a shorter header.",
        StatusCode::SERVICE_UNAVAILABLE => "Try again later.",
        _ => "Look at the log of dropkeep.",
    }
}
