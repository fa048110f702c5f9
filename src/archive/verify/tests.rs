//! What is found in a small archive; in this process, since none of this crashes LMDB.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use heed::RwTxn;

use super::{
    Damage, Event, Kind, Sample, Selection,
    logbook::Logbook,
    plan::{Item, Plan, Table},
    row_tests::{with_counters, with_message},
    words::{Request, Statement},
    work::work,
};
use crate::{
    archive::{
        Committer, Content, Deposit, Filed, Shared, Store,
        catalog::Catalog,
        deposit::{Settled, Verdict},
        rows::{CopyKey, FolderNumber, MessageId, Named, RunId, Source, SourceNumber, Traits, User, UserId, Why},
    },
    config::{Config, Family},
    identify::{Digests, Listed},
    message::Address,
    report::Run,
};

pub const JANE: UserId = UserId(1);
pub const BOB: UserId = UserId(2);

/// What a reading process would say.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a verification finds: damages, notes, messages read back.
fn look(config: &Config, selection: &Selection) -> (Vec<Damage>, Vec<String>, u64) {
    look_by(&Request::first(config, selection))
}

fn look_by(request: &Request) -> (Vec<Damage>, Vec<String>, u64) {
    let selection = &request.selection;
    let said = Said::default();
    work(request, said.clone()).unwrap();
    let (mut damages, mut notes) = (Vec::new(), Vec::new());
    let mut logbook = Logbook::new(selection.clone());
    for line in String::from_utf8(said.0.lock().unwrap().clone()).unwrap().lines() {
        let statement: Statement = serde_json::from_str(line).unwrap();
        logbook.take(statement, &mut |event| match event {
            Event::Damage(damage) => damages.push(damage),
            Event::Note(note) => notes.push(note),
            Event::Progress { .. } => {}
        });
    }
    assert_eq!(logbook.refusal(), None);
    assert!(logbook.is_done());
    (damages, notes, logbook.outcome().messages)
}

pub struct Archive {
    config: Config,
    _folder: tempfile::TempDir,
}

fn deposit(bytes: Vec<u8>, uid: u32) -> Deposit {
    let key = CopyKey::Imap {
        source: SourceNumber(1),
        folder: FolderNumber(1),
        uidvalidity: 7,
        uid,
    };
    Deposit {
        copy: Some(Named {
            key,
            traits: Traits::default(),
        }),
        folder: FolderNumber(1),
        run: RunId(1),
        content: Arc::new(content(bytes)),
        report: None,
        date: 1000 + i64::from(uid),
        archived_at: 5000,
        notes: 0,
        unclaimed: Vec::new(),
        new_users: Vec::new(),
    }
}

fn content(bytes: Vec<u8>) -> Content {
    let (digests, listed) = (Digests::of(&bytes), Listed::of(&bytes));
    Content::new(bytes.into(), digests, listed, false)
}

async fn file(committer: &Committer, deposit: Deposit, users: &[UserId]) -> Filed {
    let settled = users.iter().map(|user| Settled {
        user: *user,
        why: Why::To,
        verdict: Verdict::New,
    });
    let settled = settled.collect();
    committer
        .file(vec![Shared { deposit, settled }])
        .await
        .remove(0)
        .unwrap()
}

fn message(number: u32) -> Vec<u8> {
    let part = match number {
        // A body that is stored as a part.
        3 => "part".repeat(10_000),
        _ => String::new(),
    };
    format!("Subject: {number}\r\n\r\nhello {number}\r\n{part}").into_bytes()
}

impl Archive {
    /// Five messages: 1 to 4 of Jane, 2 and 5 of Bob, 3 with a part.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
        let store = Arc::new(Store::open(&config).unwrap());
        let (committer, thread) = Committer::start(store, 64 << 20).unwrap();
        let source = Source {
            family: Family::Imap,
            host: "mail.example.com".into(),
            port: 993,
            username: "all".into(),
        };
        let user = |name: &str| User {
            name: name.into(),
            addresses: vec![Address::parse(&format!("{name}@example.com")).unwrap()],
            managed: false,
            retired: false,
        };
        let run = Run::begin("company", jiff::Timestamp::UNIX_EPOCH);
        committer.put_user(Some(JANE), user("jane")).await.unwrap();
        committer.put_user(Some(BOB), user("bob")).await.unwrap();
        committer.source(source).await.unwrap();
        committer.folder("INBOX").await.unwrap();
        committer.begin_run(&run).await.unwrap();
        for number in 1..=5 {
            let users: &[UserId] = match number {
                2 => &[JANE, BOB],
                5 => &[BOB],
                _ => &[JANE],
            };
            let filed = file(&committer, deposit(message(number), number), users).await;
            assert_eq!(filed.message, MessageId(u64::from(number)));
        }
        drop(committer);
        thread.join().unwrap();
        Self {
            config,
            _folder: folder,
        }
    }

    pub fn change(&self, change: impl FnOnce(&Catalog, &mut RwTxn)) {
        let store = Store::open(&self.config).unwrap();
        let mut txn = store.catalog.write().unwrap();
        change(&store.catalog, &mut txn);
        txn.commit().unwrap();
    }

    pub fn damages(&self) -> Vec<Damage> {
        look(&self.config, &Selection::default()).0
    }

    /// What is found in a part of it.
    pub fn damages_of(&self, selection: &Selection) -> Vec<Damage> {
        look(&self.config, selection).0
    }

    /// What a process finds behind one that went through the tables before this one, and was ended. The pages of the
    /// catalog were `sound` or not.
    pub fn damages_behind(&self, table: Table, sound: bool) -> Vec<Damage> {
        let mut request = Request::first(&self.config, &Selection::default());
        let said = Said::default();
        work(&request, said.clone()).unwrap();
        let said = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
        let extent = said.lines().find_map(|line| match serde_json::from_str(line).unwrap() {
            Statement::Extent(extent) => Some(extent),
            _ => None,
        });
        let extent = extent.expect("an extent");
        let plan = Plan::new(&extent, &request.selection);
        let next = (0..).find(|item| plan.item(*item) == Some(Item::Table(table))).unwrap();
        (request.sound, request.whole, request.next, request.extent) = (sound, false, next, Some(extent));
        look_by(&request).0
    }
}

