//! Users' archives in pages.

use super::{
    test_bench::{Bench, config},
    *,
};

fn key(date: Seconds, id: MessageId) -> FilingKey {
    FilingKey { date, id }
}

/// The ids of a page, and where the next one begins.
fn read(store: &Store, page: &Page) -> (Vec<MessageId>, Option<FilingKey>) {
    let (entries, next) = store.filings(UserId(1), page).unwrap();
    (entries.iter().map(|entry| entry.id).collect(), next)
}

/// Files messages of the dates 1001 and on for user 1, and more for their neighbours.
async fn filed(bench: &Bench, count: u32) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for uid in 1..=count {
        ids.push(
            bench
                .file(&format!("{uid:04}"), uid, &[UserId(0), UserId(1), UserId(2)])
                .await
                .message,
        );
    }
    ids
}

#[actix::test]
async fn pages_go_up_and_down_within_dates_and_miss_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let ids = filed(&bench, 7).await;
    for (direction, dates) in [
        (Direction::Up, Seconds::MIN..=Seconds::MAX),
        (Direction::Down, Seconds::MIN..=Seconds::MAX),
        (Direction::Up, 1003..=1006),
        (Direction::Down, 1003..=1006),
        (Direction::Up, 1003..=1003),
        (Direction::Down, 1009..=1020),
        (Direction::Up, 1..=1000),
    ] {
        let mut expected: Vec<_> = (1001..)
            .zip(&ids)
            .filter(|(date, _)| dates.contains(date))
            .map(|(_, id)| *id)
            .collect();
        if direction == Direction::Down {
            expected.reverse();
        }
        for most in [1, 2, 3, 7, 100] {
            let mut page = Page {
                dates: dates.clone(),
                most,
                ..Page::first(direction)
            };
            let all = bench.store.all_filings(UserId(1), page.clone());
            let all: Vec<_> = all.map(|entry| entry.unwrap().id).collect();
            assert_eq!(all, expected, "{page:?}");
            let mut paged = Vec::new();
            loop {
                let (read, next) = read(&bench.store, &page);
                assert!(read.len() <= most);
                paged.extend(read);
                // As a client passes it on.
                let Some(next) = next else { break };
                page.from = Some(next.to_string().parse().unwrap());
            }
            assert_eq!(paged, expected, "{page:?}");
        }
    }
    // A place outside the dates.
    let outside = |from, direction| Page {
        from: Some(from),
        dates: 1003..=1004,
        ..Page::first(direction)
    };
    assert_eq!(
        read(&bench.store, &outside(key(5, MessageId(1)), Direction::Up)).0,
        ids[2..4]
    );
    assert_eq!(
        read(&bench.store, &outside(key(9999, MessageId(1)), Direction::Up)).0,
        []
    );
    assert_eq!(
        read(&bench.store, &outside(key(9999, MessageId(1)), Direction::Down)).0,
        [ids[3], ids[2]]
    );
    assert_eq!(
        read(&bench.store, &outside(key(5, MessageId(1)), Direction::Down)).0,
        []
    );
    bench.close();
}

#[actix::test]
async fn a_place_in_a_list_stays_right_while_mail_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    filed(&bench, 4).await;
    let page = Page {
        most: 2,
        ..Page::first(Direction::Down)
    };
    let (first, next) = read(&bench.store, &page);
    assert_eq!(first, [4, 3].map(MessageId));
    // Newer than all, and older than all.
    bench.file("newer", 100, &[UserId(1)]).await;
    bench.file("older", 0, &[UserId(1)]).await;
    assert_eq!(
        read(
            &bench.store,
            &Page {
                from: next,
                ..page.clone()
            }
        )
        .0,
        [2, 1].map(MessageId)
    );
    assert_eq!(read(&bench.store, &page).0, [5, 4].map(MessageId));
    bench.close();
}

#[actix::test]
async fn the_oldest_of_the_newest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    filed(&bench, 5).await;
    let oldest = |dates, most| bench.store.oldest_of_newest(UserId(1), dates, most).unwrap();
    let all = || Seconds::MIN..=Seconds::MAX;
    assert_eq!(oldest(all(), 2), Some(key(1004, MessageId(4))));
    assert_eq!(oldest(all(), 5), Some(key(1001, MessageId(1))));
    assert_eq!(oldest(all(), 50_000), Some(key(1001, MessageId(1))));
    assert_eq!(oldest(all(), 0), None);
    assert_eq!(oldest(1000..=1003, 2), Some(key(1002, MessageId(2))));
    assert_eq!(oldest(2000..=3000, 2), None);
    bench.close();
}

#[test]
fn a_place_is_read_back_as_it_was_written_and_nothing_else_is() {
    for place in [
        key(0, MessageId(1)),
        key(-1, MessageId(u64::MAX)),
        key(Seconds::MIN, MessageId(0)),
        key(1_767_225_600, MessageId(12)),
    ] {
        assert_eq!(place.to_string().parse(), Ok(place));
    }
    for text in [
        "",
        "12",
        "AAAA",
        "ä",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "!!!!!!!!!!!!!!!!!!!!!!",
    ] {
        assert_eq!(text.parse::<FilingKey>(), Err(NoPlace), "{text}");
    }
}
