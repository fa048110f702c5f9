//! What is stored comes back to the last byte, whatever it is.
//!
//! `ROUND_TRIPS` says how many messages are tried; `make fuzz` raises it.

use std::sync::Arc;

use super::{
    test_bench::{Bench, config, deposit},
    *,
};
use proptest::{
    collection::vec,
    test_runner::{Config as Cases, TestCaseError, TestRunner},
};

#[path = "../../tests/support/mime.rs"]
mod mime;

/// Messages of one case: they are filed together, so that they share groups, blocks and parts.
const AT_ONCE: usize = 20;
const DEFAULT: usize = 3_000;

async fn file_all(bench: &Bench, messages: &[Vec<u8>]) -> Vec<MessageId> {
    let window = messages
        .iter()
        .map(|message| bench.settled(deposit(message), &[UserId(1)]));
    let filed = bench.committer.file(window.collect()).await;
    filed.into_iter().map(|filed| filed.unwrap().message).collect()
}

fn raw(store: &Arc<Store>, id: MessageId) -> Result<Vec<u8>, StoreError> {
    let message = store.message(id)?.unwrap();
    // Compares the SHA-256 too.
    Retrieval::new(store).raw(id, &message)
}

#[test]
fn any_message_comes_back_to_the_last_byte() {
    let messages = std::env::var("ROUND_TRIPS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(DEFAULT);
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = crate::config::ByteSize(32 << 20);
    let bench = Bench::open(&config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cases = Cases {
        cases: messages.div_ceil(AT_ONCE) as u32,
        failure_persistence: None,
        // Each try is as many messages.
        max_shrink_iters: 40,
        ..Cases::default()
    };
    let (mut filed, mut with_parts, mut decoded) = (0, 0, 0);
    let tried = TestRunner::new(cases).run(&vec(mime::any_message(), AT_ONCE..=AT_ONCE), |messages| {
        let ids = runtime.block_on(file_all(&bench, &messages));
        for (id, message) in ids.iter().zip(&messages) {
            let back = raw(&bench.store, *id).map_err(|error| TestCaseError::fail(error.to_string()))?;
            proptest::prop_assert!(back == *message, "message {id} came back otherwise");
        }
        Ok(())
    });
    tried.unwrap();
    // All of it once more, from its last place.
    let compacted = compact(&bench.store, &bench.committer, &|| true).unwrap();
    let (count, _) = bench.store.totals().unwrap();
    for id in 1..=count {
        let message = bench.store.message(MessageId(id)).unwrap().unwrap();
        Retrieval::new(&bench.store).raw(MessageId(id), &message).unwrap();
        filed += 1;
        with_parts += usize::from(!message.parts.is_empty());
        let base64 = |part: &rows::PartPlace| matches!(part.form, rows::PartForm::Base64(_));
        decoded += usize::from(message.parts.iter().any(base64));
    }
    println!("{filed} messages, {with_parts} with parts, {decoded} with base64 that was decoded; {compacted:?}");
    assert!(
        with_parts * 20 > filed && decoded * 100 > filed,
        "the messages are not what they should be"
    );
    bench.close();
}
