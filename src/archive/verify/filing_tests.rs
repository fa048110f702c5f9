//! Filings that are not as their messages are, and sums of them: found by adding up, and where only some are read.

use heed::RwTxn;

use super::{
    Damage, Kind, Sample, Selection,
    plan::Table,
    row_tests::with_message,
    stretches::{Portion, Reached},
    tests::{Archive, BOB, JANE},
};
use crate::archive::{
    catalog::Catalog,
    rows::{IdentityNumber, MessageId, Usage},
};

/// What is done, and the damage that is to be found.
type Wrong = (fn(&Catalog, &mut RwTxn), Kind, Option<u64>, &'static str, &'static str);

fn wrong() -> Vec<Wrong> {
    vec![
        (
            |c, t| {
                let filing = c.filings.get(t, &(BOB, 1002, MessageId(2))).unwrap().unwrap();
                assert!(c.filings.delete(t, &(BOB, 1002, MessageId(2))).unwrap());
                c.filings.put(t, &(BOB, 1003, MessageId(2)), &filing).unwrap();
            },
            Kind::Filing,
            Some(2),
            "bob",
            "the filing of message 2 for user 2 has the date 1003, but the message has 1002",
        ),
        (
            |c, t| assert!(c.messages.delete(t, &MessageId(4)).unwrap()),
            Kind::Filing,
            Some(4),
            "jane",
            "the filing of message 4 for user 1 refers to a message that is missing",
        ),
        // A filing and a row of `held`, of a message that was never there.
        (
            |c, t| {
                let filing = c.filings.get(t, &(BOB, 1002, MessageId(2))).unwrap().unwrap();
                c.filings.put(t, &(BOB, 1002, MessageId(77)), &filing).unwrap();
                c.held.put(t, &(IdentityNumber(4), BOB), &MessageId(77)).unwrap();
            },
            Kind::Filing,
            Some(77),
            "bob",
            "the filing of message 77 for user 2 refers to a message that is missing",
        ),
        (
            |c, t| {
                let usage = Usage { messages: 4, bytes: 77 };
                c.usage.put(t, &JANE, &usage).unwrap();
            },
            Kind::Usage,
            None,
            "jane",
            "user 1 is said to have 4 messages of 77 bytes, and has 4 of ",
        ),
        // The row of a filing cannot be read, and a sum is wrong.
        (
            |c, t| {
                let key = c.filings.fresh.last(t).unwrap().unwrap().0.to_vec();
                c.filings.fresh.put(t, &key, b"no filing").unwrap();
                c.usage.put(t, &JANE, &Usage::default()).unwrap();
            },
            Kind::Usage,
            None,
            "jane",
            "user 1 is said to have 0 messages of 0 bytes, and has 4 of ",
        ),
    ]
}

/// All of an archive, and parts that have all of it.
pub fn selections() -> [Selection; 3] {
    let sample = Selection {
        sample: Some(Sample { share: 1.0, seed: 1 }),
        ..Selection::default()
    };
    let portion = Selection {
        portion: Some(Portion {
            reached: Reached::default(),
            nights: 1,
        }),
        ..Selection::default()
    };
    [Selection::default(), sample, portion]
}

fn assert_named(damages: &[Damage], (_, kind, id, user, detail): &Wrong, how: &str) {
    let is_it = |damage: &&Damage| {
        let is_of = damage.id == id.map(MessageId) && damage.user.as_deref() == Some(user);
        damage.kind == *kind && is_of && damage.detail.starts_with(detail)
    };
    assert_eq!(damages.iter().filter(is_it).count(), 1, "{how}: {detail}: {damages:#?}");
}

#[actix::test]
async fn a_wrong_filing_and_a_wrong_sum_are_found_in_all_and_in_a_part() {
    for wrong in wrong() {
        let archive = Archive::new().await;
        archive.change(wrong.0);
        for selection in selections() {
            assert_named(&archive.damages_of(&selection), &wrong, &format!("{selection:?}"));
        }
    }
}

/// A process went through some of the tables and added up, and was ended: nothing is lost of what it had not said.
#[actix::test]
async fn what_a_process_that_ended_had_added_up_is_found_by_the_next() {
    // What is not added up is said at once.
    for wrong in wrong().into_iter().filter(|(_, _, id, ..)| id.is_some_and(|id| id < 6)) {
        let archive = Archive::new().await;
        archive.change(wrong.0);
        for table in [Table::Ledger, Table::Held, Table::Bytes, Table::Runs] {
            assert_named(&archive.damages_behind(table, true), &wrong, table.name());
        }
        // Nothing was added up where pages are damaged.
        assert_named(&archive.damages_behind(Table::Ledger, false), &wrong, "not sound");
    }
}

/// A filing by another date than its message's was said to be missing, too.
#[actix::test]
async fn a_wrong_date_is_one_damage() {
    let archive = Archive::new().await;
    archive.change(|c, t| with_message(c, t, MessageId(2), |message| message.date += 1));
    let damages = archive.damages();
    assert_eq!(damages.len(), 2, "{damages:#?}");
    assert!(damages.iter().all(|damage| damage.kind == Kind::Filing), "{damages:#?}");
}
