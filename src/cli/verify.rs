//! `verify`: reads the archive back, and says what is damaged. With a progress bar on a terminal.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    path::Path,
};

use indicatif::ProgressBar;
use serde_json::json;

use super::{
    numbers::number,
    output::{Output, counted, grouped, harmless},
    progress::bar,
};
use crate::{
    account,
    api::{Exit, Failure},
    archive::verify::{self, Damage, Event, Kind, Outcome, Remedies, Sample, Selection, VerifyError},
    config::{ByteSize, Config},
    ids::MessageId,
    report::shell_word,
};

/// Notes, and damages that several messages share, that are kept for the end.
const MOST_NOTES: usize = 1000;
const MOST_SHARED: usize = 1000;
/// Of the messages of such a damage, so many ids and users are named.
const MOST_NAMED: usize = 10;

/// What of the archive is verified.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Check only the messages of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Check only what is in this volume.
    #[arg(long, value_name = "N", value_parser = number::<u32>)]
    volume: Option<u32>,
    /// Check only a random share of the blocks and of the catalog, such as 5%; it takes about that share of the time.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    sample: Option<f64>,
    /// Check the same sample again: the seed that was printed with it.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>, requires = "sample")]
    seed: Option<u64>,
    /// Check the search index instead: whether it has each message once, for exactly its users, and nothing else.
    #[arg(long, conflicts_with_all = ["user", "volume", "sample"])]
    search: bool,
}

impl Arguments {
    pub fn is_of_search(&self) -> bool {
        self.search
    }
}

impl From<Arguments> for Selection {
    fn from(arguments: Arguments) -> Self {
        let seed = arguments.seed.unwrap_or_else(|| RandomState::new().hash_one(()) >> 32);
        Self {
            user: arguments.user,
            volume: arguments.volume,
            sample: arguments.sample.map(|share| Sample { share, seed }),
            portion: None,
        }
    }
}

