//! What is found by its name alone must be read by somebody, under just this name.

use super::{
    Kind,
    row_tests::assert_found,
    tests::{Archive, BOB},
};
use crate::{
    access::{AccountName, Hidden, Role, StoredAccount},
    archive::{
        codec::Row,
        profiles::{PREFIX, StoredProfile},
    },
};

/// A place up to which rows were moved on was taken for a value whose name is damaged, in every large archive.
#[actix::test]
async fn rows_that_move_on_leave_no_damage() {
    let archive = Archive::new().await;
    archive.change(|c, t| {
        c.filings.sweep(t, 0, 1).unwrap();
        c.identities.sweep(t, 0, 2).unwrap();
        c.identities.sweep(t, 1, 1).unwrap();
        let names = c.meta.iter(t).unwrap().map(|row| row.unwrap().0);
        let places: Vec<_> = names.filter(|name| name.starts_with("settled ")).collect();
        assert_eq!(
            places,
            ["settled filings 0", "settled identities 0", "settled identities 1"]
        );
        // All other tables that are packed have such places too.
        let place = c.meta.get(t, places[0]).unwrap().unwrap().to_vec();
        for (table, _) in c.row_counts().unwrap() {
            if let Some((name, level)) = table.rsplit_once(' ') {
                let from = level.parse::<usize>().unwrap() - 1;
                c.meta.put(t, &format!("settled {name} {from}"), &place).unwrap();
            }
        }
        assert!(c.meta.get(t, "settled uidls 2").unwrap().is_some());
    });
    assert_eq!(archive.damages(), []);
}

#[actix::test]
async fn what_stands_under_another_name_than_its_own_is_found() {
    assert_found(vec![
        (
            |c, t| c.meta.put(t, "settled filings 3", &[0; 8]).unwrap(),
            &[Kind::Catalog],
            None,
            None,
        ),
        (
            |c, t| {
                let profile = StoredProfile {
                    keys: r#"{"name": "office"}"#.into(),
                    secrets: Vec::new(),
                    changed: 0,
                };
                let meta = c.meta.remap_data_type::<Row<StoredProfile>>();
                meta.put(t, &format!("{PREFIX}offize"), &profile).unwrap();
            },
            &[Kind::Catalog],
            None,
            None,
        ),
        (
            |c, t| {
                let account = StoredAccount::new("jane", Role::User, [BOB].into(), Hidden("kept".into()), 0);
                c.accounts
                    .put(t, &AccountName::parse("jane").unwrap(), &account)
                    .unwrap();
                c.accounts
                    .put(t, &AccountName::parse("jame").unwrap(), &account)
                    .unwrap();
            },
            &[Kind::Account],
            None,
            None,
        ),
    ])
    .await;
}
