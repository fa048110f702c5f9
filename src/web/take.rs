//! `/export`: several messages as one file.

use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    door::{Answered, Visit},
    refused::Refused,
    stream::{Bytewise, bytes},
};
use crate::{
    api::{Request, Taken, TakenForm},
    ids::MessageId,
};

/// Which messages, and as what file. Either `q` or `ids` is given.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TakeQuery {
    /// All that is found: in the language of docs/search.md; all messages where it is empty.
    q: Option<String>,
    /// Only what this user has of it.
    user: Option<String>,
    /// Up to 200 numbers of messages, with commas between them.
    ids: Option<String>,
    /// What the file is.
    #[serde(default)]
    form: TakenForm,
}

/// Several messages as one file, which is made while it is sent. A ZIP has them with their exact bytes; what could not be
/// read is named in its file `not taken.txt`. An mbox of which a message cannot be read is cut.
#[utoipa::path(get, path = "/api/v1/export", tag = "mail", params(TakeQuery),
    responses((status = 200, content_type = "application/octet-stream", body = [u8])))]
pub async fn take(visit: Visit) -> Answered {
    let asked: TakeQuery = visit.query()?;
    let ids = asked.ids.as_deref().map_or(Ok(Vec::new()), |ids| {
        let ids = ids.split(',').map(|id| id.parse().map(MessageId));
        ids.collect::<Result<Vec<_>, _>>()
            .map_err(|_| Refused::bad("ids are numbers of messages, with commas between them"))
    })?;
    let taken = Taken {
        query: asked.q.map(super::mail::or_all),
        user: asked.user,
        ids,
        form: asked.form,
    };
    take_these(visit, taken).await
}

/// These messages, as one file.
///
/// # Errors
/// They are too many, or one of them is not there for whoever asks.
pub async fn take_these(mut visit: Visit, taken: Taken) -> Answered {
    let as_file = Bytewise {
        kind: "application/octet-stream",
        file: Some(format!("messages.{}", taken.form.as_str())),
    };
    let mut answer = visit.begin(Request::Take(taken)).await?;
    let first = answer.next().await;
    as_file.answer(&mut visit, first, answer, bytes)
}
