//! `/notices`: whether those who are told about runs can be told.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::door::{Answered, Visit};
use crate::api::{NoticeLine, Reply, Request};

/// How each went.
#[derive(Serialize, ToSchema)]
pub struct Notices {
    tried: Vec<NoticeLine>,
}

/// Send a test mail to everyone who gets mail about runs, and call the webhook with a made-up run.
#[utoipa::path(post, path = "/api/v1/notices/test", tag = "runs", responses((status = 200, body = Notices)))]
pub async fn test(visit: Visit) -> Answered {
    let replies = visit.ask(Request::TestNotices).await?.into_iter();
    let tried = replies.filter_map(|reply| match reply {
        Reply::Noticed(line) => Some(line),
        _ => None,
    });
    Ok(HttpResponse::Ok().json(Notices { tried: tried.collect() }))
}