pub fn identity(number: u32) -> [u8; 32] {
    Digests::of(&message(number)).identity
}

pub fn kinds(damages: &[Damage]) -> BTreeSet<Kind> {
    damages.iter().map(|damage| damage.kind).collect()
}

#[actix::test]
async fn what_is_whole_has_no_damage_and_all_of_it_was_read() {
    let archive = Archive::new().await;
    let (damages, notes, messages) = look(&archive.config, &Selection::default());
    assert_eq!((damages, notes, messages), (vec![], vec![], 5));
    let user = |name: &str| Selection {
        user: Some(name.into()),
        ..Selection::default()
    };
    assert_eq!(look(&archive.config, &user("bob")).2, 2);
    assert_eq!(look(&archive.config, &user("@catchall")).2, 0);
    let sample = |share| Selection {
        sample: Some(Sample { share, seed: 1 }),
        ..Selection::default()
    };
    assert_eq!(look(&archive.config, &sample(1.0)).2, 5);
    assert_eq!(look(&archive.config, &sample(1e-9)), (vec![], vec![], 0));
    let volume = Selection {
        volume: Some(1),
        ..Selection::default()
    };
    assert_eq!(look(&archive.config, &volume).2, 5);
}

#[actix::test]
async fn a_store_in_which_nothing_was_filed_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: folder.path().join("data"),
        ..Config::default()
    };
    drop(Store::open(&config).unwrap());
    assert_eq!(look(&config, &Selection::default()), (vec![], vec![], 0));
}

#[actix::test]
async fn a_part_and_a_number_that_nothing_names_are_notes() {
    let archive = Archive::new().await;
    archive.change(|catalog, txn| {
        let (_, part) = catalog.parts.iter(txn).unwrap().next().unwrap().unwrap();
        catalog.parts.put(txn, &[0; 32], &part).unwrap();
        let bob = catalog.users.get(txn, &BOB).unwrap().unwrap();
        let late = User {
            name: "late".into(),
            addresses: Vec::new(),
            ..bob
        };
        catalog.users.put(txn, &UserId(7), &late).unwrap();
        with_counters(catalog, txn, |counters| counters.user = UserId(8));
    });
    let (damages, notes, _) = look(&archive.config, &Selection::default());
    assert_eq!(damages, []);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes.iter().any(|note| note.contains("user has a number from 3 to 6")),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| note.contains("parts that no message refers to: 1")),
        "{notes:?}"
    );
}

/// Two messages with the same identity whose SHA-256 begin alike: anybody can make such a pair.
#[actix::test]
async fn messages_whose_digests_begin_alike_are_no_damage() {
    let archive = Archive::new().await;
    let store = Arc::new(Store::open(&archive.config).unwrap());
    let (committer, thread) = Committer::start(store, 64 << 20).unwrap();
    let other = [&b"Received: x\r\n"[..], &message(1)].concat();
    file(&committer, deposit(other, 6), &[BOB]).await;
    drop(committer);
    thread.join().unwrap();
    assert_eq!(archive.damages(), [], "a second copy with other bytes");
    archive.change(|catalog, txn| {
        // As if the first eight bytes were the same: the row of the one is gone, that of the other is for both.
        let [one, two] = [1, 6].map(|id| catalog.messages.get(txn, &MessageId(id)).unwrap().unwrap());
        assert_eq!(one.identity, two.identity);
        let head = |sha256: [u8; 32]| <[u8; 8]>::try_from(&sha256[..8]).unwrap();
        assert!(catalog.bytes.delete(txn, &(two.identity, head(two.sha256))).unwrap());
        let mut sha256 = two.sha256;
        sha256[..8].copy_from_slice(&one.sha256[..8]);
        with_message(catalog, txn, MessageId(6), |message| message.sha256 = sha256);
    });
    // The SHA-256 is not that of the bytes now; by its bytes it is not missed.
    assert_eq!(kinds(&archive.damages()), BTreeSet::from([Kind::Message, Kind::Ledger]));
}

#[actix::test]
async fn a_user_is_verified_without_the_others() {
    let archive = Archive::new().await;
    archive.change(|catalog, txn| with_message(catalog, txn, MessageId(5), |message| message.sha256[9] ^= 1));
    let user = |name: &str| Selection {
        user: Some(name.into()),
        ..Selection::default()
    };
    assert_eq!(look(&archive.config, &user("jane")).0, []);
    let damages = look(&archive.config, &user("bob")).0;
    assert_eq!(
        (damages.len(), damages[0].id, damages[0].user.as_deref()),
        (1, Some(MessageId(5)), Some("bob"))
    );
}
