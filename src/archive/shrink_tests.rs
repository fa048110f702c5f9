//! The catalog is made smaller only where nobody has it open.

use std::fs;

use super::{
    compact_tests::{reader, trickle},
    test_bench::{Bench, assert_holds, config},
    *,
};

#[actix::test]
async fn the_catalog_gives_its_free_pages_back_unless_somebody_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..20).await;
    // Protocols that grow and shrink again leave free pages.
    let long = |length| {
        let mut run = crate::report::Run::begin("company", jiff::Timestamp::UNIX_EPOCH);
        (run.run, run.profile) = (RunId(1), "x".repeat(length));
        std::sync::Arc::new(run)
    };
    for length in [4 << 20, 10] {
        bench.committer.put_protocol(long(length)).await.unwrap();
    }
    let file = config.data_dir.join("catalog/data.mdb");
    let size = || fs::metadata(&file).unwrap().len();
    let before = size();
    assert!(before > 4 << 20 && bench.store.free_pages().unwrap().0 > before / 2);
    assert_eq!(shrink_catalog(&config).unwrap(), 0, "an appliance has it");
    bench.close();
    let reader = reader(&config);
    assert_eq!(shrink_catalog(&config).unwrap(), 0, "somebody reads");
    drop(reader);
    let given_back = shrink_catalog(&config).unwrap();
    assert_eq!((given_back, size() < before / 2), (before - size(), true));
    assert_eq!(
        shrink_catalog(&config).unwrap(),
        0,
        "there is nothing left to give back"
    );
    let bench = Bench::open(&config);
    assert_holds(&bench.store, &kept);
    let mut kept = kept;
    kept.extend(trickle(&bench, 20..25).await);
    bench.close();
    assert_holds(&Store::open_for_reading(&config).unwrap(), &kept);
}
