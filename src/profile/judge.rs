//! From the bytes of a window of copies to their outcomes: identified on the pool, routed, filed, committed.

use std::{cell::LazyCell, io, sync::Arc};

use super::{
    jobs::ListedFolder,
    progress::Judged,
    shortfall,
    task::Task,
    windows::{Arrived, Together},
};
use crate::{
    archive::{Named, StoreError, Traits, Why},
    fault,
    identify::{Header, Identified, Reported, Rules},
    panics::survived,
    report::{CopyError, InStage, Outcome, Stage},
    route::{AsItStands, Held, Prepared, Route, RouteError, Routed},
    said::{Said, Say},
    source::{CopyRef, Fetched},
};

/// In the words of an error.
const DOING: &str = "reading or filing it";

/// The outcomes of copies, by their places. An error of the store ends the run.
pub type Outcomes = Vec<(usize, Result<Judged, StoreError>)>;

/// The way of a window of copies, at the end of which each has an outcome of its own.
pub async fn judge(task: Arc<Task>, window: Together) -> Outcomes {
    let Together {
        folder,
        copies,
        share: _share,
        ..
    } = window;
    let many = copies.len();
    let identifying = InStage::enter(Stage::Identify, many);
    let reader = Reader {
        task: task.clone(),
        folder: folder.clone(),
        has_former: task.stages.store.has_former_identities(),
    };
    let read = task.stages.pool.run(move || reader.read_all(copies)).await;
    let mut outcomes = Outcomes::with_capacity(many);
    let (mut ready, mut prepared) = (Vec::with_capacity(many), Vec::with_capacity(many));
    for (one, read) in read.unwrap_or_default() {
        match read {
            Ok(copy) => {
                prepared.push(copy);
                ready.push(one);
            }
            Err((outcome, error)) => outcomes.push((one.place, Ok(one.ended(outcome, error)))),
        }
    }
    identifying.done_each();
    if prepared.iter().any(|copy| copy.found.more > 0) {
        prepared = look_through(&task, prepared, &mut ready, &folder, &mut outcomes).await;
    }
    if prepared.is_empty() {
        return outcomes;
    }
    for (one, copy) in ready.iter_mut().zip(&prepared) {
        let is_held = copy.held.is_some();
        one.reported = if is_held { Reported::No } else { copy.reported };
        one.ends_with_envelope = copy.found.ends_with_envelope && !is_held;
    }
    let waits = InStage::enter(Stage::Route, prepared.len());
    let route = Route {
        window: prepared,
        folder: folder.number,
        run: task.run,
        routing: task.routing.clone(),
        known_only: false,
        waits,
    };
    let routed = task.stages.router.send(route).await;
    let routed = routed.unwrap_or_else(|_| ready.iter().map(|_| Err(RouteError::Router)).collect());
    for (one, routed) in ready.into_iter().zip(routed) {
        let judged = survived(DOING, || fault::point("judged"));
        let place = one.place;
        let judged = match (judged, routed) {
            (Ok(Ok(())), Ok(routed)) => Ok(one.routed(routed)),
            (Ok(Ok(())), Err(RouteError::Store(error))) => Err(error),
            (Ok(Ok(())), Err(error)) => Ok(one.failed(&folder, "route", error.said())),
            (Ok(Err(error)), _) => Ok(one.failed(&folder, "route", error.to_string().into())),
            (Err(panicked), _) => Ok(one.failed(&folder, "identify", panicked.said())),
        };
        outcomes.push((place, judged));
    }
    outcomes
}

/// Of a copy on its way, what its outcome will say.
struct Ready {
    place: usize,
    copy: CopyRef,
    bytes: u64,
    remark: Option<CopyError>,
    reported: Reported,
    ends_with_envelope: bool,
}

impl Ready {
    fn routed(self, routed: Routed) -> Judged {
        Judged {
            copy: self.copy,
            outcome: match (routed.skipped, routed.archived.is_empty()) {
                (true, _) => Outcome::Skipped,
                (false, false) => Outcome::Archived,
                (false, true) => Outcome::Duplicate,
            },
            bytes: self.bytes,
            routed: Some(routed),
            reported: self.reported,
            ends_with_envelope: self.ends_with_envelope,
            error: self.remark,
            fetched: true,
        }
    }

    fn ended(self, outcome: Outcome, error: Option<CopyError>) -> Judged {
        Judged {
            bytes: self.bytes,
            fetched: true,
            ..Judged::without_bytes(self.copy, outcome, error)
        }
    }

    fn failed(self, folder: &ListedFolder, stage: &str, error: Said) -> Judged {
        let error = CopyError::new(&folder.name, &self.copy, stage, error);
        self.ended(Outcome::Failed, Some(error))
    }
}

