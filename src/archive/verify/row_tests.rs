//! Every kind of wrong row is found, by its kind, and named.

use std::collections::BTreeSet;

use heed::RwTxn;

use super::{
    Damage, Kind,
    tests::{Archive, BOB, JANE, identity, kinds},
};
use crate::archive::{
    catalog::Catalog,
    codec::Key,
    copies::UidKey,
    packings::digest,
    rows::{
        self, Counters, FolderNumber, IdentityNumber, MessageId, Part, Place, RunId, Seconds, SourceNumber, UserId,
    },
};

/// A wrong row: what is done, which kinds of damage that gives, the message and the user that must be named.
pub type Wrong = (
    fn(&Catalog, &mut RwTxn),
    &'static [Kind],
    Option<MessageId>,
    Option<&'static str>,
);

/// The row of a message, changed.
pub fn with_message(catalog: &Catalog, txn: &mut RwTxn, id: MessageId, change: impl FnOnce(&mut rows::Message)) {
    let mut message = catalog.messages.get(txn, &id).unwrap().unwrap();
    change(&mut message);
    catalog.messages.put(txn, &id, &message).unwrap();
}

pub fn with_counters(catalog: &Catalog, txn: &mut RwTxn, change: impl FnOnce(&mut Counters)) {
    let mut counters = catalog.counters(txn).unwrap();
    change(&mut counters);
    catalog.put_counters(txn, &counters).unwrap();
}

const NOWHERE: Place = Place {
    volume: 1,
    block: 1,
    offset: 1 << 40,
    length: 3,
};

