//! What a connection puts aside before it fetches it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    collect_error::CollectError,
    collecting::{Collecting, Current},
    exclude::Exclude,
    fetcher::fetch_headers,
    progress::Judged,
    windows::HEADER_BYTES,
};
use crate::{
    config::Unknown,
    identify::{Header, Mail, Reported, identity_of},
    report::{Outcome, SIZE},
    route::{Passed, Preview, addressees, twin},
    said::{Said, said},
    source::{Announced, CopyRef, Fetched, Session, is_of_stand_in},
};

/// What is said of a copy that is larger than the most.
pub(super) fn too_large(size: u64, most: u64) -> Said {
    said!(
        CopyTooLarge,
        "{0} bytes exceed max_message_size ({1} bytes); it stays where it is",
        size,
        most
    )
}

impl Collecting<'_> {
    /// Puts aside what is too large, or excluded by what the server says of it.
    pub(super) fn put_aside(&mut self, current: &Current<'_>, announced: Vec<Announced>) -> Vec<Announced> {
        let most = self.task.stages.max_message_size;
        let mut fitting = Vec::with_capacity(announced.len());
        for one in announced {
            if one.size > most {
                let error = too_large(one.size, most);
                self.judged(current, Outcome::TooLarge, &one.copy, Some((SIZE, error)));
            } else if self.task.exclude.as_ref().is_some_and(|exclude| exclude.applies(&one)) {
                self.judged(current, Outcome::Excluded, &one.copy, None);
            } else {
                fitting.push(one);
            }
        }
        fitting
    }

    /// Where unknown messages stay on the server, or some are excluded by what they say, headers are judged before
    /// bodies are fetched.
    pub(super) async fn put_aside_by_header(
        &mut self,
        session: &mut Session,
        current: &Current<'_>,
        window: Vec<Announced>,
    ) -> Result<Vec<Announced>, CollectError> {
        let skips = self.task.routing.unknown == Unknown::Skip;
        let excludes = |exclude: &Arc<Exclude>| window.iter().any(|one| exclude.needs_header(one));
        let exclude = self.task.exclude.as_ref().filter(|exclude| excludes(exclude));
        if (!skips && exclude.is_none()) || !session.can_fetch_headers() || window.is_empty() {
            return Ok(window);
        }
        let _share = self
            .task
            .share(window.iter().map(|one| one.size.min(HEADER_BYTES)))
            .await?;
        let mut headers = Vec::with_capacity(window.len());
        let mut keep = |fetched: Fetched| headers.push((fetched.copy, fetched.bytes));
        fetch_headers(&self.task.cancel, session, &window, &mut keep).await?;
        self.task.pulse.beat();
        let mut aside = HashSet::new();
        let dates: HashMap<&CopyRef, Option<i64>> = window
            .iter()
            .map(|one| (&one.copy, one.facts.as_ref().and_then(|facts| facts.date)))
            .collect();
        for (copy, bytes) in headers {
            // Whoever it is for, the message itself says.
            if is_of_stand_in(&bytes) {
                continue;
            }
            let header = Header::scan(&bytes);
            let date = dates.get(&copy).copied().flatten();
            if exclude.is_some_and(|exclude| exclude.applies_to(&header, date)) {
                self.judged(current, Outcome::Excluded, &copy, None);
                aside.insert(copy);
                continue;
            }
            // For whom a journal report is, its body says.
            if !skips || self.task.rules.need_body(&header) {
                continue;
            }
            let found = self.task.rules.find(&Mail::plain(&header));
            // Whoever is known may be among those that were not kept: that is found out once it is fetched.
            if found.more > 0 {
                continue;
            }
            let question = Preview {
                found,
                routing: self.task.routing.clone(),
                look_up: addressees(&bytes),
            };
            let router = &self.task.stages.router;
            let previewed = match router.send(question).await {
                Ok(previewed) => previewed,
                // Deciding panicked, and the router lives on; once it is fetched, that copy alone fails.
                Err(_) if router.connected() => continue,
                Err(_) => return Err(CollectError::Profile),
            };
            if previewed.unknown {
                let reported = Reported::by_header(&header);
                let passed = Passed {
                    twin: twin(&identity_of(&bytes)),
                    reached: false,
                    addressees: addressees(&bytes),
                    known: previewed.looked_up.iter().any(Option::is_some),
                    forms: Vec::new(),
                };
                let judged = Judged::skipped(copy.clone(), previewed, passed, reported);
                self.put(current, judged);
                aside.insert(copy);
            }
        }
        Ok(window.into_iter().filter(|one| !aside.contains(&one.copy)).collect())
    }
}
