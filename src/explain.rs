//! For whom a message would be, or is, and why: read beside an appliance, or without one; nothing is filed.

mod seen;

use std::collections::HashSet;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

pub use self::seen::{Seen, seen};
use crate::{
    access::Archives,
    api::Failure,
    archive::{CATCHALL_ID, Filing, Message, MessageId, Retrieval, RunId, Store, StoreError, User, UserId, Why},
    config::{self, Config, ConfigError},
    identify::{Found, Named, Overview, Reported, Rules},
    message::{Address, CATCHALL},
    reading::{message, view},
    report::{IMPORT, REROUTE},
    route::{Deciding, Directory, Previewed, Routing, Rule, Signs, managed, preview},
};

/// What is said of one message: a line of `explain --json`.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// The file, or the message's id.
    pub input: String,
    /// By whose rules; none where the message was imported for one user, and none are given.
    pub profile: Option<String>,
    /// Who has it, or would get it.
    pub users: Vec<ExplainedUser>,
    /// No address was known.
    pub unknown: bool,
    /// Addresses of ours that count and that nobody has.
    pub unknown_addresses: Vec<String>,
    pub addresses: Vec<ExplainedAddress>,
    /// How often others are named. All are looked up, and whoever is known stands in `addresses`.
    #[serde(skip_serializing_if = "is_zero")]
    pub addresses_omitted: u64,
    /// `report`: a journal report that the profile believes; `unreadable`: one in which not all for whom it is can be
    /// read; `untrusted`: one that it does not believe; `none`.
    pub journal: &'static str,
    /// Of a stored message: who has it not, and would get it by the rules as they are now.
    pub would_add: Vec<ExplainedUser>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedUser {
    pub user: String,
    /// The address that led there; none where none was known, or where it cannot be said any more.
    pub address: Option<String>,
    pub field: String,
    /// By which rule of the directory; none where the filing's reason holds no more.
    pub rule: Option<&'static str>,
    /// Of a stored message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed: Option<Filed>,
}

/// When a message came into an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filed {
    pub run: RunId,
    pub archived_at: Timestamp,
    pub folder: String,
}

#[derive(Debug, Serialize)]
pub struct ExplainedAddress {
    pub address: String,
    pub field: String,
    /// The line on which the field begins; none in a report's envelope, and in what was encoded.
    pub line: Option<usize>,
    pub step: &'static str,
    /// Where the field stands, a sender cannot have forged it, or it is one that anybody writes.
    pub trusted: bool,
    /// It is among the addresses that decide.
    pub counts: bool,
    /// Why it does not count.
    pub why: Option<&'static str>,
    /// Whom it leads to; of a list the first.
    pub user: Option<String>,
    pub users: Vec<String>,
    pub rule: Option<&'static str>,
}

