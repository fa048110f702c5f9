//! Fault points: places at which a test makes this program fail, to see that it survives that.
//!
//! `DROPKEEP_FAULT=name:kind[:nth]` chooses one, or several with commas between them. `kind` is `error` (the step
//! fails), `panic`, `abort` (the process ends at once, without tidying up), `slow` (the step takes two seconds longer),
//! `hold` (it waits while the file that `DROPKEEP_FAULT_HOLD` names is there) or `hang` (the thread stops for good).
//! With `nth`, it happens when the point is reached for the nth time; without,
//! the first time. Fault points exist only with debug assertions: in what is shipped, [`point`] does nothing.

/// The stage that a point belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// A data directory is made or opened.
    Open,
    /// A supervisor looks after its profile, or the profile counts what its run did.
    Supervise,
    /// A catalog of an older schema is brought to the present one.
    Upgrade,
    /// A copy was fetched, or has its outcome.
    Fetch,
    Identify,
    Route,
    /// A user's archive settles its share.
    File,
    /// The committer writes a group.
    Commit,
    /// Those who wait for a group get their answers.
    Acknowledge,
    /// Copies are deleted on their server.
    Deletion,
    /// A run begins, or its protocol is stored.
    Protocol,
    Seal,
    /// Rows of lists are made of stored messages.
    Lists,
    Compact,
    /// The catalog is written anew without its free pages.
    Shrink,
    Backup,
    Restore,
    /// A backup is opened as a data directory.
    Use,
    /// The search index is written.
    Index,
    /// A process begins to read the archive back.
    Verify,
}

/// All points, in the order in which mail reaches them.
pub const POINTS: &[(&str, Stage)] = &[
    ("open-folder", Stage::Open),
    ("open-locked", Stage::Open),
    ("open-catalog-folder", Stage::Open),
    ("open-catalog-making", Stage::Open),
    ("open-catalog", Stage::Open),
    ("open-volumes", Stage::Open),
    ("open-synced", Stage::Open),
    ("open-sweeping", Stage::Open),
    ("open-swept", Stage::Open),
    ("abandoned-closing", Stage::Open),
    ("looking-after", Stage::Supervise),
    ("counting", Stage::Supervise),
    ("upgrade-begun", Stage::Upgrade),
    ("upgrade-stepped", Stage::Upgrade),
    ("upgrade-packing", Stage::Upgrade),
    ("upgrade-written", Stage::Upgrade),
    ("upgrade-synced", Stage::Upgrade),
    ("run-beginning", Stage::Protocol),
    ("fetched", Stage::Fetch),
    ("identifying", Stage::Identify),
    ("identified", Stage::Identify),
    ("routing", Stage::Route),
    ("routed", Stage::Route),
    ("handing-out", Stage::Route),
    ("settling", Stage::File),
    ("handing-over", Stage::File),
    ("settled", Stage::File),
    ("group-begun", Stage::Commit),
    ("volume-making", Stage::Commit),
    ("volume-made", Stage::Commit),
    ("volume-full", Stage::Commit),
    ("group-filed", Stage::Commit),
    ("volume-writing", Stage::Commit),
    ("volume-written", Stage::Commit),
    ("volume-synced", Stage::Commit),
    ("catalog-written", Stage::Commit),
    ("catalog-synced", Stage::Commit),
    ("acknowledging", Stage::Acknowledge),
    ("acknowledged", Stage::Acknowledge),
    ("recorded", Stage::Acknowledge),
    ("judged", Stage::Fetch),
    ("deletion-checked", Stage::Deletion),
    ("deletion-before", Stage::Deletion),
    ("deletion-after", Stage::Deletion),
    ("protocol-storing", Stage::Protocol),
    ("protocol-stored", Stage::Protocol),
    ("seal-begun", Stage::Seal),
    ("seal-measured", Stage::Seal),
    ("seal-writing", Stage::Seal),
    ("seal-written", Stage::Seal),
    ("seal-closed", Stage::Seal),
    ("seal-noted", Stage::Seal),
    ("shrink-copied", Stage::Shrink),
    ("shrink-replaced", Stage::Shrink),
    ("lists-filling", Stage::Lists),
    ("lists-filled", Stage::Lists),
    ("compact-begun", Stage::Compact),
    ("compact-planned", Stage::Compact),
    ("compact-moving", Stage::Compact),
    ("compact-moved", Stage::Compact),
    ("compact-compared", Stage::Compact),
    ("blocks-dropping", Stage::Compact),
    ("blocks-dropped", Stage::Compact),
    ("volume-emptied", Stage::Compact),
    ("volume-moved-away", Stage::Compact),
    ("volume-removed", Stage::Compact),
    ("backup-begun", Stage::Backup),
    ("backup-catalog", Stage::Backup),
    ("backup-volume", Stage::Backup),
    ("patch-begun", Stage::Backup),
    ("patch-made", Stage::Backup),
    ("backup-recording", Stage::Backup),
    ("backup-built", Stage::Backup),
    ("staging-old-moved", Stage::Backup),
    ("patch-applied", Stage::Backup),
    ("patch-moved", Stage::Backup),
    ("staging-new-moved", Stage::Backup),
    ("backup-placed", Stage::Backup),
    ("backup-tidied", Stage::Backup),
    ("restore-begun", Stage::Restore),
    ("restore-copied", Stage::Restore),
    ("restore-patched", Stage::Restore),
    ("restore-built", Stage::Restore),
    ("restore-placed", Stage::Restore),
    ("waiting-applied", Stage::Use),
    ("waiting-recorded", Stage::Use),
    ("index-file", Stage::Index),
    ("index-synced", Stage::Index),
    ("index-committing", Stage::Index),
    ("index-committed", Stage::Index),
    ("verify-begun", Stage::Verify),
];

