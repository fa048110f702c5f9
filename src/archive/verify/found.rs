//! What a verification finds that nobody watches at a terminal: it is logged, and the first of it is kept.

use std::path::Path;

use super::{Damage, Event, Remedies};
use crate::said::{Said, said};

/// Damages that are logged one by one and kept, and notes that are kept.
const MOST_KEPT: usize = 100;

#[derive(Default)]
pub struct Found {
    /// The first of them.
    pub damages: Vec<Damage>,
    pub notes: Vec<String>,
    remedies: Remedies,
}

impl Found {
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Damage(damage) => self.damaged(damage),
            Event::Note(note) if self.notes.len() < MOST_KEPT => self.notes.push(note),
            Event::Note(_) | Event::Progress { .. } => {}
        }
    }

    fn damaged(&mut self, damage: Damage) {
        self.remedies.add(&damage);
        if self.damages.len() >= MOST_KEPT {
            return;
        }
        let Damage {
            id,
            user,
            volume,
            detail,
            ..
        } = &damage;
        let id = id.map(|id| id.0);
        tracing::error!(
            kind = damage.kind.as_str(),
            id,
            user,
            volume,
            "the archive is damaged: {detail}"
        );
        self.damages.push(damage);
    }

    /// What people are told, of so many damages; nothing where nothing is damaged.
    pub fn words(&self, damages: u64) -> Option<Said> {
        let first = self.damages.first()?;
        let detail = Said::from(first.detail.as_str());
        Some(match damages {
            0 | 1 => said!(
                FoundDamage,
                "the archive is damaged: {0}; `dropkeep verify` says what to do",
                detail
            ),
            more => said!(
                FoundDamages,
                "the archive is damaged: {0} (the first of {1} damages); `dropkeep verify` says what to do",
                detail,
                more
            ),
        })
    }

    /// What to do about all of it, about the archive in `data_dir`.
    pub fn what_to_do(&self, data_dir: &Path) -> Vec<String> {
        self.remedies.words(data_dir)
    }
}