/// The directory as the configuration has it now, with the users of commands where there is a store.
///
/// # Errors
/// The store cannot be read.
pub fn directory(config: &Config) -> Result<Directory, Failure> {
    if let Some(error) = &config.file_users.error {
        return Err(ConfigError::from(error.clone()).into());
    }
    let stored = match Store::open_for_reading(config) {
        Ok(store) => store.users()?,
        Err(StoreError::None { .. } | StoreError::NotMade { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut users = config.users().map(managed).collect::<Result<Vec<_>, _>>()?;
    let configured: HashSet<String> = users.iter().map(|user| user.name.clone()).collect();
    for (_, user, _) in stored {
        if user.name == CATCHALL || configured.contains(&user.name) {
            continue;
        }
        let retired = user.retired || user.managed;
        users.push(User { retired, ..user });
    }
    Ok(Directory::new((CATCHALL_ID.next().0..).map(UserId).zip(users)).with(Signs::new(config)))
}

/// Explains messages by the rules of a profile.
pub struct Explainer<'c> {
    directory: &'c Directory,
    profile: &'c config::Profile,
    rules: Rules,
    routing: Routing,
}

impl<'c> Explainer<'c> {
    pub fn new(directory: &'c Directory, profile: &'c config::Profile) -> Self {
        Self {
            directory,
            profile,
            rules: Rules::new(&profile.recipients, &profile.server.username),
            routing: Routing::new(&profile.recipients),
        }
    }

    /// Looks at a message; each address that makes a difference to the decision is among what is considered.
    fn overview(&self, bytes: &Bytes) -> Overview {
        let mut deciding = Deciding::asked(self.directory, &self.routing);
        self.rules
            .overview(bytes, &mut |named, role| deciding.look_up(named, role))
    }

    /// A message as it was, or would be, fetched.
    pub fn of_file(&self, input: String, bytes: &Bytes) -> Explained {
        let overview = self.overview(bytes);
        let (previewed, addresses) =
            self.addresses(std::slice::from_ref(&overview), &Found::default(), &overview.found);
        Explained {
            input,
            profile: Some(self.profile.name.clone()),
            users: previewed.users.iter().map(would_get).collect(),
            unknown: previewed.unknown,
            unknown_addresses: nobodys(&previewed),
            addresses,
            addresses_omitted: overview.more,
            journal: overview.reported.as_str(),
            would_add: Vec::new(),
        }
    }

    /// A message of the store.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_message(&self, store: &Store, stored: &Stored) -> Result<Explained, Failure> {
        let mut overviews = Vec::new();
        let mut reported = Reported::No;
        fetched(store, stored.id, &stored.row, stored.came_in_reports, |bytes| {
            let overview = self.overview(&bytes);
            let this = overview.reported;
            if this != Reported::No {
                reported = this;
            }
            // In its place the message itself is considered.
            if this != Reported::Untrusted || !stored.came_in_reports {
                overviews.push(overview);
            }
            this
        })?;
        let unclaimed = unclaimed(store, stored.id)?;
        let found = united(overviews.iter().map(|overview| &overview.found).chain([&unclaimed]));
        let (previewed, addresses) = self.addresses(&overviews, &unclaimed, &found);
        let users = stored.users(store, &addresses)?;
        let has = |name: &str| stored.filings.iter().any(|(user, _)| user.name == name);
        let more = previewed
            .users
            .iter()
            .filter(|one| !previewed.unknown && !has(&one.user));
        Ok(Explained {
            input: stored.id.to_string(),
            profile: Some(self.profile.name.clone()),
            would_add: more.map(would_get).collect(),
            users,
            unknown: stored.filings.iter().all(|(_, filing)| filing.why == Why::Unknown),
            unknown_addresses: nobodys(&previewed),
            addresses,
            addresses_omitted: overviews.iter().map(|overview| overview.more).sum(),
            journal: reported.as_str(),
        })
    }

    /// What is decided, and each address with what is said of it: those of `overviews`, and the `unclaimed` ones of
    /// copies that are not kept.
    fn addresses(
        &self,
        overviews: &[Overview],
        unclaimed: &Found,
        found: &Found,
    ) -> (Previewed, Vec<ExplainedAddress>) {
        let considered: Vec<_> = overviews.iter().flat_map(|overview| &overview.addresses).collect();
        let look_up = considered.iter().map(|one| &one.address);
        let look_up = look_up.chain(unclaimed.recipients.iter().map(|named| &named.address));
        let look_up: Vec<_> = look_up.cloned().collect();
        let previewed = preview(self.directory, &self.routing, found, &look_up);
        let (of_overviews, of_others) = previewed.looked_up.split_at(considered.len());
        let explain = |(one, known): (&&crate::identify::Considered, &LookedUp)| ExplainedAddress {
            line: one.line,
            step: one.step.as_str(),
            trusted: one.trusted,
            counts: one.counts,
            why: one.why,
            ..ExplainedAddress::new(&one.address, &one.field, known)
        };
        let other = |(named, known): (&Named, &LookedUp)| ExplainedAddress::new(&named.address, &named.field, known);
        let others = unclaimed.recipients.iter().zip(of_others).map(other);
        let addresses = considered.iter().zip(of_overviews).map(explain).chain(others).collect();
        (previewed, addresses)
    }
}

/// Whom an address leads to, and by which rule.
type LookedUp = Option<(Vec<String>, Rule)>;

impl ExplainedAddress {
    /// An address that another copy of the message was for.
    fn new(address: &Address, field: &str, known: &LookedUp) -> Self {
        Self {
            address: address.to_string(),
            field: field.to_owned(),
            line: None,
            step: "copy",
            trusted: true,
            counts: true,
            why: None,
            user: known.as_ref().and_then(|(users, _)| users.first().cloned()),
            users: known.as_ref().map_or_else(Vec::new, |(users, _)| users.clone()),
            rule: known.as_ref().map(|(_, rule)| rule.as_str()),
        }
    }
}

/// The addresses of ours that nobody has, ignored or not.
fn nobodys(previewed: &crate::route::Previewed) -> Vec<String> {
    let all = previewed.unknown_addresses.iter().chain(&previewed.ignored);
    all.map(ToString::to_string).collect()
}

fn would_get(user: &crate::route::PreviewedUser) -> ExplainedUser {
    ExplainedUser {
        user: user.user.clone(),
        address: user.address.as_ref().map(ToString::to_string),
        field: user.field.clone(),
        rule: Some(user.rule.as_str()),
        filed: None,
    }
}

/// The addresses of several copies together; each stands once.
pub fn united<'f>(all: impl Iterator<Item = &'f Found>) -> Found {
    let mut united = Found::default();
    let (mut recipients, mut senders) = (HashSet::new(), HashSet::new());
    for found in all {
        let new = |seen: &mut HashSet<_>, named: &&Named| seen.insert(named.address.clone());
        united.recipients.extend(
            found
                .recipients
                .iter()
                .filter(|named| new(&mut recipients, named))
                .cloned(),
        );
        united.more += found.more;
        united
            .senders
            .extend(found.senders.iter().filter(|named| new(&mut senders, named)).cloned());
    }
    united
}