/// Fails here, where this point is the one chosen.
///
/// # Errors
/// It is, and its kind is `error`.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_: &'static str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
pub use chosen::point;

#[cfg(debug_assertions)]
mod chosen {
    use std::{
        io::{self, Write},
        path::Path,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    const VARIABLE: &str = "DROPKEEP_FAULT";
    /// Names the file while which is there a step is held.
    const HOLD: &str = "DROPKEEP_FAULT_HOLD";
    /// By how much a slow step is longer.
    const SLOW: Duration = Duration::from_secs(2);
    /// How often a step that is held looks for its file.
    const LOOK: Duration = Duration::from_millis(10);

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Kind {
        Error,
        Panic,
        Abort,
        Slow,
        Hold,
        Hang,
    }

    #[derive(Debug)]
    pub(super) struct Chosen {
        pub name: String,
        pub kind: Kind,
        pub nth: u64,
        reached: AtomicU64,
    }

    impl Chosen {
        /// Reads `name:kind[:nth]`.
        pub fn parse(text: &str) -> Option<Self> {
            let mut words = text.split(':');
            let name = words.next()?.to_owned();
            let kind = match words.next()? {
                "error" => Kind::Error,
                "panic" => Kind::Panic,
                "abort" => Kind::Abort,
                "slow" => Kind::Slow,
                "hold" => Kind::Hold,
                "hang" => Kind::Hang,
                _ => return None,
            };
            let nth = words.next().map_or(Some(1), |nth| nth.parse().ok())?;
            let is_known = super::POINTS.iter().any(|(known, _)| *known == name);
            (is_known && nth > 0 && words.next().is_none()).then_some(Self {
                name,
                kind,
                nth,
                reached: AtomicU64::new(0),
            })
        }

        fn reach(&self) -> io::Result<()> {
            if self.reached.fetch_add(1, Ordering::Relaxed) + 1 != self.nth {
                return Ok(());
            }
            say(&format!("fault point {} is reached", self.name));
            match self.kind {
                Kind::Error => Err(io::Error::other(format!("the fault point {} was chosen", self.name))),
                Kind::Panic => panic!("the fault point {} was chosen", self.name),
                Kind::Abort => std::process::abort(),
                Kind::Slow => {
                    std::thread::sleep(SLOW);
                    Ok(())
                }
                Kind::Hold => {
                    let file = std::env::var_os(HOLD).unwrap_or_default();
                    while Path::new(&file).exists() {
                        std::thread::sleep(LOOK);
                    }
                    Ok(())
                }
                Kind::Hang => loop {
                    std::thread::park();
                },
            }
        }
    }

    /// Who tests sees that the point was reached.
    fn say(words: &str) {
        // Where nobody reads, nobody tests.
        let _ = writeln!(io::stderr(), "{words}");
    }

    fn chosen() -> &'static [Chosen] {
        static CHOSEN: OnceLock<Vec<Chosen>> = OnceLock::new();
        let parse = |one: &str| {
            let chosen = Chosen::parse(one);
            if chosen.is_none() {
                say(&format!(
                    "{VARIABLE}={one} is not name:kind[:nth] of a point that there is"
                ));
            }
            chosen
        };
        CHOSEN.get_or_init(|| {
            let text = std::env::var(VARIABLE).unwrap_or_default();
            let each = text.split(',').filter(|one| !one.is_empty());
            each.filter_map(parse).collect()
        })
    }

    /// Fails here, where this point is the one chosen.
    ///
    /// # Errors
    /// It is, and its kind is `error`.
    pub fn point(name: &'static str) -> io::Result<()> {
        let mut here = chosen().iter().filter(|chosen| chosen.name == name);
        here.try_for_each(Chosen::reach)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    /// How often each point is placed in the source, by the calls that are written there.
    fn placed(folder: &Path, found: &mut BTreeMap<String, usize>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                placed(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for call in text.split("point(\"").skip(1) {
                    let name = call.split('"').next().unwrap();
                    *found.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
    }

    #[test]
    fn each_point_of_the_list_is_placed_once_and_no_other_is() {
        let mut found = BTreeMap::new();
        placed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let listed: BTreeMap<_, _> = POINTS.iter().map(|(name, _)| ((*name).to_owned(), 1)).collect();
        assert_eq!(listed.len(), POINTS.len(), "a name stands twice in the list");
        assert_eq!(found, listed);
    }

    #[cfg(debug_assertions)]
    #[test]
    fn what_is_chosen_is_a_point_a_kind_and_perhaps_a_number() {
        use chosen::{Chosen, Kind};
        let read = |text: &str| Chosen::parse(text).map(|chosen| (chosen.name, chosen.kind, chosen.nth));
        assert_eq!(read("fetched:error"), Some(("fetched".into(), Kind::Error, 1)));
        assert_eq!(read("judged:abort:7"), Some(("judged".into(), Kind::Abort, 7)));
        for wrong in [
            "",
            "fetched",
            "fetched:stop",
            "fetched:panic:0",
            "fetched:panic:x",
            "nowhere:panic",
            "fetched:panic:1:2",
        ] {
            assert!(Chosen::parse(wrong).is_none(), "{wrong}");
        }
    }
}
