//! The keeper of a profile's tokens: it gives out a valid one, from the file or newly from the endpoint.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use super::{
    TokenError,
    file::{Access, TokenFile, Tokens, digest},
    grant::{Asking, Given, basis},
    key::Key,
};
use crate::{
    clock,
    config::{Config, Grant, OAuth2, Profile, Secret, Secrets},
    net::{Post, post},
    report::metrics,
};

/// A token that expires sooner is renewed, in seconds; where it never was good for longer, in the second half of its
/// time.
const MARGIN: i64 = 300;
/// How long a server that refuses whatever it is given gets no further token, in seconds.
const REFUSAL_HOLDS: i64 = 300;

/// Gives a profile's access tokens. Clones are one keeper.
#[derive(Clone)]
pub struct TokenKeeper {
    inner: Arc<Inner>,
}

struct Inner {
    profile: String,
    username: String,
    oauth2: OAuth2,
    /// How long the endpoint may take.
    timeout: Duration,
    secrets: Secrets,
    file: TokenFile,
    /// Held while the file is looked at and the token renewed.
    turn: Mutex<Turn>,
}

#[derive(Default)]
struct Turn {
    /// When the endpoint said to come again.
    not_before: Option<Instant>,
    /// What the disk did not take. It is tried again before anything else: the endpoint may know no other refresh
    /// token.
    unwritten: Option<Unwritten>,
}

struct Unwritten {
    /// The refresh token that was sent for it.
    sent: Option<Secret>,
    tokens: Tokens,
}

impl TokenKeeper {
    /// The keeper of a profile; `None` where it logs in with a password. Nothing is read or asked yet.
    pub fn new(config: &Config, profile: &Profile) -> Option<Self> {
        let oauth2 = profile.server.oauth2.clone()?;
        Some(Self {
            inner: Arc::new(Inner {
                profile: profile.name.clone(),
                username: profile.server.username.clone(),
                oauth2,
                timeout: profile.server.timeout(),
                secrets: config.secrets.clone(),
                file: TokenFile::new(&config.data_dir, &profile.name),
                turn: Mutex::default(),
            }),
        })
    }

    /// An access token that is good for some minutes more: the one at hand, else a new one. A refresh token that came
    /// with it is on disk before this returns.
    ///
    /// # Errors
    /// There is none; the words say what to do. [`TokenError::later`] tells when to come again.
    pub async fn token(&self) -> Result<Secret, TokenError> {
        self.to_its_end(|inner| async move { inner.token().await }).await
    }

    /// The server refuses `token`, which [`TokenKeeper::token`] gave: the next one will be new. True where it will;
    /// false where one was renewed for this reason just before, so that yet another is of no use.
    pub async fn refused(&self, token: &Secret) -> bool {
        let token = token.clone();
        let noted = self.to_its_end(|inner| async move { inner.refused(&token).await });
        noted.await.unwrap_or_else(|error| {
            tracing::warn!(profile = self.inner.profile, %error, "a refused token stays in use");
            false
        })
    }

    /// Does something that goes on where nobody waits for it any more: the endpoint may have taken back the refresh
    /// token it was sent, and then its answer must be kept.
    async fn to_its_end<T, F>(&self, doing: impl FnOnce(Arc<Inner>) -> F) -> Result<T, TokenError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, TokenError>> + Send + 'static,
    {
        match tokio::spawn(doing(self.inner.clone())).await {
            Ok(done) => done,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(TokenError::Interrupted),
            },
        }
    }
}

impl Inner {
    async fn token(&self) -> Result<Secret, TokenError> {
        let mut turn = self.turn.lock().await;
        self.write_what_is_left(&mut turn).await?;
        let basis = basis(&self.oauth2, &self.username);
        let tokens = self.kept()?;
        if let Some(token) = usable(&tokens, &basis, now()) {
            return Ok(self.tell(token));
        }
        self.heed(&turn)?;
        let _lock = self.file.lock(self.timeout).await?;
        // Another process may have been faster. Its token is newer than the time at which the wait for it began.
        let tokens = self.kept()?;
        if let Some(token) = usable(&tokens, &basis, now()) {
            return Ok(self.tell(token));
        }
        let given = self.ask(&tokens, &mut turn).await?;
        let issued_at = now();
        let access = Access {
            token: given.access,
            issued_at,
            expires_at: issued_at.saturating_add(given.good_for),
            basis,
        };
        let sent = tokens.refresh.clone();
        let tokens = Tokens {
            access: Some(access.clone()),
            refresh: given.refresh.or(tokens.refresh),
            ..tokens
        };
        if let Err(error) = self.keep(tokens.clone()).await {
            turn.unwritten = Some(Unwritten { sent, tokens });
            return Err(error);
        }
        tracing::info!(
            profile = self.profile,
            good_for = given.good_for,
            "the access token was renewed"
        );
        Ok(self.tell(&access))
    }

    async fn refused(&self, token: &Secret) -> Result<bool, TokenError> {
        let _turn = self.turn.lock().await;
        let _lock = self.file.lock(self.timeout).await?;
        let (mut tokens, now) = (self.kept()?, now());
        if tokens.access.as_ref().is_none_or(|access| access.token != *token) {
            return Ok(true);
        }
        let just_before = |at: i64| (0..REFUSAL_HOLDS).contains(&now.saturating_sub(at));
        if tokens.refused_at.is_some_and(just_before) {
            return Ok(false);
        }
        tokens.access = None;
        tokens.refused_at = Some(now);
        self.keep(tokens).await?;
        Ok(true)
    }

