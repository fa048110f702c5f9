//! STARTTLS and STLS: what is said in clear text before them is not believed.

use dropkeep::{
    config::Access,
    net::NetError,
    source::{ConnectStep, Disposition, SourceError},
};

use crate::{
    scripted::{Move, Scripted, answer, hear, ok, say, say_raw},
    tls::{connect, fingerprint, login, pinned, script, self_signed, unverified},
};

const IMAP_OFFER: [&str; 2] = ["* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED", "{tag} OK done"];

#[tokio::test]
async fn starttls_upgrades_and_asks_everything_again() {
    let identity = self_signed("localhost");
    let before = vec![
        say(&["* OK ready"]),
        answer("CAPABILITY", &IMAP_OFFER),
        answer("STARTTLS", &["{tag} OK go ahead"]),
        Move::Tls(identity.config()),
    ];
    let scripted = script(before, login());
    let (session, steps) = connect(Access::ImapTls, scripted.port, pinned(fingerprint(&identity))).await;
    let session = session.expect("a session");
    assert_eq!(session.capabilities(), ["IMAP4rev1", "UIDPLUS"]);
    let done: Vec<_> = steps.done.iter().map(|(step, ..)| *step).collect();
    assert_eq!(
        done,
        [
            ConnectStep::Resolve,
            ConnectStep::Connect,
            ConnectStep::Greeting,
            ConnectStep::Tls,
            ConnectStep::Login
        ]
    );
    scripted.done();
}

/// The error of an access with STARTTLS or STLS against a script that ends before TLS. No
/// script hears a password: it would not be followed.
async fn not_upgraded(access: Access, moves: Vec<Move>) -> SourceError {
    let scripted = Scripted::play(moves);
    let (session, _) = connect(access, scripted.port, unverified()).await;
    scripted.done();
    let error = session.expect_err("no session");
    assert_eq!(error.disposition(), Disposition::Unreachable, "{error:?}");
    assert!(error.step().is_some(), "{error:?}");
    error
}

#[tokio::test]
async fn starttls_that_is_not_offered_is_never_plain_text() {
    let moves = vec![
        say(&["* OK ready"]),
        ok("CAPABILITY", &["* CAPABILITY IMAP4rev1"]),
        Move::Hang,
    ];
    let error = not_upgraded(Access::ImapTls, moves).await;
    assert!(
        matches!(
            error,
            SourceError::Net(NetError::NoUpgrade {
                command: "STARTTLS",
                ..
            })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn starttls_that_is_refused_shows_the_servers_words() {
    let moves = vec![
        say(&["* OK ready"]),
        answer("CAPABILITY", &IMAP_OFFER),
        answer("STARTTLS", &["{tag} BAD not today"]),
        Move::Hang,
    ];
    let error = not_upgraded(Access::ImapTls, moves).await;
    assert!(error.to_string().contains("not today"), "{error}");
}

#[tokio::test]
async fn bytes_behind_the_ok_to_starttls_are_refused() {
    let moves = vec![
        say(&["* OK ready"]),
        answer("CAPABILITY", &IMAP_OFFER),
        answer("STARTTLS", &["{tag} OK go ahead", "* CAPABILITY IMAP4rev1 X-INJECTED"]),
        Move::Hang,
    ];
    let error = not_upgraded(Access::ImapTls, moves).await;
    assert!(
        matches!(
            error,
            SourceError::Net(NetError::Injected {
                command: "STARTTLS",
                ..
            })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn preauth_is_refused_where_starttls_is_due() {
    let error = not_upgraded(Access::ImapTls, vec![say(&["* PREAUTH welcome"]), Move::Hang]).await;
    assert!(matches!(error, SourceError::Preauth { .. }), "{error:?}");
}

#[tokio::test]
async fn a_goodbye_before_starttls_is_quoted() {
    let error = not_upgraded(Access::ImapTls, vec![say(&["* BYE too many connections"])]).await;
    assert!(
        matches!(&error, SourceError::Greeting { words, .. } if words == "too many connections"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_endless_line_before_starttls_is_aborted() {
    let error = not_upgraded(Access::ImapTls, vec![say_raw(&vec![b'x'; 1 << 20]), Move::Hang]).await;
    assert!(matches!(error, SourceError::Connecting { .. }), "{error:?}");
}

const POP3_OFFER: [&str; 4] = ["+OK", "STLS", "UIDL", "."];

#[tokio::test]
async fn stls_upgrades_and_asks_everything_again() {
    let identity = self_signed("localhost");
    let before = vec![
        say(&["+OK ready"]),
        answer("CAPA", &POP3_OFFER),
        answer("STLS", &["+OK go ahead"]),
        Move::Tls(identity.config()),
    ];
    let after = vec![
        answer("CAPA", &["+OK", "USER", "."]),
        answer("USER user", &["+OK"]),
        answer("PASS password", &["+OK"]),
        answer("CAPA", &["+OK", "USER", "TOP", "."]),
    ];
    let scripted = script(before, after);
    let (session, _) = connect(Access::Pop3Tls, scripted.port, pinned(fingerprint(&identity))).await;
    let session = session.expect("a session");
    assert_eq!(session.capabilities(), ["USER", "TOP"]);
    assert!(session.certificate().is_some());
    scripted.done();
}

#[tokio::test]
async fn stls_that_is_not_offered_is_never_plain_text() {
    for answer in [say(&["+OK", "USER", "UIDL", "."]), say(&["-ERR what?"])] {
        let moves = vec![say(&["+OK ready"]), hear("CAPA"), answer, Move::Hang];
        let error = not_upgraded(Access::Pop3Tls, moves).await;
        assert!(
            matches!(error, SourceError::Net(NetError::NoUpgrade { command: "STLS", .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn bytes_behind_the_ok_to_stls_are_refused() {
    let moves = vec![
        say(&["+OK ready"]),
        answer("CAPA", &POP3_OFFER),
        answer("STLS", &["+OK go ahead", "+OK injected"]),
        Move::Hang,
    ];
    let error = not_upgraded(Access::Pop3Tls, moves).await;
    assert!(
        matches!(error, SourceError::Net(NetError::Injected { command: "STLS", .. })),
        "{error:?}"
    );
}
