//! The ledger as whoever follows it reads it.

use std::time::Duration;

use super::{
    test_bench::{Bench, config, deposit},
    *,
};

fn pairs(groups: &[(GroupNumber, Group)]) -> Vec<(MessageId, UserId)> {
    groups
        .iter()
        .flat_map(|(_, group)| group.filings.pairs().unwrap())
        .collect()
}

#[actix::test]
async fn who_follows_sees_each_filing_once_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    bench.file("aaaa first", 1, &[UserId(1), UserId(2)]).await;
    bench.file("bbbb second", 2, &[UserId(2)]).await;
    let mut follower = Follower::new(bench.store.clone(), Mark::START).unwrap().unwrap();
    assert_eq!(follower.behind().unwrap(), 2);
    let first = follower.next(1).unwrap().unwrap();
    assert_eq!(pairs(&first), [(MessageId(1), UserId(1)), (MessageId(1), UserId(2))]);
    let second = follower.next(10).unwrap().unwrap();
    assert_eq!(pairs(&second), [(MessageId(2), UserId(2))]);
    assert!(follower.next(10).unwrap().is_none() && follower.behind().unwrap() == 0);
    bench.committer.keep_mark("test", follower.mark()).await.unwrap();

    // Nothing is to be seen until something is written.
    let waited = tokio::time::timeout(Duration::from_millis(20), follower.written()).await;
    assert!(waited.is_err());
    let (filed, ()) = tokio::join!(bench.file("aaaa first", 3, &[UserId(3)]), follower.written());
    assert_eq!(filed.archived, [UserId(3)]);
    assert_eq!(pairs(&follower.next(10).unwrap().unwrap()), [(MessageId(1), UserId(3))]);
    drop(follower);
    bench.close();

    let bench = Bench::open(&config);
    let mark = bench.store.mark("test").unwrap().unwrap();
    let mut follower = Follower::new(bench.store.clone(), mark).unwrap().unwrap();
    assert_eq!(pairs(&follower.next(10).unwrap().unwrap()), [(MessageId(1), UserId(3))]);
    drop(follower);
    bench.close();
}

#[actix::test]
async fn a_mark_of_an_archive_that_is_gone_is_told_from_this_ones() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    bench.file("aaaa first", 1, &[UserId(1)]).await;
    let mark = |group, chain| Mark {
        group: GroupNumber(group),
        chain,
    };
    let (_, row) = bench.store.last_group().unwrap().unwrap();
    let follows = |mark| Follower::new(bench.store.clone(), mark).unwrap().is_some();
    assert!(follows(mark(1, row.chain)));
    assert!(!follows(mark(1, [7; 32])), "another history");
    assert!(!follows(mark(2, row.chain)), "ahead of the store");
    bench.close();
}

#[actix::test]
async fn usage_is_what_the_ledger_adds_up_to() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    for number in 0..50_u32 {
        let bytes = format!("{number:04} {}", "x".repeat(number as usize));
        bench
            .file(&bytes, number, &[UserId(number % 3), UserId(3 + number % 2)])
            .await;
    }
    let usage = bench
        .store
        .reading(|txn| bench.store.catalog.usage.iter(txn)?.collect());
    assert_eq!(usage_by_ledger(&bench.store).unwrap(), usage.unwrap());
    bench.close();
}

/// Files so many messages, each for two or three of some hundred users, as small mail is.
async fn file_many(bench: &Bench, messages: u32, size: usize) {
    let _more = bench.committer.more_coming();
    let mut window = Vec::new();
    for number in 0..messages {
        let bytes = format!("{number:08} {}", test_bench::noise(number, size));
        let users = [number * 7 % 200, 200 + number * 11 % 200, 400 + number % 5].map(UserId);
        let users = &users[..2 + usize::from(number % 5 < 2)];
        window.push(bench.settled(deposit(bytes.as_bytes()), users));
        if window.len() == 256 || number + 1 == messages {
            for filed in bench.committer.file(std::mem::take(&mut window)).await {
                filed.unwrap();
            }
        }
    }
}

#[actix::test]
async fn what_was_there_before_the_ledger_is_taken_over() {
    const MESSAGES: u32 = 5000;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    file_many(&bench, MESSAGES, 100).await;
    let usage = usage_by_ledger(&bench.store).unwrap();
    bench.close();
    {
        let store = Store::open(&config).unwrap();
        let mut txn = store.catalog.write().unwrap();
        store.catalog.ledger.clear(&mut txn).unwrap();
        let mut counters = store.catalog.counters(&txn).unwrap();
        counters.group = taken_over::take_over(&store.catalog, &mut txn, counters.message, 5).unwrap();
        assert_eq!(counters.group, GroupNumber(3), "a row has so many messages at most");
        store.catalog.put_counters(&mut txn, &counters).unwrap();
        txn.commit().unwrap();
    }
    let bench = Bench::open(&config);
    assert_eq!(usage_by_ledger(&bench.store).unwrap(), usage);
    let rows = bench.store.ledger_from(GroupNumber(1), 10).unwrap();
    assert!(
        rows.iter()
            .all(|(_, row)| row.group.changes == [Changed::TakenOver] && row.group.at == 5)
    );
    assert_eq!(rows[1].1.group.next(), MessageId(u64::from(MESSAGES) + 1));
    // The next group goes on behind it.
    bench.file("zzzz", 1, &[UserId(1)]).await;
    assert_eq!(bench.store.last_group().unwrap().unwrap().0, GroupNumber(3));
    bench.close();
}

/// At most 65 bytes for each message of 4.4 KB is what the ledger may cost.
#[actix::test]
async fn the_ledger_takes_few_bytes() {
    const MESSAGES: u32 = 5000;
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    file_many(&bench, MESSAGES, 4400).await;
    let pages = bench.store.reading(|txn| {
        let stat = bench.store.catalog.ledger.stat(txn)?;
        Ok(stat.branch_pages + stat.leaf_pages + stat.overflow_pages)
    });
    let bytes = pages.unwrap() * 4096 / MESSAGES as usize;
    println!("{bytes} bytes of the ledger for a message");
    assert!(bytes <= 65, "{bytes} bytes");
    bench.close();
}
