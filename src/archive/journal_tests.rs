//! Journal reports are kept with the message that they enclose.

use std::sync::Arc;

use super::{
    test_bench::{Bench, config, content, deposit},
    *,
};

const MESSAGE: &str = "Subject: x\r\n\r\nhello\r\n";

fn report(number: u32) -> String {
    format!("Subject: report {number}\r\n\r\nTo: jane@example.com\r\n\r\n{MESSAGE}")
}

/// A report of [`MESSAGE`], as the copy of this UID.
fn reported(number: u32) -> Deposit {
    let copy = CopyKey::Imap {
        source: SourceNumber(1),
        folder: FolderNumber(1),
        uidvalidity: 7,
        uid: number,
    };
    Deposit {
        copy: Some(Named {
            key: copy,
            traits: Traits::default(),
        }),
        report: Some(Arc::new(content(report(number).as_bytes()))),
        ..deposit(MESSAGE.as_bytes())
    }
}

#[actix::test]
async fn each_report_is_kept_once_and_is_in_nobodys_archive() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let mut filed = Vec::new();
    for number in [1, 2, 2, 1] {
        filed.push(bench.hand_in(reported(number), &[UserId(1)]).await.unwrap());
    }
    let message = filed[0].message;
    assert_eq!(filed[0].archived, [UserId(1)]);
    assert!(
        filed[1..]
            .iter()
            .all(|filed| filed.message == message && filed.duplicate == [UserId(1)])
    );
    assert_eq!(bench.list(UserId(1)).len(), 1);
    let journals = bench.store.journals(message, MessageId(0), 10).unwrap();
    let mut retrieval = Retrieval::new(&bench.store);
    let reports: Vec<_> = journals
        .iter()
        .map(|(id, _, row)| String::from_utf8(retrieval.raw(*id, row).unwrap()).unwrap())
        .collect();
    assert_eq!(reports, [report(1), report(2)]);
    // Whoever follows the archive hears of the one that came later.
    let rows = bench.store.ledger_from(GroupNumber(1), 10).unwrap();
    let journaled: Vec<_> = rows
        .into_iter()
        .filter(|(_, row)| row.group.changes == [Changed::Journaled(vec![message])])
        .map(|(_, row)| (row.group.kept, row.group.about().unwrap()))
        .collect();
    assert_eq!(journaled, [(1, [message].into())]);
    // What deletion compares with is what was fetched.
    let txn = bench.store.catalog.read().unwrap();
    let copies = bench.store.catalog.copies.uids.range(&txn, &(..)).unwrap();
    let copies: Vec<_> = copies.map(Result::unwrap).collect();
    let fetched: Vec<_> = copies.iter().map(|(_, copy)| copy.fetched.unwrap()).collect();
    let wanted = [1, 2].map(|number| content(report(number).as_bytes()).sha256);
    assert_eq!(fetched, wanted);
    drop(txn);
    bench.close();
}

#[actix::test]
async fn a_report_that_was_archived_as_a_message_before_is_kept_with_what_it_encloses() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let before = bench
        .hand_in(deposit(report(1).as_bytes()), &[UserId(2)])
        .await
        .unwrap()
        .message;
    let message = bench
        .hand_in(reported(1), &[UserId(1), UserId(2)])
        .await
        .unwrap()
        .message;
    let journals = bench.store.journals(message, MessageId(0), 10).unwrap();
    assert_eq!(journals.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [before]);
    assert_eq!((bench.list(UserId(1)).len(), bench.list(UserId(2)).len()), (1, 2));
    bench.close();
}
