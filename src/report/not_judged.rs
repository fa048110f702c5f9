//! Messages that a reroute leaves alone, as it does not know by whose rules to judge them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::said::{Said, said};

/// Why no rules are known for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRules {
    /// It was imported for one user, by no profile.
    Imported,
    /// The profile that archived it is not in the configuration.
    Profile(String),
    /// The protocol of the run that archived it is not kept any more.
    Protocol,
}

/// How many messages were not judged, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NotJudged {
    /// Imported with --user, and seen in no profile's mailbox.
    pub imported: u64,
    /// Archived by a profile that is not in the configuration, by its name.
    pub without_profile: BTreeMap<String, u64>,
    /// Archived by a run whose protocol is not kept any more.
    pub without_protocol: u64,
    /// What judges them; empty where there is no profile.
    pub command: String,
}

impl NotJudged {
    /// `profiles`: those of the configuration.
    pub fn new(profiles: &[&str]) -> Self {
        let by = |name: &str| format!("dropkeep reroute --profile {name}");
        Self {
            command: match profiles {
                [] => String::new(),
                [only] => by(&shell_word(only)),
                _ => by("NAME"),
            },
            ..Self::default()
        }
    }

    pub fn count(&mut self, why: NoRules) {
        *match why {
            NoRules::Imported => &mut self.imported,
            NoRules::Profile(name) => self.without_profile.entry(name).or_default(),
            NoRules::Protocol => &mut self.without_protocol,
        } += 1;
    }

    pub fn messages(&self) -> u64 {
        self.imported + self.without_protocol + self.without_profile.values().sum::<u64>()
    }

    pub fn is_empty(&self) -> bool {
        self.messages() == 0
    }

    /// How many, and why, with what to do.
    pub fn lines(&self) -> Vec<(u64, Said)> {
        let line = |count: u64, why: Said| {
            let judge = match (&*self.command, count) {
                ("", 1) => said!(NoProfileToJudge, "the configuration has no profile to judge it by"),
                ("", _) => said!(NoProfileToJudge, "the configuration has no profile to judge them by"),
                (command, 1) => said!(JudgeBy, "to judge it by a profile's rules: {0}", command),
                (command, _) => said!(JudgeBy, "to judge them by a profile's rules: {0}", command),
            };
            (count > 0).then(|| (count, said!(LeftAlone, "{0}, and left alone; {1}", why, judge)))
        };
        let imported = line(self.imported, said!(ImportedForOne, "imported with --user"));
        let profiles = self.without_profile.iter().map(|(name, count)| {
            let why = said!(
                ProfileIsGone,
                "archived by profile {0:?}, which is not in the configuration",
                name
            );
            line(*count, why)
        });
        let protocol = said!(ProtocolIsGone, "archived by a run whose protocol is not kept any more");
        let protocol = line(self.without_protocol, protocol);
        profiles.chain([imported, protocol]).flatten().collect()
    }
}

/// A word as a shell takes it.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "@.-_+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[test]
fn what_was_not_judged_was_counted_as_filed_already() {
    let mut not_judged = NotJudged::new(&["my mail"]);
    assert!(not_judged.is_empty() && not_judged.lines().is_empty());
    not_judged.count(NoRules::Imported);
    not_judged.count(NoRules::Profile("old".into()));
    not_judged.count(NoRules::Profile("old".into()));
    let lines = not_judged.lines();
    let old = "archived by profile \"old\", which is not in the configuration, and left alone; to judge them by a profile's \
               rules: dropkeep reroute --profile 'my mail'";
    assert_eq!((lines[0].0, &*lines[0].1), (2, old));
    assert!(
        lines[1]
            .1
            .starts_with("imported with --user, and left alone; to judge it "),
        "{lines:?}"
    );
    assert_eq!(not_judged.messages(), 3);
    let mut without = NotJudged::new(&[]);
    without.count(NoRules::Imported);
    assert!(
        without.lines()[0]
            .1
            .ends_with("the configuration has no profile to judge it by")
    );
    assert!(NotJudged::new(&["one", "two"]).command.ends_with("--profile NAME"));
}
