//! The configuration, read anew while mail goes on: users, lists and aliases, profiles. One that is refused changes
//! nothing.

use std::{collections::HashSet, path::PathBuf, sync::Arc};

use actix::Actor;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    history,
    state::{Appliance, Asked, Refused, Running},
    supervised::{Supervised, supervise},
    users::changed_users,
};
use crate::{
    api::{ChangedNames, Exit, Failure, Reloaded, Reply},
    archive::{User, UserId, UsersNews},
    config::{self, Config, FileUsers, Origin},
    kept,
    panics::blocking,
    profile::{Leave, Reconfigure, Stages, Stop},
    report::metrics,
    reroute::Gained,
    route::{LookNoMore, Signs, UsersFile, settled},
    said::{Said, said},
    token::{self, Login},
};

/// Users of each kind that are named.
const MOST_NAMES: usize = 100;
/// In the words of an error.
const READING: &str = "reading the users";
const READING_CONFIG: &str = "reading the configuration";

impl Appliance {
    /// Told whenever another configuration is in force.
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    /// Who asks for the configuration to be read anew; to be answered by whoever calls [`reload`](Self::reload). Only
    /// the first who takes this gets any.
    pub fn reloads_asked_for(&self) -> mpsc::Receiver<Asked> {
        let asking = self.asking.lock().take();
        asking.unwrap_or_else(|| mpsc::channel(1).1)
    }

    /// Has it read anew by whoever started the appliance; says what changed, and then how much of the mail in the
    /// archive is for users with new addresses.
    pub(super) async fn ask_for_reload(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let nobody = || {
            Failure::new(
                Exit::Errors,
                "no appliance is running (`dropkeep serve`): this process cannot reload its configuration",
            )
        };
        let (tell, told) = oneshot::channel();
        let before = self.backlogs.told();
        self.asked.send(tell).await.map_err(|_| nobody())?;
        let reloaded = told.await.map_err(|_| nobody())??;
        let _ = replies.send(Reply::Reloaded(reloaded)).await;
        self.tell_backlog(before, replies).await;
        Ok(())
    }

    /// What else is to be read whenever the configuration is: a certificate, say. Where that is refused, all of it is.
    /// Only the first of them counts.
    pub fn read_also(&self, files: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        let _ = self.files.set(Box::new(files));
    }

    /// Reads the configuration anew from its file. A profile that changed goes on by the new one when no run of it is
    /// going on; one that is not there any more ends its run in good order, and goes.
    ///
    /// # Errors
    /// The file is refused, and the configuration stays as it was.
    pub async fn reload(&self) -> Result<Reloaded, Failure> {
        let _alone = self.reloading.lock().await;
        let reloaded = self.read_anew().await;
        metrics::reloaded(reloaded.is_ok());
        let refused = reloaded.as_ref().err().map(|(failure, by_users_file)| Refused {
            why: failure.to_string(),
            by_users_file: *by_users_file,
        });
        let reloaded = reloaded.map_err(|(failure, _)| failure);
        *self.refused.lock() = refused;
        match &reloaded {
            Ok(reloaded) => tracing::info!(
                added = reloaded.added.join(", "),
                changed = reloaded.changed.join(", "),
                removed = reloaded.removed.join(", "),
                needs_restart = reloaded.needs_restart.join(", "),
                "the configuration was read again"
            ),
            Err(error) => tracing::error!(%error, "the configuration is refused, and the earlier one stays in force"),
        }
        reloaded
    }

    /// Where that fails, it says whether the users file alone is wrong.
    async fn read_anew(&self) -> Result<Reloaded, (Failure, bool)> {
        let new = self.load().await.map_err(|failure| (failure, false))?;
        new.require_users().map_err(|error| (error.into(), true))?;
        self.take(new).await.map_err(|failure| (failure, false))
    }

    async fn load(&self) -> Result<Config, Failure> {
        let old = self.config();
        if let Some(users_file) = &old.users_file {
            // It may still be being written.
            settled(users_file).await;
        }
        let file = old.file.clone();
        let read = blocking(READING_CONFIG, move || Config::load(&file)).await??;
        self.with_kept(read).await
    }

    /// The configuration with the profiles and lists that the catalog keeps; which of them are left out is noted.
    pub(super) async fn with_kept(&self, mut config: Config) -> Result<Config, Failure> {
        let store = self.store.clone();
        let merge = move || kept::merge(&mut config, &store).map(|left_out| (config, left_out));
        let (config, left_out) = blocking(READING_CONFIG, merge).await??;
        *self.not_in_force.lock() = left_out;
        Ok(config)
    }

