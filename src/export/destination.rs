//! The folder that is exported to: ours or refused, one export at a time, and who has which folder in it.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{DirBuilder, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{ExportError, Selection, folder::Folder, selection::Selected};
use crate::{
    archive::UserId,
    formats::{
        manifest::{LOST_AND_FOUND, MARKER, RESERVED, VERSION},
        names_out,
    },
    patience::Patience,
};

/// What is being written; it gets its name once it is whole.
pub const UNFINISHED: &str = "dropkeep-export.tmp";
/// Characters of a name to which an id is added.
const SHORT: usize = 20;
/// A longer marker is none of ours: 100,000 users have a tenth of it.
const LONGEST: u64 = 64 << 20;

/// How long one waits for the export before, which was killed, to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the marker notes as it goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Noted {
    /// What tells the store from others; `None` while it is empty.
    store: Option<String>,
    /// User → name of the folder, or of the mbox without its ending. It stays when users are renamed.
    folders: BTreeMap<UserId, String>,
    /// User → name, as it was when last exported: an import files by it.
    names: BTreeMap<UserId, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    dropkeep_export: u32,
    #[serde(flatten)]
    selection: Selection,
    store: Option<String>,
    folders: BTreeMap<UserId, String>,
    #[serde(default)]
    names: BTreeMap<UserId, String>,
}

/// The folder, locked for this process.
pub struct Destination {
    folder: Folder,
    folders: BTreeMap<UserId, String>,
}

impl Destination {
    /// Takes possession of the folder, and makes it where there is none. `store` tells the store from others, where
    /// that is known.
    ///
    /// # Errors
    /// It is not empty and no export, or one of something else, or in use, another account's, or cannot be written.
    pub fn take(
        path: &Path,
        data_dir: &Path,
        store: Option<String>,
        selection: &Selection,
        users: &[Selected],
    ) -> Result<Self, ExportError> {
        refuse_inside(path, data_dir)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        let folder = made
            .and_then(|()| Folder::at(path))
            .map_err(ExportError::unusable(path))?;
        lock(&folder)?;
        let file = path.join(MARKER);
        let mut bytes = Vec::new();
        let there = folder
            .read(MARKER)
            .and_then(|marker| marker.take(LONGEST).read_to_end(&mut bytes));
        let before = match there {
            Ok(_) => Some(read(path, &file, &bytes, selection)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                refuse_foreign(&folder)?;
                None
            }
            Err(error) => return Err(ExportError::unusable(&file)(error)),
        };
        let mut now = before.clone().unwrap_or_default();
        // Not before it is known to be an export's.
        folder.close_to_others().map_err(ExportError::unusable(path))?;
        if now.store.is_some() && store.is_some() && now.store != store {
            return Err(ExportError::OtherStore { path: path.to_owned() });
        }
        assign(&mut now.folders, users);
        now.store = now.store.or(store);
        now.names.extend(users.iter().map(|user| (user.id, user.name.clone())));
        if before.as_ref() != Some(&now) {
            write(&folder, selection, &now)?;
        }
        let folders = now.folders;
        Ok(Self { folder, folders })
    }

    /// The directory itself.
    pub fn root(&self) -> &Folder {
        &self.folder
    }

    /// The name of a user's folder.
    pub fn folder(&self, user: UserId) -> Option<&str> {
        self.folders.get(&user).map(String::as_str)
    }

    /// Waits until all that was written to the file system is on disk: one wait for many files.
    ///
    /// # Errors
    /// Some of it is not.
    pub fn sync(&self) -> Result<(), ExportError> {
        let synced = rustix::fs::syncfs(self.folder.handle());
        synced.map_err(|errno| ExportError::io("syncing", self.folder.path())(errno.into()))
    }
}

/// The data directory's files are no one's but the store's.
fn refuse_inside(path: &Path, data_dir: &Path) -> Result<(), ExportError> {
    let whole = std::path::absolute(path).map_err(ExportError::unusable(path))?;
    let there = whole.ancestors().find_map(|folder| folder.canonicalize().ok());
    match (there, data_dir.canonicalize()) {
        (Some(there), Ok(data_dir)) if there.starts_with(&data_dir) => Err(ExportError::Inside { path: whole }),
        _ => Ok(()),
    }
}

