//! What async-imap does with failed commands, and so why `dialogue` runs them itself. Where an
//! upgrade fails a test here, that reason may be gone.

use async_imap::{Client, Session};
use futures_util::TryStreamExt;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

/// A session with a server that has said all it will say, and closed.
async fn session(answers: &str) -> (Session<DuplexStream>, DuplexStream) {
    let (client, mut server) = duplex(64 << 10);
    let script = format!("A0001 OK welcome\r\n{answers}");
    server.write_all(script.as_bytes()).await.expect("room");
    server.shutdown().await.expect("closing");
    let Ok(session) = Client::new(client).login("user", "password").await else {
        panic!("no login")
    };
    (session, server)
}

const ENDS: [&str; 4] = ["A0002 NO full\r\n", "A0002 BAD full\r\n", "* BYE full\r\n", ""];

#[tokio::test]
async fn a_fetch_that_fails_midway_ends_as_if_it_were_done() {
    for end in ENDS {
        let (mut session, _server) = session(&format!("* 1 FETCH (UID 5 BODY[] {{3}}\r\none)\r\n{end}")).await;
        let fetched = session.uid_fetch("5:7", "BODY.PEEK[]").await.expect("a stream");
        let fetched: Vec<_> = fetched.try_collect().await.expect("no failure");
        assert_eq!(fetched.len(), 1, "{end}");
    }
}

#[tokio::test]
async fn a_refused_search_is_empty() {
    for end in ENDS {
        let (mut session, _server) = session(end).await;
        assert!(session.uid_search("ALL").await.expect("no failure").is_empty(), "{end}");
    }
}

#[tokio::test]
async fn a_refused_list_is_empty() {
    for end in ENDS {
        let (mut session, _server) = session(end).await;
        let names = session.list(Some(""), Some("*")).await.expect("a stream");
        let names: Vec<_> = names.try_collect().await.expect("no failure");
        assert!(names.is_empty(), "{end}");
    }
}

#[tokio::test]
async fn nil_is_a_message_without_body() {
    let (mut session, _server) = session("* 1 FETCH (UID 5 BODY[] NIL)\r\nA0002 OK done\r\n").await;
    let fetched = session.uid_fetch("5", "BODY.PEEK[]").await.expect("a stream");
    let fetched: Vec<_> = fetched.try_collect().await.expect("no failure");
    assert_eq!(fetched.len(), 1);
    assert!(fetched[0].body().is_none());
}
