//! What the ledger says, and the tables do not, is found: by a wrong row of it, and where all tables agree against it.

use heed::RwTxn;

use super::{
    Kind::Ledger,
    row_tests::{Wrong, assert_found},
    tests::{BOB, JANE},
};
use crate::{
    archive::{
        catalog::Catalog,
        ledger::LedgerRow,
        rows::{IdentityNumber, MessageId},
    },
    ids::GroupNumber,
};

fn with_group(catalog: &Catalog, txn: &mut RwTxn, number: u64, change: impl FnOnce(&mut LedgerRow)) {
    let mut row = catalog.ledger.get(txn, &GroupNumber(number)).unwrap().unwrap();
    change(&mut row);
    catalog.ledger.put(txn, &GroupNumber(number), &row).unwrap();
}

/// Bob has message `id` one time more, or less.
fn with_usage(catalog: &Catalog, txn: &mut RwTxn, id: MessageId, more: i64) {
    let size = catalog.messages.get(txn, &id).unwrap().unwrap().size as i64;
    let mut usage = catalog.usage.get(txn, &BOB).unwrap().unwrap();
    usage.messages = usage.messages.saturating_add_signed(more);
    usage.bytes = usage.bytes.saturating_add_signed(more * size);
    catalog.usage.put(txn, &BOB, &usage).unwrap();
}

#[actix::test]
async fn a_wrong_row_of_the_ledger_is_found_and_named() {
    let wrong: Vec<Wrong> = vec![
        (
            |c, t| assert!(c.ledger.delete(t, &GroupNumber(4)).unwrap()),
            &[Ledger],
            None,
            None,
        ),
        (
            |c, t| assert!(c.ledger.delete(t, &GroupNumber(7)).unwrap()),
            &[Ledger],
            None,
            None,
        ),
        (
            |c, t| with_group(c, t, 5, |row| row.chain[31] ^= 1),
            &[Ledger],
            None,
            None,
        ),
        (
            |c, t| with_group(c, t, 5, |row| row.group.at += 1),
            &[Ledger],
            None,
            None,
        ),
        (
            |c, t| with_group(c, t, 5, |row| row.group.first = row.group.first.next()),
            &[Ledger],
            None,
            None,
        ),
        // All tables agree that Bob has message 4, or does not have message 2; the ledger alone knows better.
        (
            |c, t| {
                let filing = c.filings.get(t, &(JANE, 1004, MessageId(4))).unwrap().unwrap();
                c.filings.put(t, &(BOB, 1004, MessageId(4)), &filing).unwrap();
                c.held.put(t, &(IdentityNumber(4), BOB), &MessageId(4)).unwrap();
                with_usage(c, t, MessageId(4), 1);
            },
            &[Ledger],
            None,
            Some("bob"),
        ),
        (
            |c, t| {
                assert!(c.filings.delete(t, &(BOB, 1002, MessageId(2))).unwrap());
                assert!(c.held.delete(t, &(IdentityNumber(2), BOB)).unwrap());
                with_usage(c, t, MessageId(2), -1);
            },
            &[Ledger],
            Some(MessageId(2)),
            Some("bob"),
        ),
    ];
    assert_found(wrong).await;
}
