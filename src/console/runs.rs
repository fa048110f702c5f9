//! Runs: the list of them, the protocol of one, and one that is going on.

use actix_web::http::StatusCode;
use maud::{Markup, html};

use super::{
    answers::see,
    assign::{addresses, stop},
    days::Days,
    form::{link, path},
    frame::{Face, Place},
    parts::{Live, button, figure, moment, next_page, notice},
    said::{by_stage, said},
    texts::stages,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{Reply, Request},
    ids::RunId,
    report::{IMPORT, REROUTE, Run, RunFilter, RunState},
    web::{Refused, cut},
};

const HERE: &str = "/console/runs";
/// Runs of a page; errors of a kind, users and unknown addresses that a protocol shows here.
const PAGE: usize = 50;
const ERRORS: usize = 50;
const USERS: usize = 200;
const UNKNOWN: usize = 100;

const STATES: [RunState; 5] = [
    RunState::Running,
    RunState::Completed,
    RunState::CompletedWithErrors,
    RunState::Failed,
    RunState::Interrupted,
];

fn run_of(reply: Reply) -> Option<Run> {
    match reply {
        Reply::Run(run) => Some(*run),
        _ => None,
    }
}

pub async fn list(mut visitor: Visitor) -> Answered {
    let t = visitor.t();
    let days = visitor.days(HERE, "");
    let query = &visitor.query;
    let (profile, state) = (query.get("profile"), query.get("state"));
    let cursor = query.some("cursor").map(|cursor| cursor.parse().map(RunId)).transpose();
    let before = cursor.map_err(|_| Refused::bad(t.wrong_place))?;
    let mut runs = match days {
        Some(Days { since, until }) => {
            let filter = RunFilter {
                profile: query.some("profile"),
                state: STATES.into_iter().find(|known| known.as_str() == state),
                since,
                until,
                troubled: false,
                unknown: false,
            };
            // One more says whether there is more.
            let newest = Some(PAGE + 1);
            let request = Request::Protocols { newest, filter, before };
            visitor.ask(request).await?.into_iter().filter_map(run_of).collect()
        }
        None => {
            visitor.require(Place::Runs)?;
            Vec::new()
        }
    };
    let has_more = runs.len() > PAGE;
    runs.truncate(PAGE);
    let last = runs.last().filter(|_| has_more).map(|run| run.run.to_string());
    let more = last.map(|last| {
        let parameters = [
            ("profile", profile),
            ("state", state),
            ("since", query.get("since")),
            ("until", query.get("until")),
            ("cursor", &*last),
        ];
        link(HERE, &parameters)
    });
    let language = visitor.face.look.language;
    let body = html! {
        form.filters method="get" action=(HERE) {
            (visitor.filled(HERE).field("profile", t.profile, "text", profile, "off"))
            div.field {
                label for="state" { (t.state) }
                select #state name="state" {
                    option value="" { (t.any) }
                    @for known in STATES { option value=(known.as_str()) selected[known.as_str() == state] { (words::state(language, known)) } }
                }
            }
            (visitor.days_fields(HERE, ""))
            button type="submit" { (t.show) }
        }
        @if !runs.is_empty() { (table(&visitor.face, &runs)) }
        @else if days.is_some() { p.nothing { (t.no_runs) } }
        (next_page(t.older, more))
        p { a href="/console/unknown" { (t.unknown_addresses) } }
    };
    Ok(visitor.page(Place::Runs, t.runs, body))
}

fn table(face: &Face, runs: &[Run]) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    html! {
        div.scroll tabindex="0" role="group" aria-label=(t.runs) {
            table {
                thead {
                    tr {
                        th scope="col" { (t.run) } th scope="col" { (t.profile) } th scope="col" { (t.began) }
                        th scope="col" { (t.state) } th.number scope="col" { (t.seen) } th.number scope="col" { (t.archived) }
                        th.number scope="col" { (t.failed) }
                    }
                }
                tbody {
                    @for run in runs {
                        tr {
                            th scope="row" { a href={ "/console/runs/" (run.run) } { (run.run) } }
                            td { bdi { (name(face, run)) } }
                            td { (moment(face, run.started_at)) }
                            td { span.state.(words::state_kind(run.state)) { (words::state(language, run.state)) } }
                            td.number { (words::number(language, run.counts.seen)) }
                            td.number { (words::number(language, run.counts.archived)) }
                            td.number { (words::number(language, run.counts.failed)) }
                        }
                    }
                }
            }
        }
    }
}

