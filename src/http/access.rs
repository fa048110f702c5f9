//! Who is let in, by certificates and the token, and how both are exchanged while they are used.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::http::header::HeaderValue;
use rustls::ServerConfig;
use tokio::time::MissedTickBehavior;

use super::{
    HttpError,
    tls::{Tls, warn_of_readers},
    token::Token,
    watched::Watched,
};
use crate::config;

/// How often it is looked whether files changed. A change is taken at the second look.
const LOOK: Duration = Duration::from_secs(2);

pub(super) struct Access {
    http: config::Http,
    tls: Option<(Tls, Watched)>,
    token: Option<(Token, Watched)>,
}

impl Access {
    /// Reads what the configuration names. `pages` are those that ask for the token, as the log names them.
    ///
    /// # Errors
    /// Some of it cannot be used.
    pub fn open(http: &config::Http, pages: &str) -> Result<Self, HttpError> {
        let tls = match &http.tls {
            None => None,
            Some(tls) => {
                let watched = Watched::new(tls.files());
                Some((Tls::open(tls)?, watched))
            }
        };
        let watched = Watched::new(http.token_file().into_iter().cloned().collect());
        let token = read_token(http)?.map(|token| (Token::new(&token, pages), watched));
        Ok(Self {
            http: http.clone(),
            tls,
            token,
        })
    }

    /// For the listeners; `None` where clear text is spoken.
    pub fn tls(&self) -> Option<ServerConfig> {
        self.tls.as_ref().map(|(tls, _)| tls.config())
    }

    /// When the certificate expires, in seconds since 1970 UTC; `None` in clear text.
    pub fn certificate_expiry(&self) -> Option<i64> {
        self.tls.as_ref().map(|(tls, _)| tls.not_after())
    }

    /// Whether what asks for the token is for a client that sent this `Authorization`. Refusals are logged.
    pub fn permits(&self, given: Option<&HeaderValue>, from: Option<SocketAddr>) -> bool {
        let Some((token, _)) = &self.token else { return true };
        let permitted = token.is_named_by(given);
        if !permitted {
            token.refused(from);
        }
        permitted
    }

    /// Whether there is a token.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// As [`permits`](Self::permits), where nothing is refused, so that nothing is logged.
    pub fn knows_token(&self, given: Option<&HeaderValue>) -> bool {
        self.token.as_ref().is_none_or(|(token, _)| token.is_named_by(given))
    }

    /// Whether anything can change.
    pub fn is_watched(&self) -> bool {
        self.tls.is_some() || self.http.token_file().is_some()
    }

    /// Reads everything again.
    ///
    /// # Errors
    /// The first thing that is wrong; each of them is logged.
    pub fn reload(&self) -> Result<(), HttpError> {
        let tls = self.tls.iter().try_for_each(|(tls, watched)| {
            watched.read_now();
            told(self.exchange_tls(tls))
        });
        let token = self.token.iter().try_for_each(|(token, watched)| {
            watched.read_now();
            told(self.exchange_token(token))
        });
        tls.and(token)
    }

    /// Reads again what changed. What is wrong is logged, once for each change.
    fn look(&self) {
        if let Some((tls, watched)) = &self.tls
            && watched.have_changed()
        {
            let _ = told(self.exchange_tls(tls));
        }
        if let Some((token, watched)) = &self.token
            && watched.have_changed()
        {
            let _ = told(self.exchange_token(token));
        }
    }

    fn exchange_tls(&self, tls: &Tls) -> Result<(), HttpError> {
        if let Some(config) = &self.http.tls {
            tls.exchange(config)?;
            tracing::info!(
                "HTTP uses the new certificate of {} from now on",
                config.cert_file.display()
            );
        }
        Ok(())
    }

    fn exchange_token(&self, token: &Token) -> Result<(), HttpError> {
        if let Some(new) = read_token(&self.http)? {
            token.exchange(&new);
            if let Some(file) = self.http.token_file() {
                warn_of_readers("token_file", file);
            }
            tracing::info!("{} for the new token from now on", token.who_asks());
        }
        Ok(())
    }
}

fn read_token(http: &config::Http) -> Result<Option<config::Secret>, HttpError> {
    Ok(http.token()?)
}

fn told(exchanged: Result<(), HttpError>) -> Result<(), HttpError> {
    exchanged.inspect_err(|error| tracing::error!(%error, "the new file is refused; HTTP goes on with the earlier one"))
}

/// Looks at the files again and again.
pub(super) async fn watch(access: Arc<Access>) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let access = access.clone();
        // The disk may be slow, and a panic is reported where it happens.
        let _ = tokio::task::spawn_blocking(move || access.look()).await;
    }
}
