//! The command that compacts: one at a time, and it can be ended.

use super::{
    compact_tests::trickle,
    test_bench::{Bench, assert_holds, config},
};

#[actix::test]
async fn a_command_has_one_at_a_time_and_can_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let kept = trickle(&bench, 0..70).await;
    let compaction = crate::errand::Errand::new("a compaction");
    let run = async || {
        let going_on = compaction.begin()?;
        crate::compaction::run(bench.store.clone(), bench.committer.clone(), &going_on, |_, _| {}).await
    };
    {
        let _sealing = bench.store.tidying.take(&|| true).unwrap();
        let first = run();
        tokio::pin!(first);
        let begun = tokio::time::timeout(std::time::Duration::from_millis(50), &mut first).await;
        assert!(begun.is_err(), "it waits for its turn");
        let refused = run().await.unwrap_err();
        assert!(
            refused.exit == crate::api::Exit::Errors && refused.error.contains("going on"),
            "{refused}"
        );
        compaction.interrupt();
        let ended = first.await.unwrap();
        assert!(ended.interrupted && ended.left && ended.moved == 0, "{ended:?}");
        compaction.ended().await;
    }
    let ended = run().await.unwrap();
    assert!(!ended.interrupted && !ended.left && ended.moved > 70, "{ended:?}");
    assert!(ended.free_after > ended.free_before, "{ended:?}");
    assert_holds(&bench.store, &kept);
    bench.close();
}