    async fn take(&self, mut new: Config) -> Result<Reloaded, Failure> {
        let old = self.config();
        self.files.get().map_or(Ok(()), |read| read()).map_err(Failure::usage)?;
        let needs_restart = keep_fixed(&old, &mut new);
        let users = self.change_users(&old, &new).await?;
        self.notifier.reconfigure(&new);
        self.gate.reconfigure(&new.access);
        new.file_users = FileUsers::default();
        let new = Arc::new(new);
        self.backlogs.configure(new.clone());
        let mut reloaded = self.change_profiles(&old, new, &[]).await;
        reloaded.needs_restart = needs_restart;
        reloaded.users = users;
        self.reloads.send_modify(|reloads| *reloads += 1);
        Ok(reloaded)
    }

    /// What is to be said of an answer by the configuration in force where its file has other rules or users by now.
    pub(super) async fn newer_configuration(&self, loaded: &Config) -> Option<Said> {
        if !self.scheduled {
            return None;
        }
        let file = loaded.file.clone();
        let read = blocking(READING_CONFIG, move || Config::load(&file)).await.ok()?;
        let in_file = |profile: &&config::Profile| profile.origin == Origin::File;
        let list_in_file = |list: &&config::List| list.origin == Origin::File;
        let differs = match read {
            Ok(new) => {
                !loaded.profile.iter().filter(in_file).eq(&new.profile)
                    || loaded.user != new.user
                    || !loaded.list.iter().filter(list_in_file).eq(&new.list)
                    || loaded.domain_aliases != new.domain_aliases
                    || loaded.users_file != new.users_file
            }
            Err(_) => true,
        };
        let file = loaded.file.display().to_string();
        differs.then(|| {
            said!(
                ConfigurationNewer,
                "{0} has changed since the running appliance read it; this goes by what the appliance has loaded. To go by the \
                 file: dropkeep reload, then dropkeep reroute",
                file
            )
        })
    }

    /// Makes the users those of `new`.
    async fn change_users(&self, old: &Config, new: &Config) -> Result<ChangedNames, Failure> {
        let users_of = |config: &Config| (config.user.clone(), config.list.clone(), config.domain_aliases.clone());
        let same = users_of(old) == users_of(new) && old.users_file == new.users_file;
        if same && !self.take_over.is_behind() && !self.has_other_users(new).await? {
            return Ok(ChangedNames::default());
        }
        self.look_no_more().await;
        let taken = self.take_over_from(new).await;
        if taken.is_ok() {
            self.gained_by_signs(old, new).await?;
        }
        self.look_anew(if taken.is_ok() { new } else { old });
        if taken.is_err() {
            self.reconfigure(old, &Arc::new(old.clone())).await;
        }
        taken
    }

    /// Whoever looks at the users file knows the users and lists of the old configuration, and would retire the new ones.
    async fn look_no_more(&self) {
        let looking = self.running().stages.users_file.clone();
        if let Some(looking) = looking {
            // One that is gone looks no more.
            let _ = looking.send(LookNoMore).await;
        }
    }

    /// Has the users file of a configuration looked at from now on.
    fn look_anew(&self, config: &Config) {
        let users_file = UsersFile::new(config, self.take_over.clone(), self.backlogs.tell_gained());
        self.running_mut().stages.users_file = users_file.map(Actor::start);
    }

    /// Lists and domain aliases that are new lead to users, for whom there may be mail in the archive.
    async fn gained_by_signs(&self, old: &Config, new: &Config) -> Result<(), Failure> {
        let gained = gained_by_signs(old, new);
        if !gained.is_empty() {
            self.committer.add_news(gained.clone().into()).await?;
            self.backlogs.gained(gained);
        }
        Ok(())
    }

    /// Has addresses looked up by the lists of `new`. The users stay as they are.
    async fn change_lists(&self, old: &Config, new: &Config) -> Result<(), Failure> {
        self.look_no_more().await;
        let nobody = (Vec::new(), UsersNews::default());
        let taken = self.take_over.take(nobody, &Signs::new(new), true).await;
        self.look_anew(if taken.is_ok() { new } else { old });
        taken?;
        self.gained_by_signs(old, new).await
    }

