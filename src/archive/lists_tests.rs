//! The rows of lists: written with each message, and made where there are none.

use std::sync::Arc;

use super::{
    lists_filling::fill,
    lists_table::begin,
    test_bench::{Bench, config, content, deposit},
    *,
};
use crate::identify::Listed;

fn mail(number: u32) -> String {
    format!("{number:04}: x\nFrom: Jane <jane@example.com>\nTo: team@example.com\nSubject: number {number}\n\nbody\n")
}

/// A deposit of which lists say nothing, as older versions made them.
fn without_row(bytes: &str) -> Deposit {
    let content = Content {
        listed: None,
        ..content(bytes.as_bytes())
    };
    Deposit {
        content: Arc::new(content),
        ..deposit(bytes.as_bytes())
    }
}

fn listed(store: &Store, ids: std::ops::RangeInclusive<u64>) -> Vec<Option<Listed>> {
    store.listed(ids.map(MessageId)).unwrap()
}

/// Makes rows on a thread of its own, as the housekeeper does.
fn fill_all(bench: &Bench, go_on: &(dyn Fn() -> bool + Sync)) -> u64 {
    std::thread::scope(|scope| {
        scope
            .spawn(|| fill(&bench.store, &bench.committer, &go_on).unwrap())
            .join()
            .unwrap()
    })
}

/// As a store is that an older version wrote: nothing notes which messages have rows.
fn forget_what_is_filled(store: &Store) {
    let catalog = &store.catalog;
    let mut txn = catalog.write().unwrap();
    catalog.meta.delete(&mut txn, "lists").unwrap();
    begin(catalog, &mut txn).unwrap();
    txn.commit().unwrap();
}

#[actix::test]
async fn each_message_has_its_row_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    for number in 1..=40 {
        bench.file(&mail(number), number, &[UserId(1)]).await;
    }
    let rows = listed(&bench.store, 1..=41);
    for (number, row) in (1..=40).zip(&rows) {
        assert_eq!(*row, Listed::of(mail(number).as_bytes()), "{number}");
    }
    assert_eq!(rows[40], None, "there is no such message");
    // In whatever order they are asked for.
    let some = bench.store.listed([40, 2, 33, 2].map(MessageId).into_iter()).unwrap();
    assert_eq!(some, [&rows[39], &rows[1], &rows[32], &rows[1]].map(Clone::clone));
    assert_eq!(fill_all(&bench, &|| true), 0, "nothing is lacking");
    assert_eq!(bench.store.blocks_unpacked(), 0);
    bench.close();
}

#[actix::test]
async fn rows_that_are_lacking_are_made_and_it_goes_on_where_it_was_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let more = bench.committer.more_coming();
    let window = (1..=600).map(|number| bench.settled(without_row(&mail(number)), &[UserId(1)]));
    for filed in bench.committer.file(window.collect()).await {
        filed.unwrap();
    }
    drop(more);
    bench.close();
    let bench = Bench::open(&config);
    forget_what_is_filled(&bench.store);
    // Beside rows that are lacking, new ones come, in the same value.
    let new = bench
        .hand_in(deposit(mail(601).as_bytes()), &[UserId(1)])
        .await
        .unwrap();
    assert_eq!(new.message, MessageId(601));
    let rows = listed(&bench.store, 1..=601);
    assert!(rows[..600].iter().all(Option::is_none) && rows[600].is_some());
    // Broken off after a step.
    let asked = std::sync::atomic::AtomicU32::new(0);
    let once = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
    let first = fill_all(&bench, &once);
    assert!(first > 0 && first < 600, "{first}");
    bench.close();

    let bench = Bench::open(&config);
    assert_eq!(first + fill_all(&bench, &|| true), 600);
    let rows = listed(&bench.store, 1..=601);
    for (number, row) in (1..=601).zip(rows) {
        assert_eq!(row, Listed::of(mail(number).as_bytes()), "{number}");
    }
    assert_eq!(fill_all(&bench, &|| true), 0);
    bench.close();
}

#[actix::test]
async fn rows_made_twice_at_once_are_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    for number in 1..=20 {
        bench.hand_in(without_row(&mail(number)), &[UserId(1)]).await.unwrap();
    }
    forget_what_is_filled(&bench.store);
    let both = std::thread::scope(|scope| {
        let fill = || fill(&bench.store, &bench.committer, &|| true).unwrap();
        let (one, other) = (scope.spawn(fill), scope.spawn(fill));
        one.join().unwrap() + other.join().unwrap()
    });
    assert_eq!(both, 20);
    assert!(listed(&bench.store, 1..=20).iter().all(Option::is_some));
    bench.close();
}

#[actix::test]
async fn a_message_with_a_large_attachment_has_the_same_row_when_it_is_made_later() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let file = test_bench::noise(1, 100_000);
    let message = format!(
        "From: a@example.com\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n\
         Content-Disposition: attachment; filename=a.bin\n\n{file}\n--b--\n"
    );
    let filed = bench.hand_in(without_row(&message), &[UserId(1)]).await.unwrap();
    assert!(!bench.store.message(filed.message).unwrap().unwrap().parts.is_empty());
    forget_what_is_filled(&bench.store);
    assert_eq!(fill_all(&bench, &|| true), 1);
    let row = listed(&bench.store, 1..=1).remove(0).unwrap();
    assert_eq!((row.attachments, row.are_named), (1, true));
    assert_eq!(Some(row), Listed::of(message.as_bytes()));
    bench.close();
}

/// Prints what the rows of real mail take, where there is some.
#[actix::test]
async fn the_rows_of_small_mail_take_little_room() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let mut mails: Vec<Vec<u8>> = (0..2_000).map(|number| mail(number).repeat(12).into_bytes()).collect();
    if let Some(corpus) = std::env::var_os("LISTS_CORPUS") {
        let mut files: Vec<_> = std::fs::read_dir(corpus)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        mails = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    }
    let more = bench.committer.more_coming();
    for mails in mails.chunks(256) {
        let window = mails.iter().map(|mail| bench.settled(deposit(mail), &[UserId(1)]));
        for filed in bench.committer.file(window.collect()).await {
            filed.unwrap();
        }
    }
    drop(more);
    let (messages, raw) = bench.store.totals().unwrap();
    let pages = bench.store.reading(|txn| bench.store.catalog.lists.stat(txn)).unwrap();
    let pages = pages.branch_pages + pages.leaf_pages + pages.overflow_pages;
    let share = (pages * 4096) as f64 / raw as f64;
    let cut = listed(&bench.store, 1..=messages)
        .iter()
        .flatten()
        .filter(|row| row.is_cut)
        .count();
    println!(
        "{messages} messages, {raw} bytes, {pages} pages: {:.2} %; {cut} are cut",
        100.0 * share
    );
    assert!(share < 0.02, "{share}");
    bench.close();
}
