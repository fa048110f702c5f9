//! The journey of a session: all that a profile asks of one, in its order.

use std::time::Duration;

use dropkeep::{
    config::{Access, Compress, Encryption, Folders, Server},
    said::Say,
    source::{Disposition, Fetched, Kept, OpenFolder, Removal, Session, SourceError, Steps, UnfetchedWhy, Want},
};

use crate::{Played, Watched};

/// Copies that are taken out of a listing, as a window does.
const WINDOW: usize = 40;

/// The largest message that is fetched, in bytes. A profile has such a bound too.
const LARGEST: u64 = 64 << 10;

/// What a session gave.
#[derive(Debug, Default)]
pub struct Journey {
    pub fetched: Vec<(Want, Fetched)>,
    /// Whether what was sent came as it stands in the input.
    pub inflated: bool,
}

/// A server that is reached in one of some ways.
pub fn server(access: [Access; 2], how: u8) -> Server {
    let username = if how & 2 == 2 { "jäne" } else { "jane@example.com" };
    let mut server = Server::new(access[usize::from(how & 1)], "mail.example.com", 1, username);
    server.compress = if how & 4 == 4 {
        Compress::Always
    } else {
        Compress::Never
    };
    server.with_timeout(Duration::from_secs(60))
}

/// Does with a session what a run and its second pass do. `watched` is what it logs in with, and must stand in none of
/// its errors.
pub fn journey(server: &Server, watched: &Watched, stream: Played, how: u8) -> Journey {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let mut journey = Journey {
        inflated: server.compress == Compress::Always,
        ..Journey::default()
    };
    let ended = runtime.block_on(travel(server, watched, stream, how, &mut journey));
    // Before TLS nothing secret was sent, and nothing is.
    if let Err(error) = ended
        && server.access.encryption() == Encryption::Never
    {
        told(watched, &error);
    }
    journey
}

async fn travel(
    server: &Server,
    watched: &Watched,
    stream: Played,
    how: u8,
    journey: &mut Journey,
) -> Result<(), SourceError> {
    let mut steps = Steps::default();
    let mut session = Session::over(server, &watched.credential, stream, &mut steps).await?;
    session
        .warnings()
        .iter()
        .for_each(|words| watched.must_not_be_in(words));
    let special = how & 1 == 1;
    let patterns = Folders {
        include: if special {
            vec!["INBOX".into(), "\\Junk".into()]
        } else {
            vec!["*".into(), "Ü*".into()]
        },
        exclude: vec![if special { "\\Trash" } else { "a/%" }.into()],
        subscribed: how & 2 == 2,
    };
    let folders = going_on(watched, session.folders(&patterns).await)?;
    unclear(&mut session, watched);
    let mut folders = folders.unwrap_or_default().into_iter();
    // A name is no word of the server's that could be left out.
    let folder = folders
        .find(|name| !watched.is_in(name))
        .unwrap_or_else(|| "INBOX".to_owned());
    if let Some(OpenFolder { name, .. }) = going_on(watched, session.open(&folder).await)? {
        assert!(name == folder || name == "INBOX");
        visit(&mut session, watched, how, journey).await?;
    }
    session.close().await
}

async fn visit(session: &mut Session, watched: &Watched, how: u8, journey: &mut Journey) -> Result<(), SourceError> {
    let listing = going_on(watched, session.listing().await)?;
    let copies = listing.iter().flat_map(|listing| listing.copies());
    let listed: Vec<_> = copies.take(WINDOW).collect();
    unclear(session, watched);
    let mut announced = going_on(watched, session.sizes(&listed, how & 4 == 4).await)?.unwrap_or_default();
    assert!(announced.iter().all(|one| listed.contains(&one.copy)));
    announced.retain(|one| one.size <= LARGEST);
    for want in [Want::Header, Want::Whole] {
        if want == Want::Header && !session.can_fetch_headers() {
            continue;
        }
        let fetched = &mut journey.fetched;
        let before = fetched.len();
        let mut sink = |one| fetched.push((want, one));
        let unfetched = going_on(watched, session.fetch(&announced, want, &mut sink).await)?;
        let came = &journey.fetched[before..];
        assert!(
            came.iter()
                .all(|(_, one)| announced.iter().any(|asked| asked.copy == one.copy))
        );
        for one in unfetched.iter().flatten() {
            assert!(
                came.iter().all(|(_, other)| other.copy != one.copy),
                "it came, and it did not"
            );
            if let UnfetchedWhy::Refused(words) | UnfetchedWhy::NotUnderstood(words) = &one.why {
                watched.must_not_be_in(words);
            }
        }
        if let Some(unfetched) = unfetched {
            assert!(came.len() + unfetched.len() == announced.len(), "each has one outcome");
        }
    }
    if how & 8 == 8 && session.can_wait() {
        going_on(watched, session.wait(Duration::from_secs(300)).await)?;
    }
    let removal = if how & 16 == 16 {
        Removal::Move("Archived ü")
    } else {
        Removal::Delete
    };
    if going_on(watched, session.open_for_removal("INBOX").await)?.is_some()
        && let Some(removed) = going_on(watched, session.remove(&listed, removal).await)?
    {
        let kept = removed.kept.iter().map(|(copy, _)| copy);
        assert!(removed.gone.iter().chain(kept).all(|copy| listed.contains(copy)));
        for (_, kept) in &removed.kept {
            watched.must_not_be_in(&kept.said().to_string());
            assert!(*kept != Kept::Refused(String::new()));
        }
    }
    Ok(())
}

/// What was left out of a listing.
fn unclear(session: &mut Session, watched: &Watched) {
    if let Some(error) = session.take_unclear() {
        told(watched, &error);
    }
}

/// What came of a command; nothing where it was refused, and the session goes on.
fn going_on<T>(watched: &Watched, result: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.disposition() == Disposition::Report => {
            told(watched, &error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// An error, as it is told.
fn told(watched: &Watched, error: &SourceError) {
    for words in [error.to_string(), format!("{error:?}")] {
        watched.must_not_be_in(&words);
    }
    let _ = (error.wait(), error.is_final(), error.step());
}