fn name<'r>(face: &Face, run: &'r Run) -> &'r str {
    match run.profile.as_str() {
        IMPORT => face.t().an_import,
        REROUTE => face.t().a_reroute,
        profile => profile,
    }
}

pub async fn run(visitor: Visitor) -> Answered {
    let number: RunId = visitor.visit.number("run", "run")?;
    let run = visitor
        .ask(Request::Protocol { run: number })
        .await?
        .into_iter()
        .find_map(run_of);
    let run = run.ok_or_else(cut)?;
    let is_there = has_profile(&visitor, &run.profile).await?;
    let (t, face) = (visitor.t(), &visitor.face);
    let title = format!("{} {}", t.run, run.run);
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        p.back { a href="/console/runs" { "← " (t.runs) } }
        (head(face, &run, is_there))
        @if run.state == RunState::Running { (live(face, &run)) }
        (counts(face, &run))
        (errors(face, &run))
        @if !run.notices.is_empty() {
            section { h2 { (t.notices) } ul { @for notice in run.noticed() { li { (said(face, &notice)) } } } }
        }
        (users(face, &run))
        (unknown_of(face, &run))
    };
    Ok(visitor.page(Place::Runs, &title, body))
}

/// Whether there is such a profile, which may have been removed since it ran.
async fn has_profile(visitor: &Visitor, name: &str) -> Result<bool, Refused> {
    if [IMPORT, REROUTE].contains(&name) {
        return Ok(false);
    }
    let request = Request::Profiles {
        name: Some(name.to_owned()),
        secrets: false,
    };
    match visitor.ask(request).await {
        Ok(_) => Ok(true),
        Err(refused) if refused.status() == StatusCode::NOT_FOUND => Ok(false),
        Err(refused) => Err(refused),
    }
}

fn head(face: &Face, run: &Run, has_profile: bool) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let took = run.finished_at.map(|end| end.as_second() - run.started_at.as_second());
    html! {
        dl.figures {
            (figure(t.profile, html! {
                @if has_profile { a href=(path(&["profiles", &run.profile])) { bdi { (run.profile) } } }
                @else { bdi { (name(face, run)) } }
            }))
            (figure(t.state, html! { span.state.(words::state_kind(run.state)) { (words::state(language, run.state)) } }))
            (figure(t.began, moment(face, run.started_at)))
            @if let Some(took) = took { (figure(t.took, html! { (words::seconds(language, u64::try_from(took).unwrap_or(0))) })) }
        }
    }
}

/// One that is going on, which can be stopped where it was not begun by a command with files of its own.
fn live(face: &Face, run: &Run) -> Markup {
    let events = format!("/api/v1/runs/{}/events", run.run);
    let stop = match run.profile.as_str() {
        IMPORT => html! {},
        REROUTE => stop(face),
        profile => {
            let fields = [("run", &*run.run.to_string())];
            button(
                face,
                &path(&["profiles", profile, "interrupt"]),
                "",
                face.t().stop,
                &fields,
            )
        }
    };
    Live::new(&events, run.counts.seen, None).shown(face, stop)
}

fn counts(face: &Face, run: &Run) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let counts = &run.counts;
    let outcomes = [
        (t.archived, t.archived_means, counts.archived),
        (t.duplicates, t.duplicates_means, counts.duplicates),
        (t.skipped, t.skipped_means, counts.skipped),
        (t.excluded, t.excluded_means, counts.excluded),
        (t.too_large, t.too_large_means, counts.too_large),
        (t.vanished, t.vanished_means, counts.vanished),
        (t.failed, t.failed_means, counts.failed),
    ];
    let number = |many| words::number(language, many);
    html! {
        section aria-labelledby="counts" {
            h2 #counts { (t.what_became) }
            table.counts {
                thead { tr { th scope="col" { (t.outcome) } th.number scope="col" { (t.copies) } th scope="col" { (t.meaning) } } }
                tbody {
                    @for (name, means, many) in outcomes {
                        tr { th scope="row" { (name) } td.number { (number(many)) } td.hint { (means) } }
                    }
                }
                tfoot { tr { th scope="row" { (t.seen) } td.number { (number(counts.seen)) } td.hint { (t.seen_means) } } }
            }
            p.hint {
                (words::count(language, counts.filings, [t.filing, t.filings])) " · " (number(counts.unknown)) " " (t.without_known) " · "
                (number(counts.deleted)) " " (t.deleted_there) " · " (words::bytes(language, counts.bytes)) " " (t.fetched)
            }
        }
    }
}

