//! An archive whose index has all of its mail, and what is asked of it.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, Profile, number, text},
    control,
    running::Serving,
    wait_for,
};

/// How many results are asked for at once.
const PAGE: usize = 1_000;

/// Messages, archived and indexed by an appliance that runs.
pub struct Archived {
    pub appliance: Appliance,
    /// Ends with it.
    _serving: Serving,
    /// The SHA-256 of each message.
    digests: BTreeSet<String>,
}

impl Archived {
    /// The messages of a folder, by the rules of a profile whose server nobody asks.
    pub fn of(folder: &Path) -> Self {
        let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::unasked());
        let imported = appliance.run(&[
            "import",
            "--profile",
            PROFILE,
            "--json",
            folder.to_str().expect("a name"),
        ]);
        // Some files are no mail, which is an error of theirs.
        assert!(matches!(imported.code, Some(0 | 1)), "{}", imported.stderr);
        let lists = appliance.lists().into_iter().flat_map(|(_, list)| list);
        let digests: BTreeSet<String> = lists.map(|line| text(&line, "sha256")).collect();
        let serving = appliance.serve();
        let mut standing = Value::Null;
        let indexed = wait_for(PATIENCE, || {
            let replies = control::ask(&appliance.data(), &json!("index")).expect("an answer");
            standing = replies
                .iter()
                .find_map(|reply| reply.get("index"))
                .expect("how it stands")
                .clone();
            number(&standing, "behind") == 0 && number(&standing, "documents") == digests.len() as u64
        });
        assert!(
            indexed,
            "{} messages, {standing}\n{}",
            digests.len(),
            serving.running.stderr()
        );
        Self {
            appliance,
            _serving: serving,
            digests,
        }
    }

    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether a message is there whose digest begins so.
    pub fn has(&self, digits: &str) -> bool {
        self.digests.iter().any(|digest| digest.starts_with(digits))
    }

    /// Those of these digests that are of messages in the archive: of copies with one identity, the first is kept.
    pub fn kept(&self, digests: &Value) -> BTreeSet<String> {
        let digests = digests.as_array().into_iter().flatten();
        let digests = digests
            .filter_map(Value::as_str)
            .filter(|digest| self.digests.contains(*digest));
        digests.map(str::to_owned).collect()
    }

    /// The digests of all messages that a query finds.
    pub fn search(&self, query: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut after = Value::Null;
        loop {
            let request = json!({"search": {"query": query, "limit": PAGE, "after": after}});
            let replies = control::ask(&self.appliance.data(), &request).expect("an answer");
            for line in replies.iter().filter_map(|reply| reply.get("hit")) {
                assert!(found.insert(text(line, "sha256")), "{query}: twice: {line}");
            }
            let end = replies.iter().find_map(|reply| reply.get("found"));
            let end = end.unwrap_or_else(|| panic!("{query}: {replies:?}"));
            after = end["next"].clone();
            if after.is_null() {
                assert_eq!(number(end, "total"), found.len() as u64, "{query}");
                return found;
            }
        }
    }
}
