//! Which folders there are.

use super::{
    ImapSession,
    answer::{Answer, Listed},
    names,
};
use crate::{config::Folders, source::SourceError};

const LIST: &str = "LIST";

/// What a listing of folders may be answered with, in bytes: some hundred thousand names.
const LISTING: u64 = 16 << 20;

impl ImapSession {
    /// The folders that the patterns name, INBOX first. A name without wildcards is among them
    /// even where the server does not list it, so that opening it says what is wrong.
    pub(in crate::source) async fn folders(&mut self, patterns: &Folders) -> Result<Vec<String>, SourceError> {
        let mut found: Vec<String> = Vec::new();
        for pattern in &patterns.include {
            let listed = self.list(pattern).await?;
            if listed.is_empty() && !names::has_wildcard(pattern) && !found.contains(pattern) {
                found.push(pattern.clone());
            }
            for folder in listed.into_iter().filter(|folder| folder.selectable) {
                let excluded = |name: &str| {
                    let mut patterns = patterns.exclude.iter();
                    patterns.any(|pattern| names::matches(pattern, name, folder.delimiter))
                };
                let name = self.readable(&folder.raw);
                if !excluded(&name) && !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        found.sort_by_key(|name| (name != "INBOX", name.clone()));
        Ok(found)
    }

    async fn list(&mut self, pattern: &str) -> Result<Vec<Listed>, SourceError> {
        let Some(quoted) = names::quoted(&names::encode(pattern)) else {
            return Ok(Vec::new());
        };
        let mut listed = Vec::new();
        let mut on = |answer| {
            if let Answer::List(folder) = answer {
                listed.push(folder);
            }
            Ok(())
        };
        let line = format!("LIST \"\" {quoted}");
        self.dialogue.command(LIST, &line, LISTING, &mut on).await?;
        Ok(listed)
    }

    /// The name that people read, unless another folder has it already: two names that travel
    /// differently are two folders.
    fn readable(&mut self, raw: &str) -> String {
        let name = names::decode(raw).unwrap_or_else(|| raw.to_owned());
        let taken = |known: &String| known != raw;
        let name = if self.raw_names.get(&name).is_some_and(taken) {
            raw.to_owned()
        } else {
            name
        };
        self.raw_names.insert(name.clone(), raw.to_owned());
        name
    }
}
