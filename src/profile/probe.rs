//! The test of a profile: connect, log in, look. Stores nothing, changes nothing on the server.

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;

use super::{evidence::Evidence, proposal::Proposal, run::Exit, survey::may_not_be_read};
use crate::{
    config::{Config, ConfigError, Profile},
    identify::Header,
    message::Address,
    route::{Directory, Known},
    source::{Announced, CopyRef, Disposition, PeerCertificate, Session, SourceError, Steps, Want},
    token::{Login, LoginError, TokenError},
};

/// Messages whose headers are looked at, the newest first.
const NEWEST: usize = 200;
/// Folders that are counted.
const FOLDERS: usize = 200;

/// What a test found, as `dropkeep test --json` prints it.
#[derive(Serialize, Debug)]
pub struct Probe {
    pub profile: String,
    pub ok: bool,
    pub steps: Vec<ProbeStep>,
    pub tls: Option<PeerCertificate>,
    pub capabilities: Vec<String>,
    /// What the administrator should know of the server.
    pub warnings: Vec<String>,
    pub folders: Vec<ProbeFolder>,
    /// Of the newest messages, how many have each of the profile's envelope headers.
    pub envelope_headers: BTreeMap<String, usize>,
    /// Rules that fit the newest messages; none where no header was seen.
    pub proposal: Option<Proposal>,
    #[serde(skip)]
    pub exit: Exit,
}

#[derive(Serialize, Debug)]
pub struct ProbeStep {
    pub step: String,
    pub ok: bool,
    pub detail: String,
    pub ms: u64,
}

#[derive(Serialize, Debug)]
pub struct ProbeFolder {
    pub name: String,
    pub messages: u32,
}

/// Tests `profile`, one of `config`.
///
/// # Errors
/// Its password cannot be had, or what a token is asked for with.
pub async fn probe(config: &Config, profile: &Profile) -> Result<Probe, ConfigError> {
    let mut probe = Probe {
        profile: profile.name.clone(),
        ok: false,
        steps: Vec::new(),
        tls: None,
        capabilities: Vec::new(),
        warnings: Vec::new(),
        folders: Vec::new(),
        envelope_headers: BTreeMap::new(),
        proposal: None,
        exit: Exit::Source,
    };
    let Some(mut session) = probe.connect(&Login::new(config, profile)).await? else {
        return Ok(probe);
    };
    let mut evidence = Evidence::new(&profile.recipients).with_aliases(&config.domain_aliases);
    let looked = probe.look(profile, &mut session, &mut evidence).await;
    if let Err(error) = session.close().await {
        tracing::debug!(%error, "the session did not end in good order");
    }
    let directory = Directory::of_config(config);
    let has_user = |address: &Address| {
        let known = directory.look_up(address, profile.recipients.plus_addressing);
        matches!(known, Known::Users(..))
    };
    probe.proposal = Proposal::new(&evidence, &profile.recipients, &profile.server.username, has_user);
    probe.ok = looked;
    probe.exit = if looked { Exit::Done } else { Exit::Errors };
    Ok(probe)
}

impl Probe {
    fn step(&mut self, step: &str, started: Instant, result: &Result<String, SourceError>) -> bool {
        let (ok, detail) = match result {
            Ok(detail) => (true, detail.clone()),
            Err(error) => (false, error.to_string()),
        };
        let ms = started.elapsed().as_millis() as u64;
        self.steps.push(ProbeStep {
            step: step.to_owned(),
            ok,
            detail,
            ms,
        });
        ok
    }

