//! `/runs`, `/profiles` and `/status`: what is archived by what, how it went, and how all of it stands.

use std::io;

use actix_web::{HttpResponse, http::header::LOCATION};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    door::{Answered, Visit, cut},
    mail::{place, within},
    stream::Bytewise,
};
use crate::{
    api::{ApplianceLine, ProfileLine, ProfileSetup, Reply, Request},
    ids::RunId,
    report::{Run, RunFilter, RunState},
};

/// Which runs are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    profile: Option<String>,
    state: Option<RunState>,
    /// Runs that began at this moment or later.
    since: Option<Timestamp>,
    /// Runs that began at this moment or before.
    until: Option<Timestamp>,
    /// Runs that are wanted, 1,000 at most.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// What the page before had as `next`.
    cursor: Option<String>,
}

/// Runs, newest first.
#[derive(Serialize, ToSchema)]
pub struct Runs {
    runs: Vec<Run>,
    /// What to ask for as `cursor` to get the next page; `null` where there is none.
    next: Option<String>,
}

/// The protocols of runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunsQuery), responses((status = 200, body = Runs)))]
pub async fn runs(visit: Visit) -> Answered {
    let asked: RunsQuery = visit.query()?;
    let limit = within(asked.limit, 1)?;
    let replies = visit.ask(Request::Protocols {
        // One more says whether there is more.
        newest: Some(limit + 1),
        filter: RunFilter {
            profile: asked.profile,
            state: asked.state,
            since: asked.since,
            until: asked.until,
            troubled: false,
            unknown: false,
        },
        before: place(asked.cursor)?.map(RunId),
    });
    let mut runs: Vec<Run> = replies.await?.into_iter().filter_map(run_of).collect();
    let has_more = runs.len() > limit;
    runs.truncate(limit);
    let next = runs.last().map(|run| run.run.to_string()).filter(|_| has_more);
    Ok(HttpResponse::Ok().json(Runs { runs, next }))
}

/// The protocol of a run; of one that is going on, as far as it is.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = u64, Path)),
    responses((status = 200, body = Run)))]
pub async fn run(visit: Visit) -> Answered {
    let run = visit.number("run", "run")?;
    let run = visit.ask(Request::Protocol { run }).await?.into_iter().find_map(run_of);
    Ok(HttpResponse::Ok().json(run.ok_or_else(cut)?))
}

fn run_of(reply: Reply) -> Option<Run> {
    match reply {
        Reply::Run(run) => Some(*run),
        _ => None,
    }
}

/// How far a run is, as server-sent events: `progress` each second, with `run`, `done`, `expected` and `bytes`, and when it
/// has ended `run`, with its protocol.
#[utoipa::path(get, path = "/api/v1/runs/{run}/events", tag = "runs", params(("run" = u64, Path)),
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn events(mut visit: Visit) -> Answered {
    let run = visit.number("run", "run")?;
    as_events(&mut visit, Request::Watch { run }).await
}

/// The replies to a request, as server-sent events.
pub async fn as_events(visit: &mut Visit, request: Request) -> Answered {
    let mut answer = visit.begin(request).await?;
    let first = answer.next().await;
    let as_events = Bytewise {
        kind: "text/event-stream",
        file: None,
    };
    as_events.answer(visit, first, answer, event)
}

/// An event, as a browser has it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is for the document")]
pub struct Event {
    /// `progress`, `filed`, `run`, `step`, `looked`, `found`, `verified`, `compacted` or `index`.
    event: String,
    /// JSON.
    data: String,
}

