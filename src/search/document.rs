//! A message as the index has it: what stands in its header, its text and that of its attachments, and who has it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use tantivy::{
    Document,
    schema::{
        Field,
        document::{ReferenceValue, ReferenceValueLeaf, Value},
    },
};

use super::{
    SearchError, addresses,
    schema::{Fields, message_id},
    unread::{ANY, MOST, told},
};
use crate::{
    archive::{About, FolderNumber, MessageId, Retrieval, Store, StoreError, UserId},
    config::ENVELOPE_HEADERS,
    extract::{Extractor, Mail, Outcome},
    held::{Held, Holding},
    identify::{
        Charset, Header, JournalReport, mailboxes,
        summary::{all, first, headers, line},
        text,
    },
};

/// Journal reports of one message whose envelopes are read, and addresses of each.
const REPORTS: usize = 100;
const NAMED: usize = 10_000;
/// Bytes of a line that are taken: subjects, names of files, a Message-ID.
const LINE: usize = 64 << 10;
/// Names of folders that are kept at hand.
const FOLDERS: usize = 10_000;

/// A document: values by their fields, in the order of the fields.
#[derive(Debug, Default)]
pub struct Entry {
    values: Vec<(Field, Content)>,
    /// What it counts for until it is in the index.
    pub(super) weight: Option<Holding<Arc<Held>>>,
}

#[derive(Debug)]
pub enum Content {
    Text(String),
    Number(u64),
    Signed(i64),
}

/// A value as the library asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Borrowed<'e>(&'e Content);

impl<'e> Value<'e> for Borrowed<'e> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'e str, Self)>;

    fn as_value(&self) -> ReferenceValue<'e, Self> {
        ReferenceValue::Leaf(match self.0 {
            Content::Text(text) => ReferenceValueLeaf::Str(text),
            Content::Number(number) => ReferenceValueLeaf::U64(*number),
            Content::Signed(number) => ReferenceValueLeaf::I64(*number),
        })
    }
}

type Borrow = for<'e> fn(&'e (Field, Content)) -> (Field, Borrowed<'e>);

impl Document for Entry {
    type Value<'e> = Borrowed<'e>;
    type FieldsValuesIter<'e> = std::iter::Map<std::slice::Iter<'e, (Field, Content)>, Borrow>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.values.iter().map(|(field, content)| (*field, Borrowed(content)))
    }
}

impl Entry {
    fn text(&mut self, field: Field, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.values.push((field, Content::Text(text)));
        }
    }

    pub(super) fn number(&mut self, field: Field, number: u64) {
        self.values.push((field, Content::Number(number)));
    }

    /// Bytes of its texts.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |(_, content): &(Field, Content)| match content {
            Content::Text(text) => text.len(),
            Content::Number(_) | Content::Signed(_) => 8,
        };
        self.values.iter().map(bytes).sum()
    }
}

/// A message that was read for the index.
pub struct Made {
    pub entry: Entry,
    /// Why its bytes could not be read, if they could not: then it has only what the catalog says.
    pub unread: Option<StoreError>,
}

/// Makes documents of the messages of a store.
pub struct Maker<'s> {
    store: &'s Store,
    retrieval: Retrieval<'s>,
    fields: Fields,
    folders: HashMap<FolderNumber, String>,
    /// Why attachments cannot be read at all, if they cannot.
    not_started: Option<String>,
}

impl<'s> Maker<'s> {
    pub fn new(store: &'s Store, fields: Fields) -> Self {
        Self {
            store,
            retrieval: Retrieval::new(store),
            fields,
            folders: HashMap::new(),
            not_started: None,
        }
    }

    /// The document of a message; `None` where nobody has it, as with journal reports.
    ///
    /// # Errors
    /// The store cannot be read, or attachments cannot be read at all.
    pub fn make(&mut self, about: About, extractor: &mut Extractor) -> Result<Option<Made>, SearchError> {
        let About {
            id,
            message,
            here: holders,
            is_journaled,
        } = about;
        if holders.is_empty() {
            return Ok(None);
        }
        let fields = self.fields;
        let mut entry = Entry::default();
        entry.number(fields.id, id.0);
        for (user, _) in &holders {
            entry.number(fields.users, user.0.into());
        }
        entry.values.push((fields.date, Content::Signed(message.date)));
        entry.number(fields.size, message.size);
        let filed: BTreeSet<(UserId, FolderNumber)> =
            holders.iter().map(|(user, filing)| (*user, filing.folder)).collect();
        let unread = match self.retrieval.raw(id, &message) {
            Ok(raw) => {
                self.read(&raw, &mut entry, extractor);
                None
            }
            // It stays so until somebody repairs it; what else there is must not wait for that.
            Err(error @ StoreError::Damaged { .. }) => Some(error),
            Err(error) => return Err(error.into()),
        };
        if let Some(why) = self.not_started.take() {
            return Err(SearchError::Attachments { why });
        }
        self.folders(&filed, &mut entry)?;
        if is_journaled {
            self.journals(id, &mut entry)?;
        }
        entry.values.sort_by_key(|(field, _)| *field);
        Ok(Some(Made { entry, unread }))
    }

