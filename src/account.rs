//! Accounts of this machine by their names, and why this one cannot use a file, in words that say what to do.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid};

/// The account that this process runs as.
pub fn own() -> String {
    name(geteuid().as_raw())
}

/// The group that this process runs as.
pub fn own_group() -> String {
    group_name(getegid().as_raw())
}

/// An account's name (getpwuid(3)), or `uid 107` where it has none.
pub fn name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// A group's name (getgrgid(3)), or `gid 107` where it has none.
pub fn group_name(gid: u32) -> String {
    let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    group.map_or_else(|| format!("gid {gid}"), |group| group.name)
}

/// `run this as dropkeep: sudo -u dropkeep dropkeep …`, or with runuser where there is no sudo.
pub fn run_as(uid: u32) -> String {
    if uid == 0 {
        return "run this as root".to_owned();
    }
    let name = name(uid);
    let known = !name.starts_with("uid ");
    match (known, has_program("sudo")) {
        (true, true) => format!("run this as {name}: sudo -u {name} dropkeep …"),
        (false, true) => format!("run this as {name}: sudo -u '#{uid}' dropkeep …"),
        // What there is besides sudo is for root alone, as whom dropkeep goes on as the owner by itself.
        (_, false) if !geteuid().is_root() => "run this as root".to_owned(),
        (true, false) => format!("run this as {name}: runuser -u {name} -- dropkeep …"),
        (false, false) => format!("run this as {name}: setpriv --reuid {uid} --clear-groups dropkeep …"),
    }
}

fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// `belongs to root:dropkeep, mode 640`; empty where even that cannot be seen.
fn ownership(path: &Path) -> String {
    fs::metadata(path)
        .map(|found| {
            let mode = found.mode() & 0o777;
            format!(
                "belongs to {}:{}, mode {mode:03o}",
                name(found.uid()),
                group_name(found.gid())
            )
        })
        .unwrap_or_default()
}

/// The path as it is from everywhere.
pub fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// What keeps this account from reading a file, as the end of a sentence that begins with the file.
pub fn why_unreadable(file: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => match missing_folder(file) {
            Some(folder) => format!(
                "does not exist, and neither does the folder {}",
                absolute(folder).display()
            ),
            None => "does not exist".to_owned(),
        },
        io::ErrorKind::IsADirectory => "is a folder; name a file in it".to_owned(),
        io::ErrorKind::InvalidData => "is not UTF-8: save the file as UTF-8".to_owned(),
        io::ErrorKind::PermissionDenied => match closed_folder(file) {
            Some(folder) => {
                let folder = folder.display().to_string();
                let of = ownership(Path::new(&folder));
                format!("cannot be reached by account {}: the folder {folder} {of}", own())
            }
            None => format!("cannot be read by account {}: it {}", own(), ownership(file)),
        },
        _ => format!("cannot be read: {}", plain(error)),
    }
}

/// The topmost folder above a file that is not there.
fn missing_folder(file: &Path) -> Option<&Path> {
    file.ancestors()
        .skip(1)
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .last()
}

/// The folder above a file into which this account may not look.
pub fn closed_folder(file: &Path) -> Option<&Path> {
    if file.symlink_metadata().is_ok() {
        return None;
    }
    file.ancestors()
        .skip(1)
        .find(|folder| !folder.as_os_str().is_empty() && folder.symlink_metadata().is_ok())
}

/// An error of the system's without its number, which says nothing to people.
pub fn plain(error: &io::Error) -> String {
    without_number(&error.to_string())
}

/// The same where it already stands in a longer text.
pub fn without_number(text: &str) -> String {
    const MARK: &str = " (os error ";
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(MARK) {
        shown.push_str(before);
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        rest = match behind[digits..].strip_prefix(')') {
            Some(rest) if digits > 0 => rest,
            _ => {
                shown.push_str(MARK);
                behind
            }
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_their_names() {
        assert_eq!((name(0).as_str(), group_name(0).as_str()), ("root", "root"));
        assert_eq!(
            (name(3_999_999_999).as_str(), group_name(3_999_999_999).as_str()),
            ("uid 3999999999", "gid 3999999999")
        );
        assert_eq!(run_as(0), "run this as root");
        let nobody = run_as(65_534);
        assert!(
            nobody == "run this as nobody: sudo -u nobody dropkeep …"
                || nobody == "run this as nobody: runuser -u nobody -- dropkeep …",
            "{nobody}"
        );
    }

    #[test]
    fn the_number_of_a_system_error_was_shown() {
        let denied = io::Error::from_raw_os_error(13);
        assert_eq!(plain(&denied), "Permission denied");
        assert_eq!(without_number("a: b (os error 2); c (os error 13)!"), "a: b; c!");
        for text in ["", "(os error )", " (os error x)", "x (os error 12"] {
            assert_eq!(without_number(text), text);
        }
    }

    #[test]
    fn what_is_missing_above_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("a/b/c.toml");
        let said = why_unreadable(&missing, &io::ErrorKind::NotFound.into());
        let above = folder.path().join("a");
        assert_eq!(
            said,
            format!("does not exist, and neither does the folder {}", above.display())
        );
        let said = why_unreadable(folder.path(), &io::ErrorKind::IsADirectory.into());
        assert_eq!(said, "is a folder; name a file in it");
    }
}
