//! Where a new archive may be begun: not where the last one should be and is not. A disk that is not mounted leaves an
//! empty folder, and a name mistyped none; an archive made there would take the mail that belongs into the other one.
//!
//! Which archive a configuration had last stands in a note beside it, `dropkeep.toml.archive`, or where that folder
//! cannot be written, as by the service, in [`STATE`].

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::{StoreError, disk};
use crate::config::Config;

/// Where the service keeps what must not lie on the archive's own disk; made by its unit.
const STATE: &str = "/var/lib/dropkeep-state";
/// What a disk has that is otherwise empty.
const OF_THE_DISK: &str = "lost+found";

/// What tells an archive from others. Its backups have the same.
pub(super) type ArchiveId = [u8; 16];

pub(super) fn new_id() -> ArchiveId {
    let mut id = ArchiveId::default();
    // Without randomness all archives count as the same, as those do that are older than this.
    if SystemRandom::new().fill(&mut id).is_err() {
        tracing::warn!("the system provides no random bytes, so this archive cannot be told from others");
    }
    id
}

/// The archive that a configuration had last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// In hexadecimal.
    archive: String,
    data_dir: PathBuf,
}

/// Refuses to begin an archive where another one should be.
///
/// # Errors
/// It should, and why.
pub(super) fn refuse_new(config: &Config) -> Result<(), StoreError> {
    let path = &config.data_dir;
    let refuse = |why: String| {
        Err(StoreError::NotMade {
            path: path.clone(),
            why,
        })
    };
    if let Some(note) = read(config) {
        return refuse(match same(&note.data_dir, path) {
            true => "there was one; mount its disk, or restore it from a backup".into(),
            false => format!(
                "the archive of this configuration is in {}: check data_dir",
                note.data_dir.display()
            ),
        });
    }
    let resolved = resolved(path);
    let mounted = mount_points("/proc/self/mountinfo", 4);
    if mounted.contains(&resolved) && is_empty(path) {
        return refuse("this is the root of an empty disk: mount the right one".into());
    }
    let unmounted = mount_points("/etc/fstab", 1).into_iter().find(|point| {
        point != Path::new("/") && resolved.starts_with(point) && !mounted.contains(&self::resolved(point))
    });
    match unmounted {
        Some(point) => refuse(format!(
            "the disk of {} (in /etc/fstab) is not mounted: mount it",
            point.display()
        )),
        None => Ok(()),
    }
}

/// Why nothing can be read: there is no archive. Where there was one, a new one would not do.
pub(super) fn none(config: &Config) -> StoreError {
    let path = config.data_dir.clone();
    match refuse_new(config) {
        Err(gone) => gone,
        Ok(()) => StoreError::None { path },
    }
}

/// Notes the archive that a configuration has now. Not being able to is no reason to archive nothing.
pub(super) fn note(config: &Config, id: &ArchiveId) {
    if config.file.as_os_str().is_empty() {
        return;
    }
    let note = Note {
        archive: hex::encode(id),
        data_dir: std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone()),
    };
    if read(config).as_ref() == Some(&note) {
        return;
    }
    let Ok(json) = serde_json::to_vec_pretty(&note) else {
        return;
    };
    let written = files(config)
        .iter()
        .any(|file| file.parent().is_some_and(Path::is_dir) && disk::write(file, &json).is_ok());
    if !written {
        tracing::info!(
            "cannot note which archive this configuration has, neither as {} nor in {STATE}: if its disk is not mounted one \
             day, only /etc/fstab tells",
            files(config)[0].display()
        );
    }
}

/// Where the archive was that the configuration of this file had last, as far as a note says it.
pub fn last_data_dir(file: &Path) -> Option<PathBuf> {
    let config = Config {
        file: file.to_owned(),
        ..Config::default()
    };
    read(&config).map(|note| note.data_dir)
}

fn read(config: &Config) -> Option<Note> {
    if config.file.as_os_str().is_empty() {
        return None;
    }
    let read = |file: &PathBuf| match fs::read(file) {
        Ok(json) => {
            let note = serde_json::from_slice(&json);
            note.inspect_err(
                |error| tracing::warn!(file = %file.display(), %error, "this is not the note of an archive"),
            )
            .ok()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "cannot read which archive this configuration had");
            None
        }
    };
    files(config).iter().find_map(read)
}

/// Where the note of a configuration may be: the first that can be written has it.
fn files(config: &Config) -> [PathBuf; 2] {
    // A name alone has no folder.
    let file = std::path::absolute(&config.file).unwrap_or_else(|_| config.file.clone());
    let mut beside = file.into_os_string();
    beside.push(".archive");
    let name = blake3::hash(resolved(&config.file).as_os_str().as_encoded_bytes()).to_hex();
    [beside.into(), Path::new(STATE).join(format!("{}.archive", &name[..16]))]
}

fn same(one: &Path, other: &Path) -> bool {
    resolved(one) == resolved(other)
}

/// Without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    disk::resolved(path).unwrap_or_else(|_| path.to_owned())
}

fn is_empty(folder: &Path) -> bool {
    let mut names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.all(|entry| entry.file_name() == OF_THE_DISK)
}

/// The paths in a field of a system's table of file systems.
fn mount_points(table: &str, field: usize) -> Vec<PathBuf> {
    let table = fs::read_to_string(table).unwrap_or_default();
    parse_table(&table, field)
}

fn parse_table(table: &str, field: usize) -> Vec<PathBuf> {
    let lines = table.lines().filter(|line| !line.trim_start().starts_with('#'));
    let points = lines.filter_map(|line| line.split_whitespace().nth(field));
    points
        .filter(|point| point.starts_with('/'))
        .map(|point| unescaped(point).into())
        .collect()
}

/// Blanks and backslashes stand as `\040` in these tables.
fn unescaped(text: &str) -> String {
    ["040", "011", "012", "134"].iter().fold(text.to_owned(), |text, code| {
        let byte = u8::from_str_radix(code, 8).unwrap_or(b'?');
        text.replace(&format!("\\{code}"), &char::from(byte).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path, data: &str) -> Config {
        Config {
            file: folder.join("dropkeep.toml"),
            data_dir: folder.join(data),
            ..Config::default()
        }
    }

    #[test]
    fn a_configuration_that_had_an_archive_gets_no_other_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let first = config(folder.path(), "first");
        refuse_new(&first).unwrap();
        note(&first, &[7; 16]);
        let why = |config| refuse_new(config).unwrap_err().to_string();
        assert!(why(&first).contains("there was one; mount its disk"));
        let other = config(folder.path(), "other");
        assert!(
            why(&other).contains(&format!("is in {}", first.data_dir.display())),
            "{}",
            why(&other)
        );
        note(&other, &[8; 16]);
        assert!(why(&first).contains(&format!("is in {}", other.data_dir.display())));
        // Another configuration knows nothing of it.
        let stranger = Config {
            file: folder.path().join("stranger.toml"),
            ..first
        };
        refuse_new(&stranger).unwrap();
    }

    #[test]
    fn tables_of_file_systems_are_read() {
        let fstab = "# /dev/sda1 /old ext4\nUUID=1 / ext4 defaults 0 1\nUUID=2 /srv/my\\040mail xfs noauto\nUUID=3 none swap\n\n";
        assert_eq!(
            parse_table(fstab, 1),
            [PathBuf::from("/"), PathBuf::from("/srv/my mail")]
        );
        let mountinfo = "22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 0:26 / /srv/my\\040mail rw - tmpfs none rw\n";
        assert_eq!(
            parse_table(mountinfo, 4),
            [PathBuf::from("/"), PathBuf::from("/srv/my mail")]
        );
    }
}
