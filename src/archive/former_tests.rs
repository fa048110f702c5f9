//! From which message on identities are of which version.

use super::{
    catalog::IDENTITIES_KEY,
    codec::Row,
    rows::Identities,
    test_bench::{Bench, config},
    *,
};
use crate::identify::IDENTITY_VERSION;

/// Notes something else of the identities in a closed archive, or nothing.
fn note(config: &crate::config::Config, noted: Option<Identities>) {
    let store = Store::open(config).unwrap();
    let mut txn = store.catalog.write().unwrap();
    let table = store.catalog.meta.remap_data_type::<Row<Identities>>();
    match noted {
        Some(noted) => table.put(&mut txn, IDENTITIES_KEY, &noted).unwrap(),
        None => assert!(table.delete(&mut txn, IDENTITIES_KEY).unwrap()),
    }
    txn.commit().unwrap();
}

#[actix::test]
async fn an_archive_notes_once_from_which_message_on_identities_are_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    for _ in 0..2 {
        let bench = Bench::open(&config);
        assert!(!bench.store.has_former_identities());
        bench.close();
    }
    // As those of version 1 have it.
    let bench = Bench::open(&config);
    bench.file("aaaa one", 1, &[UserId(1)]).await;
    bench.file("bbbb two", 2, &[UserId(1)]).await;
    bench.close();
    note(&config, None);
    for uid in 3..5 {
        let bench = Bench::open(&config);
        assert!(bench.store.has_former_identities());
        assert_eq!(bench.store.catalog.identified_since(), MessageId(3));
        bench
            .file(&format!("{uid}{uid}{uid}{uid} more"), uid, &[UserId(1)])
            .await;
        bench.close();
    }
    note(&config, None);
    let reading = Store::open_for_reading(&config).unwrap();
    assert_eq!(reading.catalog.identified_since(), MessageId::MAX);
}

#[test]
fn an_archive_with_identities_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let later = Identities {
        version: IDENTITY_VERSION + 1,
        since: MessageId(1),
    };
    note(&config, Some(later));
    for opened in [Store::open(&config), Store::open_for_reading(&config)] {
        let refused = opened.err().unwrap().to_string();
        assert!(
            refused.contains("identities of version 3") && refused.contains("newer dropkeep"),
            "{refused}"
        );
    }
}
