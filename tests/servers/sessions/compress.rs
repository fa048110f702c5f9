//! Compression with a real server.

use dropkeep::{
    config::{Access, Compress, Secret},
    source::{Credential, Session, Steps, Want},
};

use crate::{
    session::listed,
    sessions::server,
    support::dovecot::{Dovecot, PASSWORD},
};

const COMPRESSING: &str = "protocol imap {
  mail_plugins = zlib imap_zlib
}";

#[tokio::test]
async fn messages_come_through_whole_from_a_server_that_deflates() {
    let dovecot = Dovecot::start_with(COMPRESSING);
    let messages: Vec<String> = (0..200)
        .map(|n| {
            format!(
                "Subject: {n}\r\n\r\n{}",
                format!("line {n} of a message\r\n").repeat(n * 20)
            )
        })
        .collect();
    dovecot.deliver(&messages);
    for access in [Access::Imap, Access::ImapTls] {
        let mut server = server(&dovecot, access);
        server.compress = Compress::Always;
        server.tls.verify = dropkeep::config::Verify::None;
        let mut steps = Steps::default();
        let password = Credential::Password(Secret::new(PASSWORD));
        let session = Session::connect(&server, &password, &mut steps).await;
        let mut session = session.expect("a session");
        let login = &steps.done.last().expect("a step").1;
        assert!(login.ends_with(", compressed"), "{login}: {:?}", session.capabilities());
        session.open("INBOX").await.expect("INBOX");
        let copies = listed(&mut session).await;
        let announced = session.sizes(&copies, false).await.expect("sizes");
        let mut got = Vec::new();
        let missing = session
            .fetch(&announced, Want::Whole, &mut |one| got.push(one.bytes))
            .await;
        assert_eq!(missing.expect("the command is OK"), []);
        assert_eq!(got, messages.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        session.close().await.expect("a farewell");
    }
}
