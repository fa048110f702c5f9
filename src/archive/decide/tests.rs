//! What a group changes, decided over maps in place of the catalog.

mod deeds;

use std::{cell::RefCell, collections::BTreeMap};

use tokio::sync::oneshot;

use super::*;
use crate::{
    access::{AccountChange, AccountName, AuditMark, Entry, Hidden, Outcome, Refusal, Role, Session, StoredAccount},
    archive::{
        Deed, SessionChange, StoreError, UsersNews,
        deposit::{Deposit, Settled, Shared, Verdict},
        ledger::{Chain, NO_CHAIN},
        lists::Filled,
        memo::Memo,
        order::{Change, Moved, Tidying},
        rows::{
            Copy, CopyKey, FolderNumber, GroupNumber, IdentityNumber, Message, Named, RunId, Source, SourceNumber,
            Traits, UidlDigest, Usage, User, VolumeState, Why,
        },
        runs::KnownRuns,
        test_bench,
        view::Read,
    },
    config::Family,
    report::Run,
};

/// A catalog of maps: all write sets that it took, one over the other.
struct Maps(RefCell<WriteSet>);

impl Maps {
    fn new() -> Self {
        Self(RefCell::new(WriteSet::new(Counters::default())))
    }

    /// Decides, and takes over what was decided.
    fn write(&self, orders: &[Order]) -> Decided {
        let counters = self.0.borrow().counters.clone();
        let decided = decide(self, &counters, orders, 77).unwrap();
        let (mut all, set) = (self.0.borrow_mut(), &decided.set);
        all.counters = set.counters.clone();
        put(&mut all.messages, &set.messages);
        put(&mut all.identities, &set.identities);
        put(&mut all.bytes, &set.bytes);
        put(&mut all.held, &set.held);
        put(&mut all.parts, &set.parts);
        put(&mut all.filings, &set.filings);
        put(&mut all.journals, &set.journals);
        put(&mut all.unclaimed, &set.unclaimed);
        put(&mut all.users, &set.users);
        put(&mut all.usage, &set.usage);
        put(&mut all.sources, &set.sources);
        put(&mut all.folders, &set.folders);
        put(&mut all.copies, &set.copies);
        put(&mut all.volumes, &set.volumes);
        put(&mut all.runs, &set.runs);
        put(&mut all.accounts, &set.accounts);
        put(&mut all.sessions, &set.sessions);
        put(&mut all.audit, &set.audit);
        all.audit_mark = set.audit_mark.or(all.audit_mark);
        all.known_runs = set.known_runs.clone().or(all.known_runs.take());
        all.news = set.news.clone().or(all.news.take());
        all.lists_filled = set.lists_filled.or(all.lists_filled);
        all.ledger = set.ledger.clone().or(all.ledger.take());
        drop(all);
        decided
    }

    fn get<K: Ord, V: Clone>(&self, table: impl Fn(&WriteSet) -> &Rows<K, V>, key: &K) -> Read<Option<V>> {
        Ok(table(&self.0.borrow()).get(key).cloned().flatten())
    }
}

fn put<K: Ord + Clone, V: Clone>(all: &mut Rows<K, V>, more: &Rows<K, V>) {
    all.extend(more.iter().map(|(key, row)| (key.clone(), row.clone())));
}

fn number_of<K: Ord + std::marker::Copy, V: PartialEq>(rows: &Rows<K, V>, value: &V) -> Option<K> {
    let found = rows.iter().find(|(_, row)| row.as_ref() == Some(value));
    found.map(|(number, _)| *number)
}

