//! Waiting for mail.

use std::time::{Duration, Instant};

use dropkeep::{config::Access, source::Waited};

use crate::{connect, messages, server, support::dovecot::Dovecot};

#[tokio::test]
async fn a_delivery_is_noticed_within_seconds_and_the_session_goes_on() {
    let dovecot = Dovecot::with(messages(2));
    let server = server(&dovecot, Access::Imap).with_timeout(Duration::from_secs(5));
    let mut session = connect(&server).await;
    assert!(session.capabilities().iter().any(|name| name == "IDLE"));
    session.open("INBOX").await.expect("INBOX");
    assert_eq!(session.listing().await.expect("a listing").len(), 2);
    // Nothing for longer than the server may be silent.
    let waited = session.wait(Duration::from_secs(6)).await.expect("an answer");
    assert_eq!(waited, Waited::Nothing);

    let most = Duration::from_secs(120);
    let began = Instant::now();
    let (waited, ()) = tokio::join!(session.wait(most), async {
        // Dovecot is idling by then, or else says it when it begins to.
        tokio::task::yield_now().await;
        dovecot.deliver(messages(1));
    });
    assert_eq!(waited.expect("an answer"), Waited::Changed);
    let took = began.elapsed();
    println!("noticed after {took:?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert_eq!(session.listing().await.expect("a listing").len(), 3);
    session.close().await.expect("a farewell");
}

#[tokio::test]
async fn over_pop3_nothing_is_noticed() {
    let dovecot = Dovecot::with(messages(1));
    let mut session = connect(&server(&dovecot, Access::Pop3)).await;
    session.open("INBOX").await.expect("INBOX");
    assert!(!session.can_wait());
    let waited = session.wait(Duration::from_millis(10)).await.expect("an answer");
    assert_eq!(waited, Waited::Nothing);
    session.close().await.expect("a farewell");
}
