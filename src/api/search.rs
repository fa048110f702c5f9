//! What is searched for, and what was found.

use clap::ValueEnum;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IndexLine;
use crate::ids::MessageId;

/// Bytes of a query at most.
pub const LONGEST_QUERY: usize = 16 << 10;

/// What is searched for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Searched {
    /// In the language of docs/search.md.
    pub query: String,
    /// Only what this user has.
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub order: SearchOrder,
    /// How many messages are wanted, of which an answer has at most 1,000; with none, only their number is.
    pub limit: usize,
    /// Those behind the place that an answer before said comes next.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether they are counted by user, year and sender.
    #[serde(default)]
    pub facets: bool,
    /// Whether a stretch of text of each is wanted.
    #[serde(default)]
    pub snippets: bool,
}

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum SearchOrder {
    /// What was sent last.
    #[default]
    #[value(name = "date", alias = "newest")]
    Newest,
    /// What fits best.
    Relevance,
}

/// A line of `search`: a message that was found, once, whoever has it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HitLine {
    pub id: MessageId,
    /// What to ask for as `after` to get what comes behind it.
    #[serde(default)]
    pub cursor: String,
    /// When it was sent, as it says itself, and when it was archived.
    pub date: Timestamp,
    pub archived_at: Timestamp,
    pub from: String,
    pub to: String,
    pub subject: String,
    /// Bytes.
    pub size: u64,
    /// Parts that the message calls an attachment, or gives a file name.
    pub attachments: u16,
    /// Who has it, the first 100 by their ids, as far as whoever asks may know, and how many more there are.
    pub users: Vec<String>,
    pub more_users: u64,
    pub sha256: String,
    /// A stretch of its text, in one line, where it was asked for.
    #[serde(default)]
    pub snippet: Option<String>,
    /// What of the stretch are words of the query: from one character to before another.
    #[serde(default)]
    pub marks: Vec<[usize; 2]>,
    /// The same of the subject.
    #[serde(default)]
    pub subject_marks: Vec<[usize; 2]>,
    /// How well it fits, where that orders: the greater the better.
    #[serde(default)]
    pub score: Option<f32>,
    /// Attachments of which not all of the text can be searched.
    #[serde(default)]
    pub unread: Vec<UnreadLine>,
}

/// An attachment that was not read whole, as it was when the message was indexed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnreadLine {
    pub name: Option<String>,
    /// As in `dropkeep_search_attachments_total`: `pdf`, say, and `too_large`.
    pub kind: String,
    pub outcome: String,
    /// In words, where there is more to say.
    pub why: Option<String>,
}

/// The end of an answer: how many messages were found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FoundLine {
    /// On all pages.
    pub total: u64,
    /// What to ask for as `after` to get the next ones; `null` where there are no more.
    pub next: Option<String>,
    /// Counts, where they were asked for.
    #[serde(default)]
    pub facets: Option<FacetsLine>,
    /// What is to be said of the query.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How the index stands: what it does not have yet is not found.
    pub index: IndexLine,
}

/// The most frequent users, years and senders, ten of each at most.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FacetsLine {
    pub users: Vec<Counted>,
    pub years: Vec<Counted>,
    pub senders: Vec<Counted>,
}

/// How many of the messages that were found a user has, say.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    pub name: String,
    pub messages: u64,
}

/// Messages that are taken out as one file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Taken {
    /// Those that this query finds, in the language of docs/search.md; without it, those of `ids`.
    #[serde(default)]
    pub query: Option<String>,
    /// Only what this user has.
    #[serde(default)]
    pub user: Option<String>,
    /// At most 200.
    #[serde(default)]
    pub ids: Vec<MessageId>,
    pub form: TakenForm,
}

/// What the file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenForm {
    /// A ZIP of a file for each message, with its exact bytes; of 50,000 at most.
    #[default]
    Zip,
    /// An mbox (mboxrd).
    Mbox,
}

impl TakenForm {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Mbox => "mbox",
        }
    }
}