#[derive(Serialize)]
struct Progress {
    run: RunId,
    done: u64,
    expected: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Looked {
    done: u64,
    expected: u64,
}

/// A line that a browser takes for an event. JSON has no line ends.
fn event(reply: Reply) -> Result<Option<Bytes>, io::Error> {
    let (name, data) = match reply {
        Reply::Progress {
            run,
            done,
            expected,
            bytes,
        } => {
            let progress = Progress {
                run,
                done,
                expected,
                bytes,
            };
            ("progress", serde_json::to_string(&progress)?)
        }
        Reply::Run(run) => ("run", serde_json::to_string(&run)?),
        Reply::Finished { run, .. } => ("run", serde_json::to_string(&run)?),
        Reply::Step(step) => ("step", serde_json::to_string(&step)?),
        Reply::Verifying { done, expected }
        | Reply::Compacting { done, expected }
        | Reply::Indexing { done, expected } => ("progress", serde_json::to_string(&Looked { done, expected })?),
        Reply::Verified(line) => ("verified", serde_json::to_string(&line)?),
        Reply::Compacted(line) => ("compacted", serde_json::to_string(&line)?),
        Reply::Index(line) => ("index", serde_json::to_string(&line)?),
        Reply::Rehearsing { done, expected, .. } => ("looked", serde_json::to_string(&Looked { done, expected })?),
        Reply::Tested(found) | Reply::Rehearsed(found) => ("found", found.to_string()),
        Reply::Rerouted(filed) => ("filed", serde_json::to_string(&filed)?),
        Reply::Failed(failure) => return Err(io::Error::other(failure.error)),
        _ => return Ok(None),
    };
    Ok(Some(format!("event: {name}\ndata: {data}\n\n").into()))
}

/// The profiles, how each stands, and how each is set up.
#[derive(Serialize, ToSchema)]
pub struct Profiles {
    /// Those that run.
    profiles: Vec<ProfileLine>,
    /// Those of the file, then those that are kept in the catalog.
    setups: Vec<ProfileSetup>,
}

/// The profiles, how each stands, and how each is set up.
#[utoipa::path(get, path = "/api/v1/profiles", tag = "runs", responses((status = 200, body = Profiles)))]
pub async fn profiles(visit: Visit) -> Answered {
    let (profiles, _) = stand(&visit).await?;
    let setups = setups(&visit, None).await?;
    Ok(HttpResponse::Ok().json(Profiles { profiles, setups }))
}

/// How the profiles are set up: all, or one.
pub async fn setups(visit: &Visit, name: Option<String>) -> Result<Vec<ProfileSetup>, super::refused::Refused> {
    let request = Request::Profiles { name, secrets: false };
    let setups = visit.ask(request).await?.into_iter().filter_map(|reply| match reply {
        Reply::Setup(setup) => Some(ProfileSetup { toml: None, ..*setup }),
        _ => None,
    });
    Ok(setups.collect())
}

/// How the appliance and its archive stand, and each profile.
#[derive(Serialize, ToSchema)]
pub struct Status {
    appliance: ApplianceLine,
    profiles: Vec<ProfileLine>,
}

/// How all of it stands.
#[utoipa::path(get, path = "/api/v1/status", tag = "runs", responses((status = 200, body = Status)))]
pub async fn status(visit: Visit) -> Answered {
    let (profiles, appliance) = stand(&visit).await?;
    let appliance = appliance.ok_or_else(cut)?;
    Ok(HttpResponse::Ok().json(Status { appliance, profiles }))
}

async fn stand(visit: &Visit) -> Result<(Vec<ProfileLine>, Option<ApplianceLine>), super::refused::Refused> {
    let (mut profiles, mut appliance) = (Vec::new(), None);
    for reply in visit.ask(Request::Status).await? {
        match reply {
            Reply::Profile(line) => profiles.push(*line),
            Reply::Appliance(line) => appliance = Some(*line),
            _ => {}
        }
    }
    Ok((profiles, appliance))
}

/// A run that began.
#[derive(Serialize, ToSchema)]
pub struct Begun {
    run: RunId,
}

/// Run a profile now. Answered as soon as the run has its number; `events` of it says how it goes on.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/runs", tag = "runs", params(("name" = String, Path)),
    responses((status = 202, body = Begun, headers(("Location" = String)))))]
pub async fn begin(visit: Visit) -> Answered {
    let profile = visit.named("name").to_owned();
    let mut answer = visit.begin(Request::Archive { profile }).await?;
    let run = loop {
        match answer.next().await.ok_or_else(cut)? {
            Reply::Progress { run, .. } => break run,
            Reply::Finished { run, .. } => break run.run,
            Reply::Failed(failure) => return Err(visit.failed(failure)),
            Reply::Done => return Err(cut()),
            _ => {}
        }
    };
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, format!("/api/v1/runs/{run}")))
        .json(Begun { run }))
}

/// End the run of a profile in good order, where one is going on. What it has committed stays.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/interrupt", tag = "runs", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn interrupt(visit: Visit) -> Answered {
    let profile = visit.named("name").to_owned();
    visit.ask(Request::Interrupt { profile }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is to be filed anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reroute {
    /// Only what this user has.
    #[serde(default)]
    from: Option<String>,
    /// By the rules of this profile; otherwise by those of the profile with which each message came.
    #[serde(default)]
    profile: Option<String>,
    /// Only what this query finds: on the command line alone. An account is answered 403, as the number of messages found
    /// would tell it what stands in mail of others.
    #[serde(default)]
    query: Option<String>,
    /// Only say what would be filed.
    #[serde(default)]
    dry_run: bool,
}

/// File anew what is in the archive, by the rules and users that there are now. Answered by server-sent events: `progress`,
/// `filed` for each message that somebody gets who did not have it, and at the end `run`, with the protocol. It goes on
/// where nobody takes them.
#[utoipa::path(post, path = "/api/v1/reroutes", tag = "runs", request_body = Reroute,
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn reroute(mut visit: Visit) -> Answered {
    let Reroute {
        from,
        profile,
        query,
        dry_run,
    } = visit.body()?;
    let request = Request::Reroute {
        from,
        profile,
        dry_run,
        query,
    };
    as_events(&mut visit, request).await
}

/// How far the filing anew is that is going on, as server-sent events: `progress` each second, and at the end `run`. Of the
/// last one, where none is going on, `run` alone.
#[utoipa::path(get, path = "/api/v1/reroutes/events", tag = "runs",
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn reroute_events(mut visit: Visit) -> Answered {
    as_events(&mut visit, Request::WatchReroute).await
}

/// End the filing anew that is going on, if there is one. What it has committed stays.
#[utoipa::path(post, path = "/api/v1/reroutes/interrupt", tag = "runs", responses((status = 204)))]
pub async fn interrupt_reroute(visit: Visit) -> Answered {
    visit.ask(Request::InterruptReroute).await?;
    Ok(HttpResponse::NoContent().finish())
}
