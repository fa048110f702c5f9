//! What to do about the damage that was found.
//!
//! A sealed volume never changes, so it alone can come from a backup. The catalog and the volume that is still written
//! to belong together: they only come back with the whole backup.

use std::{collections::BTreeSet, path::Path};

use super::damage::{Damage, Kind};
use crate::archive::{
    disk::{DATA_FILE, VOLUMES},
    record::RECORD,
    seal, volumes,
};

/// Volumes that are named at most.
const MOST_NAMED: usize = 20;

/// The damage so far, as far as what to do depends on it.
#[derive(Default)]
pub struct Remedies {
    kinds: BTreeSet<Kind>,
    volumes: BTreeSet<u32>,
    /// Something is damaged that lies in no volume.
    catalog: bool,
}

impl Remedies {
    pub fn add(&mut self, damage: &Damage) {
        self.kinds.insert(damage.kind);
        match (damage.kind, damage.volume) {
            (Kind::Usage | Kind::Ledger | Kind::Audit | Kind::Unchecked, _) => {}
            (Kind::Block | Kind::Message | Kind::Part | Kind::Volume | Kind::Pages | Kind::Crash, Some(volume)) => {
                self.volumes.insert(volume);
            }
            _ => self.catalog = true,
        }
    }

    /// What to do, a sentence or two each, about the archive in `data_dir`.
    pub fn words(&self, data_dir: &Path) -> Vec<String> {
        let mut words = Vec::new();
        if self.kinds.is_empty() {
            return words;
        }
        let is_repair_needed = self.catalog || !self.volumes.is_empty();
        if is_repair_needed && data_dir.join(RECORD).exists() {
            words.push(
                "This is a backup. Keep it, and verify the archive that it was made from. If that is intact, back it up \
                 to another directory."
                    .into(),
            );
        } else if is_repair_needed {
            self.repairs(data_dir, &mut words);
        }
        if self.kinds.contains(&Kind::Usage) {
            words.push("usage: nothing is lost. The figure is calculated from the filings.".into());
        }
        if self.kinds.contains(&Kind::Ledger) {
            words.push(
                "ledger: no mail is lost by this, but the archive is not what was recorded when the mail came. Keep a copy \
                 of it, and verify your newest backup. If that is intact, restore it with `dropkeep restore`: the next \
                 runs fetch what was archived since then, if the server still has it."
                    .into(),
            );
        }
        if self.kinds.contains(&Kind::Audit) {
            words.push(
                "audit: no mail is lost by this, but the audit log is not what was written: find out who could write to \
                 data_dir. Keep a copy of the archive, and compare `dropkeep audit` with that of a backup."
                    .into(),
            );
        }
        if self.kinds.contains(&Kind::Unchecked) {
            words.push("unchecked: repair the other damage, then run `dropkeep verify` again.".into());
        }
        words
    }

    fn repairs(&self, data_dir: &Path, words: &mut Vec<String>) {
        if self.kinds.contains(&Kind::Pages) || self.kinds.contains(&Kind::Crash) {
            words.push("Stop the appliance now, before it writes to the damaged file.".into());
        }
        let folder = |volume: &u32| data_dir.join(VOLUMES).join(volumes::name(*volume));
        let (there, missing): (Vec<u32>, Vec<u32>) =
            (self.volumes.iter()).partition(|volume| folder(volume).join(DATA_FILE).exists());
        let (sealed, open): (Vec<u32>, Vec<u32>) = there.iter().partition(|volume| seal::is_sealed(&folder(volume)));
        if !sealed.is_empty() {
            words.push(format!(
                "{}, sealed: stop the appliance, and copy the directory from a backup that has the same manifest.json in \
                 it.",
                named(&sealed)
            ));
        }
        if !missing.is_empty() {
            words.push(format!(
                "{}: if there is a manifest.json with it in your backup, stop the appliance and copy the directory from \
                 there. If not, restore the whole backup with `dropkeep restore`.",
                named(&missing)
            ));
        }
        let whole = match (open.is_empty(), self.catalog) {
            (true, false) => None,
            (true, true) => {
                Some("The catalog: it belongs together with the volume that is still written to".to_owned())
            }
            (false, false) => Some(format!(
                "{}, not sealed: still written to, so it belongs together with the catalog",
                named(&open)
            )),
            (false, true) => Some(format!(
                "The catalog, and {}, which is still written to: they belong together",
                named(&open)
            )),
        };
        if let Some(whole) = whole {
            words.push(format!(
                "{whole}. Do not copy single files: stop the appliance, move data_dir away, and run `dropkeep restore` \
                 with the whole backup. The next runs fetch what was archived since then, if the server still has it."
            ));
        }
        words.push(
            "Without a backup: `dropkeep export` writes everything that can still be read. Messages that are still on \
             their server can be archived again, into another data directory."
                .into(),
        );
    }
}

/// `volume 000001`, or `volumes 000001, 000002`.
fn named(numbers: &[u32]) -> String {
    let names: Vec<_> = numbers
        .iter()
        .take(MOST_NAMED)
        .map(|number| volumes::name(*number))
        .collect();
    let more = numbers.len() - names.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "volume{} {}{more}",
        if numbers.len() == 1 { "" } else { "s" },
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn words(data_dir: &Path, damages: &[Damage]) -> String {
        let mut remedies = Remedies::default();
        damages.iter().for_each(|damage| remedies.add(damage));
        remedies.words(data_dir).join("\n")
    }

    #[test]
    fn a_volume_that_is_still_written_to_was_to_be_restored_without_its_catalog() {
        let data = tempfile::tempdir().unwrap();
        for number in [1, 2] {
            let volume = data.path().join(VOLUMES).join(volumes::name(number));
            fs::create_dir_all(&volume).unwrap();
            fs::write(volume.join(DATA_FILE), "").unwrap();
        }
        fs::write(data.path().join("volumes/000001/manifest.json"), "{}").unwrap();
        let block = |volume| Damage::new(Kind::Block, "x").volume(volume);
        let sealed = words(data.path(), &[block(1)]);
        assert!(
            sealed.contains("volume 000001, sealed") && !sealed.contains("whole backup"),
            "{sealed}"
        );
        let open = words(data.path(), &[block(2), block(1)]);
        assert!(
            open.contains("volume 000002, not sealed") && open.contains("with the whole backup"),
            "{open}"
        );
        let missing = words(data.path(), &[Damage::new(Kind::Volume, "x").volume(3)]);
        assert!(
            missing.contains("volume 000003: if there is a manifest.json"),
            "{missing}"
        );
        let row = words(data.path(), &[Damage::new(Kind::Filing, "x")]);
        assert!(
            row.contains("The catalog") && row.contains("with the whole backup"),
            "{row}"
        );
        let ledger = words(data.path(), &[Damage::new(Kind::Ledger, "x")]);
        assert!(
            ledger.contains("no mail is lost") && ledger.contains("newest backup"),
            "{ledger}"
        );
        let usage = words(data.path(), &[Damage::new(Kind::Usage, "x")]);
        assert!(!usage.contains("restore"), "{usage}");

        fs::write(data.path().join(RECORD), "{}").unwrap();
        let backup = words(data.path(), &[block(1), block(2)]);
        assert!(
            backup.contains("This is a backup") && !backup.contains("restore"),
            "{backup}"
        );
        assert_eq!(words(data.path(), &[]), "");
    }
}
