//! `/verifications`, `/compactions` and `/index`: the upkeep of the store.

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    door::{Answered, Visit, cut},
    runs::{Event, as_events},
};
use crate::api::{IndexLine, Reply, Request, Upkeep, VerificationLine};

/// What is to be verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// A random share of the archive, above 0 and up to 100; all of it where none is given.
    #[serde(default)]
    percent: Option<f64>,
}

/// Read the archive back, and say what is damaged, as `dropkeep verify` does. Answered by server-sent events: `progress` (in
/// bytes of mail), and at the end `verified`. It goes on where nobody takes them.
#[utoipa::path(post, path = "/api/v1/verifications", tag = "upkeep", request_body = Verify,
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn verify(mut visit: Visit) -> Answered {
    let Verify { percent } = visit.body()?;
    as_events(&mut visit, Request::Verify { percent }).await
}

/// How the last verification ended that was asked for; 204 where there was none, or one is going on.
#[utoipa::path(get, path = "/api/v1/verifications/last", tag = "upkeep",
    responses((status = 200, body = VerificationLine), (status = 204)))]
pub async fn last_verification(visit: Visit) -> Answered {
    let upkeep = Upkeep::Verification;
    let mut answer = visit.begin(Request::WatchUpkeep { upkeep }).await?;
    match answer.next().await.ok_or_else(cut)? {
        Reply::Verified(line) => Ok(HttpResponse::Ok().json(line)),
        Reply::Failed(failure) => Err(visit.failed(failure)),
        _ => Ok(HttpResponse::NoContent().finish()),
    }
}

/// How far the verification is that is going on, as server-sent events: `progress` each second, and at the end `verified`. Of the
/// last one, where none is going on, `verified` alone.
#[utoipa::path(get, path = "/api/v1/verifications/events", tag = "upkeep",
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn verify_events(mut visit: Visit) -> Answered {
    let upkeep = Upkeep::Verification;
    as_events(&mut visit, Request::WatchUpkeep { upkeep }).await
}

/// End the verification that is going on, if there is one.
#[utoipa::path(post, path = "/api/v1/verifications/interrupt", tag = "upkeep", responses((status = 204)))]
pub async fn interrupt_verification(visit: Visit) -> Answered {
    visit.ask(Request::InterruptVerification).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Merge small blocks and remove what nothing needs. Answered by server-sent events: `progress` (in rows looked at), and at the
/// end `compacted`. It goes on where nobody takes them.
#[utoipa::path(post, path = "/api/v1/compactions", tag = "upkeep",
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn compact(mut visit: Visit) -> Answered {
    as_events(&mut visit, Request::Compact).await
}

/// How far the compaction is that is going on, as server-sent events: `progress` each second, and at the end `compacted`. Of the
/// last one since the start, where none is going on, `compacted` alone.
#[utoipa::path(get, path = "/api/v1/compactions/events", tag = "upkeep",
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn compact_events(mut visit: Visit) -> Answered {
    let upkeep = Upkeep::Compaction;
    as_events(&mut visit, Request::WatchUpkeep { upkeep }).await
}

/// End the compaction that is going on, if there is one. What was merged stays merged.
#[utoipa::path(post, path = "/api/v1/compactions/interrupt", tag = "upkeep", responses((status = 204)))]
pub async fn interrupt_compaction(visit: Visit) -> Answered {
    visit.ask(Request::InterruptCompaction).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How the search index stands.
#[utoipa::path(get, path = "/api/v1/index", tag = "upkeep", responses((status = 200, body = IndexLine)))]
pub async fn index(visit: Visit) -> Answered {
    let mut replies = visit.ask(Request::Index).await?.into_iter();
    let line = replies.find_map(|reply| match reply {
        Reply::Index(line) => Some(line),
        _ => None,
    });
    Ok(HttpResponse::Ok().json(line.ok_or_else(cut)?))
}

/// Make the search index anew. Answered by server-sent events: `progress` (in messages), and at the end `index`. It goes on where
/// nobody takes them.
#[utoipa::path(post, path = "/api/v1/index/rebuild", tag = "upkeep",
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn rebuild_index(mut visit: Visit) -> Answered {
    as_events(&mut visit, Request::RebuildIndex).await
}

/// How far it is with making the search index anew, as server-sent events: `progress` each second, and at the end `index`. Where
/// it is not made anew, `index` alone.
#[utoipa::path(get, path = "/api/v1/index/events", tag = "upkeep",
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn index_events(mut visit: Visit) -> Answered {
    let upkeep = Upkeep::Index;
    as_events(&mut visit, Request::WatchUpkeep { upkeep }).await
}
