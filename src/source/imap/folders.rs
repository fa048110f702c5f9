//! Which folders there are.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    ImapSession,
    answer::{Answer, Listed},
    missing::{self, is_special_use},
    names,
    screen::Kind,
};
use crate::{config::Folders, source::SourceError};

const LIST: &str = "LIST";
const LSUB: &str = "LSUB";
const INBOX: &str = "INBOX";

/// Lines that name folders and cannot be read, each once.
type Odd = BTreeSet<String>;

/// Lines that an error quotes.
const MOST_QUOTED: usize = 5;

/// What a listing of folders may be answered with, in bytes: a hundred thousand names.
const LISTING: u64 = 8 << 20;

impl ImapSession {
    /// The folders that the patterns name, INBOX first. A name without wildcards is among them
    /// even where the server does not list it, and so is a pattern that nothing matches: opening it says what is wrong.
    pub(in crate::source) async fn folders(&mut self, patterns: &Folders) -> Result<Vec<String>, SourceError> {
        let mut odd = Odd::new();
        let mut all = patterns.include.iter().chain(&patterns.exclude);
        let special = match all.any(|pattern| is_special_use(pattern)) {
            true => self.special(&mut odd).await?,
            false => Vec::new(),
        };
        let subscribed = match patterns.subscribed {
            true => Some(self.subscribed(&mut odd).await?),
            false => None,
        };
        let mut found: HashSet<String> = HashSet::new();
        let mut seen = BTreeSet::new();
        let mut wanted = HashSet::new();
        for pattern in &patterns.include {
            let listed = match is_special_use(pattern) {
                true => special.iter().filter(|folder| folder.is(pattern)).cloned().collect(),
                false => self.list(pattern, &mut odd).await?,
            };
            if !listed.iter().any(|folder| folder.selectable) {
                // INBOX exists always (RFC 3501, 5.1), whatever a listing says.
                let inbox = listed.is_empty()
                    && names::has_wildcard(pattern)
                    && names::matches(pattern, INBOX, None)
                    && !patterns.exclude.iter().any(|no| names::matches(no, INBOX, None));
                found.extend(inbox.then(|| INBOX.to_owned()));
                found.insert(pattern.clone());
            }
            for folder in listed.into_iter().filter(|folder| folder.selectable) {
                let name = readable(&folder.raw);
                let excluded = patterns.exclude.iter().any(|pattern| match is_special_use(pattern) {
                    true => special.iter().any(|other| other.raw == folder.raw && other.is(pattern)),
                    false => names::matches(pattern, &name, folder.delimiter),
                });
                // INBOX is always there, and hardly anybody subscribes to it.
                let unwanted = subscribed.as_ref().is_some_and(|raw| !raw.contains(&folder.raw)) && name != "INBOX";
                if !excluded && !unwanted {
                    wanted.insert(folder.raw.clone());
                }
                seen.insert(folder.raw);
            }
        }
        for (raw, name) in told_apart(&seen) {
            let Some(name) = name else {
                if wanted.contains(&raw) {
                    odd.insert(format!("{raw}, read like {}: rename one", names::encode(&raw)));
                }
                continue;
            };
            if wanted.contains(&raw) {
                found.insert(name.clone());
            }
            self.raw_names.insert(name, raw);
        }
        let mut found: Vec<String> = found.into_iter().collect();
        found.sort_by_key(|name| (name != "INBOX", name.clone()));
        self.unclear = odd_lines(&odd);
        Ok(found)
    }