    /// Whether its users file has changed.
    async fn has_other_users(&self, new: &Config) -> Result<bool, Failure> {
        if new.users_file.is_none() {
            return Ok(false);
        }
        let (config, store) = (new.clone(), self.store.clone());
        let (changed, _) = blocking(READING, move || changed_users(&config, &store)).await??;
        Ok(!changed.is_empty())
    }

    async fn take_over_from(&self, new: &Config) -> Result<ChangedNames, Failure> {
        let (config, store) = (new.clone(), self.store.clone());
        let changed = blocking(READING, move || changed_users(&config, &store)).await??;
        let (names, gained) = (names_of(&changed.0), changed.1.gained.clone());
        self.take_over.take(changed, &Signs::new(new), true).await?;
        self.gained(gained);
        Ok(names)
    }

    /// Takes over what was changed of the profiles and lists that the catalog keeps; the tokens of profiles that were `removed`
    /// from it go, too. For whoever holds `reloading`.
    pub(super) async fn take_kept(&self, removed: &[String]) -> Result<(), Failure> {
        let old = self.config();
        let new = Arc::new(self.with_kept((*old).clone()).await?);
        if old.list != new.list {
            self.change_lists(&old, &new).await?;
        }
        self.notifier.reconfigure(&new);
        self.backlogs.configure(new.clone());
        let changed = self.change_profiles(&old, new, removed).await;
        tracing::info!(
            added = changed.added.join(", "),
            changed = changed.changed.join(", "),
            removed = changed.removed.join(", "),
            "what is kept in the catalog was changed"
        );
        self.reloads.send_modify(|reloads| *reloads += 1);
        Ok(())
    }

    /// Makes the profiles those of `new`.
    async fn change_profiles(&self, old: &Config, new: Arc<Config>, forgotten: &[String]) -> Reloaded {
        let names = |config: &Config| -> HashSet<String> { config.profile.iter().map(|it| it.name.clone()).collect() };
        let (before, now) = (names(old), names(&new));
        let mut reloaded = Reloaded {
            changed: self.reconfigure(old, &new).await,
            rules_changed: rules_changed(old, &new),
            ..Reloaded::default()
        };
        for name in before.difference(&now) {
            let mut running = self.running_mut();
            if let Some(supervised) = running.profiles.remove(name) {
                running.leaving.push(supervised.clone());
                let forgotten = forgotten.contains(name).then(|| old.data_dir.clone());
                actix_rt::spawn(leave(name.clone(), supervised, self.running.clone(), forgotten));
            }
            reloaded.removed.push(name.clone());
        }
        // Those that were not in force have nobody who leaves.
        for name in forgotten
            .iter()
            .filter(|name| !before.contains(*name) && !now.contains(*name))
        {
            forget_tokens(old.data_dir.clone(), name.clone()).await;
        }
        for profile in new.profile.iter().filter(|profile| !before.contains(&profile.name)) {
            // It may have been there before. What cannot be read counts as none.
            let standing = history::standing(&profile.name, &self.store).unwrap_or_default();
            let stages = self.stages_of(&new);
            // After the appliance was told to end, nothing begins.
            if self.running().ending {
                break;
            }
            let supervised = supervise(&new, profile, &stages, standing, self.scheduled);
            self.running_mut().profiles.insert(profile.name.clone(), supervised);
            reloaded.added.push(profile.name.clone());
        }
        let stages = self.stages_of(&new);
        let mut running = self.running_mut();
        (running.config, running.stages) = (new, stages);
        reloaded
    }

    fn stages_of(&self, config: &Config) -> Stages {
        Stages {
            max_message_size: config.limits.max_message_size.0,
            ..self.running().stages.clone()
        }
    }

    /// Tells the profiles that are in both configurations what they are now, where that is something else.
    async fn reconfigure(&self, old: &Config, new: &Arc<Config>) -> Vec<String> {
        let profiles = self.running().profiles.clone();
        let stages = self.stages_of(new);
        // What is not the profile's own: where its tokens are encrypted, what is too large, who looks at the users.
        let all = old.secrets != new.secrets
            || old.limits != new.limits
            || old.users_file.is_some()
            || new.users_file.is_some();
        let mut changed = Vec::new();
        for profile in &new.profile {
            let before = old.profile.iter().find(|before| before.name == profile.name);
            let (Some(before), Some(supervised)) = (before, profiles.get(&profile.name)) else {
                continue;
            };
            if before == profile && !all {
                continue;
            }
            if before != profile {
                changed.push(profile.name.clone());
            }
            let logs_in_anew = before.server != profile.server || old.secrets != new.secrets;
            let reconfigure = Reconfigure {
                config: profile.clone(),
                login: logs_in_anew.then(|| Login::new(new, profile)),
                stages: stages.clone(),
            };
            // A supervisor that is gone runs nothing.
            let _ = supervised.supervisor.send(reconfigure).await;
        }
        changed
    }
}

