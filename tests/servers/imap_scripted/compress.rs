//! Compression (RFC 4978).

use std::time::Duration;

use dropkeep::{
    config::{Compress, Server},
    source::{CopyRef, Disposition, Session, SourceError, Steps},
};

use crate::imap_scripted::{
    PASSWORD, fetch,
    scripted::{Move, Scripted, hear, say, say_raw},
    server,
};

/// A server that offers it.
fn offering(rest: Vec<Move>) -> Scripted {
    let mut script = vec![
        say(&["* OK ready"]),
        hear("CAPABILITY"),
        say(&["* CAPABILITY IMAP4rev1", "{tag} OK done"]),
        hear(PASSWORD),
        say(&["{tag} OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] welcome"]),
    ];
    script.extend(rest);
    Scripted::play(script)
}

fn opened(rest: Vec<Move>) -> Scripted {
    let mut script = vec![
        hear("COMPRESS DEFLATE"),
        say(&["{tag} OK deflating"]),
        Move::Deflate,
        hear("EXAMINE \"INBOX\""),
        say(&[
            "* 3 EXISTS",
            "* OK [UIDVALIDITY 77] valid",
            "* OK [UIDNEXT 902] next",
            "{tag} OK open",
        ]),
    ];
    script.extend(rest);
    offering(script)
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
        hear("UID FETCH 6 "),
        say(&["* 2 FETCH (UID 6 BODY[] {1}", "x)", "{tag} OK done"]),
        hear("LOGOUT"),
        say(&["* BYE bye", "{tag} OK done"]),
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
        hear("COMPRESS DEFLATE"),
        say(&["{tag} OK deflating"]),
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
        hear("COMPRESS DEFLATE"),
        say(&["{tag} NO [COMPRESSIONACTIVE] TLS does it"]),
        hear("EXAMINE"),
        say(&[
            "* 3 EXISTS",
            "* OK [UIDVALIDITY 77] valid",
            "* OK [UIDNEXT 902] next",
            "{tag} OK open",
        ]),
    ]);
    let (mut session, steps) = connect(&always(scripted.port)).await;
    assert!(!steps.done.last().expect("a step").1.contains("compressed"));
    session.open("INBOX").await.expect("INBOX");
    scripted.done();
}

#[tokio::test]
async fn a_server_on_this_machine_is_not_asked_to_compress_by_itself() {
    for compress in [Compress::Auto, Compress::Never] {
        let scripted = offering(vec![
            hear("EXAMINE"),
            say(&[
                "* 3 EXISTS",
                "* OK [UIDVALIDITY 77] valid",
                "* OK [UIDNEXT 902] next",
                "{tag} OK open",
            ]),
        ]);
        let mut server = server(scripted.port);
        server.compress = compress;
        let (mut session, _) = connect(&server).await;
        session.open("INBOX").await.expect("INBOX");
        scripted.done();
    }
}
