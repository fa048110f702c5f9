//! Imports: as a run of a profile, or for one user, in a profile of their own that no configuration has.

use std::{io, sync::Arc};

use tokio::sync::mpsc;

use super::{
    state::Appliance,
    supervised::{Supervised, supervise},
};
use crate::{
    access::Archives,
    api::{Failure, Reply},
    config::{Access, Profile, Server},
    message::CATCHALL,
    panics::blocking,
    profile::{Leave, Standing},
    reading::find_user,
    report::{IMPORT, metrics},
    source::{Import, Owner},
};

impl Appliance {
    /// Archives files by a profile's rules, for one user, or both.
    pub(super) async fn import(
        &self,
        profile: Option<String>,
        user: Option<String>,
        import: Import,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let supervised = profile.as_deref().map(|name| self.profile(name)).transpose()?;
        let owner = user.map(|name| self.owner(name, supervised.is_none())).transpose()?;
        let import = there(Import { owner, ..import }).await?;
        match (supervised, &import.owner) {
            (Some(profile), _) => self.run(profile, Some(import), replies).await,
            (None, Some(owner)) => {
                let for_whom = owner.name.clone();
                let _going_on = self.importing.begin().map_err(|refused| self.another(refused))?;
                *self.importing_for.lock() = for_whom;
                let profile = self.begin_importing()?;
                let run = self.run(profile.clone(), Some(import), replies).await;
                // One that is gone has ended already.
                let _ = profile.supervisor.send(Leave).await;
                self.running_mut().importing = None;
                metrics::profile_gone(IMPORT);
                run
            }
            (None, None) => Err(Failure::usage("an import needs a user or a profile")),
        }
    }

    /// Imports for single users go on one at a time, also for different users: they are runs of one profile.
    fn another(&self, refused: Failure) -> Failure {
        let name = self.importing_for.lock().clone();
        let error = format!(
            "an import with --user (for {name}) is already going on, and only one can at a time; wait until it has ended \
             (`dropkeep status` shows it), then run this again"
        );
        Failure { error, ..refused }
    }

    /// The user for whom an import is. `alone`: for nobody else.
    fn owner(&self, name: String, alone: bool) -> Result<Owner, Failure> {
        if name == CATCHALL {
            return Err(Failure::usage(format!(
                "{CATCHALL} is no person: import with --profile, whose rules say what becomes of mail for nobody known"
            )));
        }
        let (user, name, _) = find_user(&self.store, &Archives::All, &name)?;
        let users = self.store.users()?;
        let retired = users.iter().find(|(id, ..)| *id == user).map(|(_, user, _)| user);
        if let Some(retired) = retired.filter(|user| user.retired) {
            let how = match retired.managed {
                true => "put the user back into the configuration or the users file, or import for another user",
                false => "import for another user",
            };
            return Err(Failure::usage(format!(
                "user {name:?} is retired, and a retired user gets no more mail: {how}"
            )));
        }
        Ok(Owner {
            user,
            name: name.into(),
            alone,
        })
    }

    /// Starts what imports for one user. Its server is asked for nothing.
    fn begin_importing(&self) -> Result<Supervised, Failure> {
        let mut running = self.running_mut();
        if running.ending {
            return Err(Failure::interrupted());
        }
        let profile = Profile::new(IMPORT, Server::new(Access::Imap, "localhost", 143, IMPORT));
        let config = Arc::clone(&running.config);
        let supervised = supervise(&config, &profile, &running.stages, Standing::default(), false);
        running.importing = Some(supervised.clone());
        Ok(supervised)
    }
}

/// The import, whose paths must exist: a name mistyped is no run. What is there and cannot be read, its run says.
async fn there(import: Import) -> Result<Import, Failure> {
    let look = move || {
        let missing = import.paths.iter().find_map(|path| match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(format!("{}: {error}", path.display())),
            _ => None,
        });
        missing.map_or(Ok(import), |missing| Err(Failure::usage(missing)))
    };
    blocking("looking for the files", look).await?
}