fn lock(folder: &Folder) -> Result<(), ExportError> {
    let path = folder.path();
    let patience = Patience::of(PATIENCE);
    loop {
        match folder.handle().try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if patience.again_here() => {}
            Err(TryLockError::WouldBlock) => return Err(ExportError::Busy { path: path.to_owned() }),
            // File systems of other machines may know no locks; there one takes care oneself.
            Err(TryLockError::Error(error)) if is_unknown(&error) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(ExportError::unusable(path)(error)),
        }
    }
}

fn is_unknown(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    [Errno::NOTSUP, Errno::NOLCK, Errno::NOSYS, Errno::BADF]
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

fn refuse_foreign(folder: &Folder) -> Result<(), ExportError> {
    let path = folder.path();
    let names = folder.names().map_err(ExportError::unusable(path))?;
    // An export that was cut off at its very beginning leaves the first.
    match names.iter().any(|name| name != UNFINISHED && name != LOST_AND_FOUND) {
        true => Err(ExportError::Foreign { path: path.to_owned() }),
        false => Ok(()),
    }
}

fn read(path: &Path, file: &Path, bytes: &[u8], selection: &Selection) -> Result<Noted, ExportError> {
    let refused = |detail: String| ExportError::Marker {
        path: file.to_owned(),
        detail,
    };
    let marker: Marker = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
    if marker.dropkeep_export != VERSION {
        let detail = format!(
            "it has version {}, but this dropkeep knows version {VERSION}",
            marker.dropkeep_export
        );
        return Err(refused(detail));
    }
    if marker.selection != *selection {
        return Err(ExportError::Other {
            path: path.to_owned(),
            there: marker.selection.to_string(),
            asked: selection.to_string(),
        });
    }
    // Nobody is led out of the folder.
    match marker.folders.values().find(|name| names_out::user(name) != **name) {
        Some(name) => Err(refused(format!("{name:?} cannot be the name of a directory"))),
        None => Ok(Noted {
            store: marker.store,
            folders: marker.folders,
            names: marker.names,
        }),
    }
}

/// Gives a name to everyone who has none; where it is not theirs alone, or not all of it could stay, their id is added.
fn assign(folders: &mut BTreeMap<UserId, String>, users: &[Selected]) {
    // Some file systems do not tell upper from lower case.
    let mut taken: HashSet<String> = folders.values().map(|name| name.to_lowercase()).collect();
    for user in users
        .iter()
        .filter(|user| !folders.contains_key(&user.id))
        .collect::<Vec<_>>()
    {
        let name = names_out::user(&user.name);
        let is_reserved = name.to_lowercase().starts_with(RESERVED) || name == LOST_AND_FOUND;
        let as_it_is = (name == user.name && !is_reserved).then(|| name.clone());
        let short: String = name.chars().take(SHORT).collect();
        let with_id = (1_u64..).map(|count| match count {
            1 => format!("{short}-{}", user.id),
            _ => format!("{short}-{}-{count}", user.id),
        });
        let mut names = as_it_is.into_iter().chain(with_id);
        if let Some(name) = names.find(|name| taken.insert(name.to_lowercase())) {
            folders.insert(user.id, name);
        }
    }
}

fn write(folder: &Folder, selection: &Selection, noted: &Noted) -> Result<(), ExportError> {
    let marker = Marker {
        dropkeep_export: VERSION,
        selection: selection.clone(),
        store: noted.store.clone(),
        folders: noted.folders.clone(),
        names: noted.names.clone(),
    };
    let json = serde_json::to_vec_pretty(&marker);
    let mut json = json.map_err(|error| ExportError::Fault(format!("{error}; this is a bug in dropkeep")))?;
    json.push(b'\n');
    let put = || {
        let mut file = folder.create(UNFINISHED)?;
        file.write_all(&json)?;
        file.sync_all()?;
        folder.rename(UNFINISHED, folder, MARKER)?;
        folder.handle().sync_all()
    };
    put().map_err(ExportError::unusable(folder.path()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::export::Format;

    fn all() -> Selection {
        Selection::new(Format::Eml, Vec::new(), None, None)
    }

    fn users(names: &[&str]) -> Vec<Selected> {
        let users = names.iter().zip(0..);
        users
            .map(|(name, id)| Selected {
                id: UserId(id),
                name: (*name).to_owned(),
                messages: 0,
            })
            .collect()
    }

    #[test]
    fn everyone_has_a_folder_of_their_own_and_keeps_it() {
        let mut folders = BTreeMap::new();
        assign(
            &mut folders,
            &users(&[
                "@catchall",
                "jane",
                "Jane",
                "a/b",
                "a_b",
                "dropkeep-export.json",
                "jane-2",
                "lost+found",
            ]),
        );
        let names: Vec<_> = folders.values().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "@catchall",
                "jane",
                "Jane-2",
                "a_b-3",
                "a_b",
                "dropkeep-export.json-5",
                "jane-2-6",
                "lost+found-7"
            ]
        );
        let before = folders.clone();
        let renamed = users(&["@catchall", "eve", "Jane", "x", "x", "x", "x", "x", "jane", "eve"]);
        assign(&mut folders, &renamed);
        assert!(before.iter().all(|(id, name)| folders[id] == *name));
        assert_eq!((&*folders[&UserId(8)], &*folders[&UserId(9)]), ("jane-8", "eve"));
        for name in folders.values() {
            assert_eq!(names_out::user(name), *name);
        }
    }

    #[test]
    fn a_folder_is_of_one_export_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let path = folder.path().join("out/deep");
        let of = |path: &Path, store: &str, selection: &Selection| {
            let store = (!store.is_empty()).then(|| store.to_owned());
            Destination::take(path, &data_dir, store, selection, &users(&["jane"]))
        };
        let take = |path: &Path, selection: &Selection| of(path, "", selection);
        let place = take(&path, &all()).unwrap();
        assert_eq!(place.folder(UserId(0)), Some("jane"));
        drop(place);
        take(&path, &all()).unwrap();
        let other = Selection::new(Format::Mbox, Vec::new(), None, Some(0));
        let refused = take(&path, &other).map(|_| ()).unwrap_err();
        assert!(matches!(refused, ExportError::Other { .. }), "{refused}");
        assert_eq!(refused.exit() as i32, 2);
        // Once it is known which store it is of, it is of no other.
        for (store, is_ours) in [("a", true), ("", true), ("b", false), ("a", true)] {
            assert_eq!(of(&path, store, &all()).is_ok(), is_ours, "{store}");
        }

        let foreign = folder.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("letter.txt"), "x").unwrap();
        assert!(matches!(take(&foreign, &all()), Err(ExportError::Foreign { .. })));
        assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1);

        fs::create_dir(&data_dir).unwrap();
        for inside in [data_dir.clone(), data_dir.join("x/y")] {
            assert!(matches!(take(&inside, &all()), Err(ExportError::Inside { .. })));
        }
        assert!(matches!(
            take(&foreign.join("letter.txt"), &all()),
            Err(ExportError::Unusable { .. })
        ));
    }

    #[test]
    fn a_marker_leads_nobody_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let take = || Destination::take(folder.path(), Path::new("data"), None, &all(), &users(&["jane"]));
        drop(take().unwrap());
        let marker = folder.path().join(MARKER);
        let good = fs::read_to_string(&marker).unwrap();
        for bad in [
            good.replace("\"jane\"", "\"../jane\""),
            good.replace(": 1", ": 2"),
            "{".into(),
        ] {
            assert_ne!(bad, good);
            fs::write(&marker, bad).unwrap();
            assert!(matches!(take(), Err(ExportError::Marker { .. })));
        }
    }
}
