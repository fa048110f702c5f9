//! `/audit`: who did and saw what.

use std::io;

use actix_web::{HttpResponse, http::header::ACCEPT};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    door::{Answered, Part, Visit},
    mail::{place, within},
    refused::Refused,
    stream::Bytewise,
};
use crate::api::{AuditEnd, AuditFilter, AuditLine, Reply, Request};

/// Which entries are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Both included.
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    account: Option<String>,
    action: Option<String>,
    /// The newest come first.
    #[serde(default)]
    newest_first: bool,
    /// Entries that are wanted, 1,000 at most; of CSV all, where nothing is said.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// What the page before had as `next`.
    cursor: Option<String>,
}

/// Entries, oldest first, or as they were asked for.
#[derive(Serialize, ToSchema)]
pub struct Entries {
    entries: Vec<AuditLine>,
    /// What to ask for as `cursor` to get the next page; `null` where there is none.
    next: Option<String>,
    /// Entries that cannot be read.
    damages: Vec<String>,
}

/// The audit log, oldest first or newest first; with `Accept: text/csv` as CSV, below a line with the names of its columns.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, content((Entries = "application/json"), (String = "text/csv")))))]
pub async fn audit(mut visit: Visit) -> Answered {
    let asked: AuditQuery = visit.query()?;
    let wants_csv = wants_csv(&visit);
    let limit = match asked.limit {
        None if wants_csv => None,
        limit => Some(within(limit, 1)?),
    };
    let filter = AuditFilter {
        since: asked.since,
        until: asked.until,
        account: asked.account,
        action: asked.action,
        newest_first: asked.newest_first,
        after: place(asked.cursor)?,
        limit,
        check: false,
    };
    if wants_csv {
        return as_csv(&mut visit, filter).await;
    }
    let (entries, end) = self::entries(&visit, filter).await?;
    Ok(HttpResponse::Ok().json(Entries {
        entries,
        next: end.next.map(|next| next.to_string()),
        damages: end.damages,
    }))
}

/// The entries that are wanted as a file of CSV.
///
/// # Errors
/// They may not be read, or cannot be.
pub async fn as_csv(visit: &mut Visit, filter: AuditFilter) -> Answered {
    let mut answer = visit.begin(Request::Audit(filter)).await?;
    let first = answer.next().await;
    let as_csv = Bytewise {
        kind: "text/csv; charset=utf-8",
        file: Some("audit.csv".to_owned()),
    };
    let heading = AuditLine::COLUMNS.join(",") + "\n";
    as_csv.answer_below(Some(heading.into()), visit, first, answer, csv)
}

/// The entries that are wanted, and how they end; what is damaged is said behind what is not.
///
/// # Errors
/// They may not be read, or cannot be.
pub async fn entries(visit: &Visit, filter: AuditFilter) -> Result<(Vec<AuditLine>, AuditEnd), Refused> {
    let part = |reply| match reply {
        Reply::Audited(line) => Some(Part::Line(*line)),
        Reply::AuditEnd(end) => Some(Part::End(end)),
        _ => None,
    };
    let (entries, end, _) = visit.list(Request::Audit(filter), part).await?;
    Ok((entries, end))
}

fn wants_csv(visit: &Visit) -> bool {
    let accepted = visit
        .asked
        .request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let mut kinds = accepted.unwrap_or_default().split(',');
    kinds.any(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv"))
    })
}

/// A line of CSV. Number by number it has all fields; what spreadsheets would take for a formula begins with `'`.
fn csv(reply: Reply) -> Result<Option<Bytes>, io::Error> {
    let line = match reply {
        Reply::Audited(line) => line,
        Reply::Failed(failure) => return Err(io::Error::other(failure.error)),
        _ => return Ok(None),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let numbers = [line.number.to_string(), line.at.to_string()];
    let texts = [
        line.account,
        line.address,
        line.action,
        line.object,
        line.outcome,
        line.detail,
        line.reason,
    ];
    let harmless = |text: String| match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text,
    };
    writer.write_record(numbers.into_iter().chain(texts.into_iter().map(harmless)))?;
    let bytes = writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Some(bytes.into()))
}
