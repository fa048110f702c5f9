//! Whether all that the catalog has blocks of is there: looked at when the store is opened, before a group is written,
//! and from time to time by the appliance. Nothing is read for it but names and lengths.

use std::time::{Duration, Instant};

use super::{
    Store, StoreError,
    absence::Absence,
    disk, environment,
    pages::Budget,
    presence::{self, Held, MOUNT, missing},
    rows::{Seal, VolumeState},
    seal,
};
use crate::report::metrics;

/// How long the pages of the volume that is written to are looked at before LMDB trusts them.
const GLANCE: Budget = Budget {
    time: Duration::from_millis(200),
    pages: 256,
};
/// All volumes are looked at before a group, unless that would take more than this part of the time.
const SHARE: u32 = 50;

/// A volume that must be there, and its seal where it has one.
type Wanted = (u32, Option<Seal>);

impl Store {
    /// Looks at all of it.
    ///
    /// # Errors
    /// What is not where it was.
    pub fn look(&self) -> Result<(), StoreError> {
        self.remember(self.look_at_open().and_then(|()| self.look_at_volumes()))
    }

    /// The same before a group is written, unless it was done just now; what is written to is always looked at.
    pub(super) fn look_before_writing(&self, volume: u32) -> Result<(), StoreError> {
        let looked = *self.lookout.looked.lock();
        if looked.is_none_or(|(ended, took)| ended.elapsed() >= took * SHARE) {
            return self.look();
        }
        self.remember(self.look_at_open().and_then(|()| self.volumes.check(volume).map(drop)))
    }

    /// What was wrong when it was looked at last.
    pub fn trouble(&self) -> Option<StoreError> {
        let trouble = self.lookout.trouble.lock();
        trouble.clone()
    }

    /// Whether the catalog can be read: LMDB ends the process over one that was cut short.
    pub fn can_be_read(&self) -> bool {
        !self.lookout.catalog.iter().any(Held::is_cut)
    }

    /// The files that were written to are longer now.
    pub(super) fn grew(&self) {
        self.lookout.catalog.iter().for_each(Held::grew);
    }

    fn remember(&self, looked: Result<(), StoreError>) -> Result<(), StoreError> {
        metrics::store_missing(looked.is_err());
        let mut trouble = self.lookout.trouble.lock();
        match (&looked, trouble.is_some()) {
            (Err(error), false) => tracing::error!(%error, "part of the archive is missing"),
            (Ok(()), true) => tracing::info!("the archive is complete again"),
            _ => {}
        }
        *trouble = looked.as_ref().err().cloned();
        looked
    }

    pub(super) fn look_at_open(&self) -> Result<(), StoreError> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.check())?;
        self.lookout.catalog.iter().try_for_each(Held::check)
    }

    fn look_at_volumes(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        *self.lookout.looked.lock() = None;
        for (number, seal) in self.wanted()? {
            let Err(error) = self.look_at_volume(number, seal.as_ref()) else {
                continue;
            };
            // It may have been emptied and removed since.
            let state = self.reading(|txn| self.catalog.volumes.get(txn, &number))?;
            if state != Some(VolumeState::Emptied) {
                return Err(error);
            }
        }
        let mut looked = self.lookout.looked.lock();
        *looked = Some((Instant::now(), began.elapsed()));
        Ok(())
    }

    fn wanted(&self) -> Result<Vec<Wanted>, StoreError> {
        self.reading(|txn| {
            let current = self.catalog.counters(txn)?.volume;
            let mut wanted = Vec::new();
            for number in 1..=current {
                match self.catalog.volumes.get(txn, &number)? {
                    Some(VolumeState::Emptied) => {}
                    Some(VolumeState::Sealed(seal)) => wanted.push((number, Some(seal))),
                    None if number < current || self.catalog.has_blocks(txn, number)? => wanted.push((number, None)),
                    None => {}
                }
            }
            Ok(wanted)
        })
    }

    fn look_at_volume(&self, number: u32, seal: Option<&Seal>) -> Result<(), StoreError> {
        if self.volumes.check(number)? {
            return Ok(());
        }
        let file = self.volumes.folder(number).join(disk::DATA_FILE);
        let wrong = match (presence::length(&file), seal) {
            (Ok(0), _) => Absence::Empty,
            (Ok(has), Some(Seal { bytes, .. })) if has != *bytes => Absence::CutShort { has, had: *bytes },
            (Ok(_), _) => return Ok(()),
            (Err(how), _) => how,
        };
        Err(self.volumes.missing(number, wrong))
    }

    /// Looks more closely, before LMDB opens any volume. Who opens says what is wrong, so the log does not.
    pub(super) fn look_at_opening(&self) -> Result<(), StoreError> {
        self.look_closely()?;
        self.remember(Ok(()))
    }

    fn look_closely(&self) -> Result<(), StoreError> {
        let current = self.reading(|txn| self.catalog.counters(txn))?.volume;
        let wanted = self.wanted()?;
        for (number, seal) in &wanted {
            self.look_at_volume(*number, seal.as_ref())?;
            let folder = self.volumes.folder(*number);
            match seal {
                Some(seal) => {
                    // Without a manifest, its length must do.
                    if seal::is_sealed(&folder) && seal::manifest(&folder)? != *seal {
                        return Err(self.volumes.missing(*number, Absence::Other));
                    }
                }
                None => {
                    let file = folder.join(disk::DATA_FILE);
                    environment::refuse_unreadable(&file).map_err(|error| match error {
                        StoreError::Damaged { .. } => self.volumes.missing(*number, Absence::NoVolume),
                        error => error,
                    })?;
                    if *number == current {
                        environment::refuse_damaged(&file, GLANCE)?;
                    } else {
                        // Whose it is, and how old, it says itself.
                        let last = self.reading(|txn| self.catalog.last_group(txn, *number))?;
                        self.volumes.get(*number)?.left_behind(u64::MAX, last)?;
                    }
                }
            }
        }
        // A catalog that was last written to before there were such notes may name something in a volume all the same.
        let is_known =
            wanted.last().is_some_and(|(number, _)| *number == current) || self.notes_volumes_since(current)?;
        let is_there = presence::length(&self.volumes.folder(current).join(disk::DATA_FILE)).is_ok_and(|has| has > 0);
        match !is_known && !is_there && self.reading(|txn| self.catalog.names(txn, current))? {
            true => Err(self.volumes.missing(current, Absence::NotThere)),
            false => Ok(()),
        }
    }

    /// Whether what went into a volume was noted from its beginning.
    fn notes_volumes_since(&self, volume: u32) -> Result<bool, StoreError> {
        self.reading(|txn| match volume.checked_sub(1) {
            Some(before) if before > 0 => self.catalog.last_group(txn, before).map(|last| last.is_some()),
            _ => Ok(self.catalog.counters(txn)?.messages == 0),
        })
    }
}

impl StoreError {
    /// What is missing, in words that name no path: for whoever may ask.
    pub fn in_short(&self) -> String {
        match self {
            Self::Missing { what, .. } => {
                format!("{what} is missing, so nothing is archived; see `dropkeep status` or the log")
            }
            _ => "the archive cannot be read; see the log".into(),
        }
    }
}

impl super::volumes::Volumes {
    /// Volume `number` is not as it should be.
    pub(super) fn missing(&self, number: u32, how: Absence) -> StoreError {
        let file = self.folder(number).join(disk::DATA_FILE);
        missing(&format!("volume {number:06}"), &file, how, MOUNT)
    }
}
