//! What is done with accounts, and its entries in the audit log.

use super::*;

fn deed(name: &str, changes: Vec<AccountChange>, sessions: Vec<SessionChange>) -> Order {
    let deed = Deed {
        account: AccountName::parse(name),
        changes,
        sessions,
        ..Deed::noted(Entry::new("owner", "socket", "account", name))
    };
    Order::Change(Change::Deed(deed.into()), oneshot::channel().0)
}

fn account(name: &str) -> StoredAccount {
    StoredAccount::new(name, Role::User, [].into(), Hidden("kept".into()), 0)
}

fn session(name: &str, seen: i64) -> Session {
    Session {
        account: AccountName::parse(name).unwrap(),
        began: 0,
        seen,
        address: String::new(),
    }
}

#[test]
fn what_is_refused_is_noted_and_changes_nothing() {
    let maps = Maps::new();
    let add = |name: &str| deed(name, vec![AccountChange::Add(account(name).into())], Vec::new());
    // The second one of the same group finds the first.
    let decided = maps.write(&[
        add("jane"),
        add("Jane"),
        deed("nobody", vec![AccountChange::Disable], vec![]),
    ]);
    assert!(matches!(
        decided.answers[..],
        [
            Answer::Number(0),
            Answer::Refused(StoreError::Deed(Refusal::Exists)),
            Answer::Refused(StoreError::Deed(Refusal::None))
        ]
    ));
    let noted: Vec<_> = decided
        .set
        .audit
        .values()
        .flatten()
        .map(|row| row.entry.outcome)
        .collect();
    assert_eq!(noted, [Outcome::Done, Outcome::Refused, Outcome::Refused]);
    assert!(decided.set.audit.values().flatten().all(|row| row.entry.at == 77));
    assert_eq!(decided.set.accounts.len(), 1);
    assert!(decided.set.ledger.is_none(), "no mail changed");
}

#[test]
fn a_log_in_with_a_password_that_was_changed_in_the_same_group_is_none() {
    let maps = Maps::new();
    maps.write(&[deed("jane", vec![AccountChange::Add(account("jane").into())], vec![])]);
    let proved = AccountChange::Proved {
        password: Hidden("kept".into()),
        set: 0,
        anew: None,
    };
    let log_in = |digest: u8| {
        let begin = SessionChange::Begin([digest; 32], session("jane", 5));
        deed("jane", vec![proved.clone()], vec![begin])
    };
    let change = AccountChange::Password(Hidden("another".into()), 77);
    let decided = maps.write(&[log_in(1), deed("jane", vec![change], vec![]), log_in(2)]);
    assert!(matches!(
        decided.answers[2],
        Answer::Refused(StoreError::Deed(Refusal::Changed))
    ));
    // And the session that was begun before has ended.
    assert_eq!(maps.sessions().unwrap(), []);
}

#[test]
fn sessions_of_an_account_are_so_many_at_most() {
    let maps = Maps::new();
    let begin = |digest: u8| {
        deed(
            "jane",
            vec![],
            vec![SessionChange::Begin([digest; 32], session("jane", digest.into()))],
        )
    };
    maps.write(&(1..=40).map(begin).collect::<Vec<_>>());
    maps.write(&(41..=60).map(begin).collect::<Vec<_>>());
    let kept: Vec<_> = maps
        .sessions()
        .unwrap()
        .into_iter()
        .map(|(digest, _)| digest[0])
        .collect();
    assert_eq!(kept, (11..=60).collect::<Vec<u8>>());
}

#[test]
fn old_entries_go_and_the_chain_goes_on() {
    let maps = Maps::new();
    maps.write(&(0..5).map(|_| deed("x", vec![], vec![])).collect::<Vec<_>>());
    let forget = |before| Order::Tidy(Tidying::ForgetAudit(before), oneshot::channel().0);
    let decided = maps.write(&[forget(4)]);
    assert!(matches!(decided.answers[..], [Answer::Number(3)]));
    let numbers = || -> Vec<u64> {
        let all = maps.0.borrow();
        all.audit
            .iter()
            .filter(|(_, row)| row.is_some())
            .map(|(number, _)| *number)
            .collect()
    };
    // The last is what was noted of it.
    assert_eq!(numbers(), [4, 5, 6]);
    // However far it is to go, the last entry stays.
    maps.write(&[forget(100)]);
    assert_eq!(numbers(), [6, 7]);
    let mark = maps.audit_mark().unwrap();
    assert_eq!((mark.first, mark.last), (6, 7));
    let rows: Vec<_> = numbers()
        .iter()
        .map(|number| maps.get(|all| &all.audit, number).unwrap().unwrap())
        .collect();
    let mut before = mark.before;
    for (number, row) in numbers().into_iter().zip(rows) {
        assert_eq!(
            crate::access::entry::chain(&row.entry, &before, number).unwrap(),
            row.chain
        );
        before = row.chain;
    }
    assert_eq!(before, mark.chain);
}

#[test]
fn of_two_administrators_who_remove_each_other_at_once_one_stays() {
    let add = |name: &str, disabled: bool| {
        let new = StoredAccount {
            role: Role::Administrator,
            disabled,
            ..account(name)
        };
        deed(name, vec![AccountChange::Add(new.into())], vec![])
    };
    let by = |name: &str, change: AccountChange, spares_administrator: bool| {
        let deed = Deed {
            account: AccountName::parse(name),
            changes: vec![change],
            spares_administrator,
            ..Deed::noted(Entry::new("anna", "socket", "account", name))
        };
        Order::Change(Change::Deed(deed.into()), oneshot::channel().0)
    };
    let is_refused = |answer: &Answer| matches!(answer, Answer::Refused(StoreError::Deed(Refusal::LastAdministrator)));
    let changes = [
        AccountChange::Remove,
        AccountChange::Disable,
        AccountChange::Role(Role::User),
    ];
    for change in changes {
        let maps = Maps::new();
        // One who is disabled helps nobody.
        maps.write(&[add("anna", false), add("bert", false), add("cora", true)]);
        let decided = maps.write(&[by("bert", change.clone(), true), by("anna", change.clone(), true)]);
        assert_eq!(
            decided.answers.iter().map(is_refused).collect::<Vec<_>>(),
            [false, true],
            "{change:?}"
        );
        let anna = maps.account(&AccountName::parse("anna").unwrap()).unwrap().unwrap();
        assert!(anna.administers(), "{change:?}");
        // To change another one, or nothing about this, stays possible; so does all for the owner of the archive.
        let decided = maps.write(&[
            by("cora", AccountChange::Remove, true),
            by("anna", AccountChange::Role(Role::Administrator), true),
            by("anna", AccountChange::TotpOff, true),
            by("anna", change.clone(), false),
        ]);
        assert!(!decided.answers.iter().any(is_refused), "{change:?}");
    }
}
