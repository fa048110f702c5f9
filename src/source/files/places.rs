//! Which places with mail there are under the paths of an import: folders of message files, mboxes, Maildirs.
//!
//! Only places are noted, not their messages: a folder's files are listed when it is its turn.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    entries::{is_candidate, is_index, may_hide_folder, reason, why_not_followed},
    exports::{Export, Within},
};
use crate::{
    formats::{
        BEGINNING, Format, Looks, looks, maildir,
        manifest::{MARKER, is_of_export},
    },
    source::imap::folder_name,
};

/// A place with mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// What its filings say for the folder. Two places may share a name.
    pub name: String,
    pub path: PathBuf,
    pub kind: Kind,
    /// Whose it is, where it is in an export of our own.
    pub within: Option<Within>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A folder whose files are messages, but for those that are mboxes, which are places of their own; sorted.
    Folder {
        mboxes: Vec<OsString>,
        /// What links may lead to, since all of it is imported: the path that was named.
        root: PathBuf,
    },
    /// Files of a folder that were named one by one.
    Files(Vec<OsString>),
    Mbox,
    Maildir,
    /// It cannot be read, for this reason.
    Unreadable(String),
    /// An export of so many users, where all is to be filed for one.
    OfSeveral(usize),
}

/// Where Apple Mail keeps the attachments of messages that are only there in part, which are reported: beside
/// `Messages`.
fn is_attachments(folder: &OsStr, folders: &[OsString]) -> bool {
    folder == "Attachments" && folders.iter().any(|folder| folder == "Messages")
}

/// Finds the places under `paths`, in the order of the paths, and within each sorted by name.
///
/// `for_one`: all of it is filed for one user, so an export of several is left out.
///
/// # Errors
/// `stop` was set meanwhile ([`io::ErrorKind::Interrupted`]). What cannot be read is a place that says so.
pub fn places(paths: &[PathBuf], format: Format, for_one: bool, stop: &AtomicBool) -> io::Result<Vec<Place>> {
    let mut search = Search {
        format,
        for_one,
        is_one_of_many: paths.len() > 1,
        stop,
        root: PathBuf::new(),
        export: None,
        places: Vec::new(),
    };
    paths.iter().try_for_each(|path| search.named(path))?;
    Ok(search.places)
}

struct Search<'s> {
    format: Format,
    for_one: bool,
    /// Several paths are named.
    is_one_of_many: bool,
    stop: &'s AtomicBool,
    root: PathBuf,
    /// The export that is read.
    export: Option<Export>,
    places: Vec<Place>,
}

