//! `/profiles/{name}`: how profiles are set up, changed, and tried out. Passwords come in and never go out.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::LOCATION},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    door::{Answered, Visit, cut},
    refused::Refused,
    runs::{Event, as_events, setups},
};
use crate::api::{ChangedLine, Form, ProfileSetup, ProfileWish, Reply, Request, Spoken, StepLine, Written};

/// The keys of a profile, as the configuration file has them below `[[profile]]`: docs/api.md has an example. Secrets are
/// taken and never given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is for the document")]
pub struct ProfileKeys {
    name: String,
    #[schema(value_type = Object)]
    server: Value,
    #[schema(value_type = Option<Object>)]
    folders: Value,
    #[schema(value_type = Option<Object>)]
    recipients: Value,
    #[schema(value_type = Option<Object>)]
    delete: Value,
}

fn written(keys: Map<String, Value>) -> Written {
    Written {
        text: Spoken::new(Value::Object(keys).to_string()),
        form: Form::Json,
    }
}

/// How a profile is set up, without its secrets.
#[utoipa::path(get, path = "/api/v1/profiles/{name}", tag = "profiles", params(("name" = String, Path)),
    responses((status = 200, body = ProfileSetup)))]
pub async fn setup(visit: Visit) -> Answered {
    let name = visit.named("name").to_owned();
    let setups = setups(&visit, Some(name)).await?;
    Ok(HttpResponse::Ok().json(setups.into_iter().next().ok_or_else(cut)?))
}

/// Keep a new profile in the catalog. It runs at once as its schedule says.
#[utoipa::path(post, path = "/api/v1/profiles", tag = "profiles", request_body = ProfileKeys,
    responses((status = 201, headers(("Location" = String)))))]
pub async fn add(visit: Visit) -> Answered {
    let keys: Map<String, Value> = visit.body()?;
    let Some(name) = keys.get("name").and_then(Value::as_str).map(str::to_owned) else {
        let refused = Refused::bad("`name` is missing; write name = \"company\"").at(Some("#/name".to_owned()));
        return Err(refused);
    };
    let location = format!("/api/v1/profiles/{}", utf8_percent_encode(&name, NON_ALPHANUMERIC));
    change(&visit, name, ProfileWish::Add(written(keys))).await?;
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).finish())
}

/// Change a profile that is kept in the catalog: what is sent is all of it, but for secrets. One that is left out stays as it
/// was, as long as the profile's server (for tokens, their endpoint) does; one that is `null` is taken away. A run that is
/// going on ends as it began.
#[utoipa::path(put, path = "/api/v1/profiles/{name}", tag = "profiles", params(("name" = String, Path)),
    request_body = ProfileKeys, responses((status = 204)))]
pub async fn replace(visit: Visit) -> Answered {
    let keys = visit.body()?;
    let name = visit.named("name").to_owned();
    change(&visit, name, ProfileWish::Change(written(keys))).await
}

/// Remove a profile that is kept in the catalog. Its run, if one is going on, ends in good order; what was archived stays,
/// and so do its protocols.
#[utoipa::path(delete, path = "/api/v1/profiles/{name}", tag = "profiles", params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(visit: Visit) -> Answered {
    let name = visit.named("name").to_owned();
    change(&visit, name, ProfileWish::Remove).await
}

async fn change(visit: &Visit, name: String, wish: ProfileWish) -> Answered {
    visit.ask(Request::ChangeProfile { name, wish }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Profiles as a configuration file has them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// `[[profile]]` and its sections, as often as there are profiles.
    #[schema(value_type = String)]
    toml: Spoken,
    /// Change those that are kept already.
    #[serde(default)]
    replace: bool,
    /// Only say what would become of them.
    #[serde(default)]
    dry_run: bool,
}

/// What became of profiles or users, or, of a preview, what would.
#[derive(Serialize, ToSchema)]
pub struct Changed {
    changed: Vec<ChangedLine>,
}

impl Changed {
    pub fn of(replies: Vec<Reply>) -> Self {
        let changed = replies.into_iter().filter_map(|reply| match reply {
            Reply::Changed(line) => Some(line),
            _ => None,
        });
        Self {
            changed: changed.collect(),
        }
    }
}

/// Keep the profiles of a configuration file in the catalog: all of them, or none.
#[utoipa::path(post, path = "/api/v1/profiles/import", tag = "profiles", request_body = Imported,
    responses((status = 200, body = Changed)))]
