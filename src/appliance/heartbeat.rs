//! Whether the appliance is alive, and how it is in a few words: what a service manager wants to know.

use std::time::Duration;

use futures_util::future;

use super::state::Appliance;
use crate::{profile::Heartbeat, route};

impl Appliance {
    /// Sees that whoever all others depend on goes on: each supervisor and the router answer within `patience`, and the
    /// committer is not at one group for longer than twice that.
    ///
    /// # Errors
    /// Who does not.
    pub async fn heartbeat(&self, patience: Duration) -> Result<(), String> {
        let profiles = self.running().profiles.clone();
        let supervisors = profiles.iter().map(|(name, profile)| {
            let answer = tokio::time::timeout(patience, profile.supervisor.send(Heartbeat));
            async move {
                let answered = matches!(answer.await, Ok(Ok(())));
                answered
                    .then_some(())
                    .ok_or_else(|| format!("the supervisor of {name} does not answer"))
            }
        });
        let router = tokio::time::timeout(patience, self.router.send(route::Heartbeat));
        let (router, supervisors) = future::join(router, future::join_all(supervisors)).await;
        if !matches!(router, Ok(Ok(()))) {
            return Err("the router does not answer".into());
        }
        let busy = self.committer.busy_for();
        if busy > patience.saturating_mul(2) {
            return Err(format!("the committer has been writing for {} s", busy.as_secs()));
        }
        supervisors.into_iter().collect()
    }

    /// How the profiles stand, in a few words.
    pub fn summary(&self) -> String {
        let (mut running, mut failing, mut all) = (0, Vec::new(), 0);
        for profile in &self.config().profile {
            // One that the configuration lost meanwhile is no matter.
            let Ok(supervised) = self.profile(&profile.name) else {
                continue;
            };
            all += 1;
            match supervised.state() {
                "running" => running += 1,
                "failing" => failing.push(profile.name.clone()),
                _ => {}
            }
        }
        let closed = match self.store.trouble() {
            _ if !self.committer.is_open() => "NOT READY: the archive cannot be written any more; ".into(),
            Some(trouble) => format!("NOT READY: {trouble}; "),
            None => String::new(),
        };
        let profiles = if all == 1 { "profile" } else { "profiles" };
        let mut words = format!("{closed}{all} {profiles}, {running} running");
        if let Some(first) = failing.first() {
            words.push_str(&match failing.len() {
                1 => format!(", {first} failing"),
                more => format!(", {more} failing ({first} first)"),
            });
        }
        words
    }
}
