//! The files of the environments: whether they are there, are those that were sealed, and hang together.

use std::{path::Path, sync::atomic::Ordering};

use heed::{RoTxn, WithoutTls};

use super::{
    context::{Context, Stop},
    damage::{Damage, Kind},
    words::Desk,
};
use crate::archive::{
    StoreError, disk, environment,
    pages::{self, CheckError, Pages},
    rows::{Seal, VolumeState},
    seal,
    volume::Volume,
};

/// Bytes hashed between two signs of life.
const ALIVE: u64 = 256;

/// What can be said of a volume before its blocks are read.
pub fn volume(context: &Context, number: u32, desk: &mut Desk) -> Result<(), Stop> {
    desk.at(&context.plan.start(desk.item, context.extent), false)?;
    let mut check = Check { context, number, desk };
    if let Err(error) = check.volume() {
        let detail = match error {
            StoreError::Damaged { detail } => detail,
            error => error.to_string(),
        };
        check.wrong(detail);
    }
    desk.end()?;
    Ok(())
}

struct Check<'c, 'd, 'l> {
    context: &'c Context<'c>,
    number: u32,
    desk: &'d mut Desk<'l>,
}

impl Check<'_, '_, '_> {
    fn wrong(&mut self, detail: String) {
        self.desk.damage(Damage::new(Kind::Volume, detail).volume(self.number));
    }

    fn volume(&mut self) -> Result<(), StoreError> {
        let folder = self.context.volumes.folder(self.number);
        let file = folder.join(disk::DATA_FILE);
        let there = file.exists();
        let (state, current, used) = match self.context.store {
            Some(store) => store.reading(|txn| {
                let catalog = &store.catalog;
                let state = catalog.volumes.get(txn, &self.number)?;
                // A row that cannot be read is found where the messages are.
                let used = catalog.has_blocks(txn, self.number).unwrap_or(true);
                Ok((state, catalog.counters(txn)?.volume, used))
            })?,
            None => (None, self.number, true),
        };
        match (&state, there) {
            // All that it held lies elsewhere.
            (Some(VolumeState::Emptied), _) => return Ok(()),
            (None, true) if self.number > current.saturating_add(1) => {
                self.wrong(format!("the catalog does not know volume {}", folder.display()));
                return Ok(());
            }
            // An appliance may be about to begin it, or a crash came before it was. If a message lies in it, that
            // is found where it is read.
            (None, _) if self.number > current || (self.number == current && !used) => return Ok(()),
            (_, false) => {
                self.wrong(format!("volume {} is missing", folder.display()));
                return Ok(());
            }
            _ => {}
        }
        environment::refuse_unreadable(&file)?;
        let sealed = match state {
            Some(VolumeState::Sealed(seal)) => Some(seal),
            _ => None,
        };
        self.seal(sealed.as_ref())?;
        if self.context.request.refused_volumes.contains(&self.number) {
            return pages(self.context, &file, None, Some(self.number), self.desk).map(drop);
        }
        let volume = self.context.volumes.get(self.number)?;
        let read: &dyn Fn() -> _ = &|| volume.read();
        let written = (!seal::is_sealed(&folder)).then_some(read);
        pages(self.context, &file, written, Some(self.number), self.desk)?;
        for name in volume.unread_values()? {
            self.wrong(format!(
                "it has a value {name:?}, which nobody reads: its name is damaged, and a value of another name is missing"
            ));
        }
        self.newer_than_catalog(&volume)
    }

    /// A sealed volume's file is the one that was sealed.
    fn seal(&mut self, known: Option<&Seal>) -> Result<(), StoreError> {
        let folder = self.context.volumes.folder(self.number);
        let manifest = if seal::is_sealed(&folder) {
            match seal::manifest(&folder) {
                Ok(manifest) => Some(manifest),
                Err(error) => {
                    self.wrong(error.to_string());
                    None
                }
            }
        } else {
            if known.is_some() {
                self.wrong(format!(
                    "volume {} is sealed, but its manifest is missing",
                    folder.display()
                ));
            }
            None
        };
        if let (Some(known), Some(manifest)) = (known, &manifest)
            && known != manifest
        {
            self.wrong(format!(
                "the manifest of volume {} contradicts the catalog",
                folder.display()
            ));
        }
        let Some(seal) = known.or(manifest.as_ref()) else {
            return Ok(());
        };
        let file = folder.join(disk::DATA_FILE);
        let length = std::fs::metadata(&file)
            .map_err(StoreError::io("measuring", &file))?
            .len();
        if length != seal.bytes {
            let had = seal.bytes;
            self.wrong(format!(
                "{} has {length} bytes, but had {had} when it was sealed",
                file.display()
            ));
            return Ok(());
        }
        if self.context.request.selection.has_all_bytes() {
            self.digest(seal)?;
        }
        Ok(())
    }

    fn digest(&mut self, seal: &Seal) -> Result<(), StoreError> {
        let file = self.context.volumes.folder(self.number).join(disk::DATA_FILE);
        let asked = std::cell::Cell::new(0u64);
        let go_on = || {
            asked.set(asked.get() + 1);
            !asked.get().is_multiple_of(ALIVE) || self.desk.alive().is_ok()
        };
        // Where nobody listens any more, the next line finds out.
        if let Some((_, found)) = seal::digest(&file, &go_on)?
            && found != seal.blake3
        {
            self.wrong(format!(
                "{} is not the file that was sealed: its BLAKE3 digest is {found}, but was {}",
                file.display(),
                seal.blake3
            ));
        }
        Ok(())
    }

    /// More of a volume than one group is beyond the catalog: then the catalog is older than the volume.
    fn newer_than_catalog(&mut self, volume: &Volume) -> Result<(), StoreError> {
        let first = volume.last_group()?;
        let Some(store) = self.context.store else { return Ok(()) };
        let counters = store.reading(|txn| store.catalog.counters(txn))?;
        if let Some(first) = first.filter(|first| *first > counters.block) {
            let detail = format!(
                "volume {:06} is newer than the catalog: it holds block {first}, and the catalog knows of blocks \
                 up to {}",
                self.number,
                counters.block.max(1) - 1
            );
            self.desk.damage(Damage::new(Kind::Catalog, detail).volume(self.number));
        }
        Ok(())
    }
}