fn wrong_rows() -> Vec<Wrong> {
    use Kind::{Bytes, Copy, Counter, Filing, Folder, Held, Identity, Ledger, Message, Source, Usage, User};
    vec![
        (
            |c, t| assert!(c.filings.delete(t, &(BOB, 1005, MessageId(5))).unwrap()),
            &[Held, Filing, Usage, Ledger],
            Some(MessageId(5)),
            Some("bob"),
        ),
        (
            |c, t| {
                let (_, rows) = c.lists.first(t).unwrap().unwrap();
                c.lists.put(t, &99, &rows).unwrap();
            },
            &[Kind::List],
            None,
            None,
        ),
        // A flipped bit of its key was not found.
        (
            |c, t| {
                let of = (SourceNumber(77), FolderNumber(1));
                c.sightings.put(t, &of, &rows::Sighting::default()).unwrap();
            },
            &[Kind::Sighting],
            None,
            None,
        ),
        // Nor one of a single value.
        (
            |c, t| c.meta.put(t, "verified", b"{} without its checksum").unwrap(),
            &[Kind::Catalog],
            None,
            None,
        ),
        // Nor one of its name, and then it was as if it had never been noted.
        (
            |c, t| {
                let value = c.meta.get(t, "archive").unwrap().unwrap().to_vec();
                c.meta.delete(t, "archive").unwrap();
                c.meta.put(t, "arcxive", &value).unwrap();
            },
            &[Kind::Catalog],
            None,
            None,
        ),
        (|c, t| c.put_last_group(t, 9, 1).unwrap(), &[Kind::Catalog], None, None),
        (
            |c, t| assert!(c.held.delete(t, &(IdentityNumber(2), BOB)).unwrap()),
            &[Filing],
            Some(MessageId(2)),
            Some("bob"),
        ),
        (
            |c, t| c.held.put(t, &(IdentityNumber(2), BOB), &MessageId(3)).unwrap(),
            &[Held, Filing],
            Some(MessageId(2)),
            Some("bob"),
        ),
        (
            |c, t| {
                c.journals
                    .put(
                        t,
                        &(MessageId(4), MessageId(77)),
                        &rows::Journal {
                            run: RunId(1),
                            archived_at: 0,
                        },
                    )
                    .unwrap()
            },
            &[Kind::Journal],
            Some(MessageId(77)),
            None,
        ),
        (
            |c, t| {
                c.journals
                    .put(
                        t,
                        &(MessageId(4), MessageId(3)),
                        &rows::Journal {
                            run: RunId(9),
                            archived_at: 0,
                        },
                    )
                    .unwrap()
            },
            &[Kind::Journal],
            Some(MessageId(4)),
            None,
        ),
        (
            |c, t| assert!(c.identities.delete(t, &digest(&identity(4))).unwrap()),
            &[Identity],
            Some(MessageId(4)),
            Some("jane"),
        ),
        (
            |c, t| c.identities.put(t, &[9; 16], &IdentityNumber(4)).unwrap(),
            &[Identity],
            None,
            None,
        ),
        (
            |c, t| c.identities.put(t, &digest(&identity(4)), &IdentityNumber(3)).unwrap(),
            &[Identity],
            Some(MessageId(4)),
            Some("jane"),
        ),
        (
            |c, t| {
                with_counters(c, t, |counters| counters.identity = counters.identity.next());
                c.identities.put(t, &[9; 16], &IdentityNumber(6)).unwrap();
            },
            &[Identity],
            None,
            None,
        ),
        (
            |c, t| {
                let key = c.bytes.range(t, &(..)).unwrap().next().unwrap().unwrap().0;
                c.bytes.delete(t, &key).unwrap();
            },
            &[Bytes],
            Some(MessageId(1)),
            None,
        ),
        (
            |c, t| c.bytes.put(t, &(IdentityNumber(1), [0; 8]), &MessageId(1)).unwrap(),
            &[Bytes],
            Some(MessageId(1)),
            None,
        ),
        (
            |c, t| assert!(c.messages.delete(t, &MessageId(2)).unwrap()),
            &[Message, Bytes, Held, Filing, Copy, Counter, Identity],
            Some(MessageId(2)),
            Some("bob"),
        ),
        (
            |c, t| with_message(c, t, MessageId(1), |message| message.sha256[9] ^= 1),
            &[Message, Ledger],
            Some(MessageId(1)),
            Some("jane"),
        ),
        (
            |c, t| with_message(c, t, MessageId(1), |message| message.inline = NOWHERE),
            &[Message],
            Some(MessageId(1)),
            Some("jane"),
        ),
        (
            |c, t| with_message(c, t, MessageId(1), |message| message.inline.block = 99),
            &[Message],
            Some(MessageId(1)),
            Some("jane"),
        ),
        (
            |c, t| with_message(c, t, MessageId(1), |message| message.inline.volume = 9),
            &[Message],
            Some(MessageId(1)),
            Some("jane"),
        ),
        (
            |c, t| with_message(c, t, MessageId(1), |message| message.size += 1),
            &[Message, Counter, Usage],
            Some(MessageId(1)),
            Some("jane"),
        ),
        (
            |c, t| with_message(c, t, MessageId(1), |message| message.date += 1),
            &[Filing],
            Some(MessageId(1)),
            Some("jane"),
        ),
        (
            |c, t| {
                let (digest, _) = c.parts.iter(t).unwrap().next().unwrap().unwrap();
                c.parts.delete(t, &digest).unwrap();
            },
            &[Message, Kind::Part],
            Some(MessageId(3)),
            Some("jane"),
        ),
        (
            |c, t| {
                let (digest, part) = c.parts.iter(t).unwrap().next().unwrap().unwrap();
                let place = Place {
                    offset: part.place.offset - 1,
                    ..part.place
                };
                c.parts.put(t, &digest, &Part { place }).unwrap();
            },
            &[Message],
            Some(MessageId(3)),
            Some("jane"),
        ),
        (
            |c, t| {
                c.messages
                    .delete(t, &MessageId(5))
                    .map(|_| with_counters(c, t, |it| (it.message, it.messages) = (MessageId(5), 4)))
                    .unwrap()
            },
            &[Bytes, Held, Filing, Copy, Counter, Identity, Ledger],
            Some(MessageId(5)),
            Some("bob"),
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.message = MessageId(4)),
            &[Counter, Identity, Ledger],
            Some(MessageId(5)),
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.messages = 6),
            &[Counter],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.raw_bytes -= 1),
            &[Counter],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.identity = IdentityNumber(5)),
            &[Counter],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.user = UserId(2)),
            &[Counter],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.folder = FolderNumber(1)),
            &[Counter],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.block = 1),
            &[Kind::Catalog, Message, Kind::Part],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.run = RunId(1)),
            &[Counter, Filing],
            None,
            None,
        ),
        (
            |c, t| with_counters(c, t, |counters| counters.run = RunId(9)),
            &[Kind::Run],
            None,
            None,
        ),
        (
            |c, t| c.users.delete(t, &BOB).map(drop).unwrap(),
            &[Held, Filing, Usage],
            None,
            None,
        ),
        (
            |c, t| {
                let mut bob = c.users.get(t, &BOB).unwrap().unwrap();
                bob.name = "jane".into();
                c.users.put(t, &BOB, &bob).unwrap();
            },
            &[User],
            None,
            Some("jane"),
        ),
        (
            |c, t| {
                let usage = rows::Usage { messages: 2, bytes: 1 };
                c.usage.put(t, &BOB, &usage).unwrap();
            },
            &[Usage],
            None,
            Some("bob"),
        ),
        (
            |c, t| assert!(c.usage.delete(t, &BOB).unwrap()),
            &[Usage],
            None,
            Some("bob"),
        ),
        (
            |c, t| {
                c.usage
                    .put(t, &UserId(0), &rows::Usage { messages: 1, bytes: 1 })
                    .unwrap()
            },
            &[Usage],
            None,
            Some("@catchall"),
        ),
        (
            |c, t| assert!(c.sources.delete(t, &SourceNumber(1)).unwrap()),
            &[Source, Copy],
            None,
            None,
        ),
        (
            |c, t| assert!(c.folders.delete(t, &FolderNumber(1)).unwrap()),
            &[Folder, Filing, Copy],
            None,
            None,
        ),
        (
            |c, t| c.runs.put(t, &RunId(1), &"{}".into()).unwrap(),
            &[Kind::Run],
            None,
            None,
        ),
        (
            |c, t| {
                let json = c.runs.get(t, &RunId(1)).unwrap().unwrap();
                c.runs.put(t, &RunId(2), &json).unwrap();
            },
            &[Kind::Run, Counter],
            None,
            None,
        ),
        (
            |c, t| {
                let table = c.copies.uids.fresh.remap_key_type::<Key<UidKey>>();
                let (key, row) = table.first(t).unwrap().unwrap();
                let row = row.to_vec();
                table.delete(t, &key).unwrap();
                let (of, (uidvalidity, _)) = key;
                table.put(t, &(of, (uidvalidity, 99)), &row).unwrap();
            },
            &[Copy],
            None,
            None,
        ),
        (
            |c, t| {
                let (key, mut copy) = c.copies.uids.range(t, &(..)).unwrap().next().unwrap().unwrap();
                copy.message = MessageId(77);
                c.copies.uids.put(t, &key, &copy).unwrap();
            },
            &[Copy],
            Some(MessageId(77)),
            None,
        ),
        (
            |c, t| {
                let (_, copy) = c.copies.uids.range(t, &(..)).unwrap().next().unwrap().unwrap();
                c.copies.uidls.put(t, &(SourceNumber(77), 1), &copy).unwrap();
            },
            &[Copy],
            Some(MessageId(1)),
            None,
        ),
        (
            |c, t| {
                let state = rows::VolumeState::Emptied;
                c.volumes.put(t, &7, &state).unwrap();
            },
            &[Counter],
            None,
            None,
        ),
        (
            |c, t| {
                let table = c.filings.fresh.remap_key_type::<Key<(UserId, Seconds, MessageId)>>();
                let row = table.get(t, &(JANE, 1001, MessageId(1))).unwrap().unwrap().to_vec();
                let flipped: Vec<u8> = row
                    .iter()
                    .enumerate()
                    .map(|(at, byte)| byte ^ u8::from(at == 1))
                    .collect();
                table.put(t, &(JANE, 1001, MessageId(1)), &flipped).unwrap();
            },
            &[Filing],
            Some(MessageId(1)),
            Some("jane"),
        ),
    ]
}

#[actix::test]
async fn a_wrong_row_is_found_and_named() {
    assert_found(wrong_rows()).await;
}

/// Each of these wrong rows alone is found, by its kinds and no others, and named.
pub async fn assert_found(wrong: Vec<Wrong>) {
    let mut missed = Vec::new();
    for (number, (change, expected, id, user)) in wrong.into_iter().enumerate() {
        let archive = Archive::new().await;
        archive.change(change);
        let damages = archive.damages();
        let found = kinds(&damages);
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        let named =
            |damage: &Damage| (id.is_none() || damage.id == id) && (user.is_none() || damage.user.as_deref() == user);
        if found != expected || !damages.iter().any(named) {
            let found: Vec<_> = damages.iter().map(|damage| format!("\n  {damage:?}")).collect();
            missed.push(format!(
                "change {number}: {expected:?}, {id:?}, {user:?} expected, and found {}",
                found.concat()
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