impl View for Maps {
    fn identity(&self, digest: &[u8; 32]) -> Read<Option<IdentityNumber>> {
        self.get(|all| &all.identities, digest)
    }
    fn bytes(&self, key: &(IdentityNumber, [u8; 8])) -> Read<Option<MessageId>> {
        self.get(|all| &all.bytes, key)
    }
    fn held(&self, key: &(IdentityNumber, UserId)) -> Read<Option<MessageId>> {
        self.get(|all| &all.held, key)
    }
    fn message(&self, id: MessageId) -> Read<Option<Message>> {
        self.get(|all| &all.messages, &id)
    }
    fn part(&self, digest: &[u8; 32]) -> Read<Option<Part>> {
        self.get(|all| &all.parts, digest)
    }
    fn has_journal(&self, key: &(MessageId, MessageId)) -> Read<bool> {
        Ok(self.get(|all| &all.journals, key)?.is_some())
    }
    fn user(&self, id: UserId) -> Read<Option<User>> {
        self.get(|all| &all.users, &id)
    }
    fn each_user(&self, each: &mut dyn FnMut(UserId, User)) -> Read<()> {
        let all = self.0.borrow();
        let users = all.users.iter().filter_map(|(id, user)| Some((*id, user.clone()?)));
        users.for_each(|(id, user)| each(id, user));
        Ok(())
    }
    fn usage(&self, user: UserId) -> Read<Usage> {
        Ok(self.get(|all| &all.usage, &user)?.unwrap_or_default())
    }
    fn source_number(&self, source: &Source) -> Read<Option<SourceNumber>> {
        Ok(number_of(&self.0.borrow().sources, source))
    }
    fn folder_number(&self, name: &str) -> Read<Option<FolderNumber>> {
        Ok(number_of(&self.0.borrow().folders, &name.to_owned()))
    }
    fn copy(&self, key: &CopyKey) -> Read<Option<Copy>> {
        self.get(|all| &all.copies, key)
    }
    fn gone_uidls(&self, of: SourceNumber, standing: &[UidlDigest]) -> Read<BTreeSet<CopyKey>> {
        let is_gone = |key: &CopyKey| {
            matches!(key, CopyKey::Pop3 { source, uidl }
            if *source == of && standing.binary_search(uidl).is_err())
        };
        let all = self.0.borrow();
        let done = all.copies.iter().filter(|(_, row)| row.is_some()).map(|(key, _)| *key);
        Ok(done.filter(is_gone).collect())
    }
    fn volume(&self, number: u32) -> Read<Option<VolumeState>> {
        self.get(|all| &all.volumes, &number)
    }
    fn has_run(&self, run: RunId) -> Read<bool> {
        Ok(self.get(|all| &all.runs, &run)?.is_some())
    }
    fn known_runs(&self) -> Read<KnownRuns> {
        Ok(self.0.borrow().known_runs.clone().unwrap_or_default())
    }
    fn news(&self) -> Read<UsersNews> {
        Ok(self.0.borrow().news.clone().unwrap_or_default())
    }
    fn lists_filled(&self) -> Read<Filled> {
        Ok(self.0.borrow().lists_filled.unwrap_or_default())
    }
    fn account(&self, name: &AccountName) -> Read<Option<StoredAccount>> {
        self.get(|all| &all.accounts, name)
    }
    fn accounts(&self) -> Read<Vec<(AccountName, StoredAccount)>> {
        let all = self.0.borrow();
        let accounts = all.accounts.iter();
        Ok(accounts
            .filter_map(|(name, account)| Some((name.clone(), account.clone()?)))
            .collect())
    }
    fn sessions(&self) -> Read<Vec<([u8; 32], Session)>> {
        let all = self.0.borrow();
        let sessions = all
            .sessions
            .iter()
            .filter_map(|(digest, session)| Some((*digest, session.clone()?)));
        Ok(sessions.collect())
    }
    fn audit_mark(&self) -> Read<AuditMark> {
        Ok(self.0.borrow().audit_mark.unwrap_or(AuditMark::START))
    }
    fn audit_chain(&self, number: u64) -> Read<Option<Chain>> {
        Ok(self.get(|all| &all.audit, &number)?.map(|row| row.chain))
    }
    fn chain(&self, last: GroupNumber) -> Read<Chain> {
        let all = self.0.borrow();
        assert_eq!(all.ledger.as_ref().map_or(GroupNumber(0), |(number, _)| *number), last);
        Ok(all.ledger.as_ref().map_or(NO_CHAIN, |(_, row)| row.chain))
    }
}

