//! How much of the mail that is in the archive already is for users who have new addresses.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::{NotJudged, not_judged::shell_word};
use crate::said::{Said, said};

/// Messages in the archive that are for users who do not have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Whose addresses are new, the first of them, and how many more; none where they are anybody's, as with a new
    /// domain alias.
    pub users: Vec<String>,
    pub users_omitted: u64,
    /// Messages that `dropkeep reroute` would file for them.
    pub messages: u64,
    /// Who of them would get how many, most first; and how many more of them would get any.
    #[serde(default)]
    pub gaining: Vec<Gaining>,
    #[serde(default)]
    pub gaining_omitted: u64,
    /// Messages that were read, and messages that could not be judged.
    pub read: u64,
    pub failed: u64,
    /// Messages that were not judged, as it is not known by whose rules.
    #[serde(default)]
    pub not_judged: NotJudged,
    /// All messages were read.
    pub complete: bool,
    /// Messages that a retired user has, by an address that is one of these users' now: those stay with the retired
    /// user.
    pub kept_by: BTreeMap<String, u64>,
    /// What files the messages; `null` where there are none.
    pub command: Option<String>,
}

/// A user, and how many messages there are for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaining {
    pub user: String,
    pub messages: u64,
}

/// What files them.
const COMMAND: &str = "dropkeep reroute";
/// Users who are listed.
const LISTED: usize = 10;

impl Backlog {
    /// Lists who would get how many, and names what files the messages, where there are any.
    pub fn name_gaining(&mut self, gaining: BTreeMap<String, u64>) {
        let gaining = gaining.into_iter().map(|(user, messages)| Gaining { user, messages });
        self.gaining = gaining.collect();
        self.gaining.sort_by_key(|one| Reverse(one.messages));
        self.gaining_omitted = self.gaining.len().saturating_sub(LISTED) as u64;
        self.gaining.truncate(LISTED);
        self.command = (self.messages > 0).then(|| COMMAND.into());
    }

    /// Whether there is anything to do about it.
    pub fn is_empty(&self) -> bool {
        self.complete && self.messages == 0 && self.failed == 0 && self.kept_by.is_empty() && self.not_judged.is_empty()
    }

    /// The users, in words.
    pub fn users(&self) -> Said {
        listed(self.users.clone(), self.users_omitted)
    }

    /// Those of them who would get something, in words.
    fn gaining(&self) -> Said {
        match &self.gaining[..] {
            [] => self.users(),
            [only] => Said::quoted(&only.user),
            all => {
                let all = all.iter().map(|one| format!("{} ({})", one.user, one.messages));
                listed(all.collect(), self.gaining_omitted)
            }
        }
    }

    /// In words, a line each.
    pub fn lines(&self) -> Vec<Said> {
        let users = self.gaining();
        let mut lines = Vec::new();
        let read = match self.complete {
            true => said!(AllInArchive, "the {0} already in the archive", messages(self.read)),
            false => said!(FirstInArchive, "the first {0} in the archive", messages(self.read)),
        };
        lines.push(match self.messages {
            0 => said!(BacklogNone, "of {0}, none is for {1} and not filed yet", read, users),
            1 => said!(
                BacklogOne,
                "of {0}, 1 is for {1} and not filed yet; to file it: {2}",
                read,
                users,
                COMMAND
            ),
            many => said!(
                BacklogSome,
                "of {0}, {1} are for {2} and not filed yet; to file them: {3}",
                read,
                many,
                users,
                COMMAND
            ),
        });
        if !self.complete {
            lines.push(said!(
                CountingStopped,
                "counting was stopped; to count the whole archive: dropkeep reroute --dry-run"
            ));
        }
        if self.failed > 0 {
            lines.push(said!(
                NotJudgeable,
                "{0} could not be judged; dropkeep reroute --dry-run says why",
                messages(self.failed)
            ));
        }
        let not_judged = self.not_judged.lines().into_iter();
        lines.extend(not_judged.map(|(messages, words)| said!(Counted, "{0} {1}", messages, words)));
        lines.extend(self.kept_by.iter().map(|(name, messages)| kept_by(name, *messages)));
        lines
    }
}

fn messages(number: u64) -> Said {
    match number {
        1 => said!(Messages, "{0} message", number),
        _ => said!(Messages, "{0} messages", number),
    }
}

/// Names in words, and how many more there are.
fn listed(mut names: Vec<String>, omitted: u64) -> Said {
    let last = match omitted {
        0 => names.pop().map(Said::quoted),
        1 => Some(said!(Others, "{0} other", omitted)),
        _ => Some(said!(Others, "{0} others", omitted)),
    };
    match last {
        None => said!(AnyUsers, "users"),
        Some(last) if names.is_empty() => last,
        Some(last) => said!(AndLast, "{0} and {1}", names.join(", "), last),
    }
}

/// What is said of mail that a retired user keeps.
pub fn kept_by(name: &str, many: u64) -> Said {
    let (count, word) = (messages(many), shell_word(name));
    match many {
        1 => said!(
            KeptByRetired,
            "{0} of {1}, who is retired or disabled, went to an address that another user has now; it stays with {1} alone. \
             To file the mail for the other user too: dropkeep reroute --from {2}",
            count,
            name,
            word
        ),
        _ => said!(
            KeptByRetired,
            "{0} of {1}, who is retired or disabled, went to an address that another user has now; they stay with {1} alone. \
             To file the mail for the other user too: dropkeep reroute --from {2}",
            count,
            name,
            word
        ),
    }
}

#[test]
fn a_new_user_got_a_part_of_their_mail_in_silence() {
    let mut backlog = Backlog {
        users: vec!["carol".into()],
        messages: 37,
        read: 40,
        complete: true,
        ..Backlog::default()
    };
    let words = backlog.lines().join("\n");
    assert_eq!(
        words,
        "of the 40 messages already in the archive, 37 are for carol and not filed yet; to file them: dropkeep reroute"
    );
    backlog.kept_by.insert("Doe, John's".into(), 3);
    let words = backlog.lines().join("\n");
    assert!(words.contains(r"dropkeep reroute --from 'Doe, John'\''s'"), "{words}");
    backlog.name_gaining((0..12).map(|number| (format!("u{number:02}"), number)).collect());
    let words = backlog.lines().join("\n");
    assert!(words.contains("37 are for u11 (11), u10 (10), u09 (9)"), "{words}");
    assert!(words.contains("u02 (2) and 2 others and not filed yet"), "{words}");
    backlog = Backlog::default();
    assert!(backlog.lines()[1].starts_with("counting was stopped"));
}