/// Profiles whose rules for recipients are others.
fn rules_changed(old: &Config, new: &Config) -> Vec<String> {
    let is_other = |profile: &&config::Profile| {
        let before = old.profile.iter().find(|before| before.name == profile.name);
        before.is_some_and(|before| before.recipients != profile.recipients)
    };
    let changed = new.profile.iter().filter(is_other);
    changed.map(|profile| profile.name.clone()).collect()
}

/// Users by what becomes of them.
fn names_of(changed: &[(Option<UserId>, User)]) -> ChangedNames {
    let mut names = ChangedNames::default();
    for (id, user) in changed {
        let (list, omitted) = match (id, user.retired) {
            (None, _) => (&mut names.added, &mut names.added_omitted),
            (Some(_), true) => (&mut names.retired, &mut names.retired_omitted),
            (Some(_), false) => (&mut names.changed, &mut names.changed_omitted),
        };
        match list.len() < MOST_NAMES {
            true => list.push(user.name.clone()),
            false => *omitted += 1,
        }
    }
    names
}

/// Puts back what holds for as long as the appliance runs, and names it.
fn keep_fixed(old: &Config, new: &mut Config) -> Vec<String> {
    let mut fixed = Vec::new();
    let mut keep = |key: &str, differs: bool| {
        if differs {
            fixed.push(key.to_owned());
        }
    };
    keep("data_dir", old.data_dir != new.data_dir);
    keep("limits.inflight", old.limits.inflight != new.limits.inflight);
    keep(
        "archive.volume_size",
        old.archive.volume_size != new.archive.volume_size,
    );
    keep(
        "archive.quiet_hours",
        old.archive.quiet_hours != new.archive.quiet_hours,
    );
    keep("archive.verify", old.archive.verify != new.archive.verify);
    keep("protocols", old.protocols != new.protocols);
    keep("audit", old.audit != new.audit);
    keep("search", old.search != new.search);
    keep("log.format", old.log.format != new.log.format);
    keep("http", old.http != new.http);
    keep("web", old.web != new.web);
    new.data_dir.clone_from(&old.data_dir);
    new.limits.inflight = old.limits.inflight;
    new.archive = old.archive.clone();
    new.protocols = old.protocols.clone();
    new.audit = old.audit.clone();
    new.search = old.search.clone();
    new.http = old.http.clone();
    new.web = old.web.clone();
    fixed
}

/// To whom lists and domain aliases lead that are new.
fn gained_by_signs(old: &Config, new: &Config) -> Gained {
    let lists = new.list.iter().filter(|list| !old.list.contains(list));
    let aliases = &old.domain_aliases;
    let is_new = |(from, to): (&_, &_)| aliases.get(from) != Some(to);
    Gained {
        users: lists.flat_map(|list| list.users.iter().cloned()).collect(),
        anybody: new.domain_aliases.iter().any(is_new),
    }
}

/// Ends a profile that is configured no more, and forgets its tokens where the data directory is given.
async fn leave(name: String, mut supervised: Supervised, running: Arc<RwLock<Running>>, forgotten: Option<PathBuf>) {
    // A supervisor that is gone has no run.
    let _ = supervised.supervisor.send(Stop).await;
    let _ = supervised.live.wait_for(|live| !live.busy).await;
    let _ = supervised.supervisor.send(Leave).await;
    let is_gone = {
        let mut running = running.write();
        running.leaving.retain(|it| it.supervisor != supervised.supervisor);
        // It may be there again meanwhile.
        !running.profiles.contains_key(&name)
    };
    if is_gone {
        metrics::profile_gone(&name);
        if let Some(data_dir) = forgotten {
            forget_tokens(data_dir, name).await;
        }
    }
}

/// Forgets the tokens of a profile that was removed: nobody logs in with them any more.
async fn forget_tokens(data_dir: PathBuf, profile: String) {
    let name = profile.clone();
    let error = match blocking("forgetting tokens", move || token::forget(&data_dir, &name)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(panicked) => panicked.to_string(),
    };
    tracing::warn!(profile, error, "the tokens of a removed profile are still there");
}
