//! The test of a profile: connect, log in, look. Stores nothing, changes nothing on the server.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    evidence::Evidence,
    glimpse::{glimpse, whole},
    list_folder::may_not_be_read,
    outlook::{Knowledge, NotCounted, Outlook},
    proposal::Proposal,
    tried::Tried,
};
use crate::{
    api::{Exit, StepLine},
    config::{Config, ConfigError, Folders, Profile},
    identify::Header,
    message::Address,
    net::PeerCertificate,
    report::remedy,
    route::{Directory, Known},
    said::{Said, Say, Saying, said},
    source::{Announced, CopyRef, Disposition, Session, SourceError, Steps},
    token::{Login, LoginError, TokenError},
};

/// Messages whose headers are looked at, the newest first.
const NEWEST: usize = 200;
/// Folders that are counted, and those that are only named.
const FOLDERS: usize = 200;
const OTHERS: usize = 200;

/// What a test found, as `dropkeep test --json` prints it.
#[derive(Serialize, Debug)]
pub struct Probe {
    pub profile: String,
    pub ok: bool,
    /// Whether it can be said that the profile works.
    pub verdict: Verdict,
    /// Why it cannot, where nothing failed.
    pub doubts: Vec<Said>,
    pub steps: Vec<StepLine>,
    pub tls: Option<PeerCertificate>,
    pub capabilities: Vec<String>,
    /// What the administrator should know of the server.
    pub warnings: Vec<Said>,
    pub folders: Vec<ProbeFolder>,
    /// Of the newest messages, how many have each of the profile's envelope headers where it counts, naming somebody.
    pub envelope_headers: BTreeMap<String, usize>,
    /// How many have it where it does not, and why.
    pub envelope_headers_not_counted: BTreeMap<String, NotCounted>,
    /// How the recipients of the newest messages are found; none where no header was seen.
    pub recipients: Option<Knowledge>,
    /// Rules that fit the newest messages; none where no header was seen.
    pub proposal: Option<Proposal>,
    /// For whom some of the newest messages would be, by the profile's rules, and by those that are proposed.
    pub tried: Option<Tried>,
    pub proposal_tried: Option<Tried>,
    /// Folders that the profile leaves out, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_folders: Option<Vec<String>>,
    /// Which sentences the doubts and warnings are, for whoever words them in another language.
    pub said: ProbeSaid,
    #[serde(skip)]
    pub exit: Exit,
    /// Told each step that was made.
    #[serde(skip)]
    told: Option<mpsc::Sender<StepLine>>,
}

/// The sentences of a test, in the order of their texts.
#[derive(Serialize, Default, Debug)]
pub struct ProbeSaid {
    pub doubts: Vec<Saying>,
    pub warnings: Vec<Saying>,
}

/// What can be said of a profile.
#[derive(Clone, Copy, Serialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Works,
    /// Nothing failed, but not all that it finds is right, or nothing shows it.
    Doubtful,
    Fails,
}

#[derive(Serialize, Debug)]
pub struct ProbeFolder {
    pub name: String,
    pub messages: u32,
}

/// How a test is made for somebody who looks on.
pub struct Watched {
    /// Gets the steps as they are made; one that has no room for all of them finds them in what is given.
    pub told: mpsc::Sender<StepLine>,
    /// Whether folders are listed that the profile leaves out.
    pub lists_others: bool,
}

/// Tests `profile`, one of `config`, with these users.
///
/// # Errors
/// Its password cannot be read, or what a token is asked for with.
pub async fn probe(
    config: &Config,
    profile: &Profile,
    directory: Directory,
    watched: Option<Watched>,
) -> Result<Probe, ConfigError> {
    let lists_others = watched.as_ref().is_some_and(|watched| watched.lists_others);
    let mut probe = Probe {
        profile: profile.name.clone(),
        ok: false,
        verdict: Verdict::Fails,
        doubts: Vec::new(),
        steps: Vec::new(),
        tls: None,
        capabilities: Vec::new(),
        warnings: Vec::new(),
        folders: Vec::new(),
        envelope_headers: BTreeMap::new(),
        envelope_headers_not_counted: BTreeMap::new(),
        recipients: None,
        proposal: None,
        tried: None,
        proposal_tried: None,
        other_folders: None,
        said: ProbeSaid::default(),
        exit: Exit::Source,
        told: watched.map(|watched| watched.told),
    };
    let Some(mut session) = probe.connect(&Login::new(config, profile)).await? else {
        return Ok(probe);
    };
    let mut look = Look {
        profile,
        most: config.limits.max_message_size.0,
        evidence: Evidence::new(&profile.recipients).with_aliases(&config.domain_aliases),
        outlook: Outlook::new(profile, directory.clone()),
    };
    let looked = probe.look(&mut session, &mut look).await;
    if looked && lists_others {
        probe.list_others(&mut session).await;
    }
    if let Err(error) = session.close().await {
        tracing::debug!(%error, "the session did not end cleanly");
    }
    let Look { evidence, outlook, .. } = look;
    let has_user = |address: &Address| {
        let known = directory.look_up(address, profile.recipients.plus_addressing);
        matches!(known, Known::Users(..))
    };
    let (recipients, username) = (&profile.recipients, &profile.server.username);
    probe.proposal = Proposal::new(&evidence, recipients, username, &outlook.swallowers(), has_user);
    let knowledge = outlook.knowledge(probe.proposal.as_ref());
    probe.doubts.extend(outlook.doubts(&knowledge));
    let remark = knowledge
        .of_bcc()
        .filter(|_| knowledge.messages > 0 && !knowledge.is_doubtful());
    probe.warnings.extend(remark);
    probe.warnings.extend(outlook.remark());
    probe.envelope_headers = knowledge.counting.clone();
    probe.envelope_headers_not_counted = knowledge.barred.clone();
    if knowledge.messages > 0 {
        probe.tried = Some(outlook.tried(&directory, None));
        let proposed = probe.proposal.as_ref().filter(|proposal| !proposal.keys.is_empty());
        probe.proposal_tried = proposed.map(|_| outlook.tried(&directory, proposed));
        probe.recipients = Some(knowledge);
    }
    probe.said = ProbeSaid {
        doubts: Saying::all(&probe.doubts),
        warnings: Saying::all(&probe.warnings),
    };
    probe.ok = looked;
    (probe.exit, probe.verdict) = match (looked, probe.doubts.is_empty()) {
        (true, true) => (Exit::Done, Verdict::Works),
        (true, false) => (Exit::Done, Verdict::Doubtful),
        (false, _) => (Exit::Errors, Verdict::Fails),
    };
    Ok(probe)
}

