//! Profiles that are kept in the catalog: shown, changed and imported while others run.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::state::Appliance;
use crate::{
    access::{Caller, Entry, Outcome},
    api::{ChangeKind, ChangedLine, Failure, ProfileWish, Reply, Spoken, Written},
    archive::{Deed, Store},
    config::Config,
    gate::NotNoted,
    kept::{self, ByOwner, Planned},
    panics::blocking,
};

impl Appliance {
    pub(super) async fn setups(
        &self,
        name: Option<String>,
        secrets: bool,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let (config, left_out, store) = (self.config(), self.not_in_force.lock().clone(), self.store.clone());
        let only = name.clone();
        let read = move || kept::setups(&config, &left_out, store.profiles()?, only.as_deref(), secrets);
        let setups = blocking("reading profiles", read).await??;
        if setups.is_empty()
            && let Some(name) = name
        {
            return Err(match self.config().profile(&name) {
                Err(error) => Failure::unknown(error),
                Ok(_) => self.does_not_know(&name),
            });
        }
        for setup in setups {
            // Whoever asked may be gone.
            let _ = replies.send(Reply::Setup(Box::new(setup))).await;
        }
        Ok(())
    }

    /// Whether a profile could be kept as it is written. Says all that is wrong, the first of it last, as the failure.
    pub(super) async fn check_profile(
        &self,
        caller: &Caller,
        name: Option<String>,
        written: Written,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let (config, store, by) = (self.config(), self.store.clone(), by(caller));
        let check = move || kept::check(&config, &store, name.as_deref(), written, by);
        let mut wrong = blocking("checking a profile", check).await?.into_iter();
        let first = wrong.next();
        for failure in wrong {
            // Whoever asked may be gone.
            let _ = replies.send(Reply::AlsoWrong(failure)).await;
        }
        first.map_or(Ok(()), Err)
    }

    /// Changes a profile, and notes it in the same transaction; from then on it runs as it is now.
    pub(super) async fn change_profile(
        &self,
        caller: &Caller,
        name: String,
        wish: ProfileWish,
        entry: Entry,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let by = by(caller);
        let plan = move |config: &Config, store: &Store| {
            kept::plan(config, store, &name, &wish, by).map(|planned| vec![planned])
        };
        self.change_profiles_by(plan, false, entry, replies).await
    }

    /// The same of all profiles of a text.
    pub(super) async fn import_profiles(
        &self,
        caller: &Caller,
        toml: Spoken,
        replace: bool,
        dry_run: bool,
        entry: Entry,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let by = by(caller);
        let plan = move |config: &Config, store: &Store| kept::import(config, store, &toml, replace, by);
        self.change_profiles_by(plan, dry_run, entry, replies).await
    }

    async fn change_profiles_by(
        &self,
        plan: impl FnOnce(&Config, &Store) -> Result<Vec<Planned>, Failure> + Send + 'static,
        dry_run: bool,
        entry: Entry,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        // One after the other: each is checked against what those before it left.
        let alone = self.reloading.lock().await;
        let (config, store): (Arc<Config>, _) = (self.config(), self.store.clone());
        let planned = blocking("checking profiles", move || plan(&config, &store)).await;
        let planned = match planned.map_err(Failure::from).flatten() {
            Ok(planned) => planned,
            Err(failure) => {
                let notes = self.gate.notes();
                notes.note(entry.ended(Outcome::Failed, &failure.error)).await?;
                return Err(failure);
            }
        };
        let lines = planned.iter().map(|planned| ChangedLine {
            name: planned.name.clone(),
            change: planned.change,
        });
        let lines: Vec<_> = lines.collect();
        let entry = entry.with_names(lines.iter().map(|line| line.name.as_str()));
        let rows = planned.into_iter().map(|planned| (planned.name, planned.row));
        let deed = Deed {
            profiles: if dry_run { Vec::new() } else { rows.collect() },
            ..Deed::noted(entry)
        };
        self.gate.notes().deed(deed).await.map_err(NotNoted)?;
        if !dry_run {
            let removed = lines.iter().filter(|line| line.change == ChangeKind::Removed);
            let removed: Vec<_> = removed.map(|line| line.name.clone()).collect();
            self.take_kept(&removed).await?;
        }
        drop(alone);
        for line in lines {
            // Whoever asked may be gone.
            let _ = replies.send(Reply::Changed(line)).await;
        }
        Ok(())
    }
}

pub(super) fn by(caller: &Caller) -> ByOwner {
    ByOwner(matches!(caller, Caller::Owner(_)))
}
