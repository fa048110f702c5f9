//! The audit log: who did and saw what.

use jiff::{ToSpan, tz::TimeZone};
use maud::html;

use super::{
    form::link,
    frame::Place,
    parts::{moment, next_page, notice},
    runs::day,
    visitor::{Answered, Visitor},
};
use crate::{
    api::AuditFilter,
    clock,
    web::{Refused, audit_entries},
};

/// Entries of a page.
const PAGE: usize = 100;

pub async fn page(visitor: Visitor) -> Answered {
    let (t, query) = (visitor.t(), &visitor.query);
    // At first what was done lately.
    let lately = (clock::now() - 24.hours())
        .to_zoned(TimeZone::system())
        .date()
        .to_string();
    let is_first = visitor.visit.asked.request.query_string().is_empty();
    let since = if is_first { &*lately } else { query.get("since") };
    let (until, account, action) = (query.get("until"), query.get("account"), query.get("action"));
    let after = query.some("cursor").map(|cursor| cursor.parse()).transpose();
    let filter = AuditFilter {
        since: day(since, false),
        until: day(until, true),
        account: query.some("account"),
        action: query.some("action"),
        after: after.map_err(|_| Refused::bad(t.wrong_place))?,
        limit: Some(PAGE),
        check: false,
    };
    let (entries, end) = audit_entries(&visitor.visit, filter).await?;
    let next = end.next.map(|next| {
        let next = next.to_string();
        let parameters = [
            ("since", since),
            ("until", until),
            ("account", account),
            ("action", action),
            ("cursor", &*next),
        ];
        link("/console/audit", &parameters)
    });
    let face = &visitor.face;
    let body = html! {
        form.filters method="get" action="/console/audit" {
            div { label for="since" { (t.since) } input #since name="since" type="date" value=(since); }
            div { label for="until" { (t.until) } input #until name="until" type="date" value=(until); }
            div { label for="account" { (t.account) } input #account name="account" value=(account); }
            div { label for="action" { (t.action) } input #action name="action" value=(action); }
            button type="submit" { (t.show) }
        }
        @for damage in &end.damages { (notice("bad", html! { p { (damage) } })) }
        @if entries.is_empty() { p.nothing { (t.no_entries) } } @else {
            div.scroll tabindex="0" role="group" aria-label=(t.audit) {
                table {
                    thead {
                        tr {
                            th scope="col" { (t.at) } th scope="col" { (t.account) } th scope="col" { (t.from_address) }
                            th scope="col" { (t.action) } th scope="col" { (t.object) } th scope="col" { (t.outcome) }
                        }
                    }
                    tbody {
                        @for line in &entries {
                            tr {
                                td { (moment(face, line.at)) }
                                th scope="row" { bdi { (line.account) } }
                                td { (line.address) }
                                td { (line.action) }
                                td.object {
                                    bdi { (line.object) }
                                    @if !line.reason.is_empty() { div.hint { (t.reason) ": " bdi { (line.reason) } } }
                                }
                                td {
                                    span.state.(kind(&line.outcome)) { (line.outcome) }
                                    @if !line.detail.is_empty() { div.hint { (line.detail) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        (next_page(t.later_entries, next))
    };
    Ok(visitor.page(Place::Audit, t.audit, body))
}

fn kind(outcome: &str) -> &'static str {
    match outcome {
        "refused" | "failed" => "bad",
        "begun" => "note",
        _ => "good",
    }
}
