//! Waiting for mail.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use dropkeep::{
    config::{Access, Secret},
    source::{Credential, Session, Steps, Waited},
};

use crate::{
    session::listed,
    sessions::{connect, messages, server},
    support::dovecot::{Dovecot, PASSWORD},
};

#[tokio::test]
async fn a_delivery_is_noticed_within_seconds_and_the_session_goes_on() {
    let dovecot = Dovecot::with(messages(2));
    let server = server(&dovecot, Access::Imap).with_timeout(Duration::from_secs(5));
    let mut steps = Steps::default();
    let received = steps.received.clone();
    let password = Credential::Password(Secret::new(PASSWORD));
    let session = Session::connect(&server, &password, &mut steps).await;
    let mut session = session.expect("a session");
    assert!(session.capabilities().iter().any(|name| name == "IDLE"));
    session.open("INBOX").await.expect("INBOX");
    assert_eq!(listed(&mut session).await.len(), 2);
    // Nothing for longer than the server may be silent.
    let waited = session.wait(Duration::from_secs(6)).await.expect("an answer");
    assert_eq!(waited, Waited::Nothing);

    let most = Duration::from_secs(120);
    let before = received.load(Ordering::Relaxed);
    let (waited, delivered) = tokio::join!(session.wait(most), async {
        // Delivered once the server has said that it idles.
        let began = Instant::now();
        while received.load(Ordering::Relaxed) == before && began.elapsed() < most {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        dovecot.deliver(messages(1));
        Instant::now()
    });
    assert_eq!(waited.expect("an answer"), Waited::Changed);
    let took = delivered.elapsed();
    println!("noticed after {took:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(listed(&mut session).await.len(), 3);
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