/// A copy ready for the router, or the outcome that it has already.
type Read = (Ready, Result<Prepared, (Outcome, Option<CopyError>)>);

/// Identifies copies, on a thread of the pool.
struct Reader {
    task: Arc<Task>,
    folder: Arc<ListedFolder>,
    has_former: bool,
}

impl Reader {
    fn read_all(&self, copies: Vec<Arrived>) -> Vec<Read> {
        // A report that is somebody's mail is not opened.
        let without_reports = LazyCell::new(|| self.task.rules.without_reports());
        let read = |arrived| self.read(arrived, &without_reports);
        copies.into_iter().map(read).collect()
    }

    /// Reads one copy. A panic over it costs no other.
    fn read(&self, arrived: Arrived, without_reports: &LazyCell<Rules, impl FnOnce() -> Rules>) -> Read {
        let Arrived {
            place,
            fetched,
            announced,
            remark,
        } = arrived;
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
        let held = self.task.owner.clone().or(exported);
        let is_held = held.is_some();
        let failed = |stage, error: Said| {
            let error = CopyError::new(&self.folder.name, &copy, stage, error);
            (Outcome::Failed, Some(error))
        };
        let prepare = |identified: Identified| {
            let named = self.folder.names.key(&copy).map(|key| Named {
                key,
                traits: Traits {
                    size: announced,
                    date: internal_date,
                    header: identified.header,
                    short: shortfall::is_less(&bytes, announced),
                },
            });
            Prepared::new(identified, self.has_former, named, held)
        };
        let identify = || {
            let rules = if is_held { without_reports } else { &*self.task.rules };
            self.identify(&bytes, internal_date, rules)
        };
        let size = bytes.len() as u64;
        let prepared = match survived(DOING, || fault::point("fetched")) {
            Err(panicked) => Err(failed("identify", panicked.said())),
            Ok(Err(error)) => Err(failed("fetch", error.to_string().into())),
            Ok(Ok(())) => match survived(DOING, identify) {
                Ok(Ok(Some(identified))) => Ok(identified),
                Ok(Ok(None)) => Err((Outcome::Excluded, None)),
                Ok(Err(error)) => Err(failed("identify", error.to_string().into())),
                Err(_) => {
                    let (profile, run, folder) = (&self.task.profile.name, self.task.run.0, &self.folder.name);
                    tracing::error!(profile, run, folder, %copy, "reading a message panicked; it is kept unread");
                    Ok(Identified::unread(bytes.clone(), internal_date))
                }
            },
        };
        let prepared = match prepared {
            Ok(identified) => {
                survived(DOING, || prepare(identified)).map_err(|panicked| failed("identify", panicked.said()))
            }
            Err(outcome) => Err(outcome),
        };
        let ready = Ready {
            place,
            copy,
            bytes: size,
            remark,
            reported: Reported::No,
            ends_with_envelope: false,
        };
        (ready, prepared)
    }

    /// `None`: the profile excludes it.
    fn identify(&self, bytes: &bytes::Bytes, date: Option<i64>, rules: &Rules) -> io::Result<Option<Identified>> {
        fault::point("identifying")?;
        let header = Header::scan(bytes);
        let exclude = self.task.exclude.as_ref();
        if exclude.is_some_and(|exclude| exclude.applies_to(&header, date)) {
            return Ok(None);
        }
        let identified = Identified::of(bytes, &header, date, rules);
        fault::point("identified").map(|()| Some(identified))
    }
}

/// Looks up all addresses of those copies that name more than were kept, with the users as they are now. Where that
/// goes wrong, such a copy has failed.
async fn look_through(
    task: &Task,
    prepared: Vec<Prepared>,
    ready: &mut Vec<Ready>,
    folder: &ListedFolder,
    outcomes: &mut Outcomes,
) -> Vec<Prepared> {
    let directory = task.stages.router.send(AsItStands).await;
    let (rules, routing) = (task.rules.clone(), task.routing.clone());
    let looking = move || {
        let directory = directory.map_err(|_| RouteError::Router.said());
        let look = |copy: Prepared| match (copy.found.more, &directory) {
            (0, _) => Ok(copy),
            (_, Err(error)) => Err(error.clone()),
            (_, Ok(directory)) => {
                survived(DOING, || copy.looked_through(directory, &routing, &rules)).map_err(|panicked| panicked.said())
            }
        };
        prepared.into_iter().map(look).collect::<Vec<_>>()
    };
    let looked = task.stages.pool.run(looking).await.unwrap_or_default();
    let mut kept = Vec::with_capacity(looked.len());
    for (one, looked) in std::mem::take(ready).into_iter().zip(looked) {
        match looked {
            Ok(copy) => {
                kept.push(copy);
                ready.push(one);
            }
            Err(error) => outcomes.push((one.place, Ok(one.failed(folder, "identify", error)))),
        }
    }
    kept
}