fn file(bytes: &str, uid: u32, users: &[UserId]) -> Order {
    let content = Content {
        identity: *blake3::hash(&bytes.as_bytes()[..4]).as_bytes(),
        ..test_bench::content(bytes.as_bytes())
    };
    let key = CopyKey::Imap {
        source: SourceNumber(1),
        folder: FolderNumber(1),
        uidvalidity: 7,
        uid,
    };
    let deposit = Deposit {
        copy: Some(Named {
            key,
            traits: Traits::default(),
        }),
        content: Arc::new(content),
        ..test_bench::deposit(bytes.as_bytes())
    };
    let settle = |user: &UserId| Settled {
        user: *user,
        why: Why::To,
        verdict: Verdict::New,
    };
    let settled = users.iter().map(settle).collect();
    Order::File(vec![Shared { deposit, settled }], oneshot::channel().0)
}

fn change(change: Change) -> Order {
    Order::Change(change, oneshot::channel().0)
}

fn tidy(tidying: Tidying) -> Order {
    Order::Tidy(tidying, oneshot::channel().0)
}

fn user(name: &str) -> User {
    User {
        name: name.into(),
        addresses: Vec::new(),
        managed: false,
        retired: false,
    }
}

fn pop3(host: &str) -> Source {
    Source {
        family: Family::Pop3,
        host: host.into(),
        port: 110,
        username: "u".into(),
    }
}

fn orders() -> Vec<Order> {
    let large = format!("bbbb\n\n{}", "part".repeat(10_000));
    let (first, again) = (
        Run::begin("company", jiff::Timestamp::UNIX_EPOCH),
        CopyKey::uidl(SourceNumber(2), "x"),
    );
    vec![
        change(Change::User(None, user("jane"))),
        change(Change::User(Some(UserId(1)), user("joan"))),
        change(Change::Source(pop3("a"))),
        change(Change::Source(pop3("b"))),
        change(Change::Source(pop3("a"))),
        change(Change::Folder("INBOX".into())),
        change(Change::Folder("INBOX".into())),
        change(Change::BeginRun(Box::new(first.clone()))),
        file("aaaa first", 1, &[UserId(1), UserId(2)]),
        file("aaaa first", 2, &[UserId(1), UserId(3)]),
        file("aaaa other bytes", 3, &[UserId(3), UserId(4)]),
        file(&large, 4, &[UserId(1)]),
        file(&format!("cccc{large}"), 5, &[UserId(2)]),
        change(Change::Reopen(vec![again])),
        file("dddd", 6, &[UserId(0)]),
        change(Change::BeginRun(Box::new(first))),
        tidy(Tidying::ForgetRuns(vec![RunId(1), RunId(2)])),
    ]
}

#[test]
fn a_group_comes_to_the_same_as_its_orders_one_by_one() {
    let (together, apart) = (Maps::new(), Maps::new());
    let orders_ = orders();
    let answers: Vec<_> = together
        .write(&orders_)
        .answers
        .iter()
        .map(|it| format!("{it:?}"))
        .collect();
    let one_by_one = orders();
    let each = one_by_one
        .chunks(1)
        .map(|order| format!("{:?}", apart.write(order).answers[0]));
    assert_eq!(answers, each.collect::<Vec<_>>());
    let (together, apart) = (together.0.into_inner(), apart.0.into_inner());
    macro_rules! same {
        ($($table:ident)*) => { $(assert_eq!(together.$table, apart.$table);)* };
    }
    same!(identities bytes held filings journals unclaimed users usage sources folders copies runs known_runs news);
    let but_places = |set: &WriteSet| -> Vec<_> {
        let rows = set.messages.iter();
        rows.map(|(id, row)| {
            row.as_ref()
                .map(|row| (*id, row.sha256, row.size, row.identity, row.parts.clone()))
        })
        .collect()
    };
    assert_eq!(but_places(&together), but_places(&apart));
    assert_eq!(together.messages.len(), 5);
    let but_blocks = |set: &WriteSet| Counters {
        block: 0,
        group: GroupNumber(0),
        ..set.counters.clone()
    };
    assert_eq!(but_blocks(&together), but_blocks(&apart));
}

