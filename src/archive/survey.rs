//! How much space the store takes, and how much a compaction could give back. Reads only.

use serde::Serialize;

use super::{
    Store, StoreError,
    compaction_plan::{Plan, SMALL, Worth, plans},
    disk,
    hooks::Hooks,
    rows::VolumeState,
};

/// Blocks looked at under one transaction.
const PAGE: usize = 1000;

/// The store's files.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// Bytes on disk of all of them.
    pub disk_bytes: u64,
    pub catalog: SurveyedFile,
    pub volumes: Vec<SurveyedVolume>,
}

/// A file of the store.
#[derive(Clone, Debug, Serialize)]
pub struct SurveyedFile {
    /// Bytes of the file.
    pub bytes: u64,
    /// Those of its free pages, which are used again before the file grows.
    pub free_bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct SurveyedVolume {
    pub number: u32,
    /// `writing`, `full`, `sealed`, or `emptied`.
    pub state: &'static str,
    #[serde(flatten)]
    pub file: SurveyedFile,
    pub blocks: u64,
    /// Blocks with less than a quarter of what a full one has.
    pub small_blocks: u64,
    /// What a compaction does with it: `nothing`, `merge` (the small blocks), or `empty` (all of it moves, and the
    /// file goes).
    pub plan: &'static str,
}

/// Looks through the whole store.
///
/// # Errors
/// It cannot be read, or it was interrupted.
pub fn survey(store: &Store, hooks: Hooks) -> Result<Survey, StoreError> {
    let plans = plans(store, Worth::default(), hooks)?;
    if let Some(error) = plans.error {
        return Err(error);
    }
    let plan = |number| match plans.volumes.get(&number) {
        None | Some(Plan::Nothing) => "nothing",
        Some(Plan::Merge(_)) => "merge",
        Some(Plan::Empty { .. } | Plan::Remove) => "empty",
    };
    let catalog = store.catalog.path().join(disk::DATA_FILE);
    let bytes = std::fs::metadata(&catalog)
        .map_err(StoreError::io("measuring", catalog))?
        .len();
    let volumes = store.volumes.numbers()?.into_iter();
    Ok(Survey {
        disk_bytes: store.disk_size(),
        catalog: SurveyedFile {
            bytes,
            free_bytes: store.catalog.free()?,
        },
        volumes: volumes
            .filter_map(|number| volume(store, number, plan(number), hooks).transpose())
            .collect::<Result<_, _>>()?,
    })
}

/// `None` where there is only a folder, which a crash can leave.
fn volume(store: &Store, number: u32, plan: &'static str, hooks: Hooks) -> Result<Option<SurveyedVolume>, StoreError> {
    if !store.volumes.folder(number).join(disk::DATA_FILE).exists() {
        return Ok(None);
    }
    let (current, state) = store.reading(|txn| {
        Ok((
            store.catalog.counters(txn)?.volume,
            store.catalog.volumes.get(txn, &number)?,
        ))
    })?;
    let state = match state {
        Some(VolumeState::Sealed(_)) => "sealed",
        Some(VolumeState::Emptied) => "emptied",
        None if number < current => "full",
        None => "writing",
    };
    let volume = store.volumes.get(number)?;
    let (mut blocks, mut small_blocks, mut from) = (0, 0, 0);
    loop {
        hooks.check()?;
        let page = volume.lengths(from, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        from = last + 1;
        blocks += page.len() as u64;
        small_blocks += page.iter().filter(|(_, length)| *length < SMALL).count() as u64;
    }
    Ok(Some(SurveyedVolume {
        number,
        state,
        file: SurveyedFile {
            bytes: store.volumes.file_size(number)?,
            free_bytes: volume.free()?,
        },
        blocks,
        small_blocks,
        plan,
    }))
}
