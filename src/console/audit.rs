//! The audit log: who did and saw what, the newest first.

use maud::{Markup, html};

use super::{
    days::Days,
    form::link,
    frame::{Face, Place},
    parts::{moment, next_page, notice},
    said::english,
    visitor::{Answered, Visitor},
};
use crate::{
    api::{AuditFilter, AuditLine},
    web::{self, Refused, audit_entries},
};

const HERE: &str = "/console/audit";
/// Entries of a page.
const PAGE: usize = 100;

/// What the form asks for; nothing where its days are none.
fn asked(visitor: &mut Visitor) -> Option<AuditFilter> {
    let Days { since, until } = visitor.days(HERE, "")?;
    Some(AuditFilter {
        since,
        until,
        account: visitor.query.some("account"),
        action: visitor.query.some("action"),
        newest_first: true,
        after: None,
        limit: None,
        check: false,
    })
}

pub async fn page(mut visitor: Visitor) -> Answered {
    let t = visitor.t();
    let after = visitor.query.some("cursor").map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| Refused::bad(t.wrong_place))?;
    let (mut entries, mut damages, mut next) = (Vec::new(), Vec::new(), None);
    let filter = asked(&mut visitor);
    let is_asked = filter.is_some();
    if !is_asked {
        visitor.require(Place::Audit)?;
    }
    if let Some(filter) = filter {
        let limit = Some(PAGE);
        let (found, end) = audit_entries(&visitor.visit, AuditFilter { after, limit, ..filter }).await?;
        (entries, damages, next) = (found, end.damages, end.next);
    }
    let (face, query) = (&visitor.face, &visitor.query);
    let to = |path: &str, cursor: &str| {
        let given = ["since", "until", "account", "action"].map(|name| (name, query.get(name)));
        let parameters: Vec<_> = given.into_iter().chain([("cursor", cursor)]).collect();
        link(path, &parameters)
    };
    let filled = visitor.filled(HERE);
    let body = html! {
        form.filters method="get" action=(HERE) {
            (visitor.days_fields(HERE, ""))
            (filled.field("account", t.account, "text", query.get("account"), "off"))
            (filled.field("action", t.action, "text", query.get("action"), "off"))
            button type="submit" { (t.show) }
        }
        @for damage in &damages { (notice("bad", html! { p { (english(face, damage)) } })) }
        @if !entries.is_empty() {
            p { a href=(to("/console/audit.csv", "")) download { (t.as_csv) } }
            (table(face, &entries))
        } @else if is_asked { p.nothing { (t.no_entries) } }
        (next_page(t.earlier_entries, next.map(|next| to(HERE, &next.to_string()))))
    };
    Ok(visitor.page(Place::Audit, t.audit, body))
}

fn table(face: &Face, entries: &[AuditLine]) -> Markup {
    let t = face.t();
    html! {
        div.scroll tabindex="0" role="group" aria-label=(t.audit) {
            table {
                thead {
                    tr {
                        th scope="col" { (t.at) } th scope="col" { (t.account) } th scope="col" { (t.from_address) }
                        th scope="col" { (t.action) } th scope="col" { (t.object) } th scope="col" { (t.outcome) }
                    }
                }
                tbody {
                    @for line in entries {
                        tr {
                            td { (moment(face, line.at)) }
                            th scope="row" { bdi { (line.account) } }
                            td { (line.address) }
                            td { code { (line.action) } }
                            td.object {
                                bdi { (line.object) }
                                @if !line.reason.is_empty() { div.hint { (t.reason) ": " bdi { (line.reason) } } }
                            }
                            td {
                                span.state.(kind(&line.outcome)) { (t.outcome_named(&line.outcome)) }
                                @if !line.detail.is_empty() { div.hint { (english(face, &line.detail)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// All entries that the form asks for, as a file.
pub async fn csv(mut visitor: Visitor) -> Answered {
    match asked(&mut visitor) {
        Some(filter) => web::audit_csv(&mut visitor.visit, filter).await,
        None => page(visitor).await,
    }
}

fn kind(outcome: &str) -> &'static str {
    match outcome {
        "refused" | "failed" => "bad",
        "begun" => "note",
        _ => "good",
    }
}