    async fn connect(&mut self, login: &Login) -> Result<Option<Session>, ConfigError> {
        let mut steps = Steps::default();
        let started = Instant::now();
        let connected = login.connect(&mut steps).await;
        let mut known = 0;
        for (step, detail, took) in steps.done {
            let ms = took.as_millis() as u64;
            known += ms;
            self.steps.push(ProbeStep {
                step: step.as_str().to_owned(),
                ok: true,
                detail,
                ms,
            });
        }
        self.tls = steps.certificate;
        match connected {
            Ok(session) => {
                self.capabilities = session.capabilities().to_vec();
                self.warnings = session.warnings();
                Ok(Some(session))
            }
            Err(LoginError::Config(error) | LoginError::Token(TokenError::Config(error))) => Err(error),
            Err(error) => {
                self.exit = error.blame().into();
                self.steps.push(ProbeStep {
                    step: error.step().as_str().to_owned(),
                    ok: false,
                    detail: error.to_string(),
                    ms: (started.elapsed().as_millis() as u64).saturating_sub(known),
                });
                Ok(None)
            }
        }
    }

    /// Looks at folders and headers; false where something of it failed.
    async fn look(&mut self, profile: &Profile, session: &mut Session, evidence: &mut Evidence) -> bool {
        let started = Instant::now();
        let result = self.count_folders(profile, session).await;
        let all = matches!(result, Ok((_, true)));
        let result = result.map(|(detail, _)| detail);
        if !self.step("folders", started, &result) {
            return false;
        }
        if !session.can_fetch_headers() {
            return all;
        }
        let started = Instant::now();
        let result = self.count_headers(profile, session, evidence).await;
        self.step("headers", started, &result) && all
    }

    /// Gives what was found, and whether all of it can be archived. What cannot is a step of its own, that failed.
    async fn count_folders(&mut self, profile: &Profile, session: &mut Session) -> Result<(String, bool), SourceError> {
        let names = session.folders(&profile.folders).await?;
        self.warnings
            .extend(session.take_unclear().map(|error| error.to_string()));
        let (found, mut all) = (names.len(), true);
        for name in names.into_iter().take(FOLDERS) {
            let started = Instant::now();
            match session.open(&name).await {
                Ok(opened) => self.folders.push(ProbeFolder {
                    name,
                    messages: opened.exists,
                }),
                Err(error) if error.is_denial() && !profile.folders.include.contains(&name) => {
                    self.warnings.push(may_not_be_read(&name, &error));
                }
                Err(error) if error.disposition() == Disposition::Report => {
                    all = false;
                    let words = if error.to_string().contains(&name) {
                        error.to_string()
                    } else {
                        format!("{name}: {error}")
                    };
                    self.steps.push(ProbeStep {
                        step: "folder".to_owned(),
                        ok: false,
                        detail: words,
                        ms: started.elapsed().as_millis() as u64,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        let (opened, messages) = (
            self.folders.len(),
            self.folders
                .iter()
                .map(|folder| u64::from(folder.messages))
                .sum::<u64>(),
        );
        let detail = match found.min(FOLDERS) == opened {
            true => format!(
                "{found} folder{}, {messages} messages",
                if found == 1 { "" } else { "s" }
            ),
            false => format!("{opened} of {found} folders, {messages} messages"),
        };
        Ok((detail, all && opened > 0))
    }

    async fn count_headers(
        &mut self,
        profile: &Profile,
        session: &mut Session,
        evidence: &mut Evidence,
    ) -> Result<String, SourceError> {
        let Some(fullest) = self.folders.iter().max_by_key(|folder| folder.messages) else {
            return Ok("no folder, no header".into());
        };
        session.open(&fullest.name).await?;
        let listing = session.listing().await?;
        let newest: Vec<CopyRef> = listing
            .copies()
            .skip((listing.len() as usize).saturating_sub(NEWEST))
            .collect();
        let announced: Vec<Announced> = session.sizes(&newest, false).await?;
        let (counts, mut looked_at) = (&mut self.envelope_headers, 0);
        for window in announced.chunks(20) {
            let mut count = |fetched: crate::source::Fetched| {
                let header = Header::scan(&fetched.bytes);
                looked_at += 1;
                evidence.look(&header);
                for name in &profile.recipients.envelope_headers {
                    if header.all(name).next().is_some() {
                        *counts.entry(name.clone()).or_default() += 1;
                    }
                }
            };
            session.fetch(window, Want::Header, &mut count).await?;
        }
        Ok(format!("looked at the headers of the newest {looked_at}"))
    }
}
