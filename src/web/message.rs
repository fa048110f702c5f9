//! `/messages/{id}`: a message, its bytes, what is attached to it, and how it came.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    door::{Answered, Visit, cut},
    stream::{Bytewise, bytes},
};
use crate::{
    api::{Reply, Request, ShownJournal},
    ids::MessageId,
};

const FILE: &str = "application/octet-stream";

/// A message as people read it: header, parts, text, and its page made safe. Who else has it is shown only to whoever
/// may read their archives. A message of others is answered as an id that was never given out.
#[utoipa::path(get, path = "/api/v1/messages/{id}", tag = "mail", params(("id" = u64, Path)),
    responses((status = 200, body = crate::api::Shown)))]
pub async fn show(visit: Visit) -> Answered {
    let request = Request::Show {
        id: id(&visit)?,
        journal: false,
        full: true,
        images: false,
    };
    let shown = visit.ask(request).await?.into_iter().find_map(|reply| match reply {
        Reply::Shown(shown) => Some(shown),
        _ => None,
    });
    Ok(HttpResponse::Ok().json(shown.ok_or_else(cut)?))
}

/// The exact bytes of a message, as a file that is named by its date and subject. They were found to be those that came before
/// the first of them is sent.
#[utoipa::path(get, path = "/api/v1/messages/{id}/raw", tag = "mail", params(("id" = u64, Path)),
    responses((status = 200, content_type = "message/rfc822", body = [u8])))]
pub async fn raw(mut visit: Visit) -> Answered {
    let id = id(&visit)?;
    let mut answer = visit.begin(Request::Raw { id, named: true }).await?;
    let mut first = answer.next().await;
    let mut file = format!("{id}.eml");
    if let Some(Reply::FileName(name)) = first {
        file = name;
        first = answer.next().await;
    }
    let as_file = Bytewise {
        kind: "message/rfc822",
        file: Some(file),
    };
    as_file.answer(&mut visit, first, answer, bytes)
}

/// What a part of a message holds, decoded. `n` counts its `parts`, from 1 on. It is sent as a file of no kind, so that no
/// browser shows it; `parts` says what it says it is.
#[utoipa::path(get, path = "/api/v1/messages/{id}/attachments/{n}", tag = "mail",
    params(("id" = u64, Path), ("n" = usize, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = [u8])))]
pub async fn attachment(mut visit: Visit) -> Answered {
    let (id, part) = (id(&visit)?, visit.number("n", "part")?);
    let mut answer = visit.begin(Request::Part { id, part }).await?;
    let first = answer.next().await;
    let name = match &first {
        Some(Reply::Part(said)) => said.name.clone().filter(|name| !name.is_empty()),
        _ => None,
    };
    let as_file = Bytewise {
        kind: FILE,
        // Without a path, which is another's matter.
        file: Some(name.map_or_else(
            || format!("{id}-{part}"),
            |name| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
        )),
    };
    as_file.answer(&mut visit, first, answer, bytes)
}

/// The journal reports in which a message came.
#[derive(Serialize, ToSchema)]
pub struct Journals {
    /// The first 100.
    journals: Vec<ShownJournal>,
}

/// The journal reports in which a message came. They name everybody who got it, so they are for auditors only.
#[utoipa::path(get, path = "/api/v1/messages/{id}/journal", tag = "mail", params(("id" = u64, Path)),
    responses((status = 200, body = Journals)))]
pub async fn journal(visit: Visit) -> Answered {
    let replies = visit.ask(Request::Journals { id: id(&visit)? }).await?;
    let journals = replies.into_iter().filter_map(|reply| match reply {
        Reply::Journal(journal) => Some(*journal),
        _ => None,
    });
    Ok(HttpResponse::Ok().json(Journals {
        journals: journals.collect(),
    }))
}

fn id(visit: &Visit) -> Result<MessageId, super::refused::Refused> {
    visit.number("id", "message")
}
