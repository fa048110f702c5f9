//! Protocols are removed by their age, and what others hang on stays.

use jiff::{SignedDuration, Timestamp};

use super::{retention::Retention, runs::Latest, test_bench::Bench, *};
use crate::{
    clock,
    config::{Config, Keep, Protocols, Span},
    report::{Run, RunFilter, RunState},
};

const DAY: u64 = 86_400;

fn ago(days: u64) -> Timestamp {
    clock::now() - SignedDuration::from_hours(24 * days as i64)
}

fn keep(days: u64, idle_days: u64) -> Protocols {
    let of = |days: u64| Keep::For(Span(std::time::Duration::from_secs(days * DAY)));
    Protocols {
        keep: of(days),
        keep_idle: of(idle_days),
    }
}

/// A run that ended so many days ago; one that is not idle archived something.
async fn ran(bench: &Bench, profile: &str, days: u64, idle: bool, state: RunState) -> RunId {
    let mut run = Run::begin(profile, ago(days));
    run.run = bench.committer.begin_run(&run).await.unwrap();
    run.state = state;
    run.finished_at = Some(run.started_at);
    if !idle {
        run.counts.count(crate::report::Outcome::Archived);
    }
    bench
        .committer
        .put_protocol(std::sync::Arc::new(run.clone()))
        .await
        .unwrap();
    run.run
}

async fn tidied(bench: &Bench, protocols: Protocols) -> Vec<RunId> {
    std::thread::scope(|scope| {
        let tidy = || {
            let mut retention = Retention::new(protocols);
            retention.look(&bench.store, &bench.committer, &|| true).unwrap();
        };
        scope.spawn(tidy).join().unwrap();
    });
    left(bench)
}

fn left(bench: &Bench) -> Vec<RunId> {
    let runs = bench.store.runs(None, 10_000).unwrap();
    let mut numbers: Vec<_> = runs.into_iter().map(|(number, _)| number).collect();
    numbers.reverse();
    numbers
}

#[actix::test]
async fn what_is_old_goes_and_what_is_needed_stays() {
    use RunState::{Completed, Failed};
    let folder = tempfile::tempdir().unwrap();
    let config = test_bench::config(&folder);
    let bench = Bench::open(&config);
    let mut runs = Vec::new();
    for (profile, days, idle, state) in [
        // The last success of a profile that has failed ever since, and its newest run.
        ("a", 400, true, Completed),  // 1 goes
        ("a", 390, true, Completed),  // 2 stays: its last success
        ("a", 380, true, Failed),     // 3 goes
        ("b", 370, false, Completed), // 4 goes
        ("b", 20, false, Completed),  // 5 stays: not old
        ("b", 20, true, Completed),   // 6 goes: nothing was in it
        ("b", 20, true, Failed),      // 7 stays: it has something to say
        ("b", 1, true, Completed),    // 8 stays
        ("a", 1, true, Failed),       // 9 stays: its newest
    ] {
        runs.push(ran(&bench, profile, days, idle, state).await);
    }
    assert_eq!(runs, [1, 2, 3, 4, 5, 6, 7, 8, 9].map(RunId));
    let mut forever = keep(100, 10);
    (forever.keep, forever.keep_idle) = (Keep::Forever, Keep::Forever);
    assert_eq!(tidied(&bench, forever).await.len(), 9);
    assert_eq!(tidied(&bench, keep(100, 10)).await, [2, 5, 7, 8, 9].map(RunId));
    assert_eq!(
        bench.store.latest_runs("a").unwrap(),
        Some(Latest {
            run: RunId(9),
            fetched: RunId(9),
            completed: RunId(2)
        })
    );
    assert!(bench.store.run(RunId(3)).unwrap().is_none() && bench.store.was_run(RunId(3)).unwrap());
    assert!(!bench.store.was_run(RunId(10)).unwrap() && !bench.store.was_run(RunId(0)).unwrap());
    // What is the newest no longer goes, and numbers go on.
    assert_eq!(ran(&bench, "a", 0, true, Completed).await, RunId(10));
    assert_eq!(tidied(&bench, keep(100, 10)).await, [5, 7, 8, 9, 10].map(RunId));
    bench.close();
    let bench = Bench::open(&config);
    assert_eq!(ran(&bench, "c", 0, true, Completed).await, RunId(11));
    assert_eq!(left(&bench), [5, 7, 8, 9, 10, 11].map(RunId));
    bench.close();
    let damages = verify_damages(&config);
    assert!(damages.is_empty(), "{damages:?}");
}

/// Runs whose number has no protocol though none was removed.
fn verify_damages(config: &Config) -> Vec<String> {
    let store = Store::open(config).unwrap();
    let counters = store.reading(|txn| store.catalog.counters(txn)).unwrap();
    let removed = store.reading(|txn| store.catalog.known_runs(txn)).unwrap().removed;
    let there = store.runs(None, 10_000).unwrap().len() as u64;
    match counters.run.since(RunId(1)) == there + removed {
        true => Vec::new(),
        false => vec![format!(
            "{} numbers, {there} protocols, {removed} removed",
            counters.run.since(RunId(1))
        )],
    }
}

#[actix::test]
async fn a_store_of_before_finds_the_last_success_of_long_ago() {
    let folder = tempfile::tempdir().unwrap();
    let config = test_bench::config(&folder);
    let bench = Bench::open(&config);
    ran(&bench, "a", 100, true, RunState::Completed).await;
    for _ in 0..3 {
        ran(&bench, "a", 1, true, RunState::Failed).await;
    }
    let mut import = Run::begin("a", ago(0));
    import.import = vec!["/srv/mail".into()];
    import.run = bench.committer.begin_run(&import).await.unwrap();
    let before = bench.store.latest_runs("a").unwrap().unwrap();
    let expected = Latest {
        run: RunId(5),
        fetched: RunId(4),
        completed: RunId(1),
    };
    assert_eq!(before, expected);
    {
        let mut txn = bench.store.catalog.write().unwrap();
        assert!(bench.store.catalog.meta.delete(&mut txn, "protocols").unwrap());
        txn.commit().unwrap();
    }
    assert_eq!(bench.store.latest_runs("a").unwrap(), None);
    bench.close();
    let bench = Bench::open(&config);
    assert_eq!(bench.store.latest_runs("a").unwrap(), Some(expected));
    bench.close();
}

#[actix::test]
async fn many_are_removed_and_listed_in_portions() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&test_bench::config(&folder));
    let many = 2_500;
    let begin = |n: u64| {
        let mut run = Run::begin(if n % 100 == 7 { "rare" } else { "often" }, ago(30));
        run.state = RunState::Completed;
        run.finished_at = Some(run.started_at);
        let committer = &bench.committer;
        async move { committer.begin_run(&run).await }
    };
    futures_util::future::join_all((0..many).map(begin)).await;
    let filter = RunFilter {
        profile: Some("rare".into()),
        ..RunFilter::default()
    };
    let (mut before, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = bench.store.runs_where(&filter, before, 10).unwrap();
        assert!(page.runs.len() <= 10);
        found.extend(page.runs.into_iter().map(|(number, _)| number));
        pages += 1;
        before = match page.before {
            None => break,
            before => before,
        };
    }
    assert!(found.len() == 25 && found.is_sorted_by(|a, b| a > b), "{found:?}");
    assert!(pages >= 3, "{pages}");
    assert_eq!(tidied(&bench, keep(100, 10)).await.len(), 2, "the newest of each");
    bench.close();
}