/// What can be said of the catalog's file, and whether there are folders that are no volumes.
pub fn catalog(context: &Context, desk: &mut Desk) -> Result<(), Stop> {
    desk.at(&context.plan.start(desk.item, context.extent), false)?;
    if let Some(store) = context.store {
        let file = store.catalog.path().join(disk::DATA_FILE);
        let is_sound = pages(context, &file, Some(&|| store.catalog.read()), None, desk).map_err(Stop::Store)?;
        context.sound.store(is_sound, Ordering::Relaxed);
        if is_sound {
            desk.sound()?;
        }
        let faults = store.reading(|txn| store.catalog.faults_of_values(txn));
        let details = faults.unwrap_or_else(|error| vec![error.to_string()]);
        for detail in details {
            desk.damage(Damage::new(Kind::Catalog, detail));
        }
    }
    for name in context.volumes.foreign().map_err(Stop::Store)? {
        desk.note(format!("{} is not the directory of a volume", name.display()));
    }
    desk.end()?;
    Ok(())
}

/// How often a snapshot is taken anew because somebody wrote before its pages could be looked at.
const TRIES: usize = 100;

/// Looks at a file that somebody may write to, in the snapshot of a transaction. `look` is given its id, or none where
/// nobody writes.
pub fn in_snapshot<'t, T>(
    read: &dyn Fn() -> Result<RoTxn<'t, WithoutTls>, StoreError>,
    look: &dyn Fn(Option<u64>) -> Result<T, CheckError>,
) -> Result<Result<T, CheckError>, StoreError> {
    for _ in 0..TRIES {
        // As long as it lasts, no page that it sees is written anew.
        let txn = read()?;
        match look(Some(txn.id() as u64)) {
            Err(CheckError::Superseded { .. }) => {}
            looked => return Ok(looked),
        }
    }
    Ok(look(None))
}

/// What was looked at of the pages of `file`.
///
/// # Errors
/// It cannot be read, or somebody writes there all the time.
pub fn readable<T>(file: &Path, looked: Result<T, CheckError>) -> Result<T, StoreError> {
    looked.map_err(|error| match error {
        CheckError::Io { source, .. } => StoreError::io("checking the pages of", file)(source),
        error => StoreError::Damaged {
            detail: error.to_string(),
        },
    })
}

/// Checks the pages of a file: of a part of the archive those that lead to its rows, and where nothing is `written`,
/// without a snapshot. Whether all that it holds is found.
fn pages<'t>(
    context: &Context,
    file: &Path,
    written: Option<&dyn Fn() -> Result<RoTxn<'t, WithoutTls>, StoreError>>,
    volume: Option<u32>,
    desk: &mut Desk,
) -> Result<bool, StoreError> {
    let is_part = context.request.selection.part().is_some();
    let look = |txnid| match is_part {
        true => pages::branches(file, txnid, &mut |_, _| {}),
        false => pages::check(file, txnid),
    };
    let looked = match written {
        Some(read) => in_snapshot(read, &look)?,
        None => look(None),
    };
    let pages = readable(file, looked)?;
    report(&pages, file, volume, desk);
    Ok(pages.findings.is_empty() && !is_part)
}

fn report(pages: &Pages, file: &Path, volume: Option<u32>, desk: &mut Desk) {
    let mut wrong = |detail: String| {
        let damage = Damage::new(Kind::Pages, format!("{}: {detail}", file.display()));
        desk.damage(match volume {
            Some(volume) => damage.volume(volume),
            None => damage,
        });
    };
    pages.findings.iter().for_each(|finding| wrong(finding.to_string()));
    if pages.more_findings > 0 {
        wrong(format!("{} more pages are damaged", pages.more_findings));
    }
    if pages.lost > 0 && pages.findings.is_empty() {
        desk.note(format!(
            "{}: {} pages are neither used nor free, which is harmless",
            file.display(),
            pages.lost
        ));
    }
}