    /// What is kept, as of the refresh token that is configured now.
    fn kept(&self) -> Result<Tokens, TokenError> {
        let key = Key::load(&self.secrets)?;
        let tokens = self.file.read(key.as_ref())?;
        let Some(first) = self.oauth2.first_refresh_token()? else {
            return Ok(tokens);
        };
        let first = Secret::new(first.reveal().trim());
        let known = digest(&["the first refresh token", first.reveal()]);
        if tokens.first.as_ref() == Some(&known) && tokens.refresh.is_some() {
            return Ok(tokens);
        }
        if first.reveal().is_empty() {
            return Err(TokenError::NoRefreshToken {
                profile: self.profile.clone(),
            });
        }
        Ok(Tokens {
            refresh: Some(first),
            first: Some(known),
            ..Tokens::default()
        })
    }

    async fn keep(&self, tokens: Tokens) -> Result<(), TokenError> {
        let key = Key::load(&self.secrets)?;
        let file = self.file.clone();
        // Syncing takes as long as the disk takes.
        let written = tokio::task::spawn_blocking(move || file.write(&tokens, key.as_ref())).await;
        written.unwrap_or(Err(TokenError::Interrupted))
    }

    async fn write_what_is_left(&self, turn: &mut Turn) -> Result<(), TokenError> {
        let Some(left) = &turn.unwritten else { return Ok(()) };
        let _lock = self.file.lock(self.timeout).await?;
        // Nobody else went on from where we stood.
        if self.kept()?.refresh == left.sent {
            self.keep(left.tokens.clone()).await?;
        }
        turn.unwritten = None;
        Ok(())
    }

    /// Fails as long as the endpoint said not to come again.
    fn heed(&self, turn: &Turn) -> Result<(), TokenError> {
        let left = turn
            .not_before
            .map(|not_before| not_before.saturating_duration_since(Instant::now()));
        match left {
            Some(left) if !left.is_zero() => Err(TokenError::Later {
                endpoint: self.oauth2.token_endpoint.to_string(),
                words: "it was asked before".to_owned(),
                after: Some(Duration::from_secs(left.as_secs() + 1)),
            }),
            _ => Ok(()),
        }
    }

    async fn ask(&self, tokens: &Tokens, turn: &mut Turn) -> Result<Given, TokenError> {
        let client_secret = self.oauth2.client_secret()?;
        let asking = Asking {
            oauth2: &self.oauth2,
            client_secret: client_secret.as_ref(),
            refresh_token: match self.oauth2.grant {
                Grant::RefreshToken => tokens.refresh.as_ref(),
                Grant::ClientCredentials => None,
            },
        };
        let endpoint = &self.oauth2.token_endpoint;
        let form = Post {
            endpoint,
            ca_file: self.oauth2.ca_file.as_deref(),
            most: self.timeout,
            content_type: "application/x-www-form-urlencoded",
            bearer: None,
            body: asking.form().into(),
        };
        let reply = post(&form).await.map_err(|failure| TokenError::Net {
            endpoint: endpoint.to_string(),
            failure: Box::new(failure),
        })?;
        let given = asking.read(&reply);
        turn.not_before = match &given {
            Err(TokenError::Later { after: Some(after), .. }) => Instant::now().checked_add(*after),
            _ => None,
        };
        given
    }

    fn tell(&self, access: &Access) -> Secret {
        metrics::token_expiry(&self.profile, access.expires_at);
        access.token.clone()
    }
}

/// The access token, where it will be good for some time more.
fn usable<'t>(tokens: &'t Tokens, basis: &str, now: i64) -> Option<&'t Access> {
    let access = tokens.access.as_ref().filter(|access| access.basis == basis)?;
    let all = access.expires_at.saturating_sub(access.issued_at);
    let left = access.expires_at.saturating_sub(now);
    // A clock that was set back makes nothing good for longer than it was.
    (left > MARGIN.min(all / 2) && left <= all).then_some(access)
}

/// Seconds since 1970 UTC.
fn now() -> i64 {
    clock::now().as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(issued_at: i64, good_for: i64) -> Tokens {
        Tokens {
            access: Some(Access {
                token: Secret::new("a"),
                issued_at,
                expires_at: issued_at + good_for,
                basis: "b".into(),
            }),
            ..Tokens::default()
        }
    }

    #[test]
    fn a_token_is_used_while_it_is_good_for_some_minutes_more() {
        let is_usable = |good_for: i64, now: i64| usable(&tokens(1_000_000, good_for), "b", 1_000_000 + now).is_some();
        assert!(is_usable(3600, 0) && is_usable(3600, 3299));
        assert!(!is_usable(3600, 3300) && !is_usable(3600, 9999));
        assert!(
            is_usable(60, 29) && !is_usable(60, 30),
            "one that never was good for long"
        );
        assert!(!is_usable(0, 0));
        assert!(!is_usable(3600, -10), "the clock was set back");
        assert!(
            usable(&tokens(1_000_000, 3600), "c", 1_000_000).is_none(),
            "of another scope"
        );
        assert!(usable(&Tokens::default(), "b", 1_000_000).is_none());
    }
}