#[test]
fn the_row_of_a_group_has_what_it_changed_and_no_more() {
    let maps = Maps::new();
    let decided = maps.write(&orders());
    let (number, row) = decided.set.ledger.clone().unwrap();
    let filings: BTreeMap<_, Vec<_>> = row.group.filings.pairs().unwrap().into_iter().fold(
        BTreeMap::new(),
        |mut all: BTreeMap<_, Vec<_>>, (id, user)| {
            all.entry(id).or_default().push(user);
            all
        },
    );
    assert_eq!(
        (number, row.group.at, row.group.first, row.group.kept),
        (GroupNumber(1), 77, MessageId(1), 5)
    );
    assert_eq!(
        filings,
        BTreeMap::from(
            [
                (1, vec![1, 2, 3]),
                (2, vec![4]),
                (3, vec![1]),
                (4, vec![2]),
                (5, vec![0])
            ]
            .map(|(id, users)| (MessageId(id), users.into_iter().map(UserId).collect()))
        )
    );
    assert_eq!(decided.filings, 7);
    assert_eq!(
        row.group.changes,
        [Changed::RunsForgotten(1), Changed::Users(vec![UserId(1)])]
    );
    // A message that everybody has, and a run that begins, change nothing for good.
    let nothing = [
        file("aaaa first", 9, &[UserId(1)]),
        change(Change::BeginRun(Box::new(Run::begin(
            "company",
            jiff::Timestamp::UNIX_EPOCH,
        )))),
        change(Change::Memo(Memo::Notified, "x".into())),
    ];
    let decided = maps.write(&nothing);
    assert!(decided.set.ledger.is_none() && decided.set.counters.last_group() == number);
    // An older message for one more user.
    let decided = maps.write(&[file("aaaa first", 10, &[UserId(5)])]);
    let (next, after) = decided.set.ledger.unwrap();
    assert_eq!(
        (next, after.group.first, after.group.kept),
        (GroupNumber(2), MessageId(6), 0)
    );
    assert_eq!(after.group.filings.pairs().unwrap(), [(MessageId(1), UserId(5))]);
    let expected = after.group.chain(&row.chain, next, std::iter::empty()).unwrap();
    assert_eq!(after.chain, expected);
}

#[test]
fn a_row_that_moved_meanwhile_is_not_moved_again() {
    let maps = Maps::new();
    maps.write(&[file("aaaa first", 1, &[UserId(1)])]);
    let from = maps.message(MessageId(1)).unwrap().unwrap().inline;
    let moved = || Moved {
        row: crate::archive::order::Row::Message(MessageId(1)),
        from,
        bytes: b"aaaa first"[..].into(),
    };
    let decided = maps.write(&[tidy(Tidying::Move(vec![moved()])), tidy(Tidying::Move(vec![moved()]))]);
    assert!(matches!(decided.answers[..], [Answer::Number(1), Answer::Number(0)]));
    let (_, row) = decided.set.ledger.unwrap();
    assert_eq!((row.group.kept, row.group.changes), (0, vec![Changed::Moved(1)]));
    assert!(maps.message(MessageId(1)).unwrap().unwrap().inline.block > from.block);
}

#[test]
fn who_contradicts_another_is_refused_within_a_group_too() {
    let maps = Maps::new();
    let decided = maps.write(&[
        change(Change::User(Some(UserId(1)), user("jane"))),
        change(Change::User(Some(UserId(2)), user("jane"))),
        file("aaaa", 1, &[UserId(1)]),
    ]);
    assert!(matches!(
        decided.answers[..],
        [
            Answer::Number(1),
            Answer::Refused(StoreError::User { .. }),
            Answer::Filed(_)
        ]
    ));
    assert_eq!(decided.set.users.len(), 1);
}
