//! Exports of our own, imported: their manifests say who has what, and by what digest that is known.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufReader, Read},
    path::{Component, Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use sha2::{Digest, Sha256};

use super::{
    entries::{is_candidate, reason, stopped},
    read::open,
};
use crate::{
    formats::{
        maildir,
        manifest::{LOST_AND_FOUND, MANIFEST, MARKER, ManifestLine, OF_MBOX, VERSION, Whose, read_line},
    },
    said::said,
    source::{Aside, Holder, UnfetchedWhy},
};

/// Folders around a message of an export: the user's, the year's, the month's; the message itself; the export.
const AROUND: usize = 5;
/// A longer marker is none of ours.
const LONGEST: u64 = 64 << 20;
/// Lines of a manifest after which it is looked whether to go on.
const LINES: usize = 1000;

/// A folder that was exported to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    root: PathBuf,
    /// Name of the folder, or of the mbox without its ending → name of the user.
    users: BTreeMap<String, Arc<str>>,
}

/// Where in an export a place is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Within {
    pub user: Arc<str>,
    pub manifest: PathBuf,
    /// What stands before the names of the place's files in the manifest; of an mbox, its name.
    pub prefix: String,
}

impl Export {
    /// The export that a path is in, or is.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn around(path: &Path) -> Result<Option<Self>, String> {
        let mut folders = path.ancestors().take(AROUND);
        match folders.find(|folder| folder.join(MARKER).is_file()) {
            None => Ok(None),
            Some(root) => Self::read(root).map(Some),
        }
    }

    /// How many users have mail in it.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    fn read(root: &Path) -> Result<Self, String> {
        let told = |why: String| {
            format!(
                "{}: {why}; its files are imported like any other mail",
                root.join(MARKER).display()
            )
        };
        let mut bytes = Vec::new();
        opened(&root.join(MARKER))
            .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
            .map_err(|error| told(reason(&error)))?;
        let whose: Whose = serde_json::from_slice(&bytes).map_err(|error| told(error.to_string()))?;
        if whose.dropkeep_export != VERSION {
            let there = whose.dropkeep_export;
            return Err(told(format!(
                "it is of version {there}, and this dropkeep knows version {VERSION}"
            )));
        }
        let users = whose.folders.into_iter().map(|(id, folder)| {
            let name = whose.names.get(&id).unwrap_or(&folder).as_str().into();
            (folder, name)
        });
        Ok(Self {
            root: root.to_owned(),
            users: users.collect(),
        })
    }

    /// Where a folder or an mbox is in it; `None` for what is nobody's.
    pub fn within(&self, place: &Path) -> Option<Within> {
        let mut names = place.strip_prefix(&self.root).ok()?.components();
        let first = names.next()?.as_os_str().to_str()?;
        // Somebody may be called as somebody else's mbox is.
        let is_folder = !self.root.join(first).is_file();
        if let Some(user) = self.users.get(first).filter(|_| is_folder) {
            let prefix = names.map(|name| Some(format!("{}/", name.as_os_str().to_str()?)));
            return Some(Within {
                user: user.clone(),
                manifest: self.root.join(first).join(MANIFEST),
                prefix: prefix.collect::<Option<_>>()?,
            });
        }
        let stem = first.strip_suffix(".mbox")?;
        Some(Within {
            user: self.users.get(stem)?.clone(),
            manifest: self.root.join(format!("{stem}{OF_MBOX}")),
            prefix: first.to_owned(),
        })
    }

    /// What is not as its manifests have it of what is at `path`, which is the export or in it: the place of which it
    /// is told, and in what words.
    ///
    /// # Errors
    /// `stop` was set meanwhile.
    pub fn differs(&self, path: &Path, stop: &AtomicBool) -> io::Result<Vec<(PathBuf, String)>> {
        let mut told = match self.root == path {
            true => self.unnamed(stop)?,
            false => Vec::new(),
        };
        for name in self.users.keys() {
            let (folder, mbox) = (self.root.join(name), self.root.join(format!("{name}.mbox")));
            if ![&folder, &mbox]
                .iter()
                .any(|at| at.starts_with(path) || path.starts_with(at))
            {
                continue;
            }
            let of_mbox = self.root.join(format!("{name}{OF_MBOX}"));
            let (place, manifest) = match mbox.is_file() || of_mbox.is_file() {
                true => (mbox, of_mbox),
                false => (folder.clone(), folder.join(MANIFEST)),
            };
            if !place.exists() {
                let marker = self.root.join(MARKER);
                let why = format!(
                    "it is missing, though {} names it: what was in it is not imported",
                    marker.display()
                );
                told.push((place, why));
                continue;
            }
            match missing(&place, &manifest, stop) {
                Ok((0, _)) => {}
                Ok((count, first)) => told.push((
                    place,
                    format!(
                        "messages that {} lists are missing: {count}, the first is {first}",
                        manifest.display()
                    ),
                )),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => told.push((
                    place,
                    format!(
                        "{}: {}; what it does not list is imported like any other mail",
                        manifest.display(),
                        reason(&error)
                    ),
                )),
            }
        }
        Ok(told)
    }

    /// Folders and mboxes beside those of its users, and of other files how many. An export within it speaks for
    /// itself.
    fn unnamed(&self, stop: &AtomicBool) -> io::Result<Vec<(PathBuf, String)>> {
        let (mut told, mut loose, mut first) = (Vec::new(), 0_u64, None);
        let marker = self.root.join(MARKER);
        let why = |what: &str| {
            let marker = marker.display();
            format!("{marker} does not name {what}; such mail is imported like any other")
        };
        // What cannot be read is reported where it is read.
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            stopped(stop)?;
            let (path, kind, name) = (entry.path(), entry.file_type()?, entry.file_name());
            let name = name.to_string_lossy();
            let is_users = |name: &str| self.users.contains_key(name);
            let is_known = match (kind.is_dir(), name.strip_suffix(".mbox")) {
                (true, _) => is_users(&name) || name == LOST_AND_FOUND || path.join(MARKER).is_file(),
                (false, Some(user)) => is_users(user),
                (false, None) => {
                    if is_candidate(&path, kind, &self.root) {
                        loose += 1;
                        first = first.into_iter().chain([name.into_owned()]).min();
                    }
                    continue;
                }
            };
            if !is_known {
                told.push((path, why("it")));
            }
        }
        told.sort_unstable();
        let files = first.map(|first| {
            (
                self.root.clone(),
                why(&format!("{loose} files beside it, the first is {first}")),
            )
        });
        told.extend(files);
        Ok(told)
    }
}

