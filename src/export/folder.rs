//! A folder that is written to by its handle, and name by name: whatever somebody puts in the place of a name in it, at
//! whatever moment, is not followed.

use std::{
    fs::{File, Metadata, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat},
    io::Errno,
    process::geteuid,
};

use crate::harmless::harmless;

/// Mail is its owner's alone.
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A folder that is ours.
#[derive(Debug)]
pub struct Folder {
    handle: File,
    path: PathBuf,
}

impl Folder {
    /// The folder at a path that a person gave; its parts may be links.
    ///
    /// # Errors
    /// It is none, or another account's.
    pub fn at(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Self::of(openat(CWD, path, flags, Mode::empty())?.into(), path.to_owned())
    }

    /// A folder in this one, which is made where there is none, and closed to others where it is not.
    ///
    /// # Errors
    /// It is none, as a link is none; it is another account's, or stays open to others.
    pub fn enter(&self, name: &str) -> io::Result<Self> {
        match mkdirat(&self.handle, name, Mode::from_raw_mode(DIR_MODE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        let handle = self.opened(name, OFlags::DIRECTORY | OFlags::RDONLY)?;
        let folder = Self::of(handle, self.path.join(name))?;
        folder.close_to_others()?;
        Ok(folder)
    }

    fn of(handle: File, path: PathBuf) -> io::Result<Self> {
        ours(&handle.metadata()?)?;
        Ok(Self { handle, path })
    }

    /// Closes it to other accounts, and says so where it was open to them.
    ///
    /// # Errors
    /// It stays open.
    pub fn close_to_others(&self) -> io::Result<()> {
        let mode = self.handle.metadata()?.mode() & 0o7777;
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let closed = self.handle.set_permissions(Permissions::from_mode(DIR_MODE));
        // Some file systems have the modes that they were mounted with.
        if closed.is_err() || self.handle.metadata()?.mode() & 0o077 != 0 {
            return Err(io::Error::other(format!(
                "it is open to other accounts (mode {mode:o}), and its file system does not let that be changed; mount it so \
                 that it is this account's alone (uid=, umask=077), or give another directory"
            )));
        }
        let said = format!(
            "{} was open to other accounts (mode {mode:o}); its mode is 700 now",
            self.path.display()
        );
        // Standard error may be closed; the folder is so all the same.
        let _ = writeln!(io::stderr(), "dropkeep: {}", harmless(&said));
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For locks, and to sync it.
    pub fn handle(&self) -> &File {
        &self.handle
    }

    /// A new file, in the place of whatever was left there.
    pub fn create(&self, name: &str) -> io::Result<File> {
        self.remove(name)?;
        self.file(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
    }

    /// A file that is gone on with, or a new one.
    pub fn open(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR | OFlags::CREATE)
    }

    /// A file to be read.
    pub fn read(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDONLY)
    }

    fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        // A pipe would be waited for.
        let file = self.opened(name, flags | OFlags::NONBLOCK)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("this is not a regular file; remove it"));
        }
        ours(&metadata)?;
        Ok(file)
    }

    fn opened(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&self.handle, name, flags, Mode::from_raw_mode(FILE_MODE)) {
            Ok(handle) => Ok(handle.into()),
            Err(errno) => Err(match self.is_link(name) {
                true => io::Error::other("this is a symbolic link, which is not followed; remove it"),
                false => errno.into(),
            }),
        }
    }

    fn is_link(&self, name: &str) -> bool {
        let found = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink)
    }

    /// Gives a file of this folder its name in another one, in the place of whatever has it there.
    pub fn rename(&self, from: &str, to: &Self, name: &str) -> io::Result<()> {
        Ok(renameat(&self.handle, from, &to.handle, name)?)
    }

    /// Removes a file, a link itself too, where there is one.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The names in it.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }
}

fn ours(metadata: &Metadata) -> io::Result<()> {
    let (owner, we) = (metadata.uid(), geteuid().as_raw());
    match owner == we {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "it belongs to another account (uid {owner}, and dropkeep runs as {we}); give a directory of this account's, or: \
             chown {we} it and what is in it"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read, os::unix::fs::symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_closed() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("out");
        fs::create_dir(&path).unwrap();
        for open in [0o777, 0o755, 0o750, 0o701] {
            fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
            let folder = Folder::at(&path).unwrap();
            assert_eq!(mode(&path), open, "it may be a folder of something else");
            folder.close_to_others().unwrap();
            assert_eq!(mode(&path), 0o700);
            fs::create_dir_all(path.join("jane")).unwrap();
            fs::set_permissions(path.join("jane"), Permissions::from_mode(open)).unwrap();
            folder.enter("jane").unwrap();
            assert_eq!(mode(&path.join("jane")), 0o700);
        }
    }

    #[test]
    fn what_is_another_accounts_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::at(outer.path()).unwrap();
        fs::create_dir(outer.path().join("theirs")).unwrap();
        fs::write(outer.path().join("file"), "x").unwrap();
        let theirs = |name: &str| std::os::unix::fs::chown(outer.path().join(name), Some(12345), None).is_ok();
        if !(theirs("theirs") && theirs("file")) {
            return eprintln!("skipped: only root can give files away");
        }
        for refused in [
            Folder::at(&outer.path().join("theirs")).map(drop),
            folder.enter("theirs").map(drop),
            folder.open("file").map(drop),
            folder.read("file").map(drop),
        ] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("another account (uid 12345"), "{error}");
        }
    }

    #[test]
    fn no_link_is_followed_whenever_it_was_put_there() {
        let outer = tempfile::tempdir().unwrap();
        let (victim, path) = (outer.path().join("victim"), outer.path().join("out"));
        fs::create_dir(&path).unwrap();
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("file"), "precious").unwrap();
        let folder = Folder::at(&path).unwrap();
        symlink(&victim, path.join("folder")).unwrap();
        symlink(victim.join("file"), path.join("file")).unwrap();
        symlink(victim.join("new"), path.join("dangling")).unwrap();
        for refused in [
            folder.enter("folder").map(drop),
            folder.open("file").map(drop),
            folder.read("file").map(drop),
            folder.open("dangling").map(drop),
        ] {
            assert!(refused.unwrap_err().to_string().contains("symbolic link"));
        }
        // What is made anew, and what gets its name, takes the link's place.
        folder.create("file").unwrap().write_all(b"mail").unwrap();
        symlink(victim.join("file"), path.join("named")).unwrap();
        folder.rename("file", &folder, "named").unwrap();
        let mut text = String::new();
        folder.read("named").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "mail");
        // While it is written to, another folder comes in its place: the one that was opened is written to.
        let inner = folder.enter("jane").unwrap();
        fs::rename(path.join("jane"), path.join("moved")).unwrap();
        symlink(&victim, path.join("jane")).unwrap();
        inner.create("message").unwrap();
        assert!(path.join("moved/message").exists());
        assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
        assert_eq!(fs::read(victim.join("file")).unwrap(), b"precious");
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::at(outer.path()).unwrap();
        rustix::fs::mknodat(
            CWD,
            outer.path().join("pipe"),
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(
            folder
                .open("pipe")
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
        folder.enter("folder").unwrap();
        assert!(folder.read("folder").is_err());
        assert_eq!(folder.names().unwrap().len(), 2);
    }
}