/// What a test looks at, and what it finds.
struct Look<'p> {
    profile: &'p Profile,
    /// Bytes; a run leaves larger messages where they are.
    most: u64,
    evidence: Evidence,
    outlook: Outlook<'p>,
}

/// What failed in a step: why, and what to do about it.
struct Failed(Said, Option<Said>);

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Self {
        Self(error.said(), error.what_to_do())
    }
}

impl From<Said> for Failed {
    fn from(why: Said) -> Self {
        Self(why, None)
    }
}

impl Probe {
    fn tell(&mut self, step: StepLine) {
        if let Some(told) = &self.told {
            let _ = told.try_send(step.clone());
        }
        self.steps.push(step);
    }

    /// Notes a step after the login; `stage` is that of a run's error in its place.
    fn step(&mut self, step: &str, stage: &str, started: Instant, result: Result<Said, Failed>) -> bool {
        let took = started.elapsed();
        let line = match result {
            Ok(detail) => StepLine::done(step, detail, took),
            Err(Failed(why, advice)) => {
                let advice = advice.unwrap_or_else(|| remedy(stage)).by_hand();
                StepLine::failed(step, why, advice, took)
            }
        };
        let ok = line.ok;
        self.tell(line);
        ok
    }

    async fn connect(&mut self, login: &Login) -> Result<Option<Session>, ConfigError> {
        let mut steps = Steps {
            told: self.told.clone(),
            ..Steps::default()
        };
        let started = Instant::now();
        let connected = login.connect(&mut steps).await;
        let mut known = Duration::ZERO;
        for (step, detail, took) in steps.done {
            known += took;
            // It was told when it was done.
            self.steps.push(StepLine::done(step.as_str(), detail, took));
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
                let step = error.step().as_str();
                let advice = error.what_to_do().unwrap_or_else(|| remedy(step)).by_hand();
                let took = started.elapsed().saturating_sub(known);
                self.tell(StepLine::failed(step, error.said(), advice, took));
                Ok(None)
            }
        }
    }

    /// Looks at folders, headers and a message; false where something of it failed.
    async fn look(&mut self, session: &mut Session, look: &mut Look<'_>) -> bool {
        let started = Instant::now();
        let result = self.count_folders(look.profile, session).await;
        let all = matches!(result, Ok((_, true)));
        let result = result.map(|(detail, _)| detail).map_err(Failed::from);
        if !self.step("folders", "folder", started, result) {
            return false;
        }
        // The one with the most messages is where most of the mail comes from.
        let fullest = self.folders.iter().max_by_key(|folder| folder.messages);
        let Some(folder) = fullest
            .filter(|folder| folder.messages > 0)
            .map(|folder| folder.name.clone())
        else {
            return all;
        };
        if !session.can_fetch_headers() {
            self.warnings.push(said!(
                NoHeadersAlone,
                "the server does not give out headers alone (it has no TOP), so no message was looked at; `archive \
                 --dry-run` looks at whole messages"
            ));
            return all;
        }
        let started = Instant::now();
        let newest = match self.newest(&folder, session).await {
            Ok(newest) => newest,
            Err(error) => return self.step("headers", "fetch", started, Err(error)),
        };
        if newest.iter().all(|one| one.size > look.most) && !newest.is_empty() {
            self.doubts.push(said!(
                AllTooLarge,
                "each of the newest messages is larger than limits.max_message_size, and would stay on the server"
            ));
        }
        let result = self.look_at_headers(&folder, &newest, session, look).await;
        if !self.step("headers", "fetch", started, result) {
            return false;
        }
        // Over POP3 a server may mark what was fetched as read, or delete it.
        if session.can_wait() {
            let started = Instant::now();
            let fitting = newest.into_iter().filter(|one| one.size <= look.most);
            if let Some(result) = whole(session, fitting.collect()).await
                && !self.step("message", "fetch", started, result.map_err(Failed::from))
            {
                return false;
            }
        }
        all
    }

    /// Gives what was found, and whether all of it can be archived. What cannot is a step of its own, that failed.
    async fn count_folders(&mut self, profile: &Profile, session: &mut Session) -> Result<(Said, bool), SourceError> {
        let started = Instant::now();
        let names = session.folders(&profile.folders).await?;
        let (found, mut all) = (names.len(), true);
        if let Some(error) = session.take_unclear() {
            all = false;
            self.step(
                "folder",
                "folder",
                started,
                Err(Failed(error.said(), error.what_to_do())),
            );
        }
        for name in names.into_iter().take(FOLDERS) {
            let started = Instant::now();
            match session.open(&name).await {
                Ok(opened) => self.folders.push(ProbeFolder {
                    name,
                    messages: opened.exists,
                }),
                Err(error) if error.is_denial(&name) && !profile.folders.include.contains(&name) => {
                    self.warnings.push(may_not_be_read(&name, &error));
                }
                Err(error) if error.disposition() == Disposition::Report => {
                    all = false;
                    let advice = error.what_to_do();
                    let words = match error.said() {
                        said if said.contains(&name) => said,
                        said => said!(InFolder, "{0}: {1}", name, said),
                    };
                    self.step("folder", "folder", started, Err(Failed(words, advice)));
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
            true if found == 1 => said!(Folders, "{0} folder, {1} messages", found, messages),
            true => said!(Folders, "{0} folders, {1} messages", found, messages),
            false => said!(SomeFolders, "{0} of {1} folders, {2} messages", opened, found, messages),
        };
        Ok((detail, all && opened > 0))
    }

    /// Lists the folders that the profile leaves out.
    async fn list_others(&mut self, session: &mut Session) {
        let all = Folders {
            include: vec!["*".to_owned()],
            ..Folders::default()
        };
        match session.folders(&all).await {
            Ok(names) => {
                let others = names
                    .into_iter()
                    .filter(|name| !self.folders.iter().any(|folder| folder.name == *name));
                self.other_folders = Some(others.take(OTHERS).collect());
            }
            Err(error) => self.warnings.push(said!(
                NoOtherFolders,
                "other folders cannot be listed: {0}",
                error.said()
            )),
        }
    }

    /// The newest messages of a folder that has some.
    async fn newest(&mut self, folder: &str, session: &mut Session) -> Result<Vec<Announced>, Failed> {
        let opened = session.open(folder).await?;
        let listing = session.listing().await?;
        if let Some(error) = session.take_unclear() {
            self.warnings.push(error.said());
        }
        let skipped = (listing.len() as usize).saturating_sub(NEWEST);
        let newest: Vec<CopyRef> = listing.copies().skip(skipped).collect();
        let announced = session.sizes(&newest, false).await?;
        if announced.is_empty() && opened.exists > 0 {
            let (said, listed) = (opened.exists, newest.len());
            return Err(Failed::from(said!(
                FolderOfNoSize,
                "{0} has {1} messages by what the server says, but of the newest {2} it lists {3}, and gives the size of \
                 none: a run would archive nothing",
                folder,
                said,
                NEWEST,
                listed
            )));
        }
        Ok(announced)
    }

    async fn look_at_headers(
        &mut self,
        folder: &str,
        newest: &[Announced],
        session: &mut Session,
        look: &mut Look<'_>,
    ) -> Result<Said, Failed> {
        let Look { evidence, outlook, .. } = look;
        let mut each = |bytes: bytes::Bytes| {
            evidence.look(&Header::scan(&bytes));
            outlook.look(&bytes);
        };
        let missed = glimpse(session, newest, &mut each).await?;
        let looked_at = newest.len() - missed.len();
        let Some(why) = missed.first() else {
            return Ok(said!(
                LookedAtHeaders,
                "looked at the headers of the newest {0} of {1}",
                looked_at,
                folder
            ));
        };
        if looked_at == 0 {
            let of = newest.len();
            return Err(Failed::from(said!(
                NoHeaderSent,
                "the server sent no header of the newest {0} messages of {1}: {2}",
                of,
                folder,
                why
            )));
        }
        self.warnings.push(said!(
            SomeHeadersNotSent,
            "the server sent no header of {0} of the newest messages: {1}",
            missed.len(),
            why
        ));
        Ok(said!(
            LookedAtSomeHeaders,
            "looked at the headers of {0} of the newest {1} of {2}",
            looked_at,
            newest.len(),
            folder
        ))
    }
}