/// `5%` as 0.05.
fn share(text: &str) -> Result<f64, String> {
    let percent = text
        .strip_suffix('%')
        .map(str::trim)
        .and_then(|number| number.parse::<f64>().ok());
    match percent {
        Some(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err(format!(
            "{text:?} does not fit; write a share above 0% and up to 100%, such as 5%"
        )),
    }
}

pub fn run(config: &Config, selection: &Selection, json: bool) -> Result<u8, Failure> {
    let mut report = Report {
        output: Output::new(),
        json,
        bar: bar("{spinner} {bytes}/{total_bytes} of mail {wide_bar} {msg}, {bytes_per_sec}, {eta} left"),
        notes: Vec::new(),
        remedies: Remedies::default(),
        shared: BTreeMap::new(),
        begun: false,
    };
    if !json {
        // A backup is verified by another data_dir: the reader is to see which archive it was. Standard error may be
        // closed.
        let place = account::absolute(&config.data_dir).display().to_string();
        let _ = writeln!(io::stderr(), "dropkeep: verifying {}", harmless(&place));
    }
    let outcome = verify::verify(config, selection, &mut |event| report.take(event));
    report.bar.finish_and_clear();
    let outcome = outcome.map_err(|error| match error {
        VerifyError::Usage(error) => Failure::usage(error),
        error => Failure::new(Exit::Store, error),
    })?;
    report.finish(&outcome, selection, &config.data_dir);
    Ok(if outcome.ok { Exit::Done } else { Exit::Store } as u8)
}

/// Prints damages as they are found: there may be as many as there are messages. What several messages share, such as
/// the block that they lie in, is printed once, and at the end the messages.
struct Report {
    output: Output,
    json: bool,
    bar: ProgressBar,
    notes: Vec<String>,
    remedies: Remedies,
    /// By the detail of a damage, the messages concerned.
    shared: BTreeMap<String, Messages>,
    /// The first bytes of JSON are out.
    begun: bool,
}

impl Report {
    fn take(&mut self, event: Event) {
        match event {
            Event::Progress { bytes, of, doing } => {
                self.bar.set_length(of.max(bytes));
                self.bar.set_position(bytes);
                self.bar.set_message(doing);
            }
            Event::Note(note) => {
                if self.notes.len() < MOST_NOTES {
                    self.notes.push(note);
                }
            }
            Event::Damage(damage) => {
                self.remedies.add(&damage);
                let bar = self.bar.clone();
                bar.suspend(|| self.damage(&damage));
            }
        }
    }

    fn damage(&mut self, damage: &Damage) {
        if self.json {
            self.output.bytes(if self.begun { b"," } else { b"{\"damages\":[" });
            self.begun = true;
            self.output.json_value(damage);
        } else if self.is_shared(damage) {
            let messages = self.shared.entry(damage.detail.clone()).or_default();
            let is_first = !std::mem::replace(&mut messages.is_said, true);
            messages.add(damage);
            if is_first {
                let is_of_block = is_of_block(damage);
                self.output.line(words(&Damage {
                    kind: if is_of_block { Kind::Block } else { damage.kind },
                    id: None,
                    user: None,
                    volume: damage.volume.filter(|_| !is_of_block),
                    detail: damage.detail.clone(),
                }));
            }
        } else {
            self.output.line(words(damage));
        }
    }

    /// Whether other messages may have the same damage, or this is the block in which they have it.
    fn is_shared(&self, damage: &Damage) -> bool {
        let is_block = damage.kind == Kind::Block && is_of_block(damage);
        let is_known = self.shared.contains_key(&damage.detail);
        let is_message = damage.kind == Kind::Message && damage.id.is_some() && damage.volume.is_some();
        (is_message || is_block) && (is_known || self.shared.len() < MOST_SHARED)
    }

    fn finish(mut self, outcome: &Outcome, selection: &Selection, data_dir: &Path) {
        let what_to_do = self.remedies.words(data_dir);
        let sample = selection.sample.map(|sample| sample.seed);
        let selected = selected(selection);
        if self.json {
            let rest = json!({
                "ok": outcome.ok, "data_dir": account::absolute(data_dir), "messages": outcome.messages, "bytes": outcome.bytes, "notes": self.notes, "seed": sample,
                "what_to_do": what_to_do,
            });
            self.output.bytes(if self.begun { b"]" } else { b"{\"damages\":[]" });
            // The rest of the object that was begun.
            for (name, value) in rest.as_object().into_iter().flatten() {
                self.output.bytes(format!(",\"{name}\":").as_bytes());
                self.output.json_value(value);
            }
            self.output.bytes(b"}\n");
        } else {
            for (detail, messages) in &self.shared {
                if let Some(words) = messages.words(detail) {
                    self.output.line(words);
                }
            }
            for note in &self.notes {
                self.output.line(format!("note: {note}"));
            }
            self.output.line(summary(outcome));
            if let Some(seed) = sample {
                self.output.line(format!(
                    "To check the same sample again: dropkeep verify{selected} --seed {seed}"
                ));
            }
            if !what_to_do.is_empty() {
                self.output.line("What to do:");
            }
            for words in &what_to_do {
                self.output.line(format!("  {words}"));
            }
        }
        self.output.finish();
    }
}

/// Messages that share a damage.
#[derive(Default)]
struct Messages {
    is_said: bool,
    count: u64,
    /// The lowest ids.
    ids: BTreeSet<MessageId>,
    users: BTreeSet<String>,
    /// There are more users than are named.
    more_users: bool,
}

impl Messages {
    fn add(&mut self, damage: &Damage) {
        let Some(id) = damage.id else { return };
        self.count += 1;
        self.ids.insert(id);
        if self.ids.len() > MOST_NAMED {
            self.ids.pop_last();
        }
        for user in damage.user.iter().flat_map(|users| users.split(", ")) {
            match self.users.len() < MOST_NAMED || self.users.contains(user) {
                true => drop(self.users.insert(user.to_owned())),
                false => self.more_users = true,
            }
        }
    }

    /// Which messages they are, in a line; `None` where there is none.
    fn words(&self, detail: &str) -> Option<String> {
        let ids: Vec<_> = self.ids.iter().map(MessageId::to_string).collect();
        let more = if self.count > ids.len() as u64 { ", …" } else { "" };
        let users: Vec<_> = self.users.iter().map(String::as_str).collect();
        let of = match (users.is_empty(), self.more_users) {
            (true, _) => String::new(),
            (false, true) => format!(", of {} and others", users.join(", ")),
            (false, false) => format!(", of {}", users.join(", ")),
        };
        let hint = if more.is_empty() && !self.more_users {
            ""
        } else {
            " (--json names all)"
        };
        (self.count > 0).then(|| {
            format!(
                "{detail}: {}{of}: {}{more}{hint}",
                counted(self.count, "message"),
                ids.join(", ")
            )
        })
    }
}

/// The damage is one of a block, and so of all that is in it.
fn is_of_block(damage: &Damage) -> bool {
    damage.detail.starts_with("block ")
}

/// The options that select the same again, but for the seed.
fn selected(selection: &Selection) -> String {
    let mut options = String::new();
    if let Some(user) = &selection.user {
        options.push_str(&format!(" --user {}", shell_word(user)));
    }
    if let Some(volume) = selection.volume {
        options.push_str(&format!(" --volume {volume}"));
    }
    if let Some(sample) = selection.sample {
        // 7.000000000000001% is what the division leaves.
        let percent = (sample.share * 1e10).round() / 1e8;
        options.push_str(&format!(" --sample {percent}%"));
    }
    options
}

fn summary(outcome: &Outcome) -> String {
    let read = format!(
        "{} ({}) read back",
        counted(outcome.messages, "message"),
        ByteSize(outcome.bytes)
    );
    match outcome.damages {
        0 => format!("{read}, nothing is damaged."),
        1 => format!("{read}: 1 damage found."),
        damages => format!("{read}: {} damages found.", grouped(damages)),
    }
}

/// A damage in a line: which message, whose, where, and what is wrong.
fn words(damage: &Damage) -> String {
    let mut concerned = Vec::new();
    concerned.extend(damage.id.map(|id| format!("message {id}")));
    concerned.extend(damage.user.as_ref().map(|user| format!("of {user}")));
    concerned.extend(damage.volume.map(|volume| format!("in volume {volume:06}")));
    let concerned = concerned.join(" ");
    let between = if concerned.is_empty() { "" } else { ": " };
    format!("{:<9}  {concerned}{between}{}", damage.kind.as_str(), damage.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("100 %"), Ok(1.0));
        for wrong in ["0%", "5", "101%", "-1%", "NaN%", "%", "x%"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_message_of_a_damaged_block_was_a_line_of_its_own() {
        let mut messages = Messages::default();
        assert_eq!(messages.words("block 2 of volume 000001: it is gone"), None);
        for id in (1..=245).rev() {
            let damage = Damage::new(Kind::Message, "block 2 of volume 000001: it is gone").message(MessageId(id));
            messages.add(&damage.user(Some(if id == 3 { "bob, jane" } else { "jane" }.into())));
        }
        assert_eq!(
            messages.words("block 2 of volume 000001: it is gone").unwrap(),
            "block 2 of volume 000001: it is gone: 245 messages, of bob, jane: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, … (--json \
             names all)"
        );
    }

    #[test]
    fn a_damage_says_what_is_concerned() {
        let damage = Damage {
            kind: Kind::Message,
            id: Some(MessageId(17)),
            user: Some("jane, bob".into()),
            volume: Some(3),
            detail: "it is gone".into(),
        };
        assert_eq!(
            words(&damage),
            "message    message 17 of jane, bob in volume 000003: it is gone"
        );
        let damage = Damage {
            id: None,
            user: None,
            volume: None,
            ..damage
        };
        assert_eq!(words(&damage), "message    it is gone");
    }
}