    fn read(&mut self, raw: &[u8], entry: &mut Entry, extractor: &mut Extractor) {
        let fields = self.fields;
        let headers = headers(raw);
        let mail = match &headers[..] {
            [header] => Mail::with(raw, header),
            _ => Mail::read(raw),
        };
        let likely = mail.charset();
        let cut = |text: String| text[..text.floor_char_boundary(LINE)].to_owned();
        entry.text(fields.subject, cut(line(first(&headers, "Subject"), likely)));
        let named = |name: &str| -> Vec<String> { named(&headers, name, likely) };
        let from = named("From");
        if let Some(sender) = from.iter().find_map(|from| addresses::first(from)) {
            entry.text(fields.sender, sender);
        }
        from.into_iter().for_each(|from| entry.text(fields.from, from));
        let mut named_already = HashSet::new();
        for (name, field) in [("To", fields.to), ("Cc", fields.cc), ("Bcc", fields.bcc)] {
            for one in named(name) {
                named_already.extend(addresses::first(&one));
                entry.text(field, one);
            }
        }
        for one in ENVELOPE_HEADERS.iter().flat_map(|name| named(name)) {
            // Of an address and nothing else, all is there already where it is named once.
            if addresses::whole(&one).is_none_or(|address| named_already.insert(address)) {
                entry.text(fields.recipient, one);
            }
        }
        for field in all(&headers, "List-Id") {
            entry.text(fields.list, list_id(&cut(text(field.value))));
        }
        named("List-Post")
            .into_iter()
            .for_each(|list| entry.text(fields.list, list));
        if let Some(id) = first(&headers, "Message-ID") {
            let id = text(id.value);
            let id = id.trim().trim_start_matches('<').trim_end_matches('>').trim();
            if !id.is_empty() {
                entry.number(fields.message_id, message_id(id));
            }
        }
        for stretch in mail.stretches() {
            entry.text(fields.body, stretch);
        }
        let mut unread = Vec::new();
        for attachment in mail.attachments() {
            if let Some(name) = attachment.name() {
                entry.text(fields.filename, cut(name.to_owned()));
            }
            let extracted = extractor.attachment(&attachment);
            unread.extend(told(attachment.name(), &extracted));
            if let Outcome::NotStarted(why) = extracted.outcome {
                self.not_started = Some(why);
            }
            entry.text(fields.attachment, extracted.text);
        }
        if mail.has_files() {
            entry.number(fields.has_attachment, 1);
        }
        for one in unread.iter().take(MOST) {
            for word in [ANY, &one.kind, &one.outcome] {
                entry.text(fields.unread, word);
            }
            // It has no map whose keys are not texts.
            entry.text(fields.unread_told, serde_json::to_string(one).unwrap_or_default());
        }
    }

    fn folders(&mut self, filed: &BTreeSet<(UserId, FolderNumber)>, entry: &mut Entry) -> Result<(), SearchError> {
        if self.folders.len() > FOLDERS {
            self.folders.clear();
        }
        let mut seen = BTreeSet::new();
        for (user, number) in filed {
            let name = match self.folders.get(number) {
                Some(name) => name.clone(),
                None => {
                    let name = self.store.folder(*number)?.unwrap_or_default();
                    self.folders.insert(*number, name.clone());
                    name
                }
            };
            entry.text(self.fields.folder_of, format!("{} {name}", user.0));
            if seen.insert(*number) {
                entry.text(self.fields.folder, name);
            }
        }
        Ok(())
    }

    /// Whom the reports name in which it came.
    fn journals(&mut self, id: MessageId, entry: &mut Entry) -> Result<(), SearchError> {
        for (report, _, message) in self.store.journals(id, MessageId::MIN, REPORTS)? {
            let raw = match self.retrieval.raw(report, &message) {
                Ok(raw) => raw,
                Err(StoreError::Damaged { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let header = Header::scan(&raw);
            let Some(report) = JournalReport::read(&raw, &header) else {
                continue;
            };
            let mut left = NAMED;
            let _ = report.each_recipient(&mut |named| {
                entry.text(self.fields.journal, readable(named.address.as_str().to_owned()));
                left -= 1;
                match left {
                    0 => std::ops::ControlFlow::Break(()),
                    _ => std::ops::ControlFlow::Continue(()),
                }
            });
        }
        Ok(())
    }
}

/// Whom the fields of a name name, each by itself.
fn named(headers: &[Header], name: &str, likely: Option<Charset>) -> Vec<String> {
    let fields = all(headers, name);
    fields
        .iter()
        .flat_map(|field| mailboxes(field.value, likely))
        .map(readable)
        .collect()
}

/// With its domains in the letters that people read.
fn readable(mailbox: String) -> String {
    if !mailbox.to_ascii_lowercase().contains("xn--") {
        return mailbox;
    }
    let mut pieces = mailbox.split('@');
    let mut readable = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|char: char| !(char.is_alphanumeric() || "-.".contains(char)));
        let (domain, rest) = piece.split_at(end.unwrap_or(piece.len()));
        readable.push('@');
        readable.push_str(&idna::domain_to_unicode(domain).0);
        readable.push_str(rest);
    }
    readable
}

/// A List-Id with the sign of a domain before what identifies the list (RFC 2919, 3): it is found by that and its parents.
fn list_id(value: &str) -> String {
    let value = value.trim();
    match value.rsplit_once('<') {
        Some((name, id)) => format!("{name} <@{id}"),
        None if value.contains(char::is_whitespace) => value.to_owned(),
        None => format!("@{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_found_by_their_domain() {
        for (value, expected) in [
            ("Dev <dev.lists.example.org>", "Dev  <@dev.lists.example.org>"),
            ("dev.lists.example.org", "@dev.lists.example.org"),
            ("a list without one", "a list without one"),
        ] {
            assert_eq!(list_id(value), expected);
        }
    }

    #[test]
    fn domains_are_as_people_read_them() {
        assert_eq!(
            readable("Ada <ada@xn--bcher-kva.example>".into()),
            "Ada <ada@bücher.example>"
        );
        assert_eq!(readable("xn--a".into()), "xn--a");
    }
}
