//! Watches the source of a profile that runs continuously, over a connection of its own: the server announces new
//! mail, and the supervisor hears of it.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt;

use super::{connection::Counted, retry::Backoff};
use crate::{
    config,
    source::{SourceError, Steps, Waited},
    token::{Login, LoginError},
};

/// How long the server is waited on before it is asked anew: it may end a session after 30 minutes (RFC 2177), and
/// firewalls forget silent connections sooner.
const RENEW: Duration = Duration::from_secs(9 * 60);

/// A connection that was held for so long was of use.
const LASTED: Duration = Duration::from_secs(60);

/// Between attempts to watch.
const AGAIN: Backoff = Backoff {
    first: Duration::from_secs(1),
    cap: Duration::from_secs(300),
};

/// What a watcher says. Clones are the same.
#[derive(Clone, Default)]
pub struct Watched(Arc<Inner>);

#[derive(Default)]
struct Inner {
    changed: AtomicBool,
    watching: AtomicBool,
}

impl Watched {
    /// Whether there is new mail since this was last asked.
    pub fn take_changed(&self) -> bool {
        self.0.changed.swap(false, Ordering::AcqRel)
    }

    /// Whether new mail would be noticed now.
    pub fn is_watching(&self) -> bool {
        self.0.watching.load(Ordering::Acquire)
    }

    fn change(&self) {
        self.0.changed.store(true, Ordering::Release);
    }

    fn watch(&self, watching: bool) {
        self.0.watching.store(watching, Ordering::Release);
    }
}

/// Watches the profile's first folder, for good. Where it cannot, the schedule alone has to do.
pub async fn watch(profile: config::Profile, login: Login, watched: Watched) {
    let mut failures = 0;
    loop {
        let watching = AssertUnwindSafe(hold(&profile, &login, &watched, &mut failures)).catch_unwind();
        let ended = watching.await;
        watched.watch(false);
        failures += 1;
        let (why, pause) = match ended {
            Ok(error) => {
                let wait = error.source_error().and_then(SourceError::wait);
                let pause = match wait.and_then(|wait| wait.suggested) {
                    Some(suggested) => suggested.max(AGAIN.after(failures)),
                    // To be refused again and again locks accounts.
                    None if error.is_final() => AGAIN.cap,
                    None => AGAIN.after(failures),
                };
                (error.to_string(), pause)
            }
            Err(_) => (
                "it panicked; this is a bug in dropkeep".to_owned(),
                AGAIN.after(failures),
            ),
        };
        tracing::warn!(
            profile = profile.name,
            why,
            ?pause,
            "new mail is looked for every minute, as it cannot be watched for"
        );
        tokio::time::sleep(pause).await;
    }
}

/// One connection, until it is lost. One that lasted ends the count of failures: a server that ends them at once must
/// not be come to again and again.
async fn hold(profile: &config::Profile, login: &Login, watched: &Watched, failures: &mut u32) -> LoginError {
    let watching = async {
        let mut session = login.connect(&mut Steps::default()).await?;
        let _counted = Counted::new(&profile.name);
        let folders = session.folders(&profile.folders).await?;
        // A pattern that nothing matches is none.
        let folder = folders.iter().find(|folder| !folder.contains(['*', '%']));
        let folder = folder.map_or("INBOX", String::as_str);
        session.open(folder).await?;
        // What came while nobody watched was not noticed.
        watched.change();
        watched.watch(true);
        loop {
            let waited = session.wait(RENEW).await?;
            if waited == Waited::Changed {
                watched.change();
            }
        }
    };
    let began = Instant::now();
    let ended: Result<std::convert::Infallible, LoginError> = watching.await;
    if watched.is_watching() && began.elapsed() >= LASTED {
        *failures = 0;
    }
    match ended {
        Err(error) => error,
    }
}