/// How many messages of a manifest are not in its place, and the file of the first.
fn missing(place: &Path, manifest: &Path, stop: &AtomicBool) -> io::Result<(u64, String)> {
    let length = fs::metadata(place).map_or(0, |found| found.len());
    let mut in_maildir = HashSet::new();
    for part in ["cur", "new"] {
        for entry in fs::read_dir(place.join(part)).into_iter().flatten() {
            in_maildir.insert(digest(maildir::unique(&entry?.file_name())));
        }
    }
    let (mut count, mut first) = (0, String::new());
    each_line(manifest, stop, |line| {
        let file = Path::new(&line.file);
        let is_plain = file.components().all(|name| matches!(name, Component::Normal(_)));
        let is_there = match (line.end(), file.file_name()) {
            (Some(end), _) => end <= length,
            (None, Some(name)) if !in_maildir.is_empty() => in_maildir.contains(&digest(maildir::unique(name))),
            (None, _) => is_plain && place.join(file).is_file(),
        };
        if !is_there {
            count += 1;
            if count == 1 {
                first = line.file;
            }
        }
    })?;
    Ok((count, first))
}

/// Reads a manifest. A torn last line, which an export that was cut off leaves, is none.
fn each_line(manifest: &Path, stop: &AtomicBool, mut each: impl FnMut(ManifestLine)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, opened(manifest)?);
    let mut text = Vec::new();
    for number in 1.. {
        if number % LINES == 0 {
            stopped(stop)?;
        }
        match read_line(&mut reader, &mut text)? {
            (0, _) => break,
            (_, Some(line)) => each(line),
            (_, None) if !text.ends_with(b"\n") && text.len() < 1 << 20 => break,
            (_, None) => return Err(io::Error::other(format!("line {number} is none of an export"))),
        }
    }
    Ok(())
}

/// No link is followed.
fn opened(path: &Path) -> io::Result<File> {
    open(path).map_err(|why| match why {
        UnfetchedWhy::Unreadable(why) => io::Error::other(why),
        _ => io::ErrorKind::NotFound.into(),
    })
}