    /// The folders that a pattern names.
    async fn list(&mut self, pattern: &str, odd: &mut Odd) -> Result<Vec<Listed>, SourceError> {
        // A name that is not ASCII travels as one piece, of which no part can be named; and some servers send it as
        // it is. So all folders are asked for, and what people read is compared.
        if !pattern.is_ascii() && names::has_wildcard(pattern) {
            let mut listed = self.listed(LIST, "LIST \"\" \"*\"", odd).await?;
            listed.retain(|folder| names::matches(pattern, &readable(&folder.raw), folder.delimiter));
            return Ok(listed);
        }
        match names::quoted(&names::encode(pattern)) {
            Some(quoted) => {
                let mut listed = self.listed(LIST, &format!("LIST \"\" {quoted}"), odd).await?;
                // Some servers list all they have, whatever was asked for.
                listed.retain(|folder| {
                    let fits =
                        |name: &str| names::matches(&pattern.to_lowercase(), &name.to_lowercase(), folder.delimiter);
                    fits(&readable(&folder.raw)) || fits(&folder.raw)
                });
                Ok(listed)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Why a name or pattern of `include` cannot be opened; `None` where there is such a folder.
    pub(super) async fn why_no_folder(&mut self, wanted: &str) -> Result<Option<SourceError>, SourceError> {
        let there = self.listed(LIST, "LIST \"\" \"*\"", &mut Odd::new()).await?;
        let words = missing::why_missing(wanted, &there);
        Ok(words.map(|words| SourceError::NoFolder {
            folder: wanted.to_owned(),
            words,
        }))
    }

    /// All folders of a special use (RFC 6154), and others where the server does not tell them apart by itself.
    async fn special(&mut self, odd: &mut Odd) -> Result<Vec<Listed>, SourceError> {
        let line = match self.offers("SPECIAL-USE") && self.offers("LIST-EXTENDED") {
            true => "LIST (SPECIAL-USE) \"\" \"*\" RETURN (SPECIAL-USE)",
            // Servers may say it unasked.
            false => "LIST \"\" \"*\"",
        };
        self.listed(LIST, line, odd).await
    }

    /// The names, as they travel, of the folders that the account is subscribed to.
    async fn subscribed(&mut self, odd: &mut Odd) -> Result<HashSet<String>, SourceError> {
        let listed = match self.offers("LIST-EXTENDED") {
            true => self.listed(LIST, "LIST (SUBSCRIBED) \"\" \"*\"", odd).await?,
            false => self.listed(LSUB, "LSUB \"\" \"*\"", odd).await?,
        };
        Ok(listed.into_iter().map(|folder| folder.raw).collect())
    }

    async fn listed(&mut self, command: &str, line: &str, odd: &mut Odd) -> Result<Vec<Listed>, SourceError> {
        let mut listed = Vec::new();
        let mut on = |answer| {
            if let Answer::List(folder) = answer {
                listed.push(folder);
            }
            Ok(())
        };
        self.dialogue.command(command, line, LISTING, &mut on).await?;
        odd.extend(self.dialogue.odd(Kind::List).map(str::to_owned));
        Ok(listed)
    }
}

/// The name that people read.
fn readable(raw: &str) -> String {
    names::decode(raw).unwrap_or_else(|| raw.to_owned())
}

/// The names of folders that travel as `raw`, whatever their order: what people read, or, where another folder is read
/// the same, as it travels. None is left where that is a name that people read: a session that did not list them opens
/// the other one by it.
fn told_apart(raw: &BTreeSet<String>) -> Vec<(String, Option<String>)> {
    let mut alike: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for raw in raw {
        alike.entry(readable(raw)).or_default().push(raw);
    }
    let mut named = Vec::new();
    for (name, raws) in &alike {
        let holder = raws.iter().position(|raw| names::is_canonical(raw)).unwrap_or_default();
        for (i, &raw) in raws.iter().enumerate() {
            let own = match i == holder {
                true => Some(name),
                false => (!alike.contains_key(raw)).then_some(raw),
            };
            named.push((raw.clone(), own.cloned()));
        }
    }
    named
}

/// The notices about lines that cannot be read. A name in one must not cost the other folders, nor be forgotten.
fn odd_lines(odd: &Odd) -> Option<SourceError> {
    let which = match odd.len() {
        0 => return None,
        1 => "one line of it is unclear, so that folder is left out".to_owned(),
        many => format!("{many} lines of it or more are unclear, so those folders are left out"),
    };
    let lines: Vec<&str> = odd.iter().map(String::as_str).take(MOST_QUOTED).collect();
    Some(SourceError::Unclear {
        command: LIST.to_owned(),
        detail: format!("{which}: {}", lines.join(", ")),
    })
}

impl Listed {
    fn is(&self, special_use: &str) -> bool {
        self.attributes
            .iter()
            .any(|attribute| attribute.eq_ignore_ascii_case(special_use))
    }
}
