//! Commands that root runs: they go on as the account that owns the archive, since what root makes in it that account
//! could not open.

use std::{
    env,
    ffi::{CString, OsString},
    fs, io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use nix::unistd::{Gid, Group, Uid, User, geteuid, initgroups, setgid, setgroups, setuid};

use crate::{
    api::{Exit, Failure},
    archive::has_archive,
};

/// Set for a process that root began; has the name of the account.
const FOR_ROOT: &str = "DROPKEEP_STARTED_BY_ROOT";

/// The data directory that the account has still to be given.
static WANTED: OnceLock<PathBuf> = OnceLock::new();

/// Goes on as the owner of the archive, where that is another account and this is root: this program takes its own
/// place, with the account's groups and home. So what it can read and write is what the service can.
///
/// # Errors
/// The system does not allow it, or the account cannot run this program.
pub fn become_owner(config_file: &Path, is_given: bool, data_dir: &Path) -> Result<(), Failure> {
    if !geteuid().is_root() {
        let is_ours = fs::metadata(data_dir).is_ok_and(|folder| folder.uid() == geteuid().as_raw());
        if for_root().is_some() && !is_ours {
            let _ = WANTED.set(data_dir.to_owned());
        }
        return Ok(());
    }
    let Some((uid, gid)) = owner(config_file, data_dir) else {
        return Ok(());
    };
    let user = User::from_uid(uid).ok().flatten();
    let name = user.as_ref().map_or_else(|| uid.to_string(), |user| user.name.clone());
    let failed = |what: &str, error: io::Error| {
        let dir = data_dir.display();
        Failure::new(
            Exit::Usage,
            format!("{dir} belongs to the account {name}, and root cannot {what} as that account: {error}"),
        )
    };
    if fs::metadata(data_dir).is_ok_and(|folder| folder.uid() == 0) {
        let (dir, file) = (data_dir.display(), config_file.display());
        let give = format!("chown {name}: {dir} && chmod 700 {dir}");
        let said = format!("{dir} belongs to root, and {file} is for the account {name}: give it the folder: {give}");
        return Err(Failure::new(Exit::Usage, said));
    }
    let program = env::current_exe().map_err(|error| failed("find this program", error))?;
    let mut arguments = Vec::new();
    if !is_given {
        // The account may not see the folder that this was started in, and would take another one.
        let file = std::path::absolute(config_file).unwrap_or_else(|_| config_file.to_owned());
        arguments.extend([OsString::from("--config"), file.into_os_string()]);
    }
    arguments.extend(env::args_os().skip(1));
    switch(uid, gid, user.as_ref()).map_err(|error| failed("run commands", error))?;
    let home = user.map_or_else(|| PathBuf::from("/"), |user| user.dir);
    let error = Command::new(&program)
        .args(arguments)
        .env(FOR_ROOT, &name)
        .env("HOME", home)
        .env("USER", &name)
        .env("LOGNAME", &name)
        .exec();
    Err(failed(&format!("run {}", program.display()), error))
}

/// Whose the archive is, with the group of its folder, if not root's. Where none was begun: the account for which the
/// configuration is installed, by the group that may read it.
fn owner(config_file: &Path, data_dir: &Path) -> Option<(Uid, Gid)> {
    let folder = fs::metadata(data_dir).ok();
    if let Some(folder) = folder.filter(|folder| folder.uid() != 0) {
        return Some((Uid::from_raw(folder.uid()), Gid::from_raw(folder.gid())));
    }
    if has_archive(data_dir) {
        return None;
    }
    let file = fs::metadata(config_file)
        .ok()
        .filter(|file| file.uid() == 0 && file.gid() != 0)?;
    let group = Group::from_gid(Gid::from_raw(file.gid())).ok().flatten()?;
    let user = User::from_name(&group.name).ok().flatten();
    let user = user.filter(|user| user.gid == group.gid && !user.uid.is_root())?;
    Some((user.uid, user.gid))
}

/// Gives up being root, for good. An account that is in no list has the group of its folder and no other.
fn switch(uid: Uid, gid: Gid, user: Option<&User>) -> io::Result<()> {
    match user {
        Some(user) => {
            initgroups(&CString::new(user.name.as_str())?, user.gid)?;
            setgid(user.gid)?;
        }
        None => {
            setgroups(&[])?;
            setgid(gid)?;
        }
    }
    Ok(setuid(uid)?)
}

/// The account as which this runs in place of root.
pub fn for_root() -> Option<String> {
    env::var(FOR_ROOT).ok().filter(|_| !geteuid().is_root())
}

/// What to do where `error` says that something is not allowed, if that is the folder `target`, to which the command
/// writes, or if root may not know that another account was not allowed it.
pub fn advice(error: &str, target: Option<&Path>) -> Option<String> {
    let refused = ["Permission denied", "Operation not permitted", "may not write in"];
    if geteuid().is_root() || !refused.iter().any(|words| error.contains(words)) {
        return None;
    }
    let (account, runs) = match for_root() {
        Some(account) => {
            let runs = format!("as root, commands run as the account {account}, to which the archive belongs: ");
            (account, runs)
        }
        None => (User::from_uid(geteuid()).ok().flatten()?.name, String::new()),
    };
    let wanted = WANTED.get().filter(|dir| error.contains(&*dir.to_string_lossy()));
    let Some(target) = wanted.map(PathBuf::as_path).or(target) else {
        let read = format!("{runs}it must be allowed to read what is named above");
        return for_root().map(|_| read);
    };
    Some(match closed(target) {
        Some(closed) => format!(
            "{runs}{account} cannot enter {}; choose another folder",
            closed.display()
        ),
        None => format!(
            "{runs}give {account} a folder of its own, as root: install -d -m 700 -o {account} -g {} {}",
            group(&account),
            target.display()
        ),
    })
}

fn group(account: &str) -> String {
    let user = User::from_name(account).ok().flatten();
    let group = user.and_then(|user| Group::from_gid(user.gid).ok().flatten());
    group.map_or_else(|| account.to_owned(), |group| group.name)
}

/// The first folder above `target` that this account cannot enter.
fn closed(target: &Path) -> Option<PathBuf> {
    let target = std::path::absolute(target).ok()?;
    let mut above: Vec<&Path> = target.ancestors().skip(1).collect();
    above.reverse();
    let is_closed = |folder: &&Path| {
        let entered = rustix::fs::access(*folder, rustix::fs::Access::EXEC_OK);
        entered == Err(rustix::io::Errno::ACCESS)
    };
    above.into_iter().find(is_closed).map(Path::to_owned)
}