/// Hands to `each` what was fetched of a message, one by one, for they may be large: the journal reports in which it
/// came, or the message itself; the message too where a report is one that `each` does not believe.
///
/// # Errors
/// It cannot be read.
pub fn fetched(
    store: &Store,
    id: MessageId,
    row: &Message,
    came_in_reports: bool,
    mut each: impl FnMut(Bytes) -> Reported,
) -> Result<(), StoreError> {
    const AT_ONCE: usize = 100;
    let mut retrieval = Retrieval::new(store);
    let mut itself = !came_in_reports;
    let mut behind = MessageId(0);
    loop {
        let journals = store.journals(id, behind, AT_ONCE)?;
        let Some((last, ..)) = journals.last() else { break };
        behind = *last;
        for (report, _, row) in journals {
            itself |= each(retrieval.raw(report, &row)?.into()) == Reported::Untrusted;
        }
    }
    if itself {
        each(retrieval.raw(id, row)?.into());
    }
    Ok(())
}

/// The addresses that copies of a message were for whose bytes are not kept.
///
/// # Errors
/// The store cannot be read.
pub fn unclaimed(store: &Store, id: MessageId) -> Result<Found, StoreError> {
    let unclaimed = store.unclaimed(id)?.into_iter();
    let named = unclaimed.map(|one| Named {
        address: one.address,
        field: one.field.into(),
    });
    Ok(Found {
        recipients: named.collect(),
        ..Found::default()
    })
}

/// A message of the store, and who has it.
pub struct Stored {
    pub id: MessageId,
    pub row: Message,
    pub filings: Vec<(User, Filing)>,
    pub came_in_reports: bool,
}

impl Stored {
    /// Message `id`, where one of `archives` has it.
    ///
    /// # Errors
    /// These archives have no such message, or the store cannot be read.
    pub fn read(store: &Store, archives: &Archives, id: MessageId) -> Result<Self, Failure> {
        let row = message(store, archives, id)?;
        Ok(Self {
            id,
            filings: store.filings_for(archives, id, &row)?,
            came_in_reports: !store.journals(id, MessageId(0), 1)?.is_empty(),
            row,
        })
    }

    /// What is said of it where no rules apply: all that has it are users for whom it was imported.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn without_rules(&self, store: &Store) -> Result<Explained, Failure> {
        Ok(Explained {
            input: self.id.to_string(),
            profile: None,
            users: self.users(store, &[])?,
            unknown: false,
            unknown_addresses: Vec::new(),
            addresses: Vec::new(),
            addresses_omitted: 0,
            journal: Reported::No.as_str(),
            would_add: Vec::new(),
        })
    }

    /// Who has it, and by which of these addresses.
    fn users(&self, store: &Store, addresses: &[ExplainedAddress]) -> Result<Vec<ExplainedUser>, StoreError> {
        let mut users = Vec::with_capacity(self.filings.len());
        for (user, filing) in &self.filings {
            let leads = |one: &&ExplainedAddress| one.field == filing.why.as_str() && one.users.contains(&user.name);
            let by = addresses.iter().find(leads);
            users.push(ExplainedUser {
                user: user.name.clone(),
                address: by.map(|one| one.address.clone()),
                field: filing.why.as_str().to_owned(),
                rule: match filing.why {
                    _ if user.name == CATCHALL && by.is_none() => Some(Rule::Catchall.as_str()),
                    Why::Unknown => Some(Rule::User.as_str()),
                    _ => by.and_then(|one| one.rule),
                },
                filed: Some(Filed {
                    run: filing.run,
                    archived_at: view::time(filing.archived_at),
                    folder: store.folder(filing.folder)?.unwrap_or_default(),
                }),
            });
        }
        Ok(users)
    }

    /// The runs that filed it, the first first, each once.
    pub fn runs(&self) -> Vec<RunId> {
        let mut runs: Vec<_> = self.filings.iter().map(|(_, filing)| filing.run).collect();
        runs.sort_unstable();
        runs.dedup();
        runs
    }
}

/// Whether runs of this name are no profile's: they have no rules of their own.
pub fn has_no_rules(name: &str) -> bool {
    [IMPORT, REROUTE].contains(&name)
}

/// The profile of a run; `None` where its protocol is missing.
///
/// # Errors
/// The store cannot be read.
pub fn profile_of(store: &Store, run: RunId) -> Result<Option<String>, StoreError> {
    #[derive(serde::Deserialize)]
    struct Head {
        profile: String,
    }
    let json = store.run(run)?;
    let head = json.and_then(|json| serde_json::from_str::<Head>(&json).ok());
    Ok(head.map(|head| head.profile))
}
