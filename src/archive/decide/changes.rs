//! Changes of the small tables, and what is done to keep the store in order.

use std::collections::BTreeMap;

use super::{Deciding, row};
use crate::{
    archive::{
        StoreError, UsersNews, layout,
        ledger::Changed,
        order::{Answer, Change, Moved, Row, Tidying},
        rows::{Copy, CopyKey, FolderNumber, Named, Part, RunId, Seal, Source, SourceNumber, UidlDigest, VolumeState},
        runs::KnownRuns,
        view::Read,
    },
    report::{Run, RunState},
};

impl Deciding<'_> {
    pub(super) fn change(&mut self, change: &Change) -> Read<Answer> {
        let number = match change {
            Change::Source(source) => self.source(source)?.0.into(),
            Change::Folder(name) => self.folder(name)?.0.into(),
            Change::BeginRun(run) => {
                StoreError::point("run-beginning")?;
                let number = self.set.counters.run;
                self.set.counters.run = self.set.counters.run.next();
                self.put_run(&Run {
                    run: number,
                    ..(**run).clone()
                })?;
                number.0
            }
            Change::Protocol(run) => {
                StoreError::point("protocol-storing")?;
                self.put_run(run)?;
                StoreError::point("protocol-stored")?;
                run.run.0
            }
            Change::Memo(memo, text) => {
                self.set.memos.insert(*memo, text.clone());
                0
            }
            Change::User(id, user) => {
                let id = id.unwrap_or(self.set.counters.user);
                if let Some(refusal) = self.put_users(&BTreeMap::from([(id, user)]))? {
                    return Ok(Answer::Refused(refusal));
                }
                id.0.into()
            }
            Change::Users(users, news) => {
                let mut next = self.set.counters.user;
                let mut number = |id: &Option<_>| {
                    id.unwrap_or_else(|| {
                        let number = next;
                        next = next.next();
                        number
                    })
                };
                let users: BTreeMap<_, _> = users.iter().map(|(id, user)| (number(id), user)).collect();
                if let Some(refusal) = self.put_users(&users)? {
                    return Ok(Answer::Refused(refusal));
                }
                self.add_news(news)?;
                users.len() as u64
            }
            Change::News(news) => {
                self.add_news(news)?;
                0
            }
            Change::Said(said) => {
                self.change_news(|news| news.remove(said))?;
                0
            }
            Change::Uidls { source, standing } => self.forget_uidls(*source, standing)?,
            Change::Reopen(keys) => self.reopen(keys)?,
            Change::Traits(seen) => self.put_traits(seen)?,
            Change::Sighting { source, folder, seen } => {
                self.set.sightings.insert((*source, *folder), Some(seen.clone()));
                0
            }
            Change::Deed(deed) => return self.deed(deed),
            Change::Mark(name, mark) => {
                self.set.marks.insert(name.clone(), *mark);
                0
            }
        };
        Ok(Answer::Number(number))
    }

    pub(super) fn tidy(&mut self, tidying: &Tidying) -> Read<u64> {
        Ok(match tidying {
            Tidying::Move(moved) => self.move_bytes(moved)?,
            Tidying::Lists(made) => {
                let filled = match self.set.lists_filled {
                    Some(filled) => filled,
                    None => self.view.lists_filled()?,
                };
                match made.after(filled) {
                    Some(filled) => {
                        self.set.listed.extend_from_slice(made.rows());
                        self.set.lists_filled = Some(filled);
                        made.rows().len() as u64
                    }
                    // Somebody else was first.
                    None => 0,
                }
            }
            Tidying::CloseVolume => {
                self.closes_volume = true;
                0
            }
            Tidying::Sealed(volume, seal) => {
                self.sealed(*volume, seal)?;
                0
            }
            Tidying::Emptied(volume) => {
                self.set.volumes.insert(*volume, Some(VolumeState::Emptied));
                self.changes.push(Changed::Emptied(*volume));
                0
            }
            Tidying::DropBlocks(volume, blocks) => {
                self.set.drop_blocks.push((*volume, blocks.clone()));
                blocks.len() as u64
            }
            Tidying::ForgetRuns(runs) => self.forget_runs(runs)?,
            Tidying::ForgetAudit(before) => self.forget_audit(*before)?,
            Tidying::Memo(memo, text) => {
                self.set.memos.insert(*memo, text.clone());
                0
            }
        })
    }

    fn source(&mut self, source: &Source) -> Read<SourceNumber> {
        let new = self.set.sources.iter().find(|(_, row)| row.as_ref() == Some(source));
        let known = match new {
            Some((number, _)) => Some(*number),
            None => self.view.source_number(source)?,
        };
        Ok(known.unwrap_or_else(|| {
            let number = self.set.counters.source;
            self.set.counters.source = self.set.counters.source.next();
            self.set.sources.insert(number, Some(source.clone()));
            number
        }))
    }

    fn folder(&mut self, name: &String) -> Read<FolderNumber> {
        let new = self.set.folders.iter().find(|(_, row)| row.as_ref() == Some(name));
        let known = match new {
            Some((number, _)) => Some(*number),
            None => self.view.folder_number(name)?,
        };
        Ok(known.unwrap_or_else(|| {
            let number = self.set.counters.folder;
            self.set.counters.folder = self.set.counters.folder.next();
            self.set.folders.insert(number, Some(name.clone()));
            number
        }))
    }

    fn known_runs(&self) -> Read<KnownRuns> {
        match &self.set.known_runs {
            Some(known) => Ok(known.clone()),
            None => self.view.known_runs(),
        }
    }

    /// Stores a protocol under its number.
    fn put_run(&mut self, run: &Run) -> Read<()> {
        let json = serde_json::to_string(run).map_err(|error| StoreError::Fault {
            detail: format!("the protocol of run {} cannot be written: {error}", run.run),
        })?;
        self.set.runs.insert(run.run, Some(json));
        let before = self.known_runs()?;
        let mut known = before.clone();
        known.note(run);
        if known != before {
            self.set.known_runs = Some(known);
        }
        // Runs that find nothing are very many, and their protocols go soon.
        if run.state != RunState::Running && !run.is_idle() {
            self.changes.push(Changed::Run(run.run));
        }
        Ok(())
    }

    /// Removes protocols but those that are always kept; gives how many.
    fn forget_runs(&mut self, runs: &[RunId]) -> Read<u64> {
        let mut known = self.known_runs()?;
        let mut removed = 0;
        for run in runs.iter().filter(|run| !known.keeps(**run)) {
            let there = match self.set.runs.get(run) {
                Some(row) => row.is_some(),
                None => self.view.has_run(*run)?,
            };
            if there {
                self.set.runs.insert(*run, None);
                removed += 1;
            }
        }
        if removed > 0 {
            known.removed += removed;
            self.set.known_runs = Some(known);
            self.changes.push(Changed::RunsForgotten(removed));
        }
        Ok(removed)
    }

    fn add_news(&mut self, news: &UsersNews) -> Read<()> {
        // In an empty archive there is no mail for anybody.
        let news = match self.set.counters.messages {
            0 => news.only_retired(),
            _ => news.clone(),
        };
        self.change_news(|before| before.add(&news))
    }

    fn change_news(&mut self, change: impl FnOnce(&mut UsersNews)) -> Read<()> {
        let before = match self.set.news.take() {
            Some(news) => news,
            None => self.view.news()?,
        };
        let mut news = before;
        change(&mut news);
        self.set.news = Some(news);
        Ok(())
    }

    fn copy(&self, key: &CopyKey) -> Read<Option<Copy>> {
        row(&self.set.copies, key, || self.view.copy(key))
    }

    fn reopen(&mut self, keys: &[CopyKey]) -> Read<u64> {
        let mut count = 0;
        for key in keys {
            if self.copy(key)?.is_some() {
                self.set.copies.insert(*key, None);
                count += 1;
            }
        }
        self.copies_forgotten += count;
        Ok(count)
    }

    fn put_traits(&mut self, seen: &[Named]) -> Read<u64> {
        for Named { key, traits } in seen {
            if let Some(mut row) = self.copy(key)? {
                row.traits = Some(*traits);
                self.set.copies.insert(*key, Some(row));
            }
        }
        Ok(seen.len() as u64)
    }

    fn forget_uidls(&mut self, source: SourceNumber, standing: &[UidlDigest]) -> Read<u64> {
        let mut gone = self.view.gone_uidls(source, standing)?;
        for (key, row) in &self.set.copies {
            match (key, row) {
                (_, None) => _ = gone.remove(key),
                (CopyKey::Pop3 { source: of, uidl }, Some(_))
                    if *of == source && standing.binary_search(uidl).is_err() =>
                {
                    gone.insert(*key);
                }
                _ => {}
            }
        }
        let count = gone.len() as u64;
        self.set.copies.extend(gone.into_iter().map(|key| (key, None)));
        self.copies_forgotten += count;
        Ok(count)
    }

    /// A volume that was emptied meanwhile stays so.
    fn sealed(&mut self, number: u32, seal: &Seal) -> Read<()> {
        let before = row(&self.set.volumes, &number, || self.view.volume(number))?;
        if before != Some(VolumeState::Emptied) {
            let state = VolumeState::Sealed(seal.clone());
            self.set.volumes.insert(number, Some(state));
            self.changes.push(Changed::Sealed(number));
        }
        Ok(())
    }

    /// Bytes are laid down anew, where the row still names the place they were read from.
    fn move_bytes(&mut self, moved: &[Moved]) -> Read<u64> {
        let mut count = 0;
        for Moved { row, from, bytes } in moved {
            let sources = || vec![layout::Source::Bytes(bytes.clone())];
            match row {
                Row::Message(id) => {
                    let Some(mut message) = self.message(*id)?.filter(|it| it.inline == *from) else {
                        continue;
                    };
                    message.inline = self.set.layout.add(sources());
                    self.set.messages.insert(*id, Some(message));
                }
                Row::Part(digest) => {
                    if self.part(digest)?.is_none_or(|part| part.place != *from) {
                        continue;
                    }
                    let place = self.set.layout.add(sources());
                    self.set.parts.insert(*digest, Some(Part { place }));
                }
            }
            count += 1;
        }
        self.moved += count;
        Ok(count)
    }
}