/// The errors by their kind, each with what to do.
fn errors(face: &Face, run: &Run) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let kinds = by_stage(run);
    html! {
        @if !kinds.is_empty() {
            section aria-labelledby="errors" {
                h2 #errors { (t.errors) }
                @for (kind, errors) in &kinds {
                    details.card open[errors.len() <= 5] {
                        summary { (stages::named(language, kind)) " (" (words::number(language, errors.len() as u64)) ")" }
                        @for advice in errors.iter().filter_map(|error| error.advice()) {
                            p { strong { (t.what_to_do) } " " (said(face, &advice)) }
                        }
                        ul {
                            @for error in errors.iter().take(ERRORS) {
                                li { bdi { (error.folder) } " " bdi { (error.copy) } " " (said(face, &error.said())) }
                            }
                            @if errors.len() > ERRORS { li.hint { (t.and_more) " " (words::number(language, (errors.len() - ERRORS) as u64)) } }
                        }
                    }
                }
                @if run.errors_omitted > 0 { p.hint { (t.and_more) " " (words::number(language, run.errors_omitted)) } }
            }
        }
    }
}

fn users(face: &Face, run: &Run) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    html! {
        @if !run.users.is_empty() {
            section aria-labelledby="users" {
                h2 #users { (t.users_title) }
                table.few {
                    thead { tr { th scope="col" { (t.user_title) } th.number scope="col" { (t.archived) } th.number scope="col" { (t.duplicates) } } }
                    tbody {
                        @for (user, counts) in run.users.iter().take(USERS) {
                            tr {
                                th scope="row" { bdi { (user) } }
                                td.number { (words::number(language, counts.archived)) }
                                td.number { (words::number(language, counts.duplicates)) }
                            }
                        }
                    }
                }
                @if run.users.len() > USERS { p.hint { (t.and_more) " " (words::number(language, (run.users.len() - USERS) as u64)) } }
            }
        }
    }
}

fn unknown_of(face: &Face, run: &Run) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let (listed, omitted) = run.unknown_addresses.most_frequent(UNKNOWN);
    html! {
        @if !listed.is_empty() {
            section aria-labelledby="unknown" {
                h2 #unknown { (t.unknown_addresses) }
                (addresses(face, listed.into_iter()))
                @if omitted.addresses > 0 { p.hint { (t.and_more) " " (words::number(language, omitted.addresses)) } }
            }
        }
    }
}

/// Runs a profile now.
pub async fn begin(visitor: Visitor) -> Answered {
    let profile = visitor.visit.named("name").to_owned();
    run_now(&visitor, profile).await
}

/// Runs a profile, and leads to the run.
pub async fn run_now(visitor: &Visitor, profile: String) -> Answered {
    let mut answer = visitor.visit.begin(Request::Archive { profile }).await?;
    let run = loop {
        match answer.next().await.ok_or_else(cut)? {
            Reply::Progress { run, .. } => break run,
            Reply::Finished { run, .. } => break run.run,
            Reply::Failed(failure) => return Err(visitor.visit.failed(failure)),
            Reply::Done => return Err(cut()),
            _ => {}
        }
    };
    Ok(see(&format!("/console/runs/{run}")))
}

/// Ends the run of a profile in good order.
pub async fn interrupt(visitor: Visitor) -> Answered {
    let profile = visitor.visit.named("name").to_owned();
    visitor.ask(Request::Interrupt { profile }).await?;
    match visitor.form.get("run").parse::<u64>() {
        Ok(run) => Ok(visitor.done(&format!("/console/runs/{run}"), "interrupted")),
        Err(_) if visitor.form.get("run").is_empty() => Ok(visitor.done("/console/overview", "interrupted")),
        Err(_) => Err(Refused::new(StatusCode::NOT_FOUND)),
    }
}
