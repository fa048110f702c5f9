//! Compression (RFC 4978).

use std::time::Duration;

use dropkeep::{
    config::{Compress, Server},
    source::{CopyRef, Disposition, Session, SourceError, Steps},
};

use crate::{
    imap_scripted::{able_to, examine, fetch, server},
    scripted::{Move, Scripted, answer, hear, ok, say, say_raw},
    session::PASSWORD,
};

/// A server that offers it.
fn offering(rest: Vec<Move>) -> Scripted {
    able_to("COMPRESS=DEFLATE", rest)
}

fn opened(rest: Vec<Move>) -> Scripted {
    let begins = vec![
        answer("COMPRESS DEFLATE", &["{tag} OK deflating"]),
        Move::Deflate,
        examine("INBOX", 3),
    ];
    offering([begins, rest].concat())
}

fn always(port: u16) -> Server {
    let mut server = server(port);
    server.compress = Compress::Always;
    server
}

async fn connect(server: &Server) -> (Session, Steps) {
    let password = dropkeep::source::Credential::Password(dropkeep::config::Secret::new(PASSWORD));
    let mut steps = Steps::default();
    let session = Session::connect(server, &password, &mut steps)
        .await
        .expect("a session");
    (session, steps)
}

async fn open(scripted: &Scripted) -> Session {
    let (mut session, steps) = connect(&always(scripted.port)).await;
    assert!(steps.done.last().expect("a step").1.ends_with(", compressed"));
    session.open("INBOX").await.expect("INBOX");
    session
}

#[tokio::test]
async fn large_and_small_answers_come_through_deflated() {
    // Hardly compressible, so that what is read ends anywhere.
    let mut seed = 1u32;
    let body: Vec<u8> = (0..900_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .collect();
    let head = format!("* 1 FETCH (UID 5 BODY[] {{{}}}\r\n", body.len());
    let answer = [head.as_bytes(), &body, b")\r\n{tag} OK done\r\n"].concat();
    let scripted = opened(vec![
        hear("UID FETCH 5 "),
        say_raw(&answer),
        ok("UID FETCH 6 ", &["* 2 FETCH (UID 6 BODY[] {1}", "x)"]),
        ok("LOGOUT", &["* BYE bye"]),
    ]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5]).await;
    assert_eq!(ended.expect("the command is OK"), []);
    assert!(got[0].bytes == body);
    let (got, _) = fetch(&mut session, &[6]).await;
    assert_eq!(got[0].copy, CopyRef::Uid(6));
    session.close().await.expect("a farewell");
    scripted.done();
}

#[tokio::test]
async fn what_inflates_beyond_its_allowance_is_stopped() {
    // 64 MiB from some 64 KiB on the wire.
    let mut line = b"* OK ".to_vec();
    line.resize(64 << 20, b'x');
    let scripted = opened(vec![hear("UID FETCH 5 "), say_raw(&line), Move::Hang]);
    let mut session = open(&scripted).await;
    let (_, ended) = fetch(&mut session, &[5]).await;
    let error = ended.expect_err("too much");
    assert!(matches!(error, SourceError::TooMuch { .. }), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Reconnect);
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn what_is_not_deflated_is_an_error() {
    let scripted = offering(vec![
        answer("COMPRESS DEFLATE", &["{tag} OK deflating"]),
        // It goes on in clear text.
        say(&["* OK but I do not", "* OK and never will"]),
        Move::Hang,
    ]);
    let server = always(scripted.port).with_timeout(Duration::from_secs(5));
    let (mut session, _) = connect(&server).await;
    let error = session.open("INBOX").await.expect_err("nonsense");
    assert_eq!(error.disposition(), Disposition::Reconnect, "{error:?}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_refused_compression_goes_on_without() {
    let scripted = offering(vec![
        answer("COMPRESS DEFLATE", &["{tag} NO [COMPRESSIONACTIVE] TLS does it"]),
        examine("INBOX", 3),
    ]);
    let (mut session, steps) = connect(&always(scripted.port)).await;
    assert!(!steps.done.last().expect("a step").1.contains("compressed"));
    session.open("INBOX").await.expect("INBOX");
    scripted.done();
}

#[tokio::test]
async fn a_server_on_this_machine_is_not_asked_to_compress_by_itself() {
    for compress in [Compress::Auto, Compress::Never] {
        let scripted = offering(vec![examine("INBOX", 3)]);
        let mut server = server(scripted.port);
        server.compress = compress;
        let (mut session, _) = connect(&server).await;
        session.open("INBOX").await.expect("INBOX");
        scripted.done();
    }
}
