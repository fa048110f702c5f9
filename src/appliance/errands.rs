//! An errand besides runs: filing anew what is in the archive.

use roaring::RoaringTreemap;
use tokio::sync::mpsc;

use super::{rerouted::Rerouted, state::Appliance};
use crate::{
    access::Archives,
    api::{Failure, Reply},
    panics::blocking,
    profile::look_at_users,
    reading::{all_found, find_user},
    reroute::{self, Reroute},
};

/// What a rerouting says that nobody has passed on yet.
const TOLD: usize = 32;

impl Appliance {
    /// What a query finds in all of the archive.
    async fn found_by(&self, query: String, replies: &mpsc::Sender<Reply>) -> Result<RoaringTreemap, Failure> {
        self.catch_up(replies).await?;
        let (store, search) = (self.store.clone(), self.search.clone());
        blocking("searching", move || all_found(&store, &search, &query)).await?
    }

    /// Files anew what is in the archive, or in that of the user `from`, by the rules of `profile` if one is given; only
    /// what `query` finds, if there is one.
    pub(super) async fn reroute(
        &self,
        from: Option<String>,
        profile: Option<String>,
        dry_run: bool,
        query: Option<String>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let (config, stages) = {
            let running = self.running();
            (running.config.clone(), running.stages.clone())
        };
        if let Some(name) = &profile
            && config.profile(name).is_err()
        {
            return Err(self.does_not_know(name));
        }
        let (from, messages) = match from {
            Some(name) => {
                let (user, name, usage) = find_user(&self.store, &Archives::All, &name)?;
                (Some((user, name)), usage.messages)
            }
            None => (None, self.store.totals()?.0),
        };
        let only = match query {
            Some(query) => Some((self.found_by(query.clone(), replies).await?, query)),
            None => None,
        };
        let messages = only.as_ref().map_or(messages, |(only, _)| messages.min(only.len()));
        let reroute = Reroute {
            from,
            messages,
            profile,
            dry_run,
            only,
        };
        let going_on = self.rerouting.begin()?;
        let files_all = reroute.from.is_none() && reroute.only.is_none() && !reroute.dry_run;
        if files_all {
            self.backlogs.forget();
        }
        let mut notices = look_at_users(stages.users_file.as_ref()).await;
        notices.extend(self.newer_configuration(&config).await);
        self.rerouted.send_replace(Some(Rerouted::default()));
        let (told, mut telling) = mpsc::channel(TOLD);
        let run = async {
            let filed = reroute::run(config, stages, reroute, notices, &going_on, &told).await;
            drop(told);
            filed
        };
        let passed_on = async {
            while let Some(reply) = telling.recv().await {
                self.rerouted.send_modify(|rerouted| {
                    if let Some(rerouted) = rerouted {
                        rerouted.note(&reply);
                    }
                });
                // Whoever asked may be gone; where they do not take how far it is at once, a later one says the same.
                let _ = match reply {
                    Reply::Progress { .. } => replies.try_send(reply).map_err(drop),
                    reply => replies.send(reply).await.map_err(drop),
                };
            }
        };
        let (filed, ()) = tokio::join!(run, passed_on);
        // One that could not even begin has no end.
        self.rerouted
            .send_modify(|rerouted| drop(rerouted.take_if(|rerouted| !rerouted.is_over())));
        if files_all && filed.is_ok() {
            self.backlogs.filed().await;
        }
        filed
    }
}
