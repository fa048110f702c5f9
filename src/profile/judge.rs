//! From the bytes of one copy to its outcome.

use std::sync::Arc;

use super::{
    budget::Share,
    connection::{Judged, Task},
    jobs::Surveyed,
    shortfall,
};
use crate::{
    archive::{Named, StoreError, Traits, Why, header_digest},
    fault,
    identify::{Header, Identified, Reported},
    report::{CopyError, InStage, Outcome, Stage},
    route::{AsItStands, Held, Passed, Prepared, Previewed, Route, RouteError, Routed},
    source::{CopyRef, Fetched},
};

impl Judged {
    /// Unknown by its header, and left alone.
    pub fn skipped(copy: CopyRef, previewed: Previewed, passed: Passed, reported: Reported) -> Self {
        let routed = Routed {
            unknown: true,
            skipped: true,
            local_unknown: previewed.unknown_addresses,
            unresolved: previewed.unresolved,
            strangers: previewed.strangers,
            passed,
            ..Default::default()
        };
        Self {
            routed: Some(routed),
            reported,
            ..Self::without_bytes(copy, Outcome::Skipped, None)
        }
    }

    /// Of a copy that was not fetched.
    pub fn without_bytes(copy: CopyRef, outcome: Outcome, error: Option<CopyError>) -> Self {
        Self {
            copy,
            outcome,
            bytes: 0,
            routed: None,
            reported: Reported::No,
            ends_with_envelope: false,
            error,
            afloat: None,
        }
    }
}

/// The way of one fetched copy: identified, routed, filed, committed. `announced` is its size in bytes, as the server has
/// it; `remark` is to be said of it, though nothing failed.
///
/// # Errors
/// The store fails, which ends the run.
pub async fn judge(
    task: Arc<Task>,
    folder: Arc<Surveyed>,
    fetched: Fetched,
    announced: u64,
    remark: Option<CopyError>,
    _share: Share,
) -> Result<Judged, StoreError> {
    let Fetched {
        copy,
        bytes,
        internal_date,
        aside,
    } = fetched;
    let exported = aside.and_then(|aside| aside.holder).map(|holder| Held {
        why: match &*holder.why {
            "unknown" => Why::Unknown,
            field => Why::field(field),
        },
        user: holder.user,
        id: None,
        alone: true,
    });
    let held = task.owner.clone().or(exported);
    let is_held = held.is_some();
    let size = bytes.len() as u64;
    let rules = task.rules.clone();
    let failed = |stage, error: String| {
        let error = copy_error(&folder.name, &copy, stage, error);
        Judged {
            bytes: size,
            ..Judged::without_bytes(copy.clone(), Outcome::Failed, Some(error))
        }
    };
    if let Err(error) = fault::point("fetched") {
        return Ok(failed("fetch", error.to_string()));
    }
    let (again, held_again) = (bytes.clone(), held.clone());
    let key = folder.names.key(&copy);
    let named = move |bytes: &[u8]| {
        key.map(|key| Named {
            key,
            traits: Traits {
                size: announced,
                date: internal_date,
                header: header_digest(bytes),
                short: shortfall::is_less(bytes, announced),
            },
        })
    };
    let exclude = task.exclude.clone();
    let former = task.stages.store.has_former_identities();
    let identify = move || {
        fault::point("identifying")?;
        if exclude.is_some_and(|exclude| exclude.applies_to(&Header::scan(&bytes), internal_date)) {
            return Ok(None);
        }
        let named = named(&bytes);
        let prepared = match held {
            None => Prepared::new(Identified::new(bytes, internal_date, &rules), former),
            // A report that is somebody's mail is not opened.
            held => Prepared::new(Identified::new(bytes, internal_date, &rules.without_reports()), former).held(held),
        };
        fault::point("identified").map(|()| Some((prepared, named)))
    };
    let identifying = InStage::enter(Stage::Identify, 1);
    let mut prepared = task.stages.pool.run(identify).await;
    if prepared.is_err() {
        tracing::error!(profile = task.profile.name, run = task.run, folder = folder.name, %copy, "reading a message panicked; it is kept unread");
        prepared = task
            .stages
            .pool
            .run(move || {
                let named = named(&again);
                let unread = Prepared::new(Identified::unread(again, internal_date), former);
                Ok(Some((unread.held(held_again), named)))
            })
            .await;
    }
    identifying.done();
    let (prepared, named) = match prepared {
        Ok(Ok(Some(prepared))) => prepared,
        Ok(Ok(None)) => {
            return Ok(Judged {
                bytes: size,
                ..Judged::without_bytes(copy, Outcome::Excluded, None)
            });
        }
        Ok(Err(error)) => return Ok(failed("identify", error.to_string())),
        Err(panicked) => return Ok(failed("identify", panicked.to_string())),
    };
    let prepared = match prepared.found.more {
        0 => prepared,
        _ => match look_through(&task, prepared).await {
            Ok(prepared) => prepared,
            Err(error) => return Ok(failed("identify", error)),
        },
    };
    let reported = match prepared.held {
        None => prepared.reported,
        Some(_) => Reported::No,
    };
    let ends_with_envelope = prepared.found.ends_with_envelope && !is_held;
    let route = Route {
        copy: named,
        folder: folder.number,
        run: task.run,
        prepared,
        routing: task.routing.clone(),
        known_only: false,
        waits: InStage::enter(Stage::Route, 1),
    };
    let routed = task.stages.router.send(route).await.unwrap_or(Err(RouteError::Router));
    if let Err(error) = fault::point("judged") {
        return Ok(failed("route", error.to_string()));
    }
    match routed {
        Ok(routed) => {
            let outcome = match (routed.skipped, routed.archived.is_empty()) {
                (true, _) => Outcome::Skipped,
                (false, false) => Outcome::Archived,
                (false, true) => Outcome::Duplicate,
            };
            Ok(Judged {
                copy,
                outcome,
                bytes: size,
                routed: Some(routed),
                reported,
                ends_with_envelope,
                error: remark,
                afloat: None,
            })
        }
        Err(RouteError::Store(error)) => Err(error),
        Err(error) => Ok(failed("route", error.to_string())),
    }
}

/// Looks up all addresses of a copy that names more than were kept, with the users as they are now.
async fn look_through(task: &Task, prepared: Prepared) -> Result<Prepared, String> {
    let directory = task.stages.router.send(AsItStands).await;
    let directory = directory.map_err(|_| RouteError::Router.to_string())?;
    let (rules, routing) = (task.rules.clone(), task.routing.clone());
    let looking = move || prepared.looked_through(&directory, &routing, &rules);
    task.stages
        .pool
        .run(looking)
        .await
        .map_err(|panicked| panicked.to_string())
}

/// The notice about a copy that names so many addresses that most of them are only counted.
pub fn names_very_many(copy: &CopyRef, more: u64) -> String {
    format!(
        "{copy} names so many addresses that {more} of them are not listed anywhere; each of them was looked up, and whoever is \
         known among them has the message"
    )
}

pub fn copy_error(folder: &str, copy: &CopyRef, stage: &str, error: String) -> CopyError {
    CopyError::new(folder, copy, stage, error)
}
