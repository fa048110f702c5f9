//! Commands that root runs: they go on as the account that owns the archive, since what root makes in it that account
//! could not open.

use std::{
    env,
    ffi::{CString, OsString},
    fs, io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Gid, Uid, User, geteuid, initgroups, setgid, setgroups, setuid};

use crate::{control::api::Failure, profile::Exit};

/// Set for a process that root began; has the name of the account.
const FOR_ROOT: &str = "DROPKEEP_STARTED_BY_ROOT";

/// Goes on as the owner of `data_dir`, where that is another account and this is root: this program takes its own place,
/// with the account's groups and home. So what it can read and write is what the service can.
///
/// # Errors
/// The system does not allow it, or the account cannot run this program.
pub fn become_owner(config_file: &Path, is_given: bool, data_dir: &Path) -> Result<(), Failure> {
    let Some(folder) = fs::metadata(data_dir).ok().filter(|folder| folder.uid() != 0) else {
        return Ok(());
    };
    if !geteuid().is_root() {
        return Ok(());
    }
    let uid = Uid::from_raw(folder.uid());
    let user = User::from_uid(uid).ok().flatten();
    let name = user.as_ref().map_or_else(|| uid.to_string(), |user| user.name.clone());
    let failed = |what: &str, error: io::Error| {
        let dir = data_dir.display();
        Failure::new(
            Exit::Usage,
            format!("{dir} belongs to the account {name}, and root cannot {what} as that account: {error}"),
        )
    };
    let program = env::current_exe().map_err(|error| failed("find this program", error))?;
    let mut arguments = Vec::new();
    if !is_given {
        // The account may not see the folder that this was started in, and would take another one.
        let file = std::path::absolute(config_file).unwrap_or_else(|_| config_file.to_owned());
        arguments.extend([OsString::from("--config"), file.into_os_string()]);
    }
    arguments.extend(env::args_os().skip(1));
    switch(uid, Gid::from_raw(folder.gid()), user.as_ref()).map_err(|error| failed("run commands", error))?;
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

/// What root must know where `error` says that something is not allowed: it is not allowed to the account as which the
/// command runs. `target` is the folder that the command writes to.
pub fn advice(error: &str, target: Option<&Path>) -> Option<String> {
    let account = for_root().filter(|_| error.contains("Permission denied"))?;
    let runs = format!("as root, commands run as the account {account}, which owns the archive");
    Some(match target {
        None => format!("{runs}: it must be allowed to read what is named above"),
        Some(target) => match closed(target) {
            Some(closed) => format!("{runs}: it cannot enter {}; choose another folder", closed.display()),
            None => format!(
                "{runs}: give it a folder of its own: install -d -m 700 -o {account} -g {} {}",
                group(&account),
                target.display()
            ),
        },
    })
}

fn group(account: &str) -> String {
    let user = User::from_name(account).ok().flatten();
    let group = user.and_then(|user| nix::unistd::Group::from_gid(user.gid).ok().flatten());
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
