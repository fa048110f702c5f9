//! Which places with mail there are under the paths of an import: folders of message files, mboxes, Maildirs.
//!
//! Only places are noted, not their messages: a folder's files are listed when it is its turn.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, FileType},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::process::getuid;

use super::exports::{Export, Within};
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
}

/// What mail programs keep beside their mail: indexes, settings.
pub fn is_index(name: &OsStr) -> bool {
    let known = [
        "msgFilterRules.dat",
        "popstate.dat",
        ".mh_sequences",
        "table_of_contents",
        ".DS_Store",
    ];
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| ["msf", "plist", "emlxpart"].iter().any(|known| extension == *known))
        || known.iter().any(|known| name == *known)
}

/// Where Apple Mail keeps the attachments of messages that are only there in part, which are told of: beside `Messages`.
fn is_attachments(folder: &OsStr, folders: &[OsString]) -> bool {
    folder == "Attachments" && folders.iter().any(|folder| folder == "Messages")
}

/// Finds the places under `paths`, in the order of the paths, and within each sorted by name.
///
/// # Errors
/// `stop` was set meanwhile ([`io::ErrorKind::Interrupted`]). What cannot be read is a place that says so.
pub fn places(paths: &[PathBuf], format: Format, stop: &AtomicBool) -> io::Result<Vec<Place>> {
    let mut search = Search {
        format,
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
    stop: &'s AtomicBool,
    root: PathBuf,
    /// The export that is gone through.
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

    /// A folder and what is below it, perhaps an export. `of_maildir`: it is in a Maildir, where only further Maildirs hold
    /// mail.
    fn folder(&mut self, path: &Path, name: &str, of_maildir: bool) -> io::Result<()> {
        if !path.join(MARKER).is_file() {
            return self.plain_folder(path, name, of_maildir);
        }
        let export = Export::around(path);
        let around = self.export.take();
        match export {
            Ok(export) => {
                for (place, why) in export
                    .iter()
                    .map(|export| export.missing(self.stop))
                    .collect::<io::Result<Vec<_>>>()?
                    .concat()
                {
                    let file = place.file_name().unwrap_or_default().to_string_lossy();
                    self.unreadable(format!("{name}/{file}"), place.clone(), why);
                }
                self.export = export;
            }
            Err(why) => self.unreadable(name.to_owned(), path.to_owned(), why),
        }
        let gone_through = self.plain_folder(path, name, of_maildir);
        self.export = around;
        gone_through
    }

    fn plain_folder(&mut self, path: &Path, name: &str, of_maildir: bool) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let is_maildir = matches!(self.format, Format::Auto | Format::Maildir) && maildir::is_maildir(path);
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
            if is_attachments(folder, &contents.folders) {
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

/// Whether something in a folder is to be looked at: a file that may be mail, or something of which is to be said why
/// it is not imported. A link that leads to what is imported anyway is neither.
pub fn is_candidate(path: &Path, kind: FileType, root: &Path) -> bool {
    let passes = kind.is_dir()
        || path.file_name().is_some_and(is_index)
        || is_of_export(path)
        || (kind.is_symlink() && leads_within(path, root));
    !passes
}

fn leads_within(link: &Path, root: &Path) -> bool {
    fs::canonicalize(link).is_ok_and(|target| target.starts_with(root))
}

/// Whether a link stands for a folder that is not imported. One that leads nowhere may have led to a folder.
fn may_hide_folder(link: &Path, root: &Path) -> bool {
    let is_folder = fs::metadata(link).map_or(true, |target| target.is_dir());
    is_folder && !leads_within(link, root)
}

/// Why what is behind a link is not imported, in words.
pub fn why_not_followed(link: &Path) -> String {
    match fs::canonicalize(link) {
        Ok(target) => format!(
            "it is a link to {}, outside of what is imported; to import that, name it too",
            target.display()
        ),
        Err(error) => format!("it is a link that leads nowhere: {error}"),
    }
}

/// An mbox without messages is an empty file. It is one of Thunderbird's where its index or its subfolders are beside it.
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

/// Why something cannot be read, in words; where it is forbidden, to whom.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!(
                "{error}; whoever runs dropkeep (user id {}) must be allowed to read it",
                getuid().as_raw()
            )
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(paths: &[&Path], format: Format) -> Vec<(String, String)> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let places = places(&paths, format, &AtomicBool::new(false)).unwrap();
        let kind = |kind: Kind| match kind {
            Kind::Folder { .. } => "folder".to_owned(),
            Kind::Files(names) => names
                .iter()
                .map(|name| shown(Path::new(name)))
                .collect::<Vec<_>>()
                .join(" "),
            Kind::Mbox => "mbox".into(),
            Kind::Maildir => "maildir".into(),
            Kind::Unreadable(_) => "unreadable".into(),
        };
        places.into_iter().map(|place| (place.name, kind(place.kind))).collect()
    }

    fn expected(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(name, kind)| ((*name).into(), (*kind).into()))
            .collect()
    }

    const MBOX: &str = "From - Thu Jan 01 00:00:00 2026\nSubject: x\n\nx\n";

    /// A tree with something of everything.
    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mail");
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("2026/b.eml", "Subject: b\n\nb\n");
        write("2026/from.eml", MBOX);
        write("2026/empty/.mh_sequences", "cur: 1\n");
        write("Thunderbird/Inbox", MBOX);
        write("Thunderbird/Inbox.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n");
        write("Thunderbird/Inbox.sbd/Old", MBOX);
        write("Thunderbird/Trash", "");
        write("Thunderbird/Trash.msf", "");
        write("a.mbox", "Subject: the first line is lost\n\nx\n");
        for part in [
            "cur",
            "new",
            "tmp",
            ".Sent.2026/cur",
            ".Sent.2026/new",
            ".Entw&APw-rfe/cur",
            ".Entw&APw-rfe/tmp",
        ] {
            fs::create_dir_all(root.join("Maildir").join(part)).unwrap();
        }
        write("Maildir/dovecot-uidlist", "3 V1 N1\n");
        write("Maildir/sieve/script", "keep;");
        folder
    }

    #[test]
    fn a_tree_is_gone_through_in_order() {
        let folder = tree();
        let root = folder.path().join("mail");
        let all = expected(&[
            ("mail/a.mbox", "mbox"),
            ("mail/2026", "folder"),
            ("mail/Maildir", "maildir"),
            ("mail/Maildir/Entwürfe", "maildir"),
            ("mail/Maildir/Sent/2026", "maildir"),
            ("mail/Thunderbird/Inbox", "mbox"),
            ("mail/Thunderbird/Trash", "mbox"),
            ("mail/Thunderbird/Inbox/Old", "mbox"),
        ]);
        assert_eq!(found(&[&root], Format::Auto), all);
        let maildirs: Vec<_> = all.iter().filter(|(_, kind)| kind == "maildir").cloned().collect();
        assert_eq!(found(&[&root], Format::Maildir), maildirs);
        assert_eq!(
            found(&[&root.join("2026")], Format::Maildir),
            expected(&[("2026", "unreadable")])
        );
        let as_mbox = found(&[&root.join("2026")], Format::Mbox);
        assert_eq!(as_mbox, expected(&[("2026/b.eml", "mbox"), ("2026/from.eml", "mbox")]));
        let as_eml = found(&[&root.join("Thunderbird")], Format::Eml);
        assert_eq!(
            as_eml,
            expected(&[("Thunderbird", "folder"), ("Thunderbird/Inbox", "folder")])
        );
    }

    #[test]
    fn files_are_named_one_by_one() {
        let folder = tree();
        let root = folder.path().join("mail");
        let names = [
            "2026/b.eml",
            "2026/from.eml",
            "Thunderbird/Inbox",
            "Maildir/dovecot-uidlist",
        ];
        let paths = names.map(|name| root.join(name));
        let there = expected(&[
            ("2026", "b.eml from.eml"),
            ("Inbox", "mbox"),
            ("Maildir", "dovecot-uidlist"),
        ]);
        assert_eq!(found(&paths.each_ref().map(PathBuf::as_path), Format::Auto), there);
        let missing = found(&[&root.join("missing")], Format::Auto);
        assert_eq!(missing[0].1, "unreadable");
    }

    #[test]
    fn links_are_followed_where_they_are_named_only() {
        let folder = tree();
        let root = folder.path().join("mail");
        symlink("2026", folder.path().join("link")).unwrap();
        symlink("mail/2026", folder.path().join("named")).unwrap();
        symlink("..", root.join("2026/circle")).unwrap();
        symlink("b.eml", root.join("2026/empty/within.eml")).unwrap();
        symlink("../b.eml", root.join("2026/empty/b-again.eml")).unwrap();
        let named = folder.path().join("named");
        // One leads to its parent, one to nowhere: of these it is to be said that they are not followed.
        assert_eq!(
            found(&[&named], Format::Auto),
            expected(&[("named", "folder"), ("named/empty", "folder")])
        );
        assert_eq!(found(&[&folder.path().join("link")], Format::Auto)[0].1, "unreadable");
    }

    #[test]
    fn linked_subfolders_of_a_maildir_are_named() {
        let folder = tree();
        let root = folder.path().join("mail/Maildir");
        for part in ["cur", "new"] {
            fs::create_dir_all(folder.path().join("elsewhere").join(part)).unwrap();
        }
        for (target, link) in [
            ("../../elsewhere", ".Elsewhere.2026"),
            ("nowhere", ".Nowhere"),
            (".Sent.2026", ".Within"),
            // What is no folder holds no mail here.
            ("../2026/b.eml", "dovecot-settings"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let maildirs = [
            ("Maildir", "maildir"),
            ("Maildir/Elsewhere/2026", "unreadable"),
            ("Maildir/Nowhere", "unreadable"),
            ("Maildir/Entwürfe", "maildir"),
            ("Maildir/Sent/2026", "maildir"),
        ];
        for format in [Format::Auto, Format::Maildir] {
            assert_eq!(found(&[&root], format), expected(&maildirs));
        }
        // Where both are named, the link leads to what is imported under another name.
        let all = found(&[folder.path()], Format::Maildir);
        let unreadable: Vec<_> = all.iter().filter(|(_, kind)| kind == "unreadable").collect();
        assert_eq!(unreadable.len(), 1, "{all:?}");
    }
}
