//! How much of the mail that is in the archive already is for users who have new addresses.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::{NotJudged, not_judged::shell_word};

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
    pub fn users(&self) -> String {
        listed(self.users.iter().cloned(), self.users_omitted)
    }

    /// Those of them who would get something, in words.
    fn gaining(&self) -> String {
        match &self.gaining[..] {
            [] => self.users(),
            [only] => only.user.clone(),
            all => {
                let all = all.iter().map(|one| format!("{} ({})", one.user, one.messages));
                listed(all, self.gaining_omitted)
            }
        }
    }

    /// In words, a line each.
    pub fn lines(&self) -> Vec<String> {
        let users = self.gaining();
        let mut lines = Vec::new();
        let count = |number: u64| match number {
            1 => "1 message".to_owned(),
            number => format!("{number} messages"),
        };
        let read = match self.complete {
            true => format!("the {} already in the archive", count(self.read)),
            false => format!("the first {} in the archive", count(self.read)),
        };
        lines.push(match self.messages {
            0 => format!("of {read}, none is for {users} and not filed yet"),
            1 => format!("of {read}, 1 is for {users} and not filed yet; to file it: {COMMAND}"),
            messages => format!("of {read}, {messages} are for {users} and not filed yet; to file them: {COMMAND}"),
        });
        if !self.complete {
            lines.push("counting was stopped; to count the whole archive: dropkeep reroute --dry-run".into());
        }
        if self.failed > 0 {
            let failed = count(self.failed);
            lines.push(format!(
                "{failed} could not be judged; dropkeep reroute --dry-run says why"
            ));
        }
        let not_judged = self.not_judged.lines().into_iter();
        lines.extend(not_judged.map(|(messages, words)| format!("{messages} {words}")));
        lines.extend(self.kept_by.iter().map(|(name, messages)| kept_by(name, *messages)));
        lines
    }
}

/// Names in words, and how many more there are.
fn listed(names: impl Iterator<Item = String>, omitted: u64) -> String {
    let more = match omitted {
        0 => None,
        1 => Some("1 other".to_owned()),
        more => Some(format!("{more} others")),
    };
    let names: Vec<String> = names.chain(more).collect();
    match names.split_last() {
        None => "users".into(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

/// What is said of mail that a retired user keeps.
pub fn kept_by(name: &str, messages: u64) -> String {
    let (count, they) = match messages {
        1 => ("1 message".to_owned(), "it stays"),
        messages => (format!("{messages} messages"), "they stay"),
    };
    format!(
        "{count} of {name}, who is retired or disabled, went to an address that another user has now; {they} with {name} alone. To \
         file the mail for the other user too: dropkeep reroute --from {}",
        shell_word(name)
    )
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
