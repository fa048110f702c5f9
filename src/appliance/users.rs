//! The users: what commands change of them, what the configuration changes, and who has new addresses by that.

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
};

use tokio::sync::mpsc;

use super::state::Appliance;
use crate::{
    api::{ChangeKind, ChangedLine, Exit, Failure, Reply, Wrong},
    archive::{Committer, Store, StoreError, User, UsersNews},
    config::{Config, FileUsers, UsersFileProblem, WrongLine, parse_users},
    message::{Address, EntryError},
    panics::blocking,
    reroute::Gained,
    route::{self, ChangeUser, ChangedUsers, Signs, UserChange, UserError, put_users},
};

/// Wrong lines of a table that are named.
const MOST_WRONG: usize = 50;

impl Appliance {
    /// Adds a user; says so, and then how much of the mail in the archive is for them.
    pub(super) async fn add_user(
        &self,
        name: String,
        addresses: &[String],
        no_count: bool,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let addresses = parse_addresses(addresses)?;
        let user = name.clone();
        self.change_user(UserChange::Add { name, addresses }).await?;
        // Whoever asked may be gone.
        let _ = replies.send(Reply::Added(user.clone())).await;
        if !no_count {
            let before = self.backlogs.changes();
            self.gained([user]);
            self.tell_backlog(before, replies).await;
        }
        Ok(())
    }

    /// Gives a user other addresses; says how much of the mail in the archive is for new ones.
    pub(super) async fn change_addresses(
        &self,
        name: String,
        addresses: &[String],
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let addresses = parse_addresses(addresses)?;
        let line = ChangedLine {
            name: name.clone(),
            change: ChangeKind::Changed,
        };
        self.change_user(UserChange::Addresses {
            name: name.clone(),
            addresses,
        })
        .await?;
        // Whoever asked may be gone.
        let _ = replies.send(Reply::Changed(line)).await;
        self.gained([name]);
        Ok(())
    }

    /// Gives one more address to a user, who may be new; says what became of them. How much mail of the archive is for it is
    /// counted beside this.
    pub(super) async fn assign(
        &self,
        address: &str,
        user: String,
        is_new: bool,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let address = Address::parse_entry(address).map_err(unfit)?;
        let name = user.clone();
        let (wanted, change) = match is_new {
            true => {
                let addresses = vec![address.clone()];
                (UserChange::Add { name, addresses }, ChangeKind::Added)
            }
            false => {
                let address = address.clone();
                (UserChange::Gain { name, address }, ChangeKind::Changed)
            }
        };
        self.change_user(wanted).await?;
        self.ignore_no_longer(&address).await?;
        let line = ChangedLine {
            name: user.clone(),
            change,
        };
        // Whoever asked may be gone.
        let _ = replies.send(Reply::Changed(line)).await;
        self.gained([user]);
        Ok(())
    }

    /// Adds and changes the users of a table, all or none; says what becomes of each.
    pub(super) async fn import_users(
        &self,
        csv: String,
        dry_run: bool,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let _alone = self.reloading.lock().await;
        let (config, store) = (self.config(), self.store.clone());
        let signs = Signs::new(&config);
        let of_directory = signs.clone();
        let plan = move || -> Result<_, Failure> {
            let table = parse_users(&csv, &config.user, &config.list, MOST_WRONG);
            let table = table.map_err(|wrong| together(wrong.into_iter().map(wrong_line)))?;
            let imported = route::imported(&store.users()?, &table.users, &of_directory, MOST_WRONG);
            imported.map_err(|wrong| together(wrong.into_iter().map(|error| on_line(error, &table))))
        };
        let (changed, lines) = blocking("reading a table of users", plan).await??;
        if !dry_run {
            let gained = changed.1.gained.clone();
            self.take_over.take(changed, &signs, false).await?;
            self.gained(gained);
        }
        for (name, change) in lines {
            // Whoever asked may be gone.
            let _ = replies.send(Reply::Changed(ChangedLine { name, change })).await;
        }
        Ok(())
    }

    pub(super) async fn rename_user(&self, name: String, to: String) -> Result<(), Failure> {
        self.rename(name.clone(), to.clone()).await?;
        self.rename_in_lists(&name, &to).await
    }

    async fn rename(&self, name: String, to: String) -> Result<(), Failure> {
        if let Some(changed) = self.renamed_in_configuration(&name, &to)? {
            let signs = Signs::new(&self.config());
            self.take_over.take(changed, &signs, false).await?;
            let said = UsersNews {
                gained: [to.clone()].into(),
                retired: [name.clone()].into(),
                ..UsersNews::default()
            };
            self.committer.said(said).await?;
            // Whoever else waits for a count is counted anew.
            self.backlogs.forget();
            self.backlogs.gained(self.store.users_news()?.into());
            return Ok(());
        }
        let user = to.clone();
        self.change_user(UserChange::Rename { name, to }).await?;
        // A list may have had the name before there was anybody of it.
        if self.config().list.iter().any(|list| list.users.contains(&user)) {
            self.gained([user]);
        }
        Ok(())
    }

    /// The users as they are to be where the configuration or its users file has the new name already: who had the old
    /// one takes it, with the archive; the user who was made for it, and has no mail yet, is retired under the old
    /// name.
    fn renamed_in_configuration(&self, name: &str, to: &str) -> Result<Option<ChangedUsers>, Failure> {
        let users = self.store.users()?;
        let find = |name: &str, retired| {
            let mut users = users.iter();
            users.find(|(_, user, _)| user.managed && user.retired == retired && user.name == name)
        };
        let (Some((old, _, _)), Some((new, user, usage))) = (find(name, true), find(to, false)) else {
            return Ok(None);
        };
        // Who has the old name otherwise is meant.
        if users.iter().any(|(_, user, _)| user.name == name && !user.retired) {
            return Ok(None);
        }
        if usage.messages > 0 {
            let (name, to, messages) = (name.to_owned(), to.to_owned(), usage.messages);
            return Err(refused(UserError::HasMail { name, to, messages }));
        }
        let empty = User {
            name: name.to_owned(),
            addresses: Vec::new(),
            managed: true,
            retired: true,
        };
        let changed = vec![(Some(*old), user.clone()), (Some(*new), empty)];
        Ok(Some((changed, UsersNews::default())))
    }