fn digest(name: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// What a manifest says of the messages of one user (72 bytes each).
#[derive(Debug)]
pub struct Manifest {
    user: Arc<str>,
    /// Sorted.
    entries: Vec<Kept>,
    /// The reasons for which messages are the user's, each once.
    whys: Vec<Arc<str>>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    /// Of a file, the digest of its name; of a message in an mbox, where it begins.
    key: u64,
    /// Where a message in an mbox ends.
    end: u64,
    size: u64,
    /// Of the message, in seconds since 1970 UTC.
    date: i64,
    sha256: [u8; 32],
    why: u16,
}

impl Manifest {
    /// # Errors
    /// It cannot be read, or `stop` was set meanwhile.
    pub fn load(within: &Within, stop: &AtomicBool) -> io::Result<Self> {
        let mut manifest = Self {
            user: within.user.clone(),
            entries: Vec::new(),
            whys: Vec::new(),
        };
        each_line(&within.manifest, stop, |line| manifest.add(&line))?;
        manifest.entries.sort_unstable_by_key(|entry| entry.key);
        Ok(manifest)
    }

    fn add(&mut self, line: &ManifestLine) {
        let mut sha256 = [0; 32];
        if hex::decode_to_slice(&line.sha256, &mut sha256).is_err() {
            return;
        }
        let known = self.whys.iter().position(|why| **why == *line.why);
        let why = known.unwrap_or_else(|| {
            self.whys.push(line.why.as_str().into());
            self.whys.len() - 1
        });
        self.entries.push(Kept {
            key: line.offset.unwrap_or_else(|| key(&line.file)),
            end: line.end().unwrap_or_default(),
            size: line.size,
            date: line.date.as_second(),
            sha256,
            why: u16::try_from(why).unwrap_or_default(),
        });
    }

    /// What it says of the file of this name, as the manifest has it.
    pub fn of_file(&self, name: &str) -> Option<Noted<'_>> {
        let key = key(name);
        let found = self.entries.binary_search_by_key(&key, |entry| entry.key).ok()?;
        Some(Noted(self, self.entries[found]))
    }

    /// What it says of the message that is in this stretch of its mbox, behind its `From ` line.
    pub fn of_stretch(&self, (offset, length): (u64, u64)) -> Option<Noted<'_>> {
        let behind = self.entries.partition_point(|entry| entry.key < offset);
        let entry = *self.entries.get(behind.checked_sub(1)?)?;
        (offset + length <= entry.end).then_some(Noted(self, entry))
    }
}

/// The key of a file: its name, without the flags that mail programs change in a Maildir.
fn key(file: &str) -> u64 {
    match file.split_once('/') {
        Some(("cur" | "new", name)) => digest(maildir::unique(name.as_ref())),
        _ => digest(file),
    }
}

/// What a manifest says of a message.
#[derive(Clone, Copy)]
pub struct Noted<'m>(&'m Manifest, Kept);

impl Noted<'_> {
    /// When the message is of, in seconds since 1970 UTC.
    pub fn date(&self) -> i64 {
        self.1.date
    }

    /// Whether these are the bytes. A last line without an end got one in an mbox, which is taken away.
    pub fn settle(&self, bytes: &mut Vec<u8>) -> Aside {
        let Self(manifest, entry) = self;
        let is_longer = entry.end > 0 && bytes.len() as u64 == entry.size + 1 && bytes.ends_with(b"\n");
        let size = bytes.len() - usize::from(is_longer);
        if size as u64 != entry.size || Sha256::digest(&bytes[..size])[..] != entry.sha256 {
            return Aside {
                remark: Some(said!(
                    NotAsExported,
                    "its bytes are not those in the manifest of the export (SHA-256): it was changed since, and is imported \
                     like any other mail"
                )),
                is_altered: true,
                holder: None,
            };
        }
        bytes.truncate(size);
        let why = manifest.whys.get(usize::from(entry.why));
        Aside {
            remark: None,
            is_altered: false,
            holder: why.map(|why| Holder {
                user: manifest.user.clone(),
                why: why.clone(),
            }),
        }
    }
}

/// What is said of a message that the manifest does not have.
pub fn not_noted() -> Aside {
    Aside {
        remark: Some(said!(
            NotInManifest,
            "the manifest of its export does not list it: it is imported like any other mail"
        )),
        is_altered: true,
        holder: None,
    }
}
