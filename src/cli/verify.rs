//! `verify`: reads the archive back, and says what is damaged. With a progress bar on a terminal.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    io::IsTerminal,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{
    numbers::number,
    output::{Output, grouped},
};
use crate::{
    archive::verify::{self, Damage, Event, Kind, Outcome, Sample, Selection, VerifyError},
    config::{ByteSize, Config},
    control::api::Failure,
    profile::Exit,
    report::shell_word,
};

/// Notes that are kept for the end.
const MOST_NOTES: usize = 1000;

/// What of the archive is verified.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Check only the messages of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Check only what is in this volume.
    #[arg(long, value_name = "N", value_parser = number::<u32>)]
    volume: Option<u32>,
    /// Check only a random share of the messages, such as 5%, and the whole catalog.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    sample: Option<f64>,
    /// Check the same sample again: the seed that was printed with it.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>, requires = "sample")]
    seed: Option<u64>,
}

impl From<Arguments> for Selection {
    fn from(arguments: Arguments) -> Self {
        let seed = arguments.seed.unwrap_or_else(|| RandomState::new().hash_one(()) >> 32);
        Self {
            user: arguments.user,
            volume: arguments.volume,
            sample: arguments.sample.map(|share| Sample { share, seed }),
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
        bar: bar(),
        notes: Vec::new(),
        kinds: BTreeSet::new(),
        begun: false,
    };
    let outcome = verify::verify(config, selection, &mut |event| report.take(event));
    report.bar.finish_and_clear();
    let outcome = outcome.map_err(|error| match error {
        VerifyError::Usage(error) => Failure::usage(error),
        error => Failure::new(Exit::Store, error),
    })?;
    report.finish(&outcome, selection);
    Ok(if outcome.ok { Exit::Done } else { Exit::Store } as u8)
}

/// Prints damages as they are found: there may be as many as there are messages.
struct Report {
    output: Output,
    json: bool,
    bar: ProgressBar,
    notes: Vec<String>,
    /// Of the damages so far.
    kinds: BTreeSet<Kind>,
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
                self.kinds.insert(damage.kind);
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
        } else {
            self.output.line(words(damage));
        }
    }

    fn finish(mut self, outcome: &Outcome, selection: &Selection) {
        let sample = selection.sample.map(|sample| sample.seed);
        let selected = selected(selection);
        if self.json {
            let rest = json!({
                "ok": outcome.ok, "messages": outcome.messages, "bytes": outcome.bytes, "notes": self.notes, "seed": sample,
            });
            self.output.bytes(if self.begun { b"]" } else { b"{\"damages\":[]" });
            // The rest of the object that was begun.
            for (name, value) in rest.as_object().into_iter().flatten() {
                self.output.bytes(format!(",\"{name}\":").as_bytes());
                self.output.json_value(value);
            }
            self.output.bytes(b"}\n");
        } else {
            for note in &self.notes {
                self.output.line(format!("note: {note}"));
            }
            self.output.line(summary(outcome));
            if let Some(seed) = sample {
                self.output.line(format!(
                    "To check the same sample again: dropkeep verify{selected} --seed {seed}"
                ));
            }
            if !outcome.ok {
                self.output.line("What to do:");
            }
            for kind in &self.kinds {
                self.output.line(format!("  {}: {}", kind.as_str(), kind.advice()));
            }
        }
        self.output.finish();
    }
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
        "{} messages ({}) read back",
        grouped(outcome.messages),
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

/// Hidden where standard error is no terminal.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let template = "{spinner} {bytes}/{total_bytes} of mail {wide_bar} {msg}, {bytes_per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
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
    fn a_damage_says_what_is_concerned() {
        let damage = Damage {
            kind: Kind::Message,
            id: Some(17),
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
