//! A message as people read it.

use std::collections::HashMap;

use crate::ids::{MessageId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a page that was made safe names an image of its message: a part, by its number, follows, and `"`. Nothing else in such
/// a page reads so.
pub const OF_PART: &str = " data-part=\"";
/// The same of an image from outside, by its address.
pub const OUTSIDE: &str = " data-src=\"";

/// `show`: a readable view of a message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Shown {
    pub id: MessageId,
    /// When it was sent, as it says itself, and when it was archived.
    pub date: Timestamp,
    pub archived_at: Timestamp,
    pub size: u64,
    pub sha256: String,
    pub from: String,
    pub to: String,
    pub cc: String,
    pub subject: String,
    pub headers: Vec<ShownHeader>,
    pub parts: Vec<ShownPart>,
    pub users: Vec<ShownUser>,
    /// The journal reports in which it came, the first 100.
    pub journals: Vec<ShownJournal>,
    /// What could not be understood, and what is not shown.
    pub notes: Vec<String>,
    /// The beginning of the text.
    pub text: String,
    /// There is more of it.
    #[serde(default)]
    pub text_is_cut: bool,
    /// Its page, where it has one and it was asked for: made safe, and of a very long one the beginning. Nothing in it
    /// loads anything: an image has the number of its part as `data-part`, or its address as `data-src`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The images of the message that this page names, by their parts, as `data:` addresses, where they were asked for. They
    /// stay in this process.
    #[serde(skip)]
    pub images: HashMap<usize, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ShownHeader {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ShownPart {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: Option<String>,
    /// Bytes, decoded.
    pub size: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ShownUser {
    pub user: String,
    pub folder: String,
    pub why: String,
    pub archived_at: Timestamp,
    pub run: RunId,
}

/// A journal report: `raw` gives its bytes by its id.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ShownJournal {
    pub id: MessageId,
    pub archived_at: Timestamp,
    pub run: RunId,
    pub size: u64,
    pub sha256: String,
    /// The envelope, a line an address, where it was asked for; of a very long one the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
}
