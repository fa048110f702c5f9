//! Giving the catalog's free pages back to the disk: its file only grows by itself, and a compaction leaves it with
//! many free pages.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    path::Path,
    thread,
};

use heed::CompactionOption;

use super::{StoreError, catalog::Catalog, disk, hooks::Hooks, lock, resident, waiting};
use crate::{config::Config, durable};

/// Bytes taken out of a pipe at once.
const AT_ONCE: usize = 1 << 20;
/// Fewer free bytes are not worth a new file.
const LEAST: u64 = 256 << 10;

/// Writes the catalog anew without its free pages where those are more than a quarter of it; gives by how many
/// bytes it is smaller. Nothing is done beside an appliance or a command that reads. What `hooks` are told are bytes.
///
/// # Errors
/// The catalog cannot be read, its copy not be written, or it was interrupted; then it is as it was.
pub fn shrink_catalog(config: &Config, hooks: Hooks) -> Result<u64, StoreError> {
    let folder = config.data_dir.join(disk::CATALOG);
    let file = folder.join(disk::DATA_FILE);
    if !file.exists() {
        return Ok(0);
    }
    let _lock = match lock::lock(&config.data_dir) {
        Err(StoreError::InUse { .. }) => return Ok(0),
        locked => locked?,
    };
    let Some(_alone) = lock::lock_out_readers(&config.data_dir)? else {
        return Ok(0);
    };
    waiting::apply(&config.data_dir)?;
    let size = || {
        fs::metadata(&file)
            .map(|file| file.len())
            .map_err(StoreError::io("measuring", &file))
    };
    let before = size()?;
    let catalog = match Catalog::open_at_rest(&folder) {
        // It is brought to the present schema first, and that takes pages.
        Err(StoreError::Older { .. }) => return Ok(0),
        opened => opened?,
    };
    let free = catalog.free()?;
    if free < LEAST || free <= before / 4 {
        return Ok(0);
    }
    (hooks.expect)(before.saturating_sub(free));
    // All who had it open are gone by then, and with them what LMDB knows of readers beside the file.
    let make = |new: &Path| {
        write_anew(&catalog, new, hooks)?;
        refuse_other_rows(&catalog, new)?;
        drop(catalog);
        StoreError::point("shrink-copied")
    };
    durable::replace_by(&file, make, |error| StoreError::io("replacing", &file)(error))?;
    StoreError::point("shrink-replaced")?;
    Ok(before.saturating_sub(size()?))
}

/// Writes the catalog into the file `to`, and syncs it: without the free pages where that can be done.
fn write_anew(catalog: &Catalog, to: &Path, hooks: Hooks) -> Result<(), StoreError> {
    match copy(catalog, to, CompactionOption::Enabled, hooks)? {
        // LMDB counts before it copies, and pages that are neither used nor free, as a crash can leave them, are
        // too many for it. The copy that takes every page along is as good.
        Err(heed::Error::Mdb(heed::MdbError::Incompatible)) => copy(catalog, to, CompactionOption::Disabled, hooks)?,
        copied => copied,
    }
    .map_err(StoreError::lmdb("copying into", to))
}

/// Has LMDB write a copy into a pipe, whose other end says how far it is, and can be closed before its end.
fn copy(catalog: &Catalog, to: &Path, option: CompactionOption, hooks: Hooks) -> Result<heed::Result<()>, StoreError> {
    let failed = || StoreError::io("writing", to);
    let mut options = OpenOptions::new();
    let output = options.write(true).create(true).truncate(true).mode(0o600).open(to);
    let mut output = output.map_err(failed())?;
    let (mut input, writer) = io::pipe().map_err(failed())?;
    thread::scope(|scope| {
        let mut writer = File::from(OwnedFd::from(writer));
        let copying =
            scope.spawn(move || resident::releasing(catalog.path(), || catalog.env.copy_to_file(&mut writer, option)));
        let mut take = || {
            let mut buffer = vec![0; AT_ONCE];
            loop {
                hooks.check()?;
                match input.read(&mut buffer).map_err(failed())? {
                    0 => break,
                    read => {
                        output.write_all(&buffer[..read]).map_err(failed())?;
                        (hooks.passed)(read as u64);
                    }
                }
            }
            output.sync_all().map_err(failed())
        };
        let taken = take();
        // Where it was not read to its end, whoever writes into it fails.
        drop(input);
        let copied = copying.join().map_err(|_| StoreError::Fault {
            detail: "copying the catalog panicked; this is a bug in dropkeep".into(),
        })?;
        taken.map(|()| copied)
    })
}

/// What replaces the catalog was read back.
fn refuse_other_rows(catalog: &Catalog, copy: &Path) -> Result<(), StoreError> {
    let copied = super::environment::row_counts_of_file(copy)?;
    if copied == catalog.row_counts()? {
        return Ok(());
    }
    let detail = format!("the copy {} differs from the catalog", copy.display());
    Err(StoreError::Fault { detail })
}