pub async fn import(visit: Visit) -> Answered {
    let Imported { toml, replace, dry_run } = visit.body()?;
    let request = Request::ImportProfiles { toml, replace, dry_run };
    Ok(HttpResponse::Ok().json(Changed::of(visit.ask(request).await?)))
}

/// A profile that is tried out before it is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsaved {
    #[schema(value_type = ProfileKeys)]
    profile: Map<String, Value>,
    /// The profile that is kept whose secrets are taken where this one leaves them out, as by a change of it.
    #[serde(default)]
    like: Option<String>,
}

impl Unsaved {
    /// What is asked of it.
    async fn tried(mut visit: Visit, request: fn(Option<String>, Option<Written>) -> Request) -> Answered {
        let Self { profile, like } = visit.body()?;
        let tried = as_events(&mut visit, request(like, Some(written(profile)))).await;
        tried.map_err(|refused| refused.below("profile"))
    }
}

/// Test a profile that is not kept yet: connect, log in, look. Answered by server-sent events: `step` for each step, and at
/// the end `found`, what `dropkeep test --json` prints. It ends where nobody takes them.
#[utoipa::path(post, path = "/api/v1/profiles/test", tag = "profiles", request_body = Unsaved,
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn test_unsaved(visit: Visit) -> Answered {
    Unsaved::tried(visit, |name, profile| Request::TestProfile { name, profile }).await
}

/// Say for whom the messages of the whole source would be by a profile that is not kept yet. Stores nothing. Answered as the
/// dry run of one that is kept.
#[utoipa::path(post, path = "/api/v1/profiles/dry-run", tag = "profiles", request_body = Unsaved,
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn dry_run_unsaved(visit: Visit) -> Answered {
    Unsaved::tried(visit, |name, profile| Request::Rehearse { name, profile }).await
}

/// Test a profile as it is. Answered as the test of one that is not kept yet.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/test", tag = "profiles", params(("name" = String, Path)),
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn test(mut visit: Visit) -> Answered {
    let request = test_of(&visit);
    as_events(&mut visit, request).await
}

fn test_of(visit: &Visit) -> Request {
    Request::TestProfile {
        name: Some(visit.named("name").to_owned()),
        profile: None,
    }
}

/// Say for whom the messages of the whole source would be, by the rules of a profile. Stores nothing. Answered by
/// server-sent events: `looked`, with `done` and `expected`, and at the end `found`, what `dropkeep archive --dry-run --json`
/// prints. It ends where nobody takes them.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/dry-run", tag = "profiles", params(("name" = String, Path)),
    responses((status = 200, content_type = "text/event-stream", body = Event)))]
pub async fn dry_run(mut visit: Visit) -> Answered {
    let request = Request::Rehearse {
        name: Some(visit.named("name").to_owned()),
        profile: None,
    };
    as_events(&mut visit, request).await
}

/// Rules for a profile, from the newest messages of its source.
#[derive(Serialize, ToSchema)]
pub struct Proposed {
    steps: Vec<StepLine>,
    /// Keys of the profile, and the same as TOML; `null` where no message was seen.
    #[schema(value_type = Option<Object>)]
    proposal: Value,
    /// How the recipients of the newest messages are found by the profile as it is.
    #[schema(value_type = Option<Object>)]
    recipients: Value,
    doubts: Vec<String>,
}

/// Propose rules that fit the newest messages of a profile's source: it is tested for that.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/propose", tag = "profiles", params(("name" = String, Path)),
    responses((status = 200, body = Proposed)))]
pub async fn propose(visit: Visit) -> Answered {
    let (mut steps, mut found) = (Vec::new(), None);
    for reply in visit.ask(test_of(&visit)).await? {
        match reply {
            Reply::Step(step) => steps.push(step),
            Reply::Tested(tested) => found = Some(*tested),
            _ => {}
        }
    }
    let mut found = found.ok_or_else(cut)?;
    if let Some(failed) = steps.iter().find(|step| !step.ok) {
        let refused = Refused::new(StatusCode::CONFLICT).because(format!("{}: {}", failed.step, failed.detail));
        return Err(refused.do_so(failed.what_to_do.as_deref().unwrap_or("Test the profile.")));
    }
    let doubts = found["doubts"].take();
    Ok(HttpResponse::Ok().json(Proposed {
        steps,
        proposal: found["proposal"].take(),
        recipients: found["recipients"].take(),
        doubts: serde_json::from_value(doubts).unwrap_or_default(),
    }))
}