impl Search<'_> {
    /// A path that was named: links are followed here, and nowhere below.
    fn named(&mut self, path: &Path) -> io::Result<()> {
        let found = fs::canonicalize(path).and_then(|real| Ok((real.metadata()?.file_type(), real)));
        let (kind, real) = match found {
            Ok(found) => found,
            Err(error) => {
                self.unreadable(shown(path), path.to_owned(), reason(&error));
                return Ok(());
            }
        };
        // A shell that puts all names of a folder in place of `*` names these too.
        if kind.is_file() && self.is_one_of_many && (is_of_export(&real) || real.file_name().is_some_and(is_index)) {
            return Ok(());
        }
        let name = path.file_name().or(real.file_name());
        let name = name.map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
        self.root.clone_from(&real);
        self.export = match Export::around(&real) {
            Ok(export) => export,
            // Its root says so itself.
            Err(_) if kind.is_dir() && real.join(MARKER).is_file() => None,
            Err(why) => {
                self.unreadable(name.clone(), real.clone(), why);
                None
            }
        };
        // Not for each of its messages, where they are named one by one.
        if !real.join(MARKER).is_file() && (kind.is_dir() || name.ends_with(".mbox")) {
            self.differing(&real, |_| name.clone())?;
        }
        if kind.is_dir() {
            let before = self.places.len();
            self.folder(&real, &name, false)?;
            if self.format == Format::Maildir && self.places.len() == before {
                self.unreadable(
                    name,
                    real,
                    "there is no Maildir in it: no folder has `cur` and `new`".into(),
                );
            }
        } else if self.format == Format::Maildir {
            self.unreadable(
                name,
                real,
                "it is no Maildir, which is a folder with `cur` and `new`".into(),
            );
        } else if kind.is_file() && self.is_mbox(&real, &name) {
            self.add(name, real, Kind::Mbox);
        } else {
            self.file(&real);
        }
        Ok(())
    }

    fn add(&mut self, name: String, path: PathBuf, kind: Kind) {
        let within = self.export.as_ref().and_then(|export| export.within(&path));
        self.places.push(Place {
            name,
            path,
            kind,
            within,
        });
    }

    fn unreadable(&mut self, name: String, path: PathBuf, why: String) {
        self.add(name, path, Kind::Unreadable(why));
    }

    /// Files of one folder that are named one behind the other are one place.
    fn file(&mut self, path: &Path) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        if let Some(Place {
            path,
            kind: Kind::Files(names),
            ..
        }) = self.places.last_mut()
            && path == folder
        {
            names.push(name.to_owned());
            return;
        }
        let folder_name = shown(Path::new(folder.file_name().unwrap_or(OsStr::new("/"))));
        self.add(folder_name, folder.to_owned(), Kind::Files(vec![name.to_owned()]));
    }

    /// A folder and what is below it, perhaps an export. `of_maildir`: it is in a Maildir, where only further Maildirs
    /// hold mail.
    fn folder(&mut self, path: &Path, name: &str, of_maildir: bool) -> io::Result<()> {
        if !path.join(MARKER).is_file() {
            return self.plain_folder(path, name, of_maildir);
        }
        let export = Export::around(path);
        let around = self.export.take();
        match export {
            Ok(Some(export)) if self.for_one && export.users() > 1 => {
                self.export = around;
                self.add(name.to_owned(), path.to_owned(), Kind::OfSeveral(export.users()));
                return Ok(());
            }
            Ok(export) => {
                self.export = export;
                self.differing(path, |file| format!("{name}/{file}"))?;
            }
            Err(why) => self.unreadable(name.to_owned(), path.to_owned(), why),
        }
        let gone_through = self.plain_folder(path, name, of_maildir);
        self.export = around;
        gone_through
    }

    /// Reports what in an export is not as it says.
    fn differing(&mut self, path: &Path, name: impl Fn(&str) -> String) -> io::Result<()> {
        let differing = self.export.as_ref().map(|export| export.differs(path, self.stop));
        for (place, why) in differing.transpose()?.unwrap_or_default() {
            let file = place.file_name().unwrap_or_default().to_string_lossy();
            self.unreadable(name(&file), place.clone(), why);
        }
        Ok(())
    }

    fn plain_folder(&mut self, path: &Path, name: &str, of_maildir: bool) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        // In an export are users' folders, who may be called as the parts of a Maildir are.
        let is_export = path.join(MARKER).is_file();
        let is_maildir =
            !is_export && matches!(self.format, Format::Auto | Format::Maildir) && maildir::is_maildir(path);
        let only_maildirs = of_maildir || is_maildir || self.format == Format::Maildir;
        if is_maildir {
            self.add(name.to_owned(), path.to_owned(), Kind::Maildir);
        }
        let contents = match self.contents(path, only_maildirs) {
            Ok(contents) => contents,
            Err(error) => {
                self.unreadable(name.to_owned(), path.to_owned(), reason(&error));
                return Ok(());
            }
        };
        if contents.has_files {
            let (mboxes, root) = (contents.mboxes.clone(), self.root.clone());
            self.add(name.to_owned(), path.to_owned(), Kind::Folder { mboxes, root });
        }
        for mbox in contents.mboxes {
            self.add(
                format!("{name}/{}", mbox.to_string_lossy()),
                path.join(mbox),
                Kind::Mbox,
            );
        }
        for link in contents.links {
            let (name, link) = (
                format!("{name}/{}", name_of_folder(&link, is_maildir)),
                path.join(&link),
            );
            let why = why_not_followed(&link);
            self.unreadable(name, link, why);
        }
        for folder in &contents.folders {
            if !is_export && is_attachments(folder, &contents.folders) {
                continue;
            }
            if !(is_maildir && maildir::PARTS.iter().any(|part| folder == *part)) {
                let name = format!("{name}/{}", name_of_folder(folder, is_maildir));
                self.folder(&path.join(folder), &name, only_maildirs)?;
            }
        }
        Ok(())
    }

    fn contents(&self, path: &Path, only_maildirs: bool) -> io::Result<Contents> {
        let mut contents = Contents::default();
        for entry in fs::read_dir(path)? {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            if kind.is_dir() {
                contents.folders.push(name);
            } else if only_maildirs {
                let is_part = maildir::PARTS.iter().any(|part| name == *part);
                if kind.is_symlink() && !is_part && may_hide_folder(&entry.path(), &self.root) {
                    contents.links.push(name);
                }
            } else if is_candidate(&entry.path(), kind, &self.root) {
                let is_mbox = match self.format {
                    Format::Mbox => true,
                    _ => kind.is_file() && self.is_mbox(&entry.path(), &name.to_string_lossy()),
                };
                if is_mbox {
                    contents.mboxes.push(name);
                } else {
                    contents.has_files = true;
                }
            }
        }
        contents.folders.sort_unstable();
        contents.mboxes.sort_unstable();
        contents.links.sort_unstable();
        Ok(contents)
    }

    fn is_mbox(&self, path: &Path, name: &str) -> bool {
        let named = |extension: &str| name.to_lowercase().ends_with(extension);
        match self.format {
            Format::Mbox => true,
            Format::Eml | Format::Maildir => false,
            Format::Auto if named(".eml") || named(".emlx") => false,
            Format::Auto if named(".mbox") => true,
            // A file that cannot be read says so when it is its turn.
            Format::Auto => beginning(path).is_ok_and(|bytes| match bytes.is_empty() {
                true => is_thunderbirds(path),
                false => looks(&bytes) == Looks::Mbox,
            }),
        }
    }
}

#[derive(Default)]
struct Contents {
    folders: Vec<OsString>,
    mboxes: Vec<OsString>,
    /// Where only Maildirs hold mail: links to folders that are not imported, of which it is to be said.
    links: Vec<OsString>,
    /// There are files that are no mboxes.
    has_files: bool,
}

/// What a subfolder adds to the name. Thunderbird keeps the subfolders of `Inbox` in `Inbox.sbd`, Maildir++ those of
/// `Sent` in `.Sent.2026`, in modified UTF-7.
fn name_of_folder(name: &OsStr, in_maildir: bool) -> String {
    let name = name.to_string_lossy();
    if in_maildir && let Some(names) = maildir::subfolder(&name) {
        let readable = |name: &str| folder_name(name).unwrap_or_else(|| name.to_owned());
        return names.map(readable).collect::<Vec<_>>().join("/");
    }
    name.strip_suffix(".sbd").unwrap_or(&name).to_owned()
}

/// An mbox without messages is an empty file. It is one of Thunderbird's where its index or its subfolders are beside
/// it.
fn is_thunderbirds(path: &Path) -> bool {
    ["msf", "sbd"].into_iter().any(|extension| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".");
        beside.push(extension);
        Path::new(&beside).exists()
    })
}

fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096);
    File::open(path)?.take(BEGINNING as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