    pub(super) async fn change_user(&self, change: UserChange) -> Result<(), Failure> {
        match self
            .router
            .send(ChangeUser(change))
            .await
            .map_err(|_| router_stopped())?
        {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// New addresses lead to these users.
    pub(super) fn gained(&self, users: impl IntoIterator<Item = String>) {
        self.backlogs.gained(Gained::of(users.into_iter().collect()));
    }

    /// Users with new addresses whose mail was not counted.
    pub fn not_counted(&self) -> BTreeSet<String> {
        self.backlogs.waiting()
    }

    /// Counts the mail in the archive for users with new addresses, where there are any since there were so many
    /// changes of those, and tells it to whoever asked.
    pub(super) async fn tell_backlog(&self, changes: u64, replies: &mpsc::Sender<Reply>) {
        if let Some(backlog) = self.backlogs.counted(changes, replies).await {
            let lines = backlog.lines();
            // Whoever asked may be gone, and then a protocol says it.
            if replies.send(Reply::Backlog(Box::new(backlog))).await.is_ok() {
                self.backlogs.said(&lines).await;
            }
        }
    }
}

fn refused(error: UserError) -> Failure {
    let wrong = error.wrong();
    let failure = match error {
        UserError::Store(error) => error.into(),
        error @ UserError::Panicked(_) => Failure::new(Exit::Errors, error),
        error @ UserError::Nobody { .. } => Failure::unknown(error),
        error @ (UserError::Exists(_) | UserError::Managed { .. } | UserError::HasMail { .. }) => {
            Failure::conflict(error)
        }
        error => Failure::usage(error),
    };
    failure.for_that(wrong)
}

pub(super) fn unfit(error: EntryError) -> Failure {
    let wrong = Wrong::from(&error);
    Failure::usage(error).for_that(wrong)
}

/// A user of a table contradicts those that there are.
fn on_line(error: StoreError, table: &FileUsers) -> Failure {
    let line = match &error {
        StoreError::User { name, .. } => table.line(name),
        _ => None,
    };
    let failure = Failure::from(error);
    let Some(line) = line else { return failure };
    let wrong = failure.wrong.clone().map(|wrong| wrong.on_line(Some(line)));
    Failure {
        error: format!("line {line}: {}", failure.error),
        ..failure.for_that(wrong)
    }
}

/// What is wrong with some lines of a table, as one failure: the first in words, and where the others are.
fn together(failures: impl Iterator<Item = Failure>) -> Failure {
    let mut failures = failures;
    let Some(first) = failures.next() else {
        return Failure::new(
            Exit::Errors,
            "the table was refused, and nothing says why; this is a bug in dropkeep",
        );
    };
    let more: Vec<Wrong> = failures
        .filter_map(|failure| failure.wrong.map(|wrong| *wrong))
        .collect();
    let lines: Vec<_> = more
        .iter()
        .filter_map(|wrong| wrong.line)
        .map(|line| line.to_string())
        .collect();
    let others = match &*lines {
        [] => String::new(),
        [line] => format!("; line {line} is wrong, too"),
        lines => format!("; lines {} are wrong, too", lines.join(", ")),
    };
    let wrong = first.wrong.clone().map(|wrong| Wrong { more, ..*wrong });
    Failure {
        error: first.error.clone() + &others,
        ..first.for_that(wrong)
    }
}

fn wrong_line((line, problem): WrongLine) -> Failure {
    let wrong = Wrong::from(&problem).on_line(line);
    let problem = match problem {
        UsersFileProblem::Empty => "the table names no user; write a line for each: name,address,address,…".to_owned(),
        problem => problem.to_string(),
    };
    Failure::usage(match line {
        Some(line) => format!("line {line}: {problem}"),
        None => problem,
    })
    .for_that(wrong)
}

pub(super) fn router_stopped() -> Failure {
    Failure::new(Exit::Errors, "the router stopped; this is a bug in dropkeep")
}

/// Each address once.
fn parse_addresses(texts: &[String]) -> Result<Vec<Address>, Failure> {
    let parse = |text: &String| Address::parse_entry(text).map_err(unfit);
    let mut addresses = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(address.clone()));
    Ok(addresses)
}

/// Makes the store's managed users those of the configuration and its users file: new ones are added, addresses
/// changed, and who is no longer there is retired. Gives the names of those who have new addresses by that.
///
/// # Errors
/// The users file cannot be used, or a name or an address is also one of a user who was added by a command.
pub async fn take_over_users(
    config: &Config,
    store: &Store,
    committer: &Committer,
) -> Result<BTreeSet<String>, Failure> {
    let changed = changed_users(config, store)?;
    let gained = changed.1.gained.clone();
    put_users(committer, changed).await?;
    Ok(gained)
}

/// What the configuration changes of the store's users.
pub fn changed_users(config: &Config, store: &Store) -> Result<ChangedUsers, Failure> {
    config.require_users()?;
    let file = config.users_file.as_deref().map(file_name);
    let place = match file {
        None => "the configuration".to_owned(),
        Some(file) if config.user.is_empty() => file,
        Some(file) => format!("the configuration or {file}"),
    };
    Ok(route::changed_users(
        store,
        config.users(),
        &Signs::new(config),
        &place,
    )?)
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).display().to_string()
}
