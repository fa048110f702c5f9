//! What servers did to sessions that no real one is known to do. The whole answer is there from the beginning.

use std::{io::Cursor, time::Duration};

use tokio::io::{AsyncReadExt, join, sink};

use super::{Announced, CopyRef, Credential, Fetched, Session, SourceError, Steps, Want};
use crate::config::{Access, Folders, Secret, Server};

const PASSWORD: &str = "hun\"t\\er2";
const CAPABILITY: &str = "* CAPABILITY IMAP4rev1\r\nD1 OK\r\n";

async fn session(access: Access, credential: &Credential, said: &str) -> Result<Session, SourceError> {
    session_in_parts(access, credential, [said, ""]).await
}

/// The same with an answer that is read in two parts.
async fn session_in_parts(
    access: Access,
    credential: &Credential,
    [first, second]: [&str; 2],
) -> Result<Session, SourceError> {
    let server = Server::new(access, "mail.example.com", 1, "jane").with_timeout(Duration::from_secs(5));
    let said = Cursor::new(first.to_owned()).chain(Cursor::new(second.to_owned()));
    let stream = join(said, sink());
    Session::over(&server, credential, stream, &mut Steps::default()).await
}

async fn refused(access: Access, credential: &Credential, said: &str) -> String {
    let error = session(access, credential, said).await.expect_err("no session");
    format!("{error} {error:?}")
}

fn password() -> Credential {
    Credential::Password(Secret::new(PASSWORD))
}

#[tokio::test]
async fn a_bye_to_a_login_showed_the_password() {
    let said = format!("* OK\r\n{CAPABILITY}* BYE LOGIN jane {PASSWORD} comes too often\r\n");
    let words = refused(Access::Imap, &password(), &said).await;
    assert!(words.contains("LOGIN jane *** comes too often"), "{words}");
}

#[tokio::test]
async fn a_login_repeated_as_it_was_sent_showed_the_password() {
    let said = format!("* OK\r\n{CAPABILITY}D2 NO LOGIN \"jane\" \"hun\\\"t\\\\er2\" is wrong\r\n");
    let words = refused(Access::Imap, &password(), &said).await;
    assert!(words.contains("LOGIN \"jane\" \"***\" is wrong"), "{words}");
}

#[tokio::test]
async fn a_secret_was_shown_where_the_words_were_cut_within_it() {
    for before in 390..400 {
        let said = format!("* OK\r\n{CAPABILITY}D2 NO {} hunter2\r\n", "x".repeat(before));
        let credential = Credential::Password(Secret::new("hunter2"));
        let words = refused(Access::Imap, &credential, &said).await;
        assert!(!words.contains("hu"), "{words}");
    }
}

#[tokio::test]
async fn a_later_refusal_showed_the_password() {
    let said = format!("* OK\r\n{CAPABILITY}D2 OK [CAPABILITY IMAP4rev1] in\r\nD3 NO {PASSWORD} was long ago\r\n");
    let mut imap = session(Access::Imap, &password(), &said).await.unwrap();
    let error = imap.folders(&Folders::default()).await.expect_err("refused");
    assert!(error.to_string().ends_with("*** was long ago"), "{error}");

    let said = format!("+OK\r\n-ERR\r\n+OK\r\n+OK\r\n-ERR\r\n-ERR PASS {PASSWORD} was long ago\r\n");
    let mut pop3 = session(Access::Pop3, &password(), &said).await.unwrap();
    let error = pop3.open("INBOX").await.expect_err("refused");
    assert!(error.to_string().ends_with("PASS *** was long ago"), "{error}");
}

#[tokio::test]
async fn a_bye_between_challenge_and_token_showed_the_token() {
    let token = Credential::Token(Secret::new("ya29.secret"));
    let said = "* OK\r\n* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nD1 OK\r\n+ \r\n* BYE ya29.secret is old\r\n";
    let words = refused(Access::Imap, &token, said).await;
    assert!(words.contains("*** is old"), "{words}");
}

#[tokio::test]
async fn many_messages_let_one_name_take_hundreds_of_megabytes() {
    let opened = format!(
        "* OK\r\n{CAPABILITY}D2 OK [CAPABILITY IMAP4rev1] in\r\n\
         * 4000000 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 9]\r\nD3 OK\r\n"
    );
    let name = "* LIST () \"/\" {400000000}\r\nabc";
    let password = password();
    let session = session_in_parts(Access::Imap, &password, [&opened, name]);
    let mut session = session.await.unwrap();
    session.open("INBOX").await.unwrap();
    let error = session.listing().await.expect_err("too much");
    assert!(matches!(error, SourceError::TooMuch { .. }), "{error}");
}

/// Small ones share memory, large ones have their own, and what a server says between them is neither's.
#[tokio::test]
async fn messages_of_any_size_are_as_they_were_sent_whatever_stands_between_them() {
    let sizes = [
        0, 1, 5000, 16_383, 16_384, 40_000, 70_000, 3, 262_143, 262_144, 300_000, 2, 9000, 9000, 9000,
    ];
    let messages: Vec<String> = (1u8..)
        .zip(sizes)
        .map(|(nth, size)| char::from(b'a' + nth).to_string().repeat(size))
        .collect();
    let mut said = format!(
        "* OK\r\n{CAPABILITY}D2 OK [CAPABILITY IMAP4rev1] in\r\n\
         * {0} EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 99]\r\nD3 OK\r\n",
        sizes.len()
    );
    for (nth, message) in (1..).zip(&messages) {
        let length = message.len();
        let date = "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"";
        said += &match nth % 4 {
            0 => format!(
                "* {nth} FETCH (FLAGS (\\Seen))\r\n* {nth} FETCH (UID {nth} {date} BODY[] {{{length}}}\r\n{message})\r\n"
            ),
            1 => format!("* {nth} FETCH ({date} BODY[] {{{length}}}\r\n{message} UID {nth})\r\n* 99 EXISTS\r\n"),
            2 => format!("* {nth} FETCH (BODY[] \"{message}\" {date} UID {nth})\r\n* OK [ALERT] {{5}}\r\n"),
            _ => format!(
                "* 98 FETCH (BODY[] NIL UID 98)\r\n* {nth} FETCH (X-Y (a {{2}}\r\n))) UID {nth} BODY[] {{{length}}}\r\n{message} {date})\r\n"
            ),
        };
    }
    said += "D4 OK done\r\n";
    let mut imap = session(Access::Imap, &password(), &said).await.unwrap();
    imap.open("INBOX").await.unwrap();
    let announced = (1..).zip(&messages).map(|(uid, message)| Announced {
        copy: CopyRef::Uid(uid),
        size: message.len() as u64,
        facts: None,
    });
    let window: Vec<_> = announced.collect();
    let mut fetched = Vec::new();
    let mut sink = |one: Fetched| fetched.push(one);
    let unfetched = imap.fetch(&window, Want::Whole, &mut sink).await.unwrap();
    assert!(unfetched.is_empty(), "{unfetched:?}");
    assert_eq!(fetched.len(), messages.len());
    for ((uid, message), one) in (1..).zip(&messages).zip(fetched) {
        assert_eq!(one.copy, CopyRef::Uid(uid));
        assert_eq!(one.internal_date, Some(837_596_665));
        assert!(one.bytes == message.as_bytes(), "{uid} is not as it was sent");
    }
}
